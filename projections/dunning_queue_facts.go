package projections

import (
	"cmp"
	"context"
	"maps"
	"math/bits"
	"slices"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

// score is an amount times a weight, exact in 128 bits.
type score struct{ high, low uint64 }

func scoreOf(amount, weight int64) (s score) {
	s.high, s.low = bits.Mul64(uint64(amount), uint64(weight))
	return s
}

func (s score) compare(o score) int {
	return cmp.Or(cmp.Compare(s.high, o.high), cmp.Compare(s.low, o.low))
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// currencies tells the currency of each account of a seller, most of which have the same.
type currencies struct {
	most   domain.Currency
	others map[int64]domain.Currency
}

func (c currencies) of(id int64) domain.Currency {
	if other, ok := c.others[id]; ok {
		return other
	}
	return c.most
}

func (r *reader) currencies(seller domain.SellerID) (c currencies, err error) {
	c.others = make(map[int64]domain.Currency)
	err = r.each("SELECT base_currency FROM parties_sellers WHERE seller = ?", []Value{Str(seller)}, func(at *cursor) error {
		c.most = domain.Currency(at.text(0))
		return nil
	})
	if err != nil {
		return c, err
	}
	return c, r.each("SELECT id, currency FROM items_accounts WHERE seller = ? AND currency <> ?", []Value{Str(seller), Str(c.most)},
		func(at *cursor) error {
			c.others[at.int(0)] = domain.Currency(at.text(1))
			return nil
		})
}

// caseSignal is as much of a case as the order of a queue needs.
type caseSignal struct {
	broken    int64
	waits     bool // for a hold, a promise or a plan, or somebody else has the case
	collector string
}

// signals finds what matters of the seller's cases, by account number; most cases have nothing that does.
func (q *queue) signals(ctx context.Context, r *reader) error {
	q.cases = make(map[int64]caseSignal)
	late := make(map[int64]dunning.Key) // changed after the moment
	const planned = "CASE WHEN d.plan = '' THEN 0 ELSE EXISTS (SELECT 1 FROM dunning_plans p WHERE p.seller = d.seller AND p.customer = d.customer" +
		" AND p.currency = d.currency AND p.plan = d.plan AND (effective_on = 0 OR effective_on > ?) AND ends_on >= ?) END"
	err := r.each("SELECT a.id, promises_broken, promise_open <> 0 AND promise_pay_by >= ? OR returned <> 0 OR handed_to <> '' OR "+planned+","+
		" collector, last_position, d.customer, d.currency FROM dunning_cases d"+
		" JOIN items_accounts a ON a.seller = d.seller AND a.customer = d.customer AND a.currency = d.currency"+
		" WHERE d.seller = ? AND (promises_broken <> 0 OR collector <> '' OR promise_open <> 0 AND promise_pay_by >= ? OR d.plan <> '' OR returned <> 0 OR handed_to <> ''"+
		" OR last_position > ?)", []Value{
		Int(q.at.day), Int(q.at.day), Int(q.at.day), Str(q.q.Seller), Int(q.at.day), Int(q.at.position),
	}, func(c *cursor) error {
		if c.int(4) > q.at.position {
			late[c.int(0)] = dunning.Key{Seller: q.q.Seller, Customer: domain.CustomerID(c.text(5)), Currency: domain.Currency(c.text(6))}
			return nil
		}
		q.cases[c.int(0)] = caseSignal{c.int(1), c.int(2) != 0, c.text(3)}
		return nil
	})
	if err == nil {
		err = q.holds(r)
	}
	for id, key := range late {
		if err == nil {
			err = q.lateSignal(ctx, id, key)
		}
	}
	return err
}

// planned tells that a plan runs.
func (q *queue) planned(effective, ends int64) bool {
	return (effective == 0 || q.at.day < effective) && q.at.day <= ends
}

func (q *queue) holds(r *reader) error {
	return r.each("SELECT a.id FROM dunning_holds h JOIN items_accounts a ON a.seller = h.seller AND a.customer = h.customer AND a.currency = h.currency"+
		" WHERE h.seller = ? AND released_position = 0 AND from_on <= ? AND (until_on = 0 OR until_on >= ?)",
		[]Value{Str(q.q.Seller), Int(q.at.day), Int(q.at.day)}, func(c *cursor) error {
			s := q.cases[c.int(0)]
			s.waits = true
			q.cases[c.int(0)] = s
			return nil
		})
}

// lateSignal looks into the log, as the tables say what came after the moment.
func (q *queue) lateSignal(ctx context.Context, id int64, key dunning.Key) error {
	delete(q.cases, id)
	file, err := q.v.caseFileAt(ctx, key, q.at)
	if err != nil || file == nil {
		return err
	}
	row := file.row(q.at)
	waits := row.PromiseState == PromiseOpen && q.at.day <= row.PromisePayBy.DayNumber() ||
		row.Plan != "" && q.planned(row.PlanEffectiveOn.DayNumber(), row.PlanEndsOn.DayNumber()) ||
		row.HoldKind != "" || row.Returned || row.HandedTo != ""
	q.cases[id] = caseSignal{int64(row.PromisesBroken), waits, row.Collector}
	return nil
}

// habit is how a debtor pays.
type habit struct{ days, invoices int64 }

// late is days late on average; below zero: early.
func (h habit) late() int {
	if h.invoices == 0 {
		return 0
	}
	return int(h.days / h.invoices)
}

// habit looks at the invoices of an account that were settled by the moment, neither voided nor given up: the day on
// which the last of it was settled, from the due date. O(documents of the account).
func (r *reader) habit(account int64, at moment) (h habit, err error) {
	sheet := sheet{r: r, at: at}
	err = sheet.documents(account, account+1, ", total_minor, late_charge, voided, written_off_minor", " AND class = 1", nil, func(d *document) error {
		if d.open != 0 || d.row.int(detail) == 0 || d.row.int(detail+1) != 0 {
			return nil
		}
		state := invoiceState{voided: d.row.int(detail + 2), writtenOff: d.row.int(detail + 3)}
		settled := d.row.int(8)
		if d.late {
			if err := sheet.takeBack(d, &state); err != nil {
				return err
			}
			if settled, _, err = r.ask("SELECT coalesce(max(on_day), 0) FROM items_moves WHERE account = ? AND class = ? AND doc = ? AND on_day <= ? AND position <= ?",
				Int(d.account), Int(d.class), Str(string(d.id)), Int(at.day), Int(at.position)); err != nil {
				return err
			}
			settled = max(settled, d.issuedOn)
		}
		if state.voided+state.writtenOff == 0 {
			h.days, h.invoices = h.days+settled-d.dueOn, h.invoices+1
		}
		return nil
	})
	return h, err
}
