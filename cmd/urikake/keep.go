package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/urikake/urikake/adapters/httpapi"
)

// kept is work that goes on beside a server. When it ends with an error it is begun again, after ever longer rests; the
// server goes on and says that it is not ready.
type kept struct {
	name string
	work func(context.Context) error

	mu    sync.Mutex
	err   error     // why it ended the last time
	began time.Time // when it was begun again; zero: it rests
}

const (
	keepRest = 500 * time.Millisecond // before it is begun again, at first
	keepMost = 5 * time.Second        // and at most
	keptLong = 5 * time.Second        // what works for so long works again
)

// keep works until ctx ends.
func (k *kept) keep(ctx context.Context, log *slog.Logger) {
	for rest := keepRest; ; rest = min(2*rest, keepMost) {
		began := k.note(time.Now(), nil)
		err := k.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) >= keptLong {
			rest = keepRest
		}
		k.note(time.Time{}, err)
		log.Error("background work ended and is begun again", "work", k.name, "error", err, "after", rest)
		select {
		case <-time.After(rest):
		case <-ctx.Done():
			return
		}
	}
}

// once works, and leaves nothing behind that goes on.
func (k *kept) once(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return k.work(ctx)
}

func (k *kept) note(began time.Time, err error) time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.began = began
	if err != nil {
		k.err = err
	}
	return began
}

// check fails from the moment when the work ended until it has been going on again for a while.
func (k *kept) check() httpapi.Check {
	return httpapi.Check{Name: k.name, Probe: func(context.Context) (string, error) {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.err != nil && (k.began.IsZero() || time.Since(k.began) < keptLong) {
			return "", k.err
		}
		return "goes on", nil
	}}
}
