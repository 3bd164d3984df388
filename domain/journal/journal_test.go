package journal

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/receipt"
)

var acme = account.Key{Seller: "S1", Customer: "C1", Currency: "JPY"}

func on(day string) domain.Date {
	d, err := domain.ParseDate("2026-" + day)
	if err != nil {
		panic(err)
	}
	return d
}

func yen(n int64) domain.Money { return domain.NewMoney(n, "JPY") }

func line(price int64, category account.TaxCategory, rate domain.Rate) account.Line {
	return account.Line{Description: "sale", Quantity: domain.DecimalOf(1), UnitPrice: domain.DecimalOf(price), Category: category, Rate: rate}
}

// books are an account that orders are given to.
type books struct {
	state  *account.State
	events []account.Event
}

func (b *books) do(c account.Command) error {
	events, err := account.Decider.Decide(b.state, account.Request{Command: c, Parties: account.Parties{
		SellerKnown: true, CustomerKnown: true,
		CustomerActive: true, Rounding: domain.RoundDown, Tolerance: 1000, Number: "N-1", DueOn: on("10-31"),
	}})
	for _, e := range events {
		b.state = account.Decider.Evolve(b.state, e)
		b.events = append(b.events, e.(account.Event))
	}
	return err
}

// The examples of the field: what each business case debits and credits in all.
func TestPostings(t *testing.T) {
	std := func(net int64) account.Command {
		return account.IssueInvoice{Key: acme, Invoice: "A", IssuedOn: on("10-01"), Lines: []account.Line{line(net, account.Standard, 10_00)}}
	}
	pay := func(amount int64) account.Command {
		return account.RecordPayment{Key: acme, Payment: "P", ReceivedOn: on("10-30"), Amount: yen(amount)}
	}
	for _, is := range []struct {
		name  string
		given []account.Command
		when  []account.Command
		want  string
	}{
		{
			"J1 invoice at 10 %", nil,
			[]account.Command{std(100_000)},
			"Dr accounts_receivable 110000, Cr output_consumption_tax 10000, Cr sales 100000",
		},
		{
			"J2 two rates", nil,
			[]account.Command{account.IssueInvoice{
				Key: acme, Invoice: "A", IssuedOn: on("10-01"),
				Lines: []account.Line{line(80_000, account.Standard, 10_00), line(40_000, account.Reduced, 8_00)},
			}},
			"Dr accounts_receivable 131200, Cr output_consumption_tax 11200, Cr sales 120000",
		},
		{
			"J3 credit note",
			[]account.Command{std(100_000)},
			[]account.Command{account.IssueCreditNote{
				Key: acme, Credit: "C", IssuedOn: on("10-10"), Invoice: "A",
				Reason: account.Return, Lines: []account.Line{line(10_000, account.Standard, 10_00)},
			}},
			"Cr accounts_receivable 11000, Dr output_consumption_tax 1000, Dr sales_returns_and_allowances 10000",
		},
		{
			"J4 receipt",
			[]account.Command{std(100_000)},
			[]account.Command{pay(110_000)},
			"Dr ordinary_deposit 110000, Cr accounts_receivable 110000",
		},
		{
			"J5 fee borne by the seller",
			[]account.Command{std(100_000)},
			[]account.Command{
				pay(109_340),
				account.SettleDifference{Key: acme, Invoice: "A", SettleOn: on("10-30"), Amount: yen(660), Reason: account.BankFee},
			},
			"Dr ordinary_deposit 109340, Cr accounts_receivable 110000, Dr output_consumption_tax 60, Dr sales_returns_and_allowances 600",
		},
		{
			"J7 overpayment",
			[]account.Command{std(100_000)},
			[]account.Command{pay(120_000)},
			"Dr ordinary_deposit 120000, Cr accounts_receivable 110000, Cr advances_received 10000",
		},
		{
			"J8 refund",
			[]account.Command{std(100_000), pay(120_000)},
			[]account.Command{account.IssueRefund{Key: acme, Refund: "R", Payment: "P", RefundOn: on("10-31"), Amount: yen(10_000)}},
			"Cr ordinary_deposit 10000, Dr advances_received 10000",
		},
		{
			"J10 write-off",
			[]account.Command{std(100_000)},
			[]account.Command{writeOff(110_000)},
			"Cr accounts_receivable 110000, Dr output_consumption_tax 10000, Dr bad_debt_loss 100000",
		},
		{
			"J12 recovery",
			[]account.Command{std(100_000), writeOff(110_000)},
			[]account.Command{account.RecoverWriteOff{Key: acme, Recovery: "V", WriteOff: "W", RecoverOn: on("12-01"), Amount: yen(55_000)}},
			"Dr ordinary_deposit 55000, Cr output_consumption_tax 5000, Cr recovery_of_written_off_claims 50000",
		},
		{
			"J13 receipt with a late charge",
			[]account.Command{account.IssueInvoice{Key: acme, Invoice: "A", IssuedOn: on("09-01"), DueOn: on("09-30"), Total: yen(1_000_000)}},
			[]account.Command{
				account.AssessLateCharge{Key: acme, Charge: "L", Invoice: "A", Rate: 14_60, To: on("10-31"), AssessedOn: on("10-31")},
				account.RecordPayment{Key: acme, Payment: "P", ReceivedOn: on("10-31"), Amount: yen(1_012_400)},
			},
			"Dr ordinary_deposit 1012400, Cr accounts_receivable 1000000, Cr miscellaneous_income 12400",
		},
		{"J14 advance", nil, []account.Command{pay(55_000)}, "Dr ordinary_deposit 55000, Cr advances_received 55000"},
		{
			"J15 invoice using the advance",
			[]account.Command{pay(55_000)},
			[]account.Command{std(100_000), account.ApplyPayment{Key: acme, Payment: "P", ApplyOn: on("10-30")}},
			"Dr accounts_receivable 55000, Dr advances_received 55000, Cr output_consumption_tax 10000, Cr sales 100000",
		},
		{
			"J18 a yen too little",
			[]account.Command{std(100_000), pay(109_999)},
			[]account.Command{account.SettleDifference{Key: acme, Invoice: "A", SettleOn: on("10-30"), Amount: yen(1), Reason: account.RoundingError}},
			"Cr accounts_receivable 1, Dr miscellaneous_loss 1",
		},
		{
			"a yen too much",
			[]account.Command{pay(1)},
			[]account.Command{account.SettleDifference{Key: acme, Payment: "P", SettleOn: on("10-30"), Amount: yen(1), Reason: account.RoundingError}},
			"Dr advances_received 1, Cr miscellaneous_income 1",
		},
		{
			"voided",
			[]account.Command{std(100_000)},
			[]account.Command{account.VoidInvoice{Key: acme, Invoice: "A", VoidOn: on("10-02"), Reason: "x"}},
			"Cr accounts_receivable 110000, Dr output_consumption_tax 10000, Dr sales 100000",
		},
		{
			"bounced",
			[]account.Command{std(100_000), pay(120_000)},
			[]account.Command{account.ReversePayment{Key: acme, Payment: "P", ReverseOn: on("11-02"), Reason: "x"}},
			"Cr ordinary_deposit 120000, Dr accounts_receivable 110000, Dr advances_received 10000",
		},
		{
			"a free credit of a plain total", nil,
			[]account.Command{account.IssueCreditNote{Key: acme, Credit: "C", IssuedOn: on("10-10"), Reason: account.Goodwill, Total: yen(500)}},
			"Cr advances_received 500, Dr sales_returns_and_allowances 500",
		},
		{
			"a plain total without lines", nil,
			[]account.Command{account.IssueInvoice{Key: acme, Invoice: "A", IssuedOn: on("10-01"), Total: yen(700)}},
			"Dr accounts_receivable 700, Cr sales 700",
		},
		{
			"a return on the invoice", nil,
			[]account.Command{account.IssueInvoice{
				Key: acme, Invoice: "A", IssuedOn: on("10-01"),
				Lines: []account.Line{line(80_000, account.Standard, 10_00), line(-5_000, account.Reduced, 8_00)},
			}},
			"Dr accounts_receivable 82600, Cr output_consumption_tax 7600, Cr sales 75000",
		},
	} {
		t.Run(is.name, func(t *testing.T) {
			b := &books{state: account.Decider.New()}
			for _, c := range is.given {
				if err := b.do(c); err != nil {
					t.Fatal(err)
				}
			}
			b.events = nil
			for _, c := range is.when {
				if err := b.do(c); err != nil {
					t.Fatal(err)
				}
			}
			if got := inAll(t, b.events); got != is.want {
				t.Errorf("%s\nwant %s", got, is.want)
			}
		})
	}
}

func writeOff(amount int64) account.Command {
	return account.WriteOff{Key: acme, WriteOff: "W", Invoice: "A", WriteOffOn: on("11-30"), Amount: yen(amount), Reason: "x", Approver: "y"}
}

// inAll sums the entries of events by title, in the order of the chart of accounts.
func inAll(t *testing.T, events []account.Event) string {
	t.Helper()
	by := make(map[Title]int64)
	for _, event := range events {
		e, ok := Of(event)
		if !ok || e.Description == "" || e.On != event.On() {
			t.Fatalf("%s: %+v", event.Kind(), e)
		}
		if d := difference(e); d != 0 {
			t.Fatalf("%s: debits and credits differ by %d: %+v", event.Kind(), d, e)
		}
		for _, l := range e.Lines {
			by[l.Title] += signed(l)
		}
	}
	var list []string
	for _, title := range Titles {
		switch n := by[title.Title]; {
		case n > 0:
			list = append(list, fmt.Sprintf("Dr %s %d", title.Title, n))
		case n < 0:
			list = append(list, fmt.Sprintf("Cr %s %d", title.Title, -n))
		}
	}
	return strings.Join(list, ", ")
}

func signed(l Line) int64 {
	if l.Side == Credit {
		return -l.Amount.Minor()
	}
	return l.Amount.Minor()
}

func difference(e Entry) (sum int64) {
	for _, l := range e.Lines {
		sum += signed(l)
	}
	return sum
}

// Each rate keeps its own lines, so that a tax return can be drawn up from the journal.
func TestLinesByRate(t *testing.T) {
	e, _ := Of(account.InvoiceIssued{Invoice: "A", Number: "INV-7", IssuedOn: on("10-01"), Total: yen(131_700), Taxes: []account.Tax{
		{Category: account.Standard, Rate: 10_00, Net: yen(80_000), Tax: yen(8_000)},
		{Category: account.Reduced, Rate: 8_00, Net: yen(40_000), Tax: yen(3_200)},
		{Category: account.NonTaxable, Net: yen(500), Tax: yen(0)},
	}})
	want := Entry{On: on("10-01"), Description: "Invoice INV-7", Lines: []Line{
		{Receivable, Debit, yen(131_700), "", 0},
		{Sales, Credit, yen(80_000), account.Standard, 10_00},
		{Sales, Credit, yen(40_000), account.Reduced, 8_00},
		{Sales, Credit, yen(500), account.NonTaxable, 0},
		{OutputTax, Credit, yen(8_000), account.Standard, 10_00},
		{OutputTax, Credit, yen(3_200), account.Reduced, 8_00},
	}}
	if !reflect.DeepEqual(e, want) {
		t.Errorf("%+v", e)
	}
}

// A late charge is no sale: written off, credited or waived, it touches neither sales nor tax.
func TestLateChargesBearNoTax(t *testing.T) {
	for _, event := range []account.Event{
		account.LateChargeAssessed{Charge: "L", Amount: yen(10)},
		account.LateChargeWaived{Charge: "L", Amount: yen(10)},
		account.WrittenOff{WriteOff: "W", Invoice: "L", Amount: yen(10), Charge: true},
		account.CreditNoteIssued{Credit: "C", Invoice: "L", Total: yen(10), Charge: true},
	} {
		e, ok := Of(event)
		if !ok || difference(e) != 0 {
			t.Errorf("%s: %+v", event.Kind(), e)
		}
		for _, l := range e.Lines {
			if l.Title == Sales || l.Title == SalesReturns || l.Title == OutputTax {
				t.Errorf("%s posts to %s", event.Kind(), l.Title)
			}
			if l.Title != Receivable && l.Title != Advances && l.TaxCategory != account.OutOfScope {
				t.Errorf("%s posts to %s as %q, want out of scope", event.Kind(), l.Title, l.TaxCategory)
			}
		}
	}
}

// Money without a known payer goes into suspense, and out again as a payment or back to where it came from.
func TestReceiptPostings(t *testing.T) {
	at := receipt.Key{Seller: "S1", Receipt: "R", ReceivedOn: on("10-30")}
	recorded := receipt.Recorded{Key: at, Amount: yen(110_000), Payer: "ｱｵﾊﾞ"}
	became := account.PaymentRecorded{Payment: "R", Receipt: "R", ReceivedOn: on("10-30"), Amount: yen(110_000), Allocations: []account.Allocation{{Invoice: "A", Amount: yen(100_000)}}}
	returned := receipt.Returned{Key: at, ReturnedOn: on("11-04"), Amount: yen(110_000), Reason: "x"}
	entry := func(e receipt.Event) Entry { entry, _ := OfReceipt(e); return entry }
	payment, _ := Of(became)
	for name, c := range map[string]struct {
		entries []Entry
		want    map[Title]int64
	}{
		"recorded": {[]Entry{entry(recorded)}, map[Title]int64{Bank: 110_000, Suspense: -110_000}},
		"assigned": {[]Entry{entry(recorded), payment}, map[Title]int64{Bank: 110_000, Suspense: 0, Receivable: -100_000, Advances: -10_000}},
		"returned": {[]Entry{entry(recorded), entry(returned)}, map[Title]int64{Bank: 0, Suspense: 0}},
	} {
		got := make(map[Title]int64)
		for _, e := range c.entries {
			if d := difference(e); d != 0 || e.Description == "" || len(e.Lines) < 2 {
				t.Errorf("%s: debits and credits differ by %d: %+v", name, d, e)
			}
			for _, l := range e.Lines {
				got[l.Title] += signed(l)
			}
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if e := entry(returned); e.On != on("11-04") {
		t.Errorf("returned on %s", e.On)
	}
	silent := map[string]bool{receipt.Assigned{}.Kind(): true, receipt.Booked{}.Kind(): true, receipt.Released{}.Kind(): true} // the payment posts
	for _, schema := range receipt.Events {
		event := reflect.New(schema.Type).Elem()
		if f := event.FieldByName("Amount"); f.IsValid() {
			f.Set(reflect.ValueOf(yen(100)))
		}
		if e, posts := OfReceipt(event.Interface().(receipt.Event)); posts == silent[schema.Kind] {
			t.Errorf("%s posts: %v %+v", schema.Kind, posts, e)
		}
	}
}

// Every kind of event either posts or is known to post nothing: a new one has to be thought about.
func TestEveryKindIsHandled(t *testing.T) {
	silent := map[string]bool{
		account.DueDateChanged{}.Kind():        true, // the debt stays the same
		account.NumberForfeited{}.Kind():       true,
		account.DisputeOpened{}.Kind():         true, // owed until the dispute is upheld, which is a credit note
		account.DisputeResolved{}.Kind():       true,
		account.BalanceCarriedForward{}.Kind(): true, // the balance goes on as it stands
		account.BalanceBroughtForward{}.Kind(): true,
	}
	for _, schema := range account.Events {
		event := reflect.New(schema.Type).Elem()
		for _, name := range []string{"Total", "Amount"} {
			if f := event.FieldByName(name); f.IsValid() {
				f.Set(reflect.ValueOf(yen(100)))
			}
		}
		if f := event.FieldByName("Allocations"); f.IsValid() {
			f.Set(reflect.ValueOf([]account.Allocation{{Invoice: "A", Amount: yen(100)}}))
		}
		e, posts := Of(event.Interface().(account.Event))
		if posts == silent[schema.Kind] {
			t.Errorf("%s posts: %v %+v", schema.Kind, posts, e)
		}
	}
	if e, posts := Of(account.InvoiceIssued{Number: "1", Total: yen(0)}); posts {
		t.Errorf("an invoice of zero posts %+v", e)
	}
}

func TestTitles(t *testing.T) {
	seen := make(map[string]bool)
	for _, info := range Titles {
		for _, name := range []string{string(info.Title), info.Japanese, info.English} {
			if name == "" || seen[name] {
				t.Errorf("%+v: %q is missing or stands twice", info, name)
			}
			seen[name] = true
		}
	}
}
