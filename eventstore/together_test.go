package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/memory"
)

type tillOrder = eventstore.Order[any]

func order(t testing.TB, id string, c any) tillOrder {
	t.Helper()
	name := fmt.Sprintf("%T", c)
	hash, err := eventstore.Hash(name, c)
	if err != nil {
		t.Fatal(err)
	}
	return tillOrder{Command: c, Envelope: eventstore.Envelope{CommandID: id, Name: name, Hash: hash, Actor: "of " + id}}
}

func together(h *eventstore.Handler, orders ...tillOrder) ([]eventstore.Receipt, error) {
	return eventstore.RunTogether(context.Background(), h, tills(), orders)
}

func mustTogether(t *testing.T, h *eventstore.Handler, orders ...tillOrder) []eventstore.Receipt {
	t.Helper()
	receipts, err := together(h, orders...)
	if err != nil || len(receipts) != len(orders) {
		t.Fatalf("%d receipts, %v", len(receipts), err)
	}
	return receipts
}

// failedAt asserts which command of a group stood in the way, and why.
func failedAt(t *testing.T, index int, want, err error) {
	t.Helper()
	var failed *eventstore.Failed
	if !errors.As(err, &failed) || failed.Index != index || !errors.Is(err, want) {
		t.Fatalf("%v, want %v at %d", err, want, index)
	}
}

// sameAsFresh compares a hot aggregate with one that is folded from the log.
func sameAsFresh(t *testing.T, h *eventstore.Handler, store eventstore.Store) {
	t.Helper()
	var states [2]till
	var versions [2]eventstore.Version
	for i, h := range []*eventstore.Handler{h, newHandler(store)} {
		err := eventstore.View(context.Background(), h, tills(), "till-A", func(s *till, v eventstore.Version) error {
			states[i], versions[i] = *s, v
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if states[0] != states[1] || versions[0] != versions[1] {
		t.Fatalf("hot %+v at %d, fresh %+v at %d", states[0], versions[0], states[1], versions[1])
	}
}

// A group writes what its commands would write one after another, in one append, and answers the same.
func TestAGroupIsItsCommandsOneAfterAnother(t *testing.T) {
	one, all := newTroubled(), newTroubled()
	singly, h := newHandler(one), newHandler(all)
	orders := []tillOrder{
		order(t, "a", put{Till: "A", Coins: 5, Pieces: 2}), order(t, "b", atLeast{Till: "A", Sum: 3}),
		order(t, "c", atLeast{Till: "A", Sum: 30}), order(t, "d", put{Till: "A", Coins: -30}), order(t, "e", atLeast{Till: "A", Sum: 1}),
	}
	var want []eventstore.Receipt
	for _, o := range orders {
		r, err := eventstore.Run(context.Background(), singly, tills(), o.Command, o.Envelope)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, r)
	}
	if got := mustTogether(t, h, orders...); !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v\nwant %+v", got, want)
	}
	if n := all.appends.Load(); n != 1 {
		t.Errorf("%d appends", n)
	}
	events := func(store eventstore.Store) (list []eventstore.Proposed) {
		for r, err := range store.Read(context.Background(), "till-A", 0) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, r.Proposed)
		}
		return list
	}
	if got, want := events(all), events(one); len(got) != 5 || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v\nwant %+v", got, want)
	}
	sameAsFresh(t, h, all)
	for i := range want {
		want[i].Repeated = true
	}
	for name, h := range map[string]*eventstore.Handler{"hot": h, "started again": newHandler(all)} {
		got := mustTogether(t, h, orders[0], orders[2], orders[3], orders[4])
		if !reflect.DeepEqual(got, []eventstore.Receipt{want[0], want[2], want[3], want[4]}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// What is refused amid a group leaves nothing, neither in the log nor in the hot state.
func TestAGroupRefusedInTheMiddle(t *testing.T) {
	store := newTroubled()
	h := eventstore.NewHandler(store, codec(), eventstore.SnapshotDir(t.TempDir()))
	must(t, h, "before", put{Till: "A", Coins: 5})
	appends := store.appends.Load()
	for at := range 4 {
		orders := []tillOrder{
			order(t, "a", put{Till: "A", Coins: 1}), order(t, "b", put{Till: "A", Coins: 1}),
			order(t, "c", put{Till: "A", Coins: 1}), order(t, "d", put{Till: "A", Coins: 1}),
		}
		orders[at] = order(t, "x", put{Till: "A", Coins: -9})
		receipts, err := together(h, orders...)
		failedAt(t, at, errEmpty, err)
		if receipts != nil || store.appends.Load() != appends {
			t.Fatalf("%+v", receipts)
		}
		sameAsFresh(t, h, store)
	}
	if aggregates, consistent := h.Cached(); aggregates != 1 || !consistent {
		t.Error("the cache has lost count")
	}
	mustTogether(t, h, order(t, "a", put{Till: "A", Coins: 1}), order(t, "x", put{Till: "A", Coins: -6}))
	if n := audit(t, store, "till-A"); len(n) != 3 {
		t.Fatalf("%v", n)
	}
}

func TestAGroupSeenInPart(t *testing.T) {
	store := newTroubled()
	h := newHandler(store)
	a, b, c := order(t, "a", put{Till: "A", Coins: 5, Pieces: 2}), order(t, "b", put{Till: "A", Coins: -10}), order(t, "c", put{Till: "A", Coins: 4})
	first := mustTogether(t, h, a)[0]
	got := mustTogether(t, h, b, a, c, b)
	if !got[1].Repeated || got[1].Position != first.Position || got[0].Repeated || got[2].Repeated {
		t.Fatalf("%+v", got)
	}
	if got[0].Position != 3 || got[2].Position != 4 || got[2].Version != 4 {
		t.Fatalf("%+v", got)
	}
	twin := got[0]
	if twin.Repeated = true; !reflect.DeepEqual(got[3], twin) {
		t.Fatalf("the twin in the group got %+v, the first %+v", got[3], twin)
	}
	// What was done stays done, the others are refused together.
	_, err := together(h, a, order(t, "d", put{Till: "A", Coins: 1}), order(t, "e", put{Till: "A", Coins: -9}))
	failedAt(t, 2, errEmpty, err)
	_, err = together(h, order(t, "d", put{Till: "A", Coins: 1}), order(t, "a", put{Till: "A", Coins: 6}))
	failedAt(t, 1, eventstore.ErrKeyReused, err)
	_, err = together(h, order(t, "d", put{Till: "A", Coins: 1}), order(t, "d", put{Till: "A", Coins: 2}))
	failedAt(t, 1, eventstore.ErrKeyReused, err)
	_, err = together(h, order(t, "d", put{Till: "A", Coins: 1}), order(t, "", put{Till: "A", Coins: 2}))
	failedAt(t, 1, eventstore.ErrCommandID, err)
	if _, err = together(h, order(t, "d", put{Till: "A", Coins: 1}), order(t, "e", put{Till: "B", Coins: 2})); err == nil {
		t.Fatal("two streams in one group")
	}
	sameAsFresh(t, h, store)
	if n := audit(t, store, "till-A"); len(n) != 3 {
		t.Fatalf("%v", n)
	}
	if receipts, err := together(h); receipts != nil || err != nil {
		t.Fatalf("%+v, %v", receipts, err)
	}
}

func TestExpectationsWithinAGroup(t *testing.T) {
	h := newHandler(memory.New(time.Now))
	at := func(id string, v eventstore.Version) tillOrder {
		o := order(t, id, put{Till: "A", Coins: 1, Pieces: 2})
		o.Expected = &eventstore.Expectation{Version: v}
		return o
	}
	_, err := together(h, at("a", 0), at("b", 0))
	failedAt(t, 1, eventstore.ErrWrongVersion, err)
	mustTogether(t, h, at("a", 0), at("b", 2), at("c", 4))
	mustTogether(t, h, at("b", 2), at("d", 6)) // a repeat is no more refused for what came after it
	o := at("e", 8)
	o.Unless = "b"
	_, err = together(h, at("f", 8), o)
	failedAt(t, 1, eventstore.ErrWrongVersion, err)
	o.Expected = nil
	_, err = together(h, at("f", 8), o)
	failedAt(t, 1, eventstore.ErrSeen, err)
}

func TestALostAcknowledgementOfAGroup(t *testing.T) {
	store := newTroubled()
	hot := newHandler(store)
	for i, retry := range []*eventstore.Handler{hot, newHandler(store)} {
		for _, lose := range []bool{true, false} {
			orders := []tillOrder{
				order(t, fmt.Sprintf("a%d%v", i, lose), put{Till: "A", Coins: 2, Pieces: 2}), order(t, fmt.Sprintf("b%d%v", i, lose), put{Till: "A", Coins: 3}),
			}
			store.set(func(s *troubled) { s.loseAck, s.refuseAck = lose, !lose })
			if _, err := together(hot, orders...); !errors.Is(err, eventstore.ErrUnavailable) {
				t.Fatal(err)
			}
			sameAsFresh(t, hot, store)
			if r := mustTogether(t, retry, orders...); r[0].Repeated != lose || r[1].Repeated != lose || r[1].Position != r[0].Position+1 {
				t.Fatalf("%+v", r)
			}
		}
	}
	// The group is written, and reading where its events stand breaks off.
	orders := []tillOrder{order(t, "y", put{Till: "A", Coins: 1}), order(t, "z", put{Till: "A", Coins: 1})}
	mustTogether(t, hot, order(t, "x", put{Till: "A", Coins: 1}))
	store.set(func(s *troubled) { s.breakAfter = 1 })
	if r, err := together(hot, orders...); !errors.Is(err, eventstore.ErrUnavailable) || r != nil {
		t.Fatalf("%+v, %v", r, err)
	}
	store.set(func(s *troubled) { s.breakAfter = -1 })
	sameAsFresh(t, hot, store)
	if r := mustTogether(t, hot, orders...); !r[0].Repeated || !r[1].Repeated {
		t.Fatalf("%+v", r)
	}
	if n := audit(t, store, "till-A"); len(n) != 11 {
		t.Fatalf("%v", n)
	}
}

// Groups and single commands race on two nodes, and the same commands come in other groups: each stands there once.
func TestGroupsRace(t *testing.T) {
	const clients, each = 16, 25
	store := memory.New(time.Now)
	nodes := []*eventstore.Handler{newHandler(store), eventstore.NewTightHandler(store, codec(), eventstore.SnapshotDir(t.TempDir()), 700)}
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(client)))
			for i := range each {
				var orders []tillOrder
				for n := range 1 + random.IntN(4) {
					c := put{Till: "A", Coins: 1, Pieces: 1 + n%2}
					if random.IntN(10) == 0 {
						c.Coins = -1 << 40 // refused
					}
					orders = append(orders, order(t, fmt.Sprintf("%d-%d-%d-%d", client/2, i, n, c.Coins), c))
				}
				if _, err := together(nodes[client%2], orders...); err != nil && !errors.Is(err, errEmpty) {
					t.Error(err)
				}
				if _, err := run(nodes[client%2], fmt.Sprint("single-", client, "-", i), put{Till: "A", Coins: 1}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for id, events := range audit(t, store, "till-A") {
		var client, i, n, coins int
		if k, _ := fmt.Sscanf(id, "%d-%d-%d-%d", &client, &i, &n, &coins); k == 4 && events != 1+n%2 {
			t.Errorf("%s has %d events", id, events)
		}
		if strings.HasSuffix(id, "--1099511627776") {
			t.Errorf("%s was refused", id)
		}
	}
	for _, h := range nodes {
		sameAsFresh(t, h, store)
		if _, consistent := h.Cached(); !consistent {
			t.Error("the cache has lost count")
		}
	}
}

func TestGroupsAreBounded(t *testing.T) {
	store := newTroubled()
	h := newHandler(store)
	var orders []tillOrder
	for i := range 100 {
		o := order(t, fmt.Sprint("k", i), put{Till: "A", Coins: 1})
		o.Correlation = strings.Repeat("x", 100_000)
		orders = append(orders, o)
	}
	_, err := together(h, orders...)
	failedAt(t, 83, eventstore.ErrGroupTooLarge, err)
	sameAsFresh(t, h, store)
	mustTogether(t, h, orders[:83]...)
	store.set(func(s *troubled) { s.alwaysRace = true })
	appends := store.appends.Load()
	if _, err := together(h, orders[84:86]...); !errors.Is(err, eventstore.ErrBusy) {
		t.Fatal(err)
	}
	if n := store.appends.Load() - appends; n != eventstore.AttemptsMax {
		t.Errorf("%d attempts", n)
	}
	store.set(func(s *troubled) { s.alwaysRace = false })
	sameAsFresh(t, h, store)
}

func TestTryTogetherWritesNothing(t *testing.T) {
	store := newTroubled()
	h := newHandler(store)
	must(t, h, "a", put{Till: "A", Coins: 5})
	appends := store.appends.Load()
	orders := []tillOrder{order(t, "b", put{Till: "A", Coins: -5}), order(t, "c", put{Till: "A", Coins: 1}), order(t, "a", put{Till: "A", Coins: 5})}
	r, err := eventstore.TryTogether(context.Background(), h, tills(), orders)
	if err != nil || r[0].Repeated || r[1].Repeated || !r[2].Repeated {
		t.Fatalf("%+v, %v", r, err)
	}
	_, err = eventstore.TryTogether(context.Background(), h, tills(), append(orders, order(t, "d", put{Till: "A", Coins: -2})))
	failedAt(t, 3, errEmpty, err)
	if store.appends.Load() != appends {
		t.Fatal("written")
	}
	sameAsFresh(t, h, store)
	must(t, h, "e", put{Till: "A", Coins: -5})
}

// Groups that wait behind a slow append may give up, and nothing of them is left.
func TestACancelledGroup(t *testing.T) {
	store := newTroubled()
	h := newHandler(store)
	store.hold = make(chan struct{})
	done := make(chan error)
	go func() {
		_, err := together(h, order(t, "a", put{Till: "A", Coins: 1}), order(t, "b", put{Till: "A", Coins: 1}))
		done <- err
	}()
	for store.appends.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i)*time.Millisecond)
			defer cancel()
			orders := []tillOrder{order(t, fmt.Sprint("c", i), put{Till: "A", Coins: 1}), order(t, fmt.Sprint("d", i), put{Till: "A", Coins: 1})}
			if _, err := eventstore.RunTogether(ctx, h, tills(), orders); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := h.WaitsFor("till-A"); n != 1 {
		t.Errorf("%d wait", n)
	}
	close(store.hold)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	sameAsFresh(t, h, store)
	if n := audit(t, store, "till-A"); len(n) != 2 {
		t.Fatalf("%v", n)
	}
	if _, consistent := h.Cached(); !consistent || h.WaitsFor("till-A") != 0 {
		t.Error("the cache has lost count")
	}
}
