package dunning_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

func promised(on, until string, amount int64) dunning.PromiseRecorded {
	return dunning.PromiseRecorded{Promise: "P", MadeOn: day(on), Amount: yen(amount), Day: day(until), By: "山田", Acting: dunning.Agency}
}

func instalments() []dunning.Instalment {
	return []dunning.Instalment{{Day: day("07-31"), Amount: yen(4000)}, {Day: day("08-31"), Amount: yen(4000)}, {Day: day("09-30"), Amount: yen(3000)}}
}

func agreed() dunning.PaymentPlanAgreed {
	return dunning.PaymentPlanAgreed{
		Plan: "L", AgreedOn: day("07-01"), Instalments: instalments(), Clause: dunning.AccelerationClause{Missed: 2, OnInsolvency: true, OnNotice: true},
		Reason: "x", Acting: dunning.Creditor,
	}
}

func missed(n int, on, due string, amount int64) dunning.InstalmentMissed {
	return dunning.InstalmentMissed{Plan: "L", Instalment: n, FoundOn: day(on), Day: day(due), Amount: yen(amount), Received: yen(0)}
}

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

func TestPromises(t *testing.T) {
	promise := dunning.RecordPromise{Order: at("07-01"), Promise: "P", Amount: yen(11000), Day: day("07-20"), By: "山田"}
	settle := func(on string, outcome dunning.PromiseOutcome, received int64) dunning.SettlePromise {
		return dunning.SettlePromise{Order: at(on), Promise: "P", Outcome: outcome, Received: yen(received)}
	}
	settled := func(on string, outcome dunning.PromiseOutcome, received int64) dunning.PromiseSettled {
		return dunning.PromiseSettled{Promise: "P", SettledOn: day(on), Outcome: outcome, Amount: yen(11000), Received: yen(received)}
	}
	bad := promise
	bad.Amount, bad.Day, bad.By = domain.NewMoney(1, "USD"), day("06-30"), strings.Repeat("x", dunning.NameMax+1)
	far, none := promise, promise
	far.Day, none.Amount = day("10-02"), domain.Money{}
	given(t).
		When(ask(bad)).RefusedAt(dunning.ErrWrongCurrency, "/amount").
		When(ask(bad)).RefusedAt(dunning.ErrBadPromise, "/day").
		When(ask(bad)).RefusedAt(domain.ErrTooLong, "/by").
		When(ask(far)).RefusedAt(dunning.ErrBadPromise, "/day").
		When(ask(none)).RefusedAt(domain.ErrMissing, "/amount").
		When(ask(promise)).Then(promised("07-01", "07-20", 11000)).
		When(ask(promise)).RefusedAt(dunning.ErrRepeatedID, "/promise")
	// 07-20 is a bank holiday: there is time until 07-21.
	given(t, promised("07-01", "07-20", 11000)).
		When(ask(settle("07-21", dunning.Broken, 0))).RefusedAt(dunning.ErrNotOver, "/on").
		When(ask(settle("07-22", dunning.Broken, 1))).RefusedAt(dunning.ErrOutcomeDiffers, "/outcome").
		When(ask(settle("07-22", dunning.Kept, 10999))).RefusedAt(dunning.ErrOutcomeDiffers, "/outcome").
		When(ask(settle("07-22", "HALF", 1))).RefusedAt(domain.ErrUnknown, "/outcome").
		When(ask(settle("06-30", dunning.Kept, 11000))).RefusedAt(dunning.ErrTooEarly, "/on").
		When(ask(settle("07-22", dunning.PartlyKept, 1))).Then(settled("07-22", dunning.PartlyKept, 1)).
		When(ask(settle("07-22", dunning.PartlyKept, 1))).RefusedAt(dunning.ErrUnknownPromise, "/promise")
	given(t, promised("07-01", "07-20", 11000)).When(ask(settle("07-05", dunning.Kept, 11000))).Then(settled("07-05", dunning.Kept, 11000))
	given(t, promised("07-01", "07-20", 11000)).When(ask(settle("07-22", dunning.Broken, 0))).Then(settled("07-22", dunning.Broken, 0))

	renewed := promise
	renewed.Promise, renewed.Day = "P2", day("07-31")
	want := promised("07-01", "07-31", 11000)
	want.Promise, want.Replaces = "P2", "P"
	s := given(t, promised("07-01", "07-20", 11000)).When(ask(renewed)).Then(want)
	if s.State().Promise.ID != "P2" {
		t.Errorf("%+v", s.State().Promise)
	}
}

func TestPlans(t *testing.T) {
	plan := dunning.AgreePaymentPlan{Order: creditor("07-01"), Plan: "L", Instalments: instalments(), Clause: agreed().Clause, Reason: "x"}
	byAgency := plan
	byAgency.Acting = ""
	given(t).
		When(ask(byAgency)).RefusedAt(dunning.ErrNeedsCreditor, "/acting").
		When(ask(plan)).Then(agreed()).
		When(ask(plan)).RefusedAt(dunning.ErrRepeatedID, "/plan")
	for field, change := range map[string]func(*dunning.AgreePaymentPlan){
		"/instalments":         func(c *dunning.AgreePaymentPlan) { c.Instalments = nil },
		"/instalments/1/day":   func(c *dunning.AgreePaymentPlan) { c.Instalments[1].Day = day("07-31") },
		"/instalments/0/day":   func(c *dunning.AgreePaymentPlan) { c.Instalments[0].Day = day("06-30") },
		"/acceleration/missed": func(c *dunning.AgreePaymentPlan) { c.Clause.Missed = 4 },
	} {
		bad := plan
		bad.Instalments = instalments()
		change(&bad)
		given(t).When(ask(bad)).RefusedAt(dunning.ErrBadPlan, field)
	}
	many, foreign, huge := plan, plan, plan
	many.Instalments = make([]dunning.Instalment, dunning.InstalmentsMax+1)
	foreign.Instalments = []dunning.Instalment{{Day: day("07-31"), Amount: domain.NewMoney(1, "USD")}}
	huge.Instalments = []dunning.Instalment{{Day: day("07-31"), Amount: yen(domain.MinorMax)}, {Day: day("08-31"), Amount: yen(1)}}
	given(t).When(ask(many)).RefusedAt(dunning.ErrBadPlan, "/instalments").
		When(ask(foreign)).RefusedAt(dunning.ErrWrongCurrency, "/instalments/0/amount").
		When(ask(huge)).RefusedAt(domain.ErrOutOfRange, "/instalments")

	other := plan
	other.Plan = "L2"
	want := agreed()
	want.Plan, want.Replaces = "L2", "L"
	given(t, agreed()).When(ask(other)).Then(want)

	miss := func(n int, on string) dunning.MissInstalment {
		return dunning.MissInstalment{Order: at(on), Plan: "L", Instalment: n}
	}
	given(t).When(ask(miss(1, "08-01"))).RefusedAt(dunning.ErrUnknownPlan, "/plan")
	given(t, agreed()).
		When(ask(miss(4, "08-01"))).RefusedAt(dunning.ErrUnknownInstalment, "/instalment").
		When(ask(miss(1, "07-31"))).RefusedAt(dunning.ErrNotOver, "/on").
		When(ask(miss(1, "08-01"))).Then(missed(1, "08-01", "07-31", 4000)).
		When(ask(miss(1, "08-01"))).RefusedAt(dunning.ErrUnknownInstalment, "/instalment")

	complete := dunning.CompletePlan{Order: at("09-30"), Plan: "L", Received: yen(10999)}
	given(t, agreed()).When(ask(complete)).RefusedAt(dunning.ErrNotPaid, "/received")
	complete.Received = yen(11000)
	given(t, agreed()).When(ask(complete)).Then(dunning.PlanCompleted{Plan: "L", CompletedOn: day("09-30"), Received: yen(11000)}).
		When(ask(complete)).RefusedAt(dunning.ErrUnknownPlan, "/plan")
}

func TestAcceleration(t *testing.T) {
	call := func(o dunning.Order, trigger dunning.Trigger, notice, effective string) dunning.AcceleratePlan {
		c := dunning.AcceleratePlan{Order: o, Plan: "L", Trigger: trigger, EffectiveOn: day(effective)}
		if notice != "" {
			c.NoticeOn, c.Reason = day(notice), "breach"
		}
		return c
	}
	accelerated := func(c dunning.AcceleratePlan, remaining int64) dunning.PlanAccelerated {
		return dunning.PlanAccelerated{
			Plan: "L", FoundOn: c.On, Trigger: c.Trigger, NoticeOn: c.NoticeOn, EffectiveOn: c.EffectiveOn, Remaining: yen(remaining),
			Reason: c.Reason, Acting: c.As(),
		}
	}
	auto := call(at("09-01"), dunning.MissedInstalments, "", "09-01")
	given(t).When(ask(auto)).RefusedAt(dunning.ErrUnknownPlan, "/plan")
	s := given(t, agreed(), missed(1, "08-01", "07-31", 4000)).
		When(ask(auto)).RefusedAt(dunning.ErrNoClause, "/trigger").
		Given(missed(2, "09-01", "08-31", 4000)).
		When(ask(auto)).Then(accelerated(auto, 3000)).
		When(ask(auto)).RefusedAt(dunning.ErrAccelerated, "/plan")
	if s.State().Plan.EffectiveOn != day("09-01") {
		t.Errorf("%+v", s.State().Plan)
	}
	insolvent := call(at("08-01"), dunning.OnInsolvency, "", "08-01")
	given(t, agreed()).When(ask(insolvent)).RefusedAt(dunning.ErrNoClause, "/trigger").
		Given(held(dunning.Insolvency, "08-01", "")).
		When(ask(insolvent)).Then(accelerated(insolvent, 7000))

	byAgency := call(at("08-01"), dunning.OnNotice, "08-01", "08-01")
	notice := call(creditor("08-01"), dunning.OnNotice, "08-01", "08-02")
	early, unwritten := notice, notice
	early.EffectiveOn, unwritten.NoticeOn = day("07-31"), domain.Date{}
	given(t, agreed()).
		When(ask(byAgency)).RefusedAt(dunning.ErrNeedsCreditor, "/acting").
		When(ask(early)).RefusedAt(dunning.ErrShortNotice, "/effective_on").
		When(ask(unwritten)).RefusedAt(domain.ErrMissing, "/notice_on").
		When(ask(notice)).Then(accelerated(notice, 7000))

	without := agreed()
	without.Clause = dunning.AccelerationClause{}
	given(t, without, missed(1, "08-01", "07-31", 4000), missed(2, "09-01", "08-31", 4000), held(dunning.Insolvency, "07-01", "")).
		When(ask(auto)).RefusedAt(dunning.ErrNoClause, "/trigger").
		When(ask(insolvent)).RefusedAt(dunning.ErrNoClause, "/trigger").
		When(ask(notice)).RefusedAt(dunning.ErrNoClause, "/trigger")

	// A consumer's instalment sale: a written demand of 20 days, by the creditor, whatever the trigger.
	sale := agreed()
	sale.InstalmentSale = true
	in19, in20 := call(creditor("09-01"), dunning.MissedInstalments, "09-01", "09-20"), call(creditor("09-01"), dunning.MissedInstalments, "09-01", "09-21")
	verbal := in20
	verbal.NoticeOn = domain.Date{}
	given(t, sale, missed(1, "08-01", "07-31", 4000), missed(2, "09-01", "08-31", 4000)).
		When(ask(auto)).RefusedAt(dunning.ErrNeedsCreditor, "/acting").
		When(ask(verbal)).RefusedAt(domain.ErrMissing, "/notice_on").
		When(ask(in19)).RefusedAt(dunning.ErrShortNotice, "/effective_on").
		When(ask(in20)).Then(accelerated(in20, 3000))
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
