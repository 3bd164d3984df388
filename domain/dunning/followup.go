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
	outcome, paid, _ := p.outcome(l.d, l.on)
	if outcome != Kept && !(l.on.After(p.PayBy) && l.d.covers(l.p.Policy, p.PayBy)) {
		return
	}
	l.out.Steps = append(l.out.Steps, Step{Do: DoSettle, Promise: p.ID, Outcome: outcome, Received: l.d.money(paid)})
	l.c.Promise = nil
}

func (l *look) promiseRuns() Why {
	p := l.c.Promise
	if p == nil {
		return ""
	}
	l.out.Until = p.PayBy
	return l.waits(p.PayBy, WhyPromise)
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
	if paid, asked := p.met(l.d, len(p.Instalments), l.on); paid >= asked {
		l.out.Steps = append(l.out.Steps, Step{Do: DoComplete, Plan: p.ID, Received: l.d.money(paid)})
		l.c.Plan = nil
		return
	}
	l.missed(&p)
	l.out.Missed = len(p.Missed)
	if trigger, due := l.accelerates(&p); due {
		l.out.Steps = append(l.out.Steps, Step{Do: DoAccelerate, Plan: p.ID, Trigger: trigger})
		p.EffectiveOn = l.on
	}
}

// missed notes instalments that were not paid by their day.
func (l *look) missed(p *Plan) {
	for i, by := range p.PayBy {
		if !l.on.After(by) || !l.d.covers(l.p.Policy, by) {
			break
		}
		if paid, asked := p.met(l.d, i+1, by); paid < asked && !slices.Contains(p.Missed, i+1) {
			p.Missed = append(p.Missed, i+1)
			l.out.Steps = append(l.out.Steps, Step{Do: DoMiss, Plan: p.ID, Instalment: i + 1, Received: l.d.money(paid)})
		}
	}
}

// accelerates tells what makes the rest due by itself. A consumer's instalment sale is called in by notice only.
func (l *look) accelerates(p *Plan) (Trigger, bool) {
	if p.InstalmentSale || !p.EffectiveOn.IsZero() {
		return "", false
	}
	if _, insolvent := l.c.hold(l.on, Insolvency); insolvent && p.Clause.OnInsolvency {
		return OnInsolvency, true
	}
	n := p.Clause.Missed
	return MissedInstalments, n > 0 && len(p.Missed) >= n && p.behind(l.p.Policy, l.d, l.on) >= n
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
	if !l.c.Open() || !l.c.Leaving.IsZero() || !l.d.clears(&l.c) {
		return
	}
	l.out.Steps = append(l.out.Steps, Step{Do: DoClose})
	l.c.Listed = nil
	l.c.closed()
}
