package dunning

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/urikake/urikake/domain"
	rules "github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/projections"
)

// SimulationRequest asks what a policy would have done in the past.
type SimulationRequest struct {
	Seller   domain.SellerID
	Policy   rules.Policy // instead of all that the seller has
	From, To domain.Date
	As       rules.Capacity        // in whose name; CREDITOR when empty, so that every level is seen
	Within   int                   // days within which a payment counts as one that would have come anyway; 7 when zero
	AsKnown  bool                  // decide each day by what the books knew on that day, not by what they know now
	Progress func(done, total int) // unless nil, hears how many days are done
}

// Limits of a simulation.
const (
	SimulatedDaysMax = 3660 // ten years
	withinDays       = 7
)

// ErrSimulatedDays refuses a simulation of no day, of too many, or of days that are not over.
var ErrSimulatedDays = &domain.Error{
	Code: domain.Invalid, Rule: "dunning.simulated_days",
	Text: "a simulation goes from a day to the same or a later one, over at most 3660 days, none of them in the future",
}

// Comparison is what a policy would have done, beside what was done.
type Comparison struct {
	From      domain.Date      `json:"from" doc:"first day"`
	To        domain.Date      `json:"to" doc:"last day"`
	Days      int              `json:"days" doc:"days from the one to the other"`
	Debtors   int              `json:"debtors" doc:"debtors who owed something on one of the days, by currency"`
	Reminded  int              `json:"reminded" doc:"debtors that the policy would have reminded"`
	Reminders int              `json:"reminders" doc:"reminders that it would have sent"`
	Levels    []SimulatedLevel `json:"levels" doc:"the same by level, in the policy's order; then levels that were sent and the policy does not have"`
	Actual    int              `json:"actual" doc:"reminders that were sent in the time"`
	Anyway    int              `json:"paid_anyway" doc:"reminders that were paid within so many days in the past as it was: many of them without it"`
	Within    int              `json:"within" doc:"how many days"`
	Settled   int              `json:"settled" doc:"reminders whose items were all paid until the last day"`
	DaysToPay int              `json:"days_to_pay" doc:"how many days that took, in the middle (median)"`
}

// SimulatedLevel is a level in a comparison.
type SimulatedLevel struct {
	Level     rules.LevelID  `json:"level_name" doc:"the level"`
	Reminders int            `json:"reminders" doc:"reminders that the policy would have sent"`
	Debtors   int            `json:"debtors" doc:"to so many debtors"`
	Asked     []domain.Money `json:"asked,omitempty" doc:"what they would have asked for, one amount a currency"`
	Actual    int            `json:"actual" doc:"reminders of this level that were sent"`
}

// Simulate goes through the past day by day and decides by a policy as a run would, on what was open on each day. Holds,
// promises, plans and hand-overs count as they were recorded; a reminder goes out on the day on which it is decided, and
// bank data is taken as complete. What people would have done upon a reminder nobody knows: they pay when they paid.
// Nothing is written.
//
// A day takes what EachDebtor takes; memory is what the debtors' cases take.
// Refuses dunning.simulated_days, dunning.unknown_seller, and what the policy's own rules refuse.
func Simulate(ctx context.Context, b Books, r SimulationRequest) (Comparison, error) {
	today, err := b.day(ctx, r.Seller, domain.Date{})
	if err != nil {
		return Comparison{}, err
	}
	r.As, r.Within = cmp.Or(r.As, rules.Creditor), cmp.Or(r.Within, withinDays)
	days := r.To.DaysSince(r.From) + 1
	if r.From.IsZero() || r.To.IsZero() || days < 1 || days > SimulatedDaysMax || r.To.After(today) {
		return Comparison{}, ErrSimulatedDays.With("from %s to %s", r.From, r.To)
	}
	if err := r.Policy.Check(); err != nil {
		return Comparison{}, err
	}
	s := newSimulation(b, r, days)
	for n := range days {
		if err := s.day(ctx, r.From.AddDays(n)); err != nil {
			return Comparison{}, err
		}
		if r.Progress != nil {
			r.Progress(n+1, days)
		}
	}
	if err := s.actual(ctx); err != nil {
		return Comparison{}, err
	}
	return s.compared(), nil
}

type simulation struct {
	Books
	SimulationRequest
	policy  rules.Versioned
	debtors map[rules.Key]*simulated
	out     Comparison
	levels  map[rules.LevelID]*SimulatedLevel
	took    []int // days until a reminder was paid
}

// simulated is a debtor's case as it would have been.
type simulated struct {
	state    *rules.State
	recorded []rules.Event // about the case, which are not before the day; those of reminders are left out
	open     []outstanding
	levels   map[rules.LevelID]bool
	seen     domain.Date
}

// outstanding is a reminder of which something is still open.
type outstanding struct {
	on    domain.Date
	items map[domain.InvoiceID]bool
}

func newSimulation(b Books, r SimulationRequest, days int) *simulation {
	s := &simulation{
		Books: b, SimulationRequest: r, policy: rules.Versioned{ID: "simulated", Version: 1, Policy: r.Policy},
		debtors: make(map[rules.Key]*simulated), levels: make(map[rules.LevelID]*SimulatedLevel),
		out: Comparison{From: r.From, To: r.To, Days: days, Within: r.Within},
	}
	for _, l := range r.Policy.Levels {
		s.level(l.ID)
	}
	return s
}

func (s *simulation) level(id rules.LevelID) *SimulatedLevel {
	if l := s.levels[id]; l != nil {
		return l
	}
	s.levels[id] = &SimulatedLevel{Level: id}
	return s.levels[id]
}

// day decides on everybody who owes something on a day.
func (s *simulation) day(ctx context.Context, on domain.Date) error {
	q := projections.DebtorsQuery{Seller: s.Seller, AsOf: on}
	if s.AsKnown {
		settings, err := s.Ledger.Settings(ctx, s.Seller)
		if err != nil {
			return err
		}
		if q.KnownAt, err = endOf(on, settings.TimeZone); err != nil {
			return err
		}
	}
	_, err := s.Views.EachDebtor(ctx, q, func(d projections.Debtor) error {
		d.Facts.BankDataOn = on
		c, err := s.of(ctx, d)
		if err != nil {
			return err
		}
		c.seen = on
		c.replay(on)
		s.paid(c, d.Facts.Items, on)
		s.decide(c, d.Facts, on)
		return nil
	})
	for key, c := range s.debtors { // who owes nothing any more
		if err != nil || c.seen == on || !c.state.Open() {
			continue
		}
		nothing := domain.NewMoney(0, key.Currency)
		c.replay(on)
		s.paid(c, nil, on)
		s.decide(c, rules.Debtor{Key: key, Unapplied: nothing, Unmatched: nothing, BankDataOn: on}, on)
	}
	return err
}

// endOf is the last moment of a day in a zone.
func endOf(on domain.Date, zone string) (projections.KnownAt, error) {
	where, err := time.LoadLocation(zone)
	if err != nil {
		return projections.KnownAt{}, err
	}
	return projections.ParseKnownAt(on.String(), where)
}

// of is a debtor's case, with what was recorded about it.
func (s *simulation) of(ctx context.Context, d projections.Debtor) (*simulated, error) {
	c := s.debtors[d.Facts.Key]
	if c != nil {
		return c, nil
	}
	c = &simulated{state: rules.Decider.New(), levels: make(map[rules.LevelID]bool)}
	s.debtors[d.Facts.Key] = c
	if !d.HasCase {
		return c, nil
	}
	err := s.Ledger.EachCaseEvent(ctx, d.Facts.Key, func(e rules.Event) error {
		switch e.(type) {
		case rules.ReminderQueued, rules.ReminderSent, rules.ReminderDropped, rules.CaseClosed:
		default:
			c.recorded = append(c.recorded, e)
		}
		return nil
	})
	return c, err
}

// replay applies what was recorded until a day, where the case as it would have been still knows what it is about.
func (c *simulated) replay(until domain.Date) {
	for len(c.recorded) > 0 && !c.recorded[0].On().After(until) {
		e := c.recorded[0]
		c.recorded = c.recorded[1:]
		switch e.(type) {
		case rules.InstalmentMissed, rules.PlanAccelerated:
			if c.state.Plan == nil {
				continue
			}
		}
		c.state = rules.Decider.Evolve(c.state, e)
	}
}

// decide takes the steps of a day's decision, as far as they are the case's own.
func (s *simulation) decide(c *simulated, facts rules.Debtor, on domain.Date) {
	d := rules.Decide(s.policy, c.state, facts, on, s.As)
	for _, step := range d.Steps {
		if step.Do == rules.DoClose {
			c.state = rules.Decider.Evolve(c.state, rules.CaseClosed{Generation: c.state.Generation, ClosedOn: on, Reason: rules.ClosePaid, Acting: s.As})
		}
	}
	if !d.Reminds() {
		return
	}
	r := *d.Reminder
	r.ID = rules.ReminderID("R-" + on.String())
	c.state = rules.Decider.Evolve(c.state, rules.ReminderQueued{Reminder: r})
	c.state = rules.Decider.Evolve(c.state, rules.ReminderSent{Reminder: r.ID, SentOn: on, Level: r.Level, LevelID: r.LevelID, Channel: r.Channel, Acting: s.As})
	o := outstanding{on, make(map[domain.InvoiceID]bool, len(r.Items))}
	for _, i := range r.Items {
		o.items[i.Invoice] = true
	}
	c.open = append(c.open, o)
	s.count(c, r)
}

// count adds a reminder to its level.
func (s *simulation) count(c *simulated, r rules.Reminder) {
	l := s.level(r.LevelID)
	s.out.Reminders++
	l.Reminders++
	if len(c.levels) == 0 {
		s.out.Reminded++
	}
	if !c.levels[r.LevelID] {
		l.Debtors++
		c.levels[r.LevelID] = true
	}
	at := slices.IndexFunc(l.Asked, func(m domain.Money) bool { return m.Currency() == r.ToPay.Currency() })
	if at < 0 {
		l.Asked = append(l.Asked, r.ToPay)
		return
	}
	l.Asked[at] = domain.NewMoney(l.Asked[at].Minor()+r.ToPay.Minor(), r.ToPay.Currency())
}

// paid takes the reminders of which nothing is open any more off the list.
func (s *simulation) paid(c *simulated, items []rules.Item, on domain.Date) {
	c.open = slices.DeleteFunc(c.open, func(o outstanding) bool {
		if slices.ContainsFunc(items, func(i rules.Item) bool { return o.items[i.ID] && i.Open.Minor() > 0 }) {
			return false
		}
		s.took = append(s.took, on.DaysSince(o.on))
		return true
	})
}

func (s *simulation) compared() Comparison {
	s.out.Debtors, s.out.Settled = len(s.debtors), len(s.took)
	slices.Sort(s.took)
	for _, days := range s.took {
		if days <= s.Within {
			s.out.Anyway++
		}
	}
	if n := len(s.took); n > 0 {
		s.out.DaysToPay = s.took[n/2]
	}
	for _, l := range s.Policy.Levels {
		s.out.Levels = append(s.out.Levels, *s.levels[l.ID])
		delete(s.levels, l.ID)
	}
	for _, id := range slices.Sorted(maps.Keys(s.levels)) {
		s.out.Levels = append(s.out.Levels, *s.levels[id])
	}
	return s.out
}

// actual counts what was sent in the time.
func (s *simulation) actual(ctx context.Context) error {
	q := projections.RemindersQuery{Seller: s.Seller, State: projections.ReminderSent}
	_, err := s.Views.EachReminder(ctx, q, func(r projections.ReminderRow) error {
		if !r.SentOn.Before(s.From) && !r.SentOn.After(s.To) {
			s.out.Actual++
			s.level(r.LevelID).Actual++
		}
		return nil
	})
	return err
}
