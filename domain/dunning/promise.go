package dunning

import "github.com/urikake/urikake/domain"

// Promise is the debtor's word to pay an amount by a day (支払約束). It stops reminders until then; it is no agreement,
// so that an agency may take it down and the creditor gives nothing away by it.
type Promise struct {
	ID     PromiseID
	Amount domain.Money
	MadeOn domain.Date
	Day    domain.Date
}

// PayBy is the day until which money for it is waited for: its own, or the next on which banks work.
func (p Promise) PayBy() domain.Date { return domain.JapanBankDays().Next(p.Day) }

// outcome is what came of it, by the money that was received from the day on which it was made.
func (p Promise) outcome(received int64) PromiseOutcome {
	switch {
	case received >= p.Amount.Minor():
		return Kept
	case received > 0:
		return PartlyKept
	}
	return Broken
}

// PromiseOutcome says what came of a promise.
type PromiseOutcome string

const (
	Kept       PromiseOutcome = "KEPT"
	PartlyKept PromiseOutcome = "PARTLY_KEPT"
	Broken     PromiseOutcome = "BROKEN"
)

// PromiseDaysMax is how far ahead a promise may lie: what is later is a matter of agreement.
const PromiseDaysMax = 92

var (
	ErrBadPromise = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.bad_promise_day",
		Text: "a promise is for the day on which it is made or one of the next 92; a later day is an agreement on time, which is the creditor's: AgreePaymentPlan",
	}
	ErrUnknownPromise = &domain.Error{
		Code: domain.NotFound, Rule: "dunning.unknown_promise",
		Text: "the case has no such promise that is open",
	}
	ErrOutcomeDiffers = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.outcome_differs",
		Text: "a promise is KEPT when all of it was received, PARTLY_KEPT when some was, BROKEN when nothing was",
	}
	ErrNotOver = &domain.Error{
		Code: domain.Refused, Rule: "dunning.not_over",
		Text: "there is still time to pay on the day, or on the bank business day after it",
	}
	ErrPromiseRuns = &domain.Error{
		Code: domain.Refused, Rule: "dunning.promise_runs",
		Text: "the debtor has promised to pay; wait for the day, or settle the promise",
	}
)

// RecordPromise takes down what the debtor promises. A promise that is still open is replaced by it.
// Refuses dunning.repeated_id, dunning.bad_promise_day.
type RecordPromise struct {
	Order
	Promise PromiseID    `json:"promise,omitempty" doc:"id within the case; derived from the command's id when left out"`
	Amount  domain.Money `json:"amount" doc:"how much"`
	Day     domain.Date  `json:"day" doc:"by when: this day or one of the next 92"`
	By      string       `json:"by,omitzero" doc:"who promised, up to 300 bytes" personal:"true"`
}

func (RecordPromise) Name() string { return "RecordPromise" }

func (c RecordPromise) check(f *domain.Faults) {
	c.Order.check(f)
	f.Add("/promise", domain.CheckID(c.Promise))
	c.positive(f, "/amount", c.Amount)
	date(f, "/day", c.Day)
	ahead := c.Day.DaysSince(c.On)
	f.Require(c.Day.IsZero() || ahead >= 0 && ahead <= PromiseDaysMax, "/day", ErrBadPromise.With("%s, promised on %s", c.Day, c.On))
	f.Add("/by", domain.CheckLine(c.By, false, NameMax))
}

func (c RecordPromise) decide(s *State, _ Facts) ([]domain.Event, error) {
	if err := s.fresh("promise", string(c.Promise)); err != nil {
		return nil, err
	}
	e := PromiseRecorded{Promise: c.Promise, MadeOn: c.On, Amount: c.Amount, Day: c.Day, By: c.By, Acting: c.As()}
	if s.Promise != nil {
		e.Replaces = s.Promise.ID
	}
	return []domain.Event{e}, nil
}

// PromiseRecorded says what the debtor promised to pay, and by when.
type PromiseRecorded struct {
	Promise  PromiseID    `json:"promise" doc:"id within the case"`
	MadeOn   domain.Date  `json:"on" doc:"the day on which it was made"`
	Amount   domain.Money `json:"amount" doc:"how much"`
	Day      domain.Date  `json:"day" doc:"by when"`
	By       string       `json:"by,omitzero" doc:"who promised" personal:"true"`
	Replaces PromiseID    `json:"replaces,omitempty" doc:"the promise that was open until then"`
	Acting   Capacity     `json:"acting" doc:"who took it down: AGENCY or CREDITOR"`
}

func (PromiseRecorded) Kind() string      { return "dunning.promise_recorded" }
func (e PromiseRecorded) On() domain.Date { return e.MadeOn }

func (e PromiseRecorded) apply(s *State) {
	s.took("promise", string(e.Promise))
	s.Promise = &Promise{e.Promise, e.Amount, e.MadeOn, e.Day}
}

// SettlePromise says what came of a promise. A run finds it from the money received; settled once, it is so.
// Refuses dunning.unknown_promise, dunning.outcome_differs, dunning.not_over, dunning.before_beginning.
type SettlePromise struct {
	Order
	Promise  PromiseID      `json:"promise" doc:"the promise"`
	Outcome  PromiseOutcome `json:"outcome" doc:"KEPT, PARTLY_KEPT or BROKEN"`
	Received domain.Money   `json:"received,omitzero" doc:"what was received from the day on which it was made; nothing when left out"`
}

func (SettlePromise) Name() string { return "SettlePromise" }

func (c SettlePromise) check(f *domain.Faults) {
	c.Order.check(f)
	f.Add("/promise", domain.CheckID(c.Promise))
	oneOf(f, "/outcome", c.Outcome, Kept, PartlyKept, Broken)
	c.received(f, "/received", c.Received)
}

func (c SettlePromise) decide(s *State, _ Facts) ([]domain.Event, error) {
	p := s.Promise
	switch {
	case p == nil || p.ID != c.Promise:
		return nil, ErrUnknownPromise.With("%s", c.Promise).At("/promise")
	case c.Outcome != p.outcome(c.Received.Minor()):
		return nil, ErrOutcomeDiffers.With("%s promised, %s received", p.Amount, c.money(c.Received.Minor())).At("/outcome")
	case c.On.Before(p.MadeOn):
		return nil, ErrTooEarly.With("made on %s", p.MadeOn).At("/on")
	case c.Outcome != Kept && !c.On.After(p.PayBy()):
		return nil, ErrNotOver.With("until %s", p.PayBy()).At("/on")
	}
	return []domain.Event{PromiseSettled{c.Promise, c.On, c.Outcome, p.Amount, c.money(c.Received.Minor())}}, nil
}

// PromiseSettled says whether a promise was kept.
type PromiseSettled struct {
	Promise   PromiseID      `json:"promise" doc:"the promise"`
	SettledOn domain.Date    `json:"on" doc:"the day on which it was found"`
	Outcome   PromiseOutcome `json:"outcome" doc:"KEPT, PARTLY_KEPT or BROKEN"`
	Amount    domain.Money   `json:"amount" doc:"what was promised"`
	Received  domain.Money   `json:"received" doc:"what was received"`
}

func (PromiseSettled) Kind() string      { return "dunning.promise_settled" }
func (e PromiseSettled) On() domain.Date { return e.SettledOn }
func (e PromiseSettled) apply(s *State)  { s.Promise = nil }
