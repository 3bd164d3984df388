package storetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/urikake/urikake/eventstore"
)

func appendAndRead(t *testing.T, l *log) {
	if head := l.head(t); head != 0 {
		t.Fatalf("an empty log has head %d", head)
	}
	events := propose("a", 5)
	first := l.mustAppend(t, "s", 0, events[:2]...)
	other := l.mustAppend(t, "other", 0, propose("b", 1)...)
	last := l.mustAppend(t, "s", 2, events[2:]...)
	if !(0 < first && first < other && other < last) {
		t.Errorf("positions do not rise: %d %d %d", first, other, last)
	}
	if head := l.head(t); head != last {
		t.Errorf("head %d, want %d", head, last)
	}
	for after := range eventstore.Version(7) {
		got := l.read(t, "s", after)
		same(t, "s", after, events[min(after, 5):], got)
	}
	if got := l.read(t, "s", 0); got[1].Position != first || got[4].Position != last {
		t.Errorf("Append returned positions %d and %d, recorded are %d and %d", first, last, got[1].Position, got[4].Position)
	}
	if got := l.read(t, "s", ^eventstore.Version(0)); len(got) != 0 {
		t.Errorf("%d events after the highest version", len(got))
	}
	history := l.Read(t.Context(), "s", 3)
	for range 2 { // a loop may be left, and run again
		for r := range history {
			if r.Version != 4 {
				t.Errorf("version %d after 3", r.Version)
			}
			break
		}
	}
}

func wrongVersion(t *testing.T, l *log) {
	l.mustAppend(t, "s", 0, propose("a", 3)...)
	head := l.head(t)
	for _, expected := range []eventstore.Version{0, 1, 2, 4, 1 << 62, ^eventstore.Version(0)} {
		for _, n := range []int{1, 5} {
			if _, err := l.Append(t.Context(), "s", expected, propose("b", n)...); !errors.Is(err, eventstore.ErrWrongVersion) {
				t.Errorf("expected %d of 3: %v", expected, err)
			}
		}
	}
	if _, err := l.Append(t.Context(), "missing", 1, propose("b", 1)...); !errors.Is(err, eventstore.ErrWrongVersion) {
		t.Errorf("expected 1 of a missing stream: %v", err)
	}
	if _, err := l.Append(t.Context(), "s", 3); !errors.Is(err, eventstore.ErrEmptyAppend) {
		t.Errorf("empty append: %v", err)
	}
	same(t, "s", 0, propose("a", 3), l.read(t, "s", 0))
	same(t, "missing", 0, nil, l.read(t, "missing", 0))
	if l.head(t) != head {
		t.Errorf("head moved from %d to %d", head, l.head(t))
	}
	l.mustAppend(t, "missing", 0, propose("b", 1)...) // nothing stands in the way
}

func racers(t *testing.T, l *log) {
	const rounds, each = 30, 4
	for round := range rounds {
		var wins atomic.Int32
		var all sync.WaitGroup
		start := make(chan struct{})
		for g := range each {
			events := propose(string(rune('a'+g))+string(rune('0'+round)), 2)
			all.Go(func() {
				<-start
				switch _, err := l.Append(t.Context(), "s", eventstore.Version(2*round), events...); {
				case err == nil:
					wins.Add(1)
				case !errors.Is(err, eventstore.ErrWrongVersion):
					t.Errorf("loser got %v", err)
				}
			})
		}
		close(start)
		all.Wait()
		if wins.Load() != 1 {
			t.Fatalf("round %d: %d winners", round, wins.Load())
		}
	}
	got := l.read(t, "s", 0)
	if len(got) != 2*rounds {
		t.Fatalf("%d events, want %d", len(got), 2*rounds)
	}
	for i := 0; i < len(got); i += 2 {
		one, _ := eventstore.CommandOf(got[i])
		two, _ := eventstore.CommandOf(got[i+1])
		if one == "" || one != two {
			t.Errorf("versions %d and %d are of two batches", i+1, i+2)
		}
	}
}

func batches(t *testing.T, l *log) {
	events := propose("a", 700)
	last := l.mustAppend(t, "s", 0, events...)
	same(t, "s", 0, events, l.read(t, "s", 0))
	positions := l.mustFollow(t, 0, last)
	if len(positions) != len(events) {
		t.Fatalf("follow shows %d of %d", len(positions), len(events))
	}
	if l.head(t) != last {
		t.Errorf("head %d, append gave %d", l.head(t), last)
	}
}

func repeats(t *testing.T, l *log) {
	a, b, c := propose("a", 3), propose("b", 2), propose("c", 1)
	atA, atB := l.mustAppend(t, "s", 0, a...), l.mustAppend(t, "s", 3, b...)
	l.mustAppend(t, "s2", 0, c...)
	head := l.head(t)

	again := func(want eventstore.Position, expected eventstore.Version, events ...eventstore.Proposed) {
		t.Helper()
		if got := l.mustAppend(t, "s", expected, events...); got != want {
			t.Errorf("repeat at %d gave position %d, first time %d", expected, got, want)
		}
	}
	again(atA, 0, a...)
	again(atB, 3, b...)
	again(atB, 0, append(a[:3:3], b...)...) // slot by slot, however it was batched
	again(l.read(t, "s", 1)[0].Position, 1, a[1])
	changed := propose("a", 3)
	changed[2].Data = []byte(`{"other":true}`) // the ids decide
	again(atA, 0, changed...)

	differ := propose("a", 3)
	differ[2].ID = c[0].ID
	for name, r := range map[string]struct {
		expected eventstore.Version
		events   []eventstore.Proposed
	}{
		"an id differs":          {0, differ},
		"another slot":           {1, a},
		"longer than the stream": {3, append(b[:2:2], c...)},
		"beyond the stream":      {6, b},
		"events of another one":  {0, c},
	} {
		if _, err := l.Append(t.Context(), "s", r.expected, r.events...); !errors.Is(err, eventstore.ErrWrongVersion) {
			t.Errorf("%s: %v", name, err)
		}
	}
	same(t, "s", 0, append(a[:3:3], b...), l.read(t, "s", 0))
	if l.head(t) != head {
		t.Errorf("a repeat wrote: head %d, was %d", l.head(t), head)
	}
}

// repeatsRace sends the same append several times at once: each is the one success.
func repeatsRace(t *testing.T, l *log) {
	for round := range 10 {
		var all sync.WaitGroup
		events := propose(string(rune('a'+round)), 2)
		positions := make([]eventstore.Position, 4)
		for g := range positions {
			all.Go(func() {
				var err error
				if positions[g], err = l.Append(t.Context(), "s", eventstore.Version(2*round), events...); err != nil {
					t.Errorf("repeat: %v", err)
				}
			})
		}
		all.Wait()
		for _, p := range positions {
			if p != positions[0] {
				t.Fatalf("positions %d of one append", positions)
			}
		}
	}
	if got := len(l.read(t, "s", 0)); got != 20 {
		t.Errorf("%d events, want 20", got)
	}
}

func endedContext(t *testing.T, l *log) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Append(ended, "s", 0, propose("a", 1)...); !errors.Is(err, context.Canceled) {
		t.Errorf("append: %v", err)
	}
	same(t, "s", 0, nil, l.read(t, "s", 0))

	l.mustAppend(t, "s", 0, propose("a", 50)...)
	l.mustAppend(t, "s", 50, propose("b", 500)...)
	for _, stop := range []int{0, 1, 100, 549} {
		ctx, cancel := context.WithCancel(t.Context())
		if stop == 0 {
			cancel()
		}
		n, last := 0, error(nil)
		for _, err := range l.Read(ctx, "s", 0) {
			if last != nil {
				t.Fatalf("a pair after the error %v", last)
			}
			if last = err; err != nil {
				continue
			}
			if n++; n == stop {
				cancel()
			}
		}
		cancel()
		if n < 550 && !errors.Is(last, context.Canceled) {
			t.Errorf("cancelled after %d: %d events and the error %v look like a short history", stop, n, last)
		}
	}
}

func instants(t *testing.T, l *log) {
	start := time.Date(2026, 6, 30, 14, 59, 59, 999999999, time.FixedZone("JST", 9*3600))
	steps := []time.Duration{0, time.Second, -time.Hour, 500 * time.Nanosecond, 2 * time.Second, -time.Nanosecond}
	for i, step := range steps {
		l.clock = func() time.Time { return start.Add(step) }
		l.mustAppend(t, []string{"s", "u"}[i%2], eventstore.Version(i/2), propose(string(rune('a'+i)), 1)...)
		if i == 2 && l.Durable {
			l.stop() // the newest instant outlives the process
			l.start(t)
		}
	}
	newest := time.Time{}
	for i, r := range l.mustFollow(t, 0, l.head(t)) {
		if r.At.Before(newest) {
			t.Errorf("event %d recorded at %v after one at %v", i, r.At, newest)
		}
		if r.At.Location() != time.UTC || r.At.Nanosecond()%1000 != 0 {
			t.Errorf("%v is not UTC to the microsecond", r.At)
		}
		newest = r.At
	}
	if want := start.Add(2 * time.Second).UTC().Truncate(time.Microsecond); l.Clock && !newest.Equal(want) {
		t.Errorf("newest instant %v, the clock's is %v", newest, want)
	}
}
