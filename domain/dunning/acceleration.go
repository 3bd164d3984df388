package dunning

import "github.com/urikake/urikake/domain"

// Trigger is what makes the rest of a plan due.
type Trigger string

const (
	MissedInstalments Trigger = "MISSED_INSTALMENTS"
	OnInsolvency      Trigger = "INSOLVENCY"
	OnNotice          Trigger = "NOTICE" // another breach, of which the creditor gave notice
)

// AcceleratePlan makes all that is left of a plan due on a day (期限の利益喪失); late days run from the day after. It
// needs a clause in the plan, and that the books say what the clause asks for. What the clause brings about by itself an agency may record; a notice is the creditor's.
// Refuses dunning.unknown_plan, dunning.accelerated_already, dunning.no_clause, dunning.notice_too_short,
// dunning.needs_creditor, dunning.future_day for a notice.
type AcceleratePlan struct {
	Order
	Plan        PlanID      `json:"plan" doc:"the plan"`
	Trigger     Trigger     `json:"trigger" doc:"MISSED_INSTALMENTS, INSOLVENCY or NOTICE"`
	NoticeOn    domain.Date `json:"notice_on,omitzero" doc:"the day of the creditor's written notice; NOTICE and instalment sales need one"`
	EffectiveOn domain.Date `json:"effective_on" doc:"the day on which all that is left is due"`
	Reason      string      `json:"reason,omitzero" doc:"why, up to 1000 bytes"`
}

func (AcceleratePlan) Name() string { return "AcceleratePlan" }

func (c AcceleratePlan) check(f *domain.Faults) {
	c.Order.check(f)
	f.Add("/plan", domain.CheckID(c.Plan))
	oneOf(f, "/trigger", c.Trigger, MissedInstalments, OnInsolvency, OnNotice)
	date(f, "/effective_on", c.EffectiveOn)
	f.Require(c.Trigger != OnNotice || !c.NoticeOn.IsZero(), "/notice_on", domain.ErrMissing)
	text(f, "/reason", c.Reason, c.Trigger == OnNotice)
}

func (c AcceleratePlan) decide(s *State, facts Facts) ([]domain.Event, error) {
	p, err := s.plan(c.Plan)
	switch {
	case err != nil:
		return nil, err
	case !p.EffectiveOn.IsZero():
		return nil, ErrAccelerated.With("from %s", p.EffectiveOn).At("/plan")
	case c.Trigger == OnNotice || p.InstalmentSale:
		if err := c.creditorOnly("calling a plan in by notice"); err != nil {
			return nil, err
		}
	}
	behind := p.behind(facts.Policy.Policy, facts.Debtor, c.On)
	if !c.agreed(s, p, behind) {
		return nil, ErrNoClause.With("%s; %d instalments missed, %d of all still not paid, the clause says %d", c.Trigger, len(p.Missed), behind, p.Clause.Missed).At("/trigger")
	}
	if !facts.Today.IsZero() && c.NoticeOn.After(facts.Today) {
		return nil, ErrFutureDay.With("%s, and today is %s", c.NoticeOn, facts.Today).At("/notice_on")
	}
	if err := c.inTime(p); err != nil {
		return nil, err
	}
	return []domain.Event{PlanAccelerated{c.Plan, c.On, c.Trigger, c.NoticeOn, c.EffectiveOn, c.money(p.after(c.EffectiveOn)), c.Reason, c.As()}}, nil
}

// agreed tells that the plan's clause makes the rest due by what happened.
func (c AcceleratePlan) agreed(s *State, p *Plan, behind int) bool {
	switch c.Trigger {
	case MissedInstalments:
		return p.Clause.Missed > 0 && len(p.Missed) >= p.Clause.Missed && behind >= p.Clause.Missed
	case OnInsolvency:
		_, insolvent := s.hold(c.On, Insolvency)
		return p.Clause.OnInsolvency && insolvent
	}
	return p.Clause.OnNotice
}

func (c AcceleratePlan) inTime(p *Plan) error {
	earliest := domain.LaterOf(c.NoticeOn, p.AgreedOn)
	if p.InstalmentSale {
		if c.NoticeOn.IsZero() {
			return domain.ErrMissing.At("/notice_on")
		}
		earliest = domain.LaterOf(earliest, c.NoticeOn.AddDays(noticeDays))
	}
	if c.EffectiveOn.Before(earliest) {
		return ErrShortNotice.With("effective %s, at the earliest %s", c.EffectiveOn, earliest).At("/effective_on")
	}
	return nil
}

// after is what falls due after a day.
func (p *Plan) after(day domain.Date) (sum int64) {
	for _, i := range p.Instalments {
		if i.Day.After(day) {
			sum += i.Amount.Minor()
		}
	}
	return sum
}

// PlanAccelerated says that all that is left of a plan is due on a day.
type PlanAccelerated struct {
	Plan        PlanID       `json:"plan" doc:"the plan"`
	FoundOn     domain.Date  `json:"on" doc:"the day on which it was recorded"`
	Trigger     Trigger      `json:"trigger" doc:"MISSED_INSTALMENTS, INSOLVENCY or NOTICE"`
	NoticeOn    domain.Date  `json:"notice_on,omitzero" doc:"the day of the creditor's notice"`
	EffectiveOn domain.Date  `json:"effective_on" doc:"the day on which all that is left is due; late days run from the day after"`
	Remaining   domain.Money `json:"remaining" doc:"instalments of later days, due now"`
	Reason      string       `json:"reason,omitzero" doc:"why"`
	Acting      Capacity     `json:"acting" doc:"in whose name: AGENCY or CREDITOR"`
}

func (PlanAccelerated) Kind() string      { return "dunning.plan_accelerated" }
func (e PlanAccelerated) On() domain.Date { return e.FoundOn }
func (e PlanAccelerated) apply(s *State)  { s.Plan.EffectiveOn = e.EffectiveOn }
