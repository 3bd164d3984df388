package projections

import (
	"cmp"
	"context"
	"slices"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
)

// StatementQuery asks what moved a customer's balance in a span of days.
type StatementQuery struct {
	Seller   domain.SellerID
	Customer domain.CustomerID
	Currency domain.Currency // all of them when empty
	From, To domain.Date     // both included; from the first day when From is zero
	KnownAt  KnownAt
}

// StatementReport is the answer.
type StatementReport struct {
	From, To domain.Date
	KnownAt  eventstore.Position
	Accounts []Statement
}

// Statement is one account: its opening balance, what moved it, its closing balance.
type Statement struct {
	Customer domain.CustomerID
	Name     string
	Currency domain.Currency
	Opening  domain.Money // before From
	Lines    []StatementLine
	Closing  domain.Money // as of To: the total of Aging on that day
}

// StatementLine is one movement.
type StatementLine struct {
	On        domain.Date
	Position  eventstore.Position
	Kind      string // the event's wire name, such as account.payment_recorded
	Class     Class  // of the document that moved
	Document  string
	Number    string
	Reference string
	Amount    domain.Money // added to the balance
	Balance   domain.Money // after it
}

// ErrBadSpan refuses a span of days that ends before it begins.
var ErrBadSpan = &domain.Error{
	Code: domain.Invalid, Rule: "views.bad_span",
	Text: "the first day lies after the last",
}

// Statement lists a customer's accounts by currency with their movements by day, and on one day in the log's order.
// Applying money to invoices moves no balance and is not in it. O(movements of the customer).
// Refuses input.missing, views.bad_span, views.beyond_log, views.unknown_seller,
// views.unknown_customer, and what CatchUp refuses.
func (v *Views) Statement(ctx context.Context, q StatementQuery) (StatementReport, error) {
	if q.Customer == "" {
		return StatementReport{}, domain.ErrMissing.With("a statement is of one customer").At("/customer")
	}
	if q.From.After(q.To) && !q.To.IsZero() {
		return StatementReport{}, ErrBadSpan.With("from %s to %s", q.From, q.To).At("/from")
	}
	at, err := v.moment(ctx, q.To, q.KnownAt)
	if err != nil {
		return StatementReport{}, err
	}
	report := StatementReport{From: q.From, To: q.To, KnownAt: eventstore.Position(at.position)}
	err = v.look(ctx, func(r *reader) error {
		list, err := r.holders(q.Seller, q.Customer, at.position)
		for _, h := range list {
			if q.Currency != "" && q.Currency != h.currency {
				continue
			}
			lines, err := r.movements(h, at)
			if err != nil {
				return err
			}
			report.Accounts = append(report.Accounts, statement(h, lines, q.From))
		}
		return err
	})
	return report, err
}

func statement(h holder, lines []StatementLine, from domain.Date) Statement {
	slices.SortFunc(lines, func(a, b StatementLine) int {
		return cmp.Or(a.On.Compare(b.On), cmp.Compare(a.Position, b.Position))
	})
	s := Statement{Customer: h.customer, Name: h.name, Currency: h.currency, Lines: lines}
	var balance, opening int64
	before := 0
	for i := range lines {
		balance += lines[i].Amount.Minor()
		lines[i].Balance = domain.NewMoney(balance, h.currency)
		if lines[i].On.Before(from) {
			opening, before = balance, i+1
		}
	}
	s.Lines = lines[before:]
	s.Opening, s.Closing = domain.NewMoney(opening, h.currency), domain.NewMoney(balance, h.currency)
	return s
}

// movements lists what moved an account's balance up to a moment: documents by their issue, and moves with an effect.
func (r *reader) movements(h holder, at moment) (list []StatementLine, err error) {
	line := func(c *cursor, kind string, minor int64) StatementLine {
		return StatementLine{
			On: domain.DateFromDayNumber(c.int(0)), Position: eventstore.Position(c.int(1)), Kind: kind,
			Class: classOf(int(c.int(2)), c.int(3) != 0), Document: c.text(4), Number: c.text(5), Reference: c.text(6),
			Amount: domain.NewMoney(minor, h.currency),
		}
	}
	args := []Value{Int(h.id), Int(at.day), Int(at.position)}
	err = r.each("SELECT issued_on, first_position, class, late_charge, doc, number, reference, total_minor"+
		" FROM items_documents WHERE account = ? AND issued_on <= ? AND first_position <= ? AND total_minor <> 0", args,
		func(c *cursor) error {
			minor := c.int(7)
			if c.int(2) != classItem {
				minor = -minor
			}
			list = append(list, line(c, issueKind(c.int(2), c.int(3)), minor))
			return nil
		})
	if err != nil {
		return nil, err
	}
	err = r.each("SELECT m.on_day, m.position, m.class, d.late_charge, m.doc, d.number, d.reference, m.effect_minor, m.kind"+
		" FROM items_moves m JOIN items_documents d ON d.account = m.account AND d.class = m.class AND d.doc = m.doc"+
		" WHERE m.account = ? AND m.on_day <= ? AND m.position <= ? AND m.effect_minor <> 0", args,
		func(c *cursor) error {
			list = append(list, line(c, moveKinds[c.int(8)], c.int(7)))
			return nil
		})
	return list, err
}

func issueKind(class, lateCharge int64) string {
	switch classOf(int(class), lateCharge != 0) {
	case Payment:
		return account.PaymentRecorded{}.Kind()
	case CreditNote:
		return account.CreditNoteIssued{}.Kind()
	case LateCharge:
		return account.LateChargeAssessed{}.Kind()
	}
	return account.InvoiceIssued{}.Kind()
}
