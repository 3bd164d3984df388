package dunning_test

import (
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

func dispatch(on string) dunning.DispatchReminder {
	return dunning.DispatchReminder{Order: at(on), Reminder: "R-1"}
}

func dispatched(on string) dunning.ReminderDispatched {
	return dunning.ReminderDispatched{Reminder: "R-1", DispatchedOn: day(on), Acting: dunning.Agency}
}

// Whoever says that a reminder goes out is asked by the books, and told what stands against it.
func TestTheBooksAreAskedBeforeItGoesOut(t *testing.T) {
	with := func(change func(*dunning.Debtor)) dunning.Debtor {
		d := owing(item("I1", "06-30", 11000))
		change(&d)
		return d
	}
	same := with(func(*dunning.Debtor) {})
	gone := send("07-04")
	gone.Gone, gone.Note = true, "it was in the post"
	for name, c := range map[string]struct {
		since  []domain.Event
		debtor dunning.Debtor
		policy func(*dunning.Versioned)
		want   *domain.Error
		why    dunning.Why
	}{
		"paid":                {nil, owing(), nil, dunning.ErrPaidMeanwhile, dunning.WhyPaid},
		"paid, not applied":   {nil, with(func(d *dunning.Debtor) { d.Unapplied = yen(11000) }), nil, dunning.ErrPaidMeanwhile, dunning.WhyCovered},
		"paid in part":        {nil, with(func(d *dunning.Debtor) { d.Items[0].Open = yen(1) }), nil, dunning.ErrChanged, dunning.WhyChanged},
		"in dispute":          {nil, with(func(d *dunning.Debtor) { d.Items[0].Disputed = yen(1) }), nil, dunning.ErrDisputedMeanwhile, dunning.WhyDisputed},
		"on hold":             {[]domain.Event{held(dunning.CreditorsHold, "07-03", "")}, same, nil, dunning.ErrOnHold, dunning.WhyOnHold},
		"promised":            {[]domain.Event{promised("07-03", "07-20", 11000)}, same, nil, dunning.ErrPromiseRuns, dunning.WhyPromise},
		"a plan":              {[]domain.Event{agreed()}, same, nil, dunning.ErrPlanRuns, dunning.WhyPlan},
		"money of somebody":   {nil, with(func(d *dunning.Debtor) { d.Unmatched = yen(1) }), nil, dunning.ErrUnmatched, dunning.WhyUnmatched},
		"money elsewhere":     {nil, with(func(d *dunning.Debtor) { d.Elsewhere = []domain.Money{domain.NewMoney(1, "USD")} }), nil, dunning.ErrElsewhere, dunning.WhyElsewhere},
		"no address":          {nil, with(func(d *dunning.Debtor) { d.Addresses = nil }), nil, dunning.ErrNoChannel, dunning.WhyNoChannel},
		"a Saturday":          {nil, same, func(p *dunning.Versioned) { p.BusinessDaysOnly = true }, dunning.ErrQuiet, dunning.WhyQuietDay},
		"no bank data":        {nil, same, func(p *dunning.Versioned) { p.BankDataMaxAge = 1 }, dunning.ErrBankDataOld, dunning.WhyBankDataOld},
		"another policy":      {nil, same, func(p *dunning.Versioned) { p.Version, p.Levels[0].MinimumAmount = 4, []domain.Money{yen(11001)} }, dunning.ErrChanged, dunning.WhyBelowMinimum},
		"the case went back":  {[]domain.Event{dunning.ReturnedToCreditor{}}, same, nil, dunning.ErrReturned, dunning.WhyReturned},
		"a lawyer has it":     {[]domain.Event{dunning.HandedOver{To: dunning.Lawyer}}, same, nil, dunning.ErrHandedOver, dunning.WhyHandedOver},
		"nothing: it may go":  {nil, same, nil, nil, ""},
		"dispatched before":   {[]domain.Event{dispatched("07-04")}, owing(), nil, dunning.ErrPaidMeanwhile, dunning.WhyPaid},
		"the level is gone":   {nil, same, func(p *dunning.Versioned) { p.Version, p.Levels = 4, p.Levels[1:] }, dunning.ErrChanged, dunning.WhyNotReached},
		"nobody has a policy": {nil, same, func(p *dunning.Versioned) { *p = dunning.Versioned{} }, dunning.ErrChanged, dunning.WhyNoPolicy},
	} {
		t.Run(name, func(t *testing.T) {
			events := append([]domain.Event{queued()}, c.since...)
			r := askOf(send("07-04"), c.debtor)
			if c.policy != nil {
				c.policy(&r.Facts.Policy)
			}
			recorded := sent("R-1", "07-04", 1, "R1")
			if c.want == nil {
				given(t, events...).When(r).Then(recorded)
				r.Command = dispatch("07-04")
				given(t, events...).When(r).Then(dispatched("07-04"))
			} else {
				given(t, events...).When(r).Refused(c.want)
				r.Command = dispatch("07-04")
				if len(c.since) > 0 && c.since[0] == domain.Event(dispatched("07-04")) {
					given(t, events...).When(r).Then() // one that was dispatched stays so
				} else {
					given(t, events...).When(r).Refused(c.want)
				}
			}
			r.Command, recorded.Note, recorded.Despite = gone, gone.Note, c.why // what has left has left
			given(t, events...).When(r).Then(recorded)
		})
	}
	gone.Note = ""
	given(t, queued()).When(ask(gone)).RefusedAt(domain.ErrMissing, "/note")
}

// What was given out to be sent is not taken back, and its case not closed, before it is known what became of it.
func TestALetterOnItsWay(t *testing.T) {
	paid := dunning.CloseCase{Order: at("07-05"), Reason: dunning.ClosePaid}
	notGone := drop("07-05", dunning.DropPaid)
	notGone.NotGone = true
	s := given(t, queued()).When(ask(dispatch("07-02"))).RefusedAt(dunning.ErrTooEarly, "/on").
		When(ask(dispatch("07-04"))).Then(dispatched("07-04")).
		When(ask(dispatch("07-04"))).Then().
		When(ask(drop("07-05", dunning.DropPaid))).RefusedAt(dunning.ErrLeaving, "/not_gone").
		When(askOf(paid, owing())).Refused(dunning.ErrLeaving)
	if d := dunning.Decide(plain(), s.State(), owing(), day("07-05"), dunning.Agency); len(d.Steps) > 0 {
		t.Errorf("a run closes the case: %+v", d.Steps)
	}
	given(t, queued(), dispatched("07-04")).When(ask(notGone)).
		Then(dunning.ReminderDropped{Reminder: "R-1", DroppedOn: day("07-05"), Reason: dunning.DropPaid, Acting: dunning.Agency}).
		When(askOf(paid, owing())).Then(dunning.CaseClosed{Generation: 1, ClosedOn: day("07-05"), Reason: dunning.ClosePaid, Acting: dunning.Agency})
	given(t, queued(), dispatched("07-04"), sent("R-1", "07-04", 1, "R1")).
		When(ask(dispatch("07-05"))).RefusedAt(dunning.ErrReminderSettled, "/reminder").
		When(askOf(paid, owing())).Then(dunning.CaseClosed{Generation: 1, ClosedOn: day("07-05"), Reason: dunning.ClosePaid, Acting: dunning.Agency})
	creditors := queued()
	creditors.Who = dunning.Creditor
	given(t, creditors).When(ask(dispatch("07-04"))).RefusedAt(dunning.ErrNeedsCreditor, "/acting")
	given(t, queued(), held(dunning.Disputed, "07-04", "")).When(ask(dispatch("07-04"))).RefusedAt(dunning.ErrAgencyStops, "/acting")
}

// What is said to have happened has happened: its day is not to come. Days until which something holds may be.
func TestDaysToCome(t *testing.T) {
	today := day("07-03")
	for _, c := range dunning.Commands {
		r := ask(ofTomorrow(c, today.AddDays(1)))
		r.Facts.Today = today
		if dunning.Check(r.Command) != nil {
			continue
		}
		given(t).When(r).RefusedAt(dunning.ErrFutureDay, "/on")
	}
	promise := ask(dunning.RecordPromise{Order: at("07-03"), Promise: "P", Amount: yen(1), Day: day("07-20")})
	promise.Facts.Today = today
	given(t).When(promise).Then(about(dunning.PromiseRecorded{Promise: "P", MadeOn: today, Amount: yen(1), Day: day("07-20"), Acting: dunning.Agency}, covers("I1", 11000, 0)))
	hold := ask(dunning.HoldDunning{Order: at("07-03"), Hold: "H", Kind: dunning.Deceased, Until: day("12-31"), Reason: "x"})
	hold.Facts.Today = today
	h := held(dunning.Deceased, "07-03", "12-31")
	h.Acting = dunning.Agency
	given(t).When(hold).Then(h)
	notice := ask(dunning.AcceleratePlan{Order: creditor("07-03"), Plan: "L", Trigger: dunning.OnNotice, NoticeOn: day("07-04"), EffectiveOn: day("07-10"), Reason: "x"})
	notice.Facts.Today = today
	given(t, agreed()).When(notice).RefusedAt(dunning.ErrFutureDay, "/notice_on")
}

// ofTomorrow is a command of a shape that may be given, on a day.
func ofTomorrow(c dunning.Command, on domain.Date) dunning.Command {
	o := dunning.Order{Key: key, On: on, Acting: dunning.Creditor}
	switch c.(type) {
	case dunning.EscalateReminder:
		return dunning.EscalateReminder{Order: o, Reminder: "R", Reason: "x"}
	case dunning.DispatchReminder:
		return dunning.DispatchReminder{Order: o, Reminder: "R"}
	case dunning.HoldDunning:
		return dunning.HoldDunning{Order: o, Hold: "H", Kind: dunning.Deceased, Reason: "x"}
	case dunning.RecordPromise:
		return dunning.RecordPromise{Order: o, Promise: "P", Amount: yen(1), Day: on}
	case dunning.RecordContact:
		return dunning.RecordContact{Order: o, Contact: "K", By: dunning.ByCall, Direction: dunning.Inbound, Outcome: dunning.Spoke}
	case dunning.AssignCollector:
		return dunning.AssignCollector{Order: o, Collector: "sato"}
	case dunning.ReturnToCreditor:
		return dunning.ReturnToCreditor{Order: o, Reason: "x"}
	case dunning.CloseCase:
		return dunning.CloseCase{Order: o, Reason: dunning.ClosePaid}
	}
	return c
}
