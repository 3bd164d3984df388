package scenario

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
)

// A till: coins go in and out, never below zero.
type (
	till    struct{ coins int }
	command struct {
		change int
		break_ string
	}
	changed struct{ Change int }
	lossy   struct {
		Secret int `json:"-"`
	}
	unlisted struct{}
)

func (changed) Kind() string  { return "till.changed" }
func (lossy) Kind() string    { return "till.lossy" }
func (unlisted) Kind() string { return "till.unlisted" }

var errEmpty = &domain.Error{Code: domain.Refused, Rule: "till.empty", Text: "not so many coins"}

var calls int

var decider = domain.Decider[command, *till]{
	New: func() *till { return &till{} },
	Decide: func(s *till, c command) ([]domain.Event, error) {
		switch {
		case c.break_ == "touches the books":
			s.coins += 100
		case c.break_ == "not the same twice":
			calls++
			return []domain.Event{changed{calls}}, nil
		case c.break_ == "refused with events":
			return []domain.Event{changed{1}}, errEmpty
		case c.break_ == "unlisted":
			return []domain.Event{unlisted{}}, nil
		case s.coins+c.change < 0:
			return nil, domain.Faults{errEmpty.With("%d", s.coins).At("/change")}
		case c.change == 0:
			return nil, nil
		}
		return []domain.Event{changed{c.change}}, nil
	},
	Evolve: func(s *till, e domain.Event) *till {
		if c, ok := e.(changed); ok {
			s.coins += c.Change
		}
		return s
	},
}

var schemas = []domain.Schema{domain.Describe[changed](), domain.Describe[lossy]()}

func TestHolds(t *testing.T) {
	s := For(t, decider, schemas).
		Check(func(s *till) error {
			if s.coins < 0 {
				return errEmpty
			}
			return nil
		}).
		Given(changed{5}).
		When(command{change: -3}).Then(changed{-3}).
		When(command{change: -3}).Refused(errEmpty).
		When(command{change: -3}).RefusedAt(errEmpty, "/change").
		When(command{}).Nothing()
	if s.State().coins != 2 {
		t.Errorf("%d coins", s.State().coins)
	}
}

// A test of a rule is only worth something if it fails when the rule is broken.
func TestFails(t *testing.T) {
	fails := func(name, want string, story func(testing.TB)) {
		t.Helper()
		r := &recorder{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() { _ = recover() }()
			story(r)
		}()
		<-done
		if !strings.Contains(r.message, want) {
			t.Errorf("%s: failed with %q, want %q", name, r.message, want)
		}
	}
	start := func(t testing.TB) *Scenario[command, *till] { return For(t, decider, schemas).Given(changed{5}) }
	fails("other event", "states other events", func(t testing.TB) { start(t).When(command{change: 1}).Then(changed{2}) })
	fails("missing event", "states other events", func(t testing.TB) { start(t).When(command{change: 1}).Nothing() })
	fails("surplus refusal", "is refused", func(t testing.TB) { start(t).When(command{change: -9}).Then(changed{-9}) })
	fails("no refusal", "want till.empty, got <nil>", func(t testing.TB) { start(t).When(command{change: 1}).Refused(errEmpty) })
	fails("other rule", "want input.missing, got till.empty", func(t testing.TB) { start(t).When(command{change: -9}).Refused(domain.ErrMissing) })
	fails("other field", "want till.empty at /coins", func(t testing.TB) { start(t).When(command{change: -9}).RefusedAt(errEmpty, "/coins") })
	fails("broken invariant", "after till.changed", func(t testing.TB) {
		For(t, decider, schemas).Check(func(*till) error { return errors.New("no") }).Given(changed{1})
	})
	fails("lost in JSON", "another event after JSON", func(t testing.TB) { start(t).Given(lossy{1}) })
	for _, how := range []string{"touches the books", "not the same twice", "refused with events"} {
		want := map[string]string{
			"touches the books": "Decide changed the books", "not the same twice": "decided twice differs",
			"refused with events": "and yet states 1 events",
		}[how]
		fails(how, want, func(t testing.TB) { start(t).When(command{change: 1, break_: how}) })
	}
	fails("unlisted event", "not among the aggregate's schemas", func(t testing.TB) {
		start(t).When(command{break_: "unlisted"}).Then(unlisted{})
	})
}

// recorder keeps the failure of a scenario that is meant to fail.
type recorder struct {
	testing.TB
	message string
}

func (r *recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) {
	r.message = fmt.Sprintf(format, args...)
	panic(r.message) // ends the story, as Fatalf would
}
