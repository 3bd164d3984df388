package dunning

import "github.com/urikake/urikake/domain"

// Decide says what to do about a debtor on a day, acting in somebody's name: what came of promises and plans, whether
// the case is paid, and whether a reminder is due. It is a pure function of the policy that holds, the case (nil: there
// is none) and the facts, so a run and a simulation get the same answer. Once its steps are recorded it finds nothing
// more for that day.
//
// A level is reached by days or more, so that a day without a run is made good by the next one; however long nobody ran,
// one level is sent at a time. O(items log items).
func Decide(p Versioned, c *State, d Debtor, on domain.Date, as Capacity) Decision {
	l := look{p: p, d: d, on: on, as: as}
	return l.decide(c)
}

// look is one decision in the making. Its case is a copy that goes along with the steps taken.
type look struct {
	p      Versioned
	c      State
	d      Debtor
	on     domain.Date
	as     Capacity
	byHand bool // what is soft is set aside

	items []Item // that count for the level
	net   int64  // due less unapplied
	out   Decision
}

func (l *look) decide(c *State) Decision {
	if c == nil {
		c = newState()
	}
	l.c, l.out = *c, Decision{On: l.on}
	if c.later(l.on) {
		l.out.Why = WhyEarlierDay
		return l.out
	}
	l.settlePromise()
	l.followPlan()
	l.closeCase()
	l.claim()
	for _, check := range checks {
		why := check.finds(l)
		if why == "" {
			continue
		}
		if check.soft && l.byHand {
			l.out.Warnings = append(l.out.Warnings, why)
			continue
		}
		l.out.Why = why
		return l.out
	}
	l.remind()
	return l.out
}

// checks are what may stand against a reminder, the weightiest first. What is soft is a matter of timing and
// thresholds, which people may set aside with a reason.
var checks = []struct {
	finds func(*look) Why
	soft  bool
}{
	{(*look).nothingDue, false},
	{(*look).noPolicy, false},
	{(*look).away, false},
	{(*look).onHold, false},
	{(*look).pending, false},
	{(*look).planRuns, false},
	{(*look).promiseRuns, false},
	{(*look).allDisputed, false},
	{(*look).covered, false},
	{(*look).lastLevel, false},
	{(*look).bankDataOld, true},
	{(*look).unmatched, true},
	{(*look).elsewhere, true},
	{(*look).notReached, true},
	{(*look).belowMinimum, true},
	{(*look).belowShare, true},
	{(*look).sentToday, false},
	{(*look).recently, true},
	{(*look).needsCreditor, false},
	{(*look).noChannel, false},
	{(*look).quietDay, true},
}

// claim finds the next level, and what counts for it. A notice ahead of the due date comes too late once something is
// late: the level after it is next then.
func (l *look) claim() {
	l.items = l.d.overdue(l.on, l.p.GraceDays)
	n := l.p.next(l.c.Reached)
	if n == 1 && l.p.Levels[0].ahead() {
		if len(l.items) == 0 {
			l.items = l.d.soon(l.on, -l.p.Levels[0].DaysAfterDue)
		} else if n = 2; len(l.p.Levels) < 2 {
			n = 0
		}
	}
	var due, disputed int64
	for _, i := range l.items {
		if i.undisputed() > 0 && l.out.OldestDueOn.IsZero() {
			l.out.OldestDueOn, l.out.DaysOverdue = i.DueOn, l.on.DaysSince(i.DueOn)
		}
		due += i.undisputed()
		disputed += i.Open.Minor() - i.undisputed()
	}
	l.net = due - max(0, l.d.Unapplied.Minor())
	o := &l.out
	o.Open, o.Due, o.Disputed = l.d.money(l.d.sums().open), l.d.money(due), l.d.money(disputed)
	o.Unapplied, o.Unmatched, o.Elsewhere, o.BankDataOn = l.d.Unapplied, l.d.Unmatched, l.d.Elsewhere, l.d.BankDataOn
	o.Reached, o.Level = l.c.Level(), n
	if n > 0 {
		o.LevelID = l.level().ID
	}
}

func (l *look) level() Level { return l.p.Levels[l.out.Level-1] }

func (l *look) nothingDue() Why {
	if len(l.items) > 0 {
		return ""
	}
	var first domain.Date
	for _, i := range l.d.Items {
		if i.undisputed() > 0 && (first.IsZero() || i.DueOn.Before(first)) {
			first = i.DueOn
		}
	}
	if !first.IsZero() && l.out.Level > 0 {
		days := l.level().DaysAfterDue
		if !l.level().ahead() {
			days = max(days, l.p.GraceDays+1)
		}
		l.out.AllowedFrom = first.AddDays(days)
	}
	return WhyNothingDue
}

func (l *look) noPolicy() Why { return when(len(l.p.Levels) == 0, WhyNoPolicy) }

func (l *look) away() Why {
	if l.c.HandedTo != "" {
		return WhyHandedOver
	}
	return when(l.c.Returned && l.as == Agency, WhyReturned)
}

// onHold: by hand the creditor may go on where a dispute stops the agency.
func (l *look) onHold() Why {
	for _, kind := range HoldKinds {
		h, stands := l.c.hold(l.on, kind)
		if !stands || kind == Disputed && l.byHand && l.as == Creditor {
			continue
		}
		l.out.Hold, l.out.Until = h.Kind, h.Until
		if !h.Until.IsZero() {
			l.out.AllowedFrom = h.Until.AddDays(1)
		}
		return WhyOnHold
	}
	return ""
}

func (l *look) pending() Why     { return when(l.c.Pending != nil, WhyPending) }
func (l *look) allDisputed() Why { return when(l.out.Due.IsZero(), WhyDisputed) }
func (l *look) covered() Why     { return when(l.net <= 0, WhyCovered) }
func (l *look) lastLevel() Why   { return when(l.out.Level == 0, WhyLastLevel) }
func (l *look) unmatched() Why   { return when(l.d.Unmatched.Minor() > 0, WhyUnmatched) }

func (l *look) elsewhere() Why { return when(len(l.d.Elsewhere) > 0, WhyElsewhere) }

func (l *look) bankDataOld() Why {
	if !l.p.old(l.d, l.on) {
		return ""
	}
	if l.p.OldBankData == WarnOnOldData {
		l.out.Warnings = append(l.out.Warnings, WhyBankDataOld)
		return ""
	}
	return WhyBankDataOld
}

// old tells that payments may have come in that the books don't show.
func (p Policy) old(d Debtor, on domain.Date) bool {
	return p.BankDataMaxAge > 0 && (d.BankDataOn.IsZero() || on.DaysSince(d.BankDataOn) > p.BankDataMaxAge)
}

func (l *look) notReached() Why {
	day := l.out.OldestDueOn.AddDays(l.level().DaysAfterDue)
	if !l.on.Before(day) {
		return ""
	}
	l.out.AllowedFrom = day
	return WhyNotReached
}

func (l *look) belowMinimum() Why {
	least := amount(l.level().MinimumAmount, l.d.Currency)
	if l.net >= least.Minor() {
		return ""
	}
	l.out.Minimum = least
	return WhyBelowMinimum
}

func (l *look) belowShare() Why {
	least, ok := domain.RoundUp.MulDiv(l.d.sums().open, int64(l.level().MinimumShare), domain.RateWhole)
	if ok && l.net >= least {
		return ""
	}
	l.out.Minimum = l.d.money(least)
	return WhyBelowShare
}

// sentToday: never two on one day, not by hand either.
func (l *look) sentToday() Why { return l.since(1) }
func (l *look) recently() Why  { return l.since(l.p.between()) }

func (l *look) since(days int) Why {
	last := l.c.LastSentOn
	if last.IsZero() || l.on.DaysSince(last) >= days {
		return ""
	}
	l.out.DaysAgo, l.out.AllowedFrom = l.on.DaysSince(last), last.AddDays(l.p.between())
	return WhyRecently
}

func (l *look) needsCreditor() Why {
	return when(l.level().Who == Creditor && l.as != Creditor, WhyNeedsCreditor)
}

func (l *look) noChannel() Why {
	_, _, reached := l.d.way(l.level())
	return when(!reached, WhyNoChannel)
}

func (l *look) quietDay() Why {
	if !l.p.Quiet(l.on) {
		return ""
	}
	l.out.AllowedFrom = l.p.NextAllowed(l.on)
	return WhyQuietDay
}

func when(holds bool, why Why) Why {
	if holds {
		return why
	}
	return ""
}

// remind writes the reminder: one for all items, each with what remains of it and is not in dispute.
func (l *look) remind() {
	level, o := l.level(), &l.out
	way, recipient, _ := l.d.way(level)
	r := &Reminder{
		QueuedOn: l.on, Generation: l.c.Generation, Level: o.Level, LevelID: level.ID, Policy: l.p.ID, Version: l.p.Version,
		Due: o.Due, Disputed: o.Disputed, Unapplied: l.d.money(l.d.Unapplied.Minor()), ToPay: l.d.money(l.net),
		LateChargeUse: level.lateCharge(), Channel: way.Channel, Recipient: recipient, Template: way.Template,
		Language: l.d.Language, Tone: level.Tone, Who: level.Who, Acting: l.as,
	}
	if !l.c.Begun {
		r.Generation++
	}
	if r.Language == "" {
		r.Language = l.p.Language
	}
	if fee := amount(level.Fee, l.d.Currency); !fee.IsZero() {
		r.Fee = fee
	}
	l.list(r)
	if l.p.BusinessDaysOnly && l.p.BankDays.Days().Provisional(l.on) {
		o.Warnings = append(o.Warnings, WhyProvisional)
	}
	o.Why, o.Reminder, o.Steps = WhyLevelReached, r, append(o.Steps, Step{Do: Remind})
}

// list adds the items. A late charge is shown for all that is not in dispute; it is assessed on listed items of which
// nothing is in dispute.
func (l *look) list(r *Reminder) {
	var charge, assessed int64
	for _, i := range l.items {
		charge += i.undisputedCharge()
		switch {
		case i.undisputed() == 0:
			continue
		case len(r.Items) == ItemsMax:
			r.More++
			continue
		}
		item := ReminderItem{Invoice: i.ID, Number: i.Number, DueOn: i.DueOn, Open: l.d.money(i.undisputed()), DaysOverdue: l.on.DaysSince(i.DueOn)}
		if disputed := i.Open.Minor() - i.undisputed(); disputed > 0 {
			item.Disputed = l.d.money(disputed)
		} else if i.LateCharge.Minor() > 0 && r.LateChargeUse == LateChargeAssessed {
			item.LateCharge = i.LateCharge
			assessed += i.LateCharge.Minor()
		}
		r.Items = append(r.Items, item)
	}
	switch r.LateChargeUse {
	case LateChargeShown:
		r.LateCharge = l.d.money(charge)
	case LateChargeAssessed:
		r.LateCharge = l.d.money(assessed)
	}
}
