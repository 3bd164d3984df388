package eventstore_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/memory"
)

// till is a drawer of coins: the smallest aggregate whose every event tells from which state it was decided, so that
// the log alone shows a command that was lost, run twice or decided on a wrong state.
type till struct {
	Count int64 `json:"count"` // events
	Sum   int64 `json:"sum"`
}

// put adds coins, as so many events; a negative sum takes them out. atLeast puts in what is missing, maybe nothing.
type (
	put struct {
		Till   string
		Coins  int64
		Pieces int
	}
	atLeast struct {
		Till string
		Sum  int64
	}
	moved struct {
		Count int64 `json:"count"` // of events, with this one
		Sum   int64 `json:"sum"`   // after it
		Coins int64 `json:"coins"`
	}
)

func (moved) Kind() string { return "till.moved" }

var errEmpty = &domain.Error{Code: domain.Refused, Rule: "till.empty", Text: "there are not so many coins"}

func (s *till) decide(c any) (events []domain.Event, err error) {
	coins, pieces := int64(0), 1
	switch c := c.(type) {
	case put:
		coins, pieces = c.Coins, max(1, c.Pieces)
	case atLeast:
		if coins = c.Sum - s.Sum; coins <= 0 {
			return nil, nil
		}
	}
	next := *s
	for range pieces {
		if next.Sum += coins; next.Sum < 0 {
			return nil, errEmpty.With("%d", s.Sum)
		}
		next.Count++
		events = append(events, moved{next.Count, next.Sum, coins})
	}
	return events, nil
}

func streamOf(c any) string {
	if c, ok := c.(put); ok {
		return "till-" + c.Till
	}
	return "till-" + c.(atLeast).Till
}

func tills() *eventstore.Aggregate[any, *till] {
	return &eventstore.Aggregate[any, *till]{
		Decider: domain.Decider[any, *till]{
			Stream: streamOf,
			New:    func() *till { return &till{} },
			Decide: func(s *till, c any) ([]domain.Event, error) { return s.decide(c) },
			Evolve: func(s *till, e domain.Event) *till { // in place, as accounts do
				s.Count, s.Sum = s.Count+1, s.Sum+e.(moved).Coins
				return s
			},
		},
		SnapshotVersion: 1,
		Snapshot:        func(s *till) ([]byte, error) { return json.Marshal(s) },
		Restore: func(b []byte) (*till, error) {
			s := new(till)
			return s, json.Unmarshal(b, s)
		},
	}
}

func codec() *eventstore.Codec {
	return eventstore.NewCodec([]domain.Schema{domain.Describe[moved]()})
}

func newHandler(store eventstore.Store) *eventstore.Handler {
	return eventstore.NewHandler(store, codec(), nil)
}

// run gives a command to a handler, with a hash as the ledger makes it.
func run(h *eventstore.Handler, id string, c any) (eventstore.Receipt, error) {
	return runWith(context.Background(), h, eventstore.Envelope{CommandID: id}, c)
}

func runWith(ctx context.Context, h *eventstore.Handler, env eventstore.Envelope, c any) (eventstore.Receipt, error) {
	var err error
	if env.Name = fmt.Sprintf("%T", c); env.Hash == "" {
		env.Hash, err = eventstore.Hash(env.Name, c)
	}
	if err != nil {
		return eventstore.Receipt{}, err
	}
	return eventstore.Run(ctx, h, tills(), c, env)
}

func must(t *testing.T, h *eventstore.Handler, id string, c any) eventstore.Receipt {
	t.Helper()
	r, err := run(h, id, c)
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	return r
}

// audit reads a stream and proves that each event was decided on the state that the ones before it give, and that each
// command stands there once, in one piece. It returns how many events each command has.
func audit(t *testing.T, store eventstore.Store, stream string) map[string]int {
	t.Helper()
	var state till
	commands := make(map[string]int)
	last := ""
	for r, err := range store.Read(context.Background(), stream, 0) {
		if err != nil {
			t.Fatal(err)
		}
		e, err := codec().Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		state.Count, state.Sum = state.Count+1, state.Sum+e.(moved).Coins
		if got := e.(moved); got.Count != state.Count || got.Sum != state.Sum || got.Count != int64(r.Version) {
			t.Fatalf("%s version %d was decided on a wrong state: %+v, want %+v", stream, r.Version, got, state)
		}
		m, err := eventstore.ReadMetadata(r)
		if err != nil {
			t.Fatal(err)
		}
		if commands[m.CommandID] > 0 && last != m.CommandID {
			t.Fatalf("%s: command %s stands there twice", stream, m.CommandID)
		}
		commands[m.CommandID]++
		last = m.CommandID
	}
	return commands
}

// troubled is a log that fails as logs fail, as far as it is told to, and counts what is asked of it.
type troubled struct {
	eventstore.Store
	appends, reads, events atomic.Int64 // calls, calls, events yielded

	mu         sync.Mutex
	loseAck    bool          // the next append is written and then answers log.unavailable
	refuseAck  bool          // the next append answers log.unavailable and nothing is written
	alwaysRace bool          // every append comes too late
	breakAfter int           // a read fails after so many events; -1: never
	hold       chan struct{} // appends wait for it, deaf to their context
}

func newTroubled() *troubled { return &troubled{Store: memory.New(time.Now), breakAfter: -1} }

func (s *troubled) Append(ctx context.Context, stream string, expected eventstore.Version, events ...eventstore.Proposed) (eventstore.Position, error) {
	s.appends.Add(1)
	s.mu.Lock()
	lose, refuse, race, hold := s.loseAck, s.refuseAck, s.alwaysRace, s.hold
	s.loseAck, s.refuseAck = false, false
	s.mu.Unlock()
	if hold != nil {
		<-hold
	}
	switch {
	case race:
		return 0, eventstore.ErrWrongVersion
	case refuse:
		return 0, eventstore.ErrUnavailable.With("nothing written")
	}
	position, err := s.Store.Append(ctx, stream, expected, events...)
	if lose && err == nil {
		return 0, eventstore.ErrUnavailable.With("written, but who knows")
	}
	return position, err
}

func (s *troubled) Read(ctx context.Context, stream string, after eventstore.Version) iter.Seq2[eventstore.Recorded, error] {
	s.reads.Add(1)
	s.mu.Lock()
	left := s.breakAfter
	s.mu.Unlock()
	return func(yield func(eventstore.Recorded, error) bool) {
		for r, err := range s.Store.Read(ctx, stream, after) {
			if left == 0 {
				yield(eventstore.Recorded{}, eventstore.ErrUnavailable.With("the connection dropped"))
				return
			}
			left--
			s.events.Add(1)
			if !yield(r, err) {
				return
			}
		}
	}
}

func (s *troubled) set(change func(*troubled)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}
