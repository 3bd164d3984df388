package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/memory"
)

// filledTills is a log of n coins put into three tills.
func filledTills(t *testing.T, n int) *memory.Store {
	t.Helper()
	store := memory.New(time.Now)
	h := newHandler(store)
	for i := range n {
		must(t, h, fmt.Sprint("c", i), put{Till: fmt.Sprint(i % 3), Coins: int64(1 + i)})
	}
	return store
}

func TestReplayIsTheLogInOrder(t *testing.T) {
	defer goleak.VerifyNone(t)
	const n = 3000 // some chunks, and a part of one
	store := filledTills(t, n)
	ctx := context.Background()
	for _, span := range [][2]eventstore.Position{{0, n}, {0, 1}, {511, 513}, {1000, 2999}, {n, n}, {7, 3}} {
		at := span[0]
		for r, err := range eventstore.Replay(ctx, store, codec(), span[0], span[1], nil) {
			if err != nil {
				t.Fatal(err)
			}
			if at++; r.Position != at || r.Event == nil || r.Event.Kind() != r.Kind {
				t.Fatalf("%v: at %d came %d with %v", span, at, r.Position, r.Event)
			}
		}
		if at != max(span[0], span[1]) {
			t.Errorf("%v ended at %d", span, at)
		}
	}
}

func TestReplayStopsWhenItsReaderDoes(t *testing.T) {
	defer goleak.VerifyNone(t)
	store := filledTills(t, 2000)
	for r := range eventstore.Replay(context.Background(), store, codec(), 0, 2000, nil) {
		if r.Position == 700 {
			break
		}
	}
}

func TestReplayPassesOverUnwantedKindsButKnowsThem(t *testing.T) {
	store := filledTills(t, 600)
	decoded := 0
	for r, err := range eventstore.Replay(context.Background(), store, codec(), 0, 600, func(string) bool { return false }) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Event != nil {
			decoded++
		}
	}
	if decoded != 1 {
		t.Errorf("%d events were decoded, want the first of the kind", decoded)
	}
	strange := eventstore.Proposed{Kind: "nobody.knows", Schema: 1, Data: []byte("{}")}
	if _, err := store.Append(context.Background(), "x", 0, strange); err != nil {
		t.Fatal(err)
	}
	got := 0
	var failed error
	for _, err := range eventstore.Replay(context.Background(), store, codec(), 0, 601, func(string) bool { return false }) {
		if failed = err; err == nil {
			got++
		}
	}
	if got != 600 || !errors.Is(failed, domain.ErrSchema) {
		t.Errorf("%d events, then %v", got, failed)
	}
}

// Streams that are somebody else's may hold anything, under any name.
func TestReplayPassesOverForeignStreams(t *testing.T) {
	store := filledTills(t, 10)
	for i, kind := range []string{"nobody.knows", "till.moved"} {
		junk := eventstore.Proposed{ID: uuid.New(), Kind: kind, Schema: i, Data: []byte{0xff}, Metadata: []byte("x")}
		if _, err := store.Append(context.Background(), fmt.Sprint("x", i), 0, junk); err != nil {
			t.Fatal(err)
		}
	}
	till := codec().For(func(stream string) bool { return strings.HasPrefix(stream, "till-") })
	decoded, passed := 0, 0
	for r, err := range eventstore.Replay(context.Background(), store, till, 0, 12, nil) {
		switch {
		case err != nil:
			t.Fatal(err)
		case r.Event != nil:
			decoded++
		default:
			passed++
		}
	}
	if decoded != 10 || passed != 2 {
		t.Errorf("%d events were decoded and %d passed over", decoded, passed)
	}
}

// A replay that breaks off never looks like a shorter history.
func TestACancelledReplayIsAnError(t *testing.T) {
	defer goleak.VerifyNone(t)
	store := filledTills(t, 3000)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var failed error
	got := 0
	for _, err := range eventstore.Replay(ctx, store, codec(), 0, 3000, nil) {
		if failed = err; err == nil {
			got++
		}
		if got == 100 {
			cancel()
		}
	}
	if got < 3000 && !errors.Is(failed, context.Canceled) {
		t.Errorf("%d events, then %v", got, failed)
	}
}
