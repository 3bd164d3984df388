package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/numbering"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/memory"
)

func jpy(n int64) domain.Money { return domain.NewMoney(n, "JPY") }

func day(s string) domain.Date {
	d, err := domain.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func key(c domain.CustomerID) account.Key {
	return account.Key{Seller: "S1", Customer: c, Currency: "JPY"}
}

// office is a ledger with one seller and two customers.
type office struct {
	*testing.T
	*ledger.Ledger
	store eventstore.Store
}

func open(t *testing.T, store eventstore.Store) office {
	t.Helper()
	o := office{t, ledger.New(store, ledger.Codec(), eventstore.SnapshotDir(t.TempDir())), store}
	prepare(t, o.Ledger)
	return o
}

func prepare(t testing.TB, l *ledger.Ledger) {
	t.Helper()
	must := func(id string, c interface{ Name() string }) {
		if _, err := l.Execute(context.Background(), c, eventstore.Envelope{CommandID: id, Actor: "test"}); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
	}
	must("seller", seller.RegisterSeller{Seller: "S1", Settings: seller.Settings{
		Name: "売手", TimeZone: "Asia/Tokyo", BaseCurrency: "JPY",
		Language: domain.Japanese, Tolerance: []domain.Money{jpy(880)},
	}})
	for _, c := range []domain.CustomerID{"C1", "C2"} {
		must("customer-"+string(c), customer.RegisterCustomer{
			Key:     customer.Key{Seller: "S1", Customer: c},
			Details: customer.Details{Name: "得意先"}, Terms: domain.Terms{Kind: domain.TermsNet, NetDays: 30},
		})
	}
}

func (o office) do(id string, c interface{ Name() string }) (eventstore.Receipt, error) {
	return o.Execute(context.Background(), c, eventstore.Envelope{CommandID: id, Actor: "test"})
}

func (o office) must(id string, c interface{ Name() string }) eventstore.Receipt {
	o.Helper()
	r, err := o.do(id, c)
	if err != nil {
		o.Fatalf("%s: %v", id, err)
	}
	return r
}

func (o office) refused(id string, c interface{ Name() string }, want error) {
	o.Helper()
	if _, err := o.do(id, c); !errors.Is(err, want) {
		o.Fatalf("%s: got %v, want %v", id, err, want)
	}
}

func invoice(c domain.CustomerID, number string, amount int64) account.IssueInvoice {
	return account.IssueInvoice{Key: key(c), Number: number, IssuedOn: day("2026-04-01"), Total: jpy(amount)}
}

func numberOf(r eventstore.Receipt) string { return r.Events[0].(account.InvoiceIssued).Number }

func newStore() eventstore.Store { return memory.New(time.Now) }

func TestARepeatedCommandGetsTheFirstAnswer(t *testing.T) {
	o := open(t, newStore())
	first := o.must("k1", invoice("C1", "", 1000))
	again := o.must("k1", invoice("C1", "", 1000))
	if !again.Repeated || again.Position != first.Position || numberOf(again) != numberOf(first) {
		t.Fatalf("first %+v, again %+v", first, again)
	}
	o.refused("k1", invoice("C1", "", 2000), eventstore.ErrKeyReused)
	if n := numberOf(o.must("k2", invoice("C1", "", 1000))); n != "INV-2026-000002" {
		t.Fatalf("the repeat took a number: %s", n)
	}
}

func TestDueDateComesFromTheTerms(t *testing.T) {
	o := open(t, newStore())
	e := o.must("k1", invoice("C1", "", 1000)).Events[0].(account.InvoiceIssued)
	if e.DueOn != day("2026-05-01") {
		t.Fatalf("due %s", e.DueOn)
	}
}

// A due date on a Japanese holiday stands where the seller's banks work on it, and moves where they are closed.
func TestDueDateByTheSellersBanks(t *testing.T) {
	o := open(t, newStore())
	terms := domain.Terms{Kind: domain.TermsClosing, ClosingDays: []int{domain.MonthEnd}, MonthOffset: 1, PayDay: 20, HolidayRule: domain.HolidayNext}
	o.must("terms", customer.SetPaymentTerms{Key: customer.Key{Seller: "S1", Customer: "C1"}, Terms: terms, Reason: "x"})
	settings := seller.Settings{Name: "S1", TimeZone: "UTC", BaseCurrency: "JPY", Language: domain.Japanese}
	for i, c := range []struct {
		days domain.BankDays
		due  string
	}{
		{domain.BankDays{}, "2026-07-21"}, // 07-20 is a holiday there
		{domain.BankDays{Calendar: domain.BanksWeekdays}, "2026-07-20"},
		{domain.BankDays{Calendar: domain.BanksWeekdays, Holidays: []domain.Date{day("2026-07-20"), day("2026-07-21")}}, "2026-07-22"},
	} {
		settings.BankDays = c.days
		o.must(fmt.Sprint("settings-", i), seller.ChangeSeller{Seller: "S1", Settings: settings, Reason: "x"})
		invoice := account.IssueInvoice{Key: key("C1"), IssuedOn: day("2026-06-15"), Total: jpy(1000)}
		if e := o.must(fmt.Sprint("invoice-", i), invoice).Events[0].(account.InvoiceIssued); e.DueOn != day(c.due) {
			t.Errorf("%+v: due %s, want %s", c.days, e.DueOn, c.due)
		}
	}
}

func TestUnknownPartiesAreRefused(t *testing.T) {
	o := open(t, newStore())
	o.refused("k1", invoice("C9", "", 1000), account.ErrUnknownCustomer)
	c := invoice("C1", "", 1000)
	c.Seller = "S9"
	o.refused("k2", c, account.ErrUnknownSeller)
	o.refused("k3", customer.RegisterCustomer{Key: customer.Key{Seller: "S9", Customer: "C1"}, Details: customer.Details{Name: "x"}}, account.ErrUnknownSeller)
	o.must("k4", customer.DeactivateCustomer{Key: customer.Key{Seller: "S1", Customer: "C2"}, Reason: "closed"})
	o.refused("k5", invoice("C2", "", 1000), account.ErrCustomerInactive)
}

func TestATimeZoneMustExist(t *testing.T) {
	o := open(t, newStore())
	o.refused("z", seller.RegisterSeller{Seller: "S2", Settings: seller.Settings{
		Name: "x", TimeZone: "Asia/Atlantis", BaseCurrency: "JPY", Language: domain.English,
	}}, seller.ErrBadTimeZone)
}

func TestNumbersAreUniqueForTheSeller(t *testing.T) {
	o := open(t, newStore())
	o.must("k1", invoice("C1", "A/1", 1000))
	o.refused("k2", invoice("C2", "A/1", 1000), numbering.ErrNumberTaken)
	o.must("k3", invoice("C1", "INV-2026-000002", 1000))
	o.refused("k4", invoice("C2", "INV-2026-000002", 1000), numbering.ErrNumberTaken)
	if n := numberOf(o.must("k5", invoice("C2", "", 1))); n != "INV-2026-000001" {
		t.Fatal(n)
	}
	if n := numberOf(o.must("k6", invoice("C2", "", 1))); n != "INV-2026-000003" {
		t.Fatal(n)
	}
	bad := invoice("C1", "A/2", 1000)
	bad.DueOn = day("2026-03-01")
	o.refused("k7", bad, account.ErrDueBeforeIssue)
	o.must("k8", invoice("C2", "A/2", 1000)) // the refused one holds no number
}

func TestSeriesIsGaplessUnderConcurrency(t *testing.T) {
	o := open(t, newStore())
	const n = 300
	numbers := make([]string, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			c := invoice([]domain.CustomerID{"C1", "C2"}[i%2], "", int64(i))
			if i%3 == 0 {
				c.DueOn = day("2026-03-01") // refused: due before issue
			}
			r, err := o.do(fmt.Sprint("k", i), c)
			if err == nil {
				numbers[i] = numberOf(r)
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, s := range numbers {
		if s != "" && seen[s] {
			t.Fatalf("%s twice", s)
		}
		seen[s] = true
	}
	for i := 1; i <= n*2/3; i++ {
		if s := numbering.Format("INV", 2026, i); !seen[s] {
			t.Fatalf("gap at %s", s)
		}
	}
}

// failing refuses appends to account streams while broken is set: a crash between taking a number and issuing.
type failing struct {
	eventstore.Store
	broken bool
}

func (f *failing) Append(ctx context.Context, stream string, expected eventstore.Version, events ...eventstore.Proposed) (eventstore.Position, error) {
	if _, _, ok := account.ParseStream(stream); ok && f.broken {
		return 0, eventstore.ErrUnavailable
	}
	return f.Store.Append(ctx, stream, expected, events...)
}

func TestACrashAfterTakingANumberLeavesNoGap(t *testing.T) {
	store := &failing{Store: newStore()}
	o := open(t, store)
	o.must("k1", invoice("C1", "", 1))
	store.broken = true
	o.refused("k2", invoice("C1", "", 2), eventstore.ErrUnavailable)
	o.refused("k3", invoice("C1", "FREE", 3), eventstore.ErrUnavailable)
	store.broken = false

	o = office{t, ledger.New(store, ledger.Codec(), nil), store} // started again
	if n := numberOf(o.must("k4", invoice("C2", "", 4))); n != "INV-2026-000002" {
		t.Fatalf("gap: %s", n)
	}
	o.must("k5", invoice("C2", "FREE", 5)) // the number of a command that never came back
	if n := numberOf(o.must("k2", invoice("C1", "", 2))); n != "INV-2026-000003" {
		t.Fatal(n)
	}
	o.refused("k3", invoice("C1", "FREE", 3), numbering.ErrNumberTaken)
}

func TestARetryAfterACrashKeepsItsNumber(t *testing.T) {
	store := &failing{Store: newStore()}
	o := open(t, store)
	store.broken = true
	o.refused("k1", invoice("C1", "", 1), eventstore.ErrUnavailable)
	store.broken = false
	if n := numberOf(o.must("k1", invoice("C1", "", 1))); n != "INV-2026-000001" {
		t.Fatal(n)
	}
	if n := numberOf(o.must("k2", invoice("C1", "", 1))); n != "INV-2026-000002" {
		t.Fatal(n)
	}
	o = office{t, ledger.New(store, ledger.Codec(), nil), store}
	if n := numberOf(o.must("k3", invoice("C1", "", 1))); n != "INV-2026-000003" {
		t.Fatal(n)
	}
}

func TestAnAccountGoesOnAfterCarryForward(t *testing.T) {
	store := &failing{Store: newStore()}
	o := open(t, store)
	c := invoice("C1", "", 1000)
	c.Invoice = "A"
	o.must("k1", c)
	pay := account.RecordPayment{Key: key("C1"), Payment: "P", ReceivedOn: day("2026-04-10"), Amount: jpy(300)}
	o.must("k2", pay)
	carry := account.CarryForward{Key: key("C1"), CarryOn: day("2026-12-31"), Into: "2027"}
	o.must("k3", carry)
	if r := o.must("k3", carry); !r.Repeated {
		t.Fatalf("%+v", r)
	}
	if r := o.must("k2", pay); !r.Repeated {
		t.Fatal("a payment of the closed stream was booked again")
	}
	o.refused("k4", c, account.ErrRepeatedID)
	pay.Payment, pay.ReceivedOn, pay.Amount = "P2", day("2027-01-05"), jpy(700)
	if r := o.must("k5", pay); r.Stream != key("C1").Stream()+".2027" || len(r.Events[0].(account.PaymentRecorded).Allocations) != 1 {
		t.Fatalf("%+v", r)
	}
	o = office{t, ledger.New(store, ledger.Codec(), nil), store}
	if r := o.must("k2", account.RecordPayment{Key: key("C1"), Payment: "P", ReceivedOn: day("2026-04-10"), Amount: jpy(300)}); !r.Repeated {
		t.Fatal("not repeated after a restart")
	}
	o.must("k6", account.CarryForward{Key: key("C1"), CarryOn: day("2027-12-31"), Into: "2028"})
	o.refused("k7", c, account.ErrRepeatedID)
	o.refused("k8", account.CarryForward{Key: key("C1"), CarryOn: day("2028-12-31"), Into: "2027"}, account.ErrSamePeriod)
}

func TestExpectedVersion(t *testing.T) {
	o := open(t, newStore())
	r := o.must("k1", invoice("C1", "", 1000))
	env := eventstore.Envelope{CommandID: "k2", Expected: new(eventstore.Expectation)}
	if _, err := o.Execute(context.Background(), invoice("C1", "", 1), env); !errors.Is(err, eventstore.ErrWrongVersion) {
		t.Fatal(err)
	}
	env.Expected.Version = r.Version
	if _, err := o.Execute(context.Background(), invoice("C1", "", 1), env); err != nil {
		t.Fatal(err)
	}
}

func TestExpectedVersionIsThatOfTheLiveStream(t *testing.T) {
	o := open(t, newStore())
	o.must("k1", invoice("C1", "", 1000))
	o.must("k2", invoice("C1", "", 1000))
	o.must("k3", account.CarryForward{Key: key("C1"), CarryOn: day("2026-12-31"), Into: "2027"})
	try := func(id, period string, version eventstore.Version) error { // the closed stream stands at 3, the live one at 1
		env := eventstore.Envelope{CommandID: id, Expected: &eventstore.Expectation{Period: period, Version: version}}
		_, err := o.Execute(context.Background(), invoice("C1", "", 1), env)
		return err
	}
	refused := func(period string, version eventstore.Version, detail string) {
		t.Helper()
		if err := try("r", period, version); !errors.Is(err, eventstore.ErrWrongVersion) || !strings.Contains(err.Error(), detail) {
			t.Errorf("%q at %d: %v", period, version, err)
		}
	}
	refused("", 0, "stands at version 1 of period 2027, you expect version 0 of the first period")
	refused("", 1, "stands at version 1 of period 2027, you expect version 1 of the first period")
	refused("", 3, "stands at version 1 of period 2027, you expect version 3 of the first period")
	refused("2027", 0, "you expect version 0 of period 2027")
	refused("2028", 1, "you expect version 1 of period 2028")
	for range 2 { // the second time it is a repeat
		if err := try("k4", "2027", 1); err != nil {
			t.Error(err)
		}
	}
	o.must("k5", invoice("C1", "", 1))
	o.must("k6", account.CarryForward{Key: key("C1"), CarryOn: day("2027-12-31"), Into: "2028"})
	refused("2027", 4, "stands at version 1 of period 2028, you expect version 4 of period 2027")
	if err := try("k4", "2027", 1); err != nil { // answered by a closed stream
		t.Error(err)
	}
	audit(t, "", o)
}

func TestALateChargesNumberIsUniqueToo(t *testing.T) {
	o := open(t, newStore())
	c := invoice("C1", "INV-2026-000002", 100_000)
	c.Invoice = "A"
	o.must("k1", c)
	charge := account.AssessLateCharge{
		Key: key("C1"), Charge: "L", Number: "INV-2026-000002", Invoice: "A", Rate: 14_60, To: day("2026-12-01"), AssessedOn: day("2026-12-01"),
	}
	o.refused("k2", charge, numbering.ErrNumberTaken)
	charge.Number = "INV-2026-000001"
	o.must("k3", charge)
	if n := numberOf(o.must("k4", invoice("C2", "", 1))); n != "INV-2026-000003" {
		t.Fatal(n)
	}
}

// Only what was booked is remembered: a refused command is decided anew when it comes again.
func TestARefusalIsNotTheLastWord(t *testing.T) {
	o := open(t, newStore())
	of := customer.Key{Seller: "S1", Customer: "C1"}
	o.must("off", customer.DeactivateCustomer{Key: of, Reason: "closed"})
	o.refused("k1", invoice("C1", "", 1000), account.ErrCustomerInactive)
	o.must("p1", account.RecordPayment{Key: key("C1"), ReceivedOn: day("2026-04-01"), Amount: jpy(5)}) // owed is owed
	o.must("on", customer.ReactivateCustomer{Key: of, Reason: "open again"})
	first := o.must("k1", invoice("C1", "", 1000))
	o.must("off2", customer.DeactivateCustomer{Key: of, Reason: "closed"})
	if r := o.must("k1", invoice("C1", "", 1000)); !r.Repeated || r.Position != first.Position {
		t.Fatalf("%+v", r)
	}
	o.refused("k1", invoice("C1", "", 1001), eventstore.ErrKeyReused)
	audit(t, "", o)
}
