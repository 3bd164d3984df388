// Package memory keeps a log in memory: the reference that other stores are compared with, and the log of tests.
// It forgets everything when the process ends.
package memory

import (
	"bytes"
	"context"
	"iter"
	"sync"
	"time"

	"github.com/urikake/urikake/eventstore"
)

// Store is an eventstore.Store made of slices and one lock.
type Store struct {
	clock eventstore.Clock

	mu      sync.Mutex
	log     []eventstore.Recorded            // position p stands at p-1; recorded events never change
	streams map[string][]eventstore.Recorded // version v stands at v-1
	grown   chan struct{}                    // closed, and replaced, by each append
}

var _ eventstore.Store = (*Store)(nil)

// New makes an empty log that records the clock's instants.
func New(clock eventstore.Clock) *Store {
	return &Store{clock: clock, streams: map[string][]eventstore.Recorded{}, grown: make(chan struct{})}
}

// Append does what the port says. It never answers log.unavailable.
func (s *Store) Append(ctx context.Context, stream string, expected eventstore.Version,
	events ...eventstore.Proposed,
) (eventstore.Position, error) {
	if err := eventstore.CheckAppend(ctx, stream, events); err != nil {
		return 0, err
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if head := eventstore.Version(len(s.streams[stream])); head != expected {
		if position, ok := s.repeat(stream, expected, events); ok {
			return position, nil
		}
		return 0, eventstore.ErrWrongVersion.With("%s stands at %d, expected %d", stream, head, expected)
	}
	for _, e := range events {
		s.record(stream, e)
	}
	close(s.grown)
	s.grown = make(chan struct{})
	return s.head(), nil
}

// repeat finds events that stand after version expected already, id by id.
func (s *Store) repeat(stream string, expected eventstore.Version, events []eventstore.Proposed) (eventstore.Position, bool) {
	have := s.streams[stream]
	if expected > eventstore.Version(len(have)) || len(events) > len(have[expected:]) {
		return 0, false
	}
	have = have[expected:][:len(events)]
	for i, e := range events {
		if have[i].ID != e.ID {
			return 0, false
		}
	}
	return have[len(have)-1].Position, true
}

func (s *Store) record(stream string, e eventstore.Proposed) {
	at := s.clock().UTC().Truncate(time.Microsecond)
	if n := len(s.log); n > 0 && at.Before(s.log[n-1].At) {
		at = s.log[n-1].At
	}
	r := clone(eventstore.Recorded{
		Position: s.head() + 1, Stream: stream, Version: eventstore.Version(len(s.streams[stream]) + 1), At: at, Proposed: e,
	})
	s.log = append(s.log, r)
	s.streams[stream] = append(s.streams[stream], r)
}

// clone gives an event bytes of its own, so that nobody outside can write into the log.
func clone(r eventstore.Recorded) eventstore.Recorded {
	r.Data, r.Metadata = bytes.Clone(r.Data), bytes.Clone(r.Metadata)
	return r
}

func (s *Store) head() eventstore.Position { return eventstore.Position(len(s.log)) }

// Read yields the stream as it stands when the loop begins.
func (s *Store) Read(ctx context.Context, stream string, after eventstore.Version) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		s.mu.Lock()
		events := s.streams[stream]
		s.mu.Unlock()
		yieldAll(ctx, events[min(after, eventstore.Version(len(events))):], yield)
	}
}

// Follow yields all events after a position and waits for more.
func (s *Store) Follow(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		after := after // the loop may be run again
		for {
			s.mu.Lock()
			events, grown := s.log[min(after, s.head()):], s.grown
			s.mu.Unlock()
			if !yieldAll(ctx, events, yield) {
				return
			}
			after += eventstore.Position(len(events))
			select {
			case <-grown:
			case <-ctx.Done(): // the next round yields its error
			}
		}
	}
}

// yieldAll reports whether the loop wants to go on; an ended ctx is yielded as the last pair.
func yieldAll(ctx context.Context, events []eventstore.Recorded, yield func(eventstore.Recorded, error) bool) bool {
	for _, r := range events {
		if ctx.Err() != nil {
			break
		}
		if !yield(clone(r), nil) {
			return false
		}
	}
	if err := ctx.Err(); err != nil {
		yield(eventstore.Recorded{}, err)
		return false
	}
	return true
}

// Head is the number of events.
func (s *Store) Head(ctx context.Context) (eventstore.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.head(), ctx.Err()
}
