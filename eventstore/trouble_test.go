package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/faulty"
	"github.com/urikake/urikake/eventstore/memory"
)

// Nodes work on one log that takes its time, and clients send each command to two of them: every command stands there
// once, and nobody is sent away because others were quicker.
func TestNodesRaceOnOneLog(t *testing.T) {
	const nodes, clients, each, streams = 4, 48, 12, 2
	store := faulty.New(memory.New(time.Now), 1, faulty.Faults{Slow: 1, SlowMax: 500 * time.Microsecond})
	handlers := []*eventstore.Handler{eventstore.NewTightHandler(store, codec(), nil, 5_000)}
	for len(handlers) < nodes {
		handlers = append(handlers, newHandler(store))
	}
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			for i := range each {
				id := fmt.Sprintf("%d-%d", client/2, i) // two clients send the same
				c := put{Till: fmt.Sprint(i % streams), Coins: int64(i + 1), Pieces: 1 + i%2}
				if _, err := run(handlers[client%nodes], id, c); err != nil {
					t.Errorf("%s: %v", id, err)
				}
			}
		})
	}
	wg.Wait()
	total := 0
	for s := range streams {
		commands := audit(t, store, fmt.Sprintf("till-%d", s))
		total += len(commands)
		for id, events := range commands {
			var client, i int
			if fmt.Sscanf(id, "%d-%d", &client, &i); events != 1+i%2 {
				t.Errorf("%s has %d events", id, events)
			}
		}
	}
	if total != clients/2*each {
		t.Errorf("%d commands in the log, %d were sent", total, clients/2*each)
	}
}

// What one node has refused it lets pass once another has written what was missing, and the other way round: a refusal
// is never by the books of yesterday.
func TestARefusalIsByTheNewestBooks(t *testing.T) {
	store := memory.New(time.Now)
	one, other := newHandler(store), newHandler(store)
	for i := range 20 {
		take := put{Till: "A", Coins: -1}
		if _, err := run(one, fmt.Sprint("early", i), take); !errors.Is(err, errEmpty) {
			t.Fatal(err)
		}
		must(t, other, fmt.Sprint("put", i), put{Till: "A", Coins: 1})
		must(t, one, fmt.Sprint("take", i), take)
		if _, err := run(other, fmt.Sprint("late", i), take); !errors.Is(err, errEmpty) {
			t.Fatal(err)
		}
		if r := must(t, other, fmt.Sprint("take", i), take); !r.Repeated {
			t.Fatalf("%+v", r)
		}
	}
}

// Under one id two commands race on two nodes: one is booked, and nobody is told that the other was.
func TestOneKeyRacesWithOtherContent(t *testing.T) {
	for round := range 200 {
		store := memory.New(time.Now)
		nodes := []*eventstore.Handler{newHandler(store), newHandler(store)}
		var errs [2]error
		var wg sync.WaitGroup
		for i, h := range nodes {
			wg.Go(func() { _, errs[i] = run(h, "k", put{Till: "A", Coins: int64(i + 1)}) })
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("round %d: %v, %v", round, errs[0], errs[1])
		}
		for i, h := range nodes {
			if errs[i] != nil && !errors.Is(errs[i], eventstore.ErrKeyReused) {
				t.Fatal(errs[i])
			}
			must(t, h, fmt.Sprint("next", i), put{Till: "A", Coins: 1})
		}
		audit(t, store, "till-A")
	}
}

func TestRetriesAreBounded(t *testing.T) {
	store := newTroubled()
	store.alwaysRace = true
	if _, err := run(newHandler(store), "k", put{Till: "A", Coins: 1}); !errors.Is(err, eventstore.ErrBusy) {
		t.Fatal(err)
	}
	if n := store.appends.Load(); n != eventstore.AttemptsMax {
		t.Errorf("%d attempts", n)
	}
}

func TestALostAcknowledgement(t *testing.T) {
	store := newTroubled()
	hot := newHandler(store)
	must(t, hot, "before", put{Till: "A", Coins: 5})
	for i, retry := range []*eventstore.Handler{hot, newHandler(store)} {
		id := fmt.Sprint("k", i)
		store.set(func(s *troubled) { s.loseAck = true })
		if _, err := run(hot, id, put{Till: "A", Coins: 2, Pieces: 2}); !errors.Is(err, eventstore.ErrUnavailable) {
			t.Fatal(err)
		}
		r := must(t, retry, id, put{Till: "A", Coins: 2, Pieces: 2})
		if !r.Repeated || len(r.Events) != 2 || r.Position == 0 {
			t.Fatalf("%+v", r)
		}
		store.set(func(s *troubled) { s.refuseAck = true })
		id += "-not-written"
		if _, err := run(hot, id, put{Till: "A", Coins: 3}); !errors.Is(err, eventstore.ErrUnavailable) {
			t.Fatal(err)
		}
		if r := must(t, retry, id, put{Till: "A", Coins: 3}); r.Repeated {
			t.Fatalf("%+v", r)
		}
	}
	if n := audit(t, store, "till-A"); len(n) != 5 {
		t.Fatalf("%v", n)
	}
}

// A read that breaks off after any number of events gives an error and never a shorter history.
func TestABrokenReadIsNoShorterHistory(t *testing.T) {
	const length = 7
	store := newTroubled()
	h := newHandler(store)
	for i := range length {
		must(t, h, fmt.Sprint("k", i), put{Till: "A", Coins: 1})
	}
	for after := range length {
		cold := newHandler(store)
		for _, c := range []any{put{Till: "A", Coins: 1}, atLeast{Till: "A", Sum: 1}} {
			store.set(func(s *troubled) { s.breakAfter = after })
			if r, err := run(cold, "new", c); !errors.Is(err, eventstore.ErrUnavailable) || r.Version != 0 {
				t.Fatalf("after %d: %+v, %v", after, r, err)
			}
		}
		store.set(func(s *troubled) { s.breakAfter = -1 })
		if r := must(t, cold, "none", atLeast{Till: "A", Sum: length}); r.Version != length {
			t.Fatalf("after %d: %+v", after, r)
		}
	}
	// On a hot aggregate another node's events break off, and then the first answer of a repeat.
	must(t, newHandler(store), "other", put{Till: "A", Coins: 1, Pieces: 3})
	for after := range 3 {
		store.set(func(s *troubled) { s.breakAfter = after })
		if r, err := run(h, "other", put{Till: "A", Coins: 1, Pieces: 3}); !errors.Is(err, eventstore.ErrUnavailable) {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	store.set(func(s *troubled) { s.breakAfter = -1 })
	if r := must(t, h, "other", put{Till: "A", Coins: 1, Pieces: 3}); !r.Repeated || len(r.Events) != 3 {
		t.Fatalf("%+v", r)
	}
	audit(t, store, "till-A")
}

func TestCancelledCommands(t *testing.T) {
	store := newTroubled()
	h := newHandler(store)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for i := range 100 {
		if _, err := runWith(ctx, h, eventstore.Envelope{CommandID: "k"}, put{Till: fmt.Sprint(i), Coins: 1}); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if head, _ := store.Head(context.Background()); head != 0 {
		t.Fatalf("%d events", head)
	}

	// One command hangs in the log; those that wait behind it may give up.
	store.hold = make(chan struct{})
	done := make(chan error)
	go func() {
		_, err := run(h, "slow", put{Till: "A", Coins: 1})
		done <- err
	}()
	for store.appends.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel = context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := runWith(ctx, h, eventstore.Envelope{CommandID: "waits"}, put{Till: "A", Coins: 1}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	close(store.hold)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	must(t, h, "after", put{Till: "A", Coins: 1})
	if n := audit(t, store, "till-A"); len(n) != 2 {
		t.Fatalf("%v", n)
	}
	if _, consistent := h.Cached(); !consistent || h.WaitsFor("till-A") != 0 {
		t.Error("the cache has lost count")
	}
}

// A cache far too small for its work forgets all the time and is never wrong.
func TestEviction(t *testing.T) {
	const clients, each, streams = 16, 150, 40
	store := memory.New(time.Now)
	h := eventstore.NewTightHandler(store, codec(), nil, 10_000)
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(client)))
			for i := range each {
				ctx, cancel := context.WithCancel(context.Background())
				if random.IntN(10) == 0 {
					cancel()
				}
				c := put{Till: fmt.Sprint(random.IntN(streams)), Coins: 1}
				_, err := runWith(ctx, h, eventstore.Envelope{CommandID: fmt.Sprintf("%d-%d", client, i)}, c)
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	for s := range streams {
		audit(t, store, fmt.Sprintf("till-%d", s))
	}
	aggregates, consistent := h.Cached()
	if aggregates > 12 || !consistent { // an aggregate takes some 900 bytes
		t.Errorf("the cache holds %d aggregates, consistent %v", aggregates, consistent)
	}
}

func TestALargeAggregateDoesNotStayInASmallCache(t *testing.T) {
	h := eventstore.NewTightHandler(memory.New(time.Now), codec(), nil, 800)
	must(t, h, "a", put{Till: "A", Coins: 1, Pieces: 1000})
	if n, ok := h.Cached(); n != 0 || !ok {
		t.Errorf("%d, %v", n, ok)
	}
	if r := must(t, h, "b", put{Till: "A", Coins: 1}); r.Version != 1001 {
		t.Errorf("%+v", r)
	}
}
