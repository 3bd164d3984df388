package eventstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/memory"
	"github.com/urikake/urikake/eventstore/sqlite"
	"github.com/urikake/urikake/eventstore/storetest"
)

// Whoever uses a log through Carried has a log like any other.
func TestCarriedIsAStore(t *testing.T) {
	storetest.Run(t, storetest.Features{Clock: true}, func(_ testing.TB, _ string, clock eventstore.Clock) (eventstore.Store, func()) {
		return eventstore.Carried(memory.New(clock)), func() {}
	})
}

// What is taken over reads as it did where it came from, one by one or many at once, and again.
func TestImport(t *testing.T) {
	ctx, then := context.Background(), time.Date(2024, 2, 3, 4, 5, 6, 789_000, time.UTC)
	source := memory.New(func() time.Time { then = then.Add(time.Second); return then })
	for i, stream := range []string{"a", "a", "b", "a", "b", "c", "c"} {
		e := eventstore.Proposed{ID: uuid.NewSHA1(uuid.Nil, []byte{byte(i)}), Kind: "k", Schema: 1, Data: []byte("{}"), Metadata: [][]byte{nil, []byte(`{"a":1}`), []byte("x")}[i%3]}
		if _, err := source.Append(ctx, stream, eventstore.Version([]int{0, 1, 0, 2, 1, 0, 1}[i]), e); err != nil {
			t.Fatal(err)
		}
	}
	all := func(s eventstore.Store) (list []eventstore.Recorded) {
		for r, err := range eventstore.Events(ctx, s) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, r)
		}
		return list
	}
	want := all(source)
	embedded, err := sqlite.Open(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer embedded.Close()
	for name, raw := range map[string]eventstore.Store{"memory": memory.New(time.Now), "sqlite": embedded} {
		store := eventstore.Carried(raw)
		for range 2 {
			if err := store.(eventstore.Importer).Import(ctx, want); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if diff := cmp.Diff(want, all(store)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		if at := all(raw)[0].At; time.Since(at) > time.Hour {
			t.Errorf("%s: the log itself has %s", name, at)
		}
		forged := eventstore.Proposed{ID: uuid.New(), Kind: "k", Data: []byte("{}"), Metadata: all(raw)[0].Metadata}
		if _, err := store.Append(ctx, "a", 3, forged); !errors.Is(err, eventstore.ErrReserved) {
			t.Errorf("%s: an instant was chosen: %v", name, err)
		}
	}
}
