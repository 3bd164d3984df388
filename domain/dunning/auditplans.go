package dunning

import (
	"slices"

	"github.com/urikake/urikake/domain"
)

// covers finds items of another currency, or the same one twice.
func (k Key) covers(items []Covered) error {
	seen := make(map[domain.InvoiceID]bool, len(items))
	for _, i := range items {
		if err := k.own(i.Open, i.Paid); err != nil {
			return err
		}
		if seen[i.Invoice] {
			return ErrRepeatedID.With("it is about %s twice", i.Invoice)
		}
		seen[i.Invoice] = true
	}
	return nil
}

// A promise is made once, in the place of the one that is open, and not for a day that is over.
func (e PromiseRecorded) audit(s *State, k Key) error {
	var open PromiseID
	if s.Promise != nil {
		open = s.Promise.ID
	}
	if err := k.own(e.Amount); err != nil {
		return err
	}
	if err := s.fresh("promise", string(e.Promise)); err != nil {
		return err
	}
	switch {
	case e.Replaces != open:
		return domain.Same("the promise that it replaces", e.Replaces, open)
	case e.Amount.Minor() <= 0:
		return e.Amount.CheckPositive()
	case e.Day.Before(e.MadeOn):
		return ErrBadPromise.With("%s, promised on %s", e.Day, e.MadeOn)
	}
	return k.covers(e.Items)
}

// The promise that is open is settled as the money says that came for it.
func (e PromiseSettled) audit(s *State, k Key) error {
	p := s.Promise
	switch err := k.own(e.Amount, e.Reduced, e.Received); {
	case err != nil:
		return err
	case p == nil || p.ID != e.Promise:
		return ErrUnknownPromise.With("%s", e.Promise)
	case e.SettledOn.Before(p.MadeOn):
		return ErrTooEarly.With("on %s, made on %s", e.SettledOn, p.MadeOn)
	case e.Amount != p.Amount:
		return domain.Same("the amount", e.Amount, p.Amount)
	}
	outcome := Broken
	switch paid := e.Received.Minor(); {
	case paid >= e.Amount.Minor()-e.Reduced.Minor():
		outcome = Kept
	case paid > 0:
		outcome = PartlyKept
	}
	if e.Outcome != outcome {
		return ErrOutcomeDiffers.With("it says %s, and with %s of %s it is %s", e.Outcome, e.Received, e.Amount, outcome)
	}
	return nil
}

// A plan is agreed once, by the creditor, in the place of the one that runs, on rising days.
func (e PaymentPlanAgreed) audit(s *State, k Key) error {
	var runs PlanID
	if s.Plan != nil {
		runs = s.Plan.ID
	}
	if err := s.fresh("plan", string(e.Plan)); err != nil {
		return err
	}
	switch {
	case e.Acting == Agency:
		return ErrNeedsCreditor.With("agreeing to instalments")
	case e.Replaces != runs:
		return domain.Same("the plan that it replaces", e.Replaces, runs)
	case len(e.Instalments) == 0 || len(e.PayBy) > 0 && len(e.PayBy) != len(e.Instalments):
		return ErrBadPlan.With("%d instalments, %d days to pay by", len(e.Instalments), len(e.PayBy))
	}
	last := e.AgreedOn.AddDays(-1)
	for _, i := range e.Instalments {
		if err := k.own(i.Amount); err != nil {
			return err
		}
		if i.Amount.Minor() <= 0 || !i.Day.After(last) {
			return ErrBadPlan.With("%s by %s, after %s", i.Amount, i.Day, last)
		}
		last = i.Day
	}
	return k.covers(e.Items)
}

// An instalment of the plan that runs is missed once, when its day is over and less was paid than asked for.
func (e InstalmentMissed) audit(s *State, k Key) error {
	p, err := s.plan(e.Plan)
	switch {
	case err != nil:
		return err
	case e.Instalment < 1 || e.Instalment > len(p.Instalments) || slices.Contains(p.Missed, e.Instalment):
		return ErrUnknownInstalment.With("%d", e.Instalment)
	}
	part := p.Instalments[e.Instalment-1]
	switch {
	case e.Day != part.Day:
		return domain.Same("the day", e.Day, part.Day)
	case e.Amount != part.Amount:
		return domain.Same("the amount", e.Amount, part.Amount)
	case !e.FoundOn.After(p.PayBy[e.Instalment-1]):
		return ErrNotOver.With("until %s", p.PayBy[e.Instalment-1])
	case e.Received.Minor() >= p.sum(e.Instalment):
		return ErrInstalmentPaid.With("%s, and %s was asked for", e.Received, k.money(p.sum(e.Instalment)))
	}
	return k.own(e.Received)
}

// A plan is accelerated once, by what its clause says, and not before its notice.
func (e PlanAccelerated) audit(s *State, k Key) error {
	p, err := s.plan(e.Plan)
	switch {
	case err != nil:
		return err
	case !p.EffectiveOn.IsZero():
		return ErrAccelerated.With("from %s", p.EffectiveOn)
	case (e.Trigger == OnNotice || p.InstalmentSale) && e.Acting == Agency:
		return ErrNeedsCreditor.With("calling a plan in by notice")
	}
	c := AcceleratePlan{Order: Order{Key: k, On: e.FoundOn}, Plan: e.Plan, Trigger: e.Trigger, NoticeOn: e.NoticeOn, EffectiveOn: e.EffectiveOn}
	if !c.agreed(s, p, p.Clause.Missed) { // how many are still not paid is the account's to say
		return ErrNoClause.With("%s; %d instalments missed, the clause says %d", e.Trigger, len(p.Missed), p.Clause.Missed)
	}
	if err := c.inTime(p); err != nil {
		return err
	}
	return domain.Same("what remains", e.Remaining, k.money(p.after(e.EffectiveOn)))
}

// The plan that runs is completed.
func (e PlanCompleted) audit(s *State, k Key) error {
	if _, err := s.plan(e.Plan); err != nil {
		return err
	}
	return k.own(e.Received)
}
