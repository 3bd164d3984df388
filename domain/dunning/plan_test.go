package dunning_test

import (
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

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

// ofI1 is the plan with what it is about; without, it is one of earlier times.
func ofI1(p dunning.PaymentPlanAgreed) dunning.PaymentPlanAgreed {
	p.Items, p.PayBy = []dunning.Covered{covers("I1", 11000, 0)}, nil
	for _, i := range p.Instalments {
		p.PayBy = append(p.PayBy, domain.JapanBankDays().Next(i.Day))
	}
	return p
}

func TestPlans(t *testing.T) {
	plan := dunning.AgreePaymentPlan{Order: creditor("07-01"), Plan: "L", Instalments: instalments(), Clause: agreed().Clause, Reason: "x"}
	byAgency := plan
	byAgency.Acting = ""
	given(t).
		When(ask(byAgency)).RefusedAt(dunning.ErrNeedsCreditor, "/acting").
		When(ask(plan)).Then(ofI1(agreed())).
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
	want := ofI1(agreed())
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

	nothing := owing(item("I1", "06-30", 11000))
	paid := received(owing(item("I1", "06-30", 7000)), "07-31", 4000, "I1")
	wrong := miss(1, "08-01")
	wrong.Received = yen(1)
	given(t, ofI1(agreed())).
		When(askOf(miss(1, "08-01"), paid)).RefusedAt(dunning.ErrInstalmentPaid, "/instalment").
		When(askOf(wrong, nothing)).RefusedAt(dunning.ErrReceivedDiffers, "/received").
		When(askOf(miss(2, "09-01"), paid)).Then(dunning.InstalmentMissed{
		Plan: "L", Instalment: 2, FoundOn: day("09-01"), Day: day("08-31"), Amount: yen(4000), Received: yen(4000),
	})
	unknown := askOf(miss(1, "08-01"), nothing)
	unknown.Facts.Policy.BankDataMaxAge = 5
	given(t, ofI1(agreed())).When(unknown).RefusedAt(dunning.ErrBankDataOld, "/on")

	complete := dunning.CompletePlan{Order: at("09-30"), Plan: "L"}
	said := complete
	said.Received = yen(12000)
	whole := received(received(owing(), "07-31", 4000, "I1"), "09-30", 7000, "I1")
	for _, plan := range []dunning.PaymentPlanAgreed{agreed(), ofI1(agreed())} { // of earlier times, and of today
		given(t, plan).
			When(askOf(complete, received(nothing, "09-30", 10999, "I1"))).RefusedAt(dunning.ErrNotPaid, "/plan").
			When(askOf(said, whole)).RefusedAt(dunning.ErrReceivedDiffers, "/received").
			When(askOf(complete, whole)).Then(dunning.PlanCompleted{Plan: "L", CompletedOn: day("09-30"), Received: yen(11000)}).
			When(askOf(complete, whole)).RefusedAt(dunning.ErrUnknownPlan, "/plan")
	}
	// Money for something else does not pay a plan; a credit note leaves less to be paid, from the end.
	given(t, ofI1(agreed())).When(askOf(complete, received(nothing, "09-30", 11000, "I2"))).RefusedAt(dunning.ErrNotPaid, "/plan")
	credited := received(owing(item("I1", "06-30", 2000)), "07-31", 4000, "I1") // 5000 were credited
	given(t, ofI1(agreed())).
		When(askOf(complete, credited)).RefusedAt(dunning.ErrNotPaid, "/plan").
		When(askOf(complete, received(received(owing(), "07-31", 4000, "I1"), "08-31", 2000, "I1"))).
		Then(dunning.PlanCompleted{Plan: "L", CompletedOn: day("09-30"), Received: yen(6000)})
	given(t, ofI1(agreed())).When(askOf(miss(1, "08-01"), received(owing(item("I1", "06-30", 100)), "07-31", 3900, "I1"))).
		Then(dunning.InstalmentMissed{Plan: "L", Instalment: 1, FoundOn: day("08-01"), Day: day("07-31"), Amount: yen(4000), Received: yen(3900)})
	named := plan
	named.Plan, named.Invoices = "L3", []domain.InvoiceID{"I9"}
	given(t).When(ask(named)).RefusedAt(dunning.ErrNothingOpen, "/invoices/0")
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
	// Missed, but made good meanwhile: the books know.
	given(t, ofI1(agreed()), missed(1, "08-01", "07-31", 4000), missed(2, "09-01", "08-31", 4000)).
		When(askOf(auto, received(owing(item("I1", "06-30", 7000)), "08-20", 4000, "I1"))).RefusedAt(dunning.ErrNoClause, "/trigger").
		When(ask(auto)).Then(accelerated(auto, 3000))
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
