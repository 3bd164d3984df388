package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore/ledger"
)

// at is the office with a clock that shows noon of a day in Tokyo.
func (o office) at(date string) office {
	return office{o.T, ledger.New(o.store, ledger.Codec(), nil).At(func() time.Time { return day(date).Time().Add(3 * time.Hour) }), o.store}
}

// What is said of a promise is what the account says, whoever says it.
func TestTheBooksSayWhatCameOfAPromise(t *testing.T) {
	o := dun(t)
	o.owe("C1", "A", 10_000)
	o.owe("C1", "B", 3_000)
	o.must("promise", dunning.RecordPromise{
		Order: on("C1", "2026-05-10"), Promise: "P", Amount: jpy(10_000), Day: day("2026-05-20"), Invoices: []domain.InvoiceID{"A"},
	})
	settle := func(outcome dunning.PromiseOutcome) dunning.SettlePromise {
		return dunning.SettlePromise{Order: on("C1", "2026-05-21"), Promise: "P", Outcome: outcome}
	}
	pay := func(id string, amount int64, to domain.InvoiceID) {
		o.must(id, account.RecordPayment{Key: key("C1"), ReceivedOn: day("2026-05-15"), Amount: jpy(amount), Allocations: []account.Allocation{{Invoice: to, Amount: jpy(amount)}}})
	}
	pay("other", 3_000, "B")
	o.refused("kept", settle(dunning.Kept), dunning.ErrOutcomeDiffers) // it was for something else
	pay("part", 4_000, "A")
	o.refused("broken", settle(dunning.Broken), dunning.ErrOutcomeDiffers)
	o.must("credit", account.IssueCreditNote{Key: key("C1"), Credit: "N", IssuedOn: day("2026-05-18"), Invoice: "A", Reason: account.Discount, Total: jpy(6_000)})
	e := o.must("settled", settle(dunning.Kept)).Events[0].(dunning.PromiseSettled)
	if e.Received != jpy(4_000) || e.Reduced != jpy(6_000) {
		t.Errorf("%+v", e)
	}
}

// A payment plan is followed through its account, also where that was carried forward meanwhile.
func TestTheBooksSayWhatCameOfAPlan(t *testing.T) {
	o := dun(t)
	o.owe("C1", "A", 10_000)
	o.must("before", account.RecordPayment{Key: key("C1"), ReceivedOn: day("2026-05-02"), Amount: jpy(1_000)})
	agreed := o.must("plan", dunning.AgreePaymentPlan{Order: asCreditor("C1", "2026-05-10"), Plan: "L", Reason: "x", Instalments: []dunning.Instalment{
		{Day: day("2026-05-29"), Amount: jpy(4_000)}, {Day: day("2026-06-30"), Amount: jpy(5_000)},
	}}).Events[0].(dunning.PaymentPlanAgreed)
	if want := (dunning.Covered{Invoice: "A", Open: jpy(9_000), Paid: jpy(1_000)}); len(agreed.Items) != 1 || agreed.Items[0] != want {
		t.Fatalf("%+v", agreed.Items)
	}
	complete := dunning.CompletePlan{Order: on("C1", "2026-07-01"), Plan: "L"}
	miss := func(n int) dunning.MissInstalment {
		return dunning.MissInstalment{Order: on("C1", "2026-07-01"), Plan: "L", Instalment: n}
	}
	o.must("first", account.RecordPayment{Key: key("C1"), ReceivedOn: day("2026-05-29"), Amount: jpy(4_000)})
	o.must("carry", account.CarryForward{Key: key("C1"), CarryOn: day("2026-06-01"), Into: "NEXT", KeepSince: day("2026-06-01")})
	o.refused("m1", miss(1), dunning.ErrInstalmentPaid)
	o.refused("c1", complete, dunning.ErrNotPaid)
	o.must("rest", account.RecordPayment{Key: key("C1"), ReceivedOn: day("2026-06-30"), Amount: jpy(5_000)})
	o.must("carry2", account.CarryForward{Key: key("C1"), CarryOn: day("2026-07-01"), Into: "LATER", KeepSince: day("2026-07-01")})
	o.refused("m2", miss(2), dunning.ErrInstalmentPaid)
	if e := o.must("c2", complete).Events[0].(dunning.PlanCompleted); e.Received != jpy(9_000) {
		t.Errorf("%+v", e)
	}
}

// By hand, too, nothing goes out that the books of today say is paid, whatever day it is said to have; what has left has.
func TestSentByHand(t *testing.T) {
	o := dun(t)
	o.owe("C1", "A", 10_000)
	r := queuedBy(o.must("e", escalate(on("C1", "2026-05-04"))))
	o.must("p", account.RecordPayment{Key: key("C1"), ReceivedOn: day("2026-05-06"), Amount: jpy(10_000)})
	today := o.at("2026-05-06")
	today.refused("s1", send(on("C1", "2026-05-05"), r.ID), dunning.ErrPaidMeanwhile)
	today.refused("d1", dunning.DispatchReminder{Order: on("C1", "2026-05-05"), Reminder: r.ID}, dunning.ErrPaidMeanwhile)
	e := today.must("s2", gone(send(on("C1", "2026-05-05"), r.ID))).Events[0].(dunning.ReminderSent)
	if e.Despite != dunning.WhyPaid || e.Note == "" || e.SentOn != day("2026-05-05") {
		t.Errorf("%+v", e)
	}
}

// Money in another currency is found in the log itself.
func TestMoneyInOtherCurrencies(t *testing.T) {
	o := dun(t)
	o.owe("C1", "A", 10_000)
	r := queuedBy(o.must("e", escalate(on("C1", "2026-05-04"))))
	for i, c := range []domain.Currency{"USD", "EUR"} {
		k := key("C1")
		k.Currency = c
		o.must("p"+string(c), account.RecordPayment{Key: k, Payment: "P", ReceivedOn: day("2026-05-03"), Amount: domain.NewMoney(int64(100*(i+1)), c), Allocate: account.Nothing})
	}
	got, err := o.Elsewhere(t.Context(), debtor("C1"), day("2026-05-04"))
	if err != nil || fmt.Sprint(got) != "[2.00 EUR 1.00 USD]" {
		t.Errorf("%v %v", got, err)
	}
	if got, err := o.Elsewhere(t.Context(), debtor("C1"), day("2026-05-02")); err != nil || len(got) != 0 {
		t.Errorf("%v %v", got, err)
	}
	o.refused("s", send(on("C1", "2026-05-04"), r.ID), dunning.ErrElsewhere)
	o.must("drop", dunning.DropReminder{Order: on("C1", "2026-05-04"), Reminder: r.ID, Reason: dunning.DropElsewhere})
	hand := queuedBy(o.must("hand", dunning.EscalateReminder{Order: on("C1", "2026-05-04"), Reason: "a deposit"}))
	if len(hand.Warnings) != 1 || hand.Warnings[0] != dunning.WhyElsewhere {
		t.Errorf("%v", hand.Warnings)
	}
	o.must("s2", send(on("C1", "2026-05-04"), hand.ID))
}

// Today is the seller's: when it is late in the evening in London it is tomorrow in Tokyo.
func TestDaysToComeAreRefused(t *testing.T) {
	o := dun(t)
	o.owe("C1", "A", 10_000)
	evening := office{t, ledger.New(o.store, ledger.Codec(), nil).At(func() time.Time { return time.Date(2026, 5, 4, 22, 0, 0, 0, time.UTC) }), o.store}
	bank := func(on string) dunning.RecordBankData {
		return dunning.RecordBankData{Seller: "S1", On: day(on), Through: day("2026-05-01")}
	}
	evening.refused("b1", bank("2026-05-06"), dunning.ErrFutureDay)
	evening.must("b2", bank("2026-05-05"))
	evening.refused("c1", dunning.AssignCollector{Order: on("C1", "2026-05-06"), Collector: "sato"}, dunning.ErrFutureDay)
	evening.must("c2", dunning.AssignCollector{Order: on("C1", "2026-05-05"), Collector: "sato"})
	evening.refused("e1", dunning.EscalateReminder{Order: on("C1", "2026-05-06"), Reason: "x"}, dunning.ErrFutureDay)
	evening.must("p", dunning.RecordPromise{Order: on("C1", "2026-05-05"), Amount: jpy(1), Day: day("2026-06-05")})
	o.must("no-clock", dunning.AssignCollector{Order: on("C1", "2027-05-06"), Collector: "mori"})
}
