package account

import "github.com/urikake/urikake/domain"

var (
	ErrChargeOnCharge = &domain.Error{
		Code: domain.Refused, Rule: "account.charge_on_charge",
		Text: "late charges bear no late charges (no compounding without the procedure of Civil Code article 405)",
	}
	ErrChargedAlready = &domain.Error{
		Code: domain.Refused, Rule: "account.charged_already",
		Text: "late charges for these days are assessed already",
	}
	ErrNotAccrued = &domain.Error{
		Code: domain.Invalid, Rule: "account.not_accrued",
		Text: "a late charge is assessed for days that are over: up to the day of assessment",
	}
	ErrNoLateCharge = &domain.Error{
		Code: domain.Refused, Rule: "account.no_late_charge",
		Text: "the late charge comes to nothing",
	}
	ErrNotACharge = &domain.Error{
		Code: domain.Refused, Rule: "account.not_a_late_charge",
		Text: "only a late charge can be waived; credit or write off an invoice",
	}
)

// AssessLateCharge makes a late charge on an overdue invoice a receivable. It is computed on what was open, segment by
// segment, each rounded down once; a given base replaces what was open. The first day charged is the day after From.
// Without a rate, rate and day count are those of the contract that holds for the claim, else the law's.
// Refuses account.unknown_invoice, account.charge_on_charge, account.charged_already, account.no_late_charge,
// account.exceeds_open, rate.not_published, and each field by its own rule.
type AssessLateCharge struct {
	Key
	Charge     domain.InvoiceID  `json:"charge,omitempty" doc:"id of the late charge within the account; derived from the command's id when left out"`
	Number     string            `json:"number,omitempty" doc:"document number, unique for the seller; the charge's id when left out"`
	Invoice    domain.InvoiceID  `json:"invoice" doc:"the overdue invoice"`
	Rate       domain.ChargeRate `json:"rate,omitzero" doc:"percent a year, above 0; what holds for the claim when left out: see SetLateTerms"`
	From       domain.Date       `json:"from,omitzero" doc:"the day before the first day charged; the due date, or the end of the last charge, when left out"`
	To         domain.Date       `json:"to" doc:"the last day charged"`
	Base       domain.Money      `json:"base,omitzero" doc:"principal; what was open on each day when left out"`
	DayCount   domain.DayCount   `json:"day_count,omitempty" doc:"ACT_365 (default with a rate) or CALENDAR_YEAR; what holds for the claim when left out without a rate"`
	AssessedOn domain.Date       `json:"on" doc:"the day from which it is owed"`
	DueOn      domain.Date       `json:"due_on,omitzero" doc:"its due date; the day of assessment when left out"`
}

func (AssessLateCharge) Name() string { return "AssessLateCharge" }

func (c AssessLateCharge) check(f *domain.Faults) {
	f.Add("/charge", domain.CheckID(c.Charge))
	f.Add("/number", domain.CheckText(c.Number, false, NumberMax))
	f.Add("/invoice", domain.CheckID(c.Invoice))
	f.Require(c.Rate >= 0 && c.Rate <= 10*domain.RateWhole, "/rate", domain.ErrBadRate.With("%s %%", domain.Rate(c.Rate)))
	date(f, "/to", c.To)
	f.Require(c.From.IsZero() || c.From.Before(c.To), "/from", domain.ErrBadDate.With("from %s is not before to %s", c.From, c.To))
	if c.Base != (domain.Money{}) {
		c.positive(f, "/base", c.Base)
	}
	oneOf(f, "/day_count", c.DayCount, "", domain.Act365, domain.CalendarYear)
	date(f, "/on", c.AssessedOn)
	f.Require(!c.To.After(c.AssessedOn), "/to", ErrNotAccrued.With("to %s, assessed %s", c.To, c.AssessedOn))
	f.Require(c.DueOn.IsZero() || !c.DueOn.Before(c.AssessedOn), "/due_on", ErrDueBeforeIssue.With("due %s, assessed %s", c.DueOn, c.AssessedOn))
}

func (c AssessLateCharge) decide(s *State, p Parties) ([]domain.Event, error) {
	it, err := s.find("/invoice", c.Invoice)
	switch {
	case err != nil:
		return nil, err
	case s.knows(c.Charge, p.Earlier):
		return nil, ErrRepeatedID.With("late charge %s", c.Charge).At("/charge")
	case it.charge:
		return nil, ErrChargeOnCharge.With("%s", c.Invoice).At("/invoice")
	case it.voided:
		return nil, ErrNoLateCharge.With("%s was voided", c.Invoice).At("/invoice")
	}
	earliest := domain.LaterOf(it.dueOn, it.rare().chargedUntil)
	if c.From.IsZero() {
		c.From = earliest
	}
	switch {
	case c.From.Before(it.dueOn):
		return nil, ErrBeforeIssue.With("%s is due on %s", it.id, it.dueOn).At("/from")
	case c.From.Before(earliest):
		return nil, ErrChargedAlready.With("to %s", earliest).At("/from")
	case c.Base.Minor() > it.moves.at(c.From):
		return nil, ErrExceedsOpen.With("%s, open on %s: %s", c.Base, c.From, c.money(it.moves.at(c.From))).At("/base")
	}
	if c, err = c.atRate(it, p); err != nil {
		return nil, err
	}
	segments, sum, err := c.segments(it)
	switch {
	case err != nil:
		return nil, err
	case sum == 0:
		return nil, ErrNoLateCharge.With("%s from %s to %s at %s %%", it.id, c.From, c.To, domain.Rate(c.Rate))
	case s.openTotal+sum > domain.MinorMax:
		return nil, ErrBalanceTooLarge
	}
	e := LateChargeAssessed{
		Charge: c.Charge, Number: c.Number, Invoice: c.Invoice, Rate: domain.Rate(c.Rate), From: c.From, To: c.To,
		DayCount: c.DayCount, Segments: segments, AssessedOn: c.AssessedOn, DueOn: c.DueOn, Amount: c.money(sum),
	}
	if e.Number == "" {
		e.Number = string(c.Charge)
	} else if _, err := s.numbered(c.Number, p); err != nil {
		return nil, err
	}
	if e.DueOn.IsZero() {
		e.DueOn = e.AssessedOn
	}
	return []domain.Event{e}, nil
}

// atRate fills in the rate and the day count that hold for the claim.
func (c AssessLateCharge) atRate(it *item, p Parties) (AssessLateCharge, error) {
	rule := domain.LateRule{Rate: domain.Rate(c.Rate), DayCount: domain.Act365}
	if c.Rate == 0 {
		rules := p.Late
		if rules == nil {
			rules = domain.LateContract{}.For
		}
		var err error
		if rule, err = rules(it.dueOn.AddDays(1)); err != nil {
			return c, err
		}
	}
	c.Rate = domain.ChargeRate(rule.Rate)
	if c.DayCount == "" {
		c.DayCount = rule.DayCount
	}
	return c, nil
}

// segments splits the days at each change of what was open and rounds each segment's charge down once.
// Complexity O(changes).
func (c AssessLateCharge) segments(it *item) (list []ChargeSegment, sum int64, err error) {
	for _, span := range c.spans(it) {
		if span.Base.IsZero() {
			continue
		}
		if span.Amount, err = domain.LateCharge(span.Base, domain.Rate(c.Rate), span.From, span.To, c.DayCount); err != nil {
			return nil, 0, err
		}
		if sum += span.Amount.Minor(); sum > domain.MinorMax {
			return nil, 0, domain.ErrOutOfRange.With("the late charge on %s", it.id).At("/rate")
		}
		list = append(list, span)
	}
	return list, sum, nil
}

// spans are the days to be charged, each with its principal. The day of a payment still bears a charge on what was open
// before it: the smaller principal counts from the next day.
func (c AssessLateCharge) spans(it *item) []ChargeSegment {
	if c.Base != (domain.Money{}) {
		return []ChargeSegment{{Base: c.Base, From: c.From, To: c.To}}
	}
	var list []ChargeSegment
	var open int64
	from := c.From
	for _, m := range it.moves {
		if m.delta != 0 && m.on.After(from) && from.Before(c.To) {
			to := m.on
			if to.After(c.To) {
				to = c.To
			}
			list = append(list, ChargeSegment{Base: c.money(open), From: from, To: to})
			from = to
		}
		open += m.delta
	}
	if from.Before(c.To) {
		list = append(list, ChargeSegment{Base: c.money(open), From: from, To: c.To})
	}
	return list
}

// ChargeSegment is a span of days with one principal.
type ChargeSegment struct {
	Base   domain.Money `json:"base" doc:"principal, tax included"`
	From   domain.Date  `json:"from" doc:"the day before the first day charged"`
	To     domain.Date  `json:"to" doc:"the last day charged"`
	Amount domain.Money `json:"amount" doc:"the charge, rounded down once"`
}

// LateChargeAssessed says that a late charge is owed, as an open item of its own.
type LateChargeAssessed struct {
	Charge     domain.InvoiceID `json:"charge" doc:"id of the late charge within the account"`
	Number     string           `json:"number" doc:"document number"`
	Invoice    domain.InvoiceID `json:"invoice" doc:"the overdue invoice"`
	Rate       domain.Rate      `json:"rate" doc:"percent a year"`
	From       domain.Date      `json:"from" doc:"the day before the first day charged"`
	To         domain.Date      `json:"to" doc:"the last day charged"`
	DayCount   domain.DayCount  `json:"day_count" doc:"ACT_365 or CALENDAR_YEAR"`
	Segments   []ChargeSegment  `json:"segments" doc:"how it was computed"`
	AssessedOn domain.Date      `json:"on" doc:"the day from which it is owed"`
	DueOn      domain.Date      `json:"due_on" doc:"its due date"`
	Amount     domain.Money     `json:"amount" doc:"the charge"`
}

func (LateChargeAssessed) Kind() string      { return "account.late_charge_assessed" }
func (e LateChargeAssessed) On() domain.Date { return e.AssessedOn }
func (e LateChargeAssessed) Effect() int64   { return e.Amount.Minor() }

func (e LateChargeAssessed) apply(s *State) {
	s.addItem(&item{id: e.Charge, charge: true, issuedOn: e.AssessedOn, dueOn: e.DueOn, total: e.Amount.Minor()})
	if it := s.items.use(e.Invoice); it != nil {
		it.seldom().chargedUntil = domain.LaterOf(it.rare().chargedUntil, e.To)
	}
}

// WaiveLateCharge gives up a late charge, in whole or in part.
type WaiveLateCharge struct {
	Key
	Charge   domain.InvoiceID `json:"charge" doc:"the late charge"`
	WaiveOn  domain.Date      `json:"on" doc:"the day"`
	Amount   domain.Money     `json:"amount,omitzero" doc:"how much; all that is open when left out"`
	Reason   string           `json:"reason" doc:"why"`
	Approver string           `json:"approver" doc:"who approved it"`
}

func (WaiveLateCharge) Name() string { return "WaiveLateCharge" }

func (c WaiveLateCharge) check(f *domain.Faults) {
	f.Add("/charge", domain.CheckID(c.Charge))
	date(f, "/on", c.WaiveOn)
	if c.Amount != (domain.Money{}) {
		c.positive(f, "/amount", c.Amount)
	}
	text(f, "/reason", c.Reason, true)
	text(f, "/approver", c.Approver, true)
}

func (c WaiveLateCharge) decide(s *State, _ Parties) ([]domain.Event, error) {
	it, err := s.find("/charge", c.Charge)
	if err != nil {
		return nil, err
	}
	if !it.charge {
		return nil, ErrNotACharge.With("%s", c.Charge).At("/charge")
	}
	if c.Amount == (domain.Money{}) {
		c.Amount = c.money(it.moves.low(c.WaiveOn))
	}
	if c.Amount.IsZero() {
		return nil, ErrExceedsOpen.With("nothing is open on %s", c.Charge).At("/charge")
	}
	if err := it.bear(c.Key, c.WaiveOn, c.Amount); err != nil {
		return nil, err
	}
	return []domain.Event{LateChargeWaived{c.Charge, c.WaiveOn, c.Amount, c.Reason, c.Approver}}, nil
}

// LateChargeWaived says that a late charge was given up.
type LateChargeWaived struct {
	Charge   domain.InvoiceID `json:"charge" doc:"the late charge"`
	WaiveOn  domain.Date      `json:"on" doc:"the day"`
	Amount   domain.Money     `json:"amount" doc:"how much"`
	Reason   string           `json:"reason" doc:"why"`
	Approver string           `json:"approver" doc:"who approved it"`
}

func (LateChargeWaived) Kind() string      { return "account.late_charge_waived" }
func (e LateChargeWaived) On() domain.Date { return e.WaiveOn }
func (e LateChargeWaived) Effect() int64   { return -e.Amount.Minor() }

func (e LateChargeWaived) apply(s *State) {
	it := s.items.use(e.Charge)
	it.seldom().cancelled += e.Amount.Minor()
	s.change(it, e.WaiveOn, -e.Amount.Minor())
}
