package storetest

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/memory"
)

func reopen(t *testing.T, l *log) {
	if !l.Durable {
		t.Skip("keeps nothing")
	}
	a, b := propose("a", 3), propose("b", 300)
	l.mustAppend(t, "s", 0, a...)
	atB := l.mustAppend(t, "u", 0, b...)
	before := l.mustFollow(t, 0, atB)
	for i := range 3 {
		l.stop()
		l.start(t)
		if head := l.head(t); head != atB {
			t.Fatalf("head %d after opening, was %d", head, atB)
		}
		equal(t, "reopened", before, l.mustFollow(t, 0, atB))
		same(t, "s", 0, a, l.read(t, "s", 0))
		if again := l.mustAppend(t, "u", 0, b...); again != atB {
			t.Errorf("repeat after opening gave %d, want %d", again, atB)
		}
		if _, err := l.Append(t.Context(), "s", 2, b...); !errors.Is(err, eventstore.ErrWrongVersion) {
			t.Errorf("wrong version after opening: %v", err)
		}
		if i == 1 { // versions and positions go on
			c := propose("c", 1)
			a, atB = append(a, c...), l.mustAppend(t, "s", 3, c...)
			l.stop()
			l.start(t)
			before = l.mustFollow(t, 0, atB)
			b, atB = append(b, propose("d", 1)...), l.mustAppend(t, "u", 300, propose("d", 1)...)
			before = append(before, l.mustFollow(t, before[len(before)-1].Position, atB)...)
		}
	}
}

// closed asks a closed store for everything: it must refuse, never seem empty.
func closed(t *testing.T, l *log) {
	if !l.Durable {
		t.Skip("is never closed")
	}
	l.mustAppend(t, "s", 0, propose("a", 3)...)
	l.stop()
	if _, err := l.Append(t.Context(), "s", 3, propose("b", 1)...); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("append: %v", err)
	}
	for _, after := range []eventstore.Version{0, 3} {
		var last error
		for _, err := range l.Read(t.Context(), "s", after) {
			last = err
		}
		if !errors.Is(last, eventstore.ErrUnavailable) {
			t.Errorf("read after %d: %v", after, last)
		}
	}
	if _, err := l.follow(t.Context(), 0, 3); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("follow: %v", err)
	}
	if _, err := l.Head(t.Context()); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("head: %v", err)
	}
}

// likeMemory does random things to the store and to the reference, and compares each answer.
func likeMemory(t *testing.T, l *log) {
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		reference := memory.New(l.clock)
		start := l.head(t) // each run has streams of its own, and the log goes on
		var positions []eventstore.Position
		rank := func(p eventstore.Position) (n int) { // the position that the reference gives
			for n < len(positions) && positions[n] <= p {
				n++
			}
			return n
		}
		for step := range rapid.IntRange(1, 25).Draw(rt, "steps") {
			name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "stream")
			stream := fmt.Sprint(run, "-", name)
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0:
				if l.Durable {
					l.stop()
					l.start(t)
				}
			case 1, 2:
				after := eventstore.Version(rapid.IntRange(0, 12).Draw(rt, "after"))
				var want []eventstore.Proposed
				for r := range reference.Read(t.Context(), stream, after) {
					want = append(want, r.Proposed)
				}
				same(rt, stream, after, want, l.read(t, stream, after))
			default:
				expected := eventstore.Version(rapid.IntRange(0, 8).Draw(rt, "expected"))
				label := fmt.Sprint(run, rapid.IntRange(max(0, step-3), step).Draw(rt, "label"))
				events := propose(label, rapid.IntRange(1, 3).Draw(rt, "events"))
				want, wantErr := reference.Append(t.Context(), stream, expected, events...)
				got, err := l.Append(t.Context(), stream, expected, events...)
				if (wantErr == nil) != (err == nil) || err != nil && !errors.Is(err, eventstore.ErrWrongVersion) {
					rt.Fatalf("append %d to %s at %d: %v, reference %v", len(events), stream, expected, err, wantErr)
				}
				if err != nil {
					break
				}
				if head, _ := reference.Head(t.Context()); int(head) > len(positions) {
					for _, r := range l.mustFollow(t, max(start, lastOf(positions)), got) {
						positions = append(positions, r.Position)
					}
				}
				if rank(got) != int(want) {
					rt.Fatalf("append gave position %d, the %dth of %d; want the %dth", got, rank(got), len(positions), want)
				}
			}
		}
	})
}

func lastOf(positions []eventstore.Position) eventstore.Position {
	if len(positions) == 0 {
		return 0
	}
	return positions[len(positions)-1]
}
