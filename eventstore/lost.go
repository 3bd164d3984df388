package eventstore

import (
	"context"
	"fmt"
	"iter"
)

// Lost says which events of a damaged log can't be read, and why.
type Lost struct {
	From, To Position
	Stream   string  // whose event it was, where one is lost and that is still known
	Version  Version // its version then
	Why      string
}

func (l *Lost) Error() string {
	if l.From == l.To {
		return fmt.Sprintf("position %d: %s", l.From, l.Why)
	}
	return fmt.Sprintf("positions %d to %d: %s", l.From, l.To, l.Why)
}

// Count is how many positions are lost.
func (l *Lost) Count() int64 { return int64(l.To-l.From) + 1 }

// Damaged is a log that can be read beyond what is damaged in it.
type Damaged interface {
	Store

	// Events yields every event up to the head, in order, and a *Lost in the place of those that can't be read. Another
	// error ends it.
	Events(ctx context.Context) iter.Seq2[Recorded, error]
}

// Events yields every event of a log up to its head: of one that is Damaged, beyond the damage, too.
func Events(ctx context.Context, s Store) iter.Seq2[Recorded, error] {
	if d, ok := s.(Damaged); ok {
		return d.Events(ctx)
	}
	return func(yield func(Recorded, error) bool) {
		head, err := s.Head(ctx)
		if err != nil {
			yield(Recorded{}, err)
			return
		}
		UpTo(ctx, s, 0, head)(yield)
	}
}

// UpTo yields a log's events after a position up to another, which must not lie beyond the head.
func UpTo(ctx context.Context, s Store, after, last Position) iter.Seq2[Recorded, error] {
	return func(yield func(Recorded, error) bool) {
		if after >= last {
			return
		}
		for r, err := range s.Follow(ctx, after) {
			if err == nil && r.Position > last || !yield(r, err) || err != nil || r.Position == last {
				return
			}
		}
	}
}

// Own passes over events of streams that are somebody else's.
func Own(events iter.Seq2[Recorded, error], foreign func(stream string) bool) iter.Seq2[Recorded, error] {
	return func(yield func(Recorded, error) bool) {
		for r, err := range events {
			if err == nil && foreign(r.Stream) {
				continue
			}
			if !yield(r, err) {
				return
			}
		}
	}
}
