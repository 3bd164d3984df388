package dunning_test

import (
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

// 2026-07-20 is a Japanese holiday and a Monday; a seller elsewhere reminds on it, and keeps his own holidays.
func TestQuietByCalendar(t *testing.T) {
	p := dunning.Policy{BusinessDaysOnly: true}
	elsewhere := p
	elsewhere.BankDays = domain.BankDays{Calendar: domain.BanksWeekdays, Holidays: []domain.Date{day("07-03")}}
	for _, c := range []struct {
		policy dunning.Policy
		day    string
		next   string
	}{
		{p, "07-20", "07-21"},
		{p, "07-03", "07-03"},
		{p, "07-18", "07-21"},
		{elsewhere, "07-20", "07-20"},
		{elsewhere, "07-03", "07-06"},
		{elsewhere, "07-18", "07-20"},
	} {
		if got := c.policy.NextAllowed(day(c.day)); got != day(c.next) {
			t.Errorf("%+v: after %s comes %s", c.policy.BankDays, c.day, got)
		}
	}
	bad := plain().Policy
	bad.BankDays.Calendar = "US"
	policies(t).When(set("default", bad)).RefusedAt(domain.ErrUnknown, "/bank_days/calendar")
}

// A promise or an instalment may be kept on the next day on which the seller's own banks work, and one of earlier times on
// the next Japanese bank day. 07-20 is a holiday in Japan; 07-21 is one of the seller's.
func TestPayByIsTheSellersBankDay(t *testing.T) {
	own := domain.BankDays{Calendar: domain.BanksWeekdays, Holidays: []domain.Date{day("07-21")}}
	for _, c := range []struct {
		banks     domain.BankDays
		day, last string
	}{
		{domain.BankDays{}, "07-20", "07-21"},
		{own, "07-20", "07-20"},
		{own, "07-21", "07-22"},
		{own, "07-18", "07-20"},
	} {
		by := func(command dunning.Command) dunning.Request {
			r := ask(command)
			r.Facts.BankDays = c.banks
			return r
		}
		promise := promised("07-01", c.day, 11000)
		promise.Items, promise.PayBy = []dunning.Covered{covers("I1", 11000, 0)}, day(c.last)
		given(t).When(by(dunning.RecordPromise{Order: at("07-01"), Promise: "P", Amount: yen(11000), Day: day(c.day), By: "山田"})).Then(promise)
		broken := dunning.SettlePromise{Order: at(c.last), Promise: "P", Outcome: dunning.Broken}
		given(t, promise).When(by(broken)).RefusedAt(dunning.ErrNotOver, "/on")
		broken.On = broken.On.AddDays(1)
		given(t, promise).When(by(broken)).Then(dunning.PromiseSettled{
			Promise: "P", SettledOn: broken.On, Outcome: dunning.Broken, Amount: yen(11000), Received: yen(0),
		})

		plan := dunning.AgreePaymentPlan{
			Order: creditor("07-01"), Plan: "L", Reason: "x", Instalments: []dunning.Instalment{{Day: day("07-10"), Amount: yen(1000)}, {Day: day(c.day), Amount: yen(10000)}},
		}
		agreed := dunning.PaymentPlanAgreed{
			Plan: "L", AgreedOn: day("07-01"), Instalments: plan.Instalments, PayBy: []domain.Date{day("07-10"), day(c.last)},
			Items: promise.Items, Reason: "x", Acting: dunning.Creditor,
		}
		s := given(t).When(by(plan)).Then(agreed)
		if ends := s.State().Plan.EndsOn(); ends != day(c.last) {
			t.Errorf("%v: ends on %s", c, ends)
		}
		s.When(by(dunning.MissInstalment{Order: at(c.last), Plan: "L", Instalment: 2})).RefusedAt(dunning.ErrNotOver, "/on")
		agreed.PayBy, promise.PayBy = nil, domain.Date{}
		old := given(t, agreed, promise).State()
		if next := domain.JapanBankDays().Next(day(c.day)); old.Plan.EndsOn() != next || old.Promise.PayBy != next {
			t.Errorf("%v: of earlier times, %s and %s", c, old.Plan.EndsOn(), old.Promise.PayBy)
		}
	}
}
