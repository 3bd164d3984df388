// Package overlay is a what-if copy of a log: what is written to it stays in memory and the log below is only read.
// An import tries all its commands on one before the first of them is given to the books.
package overlay

import (
	"bytes"
	"context"
	"iter"
	"sync"
	"time"

	"github.com/urikake/urikake/eventstore"
)

// Store shows the base as it stood when the Store was first used, with its own events after it. What others write to
// the base later is not seen, so a what-if never fails because of a neighbour.
//
// A handler on it needs its own cache and must not save snapshots: they would tell of events that never happened.
type Store struct {
	base eventstore.Store

	appending sync.Mutex // one Append at a time, also while it reads the base
	mu        sync.Mutex // guards what stands below; never held while the base is read
	frozen    bool
	floor     eventstore.Position // the base's head when frozen
	last      time.Time           // instant of the newest event
	log       []eventstore.Recorded
	streams   map[string][]eventstore.Recorded // own events only
	grown     chan struct{}                    // closed, and replaced, by each append
}

var _ eventstore.Store = (*Store)(nil)

// New makes a copy without own events. It reads nothing yet.
func New(base eventstore.Store) eventstore.Store {
	return &Store{base: base, streams: map[string][]eventstore.Recorded{}, grown: make(chan struct{})}
}

// freeze notes, once, where the base stands.
func (s *Store) freeze(ctx context.Context) (eventstore.Position, error) {
	s.mu.Lock()
	frozen, floor := s.frozen, s.floor
	s.mu.Unlock()
	if frozen {
		return floor, nil
	}
	floor, err := s.base.Head(ctx)
	if err != nil {
		return 0, err
	}
	var last time.Time
	if floor > 0 {
		for r, err := range s.base.Follow(ctx, floor-1) {
			if err != nil {
				return 0, err
			}
			last = r.At
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.frozen { // else another caller was faster
		s.frozen, s.floor, s.last = true, floor, last
	}
	return s.floor, nil
}

// Append does what the port says, in memory. It refuses what reading the base refuses, too.
// O(events appended), and one short read of the base.
func (s *Store) Append(ctx context.Context, stream string, expected eventstore.Version,
	events ...eventstore.Proposed,
) (eventstore.Position, error) {
	if err := eventstore.CheckAppend(ctx, stream, events); err != nil {
		return 0, err
	}
	s.appending.Lock()
	defer s.appending.Unlock()
	position, written, err := s.compare(ctx, stream, expected, events)
	if written || err != nil {
		return position, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, e := range events {
		s.record(stream, expected+eventstore.Version(i)+1, e)
	}
	close(s.grown)
	s.grown = make(chan struct{})
	return s.head(), nil
}

// compare tells whether the events stand after version expected already. Refuses log.wrong_version unless they do, or
// the stream ends there.
func (s *Store) compare(ctx context.Context, stream string, expected eventstore.Version,
	events []eventstore.Proposed,
) (last eventstore.Position, written bool, err error) {
	wrong := eventstore.ErrWrongVersion.With("%s does not stand at %d", stream, expected)
	reached, same := expected == 0, 0
	for r, err := range s.Read(ctx, stream, max(expected, 1)-1) {
		switch {
		case err != nil:
			return 0, false, err
		case r.Version == expected:
			reached = true
		case r.ID != events[same].ID:
			return 0, false, wrong
		default:
			if same++; same == len(events) {
				return r.Position, true, nil
			}
		}
	}
	if !reached || same > 0 {
		return 0, false, wrong
	}
	return 0, false, nil
}

func (s *Store) record(stream string, version eventstore.Version, e eventstore.Proposed) {
	if now := time.Now().UTC().Truncate(time.Microsecond); now.After(s.last) {
		s.last = now
	}
	r := clone(eventstore.Recorded{Position: s.head() + 1, Stream: stream, Version: version, At: s.last, Proposed: e})
	s.log = append(s.log, r)
	s.streams[stream] = append(s.streams[stream], r)
}

// clone gives an event bytes of its own, so that nobody outside can write into the log.
func clone(r eventstore.Recorded) eventstore.Recorded {
	r.Data, r.Metadata = bytes.Clone(r.Data), bytes.Clone(r.Metadata)
	return r
}

func (s *Store) head() eventstore.Position { return s.floor + eventstore.Position(len(s.log)) }

// Read yields the base's events of the stream, then the own ones.
func (s *Store) Read(ctx context.Context, stream string, after eventstore.Version) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		floor, err := s.freeze(ctx)
		if err != nil {
			yield(eventstore.Recorded{}, err)
			return
		}
		s.mu.Lock()
		own := s.streams[stream]
		s.mu.Unlock()
		if len(own) == 0 || after+1 < own[0].Version {
			for r, err := range s.base.Read(ctx, stream, after) {
				if err == nil && r.Position > floor {
					break
				}
				if !yield(r, err) || err != nil {
					return
				}
			}
		}
		for len(own) > 0 && own[0].Version <= after {
			own = own[1:]
		}
		yieldAll(ctx, own, yield)
	}
}

// Follow yields the base's events up to where it was frozen, then the own ones as they come.
func (s *Store) Follow(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		floor, err := s.freeze(ctx)
		if err != nil {
			yield(eventstore.Recorded{}, err)
			return
		}
		if after < floor && !s.followBase(ctx, after, floor, yield) {
			return
		}
		for next := max(after, floor) - floor; ; {
			s.mu.Lock()
			own, grown := s.log[min(next, eventstore.Position(len(s.log))):], s.grown
			s.mu.Unlock()
			if !yieldAll(ctx, own, yield) {
				return
			}
			next += eventstore.Position(len(own))
			select {
			case <-grown:
			case <-ctx.Done(): // the next round yields its error
			}
		}
	}
}

// followBase reports whether the loop wants to go on after the base's event at position floor.
func (s *Store) followBase(ctx context.Context, after, floor eventstore.Position, yield func(eventstore.Recorded, error) bool) bool {
	for r, err := range s.base.Follow(ctx, after) {
		if !yield(r, err) || err != nil {
			return false
		}
		if r.Position >= floor {
			return true
		}
	}
	return false
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

// Head is the position of the newest event, own or the base's.
func (s *Store) Head(ctx context.Context) (eventstore.Position, error) {
	if _, err := s.freeze(ctx); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.head(), ctx.Err()
}
