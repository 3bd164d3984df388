// Package scenario tells a rule of the books as a test: given these facts, when this is asked, then those facts
// follow or the rule refuses.
//
//	scenario.For(t, seller.Decider, seller.Events).
//		Given(registered).
//		When(seller.ChangeSeller{...}).
//		Then(seller.Changed{...})
//
// Behind each step stand checks that no test has to ask for: every event, given or produced, is written as JSON, read
// back by its schema and must be the same; Decide must answer the same twice and leave the books alone; Evolve must
// give the same books when the history is folded again; and an audit must find nothing in what Decide states.
package scenario

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/urikake/urikake/domain"
)

// Options compare events: domain values by what they are worth, and no list like an empty list.
var Options = cmp.Options{
	cmp.Comparer(func(a, b domain.Money) bool { return a == b }),
	cmp.Comparer(func(a, b domain.Date) bool { return a == b }),
	cmp.Comparer(func(a, b domain.Decimal) bool { return a.Equal(b.Decimal) }),
	cmpopts.EquateEmpty(),
}

// Scenario is one stream's history so far and the books it gives.
type Scenario[C, S any] struct {
	t       testing.TB
	decider domain.Decider[C, S]
	schemas map[string]domain.Schema
	check   func(S) error
	history []domain.Event
	state   S
}

// For begins with empty books. schemas are all kinds of event that the aggregate writes.
func For[C, S any](t testing.TB, decider domain.Decider[C, S], schemas []domain.Schema) *Scenario[C, S] {
	s := &Scenario[C, S]{t: t, decider: decider, schemas: make(map[string]domain.Schema), state: decider.New()}
	for _, schema := range schemas {
		s.schemas[schema.Kind] = schema
	}
	return s
}

// Check has an invariant looked at after every event from here on.
func (s *Scenario[C, S]) Check(invariant func(S) error) *Scenario[C, S] {
	s.check = invariant
	return s
}

// Given takes events as having happened.
func (s *Scenario[C, S]) Given(events ...domain.Event) *Scenario[C, S] {
	s.t.Helper()
	for _, e := range events {
		read := s.throughJSON(e)
		s.history = append(s.history, read)
		s.state = s.decider.Evolve(s.state, read)
		if s.check != nil {
			if err := s.check(s.state); err != nil {
				s.t.Fatalf("after %s %+v: %v", e.Kind(), e, err)
			}
		}
	}
	return s
}

// State is the books as they stand.
func (s *Scenario[C, S]) State() S { return s.state }

// When asks for a command; Then, Nothing, Refused or RefusedAt says what must come of it.
func (s *Scenario[C, S]) When(command C) *Outcome[C, S] {
	s.t.Helper()
	events, err := s.decider.Decide(s.state, command)
	again, errAgain := s.decider.Decide(s.state, command)
	if diff := cmp.Diff(events, again, Options); diff != "" || (err == nil) != (errAgain == nil) || err != nil && err.Error() != errAgain.Error() {
		s.t.Fatalf("%T decided twice differs (-first +second): %v, %v\n%s", command, err, errAgain, diff)
	}
	replayed := s.decider.New()
	for _, e := range s.history {
		replayed = s.decider.Evolve(replayed, e)
	}
	if !reflect.DeepEqual(s.state, replayed) {
		s.t.Fatalf("%T: Decide changed the books, or Evolve gives others when folded again:\n%+v\n%+v", command, s.state, replayed)
	}
	if err != nil && len(events) > 0 {
		s.t.Fatalf("%T is refused (%v) and yet states %d events", command, err, len(events))
	}
	s.audit(replayed, command, events)
	return &Outcome[C, S]{s, command, events, err}
}

// audit looks at events as they follow books that are the scenario's own no more.
func (s *Scenario[C, S]) audit(books S, command C, events []domain.Event) {
	s.t.Helper()
	if s.decider.Audit == nil {
		return
	}
	for _, e := range events {
		read := s.throughJSON(e)
		if err := s.decider.Audit(books, s.decider.Stream(command), read); err != nil {
			s.t.Fatalf("%T states what an audit finds fault with: %s %+v: %v", command, e.Kind(), e, err)
		}
		books = s.decider.Evolve(books, read)
	}
}

func (s *Scenario[C, S]) throughJSON(e domain.Event) domain.Event {
	s.t.Helper()
	schema, ok := s.schemas[e.Kind()]
	if !ok {
		s.t.Fatalf("%s is not among the aggregate's schemas", e.Kind())
	}
	data, err := json.Marshal(e)
	if err != nil {
		s.t.Fatalf("%s can't be written: %v", e.Kind(), err)
	}
	read, err := schema.Decode(schema.Version, data)
	if err != nil {
		s.t.Fatalf("%s can't be read back: %v\n%s", e.Kind(), err, data)
	}
	if diff := cmp.Diff(e, read, Options); diff != "" {
		s.t.Fatalf("%s is another event after JSON (-before +after):\n%s\n%s", e.Kind(), diff, data)
	}
	return read
}

// Outcome is what came of a command.
type Outcome[C, S any] struct {
	scenario *Scenario[C, S]
	command  C
	events   []domain.Event
	err      error
}

// Then wants exactly these events, in this order; the scenario goes on after them.
func (o *Outcome[C, S]) Then(events ...domain.Event) *Scenario[C, S] {
	s := o.scenario
	s.t.Helper()
	if o.err != nil {
		s.t.Fatalf("%T is refused: %v", o.command, o.err)
	}
	if diff := cmp.Diff(events, o.events, Options); diff != "" {
		s.t.Fatalf("%T states other events (-want +got):\n%s", o.command, diff)
	}
	return s.Given(o.events...)
}

// Nothing wants neither event nor refusal: it is so already.
func (o *Outcome[C, S]) Nothing() *Scenario[C, S] {
	o.scenario.t.Helper()
	return o.Then()
}

// Refused wants a refusal by this rule, perhaps among others; the scenario goes on with the books as they were.
func (o *Outcome[C, S]) Refused(want *domain.Error) *Scenario[C, S] {
	o.scenario.t.Helper()
	if !errors.Is(o.err, want) {
		o.scenario.t.Fatalf("%T: want %s, got %v and %d events", o.command, want.Rule, o.err, len(o.events))
	}
	return o.scenario
}

// RefusedAt wants a refusal by this rule that names this field, a JSON pointer such as "/lines/0/rate".
func (o *Outcome[C, S]) RefusedAt(want *domain.Error, field string) *Scenario[C, S] {
	o.scenario.t.Helper()
	var many domain.Faults
	var one *domain.Error
	if !errors.As(o.err, &many) && errors.As(o.err, &one) {
		many = domain.Faults{one}
	}
	for _, e := range many {
		if e.Rule == want.Rule && e.Field == field {
			return o.scenario
		}
	}
	o.scenario.t.Fatalf("%T: want %s at %s, got %v and %d events", o.command, want.Rule, field, o.err, len(o.events))
	return nil
}
