package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/urikake/urikake/eventstore"
)

func followExclusive(t *testing.T, l *log) {
	l.mustAppend(t, "s", 0, propose("a", 300)...)
	last := l.mustAppend(t, "u", 0, propose("b", 300)...)
	all := l.mustFollow(t, 0, last)
	if len(all) != 600 {
		t.Fatalf("%d events, want 600", len(all))
	}
	same(t, "s", 0, propose("a", 300), all[:300])
	same(t, "u", 0, propose("b", 300), all[300:])
	for _, i := range []int{0, 1, 255, 256, 599} {
		after := all[i].Position
		equal(t, fmt.Sprintf("after event %d", i), all[i+1:], l.mustFollow(t, after, last))
	}
}

// equal fails unless both are the same events on the same positions.
func equal(t testing.TB, what string, want, got []eventstore.Recorded) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%s: %d events, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if g.Position != w.Position || g.Stream != w.Stream || g.Version != w.Version || g.ID != w.ID || !g.At.Equal(w.At) {
			t.Fatalf("%s: event %d is %s/%d at %d, want %s/%d at %d", what, i, g.Stream, g.Version, g.Position, w.Stream, w.Version, w.Position)
		}
	}
}

// followRacing lets followers start while appenders write. All must see one order, and everything.
func followRacing(t *testing.T, l *log) {
	const appenders, each = 8, 60
	const total = 100 + appenders*each*2
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	middle := l.mustAppend(t, "before", 0, propose("before", 50)...)
	l.mustAppend(t, "before", 50, propose("later", 50)...)

	var all sync.WaitGroup
	var seen [4][]eventstore.Recorded
	start := func(f int, after eventstore.Position, events int) {
		all.Go(func() {
			for r, err := range l.Follow(ctx, after) {
				if err != nil {
					t.Errorf("follower %d after %d events: %v", f, len(seen[f]), err)
					return
				}
				if seen[f] = append(seen[f], r); len(seen[f]) == events {
					return
				}
			}
			t.Errorf("follower %d stopped without an error", f)
		})
	}
	var appending sync.WaitGroup
	for g := range appenders {
		appending.Go(func() {
			stream := fmt.Sprint("s", g)
			for i := range each {
				events := propose(fmt.Sprint(g, "-", i), 1+2*(i%2)) // 2 on average
				version := eventstore.Version(4*(i/2) + i%2)
				if _, err := l.Append(ctx, stream, version, events...); err != nil {
					t.Errorf("append to %s at %d: %v", stream, version, err)
					return
				}
				if g == 0 && i == each/2 {
					start(1, 0, total)
				}
			}
		})
	}
	start(0, 0, total)
	start(2, middle, total-50)
	appending.Wait()
	start(3, middle, total-50)
	all.Wait()
	if t.Failed() {
		return
	}

	equal(t, "the one that started amid the appends", seen[0], seen[1])
	equal(t, "the one from the middle", seen[0][50:], seen[2])
	equal(t, "the last one from the middle", seen[0][50:], seen[3])
	if head := l.head(t); seen[0][total-1].Position != head {
		t.Errorf("the last position is %d, the head %d", seen[0][total-1].Position, head)
	}
	versions, position := map[string]eventstore.Version{}, eventstore.Position(0)
	for _, r := range seen[0] {
		if versions[r.Stream]++; r.Version != versions[r.Stream] || r.Position <= position {
			t.Fatalf("%s/%d at %d follows version %d, position %d", r.Stream, r.Version, r.Position, versions[r.Stream]-1, position)
		}
		position = r.Position
	}
}

// followBeyondHead starts where nothing stands yet: the events up to there are skipped.
func followBeyondHead(t *testing.T, l *log) {
	first := l.mustAppend(t, "s", 0, propose("a", 1)...)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	got := make(chan eventstore.Recorded, 1)
	var all sync.WaitGroup
	all.Go(func() {
		for r, err := range l.Follow(ctx, first) {
			if err != nil {
				t.Errorf("follow: %v", err)
			}
			got <- r
			return
		}
	})
	select {
	case r := <-got:
		t.Errorf("an event at %d after %d, which is the head", r.Position, first)
	case <-time.After(50 * time.Millisecond):
	}
	next := l.mustAppend(t, "s", 1, propose("b", 1)...)
	all.Wait()
	select {
	case r := <-got:
		if r.Position != next {
			t.Errorf("position %d, want %d", r.Position, next)
		}
	default:
		t.Error("the new event does not come")
	}
}

// followEnds cancels a follower that waits, one that is catching up, and one that never began.
func followEnds(t *testing.T, l *log) {
	last := l.mustAppend(t, "s", 0, propose("a", 600)...)
	ended, cancelled := context.WithCancel(t.Context())
	cancelled()
	if _, err := l.follow(ended, 0, last); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that had ended: %v", err)
	}

	for name, until := range map[string]int{"waiting": 600, "catching up": 10} {
		ctx, cancel := context.WithCancel(t.Context())
		reached, result := make(chan struct{}), make(chan error, 1)
		go func() {
			n := 0
			var last error
			for _, err := range l.Follow(ctx, 0) {
				if last = err; err != nil {
					continue
				}
				if n++; n == until {
					close(reached)
					<-time.After(10 * time.Millisecond)
				}
				if n > until && ctx.Err() != nil {
					last = fmt.Errorf("event %d came after the end", n)
					break
				}
			}
			result <- last
		}()
		select {
		case <-reached:
		case err := <-result:
			t.Fatalf("%s: ended before its time: %v", name, err)
		}
		at := time.Now()
		cancel()
		select {
		case err := <-result:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
			if took := time.Since(at); took > promptly {
				t.Errorf("%s: took %v to end", name, took)
			}
		case <-time.After(patience):
			t.Fatalf("%s: does not end", name)
		}
	}
	all := l.Follow(t.Context(), 0)
	for range 2 { // a loop may be left, and run again
		n := eventstore.Version(0)
		for r := range all {
			if n++; r.Version != n {
				t.Fatalf("version %d, want %d", r.Version, n)
			}
			if n == 400 {
				break
			}
		}
	}
}

// slowFollower does nothing at all while others append, read and follow; afterwards it misses nothing.
func slowFollower(t *testing.T, l *log) {
	l.mustAppend(t, "s", 0, propose("a", 10)...)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var all sync.WaitGroup
	asleep, wake := make(chan struct{}), make(chan struct{})
	const sleepers, appended = 20, 500
	for range sleepers {
		all.Go(func() {
			n := 0
			for _, err := range l.Follow(ctx, 0) {
				if err != nil {
					t.Errorf("sleeper after %d events: %v", n, err)
					return
				}
				if n++; n == 1 {
					asleep <- struct{}{}
					<-wake
				}
				if n == 10+appended {
					return
				}
			}
		})
	}
	for range sleepers {
		select {
		case <-asleep:
		case <-ctx.Done():
			t.Fatal("a follower does not come to its first event")
		}
	}
	for i := range appended / 5 {
		if _, err := l.Append(ctx, "s", eventstore.Version(10+5*i), propose(fmt.Sprint(i), 5)...); err != nil {
			t.Errorf("append %d while followers sleep: %v", i, err)
			break
		}
	}
	if got := len(l.read(t, "s", 0)); got != 10+appended {
		t.Errorf("%d events are read while followers sleep", got)
	}
	close(wake)
	all.Wait()
}
