package eventstore_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/memory"
)

func TestARepeatGetsTheFirstAnswer(t *testing.T) {
	store := memory.New(time.Now)
	h := newHandler(store)
	must(t, h, "before", put{Till: "A", Coins: 1})
	first := must(t, h, "k", put{Till: "A", Coins: 5, Pieces: 3})
	if first.Repeated || first.Version != 4 || first.Position != 4 || first.Stream != "till-A" {
		t.Fatalf("%+v", first)
	}
	want := []domain.Event{moved{2, 6, 5}, moved{3, 11, 5}, moved{4, 16, 5}}
	if !reflect.DeepEqual(first.Events, want) {
		t.Fatalf("%+v", first.Events)
	}
	must(t, h, "elsewhere", put{Till: "B", Coins: 1})
	must(t, h, "after", put{Till: "A", Coins: 1})
	first.Repeated = true
	for name, h := range map[string]*eventstore.Handler{"hot": h, "started again": newHandler(store)} {
		again := must(t, h, "k", put{Till: "A", Coins: 5, Pieces: 3})
		if !reflect.DeepEqual(again, first) {
			t.Errorf("%s: %+v, first %+v", name, again, first)
		}
	}
	if n := audit(t, store, "till-A"); n["k"] != 3 || len(n) != 3 {
		t.Fatalf("%v", n)
	}
}

func TestAKeyIsOneCommand(t *testing.T) {
	store := memory.New(time.Now)
	h := newHandler(store)
	must(t, h, "k", put{Till: "A", Coins: 5})
	for name, h := range map[string]*eventstore.Handler{"hot": h, "started again": newHandler(store)} {
		for _, other := range []any{put{Till: "A", Coins: 6}, atLeast{Till: "A", Sum: 50}} {
			_, err := run(h, "k", other)
			var e *domain.Error
			if !errors.Is(err, eventstore.ErrKeyReused) || !errors.As(err, &e) || e.Field != "/command_id" {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if n := audit(t, store, "till-A"); len(n) != 1 {
		t.Fatalf("%v", n)
	}
}

// A refusal leaves nothing behind, so the same command may pass later.
func TestARefusedCommandMayBeSentAgain(t *testing.T) {
	h := newHandler(memory.New(time.Now))
	if r, err := run(h, "k", put{Till: "A", Coins: -5}); !errors.Is(err, errEmpty) || r.Position != 0 || len(r.Events) != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	must(t, h, "coins", put{Till: "A", Coins: 5})
	if r := must(t, h, "k", put{Till: "A", Coins: -5}); r.Repeated || r.Version != 2 {
		t.Fatalf("%+v", r)
	}
}

// Neither facts nor a refusal: nothing is written, and nothing remembered either.
func TestADecisionWithoutFacts(t *testing.T) {
	store := newTroubled()
	h := newHandler(store)
	must(t, h, "a", put{Till: "A", Coins: 5})
	appends := store.appends.Load()
	r := must(t, h, "k", atLeast{Till: "A", Sum: 3})
	if r.Repeated || r.Version != 1 || len(r.Events) != 0 || store.appends.Load() != appends {
		t.Fatalf("%+v", r)
	}
	must(t, h, "b", put{Till: "A", Coins: -4})
	if r := must(t, h, "k", atLeast{Till: "A", Sum: 3}); r.Version != 3 || len(r.Events) != 1 {
		t.Fatalf("%+v", r)
	}
	audit(t, store, "till-A")
}

func TestExpectedVersion(t *testing.T) {
	h := newHandler(memory.New(time.Now))
	at := func(id string, v eventstore.Version) (eventstore.Receipt, error) {
		return runWith(context.Background(), h, eventstore.Envelope{CommandID: id, Expected: &eventstore.Expectation{Version: v}}, put{Till: "A", Coins: 1})
	}
	if _, err := at("early", 1); !errors.Is(err, eventstore.ErrWrongVersion) {
		t.Fatal(err)
	}
	if _, err := at("a", 0); err != nil {
		t.Fatal(err)
	}
	if _, err := at("late", 0); !errors.Is(err, eventstore.ErrWrongVersion) {
		t.Fatal(err)
	}
	if _, err := at("b", 1); err != nil {
		t.Fatal(err)
	}
	if r, err := at("a", 0); err != nil || !r.Repeated {
		t.Fatalf("a repeat was refused for what came after it: %+v, %v", r, err)
	}
}

func TestCommandIDs(t *testing.T) {
	store := memory.New(time.Now)
	h := newHandler(store)
	for _, bad := range []string{"", " ", "a b", "日本", "tab\t", "\x00", strings.Repeat("x", eventstore.CommandIDMax+1), "urikake-3"} {
		if _, err := run(h, bad, put{Till: "A", Coins: 1}); !errors.Is(err, eventstore.ErrCommandID) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	good := []string{"x", `a"b`, `a\b`, `a\"`, `\`, `"`, "<&>", "{}", strings.Repeat("~", eventstore.CommandIDMax)}
	for _, id := range good {
		must(t, h, id, put{Till: "A", Coins: 1})
	}
	h = newHandler(store)
	for _, id := range good {
		if r := must(t, h, id, put{Till: "A", Coins: 1}); !r.Repeated {
			t.Errorf("%q was run twice", id)
		}
	}
	audit(t, store, "till-A")
}

// What caused an event stands beside it in the log.
func TestMetadata(t *testing.T) {
	store := memory.New(time.Now)
	env := eventstore.Envelope{
		CommandID: "k", Name: "Put", Hash: "h", Actor: "経理 <a@example.com>",
		Correlation: "import-7", Causation: "8a3f6d3e-6d0b-5d0a-8f57-2f1f0d6f9b11",
	}
	if _, err := eventstore.Run(context.Background(), newHandler(store), tills(), any(put{Till: "A", Coins: 1, Pieces: 2}), env); err != nil {
		t.Fatal(err)
	}
	want := eventstore.Metadata{
		CommandID: "k", CommandName: "Put", CommandHash: "h", Actor: env.Actor,
		Correlation: env.Correlation, Causation: env.Causation, Schema: 1,
	}
	events := 0
	for r, err := range store.Read(context.Background(), "till-A", 0) {
		if err != nil {
			t.Fatal(err)
		}
		if m, err := eventstore.ReadMetadata(r); err != nil || m != want {
			t.Errorf("%+v, %v", m, err)
		}
		for _, name := range []string{`"command_id":`, `"command":`, `"command_hash":`, `"actor":`, `"$correlationId":`, `"$causationId":`} {
			if !strings.Contains(string(r.Metadata), name) {
				t.Errorf("%s lacks %s", r.Metadata, name)
			}
		}
		if r.ID != eventstore.EventID("till-A", "k", events, r.Data) || r.Schema != 1 || r.Kind != "till.moved" {
			t.Errorf("%+v", r.Proposed)
		}
		events++
	}
	if events != 2 {
		t.Fatalf("%d events", events)
	}
}

func TestTryWritesNothing(t *testing.T) {
	store := newTroubled()
	h := newHandler(store)
	must(t, h, "a", put{Till: "A", Coins: 5})
	try := func(id string, c any) (eventstore.Receipt, error) {
		hash, _ := eventstore.Hash("eventstore_test.put", c)
		return eventstore.Try(context.Background(), h, tills(), c, eventstore.Envelope{CommandID: id, Hash: hash})
	}
	appends := store.appends.Load()
	if r, err := try("k", put{Till: "A", Coins: 1}); err != nil || len(r.Events) != 1 || r.Version != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := try("k", put{Till: "A", Coins: -9}); !errors.Is(err, errEmpty) {
		t.Fatal(err)
	}
	if r, err := try("a", put{Till: "A", Coins: 5}); err != nil || !r.Repeated {
		t.Fatalf("%+v, %v", r, err)
	}
	if store.appends.Load() != appends {
		t.Fatal("written")
	}
	must(t, h, "b", put{Till: "A", Coins: -5}) // decided on what is there, not on what was tried
	audit(t, store, "till-A")
}

func TestFindAndUnless(t *testing.T) {
	store := memory.New(time.Now)
	h := newHandler(store)
	ctx := context.Background()
	must(t, h, "a", put{Till: "A", Coins: 5})
	for id, want := range map[string]bool{"a": true, "b": false} {
		if r, found, err := eventstore.Find(ctx, h, tills(), "till-A", id); err != nil || found != want || found != (len(r.Events) == 1) {
			t.Errorf("%s: %+v, %v", id, r, err)
		}
		_, err := runWith(ctx, h, eventstore.Envelope{CommandID: "unless " + id, Unless: id}, put{Till: "A", Coins: 1})
		if !errors.Is(err, eventstore.ErrCommandID) {
			t.Errorf("a blank in a command id: %v", err)
		}
		_, err = runWith(ctx, h, eventstore.Envelope{CommandID: "unless-" + id, Unless: id}, put{Till: "A", Coins: 1})
		if errors.Is(err, eventstore.ErrSeen) != want {
			t.Errorf("unless %s: %v", id, err)
		}
	}
	hash, _ := eventstore.Hash("eventstore_test.put", put{Till: "A", Coins: 5})
	if r, found, err := eventstore.Lookup(ctx, h, tills(), "till-A", eventstore.Envelope{CommandID: "a", Hash: hash}); err != nil || !found || r.Version != 1 {
		t.Errorf("%+v, %v, %v", r, found, err)
	}
	if _, found, err := eventstore.Lookup(ctx, h, tills(), "till-A", eventstore.Envelope{CommandID: "z"}); err != nil || found {
		t.Errorf("%v, %v", found, err)
	}
	err := eventstore.View(ctx, h, tills(), "till-A", func(s *till, v eventstore.Version) error {
		if *s != (till{2, 6}) || v != 2 {
			t.Errorf("%+v at %d", *s, v)
		}
		return errEmpty
	})
	if !errors.Is(err, errEmpty) {
		t.Errorf("what look says is lost: %v", err)
	}
}

// A log that holds what this program can't read stops the command: nothing is ever skipped.
func TestUnreadableEvents(t *testing.T) {
	good := eventstore.Proposed{ID: eventstore.EventID("s", "x", 0, nil), Kind: "till.moved", Schema: 1, Data: []byte(`{"count":1}`), Metadata: []byte(`{}`)}
	for name, spoil := range map[string]func(*eventstore.Proposed){
		"unknown kind":  func(p *eventstore.Proposed) { p.Kind = "till.burnt" },
		"later version": func(p *eventstore.Proposed) { p.Schema = 2 },
		"no version":    func(p *eventstore.Proposed) { p.Schema = 0 },
		"damaged":       func(p *eventstore.Proposed) { p.Data = []byte(`{"count":`) },
		"wrong type":    func(p *eventstore.Proposed) { p.Data = []byte(`{"count":"1"}`) },
	} {
		store := memory.New(time.Now)
		bad := good
		spoil(&bad)
		if _, err := store.Append(context.Background(), "till-A", 0, bad); err != nil {
			t.Fatal(err)
		}
		h := newHandler(store)
		for range 2 {
			_, err := run(h, "k", put{Till: "A", Coins: 1})
			if !errors.Is(err, domain.ErrSchema) || !strings.Contains(err.Error(), "position 1 of till-A") {
				t.Errorf("%s: %v", name, err)
			}
		}
		must(t, h, "k", put{Till: "B", Coins: 1})
	}
}

func TestCodecRefusesWhatIsNotInTheCatalog(t *testing.T) {
	if _, err := eventstore.NewCodec(nil).Encode(moved{}); !errors.Is(err, domain.ErrSchema) {
		t.Error(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("two schemas for one kind")
		}
	}()
	eventstore.NewCodec([]domain.Schema{domain.Describe[moved](), domain.Describe[moved]()})
}

func TestEventIDs(t *testing.T) {
	seen := make(map[string]bool)
	for _, id := range []string{
		eventstore.EventID("s", "k", 0, nil).String(), eventstore.EventID("s", "k", 1, nil).String(), eventstore.EventID("s", "k", 256, nil).String(),
		eventstore.EventID("s", "j", 0, nil).String(), eventstore.EventID("sk", "", 0, nil).String(), eventstore.EventID("s", "k", 0, []byte("{}")).String(),
	} {
		if seen[id] {
			t.Errorf("%s twice", id)
		}
		seen[id] = true
	}
	// Repeats must be recognized by every later version of the program.
	if got := eventstore.EventID("till-A", "k", 0, []byte(`{"count":1}`)).String(); got != "c52db892-e1dc-5fae-ad15-c75e3d5d9ae5" {
		t.Errorf("event ids have changed: %s", got)
	}
}
