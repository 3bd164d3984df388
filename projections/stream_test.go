package projections

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/urikake/urikake/domain"
)

// byHandOrder is the default order.
func byHandOrder(a, b InvoiceRow) int {
	return cmp.Or(cmp.Compare(a.IssuedOn.String(), b.IssuedOn.String()), cmp.Compare(a.Customer, b.Customer),
		cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Invoice, b.Invoice))
}

// sortedByHand is rows in another order.
func sortedByHand(rows []InvoiceRow, by Sort) []InvoiceRow {
	key := func(r InvoiceRow) string { // compares as text
		switch by.order().by {
		case SortDueOn:
			return r.DueOn.String()
		case SortTotal:
			return fmt.Sprintf("%015d", r.Total.Minor())
		case SortOpen:
			return fmt.Sprintf("%015d", r.Open.Minor())
		case SortDaysOverdue:
			return fmt.Sprintf("%06d", r.DaysOverdue)
		case SortCustomer:
			return string(r.Customer)
		case SortNumber:
			return r.Number
		}
		return r.IssuedOn.String()
	}
	rows = slices.Clone(rows)
	slices.SortFunc(rows, byHandOrder)
	slices.SortStableFunc(rows, func(a, b InvoiceRow) int {
		c := cmp.Compare(key(a), key(b))
		if by[0] == '-' {
			c = -c
		}
		if by.order().by == SortTotal || by.order().by == SortOpen {
			c = cmp.Or(cmp.Compare(a.Currency, b.Currency), c)
		}
		return c
	})
	return rows
}

func anySort() *rapid.Generator[Sort] {
	return rapid.Custom(func(t *rapid.T) Sort {
		return Sort(rapid.SampledFrom([]string{"", "-"}).Draw(t, "descending")) + rapid.SampledFrom(Sorts).Draw(t, "sort")
	})
}

// In every order, paged or streamed, while commands come in between, all rows of the first page's moment come once.
func TestPagesAndStreamsWhileWriting(t *testing.T) {
	checkBooks(t, func(rt *rapid.T) {
		b := newBooks(t)
		defer os.RemoveAll(b.dir)
		defer func() { b.views.Close() }()
		b.register()
		written := 0
		write := func(most int) {
			for range rapid.IntRange(0, most).Draw(rt, "commands") {
				_ = b.try(anyCommand(written).Draw(rt, "command"))
				written++
			}
		}
		write(60)
		asOf := anyDay().Draw(rt, "as of")
		q := InvoicesQuery{Seller: "S1", AsOf: asOf, Sort: anySort().Draw(rt, "sort"), Limit: rapid.IntRange(1, 5).Draw(rt, "limit")}
		q.Status = rapid.SampledFrom([]InvoiceStatus{"", "", StatusOpen, StatusOverdue}).Draw(rt, "status")
		q.Customer = rapid.SampledFrom([]domain.CustomerID{"", "", "C1"}).Draw(rt, "customer")
		whole := q
		whole.Sort, whole.Limit = "", LimitMax
		all, err := b.views.Invoices(background, whole)
		if err != nil || all.Next != "" {
			rt.Fatal(err)
		}
		want := sortedByHand(all.Rows, q.Sort)
		var got []InvoiceRow
		for page := q; ; {
			r, err := b.views.Invoices(background, page)
			if err != nil || r.KnownAt != all.KnownAt || r.AsOf != asOf {
				rt.Fatal(err, r.KnownAt, all.KnownAt)
			}
			got = append(got, r.Rows...)
			if page.After = r.Next; r.Next == "" {
				break
			}
			page.Limit = rapid.IntRange(1, 5).Draw(rt, "next limit")
			if rapid.Bool().Draw(rt, "cursor tells the day") {
				page.AsOf = domain.Date{}
			}
			write(4)
		}
		if !slices.Equal(got, want) {
			rt.Fatalf("paged by %s: %+v, want %+v", q.Sort, got, want)
		}
		b.views.pageRows = q.Limit
		q.KnownAt = KnownAt{Position: all.KnownAt}
		got = nil
		at, err := b.views.EachInvoice(background, q, func(row InvoiceRow) error {
			got = append(got, row)
			write(1)
			return nil
		})
		if err != nil || at != all.KnownAt || !slices.Equal(got, want) {
			rt.Fatalf("streamed by %s: %v, %+v, want %+v", q.Sort, err, got, want)
		}
		b.compareAged(rt, q, write)
	})
}

// compareAged streams an aging per invoice and compares it with the report.
func (b *books) compareAged(t *rapid.T, like InvoicesQuery, write func(int)) {
	q := AgingQuery{Seller: like.Seller, Customer: like.Customer, AsOf: like.AsOf, KnownAt: like.KnownAt, GroupBy: PerInvoice}
	want, err := b.views.Aging(background, q)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	report, err := b.views.EachAged(background, q, func(row AgingRow) error {
		got = append(got, fmt.Sprint(row))
		write(1)
		return nil
	})
	if err != nil || report.Invoices != want.Invoices || report.KnownAt != want.KnownAt || !slices.Equal(report.Columns, BucketNames(nil)) {
		t.Fatalf("%v, %+v, want %+v", err, report, want)
	}
	for i, row := range want.Rows {
		if len(got) != len(want.Rows) || got[i] != fmt.Sprint(row) {
			t.Fatalf("%v, want %+v", got, want.Rows)
		}
	}
}

func TestStreamsEndWithTheErrorOfTheirReader(t *testing.T) {
	b := newBooks(t)
	b.register()
	b.do(issue("I1", "2026-01-10", "2026-02-10", 100), issue("I2", "2026-01-10", "2026-02-10", 100))
	gone, rows := errors.New("gone"), 0
	if _, err := b.views.EachInvoice(background, InvoicesQuery{Seller: "S1", AsOf: day("2026-02-01")}, func(InvoiceRow) error {
		rows++
		return gone
	}); !errors.Is(err, gone) {
		t.Error(err)
	}
	if _, err := b.views.EachAged(background, AgingQuery{Seller: "S1", AsOf: day("2026-02-01")}, func(AgingRow) error {
		rows++
		return gone
	}); !errors.Is(err, gone) || rows != 2 {
		t.Error(err, rows)
	}
	if _, err := b.views.EachInvoice(background, InvoicesQuery{Seller: "S9", AsOf: day("2026-02-01")}, nil); !errors.Is(err, ErrUnknownSeller) {
		t.Error(err)
	}
}

// cursorBooks has three invoices, and the cursor after the first.
func cursorBooks(t testing.TB) (*books, InvoicesQuery, string) {
	b := newBooks(t)
	b.register()
	for _, id := range []string{"I1", "I2", "I3"} {
		c := issue(id, "2026-01-10", "2026-02-10", 100)
		if err := b.try(c); err != nil {
			t.Fatal(err)
		}
	}
	q := InvoicesQuery{Seller: "S1", AsOf: day("2026-02-01"), Limit: 1}
	page, err := b.views.Invoices(background, q)
	if err != nil || page.Next == "" {
		t.Fatal(err)
	}
	return b, q, page.Next
}

func TestCursorBelongsToItsQuestion(t *testing.T) {
	b, q, next := cursorBooks(t)
	n := int64(1)
	for name, change := range map[string]func(*InvoicesQuery){
		"seller":   func(q *InvoicesQuery) { q.Seller = "S2" },
		"customer": func(q *InvoicesQuery) { q.Customer = "C1" },
		"status":   func(q *InvoicesQuery) { q.Status = StatusOpen },
		"currency": func(q *InvoicesQuery) { q.Currency = "JPY" },
		"number":   func(q *InvoicesQuery) { q.Number = "I1" },
		"prefix":   func(q *InvoicesQuery) { q.NumberPrefix = "I" },
		"sort":     func(q *InvoicesQuery) { q.Sort = SortDueOn },
		"reversed": func(q *InvoicesQuery) { q.Sort = "-issued_on" },
		"from":     func(q *InvoicesQuery) { q.IssuedFrom = day("2026-01-01") },
		"to":       func(q *InvoicesQuery) { q.IssuedTo = day("2026-01-31") },
		"due":      func(q *InvoicesQuery) { q.DueFrom = day("2026-01-01") },
		"due to":   func(q *InvoicesQuery) { q.DueTo = day("2026-03-01") },
		"amount":   func(q *InvoicesQuery) { q.AmountFrom = &n },
		"up to":    func(q *InvoicesQuery) { q.AmountUpTo = &n },
		"as of":    func(q *InvoicesQuery) { q.AsOf = day("2026-02-02") },
		"known at": func(q *InvoicesQuery) { q.KnownAt.Position = 1 },
	} {
		other := q
		other.After = next
		change(&other)
		if _, err := b.views.Invoices(background, other); !errors.Is(err, ErrBadCursor) {
			t.Errorf("%s: %v", name, err)
		}
	}
	q.After, q.Limit = next, 7 // another limit is no other question
	if page, err := b.views.Invoices(background, q); err != nil || len(page.Rows) != 2 || page.Rows[0].Invoice != "I2" {
		t.Error(page, err)
	}
	if _, err := b.views.Invoices(background, InvoicesQuery{Seller: "S1", AsOf: q.AsOf, Sort: "-"}); !errors.Is(err, domain.ErrUnknown) {
		t.Error(err)
	}
}

// Whatever is put in a cursor's place is refused or, where it was sealed, answered.
func FuzzCursor(f *testing.F) {
	b, q, next := cursorBooks(f)
	f.Add(next)
	f.Add("")
	f.Add(next[:len(next)-1])
	f.Add(next + "\n")
	for _, data := range []string{"{}", "[]", "null", `{"k":18446744073709551615,"d":-9223372036854775808}`, `{"k":1,"y":"???","t":-1}`} {
		settled := q
		settled.Sort = SortIssuedOn
		f.Add(base64.RawURLEncoding.EncodeToString(append(settled.seal([]byte(data)), data...)))
	}
	f.Fuzz(func(t *testing.T, after string) {
		q := q
		q.After = after
		_, err := b.views.Invoices(background, q)
		sealed := q
		sealed.Sort = SortIssuedOn
		data, _ := base64.RawURLEncoding.DecodeString(after)
		genuine := after == "" || len(data) >= sealSize && string(sealed.seal(data[sealSize:])) == string(data[:sealSize])
		if !errors.Is(err, ErrBadCursor) && !genuine {
			t.Errorf("%q: %v", after, err)
		}
		if after == next && err != nil {
			t.Error(err)
		}
	})
}
