package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
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
			Name: "得意先", Contacts: []customer.Contact{{Name: "受付", Phone: "03-0000-0000"}, {Email: "desk@example.jp"}, {Email: "ar@example.jp", Role: "Billing"}},
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
		v = dunning.Recheck(p.Policy, *s.Pending, s, d, day(on))
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

// Whatever day is asked for, a carried account says what it said before: items with their numbers, receipts, and money
// that settles nothing.
func TestDebtorOfACarriedAccount(t *testing.T) {
	o := dun(t)
	o.owe("C1", "A", 10_000)
	o.owe("C1", "B", 700)
	o.must("p", account.RecordPayment{Key: key("C1"), ReceivedOn: day("2026-05-10"), Amount: jpy(700), Allocations: []account.Allocation{{Invoice: "B", Amount: jpy(700)}}})
	o.must("free", account.RecordPayment{Key: key("C1"), ReceivedOn: day("2026-05-12"), Amount: jpy(50), Allocate: account.Nothing})
	days := []string{"2026-04-15", "2026-05-09", "2026-05-10", "2026-05-12", "2026-08-01"}
	var before []dunning.Debtor
	for _, d := range days {
		before = append(before, o.debtor("C1", d))
	}
	o.must("c1", account.CarryForward{Key: key("C1"), CarryOn: day("2026-12-31"), Into: "2027"})
	o.must("c2", account.CarryForward{Key: key("C1"), CarryOn: day("2027-12-31"), Into: "2028", KeepSince: day("2027-12-01")})
	again := office{t, ledger.New(o.store, ledger.Codec(), nil), o.store}
	for i, d := range days {
		for _, o := range []office{o, again} {
			if got := o.debtor("C1", d); fmt.Sprint(got) != fmt.Sprint(before[i]) {
				t.Errorf("%s:\nwas %v\nnow %v", d, before[i], got)
			}
		}
	}
	if fmt.Sprint(before[1].Items) == fmt.Sprint(before[2].Items) || len(before[3].Receipts) != 2 || before[3].Unapplied != jpy(50) {
		t.Errorf("%+v", before)
	}
	late := account.IssueInvoice{Key: key("C1"), Invoice: "Z", IssuedOn: day("2028-01-10"), Total: jpy(9)}
	o.must("late", late)
	r := queuedBy(o.must("e", escalate(on("C1", "2028-02-20"))))
	if len(r.Items) != 2 || r.Items[0].Number != "INV-2026-000001" || r.Items[1].Number != "INV-2028-000001" {
		t.Errorf("%+v", r.Items)
	}
}

// reading does something just before a stream is read.
type reading struct {
	eventstore.Store
	before func(stream string)
}

func (r *reading) Read(ctx context.Context, stream string, after eventstore.Version) iter.Seq2[eventstore.Recorded, error] {
	r.before(stream)
	return r.Store.Read(ctx, stream, after)
}

// An account that is carried forward while it is looked at is looked at again, where it goes on.
func TestCarriedForwardWhileLookedAt(t *testing.T) {
	o := dun(t)
	o.owe("C1", "A", 10_000)
	reads := 0
	store := &reading{Store: o.store, before: func(stream string) {
		if stream != key("C1").Stream() {
			return
		}
		if reads++; reads == 2 { // the first is the walk to the live stream
			o.must("c", account.CarryForward{Key: key("C1"), CarryOn: day("2026-04-30"), Into: "2027"})
			o.must("p", account.RecordPayment{Key: key("C1"), ReceivedOn: day("2026-05-11"), Amount: jpy(10_000)})
		}
	}}
	looking := office{t, ledger.New(store, ledger.Codec(), nil), store}
	if d := looking.debtor("C1", "2026-05-11"); len(d.Items) != 0 {
		t.Errorf("paid in the stream in which it goes on, and open: %+v", d.Items)
	}
}

func TestPolicyOfACustomerOrAGroup(t *testing.T) {
	o := dun(t)
	o.must("strict", setPolicy("strict", 1))
	o.must("gentle", setPolicy("gentle", 20))
	assign := func(id dunning.PolicyID, c domain.CustomerID, group string) dunning.AssignDunningPolicy {
		return dunning.AssignDunningPolicy{Seller: "S1", ID: id, Customer: c, Group: group, On: day("2026-04-02"), Reason: "x"}
	}
	o.must("a1", assign("strict", "", "卸"))
	o.must("group", customer.ChangeCustomer{Key: customer.Key{Seller: "S1", Customer: "C2"}, Reason: "x", Details: customer.Details{
		Name: "得意先", Contacts: []customer.Contact{{Email: "a@b.jp"}}, Attributes: map[string]string{dunning.GroupAttribute: "卸"},
	}})
	for c, want := range map[domain.CustomerID]dunning.PolicyID{"C1": "default", "C2": "strict"} {
		if p, ok, err := o.Policy(t.Context(), "S1", c); p.ID != want || !ok || err != nil {
			t.Errorf("%s: %s %v %v", c, p.ID, ok, err)
		}
	}
	for _, c := range []domain.CustomerID{"C1", "C2"} {
		o.owe(c, "A", 1000)
	}
	o.refused("e1", escalate(on("C1", "2026-05-02")), dunning.ErrNotNow)
	if r := queuedBy(o.must("e2", escalate(on("C2", "2026-05-02")))); r.Policy != "strict" {
		t.Errorf("%+v", r)
	}
	if d := o.debtor("C2", "2026-05-02"); d.Group != "卸" {
		t.Errorf("%+v", d)
	}
	o.must("a2", assign("gentle", "C1", ""))
	o.refused("e3", escalate(on("C1", "2026-05-05")), dunning.ErrNotNow)
	o.must("a3", assign("", "C1", ""))
	o.must("e4", escalate(on("C1", "2026-05-05")))
	list, err := o.Policies(t.Context(), "S1")
	if err != nil || len(list) != 3 || list[0].ID != "default" || list[2].ID != "strict" {
		t.Errorf("%v, %v", list, err)
	}
	if _, ok, err := o.Policy(t.Context(), "S9", "C1"); ok || err != nil {
		t.Error("a seller without policies has one", err)
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

// Receipts reach back as far as the plan or the promise that they are for.
func TestReceiptsSinceThePlan(t *testing.T) {
	o := dun(t)
	o.owe("C1", "A", 10_000)
	pay := func(date string) {
		o.must("p-"+date, account.RecordPayment{Key: key("C1"), ReceivedOn: day(date), Amount: jpy(1000)})
	}
	pay("2026-05-02")
	pay("2026-06-02")
	if d := o.debtor("C1", "2026-12-01"); len(d.Receipts) != 0 {
		t.Errorf("%v", d.Receipts)
	}
	o.must("plan", dunning.AgreePaymentPlan{Order: asCreditor("C1", "2026-06-01"), Reason: "x", Instalments: []dunning.Instalment{{Day: day("2027-06-30"), Amount: jpy(9000)}}})
	if d := o.debtor("C1", "2026-12-01"); fmt.Sprint(d.Receipts) != "[{2026-06-02 1000 JPY}]" {
		t.Errorf("%v", d.Receipts)
	}
}

func TestOldBankDataStopsReminders(t *testing.T) {
	o := dun(t)
	careful := setPolicy("default", 3)
	careful.BankDataMaxAge = 2
	o.must("careful", careful)
	o.owe("C1", "A", 1000)
	through := func(on, last string) dunning.RecordBankData {
		return dunning.RecordBankData{Seller: "S1", On: day(on), Through: day(last)}
	}
	o.refused("e1", escalate(on("C1", "2026-05-08")), dunning.ErrNotNow)
	o.must("b1", through("2026-05-06", "2026-05-05"))
	o.refused("e2", escalate(on("C1", "2026-05-08")), dunning.ErrNotNow)
	o.refused("b2", through("2026-05-08", "2026-05-01"), dunning.ErrBankDataBack)
	o.must("b3", through("2026-05-08", "2026-05-07"))
	if d := o.debtor("C1", "2026-05-08"); d.BankDataOn != day("2026-05-07") {
		t.Errorf("%s", d.BankDataOn)
	}
	o.must("e3", escalate(on("C1", "2026-05-08")))
}

func TestContacts(t *testing.T) {
	o := dun(t)
	for recipient, want := range map[string]customer.Contact{
		"contact:0": {Name: "受付", Phone: "03-0000-0000"},
		"contact:2": {Email: "ar@example.jp", Role: "Billing"},
		"customer":  {Name: "得意先"},
	} {
		if got, _, err := o.Contact(t.Context(), debtor("C1"), recipient); got != want || err != nil {
			t.Errorf("%s: %+v, %v", recipient, got, err)
		}
	}
	for _, recipient := range []string{"", "contact:", "contact:3", "contact:-1", "contact:x", "desk@example.jp"} {
		if _, _, err := o.Contact(t.Context(), debtor("C1"), recipient); !errors.Is(err, ledger.ErrUnknownRecipient) {
			t.Errorf("%q: %v", recipient, err)
		}
	}
	if _, _, err := o.Contact(t.Context(), debtor("C9"), "customer"); !errors.Is(err, dunning.ErrUnknownCustomer) {
		t.Error(err)
	}
	want := "[{MAIL contact:2} {PHONE contact:0} {SMS contact:0} {LETTER customer} {REGISTERED_LETTER customer}]"
	if got := fmt.Sprint(o.debtor("C1", "2026-05-01").Addresses); got != want {
		t.Error(got)
	}
	if d := o.debtor("C9", "2026-05-01"); len(d.Addresses)+len(d.Items) != 0 {
		t.Errorf("%+v", d)
	}
}

// Cases, policies and runs are among the streams over which one key is one command of the seller.
func TestAKeyIsOneCommandOverCasesToo(t *testing.T) {
	o := dun(t)
	o.owe("C1", "A", 1000)
	o.owe("C2", "A", 1000)
	if err := o.Remember(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.must("k", escalate(on("C1", "2026-05-04")))
	run := dunning.BeginRun{RunKey: dunning.RunKey{Seller: "S1", Run: "R"}, On: day("2026-05-04"), Acting: dunning.Agency}
	o.must("run", run)
	again := office{t, ledger.New(o.store, ledger.Codec(), nil), o.store}
	if err := again.Remember(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, o := range []office{o, again} {
		for _, id := range []string{"k", "policy", "run"} {
			o.refused(id, escalate(on("C2", "2026-05-04")), eventstore.ErrKeyReused)
			o.refused(id, payment("C2", 1), eventstore.ErrKeyReused)
		}
		if r := o.must("k", escalate(on("C1", "2026-05-04"))); !r.Repeated {
			t.Errorf("%+v", r)
		}
		if r := o.must("run", run); !r.Repeated {
			t.Errorf("%+v", r)
		}
	}
}

// Two ledgers on one log, as two processes would be one after the other or a server and its twin: each reminder is
// queued once and sent once, and what was paid at the same moment is found by the last look.
func TestTwoLedgersRemindOnce(t *testing.T) {
	one := dun(t)
	two := office{t, ledger.New(one.store, ledger.Codec(), nil), one.store}
	for round := range 25 {
		c := domain.CustomerID(fmt.Sprint("R", round))
		one.must("c-"+string(c), customer.RegisterCustomer{Key: customer.Key{Seller: "S1", Customer: c}, Terms: domain.Terms{Kind: domain.TermsNet, NetDays: 30}, Details: customer.Details{
			Name: "得意先", Contacts: []customer.Contact{{Email: "a@b.jp"}},
		}})
		one.owe(c, "A", 1000)
		queued := race(one, two,
			func(o office, i int) error { // the same command twice, and others
				_, err := o.do(fmt.Sprint("e-", c, i/2), escalate(on(c, "2026-05-04")))
				return err
			},
			func(o office, i int) error {
				if i > 0 {
					return errors.New("only one pays")
				}
				_, err := o.do("p-"+string(c), account.RecordPayment{Key: key(c), ReceivedOn: day("2026-05-04"), Amount: jpy(1000)})
				return err
			})
		var pending *dunning.Reminder
		var version eventstore.Version
		err := two.Case(t.Context(), debtor(c), func(s *dunning.State, v eventstore.Version) error {
			pending, version = s.Pending, v
			return nil
		})
		if err != nil || version > 1 || (pending != nil) != (queued > 0) {
			t.Fatalf("round %d: %d queued, version %d, pending %v, %v", round, queued, version, pending, err)
		}
		if pending == nil {
			continue
		}
		if v := one.recheck(c, "2026-05-04"); v.Send || v.Drop != dunning.DropPaid {
			t.Fatalf("round %d: %+v", round, v)
		}
		sent := race(one, two, func(o office, i int) error {
			_, err := o.do(fmt.Sprint("s-", c, i), send(on(c, "2026-05-04"), pending.ID))
			return err
		}, func(office, int) error { return errors.New("nothing besides") })
		if sent != 1 {
			t.Fatalf("round %d: sent %d times", round, sent)
		}
	}
}

// race does two things four times each, on two ledgers at once, and counts how often the first was done.
func race(one, two office, first, second func(o office, i int) error) (done int) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i := range 4 {
		o := []office{one, two}[i%2]
		wg.Go(func() {
			if first(o, i) == nil {
				mu.Lock()
				defer mu.Unlock()
				done++
			}
		})
		wg.Go(func() { _ = second(o, i) })
	}
	wg.Wait()
	return done
}

// BenchmarkDebtor reads the facts of accounts of several sizes, of which ten invoices are open.
func BenchmarkDebtor(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			store, err := sqlite.Open(b.TempDir(), time.Now)
			if err != nil {
				b.Fatal(err)
			}
			defer store.Close()
			l := ledger.New(store, ledger.Codec(), nil)
			prepare(b, l)
			for from := 0; from < n; from += 500 {
				var orders []ledger.Order
				for i := from; i < min(n, from+500); i++ {
					c := invoice("C1", fmt.Sprint("X", i), 1000)
					c.Invoice = domain.InvoiceID(fmt.Sprint("X", i))
					orders = append(orders, ledger.Order{Command: c, Envelope: eventstore.Envelope{CommandID: fmt.Sprint("i", i)}})
					if i < n-10 {
						pay := account.RecordPayment{Key: key("C1"), ReceivedOn: day("2026-04-20"), Amount: jpy(1000), Allocations: []account.Allocation{{Invoice: c.Invoice, Amount: jpy(1000)}}}
						orders = append(orders, ledger.Order{Command: pay, Envelope: eventstore.Envelope{CommandID: fmt.Sprint("p", i)}})
					}
				}
				if _, err := l.ExecuteTogether(b.Context(), orders); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				if d, err := l.Debtor(b.Context(), debtor("C1"), day("2026-05-04")); err != nil || len(d.Items) != 10 {
					b.Fatal(len(d.Items), err)
				}
			}
		})
	}
}
