package dunning_test

import (
	"errors"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

func escalate(on string) dunning.EscalateReminder {
	return dunning.EscalateReminder{Order: at(on), Reminder: "R-1", Run: "RUN"}
}

func send(on string) dunning.SendReminder {
	return dunning.SendReminder{Order: at(on), Reminder: "R-1", TextHash: hash, Channel: dunning.Mail, Result: dunning.Accepted}
}

func drop(on string, why dunning.DropReason) dunning.DropReminder {
	return dunning.DropReminder{Order: at(on), Reminder: "R-1", Reason: why}
}

// A reminder is queued, rechecked and sent; the level is reached by the sending.
func TestOneReminder(t *testing.T) {
	debtor := owing(item("I1", "06-30", 11000))
	s := given(t).
		When(askOf(escalate("07-02"), debtor)).Refused(dunning.ErrNotNow).
		When(askOf(escalate("07-03"), debtor)).Then(queued())
	if state := s.State(); state.Level() != 0 || !state.Begun || state.Pending == nil || state.Generation != 1 {
		t.Errorf("%+v", state)
	}
	again := escalate("07-03")
	again.Reminder = "R-2"
	s = s.When(askOf(again, debtor)).Refused(dunning.ErrPending).
		When(askOf(escalate("07-03"), debtor)).RefusedAt(dunning.ErrRepeatedID, "/reminder").
		When(ask(send("07-02"))).RefusedAt(dunning.ErrTooEarly, "/on").
		When(ask(send("07-03"))).Then(sent("R-1", "07-03", 1, "R1")).
		When(ask(send("07-04"))).RefusedAt(dunning.ErrReminderSettled, "/reminder").
		When(ask(drop("07-04", dunning.DropPaid))).RefusedAt(dunning.ErrReminderSettled, "/reminder")
	if state := s.State(); state.Level() != 1 || state.LastSentOn != day("07-03") || !state.Listed["I1"] || state.Pending != nil {
		t.Errorf("%+v", state)
	}
	given(t).When(ask(send("07-03"))).RefusedAt(dunning.ErrUnknownReminder, "/reminder").
		When(ask(drop("07-03", dunning.DropPaid))).RefusedAt(dunning.ErrUnknownReminder, "/reminder")
}

// A dropped reminder did not reach its level; the next run may queue it again.
func TestADroppedReminderDoesNotCount(t *testing.T) {
	debtor := owing(item("I1", "06-30", 11000))
	again := queued()
	again.ID = "R-2"
	second := escalate("07-03")
	second.Reminder = "R-2"
	s := given(t, queued()).
		When(ask(drop("07-02", dunning.DropChanged))).RefusedAt(dunning.ErrTooEarly, "/on").
		When(ask(drop("07-03", dunning.DropOther))).RefusedAt(domain.ErrMissing, "/note").
		When(ask(drop("07-03", dunning.DropChanged))).
		Then(dunning.ReminderDropped{Reminder: "R-1", DroppedOn: day("07-03"), Reason: dunning.DropChanged, Acting: dunning.Agency}).
		When(askOf(second, debtor)).Then(again)
	if s.State().Level() != 0 || s.State().Generation != 1 {
		t.Errorf("%+v", s.State())
	}
}

// By hand, with a reason, timing and thresholds may be set aside, and that is noted; nothing else.
func TestByHand(t *testing.T) {
	hand := dunning.EscalateReminder{Order: at("07-01"), Reminder: "R-1", Reason: "they asked for it"}
	want := queued()
	want.QueuedOn, want.Run, want.Reason, want.Warnings = day("07-01"), "", "they asked for it", []dunning.Why{dunning.WhyNotReached}
	want.Items[0].DaysOverdue = 1
	debtor := owing(item("I1", "06-30", 11000))
	given(t).When(askOf(hand, debtor)).Then(want)
	late := hand
	late.Reminder, late.On = "R-2", day("07-05")
	given(t, queued(), sent("R-1", "07-05", 1, "R1")).
		When(askOf(late, debtor)).Refused(dunning.ErrNotNow). // never two on one day
		When(askOf(late, owing())).Refused(dunning.ErrNotNow)
	given(t).When(askOf(hand, owing())).Refused(dunning.ErrNotNow)
	both, neither := hand, hand
	both.Run, neither.Reason = "RUN", ""
	given(t).When(askOf(both, debtor)).RefusedAt(dunning.ErrRunOrReason, "/reason").
		When(askOf(neither, debtor)).RefusedAt(dunning.ErrRunOrReason, "/reason")
}

// What the creditor has to do himself, an agency is refused with the law.
func TestTheCreditorsLevel(t *testing.T) {
	debtor := owing(item("I1", "06-30", 11000))
	third := dunning.EscalateReminder{Order: at("08-01"), Reminder: "R-3", Run: "RUN"}
	byCreditor := third
	byCreditor.Acting = dunning.Creditor
	want := queued()
	want.ID, want.QueuedOn, want.Level, want.LevelID, want.Template, want.Tone = "R-3", day("08-01"), 3, "R3", "R3", dunning.Final
	want.Who, want.Acting = dunning.Creditor, dunning.Creditor
	want.Items[0].DaysOverdue = 32
	agency := dunning.SendReminder{Order: at("08-01"), Reminder: "R-3", TextHash: hash, Channel: dunning.Mail, Result: dunning.Delivered}
	creditors := agency
	creditors.Acting = dunning.Creditor
	done := sent("R-3", "08-01", 3, "R3")
	done.Result, done.Acting = dunning.Delivered, dunning.Creditor
	next := byCreditor
	next.Reminder, next.On = "R-4", day("09-01")
	second := queued()
	second.ID, second.Level, second.LevelID = "R-2", 2, "R2"
	given(t, queued(), sent("R-1", "07-03", 1, "R1"), second, sent("R-2", "07-10", 2, "R2")).
		When(askOf(third, debtor)).Refused(dunning.ErrNeedsCreditor).
		When(askOf(byCreditor, debtor)).Then(want).
		When(ask(agency)).RefusedAt(dunning.ErrNeedsCreditor, "/acting").
		When(ask(creditors)).Then(done).
		When(askOf(next, debtor)).Refused(dunning.ErrLastLevel)
}

// While the debtor objects, every outbound step of an agency is refused; the creditor may go on.
func TestAgencyStopsInDispute(t *testing.T) {
	debtor := owing(item("I1", "06-30", 11000))
	call := dunning.RecordContact{Order: at("07-04"), Contact: "K-1", By: dunning.ByCall, Direction: dunning.Outbound, Outcome: dunning.Spoke}
	theirs := call
	theirs.Direction = dunning.Inbound
	byCreditor := send("07-04")
	byCreditor.Acting = dunning.Creditor
	anyway := byCreditor
	anyway.Gone, anyway.Note = true, "posted in the morning"
	done := sent("R-1", "07-04", 1, "R1")
	done.Acting, done.Note, done.Despite = dunning.Creditor, anyway.Note, dunning.WhyOnHold
	given(t, queued(), held(dunning.Disputed, "07-03", "")).
		When(ask(send("07-03"))).RefusedAt(dunning.ErrAgencyStops, "/acting").
		When(ask(call)).RefusedAt(dunning.ErrAgencyStops, "/acting").
		When(ask(theirs)).Then(dunning.ContactRecorded{
		Contact: "K-1", ContactedOn: day("07-04"), By: dunning.ByCall, Direction: dunning.Inbound, Outcome: dunning.Spoke, Acting: dunning.Agency,
	}).
		When(ask(byCreditor)).RefusedAt(dunning.ErrOnHold, "/reminder"). // a run's reminder; he may queue his own
		When(ask(anyway)).Then(done)

	hand := dunning.EscalateReminder{Order: creditor("07-03"), Reminder: "R-1", Reason: "the objection is without ground"}
	want := queued()
	want.Run, want.Reason, want.Acting = "", hand.Reason, dunning.Creditor
	run := escalate("07-03")
	run.Acting = dunning.Creditor
	given(t, held(dunning.Disputed, "07-03", "")).
		When(askOf(escalate("07-03"), debtor)).Refused(dunning.ErrAgencyStops).
		When(askOf(run, debtor)).Refused(dunning.ErrOnHold). // a run never overrides
		When(askOf(hand, debtor)).Then(want)
	given(t, queued(), held(dunning.Disputed, "07-05", "")). // sent before the objection, recorded after it
									When(ask(send("07-04"))).Then(sent("R-1", "07-04", 1, "R1"))
}

// Any other hold stops everybody.
func TestHoldsForbidReminders(t *testing.T) {
	for _, kind := range dunning.HoldKinds {
		if kind == dunning.Disputed {
			continue
		}
		hand := dunning.EscalateReminder{Order: creditor("07-03"), Reminder: "R-1", Reason: "x"}
		given(t, held(kind, "07-01", "07-31")).
			When(askOf(escalate("07-03"), owing(item("I1", "06-30", 11000)))).Refused(dunning.ErrOnHold).
			When(askOf(hand, owing(item("I1", "06-30", 11000)))).Refused(dunning.ErrOnHold)
	}
}

func TestPromisesAndPlansForbidReminders(t *testing.T) {
	debtor := owing(item("I1", "06-30", 11000))
	given(t, promised("07-01", "07-20", 11000)).When(askOf(escalate("07-03"), debtor)).Refused(dunning.ErrPromiseRuns)
	given(t, agreed()).When(askOf(escalate("07-03"), debtor)).Refused(dunning.ErrPlanRuns)
	given(t, promised("07-01", "07-02", 11000)).When(askOf(escalate("07-03"), debtor)).Refused(dunning.ErrSettleFirst)
}

func TestShapeOfReminders(t *testing.T) {
	bad := dunning.EscalateReminder{Order: dunning.Order{Key: dunning.Key{Seller: "a.b", Currency: "yen"}, Acting: "KING"}, Run: "a b", Reminder: ""}
	for field, want := range map[string]*domain.Error{
		"/seller": domain.ErrBadID, "/customer": domain.ErrBadID, "/currency": domain.ErrBadCurrency, "/on": domain.ErrMissing,
		"/acting": domain.ErrUnknown, "/run": domain.ErrBadID, "/reminder": domain.ErrBadID,
	} {
		given(t).When(ask(bad)).RefusedAt(want, field)
	}
	wrong := dunning.SendReminder{Order: at("07-03"), Reminder: "R-1", TextHash: "abc", Channel: "PIGEON", Result: "LOST"}
	given(t, queued()).When(ask(wrong)).RefusedAt(dunning.ErrBadHash, "/text_hash").
		When(ask(wrong)).RefusedAt(domain.ErrUnknown, "/channel").
		When(ask(wrong)).RefusedAt(domain.ErrUnknown, "/result").
		When(ask(drop("07-03", "WHIM"))).RefusedAt(domain.ErrUnknown, "/reason_code")
}

func TestParties(t *testing.T) {
	r := askOf(escalate("07-03"), owing())
	r.Facts.SellerKnown = false
	given(t).When(r).RefusedAt(dunning.ErrUnknownSeller, "/seller")
	r.Facts.SellerKnown, r.Facts.CustomerKnown = true, false
	given(t).When(r).RefusedAt(dunning.ErrUnknownCustomer, "/customer")
	r.Facts.CustomerKnown, r.Facts.Debtor = true, dunning.Debtor{}
	for _, c := range dunning.Commands {
		if r.Command = c; dunning.NeedsFacts(c) && dunning.Check(c) == nil {
			given(t).When(r).Refused(dunning.ErrFactsMissing)
		}
	}
	r.Command = escalate("07-03")
	given(t, queued()).When(r).Refused(dunning.ErrFactsMissing)
	r.Command = dunning.CloseCase{Order: at("07-03"), Reason: dunning.ClosePaid}
	given(t, queued()).When(r).Refused(dunning.ErrFactsMissing)
}

func TestStreams(t *testing.T) {
	if got := key.Stream(); got != "dunning-midori.C1.JPY" {
		t.Error(got)
	}
	if got, ok := dunning.ParseStream(key.Stream()); !ok || got != key {
		t.Errorf("%+v", got)
	}
	for _, bad := range []string{"", "dunning-", "dunning-a.b", "dunning-a.b.JPY.x", "account-a.b.JPY", "dunning-a.b.YEN", "dunning-.b.JPY"} {
		if _, ok := dunning.ParseStream(bad); ok {
			t.Errorf("%q is a case", bad)
		}
	}
	if got := dunning.Decider.Stream(ask(send("07-03"))); got != key.Stream() {
		t.Error(got)
	}
}

// What is left out is derived; what is given stays.
func TestDerivedIDs(t *testing.T) {
	for _, c := range dunning.Commands {
		err := dunning.Check(dunning.WithID(c, "D"))
		var many domain.Faults
		if errors.As(err, &many) {
			for _, f := range many {
				switch f.Field {
				case "/contact", "/reminder", "/hold", "/promise", "/plan":
					if c := dunning.WithID(c, "D"); f.Rule == domain.ErrBadID.Rule && needsOwnID(c) {
						t.Errorf("%s has no id: %v", c.Name(), f)
					}
				}
			}
		}
	}
	given := dunning.WithID(dunning.HoldDunning{Hold: "MINE"}, "D")
	if given.(dunning.HoldDunning).Hold != "MINE" {
		t.Error("the given id is gone")
	}
}

// needsOwnID tells the commands that begin something.
func needsOwnID(c dunning.Command) bool {
	switch c.(type) {
	case dunning.EscalateReminder, dunning.HoldDunning, dunning.RecordPromise, dunning.AgreePaymentPlan, dunning.RecordContact:
		return true
	}
	return false
}
