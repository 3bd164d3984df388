package merkle

import (
	"context"
	"errors"
	"time"

	"github.com/urikake/urikake/eventstore"
)

const (
	runPace  = 200 * time.Millisecond // how long Run lets events gather
	keyPace  = 5 * time.Second        // how often it looks whether there is a key now
	lastTime = 30 * time.Second       // for the checkpoint when it ends
)

// Run hashes events as they come and makes a checkpoint whenever there are every more of them, and one when ctx ends:
// then it returns ctx's error. Without a key it waits for one. Refuses what Checkpoint refuses.
func (l *Log) Run(ctx context.Context, every int64, clock eventstore.Clock) error {
	for !l.HasKey() {
		if err := rest(ctx, keyPace); err != nil {
			return err
		}
	}
	err := l.run(ctx, every, clock)
	if ctx.Err() == nil {
		return err
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastTime)
	defer cancel()
	if _, err := l.Checkpoint(last, 0, clock()); err != nil && !errors.Is(err, ErrBeyondTree) {
		return errors.Join(ctx.Err(), err)
	}
	return ctx.Err()
}

func (l *Log) run(ctx context.Context, every int64, clock eventstore.Clock) error {
	for {
		size, err := l.CatchUp(ctx)
		if err != nil {
			return err
		}
		if size-l.signed(ctx) >= every {
			if _, err := l.Checkpoint(ctx, 0, clock()); err != nil {
				return err
			}
		}
		if err := l.next(ctx); err != nil {
			return err
		}
		if err := rest(ctx, runPace); err != nil {
			return err
		}
	}
}

// signed is how many events the newest checkpoint has.
func (l *Log) signed(ctx context.Context) int64 {
	c, _ := l.Latest(ctx) // none has 0
	return c.Size
}

// next waits until the log goes on.
func (l *Log) next(ctx context.Context) error {
	var after eventstore.Position
	if err := l.with(ctx, func() error { after = l.read; return nil }); err != nil {
		return err
	}
	for _, err := range l.store.Follow(ctx, after) {
		return err
	}
	return ctx.Err()
}

func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
