package receivables_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/urikake/urikake/adapters/receivables"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/overlay"
)

const list = `customer,number,issued_on,due_on,amount,paid_on,paid_amount,disputed,country,name
C1,1001,2026-01-10,2026-02-09,100.00,2026-02-01,,no,US,Cedar Row
C1,1002,2026-01-20,2026-02-19,50.00,2026-02-01,20.00,yes,,
C2,1003,2026-01-10,2026-02-09,"1,000.00",2026-03-01,1200.00,no,CA,
C2,1004,2026-03-05,2026-04-04,10.00,2026-03-01,15.00,,,Basil Lane
"Jones, Ltd.",B/1 05,2026-03-05,2026-04-04,7.5,,0,,,
`

func TestImport(t *testing.T) {
	b := open(t)
	b.want(b.run(list, usd), receivables.Result{Lines: 5, Sellers: 1, Customers: 3, Invoices: 5, Payments: 4, Disputes: 1})
	if got := []int64{b.balance("C1"), b.balance("C2")}; !slices.Equal(got, []int64{30_00, -205_00}) {
		t.Errorf("balances %v", got)
	}
	var last domain.Date
	kinds := make(map[string]int)
	for _, e := range b.log("account-") {
		a := e.(account.Event)
		if a.On().Before(last) {
			t.Errorf("%s of %s stands after %s", a.Kind(), a.On(), last)
		}
		last = a.On()
		kinds[a.Kind()]++
		switch e := e.(type) {
		case account.DisputeResolved:
			if e.Outcome != account.DisputeRejected || e.ResolvedOn.String() != "2026-02-01" || e.Amount.Amount() != "50.00" {
				t.Errorf("%+v", e)
			}
		case account.PaymentApplied: // paid before it was issued
			if e.ApplyOn.String() != "2026-03-05" || e.Allocations[0].Amount.Amount() != "10.00" {
				t.Errorf("%+v", e)
			}
		case account.InvoiceIssued:
			if e.Number == "B/1 05" && domain.CheckID(e.Invoice) != nil || e.Number != "B/1 05" && string(e.Invoice) != e.Number {
				t.Errorf("%+v", e)
			}
		}
	}
	if kinds["account.payment_applied"] != 1 || kinds["account.dispute_resolved"] != 1 {
		t.Errorf("events: %v", kinds)
	}
	var names []string
	for _, e := range b.log("customer-") {
		r := e.(customer.Registered)
		names = append(names, r.Name+"/"+r.Country)
	}
	slices.Sort(names)
	if want := []string{"Basil Lane/CA", "Cedar Row/US", "Jones, Ltd./"}; !slices.Equal(names, want) {
		t.Errorf("customers %v, want %v", names, want)
	}
	if s := b.log("seller-")[0].(seller.Registered); s.TimeZone != "UTC" || s.BaseCurrency != "USD" || s.Name != "ACME" {
		t.Errorf("%+v", s)
	}
}

func TestYenLivesInTokyo(t *testing.T) {
	b := open(t)
	b.run("得意先,請求書番号,請求日,支払期日,金額\n青空,A-1,2026/1/31,2026/2/28,\"¥1,100\"\n",
		receivables.Options{Seller: "ACME", Currency: "JPY", Actor: "test"})
	if s := b.log("seller-")[0].(seller.Registered); s.TimeZone != "Asia/Tokyo" || s.Language != domain.Japanese {
		t.Errorf("%+v", s)
	}
	if c := b.log("customer-")[0].(customer.Registered); c.Name != "青空" || domain.CheckID(c.Customer) != nil {
		t.Errorf("%+v", c)
	}
}

func TestARepeatAddsNothing(t *testing.T) {
	b := open(t)
	b.run(list, usd)
	before := len(b.log(""))
	result := b.run(list, usd)
	b.want(result, receivables.Result{Lines: 5, AlreadyThere: 1 + 3 + 12})
	if after := len(b.log("")); after != before {
		t.Errorf("%d events were added", after-before)
	}
}

// What was open in an older list and is paid in a newer one adds the payment and nothing else.
func TestALongerListAddsWhatIsNew(t *testing.T) {
	b := open(t)
	b.run(list, usd)
	newer := strings.Replace(list, "7.5,,0", "7.5,2026-04-01,", 1) + "C1,1006,2026-04-01,2026-05-01,1.00,,,,,\n"
	b.want(b.run(newer, usd), receivables.Result{Lines: 6, Invoices: 1, Payments: 1, AlreadyThere: 16})
}

func TestADifferenceIsReported(t *testing.T) {
	b := open(t)
	b.run(list, usd)
	before := len(b.log(""))
	changed := strings.Replace(list, "C1,1002,2026-01-20,2026-02-19,50.00", "C1,1002,2026-01-20,2026-02-19,51.00", 1)
	changed = strings.Replace(changed, "Cedar Row", "Cedar Row Inc.", 1) // a customer who is known keeps the name
	result, err := b.try(b.read(changed, usd))
	if !errors.Is(err, receivables.ErrBadLines) || len(result.Bad) != 1 || result.Bad[0].Line != 3 ||
		!strings.Contains(result.Bad[0].Reason, "differs from what was imported") {
		t.Errorf("%v: %+v", err, result)
	}
	if after := len(b.log("")); after != before {
		t.Errorf("%d events were added", after-before)
	}
}

const spoiled = list + `C1,1001,2026-01-10,2026-02-09,100.00,,,,,
C3,1007,2026-02-30,2026-01-01,ten,,,perhaps,,
C3,1008,2026-02-20,2026-02-01,-5.00,,12,,,
,,2026-02-20,,0.001
C3,1009,2026-01-10,2026-02-09,100.00,,,,too long a country,
"C3,
`

func TestEveryBadLineIsReported(t *testing.T) {
	b := open(t)
	result, err := b.try(b.read(spoiled, usd))
	if !errors.Is(err, receivables.ErrBadLines) {
		t.Fatal(err)
	}
	var got []string
	for _, bad := range result.Bad {
		got = append(got, fmt.Sprintf("%d %s: %s", bad.Line, bad.Column, bad.Reason))
	}
	for i, want := range []string{
		"7 number: the invoice number stands in the file already: 1001, first on line 2",
		`8 issued_on: not a date as the file writes them: "2026-02-30", want YYYY-M-D`,
		"8 amount: not an amount", "8 disputed: neither yes nor no",
		"9 amount: a negative amount", "9 due_on: the due date lies before the issue date", "9 paid_amount: an amount was paid, but not when",
		"10 : the line has 5 cells, the header has 10",
		"11 country: the value is longer", "12 : this is no CSV",
	} {
		if i >= len(got) || !strings.HasPrefix(got[i], want) {
			t.Fatalf("%d: want %s, got\n%s", i, want, strings.Join(got, "\n"))
		}
	}
	if len(got) != 10 || result.BadLines() != 6 || result.Lines != 11 {
		t.Errorf("%d faults on %d of %d lines", len(got), result.BadLines(), result.Lines)
	}
	if n := len(b.log("")); n != 0 {
		t.Errorf("%d events in spite of bad lines", n)
	}
}

// The books' own refusals are found before anything is written, and those of the file are reported with them.
func TestRefusalsKeepEverythingOut(t *testing.T) {
	b := open(t)
	key := customer.Key{Seller: "ACME", Customer: "C2"}
	b.run(strings.Join(strings.Split(list, "\n")[:4], "\n"), usd)
	b.must("deactivate", customer.DeactivateCustomer{Key: key, Reason: "test"})
	before := len(b.log(""))
	text := list + "C9,1010,2026-01-10,2026-02-09,zero,,,,,\nC9,1003,2026-01-10,2026-02-09,5,,,,,\n"
	text = strings.Replace(text, "C9,1003", "C9,1011", 1)
	result, err := b.try(b.read(text, usd))
	if !errors.Is(err, receivables.ErrBadLines) || len(result.Bad) != 2 || result.Bad[0].Line != 5 || result.Bad[1].Line != 7 ||
		!strings.Contains(result.Bad[0].Reason, "deactivated") {
		t.Fatalf("%v: %+v", err, result)
	}
	if after := len(b.log("")); after != before {
		t.Errorf("%d events were added", after-before)
	}

	o := usd
	o.KeepGoing = true
	result = b.run(text, o)
	if result.Invoices != 2 || result.Payments != 0 || result.Customers != 2 || result.BadLines() != 2 {
		t.Errorf("%+v", result)
	}
	if result = b.run(text, o); result.Invoices+result.Customers != 0 || result.BadLines() != 2 {
		t.Errorf("again: %+v", result)
	}
}

func TestNumberOfAnotherCustomer(t *testing.T) {
	b := open(t)
	b.run("customer,number,issued_on,due_on,amount\nC1,INV-2026-000007,2026-01-10,2026-02-09,5\n", usd)
	result, err := b.try(b.read("customer,number,issued_on,due_on,amount\nC2,INV-2026-000007,2026-01-10,2026-02-09,5\n", usd))
	if !errors.Is(err, receivables.ErrBadLines) || len(result.Bad) != 1 || !strings.Contains(result.Bad[0].Reason, "another document") {
		t.Errorf("%v: %+v", err, result)
	}
}

func TestDryRunWritesNothing(t *testing.T) {
	b := open(t)
	dry := ledger.New(overlay.New(b.store), ledger.Codec(), nil)
	result, err := b.read(list, usd).Run(t.Context(), dry.Execute, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.want(result, receivables.Result{Lines: 5, Sellers: 1, Customers: 3, Invoices: 5, Payments: 4, Disputes: 1})
	if n := len(b.log("")); n != 0 {
		t.Errorf("%d events", n)
	}
}

// An import that breaks off anywhere is finished by the next one, and the books are the same as in one go.
func TestBrokenOffAndRepeated(t *testing.T) {
	whole := open(t)
	whole.run(list, usd)
	for n := range int32(16) {
		b := open(t)
		var given atomic.Int32
		failing := func(ctx context.Context, c interface{ Name() string }, env eventstore.Envelope) (eventstore.Receipt, error) {
			if given.Add(1) > n {
				return eventstore.Receipt{}, eventstore.ErrUnavailable
			}
			return b.live.Execute(ctx, c, env)
		}
		dry := ledger.New(overlay.New(b.store), ledger.Codec(), nil)
		if _, err := b.read(list, usd).Run(t.Context(), dry.Execute, failing, nil); !errors.Is(err, eventstore.ErrUnavailable) {
			t.Fatalf("after %d commands: %v", n, err)
		}
		if result := b.run(list, usd); result.AlreadyThere != int(n) {
			t.Errorf("after %d commands: %+v", n, result)
		}
		for _, customer := range []string{"C1", "C2"} {
			if got, want := b.balance(customer), whole.balance(customer); got != want {
				t.Errorf("after %d commands %s owes %d, want %d", n, customer, got, want)
			}
		}
		if got, want := len(b.log("account-")), len(whole.log("account-")); got != want {
			t.Errorf("after %d commands: %d events, want %d", n, got, want)
		}
	}
}

func TestBooksThatChangeMeanwhileStopIt(t *testing.T) {
	b := open(t)
	b.run(strings.Join(strings.Split(list, "\n")[:4], "\n"), usd)
	dry := ledger.New(overlay.New(b.store), ledger.Codec(), nil)
	var first sync.Once
	live := func(ctx context.Context, c interface{ Name() string }, env eventstore.Envelope) (eventstore.Receipt, error) {
		first.Do(func() {
			b.must("deactivate", customer.DeactivateCustomer{Key: customer.Key{Seller: "ACME", Customer: "C2"}, Reason: "test"})
		})
		return b.live.Execute(ctx, c, env)
	}
	short := strings.Join(strings.Split(list, "\n")[:5], "\n")
	_, err := b.read(short, usd).Run(t.Context(), dry.Execute, live, nil)
	if !errors.Is(err, receivables.ErrStopped) || !strings.Contains(err.Error(), "line 5") {
		t.Errorf("%v", err)
	}
}

func TestProgressReachesTheEnd(t *testing.T) {
	b := open(t)
	plan := b.read(list, usd)
	dry := ledger.New(overlay.New(b.store), ledger.Codec(), nil)
	last, calls := 0, 0
	_, err := plan.Run(t.Context(), dry.Execute, b.live.Execute, func(done, total int) {
		if calls++; done != calls || total != 2*plan.Commands() {
			t.Errorf("call %d: %d of %d", calls, done, total)
		}
		last = done
	})
	if err != nil || last != 2*plan.Commands() {
		t.Errorf("ended at %d of %d: %v", last, 2*plan.Commands(), err)
	}
}
