package projections

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"
	"testing"

	"github.com/urikake/urikake/eventstore"
)

// cutOff is a log whose connection breaks for so many of the next questions.
type cutOff struct {
	eventstore.Store
	heads, follows atomic.Int64 // still to break
	asked          atomic.Int64
}

func (c *cutOff) Head(ctx context.Context) (eventstore.Position, error) {
	c.asked.Add(1)
	if c.heads.Add(-1) >= 0 {
		return 0, eventstore.ErrUnavailable.With("the connection was cut")
	}
	return c.Store.Head(ctx)
}

func (c *cutOff) Follow(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	if c.follows.Add(-1) >= 0 {
		return func(yield func(eventstore.Recorded, error) bool) {
			yield(eventstore.Recorded{}, eventstore.ErrUnavailable.With("the connection was cut"))
		}
	}
	return c.Store.Follow(ctx, after)
}

// A cut connection makes no answer older than the log. A log that stays away makes it so, and the answer tells; it is then
// waited for no more, until it is back.
func TestALogThatIsCutOffOrAway(t *testing.T) {
	b := newBooks(t)
	c := &cutOff{Store: b.store}
	b.views.Close()
	views, err := Open(b.dir, c, testCodec())
	if err != nil {
		t.Fatal(err)
	}
	b.views = views
	ask := func() (eventstore.Position, bool) {
		t.Helper()
		ctx, asked := Asking(t.Context())
		at, err := b.views.CatchUp(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return at, asked.LogAway()
	}
	b.do(issue("I1", "2026-01-01", "2026-01-31", 100))
	before := b.head()
	if at, away := ask(); at != before || away {
		t.Fatal(at, away)
	}
	b.do(issue("I2", "2026-01-01", "2026-01-31", 100))
	head := b.head()
	c.heads.Store(2)
	c.follows.Store(1)
	if at, away := ask(); at != head || away {
		t.Fatalf("cut off: at %d of %d, away %v", at, head, away)
	}

	b.do(issue("I3", "2026-01-01", "2026-01-31", 100))
	const long = 1 << 40
	for i := range 3 {
		c.heads.Store(long)
		c.asked.Store(0)
		if at, away := ask(); at != head || !away {
			t.Fatalf("away: at %d, away %v", at, away)
		}
		if n := c.asked.Load(); i == 0 && n < 3 || i > 0 && n != 1 {
			t.Errorf("question %d asked the log %d times", i, n)
		}
	}
	c.heads.Store(0)
	if at, away := ask(); at != b.head() || away || b.views.away.Load() {
		t.Fatalf("back: at %d, away %v", at, away)
	}

	c.heads.Store(long)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.views.CatchUp(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("a question that was given up: %v", err)
	}
}
