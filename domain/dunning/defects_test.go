package dunning_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/scenario"
)

// Defects that users of dunning software have met, each of which must not be met here. Those about days, partial
// payments and signs stand in TestWhy and TestSteps.

func TestTheSameReminderIsNeverSentTwice(t *testing.T) {
	debtor := owing(item("I1", "06-30", 11000))
	s := given(t, queued())
	for range 22 { // runs of the same day, and of the days after it, while it waits
		s.When(askOf(dunning.EscalateReminder{Order: at("07-04"), Reminder: "R-2", Run: "RUN-2"}, debtor)).Refused(dunning.ErrPending)
	}
	s = s.When(ask(send("07-03"))).Then(sent("R-1", "07-03", 1, "R1"))
	for range 22 {
		s.When(ask(send("07-03"))).Refused(dunning.ErrReminderSettled)
		s.When(askOf(dunning.EscalateReminder{Order: at("07-03"), Reminder: "R-2", Run: "RUN-2"}, debtor)).Refused(dunning.ErrNotNow)
	}
}

// A late charge that is shown is computed for the day and owed by nobody: deciding adds nothing to anything.
func TestALateFeeIsNotAddedByLooking(t *testing.T) {
	p := plain()
	p.Levels[0].LateCharge = dunning.LateChargeShown
	late := item("I1", "06-30", 11000)
	late.LateCharge = yen(13)
	first := dunning.Decide(p, nil, owing(late), day("07-03"), dunning.Agency)
	for range 24 {
		if diff := cmp.Diff(first, dunning.Decide(p, nil, owing(late), day("07-03"), dunning.Agency), scenario.Options); diff != "" {
			t.Fatal(diff)
		}
	}
	if first.Reminder.LateCharge != yen(13) || first.Reminder.ToPay != yen(11000) {
		t.Errorf("%+v", first.Reminder)
	}
}

// A late charge outlives the invoice that it came from: it is an item of its own, and is reminded.
func TestAnUnpaidLateChargeIsNotLost(t *testing.T) {
	charge := item("LC1", "07-03", 1240)
	d := dunning.Decide(plain(), stateOf(queued(), sent("R-1", "07-03", 1, "R1")), owing(charge), day("07-10"), dunning.Agency)
	if !d.Reminds() || d.Reminder.Items[0].Invoice != "LC1" || d.Reminder.Level != 1 || d.Reminder.Generation != 2 {
		t.Errorf("%s %+v", d, d.Reminder)
	}
}

// A reminder about one invoice does not keep another one, late since, from being reminded.
func TestOneReminderDoesNotHideAnother(t *testing.T) {
	s := stateOf(queued(), sent("R-1", "07-03", 1, "R1"))
	d := dunning.Decide(plain(), s, owing(item("I1", "06-30", 11000), item("I2", "07-05", 5000)), day("07-10"), dunning.Agency)
	if !d.Reminds() || len(d.Reminder.Items) != 2 || d.Reminder.Due != yen(16000) {
		t.Errorf("%s %+v", d, d.Reminder)
	}
}

// What was done stays told when the debt is partly paid, and when it is paid.
func TestHistoryDoesNotVanish(t *testing.T) {
	s := stateOf(queued(), sent("R-1", "07-03", 1, "R1"))
	if d := dunning.Decide(plain(), s, owing(item("I1", "06-30", 5000)), day("07-04"), dunning.Agency); d.Reached != 1 || d.Level != 2 || d.Why != dunning.WhyNotReached {
		t.Errorf("%s: %+v", d, d)
	}
	paid := dunning.CloseCase{Order: at("07-05"), Reason: dunning.ClosePaid}
	after := given(t, queued(), sent("R-1", "07-03", 1, "R1")).When(askOf(paid, owing())).
		Then(dunning.CaseClosed{Generation: 1, ClosedOn: day("07-05"), Reason: dunning.ClosePaid, Acting: dunning.Agency}).State()
	if after.LastSentOn != day("07-03") || after.Generation != 1 {
		t.Errorf("%+v", after)
	}
}

// Neither the total nor the sign: what remains is asked for, from the day after the due date, never before it.
func TestWhatRemainsIsAskedForOnceItIsLate(t *testing.T) {
	p := plain()
	p.Levels[0].DaysAfterDue = 1
	partly := owing(item("I1", "06-30", 4000)) // of 11,000
	for on, want := range map[string]bool{"05-01": false, "06-29": false, "06-30": false, "07-01": true, "08-29": true} {
		d := dunning.Decide(p, nil, partly, day(on), dunning.Agency)
		if d.Reminds() != want || want && (d.Reminder.ToPay != yen(4000) || d.Reminder.Items[0].Open != yen(4000)) {
			t.Errorf("%s: %s %+v", on, d, d.Reminder)
		}
	}
}

// What was paid or credited right before is seen, whether it is applied yet or not, when it is decided and when it goes out.
func TestNobodyIsRemindedWhoPaidOrWasCredited(t *testing.T) {
	free := owing(item("I1", "06-30", 11000))
	free.Unapplied = yen(11000)
	credit := free
	credit.Credit = yen(11000)
	for name, debtor := range map[string]dunning.Debtor{"paid or credited": owing(), "paid, not applied": free, "credited, not applied": credit} {
		if d := dunning.Decide(plain(), nil, debtor, day("07-03"), dunning.Agency); d.Reminds() {
			t.Errorf("%s: %s", name, d)
		}
		given(t, queued()).When(askOf(send("07-03"), debtor)).Refused(dunning.ErrPaidMeanwhile)
	}
	after := given(t, queued(), sent("R-1", "07-03", 1, "R1")).State()
	if d := dunning.Decide(plain(), after, owing(), day("07-04"), dunning.Agency); len(d.Steps) != 1 || d.Steps[0].Do != dunning.DoClose {
		t.Errorf("a credit does not clear the case: %+v", d.Steps)
	}
}
