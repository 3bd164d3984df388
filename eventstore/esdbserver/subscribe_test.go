package esdbserver_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/esdbserver"
	"github.com/urikake/urikake/eventstore/memory"
)

// heard is what a subscription says, in one word: "a@0" for an event, "+" for caught up, "-" for fell behind, "#7" for
// a checkpoint, "!" when it is dropped.
func heard(e *esdb.SubscriptionEvent) string {
	switch {
	case e.EventAppeared != nil:
		r := e.EventAppeared.OriginalEvent()
		return fmt.Sprintf("%s@%d", r.StreamID, r.EventNumber)
	case e.CaughtUp != nil:
		return "+"
	case e.FellBehind != nil:
		return "-"
	case e.CheckPointReached != nil:
		return fmt.Sprint("#", e.CheckPointReached.Commit)
	default:
		return "!"
	}
}

// hear takes what a subscription says up to a last word.
func hear(t testing.TB, s *esdb.Subscription, last string) string {
	t.Helper()
	var words []string
	for {
		word := heard(s.Recv())
		words = append(words, word)
		if word == last {
			return strings.Join(words, " ")
		}
		if word == "!" {
			t.Fatalf("dropped after %q, waiting for %s", strings.Join(words, " "), last)
		}
	}
}

func toStream(t testing.TB, c *esdb.Client, stream string, from esdb.StreamPosition) *esdb.Subscription {
	t.Helper()
	s, err := c.SubscribeToStream(limited(t), stream, esdb.SubscribeToStreamOptions{From: from})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func toAll(t testing.TB, c *esdb.Client, o esdb.SubscribeToAllOptions) *esdb.Subscription {
	t.Helper()
	s, err := c.SubscribeToAll(limited(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestSubscribeToStream(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		stream string
		from   esdb.StreamPosition
		old    string // what comes of a0 b0 a1 b1 a2 b2
	}{
		{"from the start", "a", esdb.Start{}, "a@0 a@1 a@2 +"},
		{"after the first", "a", esdb.Revision(0), "a@1 a@2 +"},
		{"after the last", "a", esdb.Revision(2), "+"},
		{"from the end", "a", esdb.End{}, "+"},
		{"a missing one from the start", "c", esdb.Start{}, "+"},
		{"a missing one from the end", "c", esdb.End{}, "+"},
	} {
		t.Run(test.name, func(t *testing.T) {
			store, client := open(t)
			fill(t, store, 3)
			s := toStream(t, client, test.stream, test.from)
			if got := hear(t, s, "+"); got != test.old {
				t.Errorf("%s, want %s", got, test.old)
			}
			version := eventstore.Version(3)
			if test.stream == "c" {
				version = 0
			}
			write(t, store, "b", 3, propose("more", 1)...)
			write(t, store, test.stream, version, propose("new", 2)...)
			last := fmt.Sprintf("%s@%d", test.stream, version+1)
			if got, want := hear(t, s, last), fmt.Sprintf("%s@%d %s", test.stream, version, last); got != want {
				t.Errorf("then %s, want %s", got, want)
			}
		})
	}
}

// A subscription may wait for a revision that has not been written yet.
func TestSubscribeAhead(t *testing.T) {
	t.Parallel()
	store, client := open(t)
	s := toStream(t, client, "a", esdb.Revision(1))
	if got := hear(t, s, "+"); got != "+" {
		t.Error(got)
	}
	write(t, store, "a", 0, propose("a", 4)...)
	if got := hear(t, s, "a@3"); got != "a@2 a@3" {
		t.Error(got)
	}
}

func TestSubscribeToAll(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		from esdb.AllPosition
		old  string // what comes of a0 b0 a1 b1
	}{
		{"from the start", esdb.Start{}, "a@0 b@0 a@1 b@1 +"},
		{"from position 0", esdb.Position{}, "a@0 b@0 a@1 b@1 +"},
		{"after the second", esdb.Position{Commit: 2, Prepare: 2}, "a@1 b@1 +"},
		{"after the last", esdb.Position{Commit: 4, Prepare: 4}, "+"},
		{"from the end", esdb.End{}, "+"},
	} {
		t.Run(test.name, func(t *testing.T) {
			store, client := open(t)
			fill(t, store, 2)
			s := toAll(t, client, esdb.SubscribeToAllOptions{From: test.from})
			if got := hear(t, s, "+"); got != test.old {
				t.Errorf("%s, want %s", got, test.old)
			}
			write(t, store, "c", 0, propose("new", 2)...)
			if got := hear(t, s, "c@1"); got != "c@0 c@1" {
				t.Errorf("then %s", got)
			}
		})
	}
}

// Subscriptions that begin while others write get everything once and in order, and are caught up in the end.
func TestSubscribeRacing(t *testing.T) {
	t.Parallel()
	store, client := onDisk(t)
	const writers, each = 4, 150
	var writing, hearing sync.WaitGroup
	for g := range writers {
		writing.Go(func() {
			stream := fmt.Sprint("s", g)
			for i, e := range propose(stream, each) {
				write(t, store, stream, eventstore.Version(i), e)
			}
		})
	}
	for i := range 6 {
		hearing.Go(func() {
			if i%2 == 0 {
				s := toAll(t, client, esdb.SubscribeToAllOptions{From: esdb.Start{}})
				next, position := map[string]uint64{}, uint64(0)
				for n := 0; n < writers*each; {
					e := s.Recv()
					if e.SubscriptionDropped != nil {
						t.Error(e.SubscriptionDropped.Error)
						return
					}
					if e.EventAppeared == nil {
						continue
					}
					r := e.EventAppeared.OriginalEvent()
					if r.EventNumber != next[r.StreamID] || r.Position.Commit <= position {
						t.Errorf("%s@%d at %d comes after %d", r.StreamID, r.EventNumber, r.Position.Commit, position)
						return
					}
					next[r.StreamID], position = r.EventNumber+1, r.Position.Commit
					n++
				}
				return
			}
			stream := fmt.Sprint("s", i%writers)
			s := toStream(t, client, stream, esdb.Start{})
			var want []string
			for n := range each {
				want = append(want, fmt.Sprintf("%s@%d", stream, n))
			}
			got := strings.ReplaceAll(hear(t, s, want[each-1]), "+ ", "")
			if got != strings.Join(want, " ") {
				t.Errorf("%s", got)
			}
		})
	}
	writing.Wait()
	hearing.Wait()
}

func TestFilters(t *testing.T) {
	t.Parallel()
	store, client := open(t)
	fill(t, store, 2)
	write(t, store, "ab", 0, propose("a", 1)...)
	write(t, store, "$system", 0, propose("$x", 1)...)
	for _, test := range []struct {
		name   string
		filter esdb.SubscriptionFilter
		want   string
	}{
		{"stream prefix", esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{"a"}}, "a@0 a@1 ab@0"},
		{"stream prefixes", esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{"ab", "$"}}, "ab@0 $system@0"},
		{"stream regex", esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Regex: "^.$"}, "a@0 b@0 a@1 b@1"},
		{"stream regex, unanchored", esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Regex: "b"}, "b@0 b@1 ab@0"},
		{"type prefix", esdb.SubscriptionFilter{Type: esdb.EventFilterType, Prefixes: []string{"test.a"}}, "a@0 a@1 ab@0"},
		{"type regex", esdb.SubscriptionFilter{Type: esdb.EventFilterType, Regex: `\$`}, "$system@0"},
		{"nothing passes", esdb.SubscriptionFilter{Type: esdb.EventFilterType, Prefixes: []string{"none"}}, ""},
		{"no system events", *esdb.ExcludeSystemEventsFilter(), "a@0 b@0 a@1 b@1 ab@0 $system@0"},
	} {
		s := toAll(t, client, esdb.SubscribeToAllOptions{From: esdb.Start{}, Filter: &test.filter})
		want := strings.TrimSpace(test.want + " #6 +")
		if got := hear(t, s, "+"); got != want {
			t.Errorf("%s: %s, want %s", test.name, got, want)
		}
		s.Close()
	}
	_, err := client.SubscribeToAll(limited(t), esdb.SubscribeToAllOptions{Filter: &esdb.SubscriptionFilter{Regex: "(?=a)"}})
	wantCode(t, "look-ahead", err, esdb.ErrorCodeUnknown)
	if !strings.Contains(fmt.Sprint(err), "InvalidArgument") || !strings.Contains(fmt.Sprint(err), "RE2") {
		t.Errorf("look-ahead: %v", err)
	}
}

// Checkpoints come each interval of considered events, passed over or not, at the turn to live, and never twice.
func TestCheckpoints(t *testing.T) {
	t.Parallel()
	store, client := open(t)
	fill(t, store, 10) // 20 events
	onlyA := &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{"a"}}
	s := toAll(t, client, esdb.SubscribeToAllOptions{From: esdb.Start{}, Filter: onlyA, MaxSearchWindow: 4, CheckpointInterval: 2})
	want := "a@0 a@1 a@2 a@3 #8 a@4 a@5 a@6 a@7 #16 a@8 a@9 #20 +"
	if got := hear(t, s, "+"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	write(t, store, "b", 10, propose("c", 17)...) // live: positions 21 to 37
	write(t, store, "a", 10, propose("d", 1)...)
	if got := hear(t, s, "a@10"); got != "#28 #36 a@10" {
		t.Errorf("live: %s", got)
	}

	s = toAll(t, client, esdb.SubscribeToAllOptions{From: esdb.Start{}, Filter: onlyA, MaxSearchWindow: 19, CheckpointInterval: 2})
	if got := hear(t, s, "+"); strings.Count(got, "#38") != 1 || strings.Count(got, "#") != 1 {
		t.Errorf("the interval ends where the log does: %s", got)
	}
	s = toAll(t, client, esdb.SubscribeToAllOptions{From: esdb.Position{Commit: 38, Prepare: 38}, Filter: onlyA})
	if got := hear(t, s, "+"); got != "+" {
		t.Errorf("a checkpoint of what the client has: %s", got)
	}
	s = toAll(t, client, esdb.SubscribeToAllOptions{From: esdb.Start{}, Filter: onlyA})
	if got := hear(t, s, "+"); strings.Count(got, "#") != 2 || !strings.Contains(got, "#32") {
		t.Errorf("by default each 32 events: %s", got)
	}
}

// A client that goes on from its last checkpoint or event misses and repeats nothing.
func TestResume(t *testing.T) {
	t.Parallel()
	store, client := open(t)
	const n = 200
	fill(t, store, n)
	onlyA := &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{"a"}}
	var from esdb.AllPosition = esdb.Start{}
	next := uint64(0)
	for round := 0; next < n; round++ {
		s := toAll(t, client, esdb.SubscribeToAllOptions{From: from, Filter: onlyA, MaxSearchWindow: 3})
		for caught, i := false, 0; i < 10+round && !caught; i++ {
			e := s.Recv()
			switch {
			case e.EventAppeared != nil:
				r := e.EventAppeared.OriginalEvent()
				if r.EventNumber != next {
					t.Fatalf("a@%d, want %d", r.EventNumber, next)
				}
				next++
				from = r.Position
			case e.CheckPointReached != nil:
				from = *e.CheckPointReached
			case e.CaughtUp != nil:
				caught = true
			default:
				t.Fatalf("dropped: %v", e.SubscriptionDropped)
			}
			if next == n {
				break
			}
		}
		s.Close()
	}
}

// A client that takes nothing for a while holds no writer and no other client up, and gets everything later.
func TestSlowConsumer(t *testing.T) {
	t.Parallel()
	store, client := onDisk(t)
	slow := toAll(t, client, esdb.SubscribeToAllOptions{From: esdb.Start{}})
	slowStream := toStream(t, client, "s", esdb.Start{})
	hear(t, slow, "+")
	hear(t, slowStream, "+")
	quick := toAll(t, client, esdb.SubscribeToAllOptions{From: esdb.Start{}})
	const n = 8000
	events := propose("a", n)
	for i := range events {
		events[i].Metadata = []byte(`{"padding":"` + strings.Repeat("x", 200) + `"}`)
	}
	for i := 0; i < n; i += 500 {
		write(t, store, "s", eventstore.Version(i), events[i:i+500]...)
	}
	hear(t, quick, fmt.Sprint("s@", n-1))
	words := strings.Fields(hear(t, slow, fmt.Sprint("s@", n-1)))
	got := 0
	fell := false
	for _, w := range words {
		switch w {
		case "-":
			fell = true
		case "+":
		case fmt.Sprint("s@", got):
			got++
		default:
			t.Fatalf("%s after %d events", w, got)
		}
	}
	if got != n || !fell {
		t.Errorf("%d events, told to be behind: %v", got, fell)
	}
	hear(t, slow, "+") // again at the end
	hear(t, slowStream, fmt.Sprint("s@", n-1))
}

// Calls that a client cancels end in the server, too.
func TestCancelled(t *testing.T) {
	t.Parallel()
	store := memory.New(time.Now)
	var open atomic.Int32
	ended := make(chan codes.Code, 100)
	counted := countedStore{store, &open}
	client := dial(t, serve(t, esdbserver.Config{
		Store: counted, Observe: func(_ context.Context, c esdbserver.Call) { ended <- c.Code },
	}))
	fill(t, store, 100)
	ctx, cancel := context.WithCancel(t.Context())
	const n = 20
	for i := range n {
		s, err := client.SubscribeToAll(ctx, esdb.SubscribeToAllOptions{From: esdb.Start{}})
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			hear(t, s, "+")
		}
	}
	<-ended // of the client's first question
	cancel()
	for range n {
		select {
		case c := <-ended:
			if c != codes.Canceled {
				t.Errorf("ended with %v", c)
			}
		case <-time.After(patience):
			t.Fatalf("%d reads go on", open.Load())
		}
	}
	if open.Load() != 0 {
		t.Errorf("%d reads go on", open.Load())
	}
}

// countedStore counts the reads of a log that are under way.
type countedStore struct {
	eventstore.Store
	open *atomic.Int32
}

func (s countedStore) Follow(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		s.open.Add(1)
		defer s.open.Add(-1)
		s.Store.Follow(ctx, after)(yield)
	}
}

// Two hundred clients, each with a connection, subscribe, write and read at once.
func TestManyClients(t *testing.T) {
	t.Parallel()
	store, _ := onDisk(t)
	address := serve(t, esdbserver.Config{Store: store})
	const clients, each = 200, 1
	var all sync.WaitGroup
	for g := range clients {
		client := dial(t, address)
		all.Go(func() {
			s, err := client.SubscribeToAll(limited(t), esdb.SubscribeToAllOptions{From: esdb.Start{}})
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			stream := fmt.Sprint("s", g)
			for i := range each {
				o := esdb.AppendToStreamOptions{ExpectedRevision: esdb.Revision(uint64(i) - 1)}
				if i == 0 {
					o.ExpectedRevision = esdb.NoStream{}
				}
				if _, err := client.AppendToStream(limited(t), stream, o, data(fmt.Sprint(stream, ".", i), 1)...); err != nil {
					t.Error(err)
					return
				}
			}
			if events, err := streamRead(t, client, stream, esdb.ReadStreamOptions{}, 10); err != nil || len(events) != each {
				t.Errorf("%d events, %v", len(events), err)
			}
			for n := 0; n < clients*each; {
				e := s.Recv()
				if e.SubscriptionDropped != nil {
					t.Errorf("client %d dropped after %d events: %v", g, n, e.SubscriptionDropped.Error)
					return
				}
				if e.EventAppeared != nil {
					n++
				}
			}
		})
	}
	all.Wait()
}

// When the server ends, subscriptions end with Unavailable; the same client finds the next one at the address.
func TestServerEnds(t *testing.T) {
	t.Parallel()
	store := memory.New(time.Now)
	fill(t, store, 1)
	listener := listenAt(t, "127.0.0.1:0")
	address := listener.Addr().String()
	stop := serveOn(t, listener, esdbserver.Config{Store: store})
	client := dial(t, address)
	all := toAll(t, client, esdb.SubscribeToAllOptions{From: esdb.Start{}})
	one := toStream(t, client, "a", esdb.Start{})
	hear(t, all, "+")
	hear(t, one, "+")
	stop()
	for _, s := range []*esdb.Subscription{all, one} {
		e := s.Recv()
		if e.SubscriptionDropped == nil || status.Code(e.SubscriptionDropped.Error) != codes.Unavailable {
			t.Errorf("%s, %+v", heard(e), e.SubscriptionDropped)
		}
	}

	t.Cleanup(serveOn(t, listenAt(t, address), esdbserver.Config{Store: store}))
	write(t, store, "a", 1, propose("new", 1)...)
	again := toStream(t, client, "a", esdb.Revision(0))
	if got := hear(t, again, "+"); got != "a@1 +" {
		t.Error(got)
	}
}
