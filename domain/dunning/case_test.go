package dunning_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

func TestHolds(t *testing.T) {
	hold := func(kind dunning.HoldKind, until string) dunning.HoldDunning {
		c := dunning.HoldDunning{Order: at("07-01"), Hold: "H", Kind: kind, Reason: "x"}
		if until != "" {
			c.Until = day(until)
		}
		return c
	}
	byAgency := func(kind dunning.HoldKind, until string) dunning.Held {
		h := held(kind, "07-01", until)
		h.Acting = dunning.Agency
		return h
	}
	release := func(on string) dunning.ReleaseHold {
		return dunning.ReleaseHold{Order: at(on), Hold: "H", Reason: "over"}
	}
	s := given(t).
		When(ask(hold(dunning.CreditorsHold, ""))).RefusedAt(dunning.ErrNeedsCreditor, "/acting").
		When(ask(hold(dunning.PlanHold, ""))).RefusedAt(dunning.ErrNeedsCreditor, "/acting").
		When(ask(hold(dunning.PromiseHold, ""))).RefusedAt(dunning.ErrBadUntil, "/until").
		When(ask(hold(dunning.Insolvency, "06-30"))).RefusedAt(dunning.ErrBadUntil, "/until").
		When(ask(hold("WHIM", ""))).RefusedAt(domain.ErrUnknown, "/kind").
		When(ask(release("07-02"))).RefusedAt(dunning.ErrUnknownHold, "/hold").
		When(ask(hold(dunning.DoNotContact, "07-10"))).Then(byAgency(dunning.DoNotContact, "07-10")).
		When(ask(hold(dunning.DoNotContact, "07-10"))).RefusedAt(dunning.ErrRepeatedID, "/hold").
		When(ask(release("06-30"))).RefusedAt(dunning.ErrTooEarly, "/on").
		When(ask(release("07-11"))).RefusedAt(dunning.ErrHoldOver, "/on")
	for on, want := range map[string]bool{"06-30": false, "07-01": true, "07-10": true, "07-11": false} {
		if _, stands := s.State().Held(day(on)); stands != want {
			t.Errorf("%s: %v", on, stands)
		}
	}
	s = s.When(ask(release("07-10"))).
		Then(dunning.HoldReleased{Hold: "H", For: dunning.DoNotContact, ReleasedOn: day("07-10"), Reason: "over", Acting: dunning.Agency}).
		When(ask(release("07-10"))).RefusedAt(dunning.ErrUnknownHold, "/hold")
	if _, stands := s.State().Held(day("07-10")); stands {
		t.Error("a hold that was released stands")
	}
	free := release("07-02")
	free.Acting = dunning.Creditor
	for _, kind := range []dunning.HoldKind{dunning.Disputed, dunning.LawyerNotice, dunning.PlanHold, dunning.CreditorsHold} {
		given(t, held(kind, "07-01", "")).When(ask(release("07-02"))).RefusedAt(dunning.ErrNeedsCreditor, "/acting").
			When(ask(free)).Then(dunning.HoldReleased{Hold: "H", For: kind, ReleasedOn: day("07-02"), Reason: "over", Acting: dunning.Creditor})
	}
}

func TestAsManyHoldsAsThereAre(t *testing.T) {
	s := given(t)
	one := func(i int, until string) dunning.Held {
		h := held(dunning.Deceased, "07-01", until)
		h.Hold = dunning.HoldID(fmt.Sprint("H", i))
		return h
	}
	for i := range dunning.HoldsMax {
		s = s.Given(one(i, ""))
	}
	s.When(ask(dunning.HoldDunning{Order: at("07-02"), Hold: "ONE-MORE", Kind: dunning.Deceased, Reason: "x"})).Refused(dunning.ErrTooManyHolds)
	s = given(t)
	for i := range 3 * dunning.HoldsMax { // those that are over are forgotten
		h := one(i, "07-01")
		h.From = day("07-01").AddDays(i)
		h.Until = h.From
		s = s.Given(h)
	}
	if n := len(s.State().Holds); n != 1 {
		t.Errorf("%d holds", n)
	}
}

// Whoever objects puts the case in dispute, and no agency goes on.
func TestContacts(t *testing.T) {
	contact := func(outcome dunning.ContactOutcome) dunning.RecordContact {
		return dunning.RecordContact{Order: at("07-04"), Contact: "K", By: dunning.ByCall, Direction: dunning.Inbound, Outcome: outcome, Notes: "said so"}
	}
	recorded := func(outcome dunning.ContactOutcome) dunning.ContactRecorded {
		return dunning.ContactRecorded{
			Contact: "K", ContactedOn: day("07-04"), By: dunning.ByCall, Direction: dunning.Inbound, Outcome: outcome, Notes: "said so", Acting: dunning.Agency,
		}
	}
	for _, outcome := range dunning.ContactOutcomes {
		want := []domain.Event{recorded(outcome)}
		objects := outcome == dunning.Objects || outcome == dunning.RefusesToPay
		if objects {
			want = append(want, dunning.Held{
				Hold: "K", For: dunning.Disputed, From: day("07-04"), Reason: "contact K: " + string(outcome), Acting: dunning.Agency,
			})
		}
		s := given(t).When(ask(contact(outcome))).Then(want...).
			When(ask(contact(outcome))).RefusedAt(dunning.ErrRepeatedID, "/contact")
		if h, stands := s.State().Held(day("07-04")); stands != objects || stands && h.Kind != dunning.Disputed {
			t.Errorf("%s: %+v", outcome, h)
		}
	}
	given(t, held(dunning.Disputed, "07-01", "")).When(ask(contact(dunning.Objects))).Then(recorded(dunning.Objects))
	used := held(dunning.Deceased, "07-01", "")
	used.Hold = "K"
	given(t, used).When(ask(contact(dunning.Objects))).RefusedAt(dunning.ErrRepeatedID, "/hold")
	bad := contact("CRIED")
	bad.By, bad.Direction, bad.Notes = "FAX", "UP", strings.Repeat("x", dunning.TextMax+1)
	for field, want := range map[string]*domain.Error{
		"/outcome": domain.ErrUnknown, "/by": domain.ErrUnknown, "/direction": domain.ErrUnknown, "/notes": domain.ErrTooLong,
	} {
		given(t).When(ask(bad)).RefusedAt(want, field)
	}
}

func TestCollector(t *testing.T) {
	s := given(t).
		When(ask(dunning.AssignCollector{Order: at("07-01")})).RefusedAt(dunning.ErrNothingNew, "/collector").
		When(ask(dunning.AssignCollector{Order: at("07-01"), Collector: "sato"})).
		Then(dunning.CollectorAssigned{AssignedOn: day("07-01"), Collector: "sato"})
	if s.State().Collector != "sato" {
		t.Errorf("%+v", s.State())
	}
	s.When(ask(dunning.AssignCollector{Order: at("07-02")})).Then(dunning.CollectorAssigned{AssignedOn: day("07-02")})
}

func TestReturnedAndHandedOver(t *testing.T) {
	debtor := owing(item("I1", "06-30", 11000))
	back := dunning.ReturnToCreditor{Order: at("07-05"), Reason: "refuses"}
	over := dunning.HandOver{Order: creditor("07-06"), To: dunning.Lawyer, TakerName: "桜法律事務所", Reason: "x"}
	resume := dunning.ResumeCase{Order: creditor("07-07"), Reason: "settled between them"}
	returned := dunning.ReturnedToCreditor{ReturnedOn: day("07-05"), Reason: "refuses", Acting: dunning.Agency}
	handed := dunning.HandedOver{HandedOn: day("07-06"), To: dunning.Lawyer, TakerName: "桜法律事務所", Reason: "x", Acting: dunning.Creditor}
	resumed := dunning.CaseResumed{ResumedOn: day("07-07"), Reason: "settled between them", Acting: dunning.Creditor}
	unfit := func(c dunning.Command) dunning.Command {
		switch c := c.(type) {
		case dunning.HandOver:
			c.Acting = ""
			return c
		case dunning.ResumeCase:
			c.Acting = ""
			return c
		}
		return c
	}
	byCreditor := escalate("07-08")
	byCreditor.Acting = dunning.Creditor
	call := dunning.RecordContact{Order: at("07-08"), Contact: "K", By: dunning.ByCall, Direction: dunning.Outbound, Outcome: dunning.Spoke}
	given(t, queued()).
		When(ask(resume)).Refused(dunning.ErrNotAway).
		When(ask(unfit(resume))).RefusedAt(dunning.ErrNeedsCreditor, "/acting").
		When(ask(back)).Then(returned).
		When(ask(back)).Refused(dunning.ErrNothingNew).
		When(ask(send("07-05"))).RefusedAt(dunning.ErrReturned, "/acting").
		When(ask(call)).RefusedAt(dunning.ErrReturned, "/acting").
		When(ask(unfit(over))).RefusedAt(dunning.ErrNeedsCreditor, "/acting").
		When(ask(over)).Then(handed).
		When(ask(over)).Refused(dunning.ErrHandedOver).
		When(ask(back)).Refused(dunning.ErrHandedOver).
		When(ask(resume)).Then(resumed).
		When(ask(send("07-08"))).Then(sent("R-1", "07-08", 1, "R1"))
	given(t, returned).When(askOf(escalate("07-08"), debtor)).Refused(dunning.ErrReturned)
	given(t, handed).When(askOf(escalate("07-08"), debtor)).Refused(dunning.ErrHandedOver).
		When(askOf(byCreditor, debtor)).Refused(dunning.ErrHandedOver)
	sendsAnyway := send("07-08")
	sendsAnyway.Acting = dunning.Creditor
	given(t, queued(), handed).When(ask(sendsAnyway)).Refused(dunning.ErrHandedOver)
	bad := dunning.HandOver{Order: creditor("07-06"), To: "THUGS"}
	given(t).When(ask(bad)).RefusedAt(domain.ErrUnknown, "/to").When(ask(bad)).RefusedAt(domain.ErrMissing, "/name").
		When(ask(bad)).RefusedAt(domain.ErrMissing, "/reason")
}

// A closed case begins afresh: at the first level, in the next generation. Its holds stay.
func TestCloseAndBeginAfresh(t *testing.T) {
	paid := dunning.CloseCase{Order: at("07-10"), Reason: dunning.ClosePaid}
	closed := dunning.CaseClosed{Generation: 1, ClosedOn: day("07-10"), Reason: dunning.ClosePaid, Acting: dunning.Agency}
	given(t).When(askOf(paid, owing())).Refused(dunning.ErrNotOpen)
	given(t, queued()).
		When(askOf(paid, owing(item("I1", "06-30", 1)))).RefusedAt(dunning.ErrStillOpen, "/reason_code").
		When(askOf(paid, owing())).
		Then(dunning.ReminderDropped{Reminder: "R-1", DroppedOn: day("07-10"), Reason: dunning.DropClosed, Acting: dunning.Agency}, closed)
	again := queued()
	again.ID, again.QueuedOn, again.Generation = "R-2", day("08-04"), 2
	again.Items[0] = dunning.ReminderItem{Invoice: "I2", Number: "N-I2", DueOn: day("07-31"), Open: yen(11000), DaysOverdue: 4}
	next := escalate("08-04")
	next.Reminder = "R-2"
	old := held(dunning.DoNotContact, "07-01", "07-02")
	s := given(t, queued(), sent("R-1", "07-03", 1, "R1"), old).
		When(askOf(paid, owing(item("I2", "07-31", 11000)))).Then(closed). // what is open was never reminded
		When(askOf(paid, owing())).Refused(dunning.ErrNotOpen)
	if state := s.State(); state.Level() != 0 || state.Begun || len(state.Listed) != 0 || state.LastSentOn != day("07-03") || len(state.Holds) != 1 {
		t.Errorf("%+v", state)
	}
	s.When(askOf(next, owing(item("I2", "07-31", 11000)))).Then(again)

	for _, reason := range []dunning.CloseReason{dunning.CloseWrittenOff, dunning.CloseSettled} {
		c := dunning.CloseCase{Order: at("07-10"), Reason: reason}
		mine := c
		mine.Acting = dunning.Creditor
		given(t, queued(), sent("R-1", "07-03", 1, "R1")).When(ask(c)).RefusedAt(dunning.ErrNeedsCreditor, "/acting").
			When(ask(mine)).Then(dunning.CaseClosed{Generation: 1, ClosedOn: day("07-10"), Reason: reason, Acting: dunning.Creditor})
	}
	silent := dunning.CloseCase{Order: at("07-10"), Reason: dunning.CloseInError}
	given(t, queued()).When(ask(silent)).RefusedAt(domain.ErrMissing, "/note").
		When(ask(dunning.CloseCase{Order: at("07-10"), Reason: "BORED"})).RefusedAt(domain.ErrUnknown, "/reason_code")
	for _, e := range []domain.Event{promised("07-01", "07-20", 11000), agreed()} { // they are about what is still open
		given(t, queued(), sent("R-1", "07-03", 1, "R1"), e).
			When(askOf(paid, owing(item("I2", "07-31", 11000)))).RefusedAt(dunning.ErrStillOpen, "/reason_code")
	}
}
