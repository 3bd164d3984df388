package dunning

import "github.com/urikake/urikake/domain"

// Promise is the debtor's word to pay an amount by a day (支払約束). It stops reminders until then; it is no agreement,
// so that an agency may take it down and the creditor gives nothing away by it.
type Promise struct {
	ID     PromiseID
	Amount domain.Money
	MadeOn domain.Date
	Day    domain.Date
	Items  []Covered   // what it is about; none in promises of earlier times
	PayBy  domain.Date // until when money for it is waited for: its day, or the next on which the seller's banks work
}

// payBy is the day that was recorded, or the next on which Japanese banks work, as in events of earlier times.
func payBy(recorded, day domain.Date) domain.Date {
	if recorded.IsZero() {
		return domain.JapanBankDays().Next(day)
	}
	return recorded
}

// outcome is what the books say on a day: what came of it, what was paid for it in time, and how much was to be paid.
func (p Promise) outcome(d Debtor, on domain.Date) (o PromiseOutcome, paid, toPay int64) {
	by := p.PayBy
	if on.Before(by) {
		by = on
	}
	paid, least := d.came(p.Items, p.MadeOn, by)
	toPay = min(p.Amount.Minor(), least)
	switch {
	case paid >= toPay:
		return Kept, paid, toPay
	case paid > 0:
		return PartlyKept, paid, toPay
	}
	return Broken, paid, toPay
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
		Code: domain.Refused, Rule: "dunning.outcome_differs",
		Text: "the books say otherwise: a promise is KEPT when all of it was paid in time, PARTLY_KEPT when some was, BROKEN when nothing was",
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

// RecordPromise takes down what the debtor promises, and about which invoices and late charges. A promise that is still
// open is replaced by it. Refuses dunning.repeated_id, dunning.bad_promise_day, dunning.nothing_open.
type RecordPromise struct {
	Order
	Promise  PromiseID          `json:"promise,omitempty" doc:"id within the case; derived from the command's id when left out"`
	Amount   domain.Money       `json:"amount" doc:"how much"`
	Day      domain.Date        `json:"day" doc:"by when: this day or one of the next 92"`
	Invoices []domain.InvoiceID `json:"invoices,omitempty" doc:"the open invoices and late charges that it is about; when left out, all that is late and, as far as the amount asks for more, what falls due next"`
	By       string             `json:"by,omitzero" doc:"who promised, up to 300 bytes" personal:"true"`
}

func (RecordPromise) Name() string { return "RecordPromise" }

func (c RecordPromise) check(f *domain.Faults) {
	c.Order.check(f)
	f.Add("/promise", domain.CheckID(c.Promise))
	c.positive(f, "/amount", c.Amount)
	date(f, "/day", c.Day)
	ahead := c.Day.DaysSince(c.On)
	f.Require(c.Day.IsZero() || ahead >= 0 && ahead <= PromiseDaysMax, "/day", ErrBadPromise.With("%s, promised on %s", c.Day, c.On))
	checkInvoices(f, c.Invoices)
	f.Add("/by", domain.CheckLine(c.By, false, NameMax))
}

func (c RecordPromise) decide(s *State, facts Facts) ([]domain.Event, error) {
	if err := s.fresh("promise", string(c.Promise)); err != nil {
		return nil, err
	}
	items, err := facts.Debtor.cover(c.Invoices, c.Amount.Minor(), c.On)
	if err != nil {
		return nil, err
	}
	e := PromiseRecorded{
		Promise: c.Promise, MadeOn: c.On, Amount: c.Amount, Day: c.Day, PayBy: facts.BankDays.Days().Next(c.Day), Items: items, By: c.By, Acting: c.As(),
	}
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
	PayBy    domain.Date  `json:"pay_by,omitzero" doc:"until when money for it is waited for: that day, or the next on which the seller's banks work; absent in events of earlier times: on which Japanese banks do"`
	Items    []Covered    `json:"items,omitempty" doc:"what it is about, up to 2000; absent in events of earlier times, which any money kept"`
	By       string       `json:"by,omitzero" doc:"who promised" personal:"true"`
	Replaces PromiseID    `json:"replaces,omitempty" doc:"the promise that was open until then"`
	Acting   Capacity     `json:"acting" doc:"who took it down: AGENCY or CREDITOR"`
}

func (PromiseRecorded) Kind() string      { return "dunning.promise_recorded" }
func (e PromiseRecorded) On() domain.Date { return e.MadeOn }

func (e PromiseRecorded) apply(s *State) {
	s.took("promise", string(e.Promise))
	s.Promise = &Promise{e.Promise, e.Amount, e.MadeOn, e.Day, e.Items, e.Until()}
}

// Until is the day until which money for it is waited for, also in events of earlier times.
func (e PromiseRecorded) Until() domain.Date { return payBy(e.PayBy, e.Day) }

// SettlePromise says what came of a promise, as a run finds it. The books are asked whether it is so: see Debtor.came.
// Settled once, it stays so. Refuses dunning.unknown_promise, dunning.before_beginning, dunning.outcome_differs,
// dunning.received_differs, dunning.not_over, and dunning.bank_data_old where payments in time may not be in the books yet.
type SettlePromise struct {
	Order
	Promise  PromiseID      `json:"promise" doc:"the promise"`
	Outcome  PromiseOutcome `json:"outcome" doc:"KEPT, PARTLY_KEPT or BROKEN"`
	Received domain.Money   `json:"received,omitzero" doc:"what was paid for it in time, to be compared with the books; they alone count when left out"`
}

func (SettlePromise) Name() string { return "SettlePromise" }

func (c SettlePromise) check(f *domain.Faults) {
	c.Order.check(f)
	f.Add("/promise", domain.CheckID(c.Promise))
	oneOf(f, "/outcome", c.Outcome, Kept, PartlyKept, Broken)
	c.received(f, "/received", c.Received)
}

func (c SettlePromise) decide(s *State, facts Facts) ([]domain.Event, error) {
	p := s.Promise
	switch {
	case p == nil || p.ID != c.Promise:
		return nil, ErrUnknownPromise.With("%s", c.Promise).At("/promise")
	case c.On.Before(p.MadeOn):
		return nil, ErrTooEarly.With("made on %s", p.MadeOn).At("/on")
	}
	outcome, paid, toPay := p.outcome(facts.Debtor, c.On)
	switch {
	case outcome != Kept && c.Outcome != Kept && !c.On.After(p.PayBy):
		return nil, ErrNotOver.With("until %s", p.PayBy).At("/on")
	case c.Outcome != outcome:
		return nil, ErrOutcomeDiffers.With("%s: %s was to be paid, %s was", outcome, c.money(toPay), c.money(paid)).At("/outcome")
	case c.Received.Minor() != 0 && c.Received.Minor() != paid:
		return nil, ErrReceivedDiffers.With("%s", c.money(paid)).At("/received")
	case outcome != Kept && !facts.Debtor.covers(facts.Policy.Policy, p.PayBy):
		return nil, ErrBankDataOld.With("%s, and there was time until %s", through(facts.Debtor.BankDataOn), p.PayBy).At("/on")
	}
	e := PromiseSettled{Promise: c.Promise, SettledOn: c.On, Outcome: outcome, Amount: p.Amount, Received: c.money(paid)}
	if less := p.Amount.Minor() - toPay; less > 0 {
		e.Reduced = c.money(less)
	}
	return []domain.Event{e}, nil
}

// PromiseSettled says whether a promise was kept.
type PromiseSettled struct {
	Promise   PromiseID      `json:"promise" doc:"the promise"`
	SettledOn domain.Date    `json:"on" doc:"the day on which it was found"`
	Outcome   PromiseOutcome `json:"outcome" doc:"KEPT, PARTLY_KEPT or BROKEN"`
	Amount    domain.Money   `json:"amount" doc:"what was promised"`
	Reduced   domain.Money   `json:"reduced,omitzero" doc:"what credit notes and the like took off it"`
	Received  domain.Money   `json:"received" doc:"what was paid for it in time"`
}

func (PromiseSettled) Kind() string      { return "dunning.promise_settled" }
func (e PromiseSettled) On() domain.Date { return e.SettledOn }
func (e PromiseSettled) apply(s *State)  { s.Promise = nil }
