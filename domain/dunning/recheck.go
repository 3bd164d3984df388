package dunning

import "github.com/urikake/urikake/domain"

// Verdict is what a queued reminder comes to at the last moment.
type Verdict struct {
	Send  bool        `json:"send" doc:"send it now"`
	Why   Why         `json:"why" doc:"stable code of what stands against it; level_reached when nothing does"`
	Drop  DropReason  `json:"drop,omitempty" doc:"drop it for this reason; absent although it is not sent: wait"`
	Until domain.Date `json:"until,omitzero" doc:"look again on this day"`
}

// LastLook is Recheck by the books of today for a letter of an earlier day. What would only wait today, as it is quiet or
// bank data is missing, may go if it might on the letter's own day.
func LastLook(p Versioned, r Reminder, c *State, d Debtor, today, on domain.Date) Verdict {
	v := Recheck(p, r, c, d, today)
	if !v.Send && v.Drop == "" && on.Before(today) {
		v = Recheck(p, r, c, d, on)
	}
	return v
}

// Recheck looks at a queued reminder once more before it goes out, with the facts of that moment and the policy that
// holds now: a debtor who has paid or objected meanwhile is not reminded, and nobody is whom the policy would not remind
// any more. What changed is dropped, and the next run decides anew; on a quiet day, while bank data is missing, or when
// the last reminder is too few days ago, it waits. O(items log items).
func Recheck(p Versioned, r Reminder, c *State, d Debtor, on domain.Date) Verdict {
	if c == nil || c.Pending == nil || c.Pending.ID != r.ID {
		return Verdict{Why: WhySettled}
	}
	for _, look := range []func() Verdict{
		func() Verdict { return stopped(r, c, on) },
		func() Verdict { return changed(r, d) },
		func() Verdict { return anew(p, r, c, d, on) },
	} {
		if v := look(); v.Why != "" {
			return v
		}
	}
	return Verdict{Send: true, Why: WhyLevelReached}
}

// stopped: something came between.
func stopped(r Reminder, c *State, on domain.Date) Verdict {
	h, held := c.Held(on)
	switch {
	case c.HandedTo != "":
		return Verdict{Why: WhyHandedOver, Drop: DropAway}
	case c.Returned && r.Acting == Agency:
		return Verdict{Why: WhyReturned, Drop: DropAway}
	case held && h.Kind == Disputed && (r.Acting == Agency || r.Run != ""):
		return Verdict{Why: WhyOnHold, Drop: DropDisputed}
	case held && h.Kind != Disputed:
		return Verdict{Why: WhyOnHold, Drop: DropHeld}
	case c.Promise != nil:
		return Verdict{Why: WhyPromise, Drop: DropHeld}
	case c.Plan != nil && (c.Plan.EffectiveOn.IsZero() || on.Before(c.Plan.EffectiveOn)) && !on.After(c.Plan.EndsOn()):
		return Verdict{Why: WhyPlan, Drop: DropHeld}
	}
	return Verdict{}
}

// changed: the books say otherwise than the reminder.
func changed(r Reminder, d Debtor) Verdict {
	items := make(map[domain.InvoiceID]Item, len(d.Items))
	for _, i := range d.Items {
		items[i.ID] = i
	}
	var left int64
	same, objects := true, false
	for _, was := range r.Items {
		now := items[was.Invoice]
		left += now.undisputed()
		same = same && now.undisputed() == was.Open.Minor() && now.DueOn == was.DueOn
		same = same && now.LateCharge.Minor() >= was.LateCharge.Minor() // less has accrued: it was assessed meanwhile
		objects = objects || now.Open.Minor()-now.undisputed() > was.Disputed.Minor()
	}
	same = same && max(0, d.Unapplied.Minor()) == max(0, r.Unapplied.Minor())
	switch {
	case objects:
		return Verdict{Why: WhyDisputed, Drop: DropDisputed}
	case left == 0:
		return Verdict{Why: WhyPaid, Drop: DropPaid}
	case r.More == 0 && left <= d.Unapplied.Minor():
		return Verdict{Why: WhyCovered, Drop: DropPaid}
	case !same:
		return Verdict{Why: WhyChanged, Drop: DropChanged}
	}
	return Verdict{}
}

// anew decides again: the reminder would still be queued, and as it is.
func anew(p Versioned, r Reminder, c *State, d Debtor, on domain.Date) Verdict {
	l := look{p: p, c: *c, d: d, on: on, as: r.Acting, byHand: r.Run == ""}
	l.c.Pending = nil
	if r.More > 0 { // what it does not list stands in its total
		then := look{p: p, c: l.c, d: d, on: r.QueuedOn}
		if then.claim(); then.out.Due != r.Due {
			return l.verdict(WhyChanged, r)
		}
	}
	l.claim()
	for _, check := range checks {
		if why := check.finds(&l); why != "" && !(check.soft && l.byHand) {
			return l.verdict(why, r)
		}
	}
	level := l.level()
	switch way, _, _ := d.way(level); {
	case !level.named(r.LevelID):
		return l.verdict(WhyChanged, r)
	case p.ID == r.Policy && p.Version == r.Version:
	case way != Way{r.Channel, r.Template}, level.Tone != r.Tone, level.Who != r.Who, level.lateCharge() != r.LateChargeUse,
		amount(level.Fee, d.Currency).Minor() != r.Fee.Minor():
		return l.verdict(WhyChanged, r)
	}
	if _, reached := d.reach(r.Channel); !reached {
		return Verdict{Why: WhyNoChannel, Drop: DropNoAddress}
	}
	return Verdict{}
}

// verdict is what becomes of a reminder against which something stands now: it waits where time alone will do.
func (l *look) verdict(why Why, r Reminder) Verdict {
	v := Verdict{Why: why, Until: l.out.AllowedFrom}
	switch why {
	case WhyBankDataOld:
		v.Until = l.on.AddDays(1)
	case WhyQuietDay, WhyRecently:
	default:
		v.Until, v.Drop = domain.Date{}, dropFor[why]
		if v.Drop == "" {
			v.Drop = DropChanged
			if l.p.ID != r.Policy || l.p.Version != r.Version {
				v.Drop = DropPolicy
			}
		}
	}
	return v
}

// dropFor is why a reminder is dropped; what is not in it follows from other amounts, or another policy.
var dropFor = map[Why]DropReason{
	WhyOnHold: DropHeld, WhyPlan: DropHeld, WhyPromise: DropHeld, WhyHandedOver: DropAway, WhyReturned: DropAway,
	WhyDisputed: DropDisputed, WhyCovered: DropPaid, WhyUnmatched: DropUnmatched, WhyElsewhere: DropElsewhere, WhyNoChannel: DropNoAddress,
}
