package dunning

import "github.com/urikake/urikake/domain"

// Verdict is what a queued reminder comes to at the last moment.
type Verdict struct {
	Send  bool        `json:"send" doc:"send it now"`
	Why   Why         `json:"why" doc:"stable code of what stands against it; level_reached when nothing does"`
	Drop  DropReason  `json:"drop,omitempty" doc:"drop it for this reason; absent although it is not sent: wait"`
	Until domain.Date `json:"until,omitzero" doc:"look again on this day"`
}

// Recheck looks at a queued reminder once more before it goes out, with the facts of that moment: a debtor who has paid
// or objected meanwhile is not reminded. What changed is dropped, and the next run decides anew; on a quiet day, or
// while bank data is missing, it waits. O(items).
func Recheck(p Policy, r Reminder, c *State, d Debtor, on domain.Date) Verdict {
	if c == nil || c.Pending == nil || c.Pending.ID != r.ID {
		return Verdict{Why: WhySettled}
	}
	for _, look := range []func() Verdict{
		func() Verdict { return stopped(r, c, on) },
		func() Verdict { return changed(r, d) },
		func() Verdict { return unsent(p, r, d, on) },
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
	case d.Unmatched.Minor() > 0 && r.Run != "":
		return Verdict{Why: WhyUnmatched, Drop: DropUnmatched}
	}
	return Verdict{}
}

// unsent: it can't go out, or not today.
func unsent(p Policy, r Reminder, d Debtor, on domain.Date) Verdict {
	if _, reached := d.reach(r.Channel); !reached {
		return Verdict{Why: WhyNoChannel, Drop: DropNoAddress}
	}
	if r.Run == "" {
		return Verdict{}
	}
	switch {
	case p.old(d, on) && p.OldBankData != WarnOnOldData:
		return Verdict{Why: WhyBankDataOld, Until: on.AddDays(1)}
	case p.Quiet(on):
		return Verdict{Why: WhyQuietDay, Until: p.NextAllowed(on)}
	}
	return Verdict{}
}
