package account

import (
	"fmt"
	"maps"
	"slices"
	"sort"

	"github.com/urikake/urikake/domain"
)

// State is one account as its events tell it.
type State struct {
	items     shelf[domain.InvoiceID, item, *item]
	payments  shelf[domain.PaymentID, fund, *fund]
	credits   shelf[domain.CreditID, fund, *fund]
	writeOffs map[domain.WriteOffID]*writeOff
	disputes  map[domain.DisputeID]*dispute
	refunds   map[domain.RefundID]bool
	recovered map[domain.RecoveryID]bool

	open           []*item // items with something open, in the order in which money settles them
	openTotal      int64   // sum of what is open
	unappliedTotal int64   // sum of what is unapplied

	forfeited  map[string]uint64 // numbers whose takings up to a version are void
	categories []TaxCategory     // that stand in portions, by their place here
	currency   domain.Currency   // of the portions

	period      string // "" in the account's first stream
	broughtFrom string // the stream from which this one went on; "" in the first
	brought     int    // parts of what was brought forward that are there, of so many
	parts       int
	carriedInto string // the period in which the account goes on; "" while this stream is the live one
	carried     BalanceCarriedForward
}

// item is what the customer owes by one document: an invoice or a late charge.
// total = open + settled + credited + writtenOff + cancelled, always. Settled items stay until the carry forward, so
// what every item needs stands here in few bytes, and the rest in rarely.
type item struct {
	id       domain.InvoiceID
	charge   bool // a late charge
	voided   bool
	issuedOn domain.Date
	dueOn    domain.Date
	total    int64
	open     int64
	settled  int64     // by payments, fees and differences
	taxes    []portion // as issued
	moves    timeline  // of open
	rarely   *rarely   // nil on most items
}

// rarely holds what most items never need.
type rarely struct {
	credited     int64 // by credit notes
	writtenOff   int64
	cancelled    int64       // voided, or waived
	noted        []portion   // what credit notes and write-offs have taken back, by category and rate
	notedTotal   int64       // sum of the credit notes against the invoice
	disputed     int64       // sum of its open disputes
	differences  int64       // small differences settled on it; part of settled
	chargedUntil domain.Date // late charges are assessed to this day
	dueSince     domain.Date // the day of its latest change of due date
	dues         []dueChange // its due dates of before, in the order of the days
}

// dueChange is a due date that held until a day.
type dueChange struct {
	on  domain.Date // the first day without it
	was domain.Date
}

// seldom is the item's rarely, made when first needed.
func (it *item) seldom() *rarely {
	if it.rarely == nil {
		it.rarely = &rarely{}
	}
	return it.rarely
}

// rare is the item's rarely for reading.
func (it *item) rare() rarely {
	if it.rarely == nil {
		return rarely{}
	}
	return *it.rarely
}

// fund is what settles items: a payment or a credit note.
// amount = applied + unapplied + refunded + reversed + differences, always.
type fund struct {
	on        domain.Date
	amount    int64
	unapplied int64
	applied   []application // at most one for each item
	moves     timeline      // of unapplied
	gone      *gone         // nil on most funds
}

// gone is what left a fund otherwise than to an item.
type gone struct {
	refunded    int64
	reversed    int64
	differences int64 // small surplus taken as income
}

// leaving is the fund's gone, made when first needed.
func (f *fund) leaving() *gone {
	if f.gone == nil {
		f.gone = &gone{}
	}
	return f.gone
}

// left is the fund's gone for reading.
func (f *fund) left() gone {
	if f.gone == nil {
		return gone{}
	}
	return *f.gone
}

type application struct {
	item   domain.InvoiceID
	amount int64
	on     domain.Date // the latest day on which some of it was applied
}

type writeOff struct {
	item      domain.InvoiceID
	on        domain.Date
	amount    int64
	recovered int64
	taxes     []Tax // what is not recovered of it
}

type dispute struct {
	item       domain.InvoiceID
	openedOn   domain.Date
	amount     int64
	resolved   bool
	resolvedOn domain.Date // none where a carry forward of earlier times did not say
}

func newState() *State {
	return &State{}
}

// CarriedInto is the period in which the account goes on after a carry forward, "" while this stream is live.
func (s *State) CarriedInto() string { return s.carriedInto }

// BroughtFrom is the stream from which this one went on, "" in an account's first stream.
func (s *State) BroughtFrom() string { return s.broughtFrom }

// Brought tells how many parts of what is brought forward from the stream before are there, and whether those are all.
// In an account's first stream there are none.
func (s *State) Brought() (parts int, all bool) { return s.brought, s.brought >= s.parts }

// Issued tells whether the account has an invoice or late charge by this id.
func (s *State) Issued(id domain.InvoiceID) bool { return s.items.has(id) }

// Balance is what the customer owes less what is unapplied, in minor units.
func (s *State) Balance() int64 { return s.openTotal - s.unappliedTotal }

// Unfinished says what is still open in the account, for people; nothing once all is settled, applied and resolved.
func (s *State) Unfinished(k Key) (list []string) {
	for _, it := range s.open {
		list = append(list, fmt.Sprintf("%s of %s", k.money(it.open), it.id))
	}
	if s.unappliedTotal != 0 {
		list = append(list, fmt.Sprintf("%s unapplied", k.money(s.unappliedTotal)))
	}
	for _, id := range slices.Sorted(maps.Keys(s.disputes)) {
		if !s.disputes[id].resolved {
			list = append(list, fmt.Sprintf("dispute %s", id))
		}
	}
	return list
}

func (s *State) apply(e Event) {
	e.apply(s)
	s.tidy()
}

// tidy packs what the last event settled.
func (s *State) tidy() {
	s.items.tidy()
	s.payments.tidy()
	s.credits.tidy()
}

// Size is about how many bytes the state takes.
func (s *State) Size() int {
	return 1000 + s.items.size() + s.payments.size() + s.credits.size() + 200*(len(s.writeOffs)+len(s.disputes)+len(s.refunds)+len(s.recovered))
}

// before is the order in which money settles items: principal before late charges, then the oldest due date, then
// the oldest issue date, then the id (an agreed appropriation in the sense of Civil Code article 490).
func (it *item) before(o *item) bool {
	switch {
	case it.charge != o.charge:
		return o.charge
	case it.dueOn != o.dueOn:
		return it.dueOn.Before(o.dueOn)
	case it.issuedOn != o.issuedOn:
		return it.issuedOn.Before(o.issuedOn)
	}
	return it.id < o.id
}

// addItem books a new item with its whole total open.
func (s *State) addItem(it *item) {
	it.open = it.total
	if it.total > 0 {
		it.moves = timeline{{it.issuedOn, it.total}}
	}
	s.items.put(it.id, it)
	s.openTotal += it.total
	if it.open > 0 {
		s.list(it)
	}
}

// change adds delta to what is open on an item from a day on and keeps the order of open items.
func (s *State) change(it *item, on domain.Date, delta int64) {
	was := it.open
	it.open += delta
	it.moves.add(on, delta)
	s.openTotal += delta
	switch {
	case was == 0 && it.open > 0:
		s.list(it)
	case was > 0 && it.open == 0:
		s.unlist(it)
	}
}

// list and unlist keep s.open sorted: O(log n) to find the place; the oldest leave at the front, where it costs nothing.
func (s *State) list(it *item) {
	i := sort.Search(len(s.open), func(i int) bool { return it.before(s.open[i]) })
	s.open = append(s.open, nil)
	copy(s.open[i+1:], s.open[i:])
	s.open[i] = it
}

func (s *State) unlist(it *item) {
	i := sort.Search(len(s.open), func(i int) bool { return !s.open[i].before(it) })
	if i == 0 {
		s.open[0] = nil
		s.open = s.open[1:]
		return
	}
	s.open = append(s.open[:i], s.open[i+1:]...)
}

// addFund books a new payment or credit, all of it unapplied.
func (s *State) addFund(on domain.Date, amount int64) *fund {
	s.unappliedTotal += amount
	return &fund{on: on, amount: amount, unapplied: amount, moves: timeline{{on, amount}}}
}

// take removes unapplied money from a fund from a day on; a negative amount puts it back.
func (s *State) take(f *fund, on domain.Date, amount int64) {
	f.unapplied -= amount
	f.moves.add(on, -amount)
	s.unappliedTotal -= amount
}

// settle moves money from a fund to items; side picks the item's counter (settled or credited).
func (s *State) settle(f *fund, on domain.Date, allocations []Allocation, side func(*item) *int64) {
	for _, a := range allocations {
		it, amount := s.items.use(a.Invoice), a.Amount.Minor()
		s.take(f, on, amount)
		s.change(it, on, -amount)
		*side(it) += amount
		f.note(it.id, on, amount)
	}
}

// release moves it back: the items are open again, under their own due dates.
func (s *State) release(f *fund, on domain.Date, allocations []Allocation, side func(*item) *int64) {
	for _, a := range allocations {
		it, amount := s.items.use(a.Invoice), a.Amount.Minor()
		s.take(f, on, -amount)
		s.change(it, on, amount)
		*side(it) -= amount
		f.note(it.id, on, -amount)
	}
}

func settled(it *item) *int64  { return &it.settled }
func credited(it *item) *int64 { return &it.seldom().credited }

func (f *fund) note(id domain.InvoiceID, on domain.Date, amount int64) {
	for i := range f.applied {
		if a := &f.applied[i]; a.item == id {
			if a.amount += amount; amount > 0 {
				a.on = domain.LaterOf(a.on, on)
			}
			if a.amount == 0 {
				f.applied = append(f.applied[:i], f.applied[i+1:]...)
			}
			return
		}
	}
	f.applied = append(f.applied, application{id, amount, on})
}

func (f *fund) appliedTo(id domain.InvoiceID) (application, bool) {
	for _, a := range f.applied {
		if a.item == id {
			return a, true
		}
	}
	return application{}, false
}

// find gives an item of this stream. Refuses account.unknown_invoice.
func (s *State) find(field string, id domain.InvoiceID) (*item, error) {
	if it := s.items.get(id); it != nil {
		return it, nil
	}
	return nil, ErrUnknownItem.With("%s", id).At(field)
}
