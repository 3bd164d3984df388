package ledger_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/sqlite"
)

// dun is an office on a real log whose seller reminds 3, 10 and 30 days after the due date; the last level is his own.
func dun(t *testing.T) office {
	t.Helper()
	store, err := sqlite.Open(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	o := open(t, store)
	o.must("policy", setPolicy(dunning.DefaultID, 3))
	for _, c := range []domain.CustomerID{"C1", "C2"} {
		o.must("mail-"+string(c), customer.ChangeCustomer{Key: customer.Key{Seller: "S1", Customer: c}, Reason: "contacts", Details: customer.Details{
			Name: "得意先", Address: "東京都", Contacts: []customer.Contact{{Name: "受付", Phone: "03-0000-0000"}, {Email: "desk@example.jp"}, {Email: "ar@example.jp", Role: "Billing"}},
		}})
	}
	return o
}

func setPolicy(id dunning.PolicyID, first int) dunning.SetDunningPolicy {
	level := func(id dunning.LevelID, days int, tone dunning.Tone, who dunning.Capacity) dunning.Level {
		return dunning.Level{ID: id, DaysAfterDue: days, Channel: dunning.Mail, Template: "plain", Tone: tone, LateCharge: dunning.LateChargeShown, Who: who}
	}
	return dunning.SetDunningPolicy{Seller: "S1", ID: id, On: day("2026-04-01"), Reason: "agreed", Policy: dunning.Policy{
		Language: domain.Japanese, Levels: []dunning.Level{
			level("R1", first, dunning.Friendly, dunning.Agency), level("R2", first+7, dunning.Firm, dunning.Agency),
			level("R3", first+27, dunning.Final, dunning.Creditor),
		},
	}}
}

func debtor(c domain.CustomerID) dunning.Key { return dunning.Key(key(c)) }

func on(c domain.CustomerID, date string) dunning.Order {
	return dunning.Order{Key: debtor(c), On: day(date)}
}

func asCreditor(c domain.CustomerID, date string) dunning.Order {
	o := on(c, date)
	o.Acting = dunning.Creditor
	return o
}

func escalate(o dunning.Order) dunning.EscalateReminder {
	return dunning.EscalateReminder{Order: o, Run: "RUN"}
}

const textHash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

func send(o dunning.Order, r dunning.ReminderID) dunning.SendReminder {
	return dunning.SendReminder{Order: o, Reminder: r, TextHash: textHash, Channel: dunning.Mail, Result: dunning.Accepted}
}

// gone has left already, whatever the books say now.
func gone(s dunning.SendReminder) dunning.SendReminder {
	s.Gone, s.Note = true, "it was in the post"
	return s
}

func queuedBy(r eventstore.Receipt) dunning.Reminder {
	return r.Events[0].(dunning.ReminderQueued).Reminder
}

// owe issues an invoice of 2026-04-01, due on 2026-05-01.
func (o office) owe(c domain.CustomerID, id domain.InvoiceID, amount int64) {
	o.Helper()
	i := invoice(c, "", amount)
	i.Invoice = id
	o.must("invoice-"+string(c)+string(id), i)
}

func (o office) debtor(c domain.CustomerID, on string) dunning.Debtor {
	o.Helper()
	d, err := o.Debtor(o.Context(), debtor(c), day(on))
	if err != nil {
		o.Fatal(err)
	}
	return d
}

// recheck is the last look at the pending reminder.
func (o office) recheck(c domain.CustomerID, on string) (v dunning.Verdict) {
	o.Helper()
	p, _, err := o.Policy(o.Context(), "S1", c)
	if err != nil {
		o.Fatal(err)
	}
	d := o.debtor(c, on)
	err = o.Case(o.Context(), debtor(c), func(s *dunning.State, _ eventstore.Version) error {
		v = dunning.Recheck(p, *s.Pending, s, d, day(on))
		return nil
	})
	if err != nil {
		o.Fatal(err)
	}
	return v
}

func TestAReminderOnTheBooksOwnFacts(t *testing.T) {
	o := dun(t)
	o.owe("C1", "A", 10_000_000)
	o.owe("C1", "B", 500)
	o.must("due", account.ChangeDueDate{Key: key("C1"), Invoice: "B", DueOn: day("2026-05-20"), ChangeOn: day("2026-05-02"), Reason: "asked", By: "佐藤"})
	o.must("part", account.RecordPayment{Key: key("C1"), ReceivedOn: day("2026-05-02"), Amount: jpy(4_000_000), Allocations: []account.Allocation{{Invoice: "A", Amount: jpy(4_000_000)}}})
	o.must("free", account.RecordPayment{Key: key("C1"), ReceivedOn: day("2026-05-03"), Amount: jpy(100), Allocate: account.Nothing})
	o.must("dispute", account.OpenDispute{Key: key("C1"), Invoice: "A", OpenedOn: day("2026-05-03"), Amount: jpy(1_000_000), Reason: account.Defective})
	o.refused("early", escalate(on("C1", "2026-05-03")), dunning.ErrNotNow)
	r := queuedBy(o.must("e1", escalate(on("C1", "2026-05-04"))))
	want := []dunning.ReminderItem{{Invoice: "A", Number: "INV-2026-000001", DueOn: day("2026-05-01"), Open: jpy(5_000_000), Disputed: jpy(1_000_000), DaysOverdue: 3}}
	if !slices.Equal(r.Items, want) {
		t.Errorf("%+v", r.Items)
	}
	if r.ToPay != jpy(4_999_900) || r.Recipient != "contact:2" || r.Policy != dunning.DefaultID || r.Version != 1 || r.ID == "" {
		t.Errorf("%+v", r)
	}
	if r.LateCharge != jpy((821+986)*5/6) { // 3 % for a day on 10 000 000 and for two on 6 000 000, less the sixth in dispute
		t.Errorf("late charge %s", r.LateCharge)
	}
	if again := o.must("e1", escalate(on("C1", "2026-05-04"))); !again.Repeated || queuedBy(again).ID != r.ID {
		t.Errorf("%+v", again)
	}
	o.refused("e2", escalate(on("C1", "2026-05-04")), dunning.ErrPending)
	o.must("s1", send(on("C1", "2026-05-04"), r.ID))
	o.refused("s2", send(on("C1", "2026-05-04"), r.ID), dunning.ErrReminderSettled)
}

func TestUnknownPartiesOfCases(t *testing.T) {
	o := dun(t)
	o.refused("k1", escalate(on("C9", "2026-05-04")), dunning.ErrUnknownCustomer)
	other := on("C1", "2026-05-04")
	other.Seller = "S9"
	o.refused("k2", escalate(other), dunning.ErrUnknownSeller)
	strange := setPolicy("default", 3)
	strange.Seller = "S9"
	o.refused("k3", strange, dunning.ErrUnknownSeller)
	strange.Seller = "a.b"
	o.refused("k4", strange, domain.ErrBadID)
	o.refused("k5", dunning.BeginRun{RunKey: dunning.RunKey{Seller: "S9", Run: "R"}, On: day("2026-05-04"), Acting: dunning.Agency}, dunning.ErrUnknownSeller)
	other.Seller, other.Currency = "S1", "yen"
	o.refused("k6", escalate(other), domain.ErrBadCurrency)
}

func TestPaidMeanwhile(t *testing.T) {
	o := dun(t)
	o.owe("C1", "A", 10_000)
	r := queuedBy(o.must("e1", escalate(on("C1", "2026-05-04"))))
	if v := o.recheck("C1", "2026-05-04"); !v.Send {
		t.Fatalf("%+v", v)
	}
	o.refused("close", dunning.CloseCase{Order: on("C1", "2026-05-04"), Reason: dunning.ClosePaid}, dunning.ErrStillOpen)
	o.must("p", account.RecordPayment{Key: key("C1"), ReceivedOn: day("2026-05-04"), Amount: jpy(10_000)})
	if v := o.recheck("C1", "2026-05-04"); v.Send || v.Drop != dunning.DropPaid {
		t.Errorf("%+v", v)
	}
	o.must("drop", dunning.DropReminder{Order: on("C1", "2026-05-04"), Reminder: r.ID, Reason: dunning.DropPaid})
	o.refused("e2", escalate(on("C1", "2026-05-05")), dunning.ErrNotNow)
	o.must("close", dunning.CloseCase{Order: on("C1", "2026-05-04"), Reason: dunning.ClosePaid})
	o.must("bounce", account.ReversePayment{Key: key("C1"), Payment: paymentOf(o.must("p", account.RecordPayment{
		Key: key("C1"), ReceivedOn: day("2026-05-04"), Amount: jpy(10_000),
	})), ReverseOn: day("2026-05-06"), Reason: "残高不足"})
	if again := queuedBy(o.must("e3", escalate(on("C1", "2026-05-06")))); again.Generation != 2 || again.Level != 1 {
		t.Errorf("%+v", again)
	}
}

func paymentOf(r eventstore.Receipt) domain.PaymentID {
	return r.Events[0].(account.PaymentRecorded).Payment
}

func TestDisputedAndHeld(t *testing.T) {
	o := dun(t)
	o.owe("C1", "A", 10_000)
	o.must("d", account.OpenDispute{Key: key("C1"), Dispute: "D", Invoice: "A", OpenedOn: day("2026-05-02"), Reason: account.Defective})
	o.refused("e1", escalate(on("C1", "2026-05-04")), dunning.ErrNotNow)
	o.must("r", account.ResolveDispute{Key: key("C1"), Dispute: "D", ResolvedOn: day("2026-05-06"), Outcome: account.DisputeRejected})
	o.refused("e2", escalate(on("C1", "2026-05-05")), dunning.ErrNotNow) // it was in dispute on that day
	o.must("h", dunning.HoldDunning{Order: on("C1", "2026-05-06"), Hold: "H", Kind: dunning.DoNotContact, Until: day("2026-05-08"), Reason: "moving"})
	o.refused("e3", escalate(on("C1", "2026-05-06")), dunning.ErrOnHold)
	o.must("e4", escalate(on("C1", "2026-05-09")))
	o.must("h2", dunning.HoldDunning{Order: on("C1", "2026-05-09"), Kind: dunning.Disputed, Reason: "says it never came"})
	if v := o.recheck("C1", "2026-05-09"); v.Send || v.Drop != dunning.DropDisputed {
		t.Errorf("%+v", v)
	}
	o.must("o", account.OpenDispute{Key: key("C1"), Invoice: "A", OpenedOn: day("2026-05-09"), Amount: jpy(1), Reason: account.NotDelivered})
	if d := o.debtor("C1", "2026-05-09"); d.Items[0].Disputed != jpy(1) {
		t.Errorf("%+v", d.Items)
	}
}

func TestTheCreditorsCapacity(t *testing.T) {
	o := dun(t)
	o.owe("C1", "A", 1000)
	for i, date := range []string{"2026-05-04", "2026-05-11"} {
		r := queuedBy(o.must(fmt.Sprint("e", i), escalate(on("C1", date))))
		o.must(fmt.Sprint("s", i), send(on("C1", date), r.ID))
	}
	o.refused("e3", escalate(on("C1", "2026-05-31")), dunning.ErrNeedsCreditor)
	r := queuedBy(o.must("e4", escalate(asCreditor("C1", "2026-05-31"))))
	o.refused("s3", send(on("C1", "2026-05-31"), r.ID), dunning.ErrNeedsCreditor)
	o.must("s4", send(asCreditor("C1", "2026-05-31"), r.ID))
	plan := dunning.AgreePaymentPlan{Order: on("C1", "2026-06-01"), Reason: "x", Instalments: []dunning.Instalment{{Day: day("2026-06-30"), Amount: jpy(1000)}}}
	o.refused("plan", plan, dunning.ErrNeedsCreditor)
	plan.Acting = dunning.Creditor
	o.must("plan", plan)
	o.refused("e5", escalate(asCreditor("C1", "2026-06-02")), dunning.ErrPlanRuns)
}

// How long money for a promise and a plan is waited for is said by the seller's own bank days, as they are then.
func TestPayByTheSellersBanks(t *testing.T) {
	o := dun(t)
	o.owe("C1", "A", 1000)
	settings := seller.Settings{
		Name: "S1", TimeZone: "Asia/Tokyo", BaseCurrency: "JPY", Language: domain.Japanese,
		BankDays: domain.BankDays{Calendar: domain.BanksWeekdays, Holidays: []domain.Date{day("2026-07-21")}},
	}
	promise := dunning.RecordPromise{Order: on("C1", "2026-07-01"), Amount: jpy(1000), Day: day("2026-07-20")} // a holiday in Japan
	plan := dunning.AgreePaymentPlan{Order: asCreditor("C1", "2026-07-01"), Reason: "x", Instalments: []dunning.Instalment{{Day: day("2026-07-21"), Amount: jpy(1000)}}}
	for i, want := range [][2]string{{"2026-07-21", "2026-07-21"}, {"2026-07-20", "2026-07-22"}} {
		if e := o.must(fmt.Sprint("promise", i), promise).Events[0].(dunning.PromiseRecorded); e.PayBy != day(want[0]) {
			t.Errorf("promise %d: %s", i, e.PayBy)
		}
		if e := o.must(fmt.Sprint("plan", i), plan).Events[0].(dunning.PaymentPlanAgreed); e.PayBy[0] != day(want[1]) {
			t.Errorf("plan %d: %s", i, e.PayBy)
		}
		if i == 0 {
			o.must("elsewhere", seller.ChangeSeller{Seller: "S1", Settings: settings, Reason: "x"})
		}
	}
}
