package faulty_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/faulty"
	"github.com/urikake/urikake/eventstore/memory"
	"github.com/urikake/urikake/eventstore/storetest"
)

// Without faults it is the log below.
func TestStore(t *testing.T) {
	storetest.Run(t, storetest.Features{Clock: true}, func(_ testing.TB, _ string, clock eventstore.Clock) (eventstore.Store, func()) {
		return faulty.New(memory.New(clock), 1, faulty.Faults{}), func() {}
	})
}

func event(n int) eventstore.Proposed {
	return eventstore.Proposed{ID: uuid.NewSHA1(uuid.Nil, fmt.Append(nil, n)), Kind: "k", Schema: 1, Data: []byte(`{}`)}
}

// Slow appends are late, not wrong.
func TestSlowAppends(t *testing.T) {
	s := faulty.New(memory.New(time.Now), 1, faulty.Faults{Slow: 1, SlowMax: time.Millisecond})
	for n := range 20 {
		if p, err := s.Append(t.Context(), "s", eventstore.Version(n), event(n)); err != nil || p != eventstore.Position(n+1) {
			t.Fatal(p, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Set(faulty.Faults{Slow: 1, SlowMax: time.Hour})
	if _, err := s.Append(ctx, "s", 20, event(20)); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestEachFaultOfAppend(t *testing.T) {
	for name, test := range map[string]struct {
		faults        faulty.Faults
		err           error
		now, later    int // events that stand there, at once and when all is well again
		againPosition eventstore.Position
	}{
		"conflict":  {faulty.Faults{Conflict: 1}, eventstore.ErrWrongVersion, 0, 0, 1},
		"unwritten": {faulty.Faults{Unwritten: 1}, eventstore.ErrUnavailable, 0, 0, 1},
		"lost":      {faulty.Faults{LostAck: 1}, eventstore.ErrUnavailable, 1, 1, 1},
		"late":      {faulty.Faults{Late: 1}, eventstore.ErrUnavailable, 0, 1, 1},
	} {
		base := memory.New(time.Now)
		s := faulty.New(base, 1, test.faults)
		stands := func() int {
			head, err := base.Head(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return int(head)
		}
		if _, err := s.Append(t.Context(), "s", 0, event(1)); !errors.Is(err, test.err) {
			t.Errorf("%s: %v", name, err)
		}
		if n := stands(); n != test.now {
			t.Errorf("%s: %d events, want %d", name, n, test.now)
		}
		s.Set(faulty.Faults{})
		if n := stands(); n != test.later {
			t.Errorf("%s: %d events later, want %d", name, n, test.later)
		}
		if p, err := s.Append(t.Context(), "s", 0, event(1)); err != nil || p != test.againPosition {
			t.Errorf("%s again: %d, %v", name, p, err)
		}
	}
}

// A late append that somebody else has overtaken writes nothing.
func TestALateAppendKeepsItsExpectedVersion(t *testing.T) {
	base := memory.New(time.Now)
	s := faulty.New(base, 1, faulty.Faults{Late: 1})
	if _, err := s.Append(t.Context(), "s", 0, event(1)); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Fatal(err)
	}
	if _, err := base.Append(t.Context(), "s", 0, event(2)); err != nil {
		t.Fatal(err)
	}
	s.Set(faulty.Faults{})
	for r, err := range s.Read(t.Context(), "s", 0) {
		if err != nil || r.Version > 1 || r.ID != event(2).ID {
			t.Fatal(r, err)
		}
	}
}

// A read that breaks off yields an error, never a shorter stream, and so does a follower.
func TestReadsBreakOff(t *testing.T) {
	base := memory.New(time.Now)
	const length = 10
	for n := range length {
		if _, err := base.Append(t.Context(), "s", eventstore.Version(n), event(n)); err != nil {
			t.Fatal(err)
		}
	}
	lengths := map[int]bool{}
	s := faulty.New(base, 1, faulty.Faults{Read: 1})
	for range 100 {
		n := 0
		var last error
		for r, err := range s.Read(t.Context(), "s", 0) {
			if last = err; err == nil {
				if n++; r.Version != eventstore.Version(n) {
					t.Fatal(r.Version)
				}
			}
		}
		if lengths[n] = true; !errors.Is(last, eventstore.ErrUnavailable) {
			t.Fatalf("after %d events: %v", n, last)
		}
	}
	if len(lengths) < 5 {
		t.Errorf("%v", lengths)
	}
	s.Set(faulty.Faults{Cut: 0.3, Head: 1})
	cuts := map[int]bool{}
	for range 100 {
		n := 0
		for r, err := range s.Follow(t.Context(), 0) {
			if err != nil && !errors.Is(err, eventstore.ErrUnavailable) {
				t.Fatal(err)
			}
			if n++; err != nil || r.Position == length {
				break
			}
		}
		cuts[n] = true
	}
	if len(cuts) < 5 {
		t.Errorf("%v", cuts)
	}
	if _, err := s.Head(t.Context()); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Error(err)
	}
	if c := s.Counts(); c.Reads != 100 || c.Cuts < 50 || c.Heads != 1 {
		t.Errorf("%+v", c)
	}
}

// The same seed and the same calls have the same faults.
func TestTheSeedDecides(t *testing.T) {
	tell := func(seed uint64) (story string) {
		s := faulty.New(memory.New(time.Now), seed, faulty.Usual)
		for n := range 300 {
			_, err := s.Append(t.Context(), fmt.Sprint(n%5), eventstore.Version(n/5), event(n))
			story += fmt.Sprint(err, "\n")
			for r, err := range s.Read(t.Context(), fmt.Sprint(n%5), 0) {
				story += fmt.Sprint(r.Version, err, "\n")
			}
		}
		return story
	}
	if first, again, other := tell(1), tell(1), tell(2); first != again || first == other {
		t.Error("the seed does not decide")
	}
}
