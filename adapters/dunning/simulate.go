package dunning

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/urikake/urikake/domain"
	rules "github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/projections"
)

// SimulationRequest asks what a policy would have done in the past.
type SimulationRequest struct {
	Seller    domain.SellerID
	Policy    rules.Policy // instead of all that the seller has
	From, To  domain.Date
	As        rules.Capacity        // in whose name; CREDITOR when empty, so that every level is seen
	Within    int                   // days within which a payment counts as one that would have come anyway; 7 when zero
	AsKnown   bool                  // decide each day by what the books knew on that day, not by what they know now
	Reachable bool                  // take every debtor as one whom every channel reaches: addresses can be found, a past can't
	Progress  func(done, total int) // unless nil, hears how many days are done
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

// Simulate goes through the past day by day and decides by a policy as a run would, on what was open on each day, and by
// the policies that the seller has today beside it. Holds, promises, plans and hand-overs count as they were recorded; a
// reminder goes out on the day on which it is decided, and bank data is taken as complete. What people would have done
// upon a reminder nobody knows: they pay when they paid. Nothing is written.
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
	s, err := newSimulation(ctx, b, r)
	if err != nil {
		return Comparison{}, err
	}
	for n := range days {
		if err := s.day(ctx, r.From.AddDays(n)); err != nil {
			return Comparison{}, err
		}
		if r.Progress != nil {
			r.Progress(n+1, days)
		}
	}
	return s.compared(days), nil
}

type simulation struct {
	Books
	SimulationRequest
	tried   *track
	today   *track // nil: the seller has no policy
	actual  *side  // what in fact went out
	debtors map[rules.Key]*simulated
	owing   int // debtors who owed something on one of the days
}

// track is one way to have dunned through the days.
type track struct {
	*side
	policy func(*simulated) rules.Versioned
}

// simulated is a debtor with its case as it would have been on each track.
type simulated struct {
	recorded []rules.Event // about the case, which are not before the day; those of reminders are left out
	sent     []sentReminder
	states   map[*track]*rules.State
	today    rules.Versioned // the policy that holds for it now; none without levels
	owes     bool
	seen     domain.Date
}

// sentReminder is one that in fact went out.
type sentReminder struct {
	on domain.Date
	rules.Reminder
}

func newSimulation(ctx context.Context, b Books, r SimulationRequest) (*simulation, error) {
	tried := rules.Versioned{ID: "simulated", Version: 1, Policy: r.Policy}
	s := &simulation{
		Books: b, SimulationRequest: r, debtors: make(map[rules.Key]*simulated), actual: newSide(r.Within),
		tried: &track{newSide(r.Within), func(*simulated) rules.Versioned { return tried }},
	}
	list, err := b.Ledger.Policies(ctx, r.Seller)
	if err != nil {
		return nil, err
	}
	if len(list) > 0 {
		s.today = &track{newSide(r.Within), func(c *simulated) rules.Versioned { return c.today }}
	}
	return s, s.went(ctx)
}

// went finds the debtors who were sent something in the time.
func (s *simulation) went(ctx context.Context) error {
	var keys []rules.Key
	q := projections.RemindersQuery{Seller: s.Seller, State: projections.ReminderSent}
	_, err := s.Views.EachReminder(ctx, q, func(r projections.ReminderRow) error {
		if !r.SentOn.Before(s.From) && !r.SentOn.After(s.To) && (len(keys) == 0 || keys[len(keys)-1] != r.Key) {
			keys = append(keys, r.Key)
		}
		return nil
	})
	for _, key := range keys {
		if err == nil {
			_, err = s.of(ctx, key, true)
		}
	}
	return err
}

// of is a debtor, with what was recorded about its case.
func (s *simulation) of(ctx context.Context, key rules.Key, hasCase bool) (*simulated, error) {
	c := s.debtors[key]
	if c != nil {
		return c, nil
	}
	c = &simulated{states: make(map[*track]*rules.State, 2)}
	s.debtors[key] = c
	for _, t := range s.tracks() {
		c.states[t] = rules.Decider.New()
	}
	var err error
	if c.today, _, err = s.Ledger.Policy(ctx, key.Seller, key.Customer); err != nil || !hasCase {
		return c, err
	}
	queued := make(map[rules.ReminderID]rules.Reminder)
	err = s.Ledger.EachCaseEvent(ctx, key, func(e rules.Event) error {
		switch e := e.(type) {
		case rules.ReminderQueued:
			queued[e.ID] = e.Reminder
		case rules.ReminderSent:
			if !e.SentOn.Before(s.From) && !e.SentOn.After(s.To) {
				c.sent = append(c.sent, sentReminder{e.SentOn, queued[e.Reminder]})
			}
		case rules.ReminderDropped, rules.CaseClosed:
		default:
			c.recorded = append(c.recorded, e)
		}
		return nil
	})
	return c, err
}

func (s *simulation) tracks() []*track {
	if s.today == nil {
		return []*track{s.tried}
	}
	return []*track{s.tried, s.today}
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
		c, err := s.of(ctx, d.Facts.Key, d.HasCase)
		if err != nil {
			return err
		}
		if !c.owes && len(d.Facts.Items) > 0 {
			c.owes = true
			s.owing++
		}
		s.goOn(c, d.Facts, on)
		return nil
	})
	if s.AsKnown && errors.Is(err, projections.ErrUnknownSeller) {
		err = nil // not yet registered on that day: nobody owed anything
	}
	for key, c := range s.debtors { // who owes nothing any more
		if err != nil || c.seen == on || !s.concerns(key, c) {
			continue
		}
		nothing := domain.NewMoney(0, key.Currency)
		s.goOn(c, rules.Debtor{Key: key, Unapplied: nothing, Unmatched: nothing}, on)
	}
	return err
}

// concerns tells that a debtor who owes nothing still has a case on some track, or a reminder whose payment is counted.
func (s *simulation) concerns(key rules.Key, c *simulated) bool {
	for _, t := range s.tracks() {
		if c.states[t].Open() || t.waits(key) {
			return true
		}
	}
	return len(c.sent) > 0 || s.actual.waits(key)
}

// endOf is the last moment of a day in a zone.
func endOf(on domain.Date, zone string) (projections.KnownAt, error) {
	where, err := time.LoadLocation(zone)
	if err != nil {
		return projections.KnownAt{}, err
	}
	return projections.ParseKnownAt(on.String(), where)
}

// goOn lets a debtor's day pass: what was recorded, what was paid, what is decided on each track, and what in fact was sent.
func (s *simulation) goOn(c *simulated, facts rules.Debtor, on domain.Date) {
	c.seen, facts.BankDataOn = on, on
	recorded := c.until(on)
	for _, t := range s.tracks() {
		c.states[t] = replay(c.states[t], recorded)
		t.paid(facts, on)
		s.decide(t, c, facts, on)
	}
	if c.owes { // else nobody knew yet what the reminder was about
		s.actual.paid(facts, on)
	}
	for len(c.sent) > 0 && !c.sent[0].on.After(on) {
		s.actual.add(facts.Key, c.sent[0].Reminder, c.sent[0].on, true)
		c.sent = c.sent[1:]
	}
}

// until takes what was recorded until a day off the list.
func (c *simulated) until(on domain.Date) (list []rules.Event) {
	n := 0
	for n < len(c.recorded) && !c.recorded[n].On().After(on) {
		n++
	}
	list, c.recorded = c.recorded[:n], c.recorded[n:]
	return list
}

// replay applies what was recorded, where the case as it would have been still knows what it is about.
func replay(state *rules.State, recorded []rules.Event) *rules.State {
	for _, e := range recorded {
		switch e.(type) {
		case rules.InstalmentMissed, rules.PlanAccelerated:
			if state.Plan == nil {
				continue
			}
		}
		state = rules.Decider.Evolve(state, e)
	}
	return state
}

// decide takes the steps of a day's decision, as far as they are the case's own.
func (s *simulation) decide(t *track, c *simulated, facts rules.Debtor, on domain.Date) {
	reached := facts.Addresses
	if s.Reachable {
		facts.Addresses = everywhere
	}
	d := rules.Decide(t.policy(c), c.states[t], facts, on, s.As)
	for _, step := range d.Steps {
		if step.Do == rules.DoClose {
			c.states[t] = rules.Decider.Evolve(c.states[t], rules.CaseClosed{Generation: c.states[t].Generation, ClosedOn: on, Reason: rules.ClosePaid, Acting: s.As})
		}
	}
	if !d.Reminds() {
		return
	}
	r := *d.Reminder
	r.ID = rules.ReminderID("R-" + on.String())
	c.states[t] = replay(c.states[t], []rules.Event{
		rules.ReminderQueued{Reminder: r},
		rules.ReminderSent{Reminder: r.ID, SentOn: on, Level: r.Level, LevelID: r.LevelID, Channel: r.Channel, Acting: s.As},
	})
	t.add(facts.Key, r, on, reaches(reached, r.Channel))
}

// everywhere is how a debtor is reached who is taken as reachable.
var everywhere = []rules.Address{
	{Channel: rules.Mail, Recipient: "assumed"},
	{Channel: rules.Letter, Recipient: "assumed"},
	{Channel: rules.Phone, Recipient: "assumed"},
	{Channel: rules.SMS, Recipient: "assumed"},
	{Channel: rules.RegisteredLetter, Recipient: "assumed"},
}

func reaches(list []rules.Address, c rules.Channel) bool {
	for _, a := range list {
		if a.Channel == c {
			return true
		}
	}
	return false
}
