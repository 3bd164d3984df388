package projections

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// Sort is by what invoices are sorted; with a hyphen before it the greatest come first. Rows that tie are in the order
// of SortIssuedOn. Amounts are compared within a currency; currencies are in order.
type Sort string

const (
	SortIssuedOn    Sort = "issued_on" // issue date, customer, currency, id: the default
	SortDueOn       Sort = "due_on"
	SortTotal       Sort = "total"
	SortOpen        Sort = "open"
	SortDaysOverdue Sort = "days_overdue"
	SortCustomer    Sort = "customer"
	SortNumber      Sort = "number"
)

// Sorts is every Sort, without hyphen.
var Sorts = []Sort{SortIssuedOn, SortDueOn, SortTotal, SortOpen, SortDaysOverdue, SortCustomer, SortNumber}

// order is a Sort taken apart.
type order struct {
	by         Sort
	descending bool
}

func (s Sort) order() order {
	by, descending := strings.CutPrefix(string(s), "-")
	return order{Sort(by), descending}
}

func (s *Sort) settle() error {
	*s = cmp.Or(*s, SortIssuedOn)
	if slices.Contains(Sorts, s.order().by) {
		return nil
	}
	names := make([]string, len(Sorts))
	for i, name := range Sorts {
		names[i] = string(name)
	}
	return domain.ErrUnknown.With("%q, want one of %s, perhaps with - before it", string(*s), strings.Join(names, ", "))
}

// compare never ties but for the same invoice.
func (o order) compare(a, b *InvoiceRow) int {
	c := o.key(a, b)
	if o.descending {
		c = -c
	}
	if o.by == SortTotal || o.by == SortOpen {
		c = cmp.Or(cmp.Compare(a.Currency, b.Currency), c)
	}
	if c != 0 {
		return c
	}
	return cmp.Or(a.IssuedOn.Compare(b.IssuedOn), cmp.Compare(a.Customer, b.Customer), cmp.Compare(a.Currency, b.Currency),
		cmp.Compare(a.Invoice, b.Invoice))
}

func (o order) key(a, b *InvoiceRow) int {
	switch o.by {
	case SortDueOn:
		return a.DueOn.Compare(b.DueOn)
	case SortTotal:
		return cmp.Compare(a.Total.Minor(), b.Total.Minor())
	case SortOpen:
		return cmp.Compare(a.Open.Minor(), b.Open.Minor())
	case SortDaysOverdue:
		return cmp.Compare(a.DaysOverdue, b.DaysOverdue)
	case SortCustomer:
		return cmp.Compare(a.Customer, b.Customer)
	case SortNumber:
		return cmp.Compare(a.Number, b.Number)
	}
	return a.IssuedOn.Compare(b.IssuedOn)
}

// place is what a cursor holds: the moment of the first page, and the last row in the order.
type place struct {
	Known    eventstore.Position `json:"k"`
	AsOf     int64               `json:"d"`
	Issued   int64               `json:"i"`
	Due      int64               `json:"u"`
	Customer domain.CustomerID   `json:"c"`
	Currency domain.Currency     `json:"y"`
	Invoice  domain.InvoiceID    `json:"v"`
	Number   string              `json:"n,omitempty"`
	Total    int64               `json:"t"`
	Open     int64               `json:"o"`
	Overdue  int                 `json:"a,omitempty"`
}

// cursor is the place after a row, sealed together with the filters and the sort.
func (q *InvoicesQuery) cursor(at moment, row *InvoiceRow) string {
	data, _ := json.Marshal(place{
		eventstore.Position(at.position), at.day, row.IssuedOn.DayNumber(), row.DueOn.DayNumber(), row.Customer, row.Currency, row.Invoice,
		row.Number, row.Total.Minor(), row.Open.Minor(), row.DaysOverdue,
	})
	return base64.RawURLEncoding.EncodeToString(append(q.seal(data), data...))
}

const sealSize = 8

// seal tells a cursor of this question from that of another one, and from one that was spoiled on its way. It keeps no
// secret: who makes a cursor of his own sees no more than by asking.
func (q *InvoicesQuery) seal(place []byte) []byte {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q %q %q %q %s %s %s %s %s %s ", q.Seller, q.Customer, q.Number, q.NumberPrefix, q.Status, q.Currency, q.Sort,
		q.IssuedFrom, q.IssuedTo, q.DueFrom, q.DueTo, bound(q.AmountFrom), bound(q.AmountUpTo))
	h.Write(place)
	return h.Sum(nil)[:sealSize]
}

func bound(minor *int64) string {
	if minor == nil {
		return "-"
	}
	return fmt.Sprint(*minor)
}

// goOn reads q.After and takes over the moment of the first page. The row is nil without a cursor.
// Refuses views.bad_cursor.
func (q *InvoicesQuery) goOn() (after *InvoiceRow, err error) {
	if q.After == "" {
		return nil, nil
	}
	bad := ErrBadCursor.At("/after")
	data, err := base64.RawURLEncoding.DecodeString(q.After)
	if err != nil || len(data) < sealSize || base64.RawURLEncoding.EncodeToString(data) != q.After {
		return nil, bad
	}
	var p place
	if seal := data[:sealSize]; !bytes.Equal(seal, q.seal(data[sealSize:])) || json.Unmarshal(data[sealSize:], &p) != nil {
		return nil, bad
	}
	day := domain.DateFromDayNumber(p.AsOf)
	if !q.AsOf.IsZero() && q.AsOf != day || q.KnownAt.Position != 0 && q.KnownAt.Position != p.Known {
		return nil, bad
	}
	q.AsOf, q.KnownAt = day, KnownAt{Position: p.Known}
	return &InvoiceRow{
		Customer: p.Customer, Currency: p.Currency, Invoice: p.Invoice, Number: p.Number, DaysOverdue: p.Overdue,
		IssuedOn: domain.DateFromDayNumber(p.Issued), DueOn: domain.DateFromDayNumber(p.Due),
		Total: domain.NewMoney(p.Total, p.Currency), Open: domain.NewMoney(p.Open, p.Currency),
	}, nil
}
