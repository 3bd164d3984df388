package projections

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/urikake/urikake/domain"
)

// ErrUnknownSeller and ErrUnknownCustomer refuse a report about somebody of whom the ledger has never heard.
var (
	ErrUnknownSeller = &domain.Error{
		Code: domain.NotFound, Rule: "views.unknown_seller",
		Text: "no such seller is registered",
	}
	ErrUnknownCustomer = &domain.Error{
		Code: domain.NotFound, Rule: "views.unknown_customer",
		Text: "the seller has no such customer",
	}
)

// holder is whose account it is.
type holder struct {
	id       int64 // the account's number
	customer domain.CustomerID
	name     string
	currency domain.Currency
}

// holders lists a seller's accounts by customer and currency, perhaps of one customer only, as known at a position. The
// numbers of one seller are first, first+1, ... Refuses views.unknown_seller, views.unknown_customer.
func (r *reader) holders(seller domain.SellerID, customer domain.CustomerID, position int64) (list []holder, err error) {
	query, args := "SELECT a.id, a.customer, coalesce(c.name, ''), a.currency, coalesce(c.position, 0) FROM items_accounts a"+
		" LEFT JOIN parties_customers c ON c.seller = a.seller AND c.customer = a.customer WHERE a.seller = ? AND a.first_position <= ?",
		[]Value{Str(seller), Int(position)}
	if customer != "" {
		query, args = query+" AND a.customer = ?", append(args, Str(customer))
	}
	err = r.each(query+" ORDER BY a.customer, a.currency", args, func(c *cursor) (err error) {
		h := holder{c.int(0), domain.CustomerID(c.text(1)), c.text(2), domain.Currency(c.text(3))}
		if c.int(4) > position {
			h.name, err = r.name(seller, h.customer, position)
		}
		list = append(list, h)
		return err
	})
	if err == nil && len(list) == 0 {
		err = r.knows(seller, customer, position)
	}
	return list, err
}

// ask gives the integer that a query has as its only answer.
func (r *reader) ask(query string, args ...Value) (int64, bool, error) {
	return askOn(r.conn, query, args...)
}

// document is one document as it stood.
type document struct {
	account  int64
	class    int
	id       []byte // valid until the next one
	issuedOn int64
	dueOn    int64 // 0: it has none
	open     int64 // of an item; of a payment or credit note what is unapplied
	row      *cursor
	disputes bool
	late     bool // something moved it after the moment
}

// Columns of documents beyond those that every report needs; they stand at detail and after.
const (
	documentColumns = "account, class, doc, issued_on, due_on, open_minor, due_changes, disputes, last_on, last_position"
	detail          = 10
)

// sheet reads documents as they stood at a moment, in the order of their keys.
type sheet struct {
	r      *reader
	at     moment
	past   *cursor // what moved after the moment, summed by document
	ended  bool
	to     int64
	id     [idMax]byte
	pastID [idMax]byte
}

const idMax = 2 * domain.IDMax

// documents visits the documents of accounts from up to but not including to, that had been issued and had something
// open, or have now. where may narrow them down further.
func (s *sheet) documents(from, to int64, details, where string, args []Value, visit func(*document) error) error {
	s.to = to
	all := append([]Value{Int(from), Int(to), Int(s.at.day), Int(s.at.position)}, args...)
	d := document{}
	query := "SELECT " + documentColumns + details + " FROM items_documents" +
		" WHERE account >= ? AND account < ? AND issued_on <= ? AND first_position <= ?" + where + " ORDER BY account, class, doc"
	defer func() {
		if s.past != nil {
			s.past.close()
		}
	}()
	return s.r.each(query, all, func(c *cursor) error {
		d.account, d.class, d.id = c.int(0), int(c.int(1)), c.bytes(2, s.id[:])
		d.issuedOn, d.dueOn, d.open, d.row = c.int(3), c.int(4), c.int(5), c
		d.disputes, d.late = c.int(7) > 0, c.int(8) > s.at.day || c.int(9) > s.at.position
		if d.late {
			moved, err := s.moved(&d)
			if err != nil {
				return err
			}
			d.open -= moved
		}
		if c.int(6) > 0 {
			if err := s.changedDue(&d); err != nil {
				return err
			}
		}
		return visit(&d)
	})
}

// onlyOpen leaves out what has nothing open now and did not move after the moment.
const onlyOpen = " AND (open_minor <> 0 OR last_on > ? OR last_position > ?)"

func (m moment) onlyOpen() []Value { return []Value{Int(m.day), Int(m.position)} }

// moved is the sum of what moved a document after the moment. Both queries go through keys in the same order.
func (s *sheet) moved(d *document) (int64, error) {
	if s.past == nil {
		s.past = s.r.rows("SELECT account, class, doc, sum(minor) FROM items_moves"+
			" WHERE account >= ? AND account < ? AND (on_day > ? OR position > ?)"+
			" GROUP BY account, class, doc ORDER BY account, class, doc", Int(d.account), Int(s.to), Int(s.at.day), Int(s.at.position))
		s.ended = !s.past.next()
	}
	for !s.ended {
		order := cmp.Compare(s.past.int(0), d.account)
		if order == 0 {
			order = cmp.Compare(s.past.int(1), int64(d.class))
		}
		if order == 0 {
			order = bytes.Compare(s.past.bytes(2, s.pastID[:]), d.id)
		}
		switch {
		case order == 0:
			return s.past.int(3), nil
		case order > 0:
			return 0, nil
		}
		s.ended = !s.past.next()
	}
	return 0, s.past.err
}

// changedDue finds the due date that held on the day: of the changes on or before it, the one of the latest day, and
// of one day the one recorded last.
func (s *sheet) changedDue(d *document) error {
	due, changed, err := s.r.ask("SELECT due_on FROM items_dues WHERE account = ? AND doc = ? AND on_day <= ? AND position <= ?"+
		" ORDER BY on_day DESC, position DESC LIMIT 1", Int(d.account), Str(string(d.id)), Int(s.at.day), Int(s.at.position))
	if changed {
		d.dueOn = due
	}
	return err
}

// disputed is how much of what is open of an item was in dispute.
func (s *sheet) disputed(d *document) (int64, error) {
	if !d.disputes || d.open == 0 {
		return 0, nil
	}
	minor, _, err := s.r.ask("SELECT coalesce(sum(minor), 0) FROM items_disputes"+
		" WHERE account = ? AND doc = ? AND on_day <= ? AND position <= ?", Int(d.account), Str(string(d.id)), Int(s.at.day), Int(s.at.position))
	return min(minor, d.open), err
}

// span is accounts from up to but not including to.
type span struct{ from, to int64 }

// spans cuts accounts into parts that are read side by side: two halves of all, or one customer's accounts as they lie.
func spans(list []holder, customer domain.CustomerID) []span {
	var parts []span
	if customer != "" {
		for _, h := range list {
			parts = append(parts, span{h.id, h.id + 1})
		}
		return parts
	}
	if len(list) == 0 {
		return nil
	}
	low := slices.MinFunc(list, func(a, b holder) int { return cmp.Compare(a.id, b.id) }).id
	middle, high := low+int64(len(list)/2), low+int64(len(list))
	if middle == low {
		return []span{{low, high}}
	}
	return []span{{low, middle}, {middle, high}}
}

// sweep runs work for each span, on a second connection beside if one is idle and there are two. Both see everything up to
// the moment, and the moment hides what either may see beyond it.
func (v *Views) sweep(ctx context.Context, r *reader, parts []span, work func(r *reader, s span) error) error {
	if len(parts) == 2 {
		return v.both(ctx, r, func(r *reader) error { return work(r, parts[0]) }, func(r *reader) error { return work(r, parts[1]) })
	}
	for _, p := range parts {
		if err := work(r, p); err != nil {
			return err
		}
	}
	return nil
}

// both runs one work, and another on a second connection beside if one is idle, else after it.
func (v *Views) both(ctx context.Context, r *reader, one, other func(*reader) error) error {
	beside := make(chan error, 1)
	started := make(chan bool, 1)
	go func() {
		ok, err := v.db.look(ctx, true, func(r *reader) error {
			started <- true
			return other(r)
		})
		if !ok || err != nil {
			select {
			case started <- false:
			default:
			}
		}
		beside <- err
	}()
	if <-started {
		err := one(r)
		return firstError(err, <-beside)
	}
	err := firstError(<-beside, one(r))
	if err != nil {
		return err
	}
	return other(r)
}
