package dunning

import (
	"slices"
	"strconv"

	"github.com/urikake/urikake/domain"
)

// Instalment is one payment of a plan.
type Instalment struct {
	Day    domain.Date  `json:"day" doc:"by when"`
	Amount domain.Money `json:"amount" doc:"how much"`
}

// AccelerationClause says when all that is left of a plan falls due at once (期限の利益喪失). Without a clause it never
// does.
type AccelerationClause struct {
	Missed       int  `json:"missed,omitzero" doc:"when so many instalments are missed; 0: not for that"`
	OnInsolvency bool `json:"on_insolvency,omitzero" doc:"by itself when the debtor is insolvent"`
	OnNotice     bool `json:"on_notice,omitzero" doc:"for any other breach, when the creditor gives notice"`
}

// Plan is an agreement to pay in instalments (分割払い).
type Plan struct {
	ID             PlanID
	AgreedOn       domain.Date
	Instalments    []Instalment
	Clause         AccelerationClause
	InstalmentSale bool
	Items          []Covered     // what it is about; none in plans of earlier times
	PayBy          []domain.Date // until when money for each instalment is waited for
	Missed         []int         // numbers of instalments, from 1
	EffectiveOn    domain.Date   // from when all of it is due; none while it is not accelerated
}

func (p *Plan) total() int64 { return p.sum(len(p.Instalments)) }

// sum is what the first n instalments come to.
func (p *Plan) sum(n int) (sum int64) {
	for _, i := range p.Instalments[:n] {
		sum += i.Amount.Minor()
	}
	return sum
}

// met is what the books say of the first n instalments: what was paid for the plan up to a day, and how much they ask
// for, which is never more than is left to be paid of the plan's items.
func (p *Plan) met(d Debtor, n int, by domain.Date) (paid, asked int64) {
	paid, least := d.came(p.Items, p.AgreedOn, by)
	return paid, min(p.sum(n), least)
}

// behind counts the instalments whose day is over by the bank's data and that are not paid up to a day.
func (p *Plan) behind(policy Policy, d Debtor, on domain.Date) (n int) {
	for i, by := range p.PayBy {
		if !on.After(by) || !d.covers(policy, by) {
			break
		}
		if paid, asked := p.met(d, i+1, on); paid < asked {
			n++
		}
	}
	return n
}

// EndsOn is the last day of the plan.
func (p *Plan) EndsOn() domain.Date { return p.PayBy[len(p.PayBy)-1] }

// noticeDays is how long a written demand must leave before a consumer's instalment sale is called in (割賦販売法5条).
const noticeDays = 20

var (
	ErrBadPlan = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.bad_plan",
		Text: "a plan has 1 to 120 instalments on rising days, none before it was agreed, and a clause that names no more of them than there are",
	}
	ErrUnknownPlan = &domain.Error{
		Code: domain.NotFound, Rule: "dunning.unknown_plan",
		Text: "the case has no such payment plan that runs",
	}
	ErrPlanRuns = &domain.Error{
		Code: domain.Refused, Rule: "dunning.plan_runs",
		Text: "the debtor pays by a plan; accelerate it first",
	}
	ErrUnknownInstalment = &domain.Error{
		Code: domain.NotFound, Rule: "dunning.unknown_instalment",
		Text: "the plan has no such instalment, or it is missed already",
	}
	ErrNoClause = &domain.Error{
		Code: domain.Refused, Rule: "dunning.no_clause",
		Text: "nothing that was agreed makes the rest due now: acceleration (期限の利益喪失) needs a clause, and what it asks for",
	}
	ErrAccelerated = &domain.Error{
		Code: domain.Refused, Rule: "dunning.accelerated_already",
		Text: "the plan is accelerated already",
	}
	ErrShortNotice = &domain.Error{
		Code: domain.Refused, Rule: "dunning.notice_too_short",
		Text: "an acceleration takes effect on or after its notice; for a consumer's instalment sale at least 20 days after a written one (割賦販売法5条)",
	}
	ErrReceivedDiffers = &domain.Error{
		Code: domain.Refused, Rule: "dunning.received_differs",
		Text: "the books say that another amount was paid",
	}
	ErrInstalmentPaid = &domain.Error{
		Code: domain.Refused, Rule: "dunning.instalment_paid",
		Text: "the books say that the instalment was paid in time",
	}
	ErrNotPaid = &domain.Error{
		Code: domain.Refused, Rule: "dunning.plan_not_paid",
		Text: "the books say that less was paid for the plan than it comes to",
	}
)

// AgreePaymentPlan records that the creditor agreed to be paid in instalments. It stops reminders while it runs; a plan
// that runs is replaced by it. An agency does not agree on anything (弁護士法72条).
// Refuses dunning.needs_creditor, dunning.repeated_id, dunning.bad_plan, dunning.nothing_open.
type AgreePaymentPlan struct {
	Order
	Plan           PlanID             `json:"plan,omitempty" doc:"id within the case; derived from the command's id when left out"`
	Instalments    []Instalment       `json:"instalments" doc:"1 to 120, by day"`
	Invoices       []domain.InvoiceID `json:"invoices,omitempty" doc:"the open invoices and late charges that it is about; when left out, all that is late and, as far as the instalments ask for more, what falls due next"`
	Clause         AccelerationClause `json:"acceleration,omitzero" doc:"when the rest falls due at once; never when left out"`
	InstalmentSale bool               `json:"instalment_sale,omitzero" doc:"a consumer's instalment sale: it is called in by a written demand of 20 days only"`
	Reason         string             `json:"reason" doc:"why, up to 1000 bytes"`
}

func (AgreePaymentPlan) Name() string { return "AgreePaymentPlan" }

func (c AgreePaymentPlan) check(f *domain.Faults) {
	c.Order.check(f)
	f.Add("/plan", domain.CheckID(c.Plan))
	text(f, "/reason", c.Reason, true)
	checkInvoices(f, c.Invoices)
	n := len(c.Instalments)
	f.Require(c.Clause.Missed >= 0 && c.Clause.Missed <= n, "/acceleration/missed", ErrBadPlan.With("%d of %d", c.Clause.Missed, n))
	if n == 0 || n > InstalmentsMax {
		f.Add("/instalments", ErrBadPlan.With("%d instalments", n))
		return
	}
	var sum int64
	for i, part := range c.Instalments {
		at := "/instalments/" + strconv.Itoa(i)
		c.positive(f, at+"/amount", part.Amount)
		sum += min(part.Amount.Minor(), domain.MinorMax)
		date(f, at+"/day", part.Day)
		rises := !part.Day.Before(c.On) && (i == 0 || part.Day.After(c.Instalments[i-1].Day))
		f.Require(part.Day.IsZero() || rises, at+"/day", ErrBadPlan.With("%s", part.Day))
	}
	f.Require(sum <= domain.MinorMax, "/instalments", domain.ErrOutOfRange)
}

func (c AgreePaymentPlan) decide(s *State, facts Facts) ([]domain.Event, error) {
	if err := c.creditorOnly("agreeing to instalments"); err != nil {
		return nil, err
	}
	if err := s.fresh("plan", string(c.Plan)); err != nil {
		return nil, err
	}
	plan := Plan{Instalments: c.Instalments}
	items, err := facts.Debtor.cover(c.Invoices, plan.total(), c.On)
	if err != nil {
		return nil, err
	}
	e := PaymentPlanAgreed{
		Items: items, Plan: c.Plan, AgreedOn: c.On, Instalments: c.Instalments, Clause: c.Clause, InstalmentSale: c.InstalmentSale,
		Reason: c.Reason, Acting: c.As(),
	}
	banks := facts.BankDays.Days()
	for _, part := range c.Instalments {
		e.PayBy = append(e.PayBy, banks.Next(part.Day))
	}
	if s.Plan != nil {
		e.Replaces = s.Plan.ID
	}
	return []domain.Event{e}, nil
}

// PaymentPlanAgreed says that the creditor agreed to be paid in instalments.
type PaymentPlanAgreed struct {
	Plan           PlanID             `json:"plan" doc:"id within the case"`
	AgreedOn       domain.Date        `json:"on" doc:"the day of the agreement"`
	Instalments    []Instalment       `json:"instalments" doc:"what is paid when"`
	PayBy          []domain.Date      `json:"pay_by,omitempty" doc:"until when money for each instalment is waited for: its day, or the next on which the seller's banks work; absent in events of earlier times: on which Japanese banks do"`
	Items          []Covered          `json:"items,omitempty" doc:"what it is about, up to 2000; absent in events of earlier times, which any money met"`
	Clause         AccelerationClause `json:"acceleration,omitzero" doc:"when the rest falls due at once; absent: never"`
	InstalmentSale bool               `json:"instalment_sale,omitzero" doc:"a consumer's instalment sale"`
	Reason         string             `json:"reason" doc:"why"`
	Replaces       PlanID             `json:"replaces,omitempty" doc:"the plan that ran until then"`
	Acting         Capacity           `json:"acting" doc:"in whose name: CREDITOR"`
}

func (PaymentPlanAgreed) Kind() string      { return "dunning.payment_plan_agreed" }
func (e PaymentPlanAgreed) On() domain.Date { return e.AgreedOn }

func (e PaymentPlanAgreed) apply(s *State) {
	s.took("plan", string(e.Plan))
	s.Plan = &Plan{
		ID: e.Plan, AgreedOn: e.AgreedOn, Instalments: e.Instalments, Clause: e.Clause, InstalmentSale: e.InstalmentSale, Items: e.Items,
		PayBy: make([]domain.Date, len(e.Instalments)),
	}
	copy(s.Plan.PayBy, e.PayBy)
	for i, part := range e.Instalments {
		s.Plan.PayBy[i] = payBy(s.Plan.PayBy[i], part.Day)
	}
}

func (s *State) plan(id PlanID) (*Plan, error) {
	if s.Plan == nil || s.Plan.ID != id {
		return nil, ErrUnknownPlan.With("%s", id).At("/plan")
	}
	return s.Plan, nil
}

// MissInstalment records that an instalment was not paid by its day, as a run finds it. The books are asked whether it is
// so: what was paid for the plan by then must be less than the instalments up to this one come to.
// Refuses dunning.unknown_plan, dunning.unknown_instalment, dunning.not_over, dunning.instalment_paid, and
// dunning.bank_data_old where payments in time may not be in the books yet.
type MissInstalment struct {
	Order
	Plan       PlanID       `json:"plan" doc:"the plan"`
	Instalment int          `json:"instalment" doc:"its number, from 1"`
	Received   domain.Money `json:"received,omitzero" doc:"what was paid for the plan until its day, to be compared with the books; they alone count when left out"`
}

func (MissInstalment) Name() string { return "MissInstalment" }

func (c MissInstalment) check(f *domain.Faults) {
	c.Order.check(f)
	f.Add("/plan", domain.CheckID(c.Plan))
	c.received(f, "/received", c.Received)
}

func (c MissInstalment) decide(s *State, facts Facts) ([]domain.Event, error) {
	p, err := s.plan(c.Plan)
	switch {
	case err != nil:
		return nil, err
	case c.Instalment < 1 || c.Instalment > len(p.Instalments) || slices.Contains(p.Missed, c.Instalment):
		return nil, ErrUnknownInstalment.With("%d", c.Instalment).At("/instalment")
	}
	part, by := p.Instalments[c.Instalment-1], p.PayBy[c.Instalment-1]
	paid, asked := p.met(facts.Debtor, c.Instalment, by)
	switch {
	case !c.On.After(by):
		return nil, ErrNotOver.With("until %s", by).At("/on")
	case paid >= asked:
		return nil, ErrInstalmentPaid.With("%s by %s, and %s was asked for", c.money(paid), by, c.money(asked)).At("/instalment")
	case c.Received.Minor() != 0 && c.Received.Minor() != paid:
		return nil, ErrReceivedDiffers.With("%s by %s", c.money(paid), by).At("/received")
	case !facts.Debtor.covers(facts.Policy.Policy, by):
		return nil, ErrBankDataOld.With("%s, and there was time until %s", through(facts.Debtor.BankDataOn), by).At("/on")
	}
	return []domain.Event{InstalmentMissed{c.Plan, c.Instalment, c.On, part.Day, part.Amount, c.money(paid)}}, nil
}

// InstalmentMissed says that an instalment was not paid in time.
type InstalmentMissed struct {
	Plan       PlanID       `json:"plan" doc:"the plan"`
	Instalment int          `json:"instalment" doc:"its number, from 1"`
	FoundOn    domain.Date  `json:"on" doc:"the day on which it was found"`
	Day        domain.Date  `json:"day" doc:"by when it was to be paid"`
	Amount     domain.Money `json:"amount" doc:"how much it is"`
	Received   domain.Money `json:"received" doc:"what was paid for the plan until then"`
}

func (InstalmentMissed) Kind() string      { return "dunning.instalment_missed" }
func (e InstalmentMissed) On() domain.Date { return e.FoundOn }
func (e InstalmentMissed) apply(s *State)  { s.Plan.Missed = append(s.Plan.Missed, e.Instalment) }

// CompletePlan records that all instalments were paid; the plan ends. The books are asked whether it is so.
// Refuses dunning.unknown_plan, dunning.plan_not_paid, dunning.received_differs.
type CompletePlan struct {
	Order
	Plan     PlanID       `json:"plan" doc:"the plan"`
	Received domain.Money `json:"received,omitzero" doc:"what was paid for it, to be compared with the books; they alone count when left out"`
}

func (CompletePlan) Name() string { return "CompletePlan" }

func (c CompletePlan) check(f *domain.Faults) {
	c.Order.check(f)
	f.Add("/plan", domain.CheckID(c.Plan))
	c.received(f, "/received", c.Received)
}

func (c CompletePlan) decide(s *State, facts Facts) ([]domain.Event, error) {
	p, err := s.plan(c.Plan)
	if err != nil {
		return nil, err
	}
	paid, asked := p.met(facts.Debtor, len(p.Instalments), c.On)
	switch {
	case paid < asked:
		return nil, ErrNotPaid.With("%s of %s", c.money(paid), c.money(asked)).At("/plan")
	case c.Received.Minor() != 0 && c.Received.Minor() != paid:
		return nil, ErrReceivedDiffers.With("%s", c.money(paid)).At("/received")
	}
	return []domain.Event{PlanCompleted{c.Plan, c.On, c.money(paid)}}, nil
}

// PlanCompleted says that a plan was paid.
type PlanCompleted struct {
	Plan        PlanID       `json:"plan" doc:"the plan"`
	CompletedOn domain.Date  `json:"on" doc:"the day on which it was found"`
	Received    domain.Money `json:"received" doc:"what was paid for it"`
}

func (PlanCompleted) Kind() string      { return "dunning.plan_completed" }
func (e PlanCompleted) On() domain.Date { return e.CompletedOn }
func (e PlanCompleted) apply(s *State)  { s.Plan = nil }
