package projections

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/urikake/urikake/eventstore"
)

// Asked is what was found on the way to an answer.
type Asked struct{ away atomic.Bool }

// LogAway tells that the log could not be reached, so that the answer is by what was folded before, and may be older than
// the log.
func (a *Asked) LogAway() bool { return a.away.Load() }

type askedKey struct{}

// Asking gives the context of a question, whose answer may be old while the log is away, and tells afterwards whether it is.
func Asking(ctx context.Context) (context.Context, *Asked) {
	a := new(Asked)
	return context.WithValue(ctx, askedKey{}, a), a
}

// A log is asked again before it counts as away: a connection that was cut is soon there again. One that is known to be
// away is asked once for each question, so that nobody waits for it over and over.
const (
	awayAfter = time.Second
	awayRest  = 10 * time.Millisecond // between two attempts, at first; it doubles
	awayRests = 200 * time.Millisecond
)

// patiently does what asks the log, again while that is unavailable and not known to be away.
func (v *Views) patiently(ctx context.Context, ask func() (eventstore.Position, error)) (eventstore.Position, error) {
	until := time.Now().Add(awayAfter)
	for rest := awayRest; ; rest = min(2*rest, awayRests) {
		position, err := ask()
		switch {
		case err == nil:
			v.away.Store(false)
			return position, nil
		case !errors.Is(err, eventstore.ErrUnavailable):
			return position, err
		case v.away.Load() || time.Now().Add(rest).After(until):
			v.away.Store(true)
			return position, err
		}
		select {
		case <-time.After(rest):
		case <-ctx.Done():
			return position, ctx.Err()
		}
	}
}
