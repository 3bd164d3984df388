package dunning

import (
	"fmt"
	"math"

	"github.com/urikake/urikake/domain"
)

// Covered is an invoice or late charge that a promise or a payment plan is about, as it stood then.
type Covered struct {
	Invoice domain.InvoiceID `json:"invoice" doc:"the invoice or late charge"`
	Open    domain.Money     `json:"open" doc:"what was open of it"`
	Paid    domain.Money     `json:"paid,omitzero" doc:"what payments had settled of it before"`
}

var ErrNothingOpen = &domain.Error{
	Code: domain.Refused, Rule: "dunning.nothing_open",
	Text: "a promise or a payment plan is about invoices or late charges that are open on its day",
}

func checkInvoices(f *domain.Faults, list []domain.InvoiceID) {
	f.Require(len(list) <= ItemsMax, "/invoices", domain.ErrTooLong.With("%d, at most %d", len(list), ItemsMax))
	seen := make(map[domain.InvoiceID]bool, len(list))
	for i, id := range list {
		at := fmt.Sprintf("/invoices/%d", i)
		f.Add(at, domain.CheckID(id))
		f.Require(!seen[id], at, ErrRepeatedID.With("%s", id))
		seen[id] = true
	}
}

// cover is what a promise or a plan of an amount is about: the invoices that it names, or else all that is late on the
// day and, as far as the amount asks for more, what falls due next. What is in dispute as a whole is left out unless it
// is named. At most ItemsMax of them, the oldest due first. Refuses dunning.nothing_open.
func (d Debtor) cover(named []domain.InvoiceID, amount int64, on domain.Date) ([]Covered, error) {
	items := d.pick(func(i Item) bool { return i.undisputed() > 0 })
	if len(named) > 0 {
		open := make(map[domain.InvoiceID]Item, len(d.Items))
		for _, i := range d.pick(func(Item) bool { return true }) {
			open[i.ID] = i
		}
		items = nil
		for n, id := range named {
			i, ok := open[id]
			if !ok {
				return nil, ErrNothingOpen.With("on %s nothing is open of %s", on, id).At(fmt.Sprintf("/invoices/%d", n))
			}
			items = append(items, i)
		}
	}
	paid := d.settling(domain.Date{})
	var list []Covered
	for _, i := range items {
		next := len(named) == 0 && !on.After(i.DueOn)
		if len(list) == ItemsMax || next && amount <= 0 {
			break
		}
		amount -= i.undisputed()
		c := Covered{Invoice: i.ID, Open: i.Open}
		if sum := paid[i.ID]; sum != 0 {
			c.Paid = d.money(sum)
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil, ErrNothingOpen.With("on %s", on)
	}
	return list, nil
}

// settling is the money received up to a day, or ever, by the item that it settles now.
func (d Debtor) settling(by domain.Date) map[domain.InvoiceID]int64 {
	sums := make(map[domain.InvoiceID]int64)
	for _, r := range d.Receipts {
		if r.For != "" && (by.IsZero() || !r.On.After(by)) {
			sums[r.For] += r.Amount.Minor()
		}
	}
	return sums
}

// came is how far a promise or a plan of a day was met by money received up to another. paid is what settles its items
// and had not done so when it was recorded, and what came since and settles nothing yet, since it may be meant for them.
// least is the most that can be asked for: what of the items was left to be paid when it was recorded, less what credit
// notes, write-offs and the like took off since, and less credit that settles nothing yet.
//
// One of earlier times, which says nothing about items, is met by whatever came since its day.
func (d Debtor) came(items []Covered, since, by domain.Date) (paid, least int64) {
	if len(items) == 0 {
		return d.received(since, by), math.MaxInt64
	}
	open := make(map[domain.InvoiceID]int64, len(d.Items))
	for _, i := range d.Items {
		open[i.ID] = max(0, i.Open.Minor())
	}
	until, ever := d.settling(by), d.settling(domain.Date{})
	for _, c := range items {
		paid += max(0, until[c.Invoice]-c.Paid.Minor())
		least += open[c.Invoice] + max(0, ever[c.Invoice]-c.Paid.Minor())
	}
	for _, r := range d.Receipts {
		if r.For == "" && !r.Left && !r.On.Before(since) && !r.On.After(by) {
			paid += r.Amount.Minor()
		}
	}
	return paid, max(0, least-max(0, d.Credit.Minor()))
}
