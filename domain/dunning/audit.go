package dunning

import (
	"fmt"
	"slices"

	"github.com/urikake/urikake/domain"
)

// audit: see domain.Decider.
func audit(s *State, stream string, e domain.Event) error {
	known, ok := e.(Event)
	if !ok {
		return domain.ErrMisplaced.With("%s is no event of a case", e.Kind())
	}
	key, ok := ParseStream(stream)
	if !ok {
		return domain.ErrMisplaced.With("no case has such a stream")
	}
	return known.audit(s, key)
}

// own finds amounts of another currency than the case's; what is left out has none.
func (k Key) own(list ...domain.Money) error {
	for _, m := range list {
		if m != (domain.Money{}) && m.Currency() != k.Currency {
			return domain.ErrMisplaced.With("%s, and the case is in %s", m, k.Currency)
		}
	}
	return nil
}

// A reminder is queued one at a time, for a day after the last one was sent, while nothing stops it, and asks for what
// its items come to.
func (e ReminderQueued) audit(s *State, k Key) error {
	if err := k.own(e.Due, e.Disputed, e.Unapplied, e.ToPay, e.LateCharge, e.Fee); err != nil {
		return err
	}
	if err := s.fresh("reminder", string(e.ID)); err != nil {
		return err
	}
	generation := s.Generation
	if !s.Begun {
		generation++
	}
	switch {
	case e.Generation != generation:
		return domain.ErrContradiction.With("it is of generation %d, and this is %d", e.Generation, generation)
	case s.Pending != nil:
		return ErrPending.With("%s", s.Pending.ID)
	case !s.LastSentOn.IsZero() && !e.QueuedOn.After(s.LastSentOn):
		return ErrRecently.With("on %s, and one was sent on %s", e.QueuedOn, s.LastSentOn)
	case s.HandedTo != "":
		return ErrHandedOver
	case s.Returned && e.Acting == Agency:
		return ErrReturned
	case s.Promise != nil:
		return ErrPromiseRuns.With("%s, until %s", s.Promise.ID, s.Promise.PayBy)
	case s.Plan != nil && (s.Plan.EffectiveOn.IsZero() || e.QueuedOn.Before(s.Plan.EffectiveOn)) && !e.QueuedOn.After(s.Plan.EndsOn()):
		return ErrPlanRuns.With("%s, until %s", s.Plan.ID, s.Plan.EndsOn())
	case e.Who == Creditor && e.Acting == Agency:
		return ErrNeedsCreditor.With("level %s", e.LevelID)
	}
	for _, kind := range HoldKinds {
		h, held := s.hold(e.QueuedOn, kind)
		byCreditor := e.Acting == Creditor && e.Run == ""
		if held && !(kind == Disputed && byCreditor) {
			return ErrOnHold.With("%s (%s) since %s", h.ID, h.Kind, h.From)
		}
	}
	return e.auditAmounts(k)
}

func (r Reminder) auditAmounts(k Key) error {
	var due int64
	seen := make(map[domain.InvoiceID]bool, len(r.Items))
	for _, i := range r.Items {
		if err := k.own(i.Open, i.Disputed, i.LateCharge); err != nil {
			return err
		}
		switch due += i.Open.Minor(); {
		case seen[i.Invoice]:
			return ErrRepeatedID.With("it lists %s twice", i.Invoice)
		case i.Open.Minor() <= 0:
			return domain.ErrContradiction.With("it lists %s with %s open", i.Invoice, i.Open)
		case i.DaysOverdue != r.QueuedOn.DaysSince(i.DueOn):
			return domain.ErrContradiction.With("%s, due on %s, is said to be %d days overdue on %s", i.Invoice, i.DueOn, i.DaysOverdue, r.QueuedOn)
		}
		seen[i.Invoice] = true
	}
	toPay := r.Due.Minor() - max(0, r.Unapplied.Minor())
	switch {
	case due != r.Due.Minor() && r.More == 0, due > r.Due.Minor():
		return domain.ErrContradiction.With("its items come to %s, and it says %s", k.money(due), r.Due)
	case r.ToPay.Minor() != toPay:
		return domain.ErrContradiction.With("%s less %s is %s, and it says %s", r.Due, r.Unapplied, k.money(toPay), r.ToPay)
	case toPay <= 0:
		return ErrNotNow.With("there is %s to pay", k.money(toPay))
	}
	return nil
}

// Follows finds a reminder that is not what a policy's next level asks for: one that is repeated, that skips another, or
// that says otherwise than the policy. Of a policy that begins with a notice ahead of the due date, that may be skipped.
func (s *State) Follows(p Policy, r Reminder) error {
	next := p.next(s.Reached)
	ahead := next == 1 && p.Levels[0].ahead()
	if r.Level != next && !(ahead && r.Level == 2) || r.Level < 1 || r.Level > len(p.Levels) {
		return domain.ErrContradiction.With("it is of level %d, and the next of policy %s version %d is %d", r.Level, r.Policy, r.Version, next)
	}
	l := p.Levels[r.Level-1]
	for _, same := range []error{
		domain.Same("the level", r.LevelID, l.ID), domain.Same("the tone", r.Tone, l.Tone), domain.Same("who may send it", r.Who, l.Who),
		domain.Same("what it does about late charges", r.LateChargeUse, l.lateCharge()),
		domain.Same("the fee", r.Fee.Minor(), amount(l.Fee, r.Due.Currency()).Minor()),
	} {
		if same != nil {
			return same
		}
	}
	return nil
}

// A queued reminder is given out once, on its day or later.
func (e ReminderDispatched) audit(s *State, _ Key) error {
	r, err := s.pending(e.Reminder)
	switch {
	case err != nil:
		return err
	case !s.Leaving.IsZero():
		return ErrLeaving.With("on %s", s.Leaving)
	}
	return r.leaves(e.DispatchedOn, e.Acting)
}

func (r Reminder) leaves(on domain.Date, acting Capacity) error {
	switch {
	case on.Before(r.QueuedOn):
		return ErrTooEarly.With("on %s, queued as of %s", on, r.QueuedOn)
	case r.Who == Creditor && acting == Agency:
		return ErrNeedsCreditor.With("level %s", r.LevelID)
	}
	return nil
}

// A queued reminder is sent once, on its day or later, and is what it was when it was queued.
func (e ReminderSent) audit(s *State, _ Key) error {
	r, err := s.pending(e.Reminder)
	if err == nil {
		err = domain.Same("the level", fmt.Sprint(e.Level, " ", e.LevelID), fmt.Sprint(r.Level, " ", r.LevelID))
	}
	if err == nil {
		err = r.leaves(e.SentOn, e.Acting)
	}
	return err
}

// A queued reminder is dropped once; on its day or later, unless the case is closed.
func (e ReminderDropped) audit(s *State, _ Key) error {
	r, err := s.pending(e.Reminder)
	if err == nil && e.DroppedOn.Before(r.QueuedOn) && e.Reason != DropClosed {
		err = ErrTooEarly.With("on %s, queued as of %s", e.DroppedOn, r.QueuedOn)
	}
	return err
}

// A hold is placed once, and does not end before it begins.
func (e Held) audit(s *State, _ Key) error {
	switch {
	case !e.Until.IsZero() && e.Until.Before(e.From):
		return ErrBadUntil.With("from %s until %s", e.From, e.Until)
	case (e.For == CreditorsHold || e.For == PlanHold) && e.Acting == Agency:
		return ErrNeedsCreditor.With("a hold of kind %s", e.For)
	}
	return s.fresh("hold", string(e.Hold))
}

// A hold that stands is released.
func (e HoldReleased) audit(s *State, _ Key) error {
	i := slices.IndexFunc(s.Holds, func(h Hold) bool { return h.ID == e.Hold })
	if i < 0 {
		return ErrUnknownHold.With("%s", e.Hold)
	}
	h := s.Holds[i]
	switch {
	case e.For != h.Kind:
		return domain.Same("the kind", e.For, h.Kind)
	case e.ReleasedOn.Before(h.From):
		return ErrTooEarly.With("on %s, held from %s", e.ReleasedOn, h.From)
	case !h.holds(e.ReleasedOn):
		return ErrHoldOver.With("until %s", h.Until)
	case slices.Contains(creditorsHolds, h.Kind) && e.Acting == Agency:
		return ErrNeedsCreditor.With("ending a hold of kind %s", h.Kind)
	}
	return nil
}

// A contact is recorded once, and an agency seeks none where it has to stop.
func (e ContactRecorded) audit(s *State, k Key) error {
	if e.Direction == Outbound {
		if err := s.outbound(Order{Key: k, Acting: e.Acting}, e.ContactedOn); err != nil {
			return err
		}
	}
	return s.fresh("contact", string(e.Contact))
}

// Any collector may look after a case.
func (CollectorAssigned) audit(*State, Key) error { return nil }

// A case that is here is given back.
func (ReturnedToCreditor) audit(s *State, _ Key) error {
	switch {
	case s.HandedTo != "":
		return ErrHandedOver.With("to %s", s.HandedTo)
	case s.Returned:
		return ErrReturned
	}
	return nil
}

// A case is handed over once, by the creditor.
func (e HandedOver) audit(s *State, _ Key) error {
	switch {
	case e.Acting == Agency:
		return ErrNeedsCreditor.With("handing a claim over")
	case s.HandedTo != "":
		return ErrHandedOver.With("to %s", s.HandedTo)
	}
	return nil
}

// A case that is away is resumed, by the creditor.
func (e CaseResumed) audit(s *State, _ Key) error {
	switch {
	case e.Acting == Agency:
		return ErrNeedsCreditor.With("giving a case back to the agency")
	case !s.Returned && s.HandedTo == "":
		return ErrNotAway
	}
	return nil
}

// A case that is open is closed, with nothing on its way.
func (e CaseClosed) audit(s *State, _ Key) error {
	switch {
	case !s.Open():
		return ErrNotOpen
	case s.Pending != nil:
		return ErrPending.With("%s", s.Pending.ID)
	case (e.Reason == CloseWrittenOff || e.Reason == CloseSettled) && e.Acting == Agency:
		return ErrNeedsCreditor.With("giving up or settling a claim")
	}
	return domain.Same("the generation", e.Generation, s.Generation)
}
