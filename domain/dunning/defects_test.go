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
