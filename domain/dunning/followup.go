package dunning

import (
	"slices"

	"github.com/urikake/urikake/domain"
)

// settlePromise finds what came of the open promise: kept as soon as the money is there, else when its day is over and
// the bank data shows it.
func (l *look) settlePromise() {
	p := l.c.Promise
	if p == nil {
		return
	}
	until := p.PayBy()
	if l.on.Before(until) {
		until = l.on
	}
	received := l.d.received(p.MadeOn, until)
	outcome := p.outcome(received)
	if outcome != Kept && !(l.on.After(p.PayBy()) && l.d.covers(l.p.Policy, p.PayBy())) {
		return
	}
	l.out.Steps = append(l.out.Steps, Step{Do: DoSettle, Promise: p.ID, Outcome: outcome, Received: l.d.money(received)})
	l.c.Promise = nil
}

func (l *look) promiseRuns() Why {
	p := l.c.Promise
	if p == nil {
		return ""
	}
	l.out.Until = p.PayBy()
	return l.waits(p.PayBy(), WhyPromise)
}

// waits gives why as long as a day is not over, and after it that its bank data is missing.
func (l *look) waits(day domain.Date, why Why) Why {
	if l.on.After(day) {
		return WhyBankDataOld
	}
	l.out.AllowedFrom = day.AddDays(1)
	return why
}

// followPlan finds whether instalments were missed, whether the plan's clause makes the rest due, or whether it is paid.
func (l *look) followPlan() {
	if l.c.Plan == nil {
		return
	}
	p := *l.c.Plan
	p.Missed = slices.Clone(p.Missed)
	l.c.Plan = &p
	if received := l.d.received(p.AgreedOn, l.on); received >= p.total() {
		l.out.Steps = append(l.out.Steps, Step{Do: DoComplete, Plan: p.ID, Received: l.d.money(received)})
		l.c.Plan = nil
		return
	}
	behind := l.missed(&p)
	l.out.Missed = len(p.Missed)
	if trigger, due := l.accelerates(&p, behind); due {
		l.out.Steps = append(l.out.Steps, Step{Do: DoAccelerate, Plan: p.ID, Trigger: trigger})
		p.EffectiveOn = l.on
	}
}

// missed notes instalments that were not paid by their day, and counts those that are still not paid.
func (l *look) missed(p *Plan) (behind int) {
	var sum int64
	for i, part := range p.Instalments {
		by := part.payBy()
		if !l.on.After(by) || !l.d.covers(l.p.Policy, by) {
			break
		}
		sum += part.Amount.Minor()
		inTime := l.d.received(p.AgreedOn, by)
		if inTime < sum && !slices.Contains(p.Missed, i+1) {
			p.Missed = append(p.Missed, i+1)
			l.out.Steps = append(l.out.Steps, Step{Do: DoMiss, Plan: p.ID, Instalment: i + 1, Received: l.d.money(inTime)})
		}
		if l.d.received(p.AgreedOn, l.on) < sum {
			behind++
		}
	}
	return behind
}

// accelerates tells what makes the rest due by itself. A consumer's instalment sale is called in by notice only.
func (l *look) accelerates(p *Plan, behind int) (Trigger, bool) {
	if p.InstalmentSale || !p.EffectiveOn.IsZero() {
		return "", false
	}
	if _, insolvent := l.c.hold(l.on, Insolvency); insolvent && p.Clause.OnInsolvency {
		return OnInsolvency, true
	}
	n := p.Clause.Missed
	return MissedInstalments, n > 0 && behind >= n && len(p.Missed) >= n
}

// planRuns until the plan's last day, or the day from which all of it is due.
func (l *look) planRuns() Why {
	p := l.c.Plan
	if p == nil || !p.EffectiveOn.IsZero() && !l.on.Before(p.EffectiveOn) {
		return ""
	}
	if l.on.After(p.EndsOn()) && l.d.covers(l.p.Policy, p.EndsOn()) {
		return ""
	}
	l.out.Until = p.EndsOn()
	return l.waits(p.EndsOn(), WhyPlan)
}

// closeCase ends a case that has nothing left to dun for; what else is late begins afresh.
func (l *look) closeCase() {
	if !l.c.Open() || !l.d.clears(&l.c) {
		return
	}
	l.out.Steps = append(l.out.Steps, Step{Do: DoClose})
	l.c.Listed = nil
	l.c.closed()
}
