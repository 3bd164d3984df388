// Package faulty wraps a log that fails as logs do: answers get lost, writes come late or not at all, reads break off.
// Which calls fail is drawn from a seed, so that what was found once is found again. What it lets through is as the
// port promises; without faults it is the log below.
package faulty

import (
	"context"
	"iter"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/urikake/urikake/eventstore"
)

// Faults are how likely each fault is, from 0 to 1.
type Faults struct {
	Conflict  float64 // an append is refused with log.wrong_version though nobody came first
	Unwritten float64 // an append is not done and answers log.unavailable
	LostAck   float64 // an append is done and answers log.unavailable
	Late      float64 // an append answers log.unavailable and is tried before one of the next calls
	Read      float64 // a read breaks off with log.unavailable, before one of its events or after the last
	Cut       float64 // a follower is cut off with log.unavailable after an event, at each event
	Head      float64 // the head can't be read
	Slow      float64 // an append takes up to SlowMax
	SlowMax   time.Duration
}

// Usual are faults that a day has when everything goes wrong.
var Usual = Faults{Conflict: 0.03, Unwritten: 0.03, LostAck: 0.03, Late: 0.02, Read: 0.02, Cut: 0.002, Head: 0.01}

// Store is a log with faults. It may be used by many at once; the same calls in the same order have the same faults.
type Store struct {
	base eventstore.Store

	mu        sync.Mutex
	seed      uint64
	rng       *rand.Rand
	faults    Faults
	followers uint64 // so far
	late      []func()
	counts    Counts
}

// Counts are how many faults there were.
type Counts struct{ Conflicts, Unwritten, LostAcks, Late, Reads, Cuts, Heads int }

var _ eventstore.Store = (*Store)(nil)

// New lets a log fail.
func New(base eventstore.Store, seed uint64, f Faults) *Store {
	return &Store{base: base, seed: seed, rng: rand.New(rand.NewPCG(seed, 0)), faults: f}
}

// Set changes the faults, once late appends have been tried.
func (s *Store) Set(f Faults) {
	s.Flush()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// Flush tries late appends.
func (s *Store) Flush() { s.arrive(1) }

// Reseed begins to draw anew, so that what happens next does not depend on how much was drawn before.
func (s *Store) Reseed(seed uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seed, s.followers = seed, 0
	s.rng = rand.New(rand.NewPCG(seed, 0))
}

// Counts tells what has gone wrong so far.
func (s *Store) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// fate is what becomes of an append.
type fate int

const (
	written fate = iota
	conflict
	unwritten
	lostAck
	late
)

// draw is an append's fate, and how long it takes.
func (s *Store) draw() (is fate, takes time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, n := s.faults, s.rng.Float64()
	for _, of := range []struct {
		fate
		likely float64
		count  *int
	}{
		{conflict, f.Conflict, &s.counts.Conflicts},
		{unwritten, f.Unwritten, &s.counts.Unwritten},
		{lostAck, f.LostAck, &s.counts.LostAcks},
		{late, f.Late, &s.counts.Late},
	} {
		if n -= of.likely; n < 0 {
			is = of.fate
			*of.count++
			break
		}
	}
	if f.Slow > 0 && s.rng.Float64() < f.Slow {
		takes = time.Duration(s.rng.Int64N(int64(f.SlowMax) + 1))
	}
	return is, takes
}

// Append does what the port says, or fails.
func (s *Store) Append(ctx context.Context, stream string, expected eventstore.Version, events ...eventstore.Proposed) (eventstore.Position, error) {
	s.arrive(lateSoon)
	is, takes := s.draw()
	if takes > 0 {
		select {
		case <-time.After(takes):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	if err := eventstore.CheckAppend(ctx, stream, events); err != nil {
		return 0, err
	}
	switch is {
	case conflict:
		return 0, eventstore.ErrWrongVersion.With("%s, by a fault", stream)
	case unwritten:
		return 0, eventstore.ErrUnavailable.With("a fault: nothing is written")
	case late:
		detached := context.WithoutCancel(ctx)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.late = append(s.late, func() { _, _ = s.base.Append(detached, stream, expected, events...) })
		return 0, eventstore.ErrUnavailable.With("a fault: it may be written later")
	}
	position, err := s.base.Append(ctx, stream, expected, events...)
	if is == lostAck && err == nil {
		return 0, eventstore.ErrUnavailable.With("a fault: it is written")
	}
	return position, err
}

// lateSoon is how likely a late append is tried before a call.
const lateSoon = 0.3

// arrive tries late appends, each as likely as said, in their order.
func (s *Store) arrive(likely float64) {
	s.mu.Lock()
	var due, rest []func()
	for _, try := range s.late {
		if likely >= 1 || s.rng.Float64() < likely {
			due = append(due, try)
		} else {
			rest = append(rest, try)
		}
	}
	s.late = rest
	s.mu.Unlock()
	for _, try := range due {
		try()
	}
}

// Read yields the stream, or a part of it and then log.unavailable.
func (s *Store) Read(ctx context.Context, stream string, after eventstore.Version) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		s.arrive(lateSoon)
		left := s.breaksAfter()
		for r, err := range s.base.Read(ctx, stream, after) {
			if left == 0 {
				break
			}
			left--
			if !yield(r, err) || err != nil {
				return
			}
		}
		if left >= 0 {
			yield(eventstore.Recorded{}, eventstore.ErrUnavailable.With("a fault: reading %s broke off", stream))
		}
	}
}

// breaksAfter is after how many events a read breaks off; below zero if it does not.
func (s *Store) breaksAfter() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rng.Float64() >= s.faults.Read {
		return -1
	}
	s.counts.Reads++
	return s.rng.IntN(8)
}

// Follow yields the log until it is cut off. Each follower's faults are its own, whoever else uses the log meanwhile.
func (s *Store) Follow(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		s.mu.Lock()
		s.followers++
		rng := rand.New(rand.NewPCG(s.seed, s.followers)) // the appenders' is the one of follower 0
		s.mu.Unlock()
		for r, err := range s.base.Follow(ctx, after) {
			if !yield(r, err) || err != nil {
				return
			}
			if s.cuts(rng) {
				yield(eventstore.Recorded{}, eventstore.ErrUnavailable.With("a fault: cut off after position %d", r.Position))
				return
			}
		}
	}
}

func (s *Store) cuts(rng *rand.Rand) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rng.Float64() >= s.faults.Cut {
		return false
	}
	s.counts.Cuts++
	return true
}

// Head is the log's, or log.unavailable.
func (s *Store) Head(ctx context.Context) (eventstore.Position, error) {
	s.mu.Lock()
	fails := s.rng.Float64() < s.faults.Head
	if fails {
		s.counts.Heads++
	}
	s.mu.Unlock()
	if fails {
		return 0, eventstore.ErrUnavailable.With("a fault: the head can't be read")
	}
	return s.base.Head(ctx)
}
