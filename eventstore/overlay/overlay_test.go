package overlay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/memory"
	"github.com/urikake/urikake/eventstore/overlay"
	"github.com/urikake/urikake/eventstore/storetest"
)

// An overlay over nothing keeps every promise of a log.
func TestStore(t *testing.T) {
	storetest.Run(t, storetest.Features{}, func(_ testing.TB, _ string, clock eventstore.Clock) (eventstore.Store, func()) {
		return overlay.New(memory.New(clock)), func() {}
	})
}

func propose(names ...string) (events []eventstore.Proposed) {
	for _, name := range names {
		events = append(events, eventstore.Proposed{
			ID: uuid.NewSHA1(uuid.NameSpaceOID, []byte(name)), Kind: "test.happened",
			Schema: 1, Data: fmt.Appendf(nil, "%q", name),
		})
	}
	return events
}

// appendTo reports failures on a rapid test as well as on a plain one.
func appendTo(t rapid.TB, s eventstore.Store, stream string, expected eventstore.Version, names ...string) eventstore.Position {
	t.Helper()
	position, err := s.Append(context.Background(), stream, expected, propose(names...)...)
	if err != nil {
		t.Fatalf("append %v to %s at %d: %v", names, stream, expected, err)
	}
	return position
}

func read(t rapid.TB, s eventstore.Store, stream string, after eventstore.Version) (names string) {
	t.Helper()
	for r, err := range s.Read(context.Background(), stream, after) {
		if err != nil {
			t.Fatal(err)
		}
		names += fmt.Sprintf("%d%s ", r.Version, bytes.Trim(r.Data, `"`))
	}
	return names
}

// follow reads the whole log after a position, up to its head.
func follow(t rapid.TB, s eventstore.Store, after eventstore.Position) (names string) {
	t.Helper()
	head, err := s.Head(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if after >= head {
		return ""
	}
	var at time.Time
	for r, err := range s.Follow(context.Background(), after) {
		if err != nil || r.At.Before(at) {
			t.Fatalf("%+v after %s: %v", r, at, err)
		}
		at = r.At
		names += fmt.Sprintf("%d:%s/%d%s ", r.Position, r.Stream, r.Version, bytes.Trim(r.Data, `"`))
		if r.Position >= head {
			break
		}
	}
	return names
}

func TestBaseIsReadAndNeverWritten(t *testing.T) {
	future := time.Now().Add(time.Hour)
	base := memory.New(func() time.Time { return future }) // own instants must not fall behind the base's
	appendTo(t, base, "s", 0, "a", "b")
	appendTo(t, base, "u", 0, "c")
	s := overlay.New(base)
	if p := appendTo(t, s, "s", 2, "d", "e"); p != 5 {
		t.Errorf("appended at %d, want 5", p)
	}
	appendTo(t, s, "v", 0, "f")
	for stream, want := range map[string]string{"s": "1a 2b 3d 4e ", "u": "1c ", "v": "1f ", "w": ""} {
		if got := read(t, s, stream, 0); got != want {
			t.Errorf("%s: %s, want %s", stream, got, want)
		}
	}
	for after, want := range []string{"1a 2b 3d 4e ", "2b 3d 4e ", "3d 4e ", "4e ", "", ""} {
		if got := read(t, s, "s", eventstore.Version(after)); got != want {
			t.Errorf("s after %d: %s, want %s", after, got, want)
		}
	}
	if got := follow(t, s, 1); got != "2:s/2b 3:u/1c 4:s/3d 5:s/4e 6:v/1f " {
		t.Errorf("follow: %s", got)
	}
	if got := follow(t, base, 0); got != "1:s/1a 2:s/2b 3:u/1c " {
		t.Errorf("the base holds %s", got)
	}
}

func TestBaseStandsStill(t *testing.T) {
	base := memory.New(time.Now)
	appendTo(t, base, "s", 0, "a")
	s := overlay.New(base)
	follow(t, s, 0) // the first use
	appendTo(t, base, "s", 1, "b")
	appendTo(t, base, "u", 0, "c")
	if got := read(t, s, "s", 0) + read(t, s, "u", 0) + follow(t, s, 0); got != "1a 1:s/1a " {
		t.Errorf("shows %s", got)
	}
	appendTo(t, s, "s", 1, "d")
	if got := read(t, s, "s", 0); got != "1a 2d " {
		t.Errorf("shows %s", got)
	}
}

func TestExpectedVersionCountsTheBase(t *testing.T) {
	base := memory.New(time.Now)
	appendTo(t, base, "s", 0, "a", "b")
	s := overlay.New(base)
	appendTo(t, s, "s", 2, "c", "d")
	for _, wrong := range []struct {
		stream   string
		expected eventstore.Version
		names    []string
	}{
		{"s", 0, []string{"x"}},
		{"s", 1, []string{"x"}},
		{"s", 2, []string{"x"}},
		{"s", 5, []string{"x"}},
		{"s", 0, []string{"a", "x"}},
		{"s", 1, []string{"b", "c", "d", "x"}},
		{"s", 3, []string{"x"}},
		{"u", 1, []string{"x"}},
	} {
		if _, err := s.Append(t.Context(), wrong.stream, wrong.expected, propose(wrong.names...)...); !errors.Is(err, eventstore.ErrWrongVersion) {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
	for _, repeat := range []struct {
		expected eventstore.Version
		names    []string
		position eventstore.Position
	}{
		{0, []string{"a"}, 1}, {0, []string{"a", "b"}, 2}, {1, []string{"b", "c"}, 3}, {2, []string{"c"}, 3}, {3, []string{"d"}, 4},
	} {
		if p := appendTo(t, s, "s", repeat.expected, repeat.names...); p != repeat.position {
			t.Errorf("%+v: position %d", repeat, p)
		}
	}
	if got := read(t, s, "s", 0); got != "1a 2b 3c 4d " {
		t.Errorf("holds %s", got)
	}
}

func TestFollowWaitsForOwnEvents(t *testing.T) {
	base := memory.New(time.Now)
	appendTo(t, base, "s", 0, "a")
	s := overlay.New(base)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	next, stop := iter.Pull2(s.Follow(ctx, 0))
	defer stop()
	for i, want := range []string{"a", "b", "c"} {
		if i > 0 {
			go appendTo(t, s, "s", eventstore.Version(i), want)
		}
		if r, err, ok := next(); !ok || err != nil || string(r.Data) != fmt.Sprintf("%q", want) {
			t.Fatalf("%s, %v, want %s", r.Data, err, want)
		}
	}
	cancel()
	if _, err, _ := next(); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of ctx: %v", err)
	}
}

// broken is a base that can't be read.
type broken struct{ eventstore.Store }

func (b broken) Head(context.Context) (eventstore.Position, error) { return 7, nil }

func (b broken) Read(context.Context, string, eventstore.Version) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		yield(eventstore.Recorded{}, eventstore.ErrUnavailable)
	}
}

func (b broken) Follow(ctx context.Context, _ eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return b.Read(ctx, "", 0)
}

func TestABrokenBaseIsNoShorterHistory(t *testing.T) {
	s := overlay.New(broken{})
	if _, err := s.Append(t.Context(), "s", 0, propose("a")...); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("append: %v", err)
	}
	if _, err := s.Head(t.Context()); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("head: %v", err)
	}
	for _, err := range s.Read(t.Context(), "s", 0) {
		if !errors.Is(err, eventstore.ErrUnavailable) {
			t.Errorf("read: %v", err)
		}
	}
}

// Cut a history anywhere: what stood in the base and what was written above it reads like one log.
func TestLikeOneLog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole, base := memory.New(time.Now), memory.New(time.Now)
		n, cut := rapid.IntRange(0, 30).Draw(t, "appends"), rapid.IntRange(0, 30).Draw(t, "cut")
		var above eventstore.Store = base
		heads := map[string]eventstore.Version{}
		for i := range n {
			if i == cut {
				above = overlay.New(base)
			}
			stream := rapid.SampledFrom([]string{"s", "u", "v"}).Draw(t, "stream")
			expected := rapid.SampledFrom([]eventstore.Version{heads[stream], heads[stream], 0, 1, 2, heads[stream] + 1}).Draw(t, "expected")
			names := make([]string, rapid.IntRange(1, 3).Draw(t, "events"))
			for j := range names {
				names[j] = rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "name") // few, so that repeats happen
			}
			want, wantErr := whole.Append(context.Background(), stream, expected, propose(names...)...)
			got, err := above.Append(context.Background(), stream, expected, propose(names...)...)
			if got != want || errors.Is(err, eventstore.ErrWrongVersion) != errors.Is(wantErr, eventstore.ErrWrongVersion) {
				t.Fatalf("append %v to %s at %d: %d, %v; want %d, %v", names, stream, expected, got, err, want, wantErr)
			}
			if wantErr == nil {
				heads[stream] = max(heads[stream], expected+eventstore.Version(len(names)))
			}
		}
		after := rapid.IntRange(0, 40).Draw(t, "after")
		if got, want := follow(t, above, eventstore.Position(after)), follow(t, whole, eventstore.Position(after)); got != want {
			t.Fatalf("follow after %d: %s, want %s", after, got, want)
		}
		for _, stream := range []string{"s", "u", "v"} {
			if got, want := read(t, above, stream, eventstore.Version(after)), read(t, whole, stream, eventstore.Version(after)); got != want {
				t.Fatalf("%s after %d: %s, want %s", stream, after, got, want)
			}
		}
	})
}
