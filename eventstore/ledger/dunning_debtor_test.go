package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
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

// Receipts reach back as far as the plan or the promise that they are for.
func TestReceiptsSinceThePlan(t *testing.T) {
	o := dun(t)
	o.owe("C1", "A", 10_000)
	pay := func(date string) {
		o.must("p-"+date, account.RecordPayment{Key: key("C1"), ReceivedOn: day(date), Amount: jpy(1000)})
	}
	pay("2026-05-02")
	pay("2026-06-02")
	late := func() string {
		return fmt.Sprint(slices.DeleteFunc(o.debtor("C1", "2026-12-01").Receipts, func(r dunning.Receipt) bool { return r.For == "A" }))
	}
	free := account.RecordPayment{Key: key("C1"), ReceivedOn: day("2026-06-03"), Amount: jpy(7), Allocate: account.Nothing}
	o.must("free", free)
	if got := late(); got != "[]" {
		t.Error(got)
	}
	o.must("plan", dunning.AgreePaymentPlan{Order: asCreditor("C1", "2026-06-01"), Reason: "x", Instalments: []dunning.Instalment{{Day: day("2027-06-30"), Amount: jpy(9000)}}})
	if got := late(); got != "[{2026-06-03 7 JPY  false}]" {
		t.Error(got)
	}
	if d := o.debtor("C1", "2026-12-01"); fmt.Sprint(d.Receipts[:2]) != "[{2026-05-02 1000 JPY A false} {2026-06-02 1000 JPY A false}]" {
		t.Errorf("all that settles what is open: %v", d.Receipts)
	}
}

func TestContacts(t *testing.T) {
	o := dun(t)
	for recipient, want := range map[string]ledger.Recipient{
		"contact:0": {Contact: customer.Contact{Name: "受付", Phone: "03-0000-0000"}, Address: "東京都"},
		"contact:2": {Contact: customer.Contact{Email: "ar@example.jp", Role: "Billing"}, Address: "東京都"},
		"customer":  {Contact: customer.Contact{Name: "得意先"}, Address: "東京都"},
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
