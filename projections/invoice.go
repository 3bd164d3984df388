package projections

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
)

var (
	ErrUnknownInvoice = &domain.Error{
		Code: domain.NotFound, Rule: "views.unknown_invoice",
		Text: "the seller had issued no such invoice or late charge",
	}
	ErrAmbiguousInvoice = &domain.Error{
		Code: domain.Conflict, Rule: "views.ambiguous_invoice",
		Text: "several accounts have an invoice of that id; name the customer, and the currency",
	}
)

// InvoiceQuery asks how one invoice or late charge stood. Ids are unique in an account: Customer and Currency, which
// may be left out, narrow them down.
type InvoiceQuery struct {
	Seller   domain.SellerID
	Invoice  domain.InvoiceID
	Customer domain.CustomerID
	Currency domain.Currency
	AsOf     domain.Date
	KnownAt  KnownAt
}

// InvoiceReport is the answer. All lists are by day, and on one day in the log's order.
type InvoiceReport struct {
	AsOf    domain.Date
	KnownAt eventstore.Position
	InvoiceRow
	Settlements []Settlement
	DueDates    []DueDate // changes; the last one holds
	Disputes    []DisputeMove
	Standing    // of its account
}

// Settlement is one change of what is open of an invoice after its issue.
type Settlement struct {
	On       domain.Date
	Position eventstore.Position
	Kind     string       // the event's wire name, such as account.payment_applied
	Class    Class        // of what moved it
	Document string       // its id; empty where it has none of its own
	Amount   domain.Money // added to what is open: below zero when it settles, above when that is taken back
	Open     domain.Money // after it
}

// DueDate is one change of a due date.
type DueDate struct {
	On       domain.Date // from which it holds
	Position eventstore.Position
	DueOn    domain.Date
}

// DisputeMove is a dispute opened or resolved.
type DisputeMove struct {
	On       domain.Date
	Position eventstore.Position
	Kind     string // the event's wire name
	Dispute  domain.DisputeID
	Amount   domain.Money // in dispute from then on, or no longer
}

// What moves an invoice without being a document of the account's balance.
const (
	WrittenOff Class = "write_off"
	Difference Class = "difference" // a bank fee or a rounding error
	Voided     Class = "void"
	Waived     Class = "waiver"
)

// Invoice reports one invoice or late charge as of q.AsOf, as known at q.KnownAt, with everything that moved it until
// then. O(log n) and its movements. Refuses input.missing, views.unknown_invoice, views.ambiguous_invoice,
// views.beyond_log, views.unknown_seller, views.unknown_customer, and what CatchUp refuses.
func (v *Views) Invoice(ctx context.Context, q InvoiceQuery) (InvoiceReport, error) {
	at, err := v.moment(ctx, q.AsOf, q.KnownAt)
	if err != nil {
		return InvoiceReport{}, err
	}
	report := InvoiceReport{AsOf: q.AsOf}
	err = v.look(ctx, func(r *reader) error {
		if at, err = r.newest(at, q.KnownAt); err != nil {
			return err
		}
		one, err := r.oneInvoice(q, at)
		if err != nil {
			return err
		}
		return r.report(&report, one, at)
	})
	report.KnownAt = eventstore.Position(at.position)
	return report, err
}

// foundInvoice is an invoice as its row in the tables says.
type foundInvoice struct {
	InvoiceRow
	Standing
	account             int64
	issued              int64 // in minor units
	dueChanged, dispute bool
}

const foundMax = 10 // accounts that a refusal names

// oneInvoice finds the invoice that the question means.
func (r *reader) oneInvoice(q InvoiceQuery, at moment) (foundInvoice, error) {
	parts, err := r.invoiceSpans(q, at)
	var found []foundInvoice
	for _, part := range parts {
		if err == nil {
			found, err = r.findInvoices(found, q, at, part)
		}
	}
	switch {
	case err != nil:
		return foundInvoice{}, err
	case len(found) == 0:
		return foundInvoice{}, ErrUnknownInvoice.With("%q", string(q.Invoice)).At("/invoice")
	case len(found) > 1:
		return foundInvoice{}, ambiguous(q.Invoice, found)
	}
	return found[0], nil
}

func ambiguous(id domain.InvoiceID, found []foundInvoice) error {
	var owners []string
	for i, f := range found {
		if i == foundMax {
			owners = append(owners, "more")
			break
		}
		owners = append(owners, fmt.Sprintf("%s in %s", f.Customer, f.Currency))
	}
	return ErrAmbiguousInvoice.With("%q: %s", string(id), strings.Join(owners, ", ")).At("/invoice")
}

// invoiceSpans are the accounts in which the invoice may lie: all of the seller, or those of the customer.
// Refuses views.unknown_seller, views.unknown_customer.
func (r *reader) invoiceSpans(q InvoiceQuery, at moment) ([]span, error) {
	if q.Customer == "" {
		id, any, err := r.ask("SELECT id FROM items_accounts WHERE seller = ? AND first_position <= ? LIMIT 1", Str(q.Seller), Int(at.position))
		if first := id - id%sellerStep; any || err != nil {
			return []span{{first, first + sellerStep}}, err
		}
	}
	list, err := r.holders(q.Seller, q.Customer, at.position)
	return spans(list, q.Customer), err
}

const findInvoice = "SELECT d.account, a.customer, coalesce(c.name, ''), a.currency, h.version, h.period," +
	" d.issued_on, d.due_on, d.due_changes, d.disputes, d.total_minor, d.late_charge, d.number, d.reference, coalesce(c.position, 0)" +
	" FROM items_documents d JOIN items_accounts a ON a.id = d.account JOIN items_heads h ON h.account = d.account" +
	" LEFT JOIN parties_customers c ON c.seller = a.seller AND c.customer = a.customer" +
	" WHERE d.class = 1 AND d.doc = ? AND d.account >= ? AND d.account < ? AND d.issued_on <= ? AND d.first_position <= ?" +
	" AND (? = '' OR a.currency = ?) LIMIT 11"

func (r *reader) findInvoices(found []foundInvoice, q InvoiceQuery, at moment, s span) ([]foundInvoice, error) {
	args := []Value{Str(q.Invoice), Int(s.from), Int(s.to), Int(at.day), Int(at.position), Str(q.Currency), Str(q.Currency)}
	err := r.each(findInvoice, args, func(c *cursor) (err error) {
		name := c.text(2)
		if c.int(14) > at.position {
			name, err = r.name(q.Seller, domain.CustomerID(c.text(1)), at.position)
		}
		found = append(found, foundInvoice{
			account: c.int(0), issued: c.int(10), dueChanged: c.int(8) > 0, dispute: c.int(9) > 0,
			Standing: Standing{eventstore.Version(c.int(4)), c.text(5)},
			InvoiceRow: InvoiceRow{
				Customer: domain.CustomerID(c.text(1)), Name: name, Currency: domain.Currency(c.text(3)), Invoice: q.Invoice,
				IssuedOn: domain.DateFromDayNumber(c.int(6)), DueOn: domain.DateFromDayNumber(c.int(7)),
				Class: classOf(classItem, c.int(11) != 0), Number: c.text(12), Reference: c.text(13),
			},
		})
		return err
	})
	return found, err
}

// report reads what moved an invoice up to the moment.
func (r *reader) report(report *InvoiceReport, one foundInvoice, at moment) (err error) {
	report.InvoiceRow, report.Standing = one.InvoiceRow, one.Standing
	state := invoiceState{total: one.issued, open: one.issued}
	if report.Settlements, err = r.settlements(one, at, &state); err != nil {
		return err
	}
	if one.dueChanged {
		if report.DueDates, err = r.dueDates(one, at); err != nil {
			return err
		}
		if n := len(report.DueDates); n > 0 {
			report.DueOn = report.DueDates[n-1].DueOn
		}
	}
	if one.dispute {
		if report.Disputes, err = r.disputeMoves(one, at, &state); err != nil {
			return err
		}
	}
	report.stand(report.AsOf, state)
	return nil
}

func (r *reader) settlements(one foundInvoice, at moment, state *invoiceState) (list []Settlement, err error) {
	money := func(minor int64) domain.Money { return domain.NewMoney(minor, one.Currency) }
	err = r.each("SELECT on_day, position, minor, kind, source FROM items_moves"+
		" WHERE account = ? AND class = 1 AND doc = ? AND on_day <= ? AND position <= ?",
		[]Value{Int(one.account), Str(one.Invoice), Int(at.day), Int(at.position)}, func(c *cursor) error {
			minor, kind := c.int(2), c.int(3)
			state.moved(kind, minor)
			list = append(list, Settlement{
				On: domain.DateFromDayNumber(c.int(0)), Position: eventstore.Position(c.int(1)),
				Kind: moveKinds[kind], Class: settledBy(kind), Document: c.text(4), Amount: money(minor),
			})
			return nil
		})
	slices.SortStableFunc(list, func(a, b Settlement) int { return a.On.Compare(b.On) }) // they come by position
	open := one.issued
	for i := range list {
		open += list[i].Amount.Minor()
		list[i].Open = money(open)
	}
	return list, err
}

// settledBy is the class of what makes a move of an invoice.
func settledBy(kind int64) Class {
	switch kind {
	case moveWrittenOff:
		return WrittenOff
	case moveDifference:
		return Difference
	case moveVoided:
		return Voided
	case moveWaived:
		return Waived
	case moveCreditIssued, moveCreditApplied, moveCreditUnapplied:
		return CreditNote
	}
	return Payment
}

func (r *reader) dueDates(one foundInvoice, at moment) (list []DueDate, err error) {
	err = r.each("SELECT on_day, position, due_on FROM items_dues WHERE account = ? AND doc = ? AND on_day <= ? AND position <= ?"+
		" ORDER BY on_day, position",
		[]Value{Int(one.account), Str(one.Invoice), Int(at.day), Int(at.position)}, func(c *cursor) error {
			list = append(list, DueDate{
				On: domain.DateFromDayNumber(c.int(0)), Position: eventstore.Position(c.int(1)), DueOn: domain.DateFromDayNumber(c.int(2)),
			})
			return nil
		})
	return list, err
}

func (r *reader) disputeMoves(one foundInvoice, at moment, state *invoiceState) (list []DisputeMove, err error) {
	err = r.each("SELECT on_day, position, minor, dispute FROM items_disputes"+
		" WHERE account = ? AND doc = ? AND on_day <= ? AND position <= ?",
		[]Value{Int(one.account), Str(one.Invoice), Int(at.day), Int(at.position)}, func(c *cursor) error {
			minor, kind := c.int(2), account.DisputeOpened{}.Kind()
			state.disputed += minor
			if minor < 0 {
				minor, kind = -minor, account.DisputeResolved{}.Kind()
			}
			list = append(list, DisputeMove{
				On: domain.DateFromDayNumber(c.int(0)), Position: eventstore.Position(c.int(1)), Kind: kind,
				Dispute: domain.DisputeID(c.text(3)), Amount: domain.NewMoney(minor, one.Currency),
			})
			return nil
		})
	slices.SortStableFunc(list, func(a, b DisputeMove) int { return cmp.Or(a.On.Compare(b.On), cmp.Compare(a.Position, b.Position)) })
	return list, err
}

// invoiceState is what an invoice's status is made of, in minor units.
type invoiceState struct{ total, open, disputed, voided, writtenOff int64 }

// moved counts a move of the invoice.
func (s *invoiceState) moved(kind, minor int64) {
	s.open += minor
	switch kind {
	case moveVoided:
		s.voided++
	case moveWrittenOff:
		s.writtenOff -= minor
	}
}

// stand fills in amounts and status as of a day.
func (row *InvoiceRow) stand(asOf domain.Date, s invoiceState) {
	s.disputed = min(s.disputed, s.open)
	money := func(minor int64) domain.Money { return domain.NewMoney(minor, row.Currency) }
	row.Total, row.Open, row.Disputed = money(s.total), money(s.open), money(s.disputed)
	if s.open > 0 {
		row.DaysOverdue = max(0, asOf.DaysSince(row.DueOn))
	}
	switch {
	case s.voided > 0:
		row.Status = StatusVoid
	case s.open == 0 && s.writtenOff > 0:
		row.Status = StatusWrittenOff
	case s.open == 0:
		row.Status = StatusPaid
	case s.disputed > 0:
		row.Status = StatusDisputed
	case row.DaysOverdue > 0:
		row.Status = StatusOverdue
	case s.open < s.total:
		row.Status = StatusPartlyPaid
	default:
		row.Status = StatusOpen
	}
}
