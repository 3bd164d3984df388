package projections

import (
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

// receipts are the payments of an account that were not taken back by the moment, by what they settle then.
// O(documents of the account).
func (r *reader) receipts(account int64, currency domain.Currency, at moment) (list []dunning.Receipt, err error) {
	settles, err := r.settled(account, at)
	if err != nil {
		return nil, err
	}
	free := make(map[string]int64)
	sheet := sheet{r: r, at: at}
	err = sheet.documents(account, account+1, "", " AND class = 2", nil, func(d *document) error {
		free[string(d.id)] = d.open
		return nil
	})
	if err != nil {
		return nil, err
	}
	query := "SELECT issued_on, total_minor, doc FROM items_documents d WHERE account = ? AND class = 2 AND issued_on <= ? AND first_position <= ?" +
		" AND NOT EXISTS (SELECT 1 FROM items_moves m WHERE m.account = d.account AND m.class = 2 AND m.doc = d.doc AND m.kind = ?" +
		" AND m.on_day <= ? AND m.position <= ?)"
	args := []Value{Int(account), Int(at.day), Int(at.position), Int(moveReversed), Int(at.day), Int(at.position)}
	err = r.each(query, args, func(c *cursor) error {
		on, left, doc := domain.DateFromDayNumber(c.int(0)), c.int(1), c.text(2)
		add := func(minor int64, item domain.InvoiceID, gone bool) {
			if left -= minor; minor != 0 {
				list = append(list, dunning.Receipt{On: on, Amount: domain.NewMoney(minor, currency), For: item, Left: gone})
			}
		}
		for _, s := range settles[doc] {
			add(s.minor, s.item, false)
		}
		add(free[doc], "", false)
		add(left, "", true)
		return nil
	})
	return list, err
}

// settling is how much of an item a payment settles.
type settling struct {
	item  domain.InvoiceID
	minor int64
}

// settled is what each payment of an account settles at the moment.
func (r *reader) settled(account int64, at moment) (map[string][]settling, error) {
	settles := make(map[string][]settling)
	query := "SELECT source, doc, -sum(minor) FROM items_moves WHERE account = ? AND class = 1 AND kind IN (?, ?, ?, ?) AND on_day <= ? AND position <= ?" +
		" GROUP BY source, doc HAVING sum(minor) <> 0 ORDER BY source, doc"
	args := []Value{
		Int(account), Int(movePaymentRecorded), Int(movePaymentApplied), Int(movePaymentUnapplied), Int(moveReversed), Int(at.day), Int(at.position),
	}
	return settles, r.each(query, args, func(c *cursor) error {
		settles[c.text(0)] = append(settles[c.text(0)], settling{domain.InvoiceID(c.text(1)), c.int(2)})
		return nil
	})
}
