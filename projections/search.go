package projections

import (
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// search goes through a seller's invoices page by page, all at one moment.
type search struct {
	v       *Views
	q       InvoicesQuery
	at      moment
	order   order
	after   *InvoiceRow // nil: from the first
	holders []holder    // by customer and currency
	byID    map[int64]holder

	mu   sync.Mutex
	kept first[InvoiceRow]
}

func (v *Views) search(ctx context.Context, q InvoicesQuery) (*search, error) {
	if err := q.settle(); err != nil {
		return nil, err
	}
	after, err := q.goOn()
	if err != nil {
		return nil, err
	}
	at, err := v.moment(ctx, q.AsOf, q.KnownAt)
	return &search{v: v, q: q, at: at, order: q.Sort.order(), after: after}, err
}

// page finds the first rows after s.after, at most as many as said.
func (s *search) page(ctx context.Context, most int) ([]InvoiceRow, error) {
	if _, err := s.v.Wait(ctx, eventstore.Position(s.at.position)); err != nil { // the file may have been made anew
		return nil, err
	}
	s.kept = first[InvoiceRow]{most: most, compare: s.order.compare}
	err := s.v.survey(ctx, func(r *reader) error {
		if err := s.know(r); err != nil {
			return err
		}
		if s.order.by == SortCustomer {
			return s.walk(r)
		}
		return s.v.sweep(ctx, r, spans(s.holders, s.q.Customer), s.read)
	})
	return s.kept.sorted(), err
}

// know reads whose accounts there are, once for all pages.
func (s *search) know(r *reader) (err error) {
	if s.byID != nil {
		return nil
	}
	if s.holders, err = r.holders(s.q.Seller, s.q.Customer, s.at.position); err != nil {
		return err
	}
	s.byID = make(map[int64]holder, len(s.holders))
	for _, h := range s.holders {
		s.byID[h.id] = h
	}
	return nil
}

// walk reads customer after customer until the page is full.
func (s *search) walk(r *reader) error {
	for accounts := range s.customers() {
		for _, h := range accounts {
			if err := s.read(r, span{h.id, h.id + 1}); err != nil {
				return err
			}
		}
		if len(s.kept.rows) >= s.kept.most {
			return nil
		}
	}
	return nil
}

// customers yields the accounts of each customer, from that of s.after on, in the order that is asked for.
func (s *search) customers() iter.Seq[[]holder] {
	return func(yield func([]holder) bool) {
		groups := byCustomer(s.holders)
		if s.order.descending {
			slices.Reverse(groups)
		}
		for _, accounts := range groups {
			if s.after != nil && s.isBefore(accounts[0].customer) {
				continue
			}
			if !yield(accounts) {
				return
			}
		}
	}
}

// isBefore tells that a customer's rows stood on pages before.
func (s *search) isBefore(c domain.CustomerID) bool {
	if s.order.descending {
		return c > s.after.Customer
	}
	return c < s.after.Customer
}

// byCustomer cuts a list at each new customer.
func byCustomer(list []holder) (groups [][]holder) {
	from := 0
	for i := range list {
		if i+1 == len(list) || list[i+1].customer != list[i].customer {
			groups, from = append(groups, list[from:i+1]), i+1
		}
	}
	return groups
}

func (s *search) read(r *reader, part span) error {
	kept := first[InvoiceRow]{most: s.kept.most, compare: s.kept.compare}
	sheet := sheet{r: r, at: s.at}
	where, args := s.q.where(s.at)
	err := sheet.documents(part.from, part.to, ", total_minor, late_charge, voided, written_off_minor, number, reference", where, args, func(d *document) error {
		row := s.begin(d)
		if s.q.Currency != "" && row.Currency != s.q.Currency {
			return nil
		}
		if s.after != nil && s.order.compare(&row, s.after) <= 0 || !kept.wants(&row) {
			return nil
		}
		if err := s.fill(&row, &sheet, d); err != nil || !s.matches(row) {
			return err
		}
		kept.add(row)
		return nil
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept.add(kept.rows...)
	return err
}

// begin is as much of a row as its place in the order needs.
func (s *search) begin(d *document) InvoiceRow {
	h := s.byID[d.account]
	row := InvoiceRow{
		Customer: h.customer, Name: h.name, Currency: h.currency, Invoice: domain.InvoiceID(d.id),
		IssuedOn: domain.DateFromDayNumber(d.issuedOn), DueOn: domain.DateFromDayNumber(d.dueOn),
		Total: domain.NewMoney(d.row.int(detail), h.currency), Open: domain.NewMoney(d.open, h.currency),
	}
	if d.open > 0 {
		row.DaysOverdue = max(0, s.q.AsOf.DaysSince(row.DueOn))
	}
	if s.order.by == SortNumber {
		row.Number = d.row.text(detail + 4)
	}
	return row
}

// fill says how the invoice stood at the moment.
func (s *search) fill(row *InvoiceRow, sheet *sheet, d *document) (err error) {
	state := invoiceState{total: d.row.int(detail), open: d.open, voided: d.row.int(detail + 2), writtenOff: d.row.int(detail + 3)}
	if d.late && state.voided+state.writtenOff > 0 {
		if err := sheet.takeBack(d, &state); err != nil {
			return err
		}
	}
	state.disputed, err = sheet.disputed(d)
	row.Class, row.Number, row.Reference = classOf(d.class, d.row.int(detail+1) != 0), d.row.text(detail+4), d.row.text(detail+5)
	row.stand(s.q.AsOf, state)
	return err
}

// takeBack undoes voids and write-offs that came after the moment.
func (s *sheet) takeBack(d *document, state *invoiceState) error {
	return s.r.each("SELECT kind, sum(minor), count(*) FROM items_moves WHERE account = ? AND class = ? AND doc = ?"+
		" AND (on_day > ? OR position > ?) GROUP BY kind",
		[]Value{Int(d.account), Int(d.class), Str(string(d.id)), Int(s.at.day), Int(s.at.position)}, func(c *cursor) error {
			switch c.int(0) {
			case moveVoided:
				state.voided -= c.int(2)
			case moveWrittenOff:
				state.writtenOff += c.int(1)
			}
			return nil
		})
}

func (s *search) matches(row InvoiceRow) bool {
	if !s.q.DueFrom.IsZero() && row.DueOn.Before(s.q.DueFrom) || !s.q.DueTo.IsZero() && row.DueOn.After(s.q.DueTo) {
		return false
	}
	switch s.q.Status {
	case "":
		return true
	case StatusOpen:
		return !row.Open.IsZero()
	case StatusOverdue:
		return row.DaysOverdue > 0
	case StatusDisputed:
		return !row.Disputed.IsZero()
	case StatusPartlyPaid:
		return !row.Open.IsZero() && row.Open != row.Total
	}
	return row.Status == s.q.Status
}
