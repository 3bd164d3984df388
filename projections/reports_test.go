package projections

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
)

var background = context.Background()

// known limits a report to a position.
func known(p eventstore.Position) KnownAt { return KnownAt{Position: p} }

func TestKnownAtHidesWhatWasWrittenLater(t *testing.T) {
	b := newBooks(t)
	b.register()
	b.do(issue("I1", "2026-01-10", "2026-02-10", 10000))
	first, at := b.head(), b.now
	b.do(pay("P1", "2026-02-01", 4000, to("I1", 4000))) // received on 1 February, written later
	b.expectBy("2026-02-28", func(q *AgingQuery) { q.KnownAt = known(first) }, 0, 10000, 0, 0, 0, 0, 10000, 0)
	b.expectBy("2026-02-28", func(q *AgingQuery) { q.KnownAt.At = at }, 0, 10000, 0, 0, 0, 0, 10000, 0)
	b.expectBy("2026-02-28", func(q *AgingQuery) { q.KnownAt.At = at.Add(time.Minute - time.Microsecond) }, 0, 10000, 0, 0, 0, 0, 10000, 0)
	b.expectBy("2026-02-28", func(q *AgingQuery) { q.KnownAt.At = at.Add(time.Minute) }, 0, 6000, 0, 0, 0, 0, 6000, 0)
	b.expectBy("2026-02-28", func(q *AgingQuery) { q.KnownAt.At = at.Add(-time.Second) })
	b.expect("2026-02-28", 0, 6000, 0, 0, 0, 0, 6000, 0)
}

// Whatever the instant, the position found is the last one recorded by then.
func TestInstantToPosition(t *testing.T) {
	b := newBooks(t)
	var times []time.Time
	for n := range 60 {
		if n%7 == 3 { // several events at one instant
			b.now = b.now.Add(-time.Minute)
		}
		b.do(issue(fmt.Sprintf("I%d", n), "2026-01-01", "2026-01-31", 1))
		times = append(times, b.now)
	}
	for _, base := range times {
		for _, at := range []time.Time{base.Add(-time.Microsecond), base, base.Add(time.Microsecond)} {
			var want eventstore.Position
			for i, recorded := range times {
				if !recorded.After(at) {
					want = eventstore.Position(i + 1)
				}
			}
			if got, err := b.views.known(background, KnownAt{At: at}); err != nil || got != want {
				t.Errorf("%s: position %d, %v; want %d", at, got, err, want)
			}
		}
	}
}

func TestParseKnownAt(t *testing.T) {
	tokyo := time.FixedZone("JST", 9*3600)
	for text, want := range map[string]KnownAt{
		"":                          {},
		"17":                        {Position: 17},
		"2026-07-03T12:00:00+09:00": {At: time.Date(2026, 7, 3, 3, 0, 0, 0, time.UTC)},
		"2026-07-03":                {At: time.Date(2026, 7, 3, 14, 59, 59, 999_999_000, time.UTC)},
	} {
		if got, err := ParseKnownAt(text, tokyo); err != nil || got.Position != want.Position || !got.At.Equal(want.At) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"0", "-1", "x", "2026-13-01", "2026-07-03T12:00:00", "99999999999999999999"} {
		if _, err := ParseKnownAt(text, tokyo); !errors.Is(err, ErrBadKnownAt) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestCarryForwardChangesNoReport(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-10", "2026-02-10", 10000), pay("P1", "2026-02-01", 4000, to("I1", 1000)))
	want := b.aging("2026-03-01")
	b.do(account.CarryForward{Key: jpy, CarryOn: day("2026-02-28"), Into: "2027"})
	if got := b.aging("2026-03-01"); len(got) != 1 || !slices.Equal(line(got[0]), line(want[0])) {
		t.Errorf("%+v, before %+v", got, want)
	}
	b.do(account.ApplyPayment{Key: jpy, Payment: "P1", ApplyOn: day("2026-03-05"), Allocations: []account.Allocation{to("I1", 3000)}})
	b.expect("2026-03-04", 0, 9000, 0, 0, 0, 3000, 6000, 0)
	b.expect("2026-03-05", 0, 6000, 0, 0, 0, 0, 6000, 0)
	history, err := b.views.History(background, HistoryQuery{Key: jpy})
	if err != nil || len(history) != 5 {
		t.Fatalf("%+v, %v", history, err)
	}
	last := history[4]
	if last.Balance != yen(6000) || last.Stream != jpy.Stream()+".2027" || last.Actor != "hanako" || !strings.HasPrefix(last.Command, "cmd-") ||
		last.Text != "payment P1 applied to I1 3000 JPY" || last.On != day("2026-03-05") || !last.At.Equal(b.now) {
		t.Errorf("%+v", last)
	}
	if early, err := b.views.History(background, HistoryQuery{Key: jpy, AsOf: day("2026-01-31"), KnownAt: known(b.head())}); err != nil || len(early) != 1 {
		t.Errorf("%+v, %v", early, err)
	}
	if none, err := b.views.History(background, HistoryQuery{Key: account.Key{Seller: "S1", Customer: "C9", Currency: "JPY"}}); err != nil || len(none) != 0 {
		t.Errorf("%+v, %v", none, err)
	}
}

// Every kind of event has a sentence of its own.
func TestDescribeKnowsEveryEvent(t *testing.T) {
	for _, s := range account.Events {
		e, err := s.Decode(s.Version, []byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		if text := Describe(e.(account.Event)); text == s.Kind || text == "" {
			t.Errorf("%s: %q", s.Kind, text)
		}
	}
}

func TestStatement(t *testing.T) {
	b := newBooks(t)
	b.register()
	b.do(issue("I1", "2026-01-10", "2026-02-10", 10000), pay("P1", "2026-02-01", 4000, to("I1", 4000)),
		issue("I2", "2026-02-01", "2026-03-01", 500),
		account.WriteOff{Key: jpy, WriteOff: "W1", Invoice: "I2", WriteOffOn: day("2026-02-20"), Amount: yen(100), Reason: "small", Approver: "CFO"},
		account.ReversePayment{Key: jpy, Payment: "P1", ReverseOn: day("2026-03-20"), Reason: "bounced"})
	report, err := b.views.Statement(background, StatementQuery{Seller: "S1", Customer: "C1", From: day("2026-02-01"), To: day("2026-03-19")})
	if err != nil || len(report.Accounts) != 1 {
		t.Fatal(err, report)
	}
	s := report.Accounts[0]
	var lines []string
	for _, l := range s.Lines {
		lines = append(lines, fmt.Sprint(l.On, " ", l.Kind, " ", l.Document, " ", l.Amount.Minor(), " ", l.Balance.Minor()))
	}
	want := []string{"2026-02-01 account.payment_recorded P1 -4000 6000", "2026-02-01 account.invoice_issued I2 500 6500", "2026-02-20 account.written_off I2 -100 6400"}
	if !slices.Equal(lines, want) || s.Opening != yen(10000) || s.Closing != yen(6400) || s.Name != "Customer C1" {
		t.Errorf("%+v\n%v", s, lines)
	}
	if rows := b.aging("2026-03-19"); rows[0].Total != s.Closing {
		t.Errorf("aging says %s", rows[0].Total)
	}
	for _, c := range []struct {
		q    StatementQuery
		want *domain.Error
	}{
		{StatementQuery{Seller: "S1", Customer: "C1"}, domain.ErrMissing},
		{StatementQuery{Seller: "S1", To: day("2026-01-01")}, domain.ErrMissing},
		{StatementQuery{Seller: "S1", Customer: "C1", From: day("2026-02-01"), To: day("2026-01-01")}, ErrBadSpan},
		{StatementQuery{Seller: "S1", Customer: "C9", To: day("2026-01-01")}, ErrUnknownCustomer},
	} {
		if _, err := b.views.Statement(background, c.q); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c.q, err)
		}
	}
}

func TestUnapplied(t *testing.T) {
	b := newBooks(t)
	b.do(pay("P1", "2026-02-01", 4000), pay("P2", "2026-02-03", 100),
		account.IssueCreditNote{Key: jpy, Credit: "N1", Number: "CN-1", IssuedOn: day("2026-02-02"), Reason: account.Goodwill, Total: yen(300)},
		account.IssueRefund{Key: jpy, Payment: "P2", RefundOn: day("2026-02-10"), Amount: yen(100)})
	report, err := b.views.Unapplied(background, UnappliedQuery{Seller: "S1", AsOf: day("2026-02-10")})
	if err != nil || len(report.Rows) != 2 {
		t.Fatal(err, report.Rows)
	}
	if p := report.Rows[0]; p.Document != "P1" || p.Class != Payment || p.Age != 9 || p.Unapplied != yen(4000) || p.Total != yen(4000) {
		t.Errorf("%+v", p)
	}
	if n := report.Rows[1]; n.Document != "N1" || n.Class != CreditNote || n.Number != "CN-1" || n.Unapplied != yen(300) {
		t.Errorf("%+v", n)
	}
	rows := b.aging("2026-02-10", func(q *AgingQuery) { q.GroupBy = PerInvoice })
	if len(rows) != 2 || rows[0].Total != yen(-4000) || rows[0].Class != Payment || !rows[0].DueOn.IsZero() {
		t.Errorf("%+v", rows)
	}
}

func TestInvoiceStatus(t *testing.T) {
	b := newBooks(t)
	for _, id := range []string{"OPEN", "LATE", "PART", "PAID", "VOID", "GONE", "DISP"} {
		due := "2026-06-30"
		if id == "LATE" {
			due = "2026-01-31"
		}
		b.do(issue(id, "2026-01-10", due, 1000))
	}
	start := b.head()
	b.do(pay("P1", "2026-02-01", 400, to("PART", 400)), pay("P2", "2026-02-01", 1000, to("PAID", 1000)),
		account.VoidInvoice{Key: jpy, Invoice: "VOID", VoidOn: day("2026-02-01"), Reason: "twice"},
		account.WriteOff{Key: jpy, WriteOff: "W1", Invoice: "GONE", WriteOffOn: day("2026-02-01"), Amount: yen(1000), Reason: "bankrupt", Approver: "CFO"},
		account.OpenDispute{Key: jpy, Dispute: "D1", Invoice: "DISP", OpenedOn: day("2026-02-01"), Reason: account.WrongPrice})
	find := func(asOf string, change func(*InvoicesQuery)) string {
		t.Helper()
		q := InvoicesQuery{Seller: "S1", AsOf: day(asOf)}
		change(&q)
		report, err := b.views.Invoices(background, q)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, row := range report.Rows {
			list = append(list, string(row.Invoice)+"="+string(row.Status))
		}
		return strings.Join(list, " ")
	}
	all := "DISP=disputed GONE=written_off LATE=overdue OPEN=open PAID=paid PART=partly_paid VOID=void"
	early := "DISP=open GONE=open LATE=open OPEN=open PAID=open PART=open VOID=open"
	amount := func(n int64) *int64 { return &n }
	for _, c := range []struct {
		asOf   string
		change func(*InvoicesQuery)
		want   string
	}{
		{"2026-02-01", func(*InvoicesQuery) {}, all},
		{"2026-01-31", func(*InvoicesQuery) {}, early},
		{"2026-01-09", func(*InvoicesQuery) {}, ""},
		{"2026-01-31", func(q *InvoicesQuery) { q.KnownAt = known(start) }, early},
		{"2026-02-01", func(q *InvoicesQuery) { q.Status = StatusOpen }, "DISP=disputed LATE=overdue OPEN=open PART=partly_paid"},
		{"2026-02-01", func(q *InvoicesQuery) { q.Status = StatusOverdue }, "LATE=overdue"},
		{"2026-02-01", func(q *InvoicesQuery) { q.Status = StatusPaid }, "PAID=paid"},
		{"2026-02-01", func(q *InvoicesQuery) { q.Status = StatusVoid }, "VOID=void"},
		{"2026-02-01", func(q *InvoicesQuery) { q.Status = StatusWrittenOff }, "GONE=written_off"},
		{"2026-02-01", func(q *InvoicesQuery) { q.Status = StatusDisputed }, "DISP=disputed"},
		{"2026-02-01", func(q *InvoicesQuery) { q.Status = StatusPartlyPaid }, "PART=partly_paid"},
		{"2026-02-01", func(q *InvoicesQuery) { q.Number = "PAID" }, "PAID=paid"},
		{"2026-02-01", func(q *InvoicesQuery) { q.NumberPrefix = "PA" }, "PAID=paid PART=partly_paid"},
		{"2026-02-01", func(q *InvoicesQuery) { q.NumberPrefix, q.Status = "PA", StatusOpen }, "PART=partly_paid"},
		{"2026-02-01", func(q *InvoicesQuery) { q.DueTo = day("2026-02-28") }, "LATE=overdue"},
		{"2026-02-01", func(q *InvoicesQuery) { q.DueFrom, q.Number = day("2026-06-30"), "OPEN" }, "OPEN=open"},
		{"2026-02-01", func(q *InvoicesQuery) { q.IssuedFrom = day("2026-01-11") }, ""},
		{"2026-02-01", func(q *InvoicesQuery) { q.IssuedTo = day("2026-01-09") }, ""},
		{"2026-02-01", func(q *InvoicesQuery) { q.AmountFrom = amount(1001) }, ""},
		{"2026-02-01", func(q *InvoicesQuery) { q.AmountUpTo = amount(999) }, ""},
		{"2026-02-01", func(q *InvoicesQuery) { q.Currency = "USD" }, ""},
		{"2026-02-01", func(q *InvoicesQuery) { q.Customer = "C1" }, all},
	} {
		if got := find(c.asOf, c.change); got != c.want {
			t.Errorf("as of %s: %s, want %s", c.asOf, got, c.want)
		}
	}
}

func TestInvoicePages(t *testing.T) {
	b := newBooks(t)
	var want []domain.InvoiceID
	for n := range 25 {
		k := jpy
		k.Customer = domain.CustomerID(fmt.Sprintf("C%d", n%3+1))
		c := issue(fmt.Sprintf("I%02d", n), "2026-01-10", "2026-02-10", 100)
		c.Key, c.IssuedOn = k, c.IssuedOn.AddDays(-n/10)
		b.do(c)
	}
	whole, err := b.views.Invoices(background, InvoicesQuery{Seller: "S1", AsOf: day("2026-02-01")})
	if err != nil || len(whole.Rows) != 25 || whole.Next != "" || !slices.IsSortedFunc(whole.Rows, byHandOrder) {
		t.Fatal(err, whole)
	}
	for _, row := range whole.Rows {
		want = append(want, row.Invoice)
	}
	for _, limit := range []int{1, 4, 24, 25} {
		var got []domain.InvoiceID
		for q := (InvoicesQuery{Seller: "S1", AsOf: day("2026-02-01"), Limit: limit}); ; {
			page, err := b.views.Invoices(background, q)
			if err != nil || len(page.Rows) > limit {
				t.Fatal(err, page)
			}
			for _, row := range page.Rows {
				got = append(got, row.Invoice)
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("pages of %d: %v, want %v", limit, got, want)
		}
	}
	for _, c := range []struct {
		q    InvoicesQuery
		want *domain.Error
	}{
		{InvoicesQuery{Limit: -1}, ErrBadLimit},
		{InvoicesQuery{Limit: LimitMax + 1}, ErrBadLimit},
		{InvoicesQuery{After: "nonsense"}, ErrBadCursor},
		{InvoicesQuery{Status: "x"}, domain.ErrUnknown},
	} {
		c.q.Seller, c.q.AsOf = "S1", day("2026-02-01")
		if _, err := b.views.Invoices(background, c.q); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c.q, err)
		}
	}
}

func TestParties(t *testing.T) {
	b := newBooks(t)
	b.register()
	sellers, err := b.views.Sellers(background)
	if err != nil || len(sellers) != 1 || !reflect.DeepEqual(sellers[0], Seller{Seller: "S1", Name: "緑商事", NameEn: "Midori", BaseCurrency: "JPY", TimeZone: "Asia/Tokyo", Language: "ja"}) {
		t.Errorf("%+v, %v", sellers, err)
	}
	list, _, err := b.views.Customers(background, "S1", KnownAt{})
	if err != nil || len(list) != 2 || !reflect.DeepEqual(list[1], Customer{Customer: "C2", Name: "Customer C2", Country: "JP", Active: true}) {
		t.Errorf("%+v, %v", list, err)
	}
	payees := []seller.Payee{{Currency: "USD", Lines: []string{"Example Bank", "緑商事"}}}
	terms := domain.SortLateTerms([]domain.LateTerms{{From: day("2026-04-01"), Rate: 14_60}, {From: day("2027-04-01"), Statutory: true}})
	b.write(seller.Stream("S1"), seller.PayeesSet{Seller: "S1", Payees: payees, Reason: "x"})
	b.write(seller.Stream("S1"), seller.LateTermsSet{Seller: "S1", Terms: terms, Reason: "x"})
	b.write("customer-S1.C2", customer.LateTermsAgreed{Key: customer.Key{Seller: "S1", Customer: "C2"}, Terms: terms[:1], Reason: "x"})
	one, err := b.views.Seller(background, "S1", KnownAt{})
	if err != nil || !reflect.DeepEqual(one.Payees, payees) || !reflect.DeepEqual(one.LateTerms, terms) {
		t.Errorf("%+v, %v", one, err)
	}
	if c, _, err := b.views.Customer(background, "S1", "C2", KnownAt{}); err != nil || !reflect.DeepEqual(c.LateTerms, terms[:1]) {
		t.Errorf("%+v, %v", c, err)
	}
	b.write(seller.Stream("S1"), seller.PayeesSet{Seller: "S1", Reason: "none"})
	if one, err := b.views.Seller(background, "S1", KnownAt{}); err != nil || one.Payees != nil || one.LateTerms == nil {
		t.Errorf("%+v, %v", one, err)
	}
	b.do(issue("I1", "2026-01-10", "2026-02-10", 1))
	if row := b.aging("2026-01-10")[0]; row.Name != "Customer C1" {
		t.Errorf("%+v", row)
	}
}

// A table may have further orders; they are there after the first fold and after a rebuild.
func TestIndexes(t *testing.T) {
	b := newBooks(t)
	b.views.Close()
	table := &Table{Name: "byday_documents", Key: []Column{{Name: "position"}}, Columns: []Column{{Name: "on_day"}}, Indexes: []Index{{Columns: []string{"on_day", "position"}}}}
	model := Model{
		Name: "byday", Version: 1, Kinds: []string{account.InvoiceIssued{}.Kind()}, Tables: []*Table{table},
		Fold: func(w *Writer, e domain.Event, r eventstore.Recorded) {
			w.Row(table, Int(r.Position)).Put(0, e.(account.Event).On().DayNumber())
		},
	}
	v, err := openModels(b.dir, b.store, testCodec(), append(slices.Clone(All), model))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	b.do(issue("I1", "2026-01-10", "2026-02-10", 1), issue("I2", "2026-01-11", "2026-02-10", 1))
	for range 2 {
		if err := v.Rebuild(background, nil); err != nil {
			t.Fatal(err)
		}
		err := v.look(background, func(r *reader) error {
			n, found, err := r.ask("SELECT count(*) FROM byday_documents INDEXED BY byday_documents_by_on_day_position WHERE on_day > 0")
			if !found || n != 2 {
				t.Errorf("%d rows", n)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
