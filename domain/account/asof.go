package account

import (
	"cmp"
	"iter"
	"slices"

	"github.com/urikake/urikake/domain"
)

// What was owed at the end of a day, as known now. After carry forwards the closed streams, newest first, are asked too
// where the day lies before what the live one still holds: what did not go along never changes any more.

// OpenItem is an invoice or late charge with something open on a day.
type OpenItem struct {
	ID       domain.InvoiceID
	IssuedOn domain.Date
	DueOn    domain.Date  // as it holds on the day
	Open     domain.Money // above zero
	Disputed domain.Money // by disputes that are open on the day
	Accrued  domain.Money // late charge to the day that is not assessed; zero for none, and on late charges
}

// OpenOn lists what is open at the end of a day, by due date and id. Late charges are accrued by the rule that holds
// for each item; zero where the rate is not known yet. O(items + disputes).
func (s *State) OpenOn(k Key, day domain.Date, rules LateRules, earlier []*State) (list []OpenItem) {
	states := s.reaching(day, earlier)
	disputed := disputedOn(states, day)
	for id, it := range newest(states, items) {
		if open := it.moves.at(day); open > 0 {
			due := it.due(day)
			list = append(list, OpenItem{id, it.issuedOn, due, k.money(open), k.money(disputed[id]), k.accrued(it, due, day, rules)})
		}
	}
	slices.SortFunc(list, func(a, b OpenItem) int { return cmp.Or(a.DueOn.Compare(b.DueOn), cmp.Compare(a.ID, b.ID)) })
	return list
}

// reaching are the streams in which something that moved on or after a day may stand, newest first.
func (s *State) reaching(day domain.Date, earlier []*State) []*State {
	n := 0
	for i, e := range earlier {
		if day.Before(e.carried.KeepSince) {
			n = i + 1 // and with it all newer ones, which know more of the same items
		}
	}
	return append([]*State{s}, earlier[:n]...)
}

// newest yields all that stands on one shelf of several states, newest first: each thing as the newest knows it.
func newest[ID ~string, T any, P packable[T]](states []*State, on func(*State) *shelf[ID, T, P]) iter.Seq2[ID, P] {
	return func(yield func(ID, P) bool) {
		seen := make(map[ID]bool)
		for i, s := range states {
			for id, p := range on(s).all() {
				if seen[id] {
					continue // as it stood before it was carried forward
				}
				if i < len(states)-1 {
					seen[id] = true
				}
				if !yield(id, p) {
					return
				}
			}
		}
	}
}

func items(s *State) *shelf[domain.InvoiceID, item, *item]    { return &s.items }
func payments(s *State) *shelf[domain.PaymentID, fund, *fund] { return &s.payments }
func credits(s *State) *shelf[domain.CreditID, fund, *fund]   { return &s.credits }

// disputedOn sums up each item's disputes that are open on a day.
func disputedOn(states []*State, day domain.Date) map[domain.InvoiceID]int64 {
	sums := make(map[domain.InvoiceID]int64)
	seen := make(map[domain.DisputeID]bool)
	for _, s := range states {
		for id, d := range s.disputes {
			if !seen[id] && !d.openedOn.After(day) && (!d.resolved || d.resolvedOn.After(day)) {
				sums[d.item] += d.amount
			}
			seen[id] = true
		}
	}
	return sums
}

// due is the due date that holds on a day.
func (it *item) due(day domain.Date) domain.Date {
	for _, d := range it.rare().dues {
		if d.on.After(day) {
			return d.was
		}
	}
	return it.dueOn
}

// accrued is the late charge that could be assessed on a day by the rule of the claim. An amount
// or a rate that nobody can know is none: it is information, and nothing is owed by it.
func (k Key) accrued(it *item, due, day domain.Date, rules LateRules) domain.Money {
	_, _, sum, err := k.accrue(it, due, day, rules)
	if err != nil {
		return k.money(0)
	}
	return k.money(sum)
}

// UnappliedOn is the cash and the credit that settle nothing at the end of a day. O(payments + credit notes).
func (s *State) UnappliedOn(k Key, day domain.Date, earlier []*State) (cash, credit domain.Money) {
	states := s.reaching(day, earlier)
	var sum int64
	for _, f := range newest(states, payments) {
		sum += f.moves.at(day)
	}
	cash, sum = k.money(sum), 0
	for _, f := range newest(states, credits) {
		sum += f.moves.at(day)
	}
	return cash, k.money(sum)
}

// Receipt is money that was received on a day, as far as it settles one item or none.
type Receipt struct {
	On     domain.Date
	Amount domain.Money
	For    domain.InvoiceID // the item that it settles; empty: none yet
	Left   bool             // it settles nothing any more: it was paid back, or taken as a small surplus
}

// Receipts sums up the money received on each day from one to another, both included, by day and by what it settles at
// the end of the last of them, and besides all money of before that settles one of the wanted items. A payment that was
// reversed by the last day never came. O(payments).
func (s *State) Receipts(k Key, from, to domain.Date, wanted map[domain.InvoiceID]bool, earlier []*State) (list []Receipt) {
	sums := make(map[Receipt]int64)
	since := from
	if len(wanted) > 0 {
		since = domain.Date{}
	}
	for _, f := range newest(s.reaching(since, earlier), payments) {
		if f.on.After(to) || f.reversedBy(to) {
			continue
		}
		left := f.left().refunded + f.left().differences
		free := f.amount - left
		for _, a := range f.applied {
			if a.on.After(to) {
				continue
			}
			free -= a.amount
			if wanted[a.item] || !f.on.Before(from) {
				sums[Receipt{On: f.on, For: a.item}] += a.amount
			}
		}
		if !f.on.Before(from) {
			sums[Receipt{On: f.on}] += free
			sums[Receipt{On: f.on, Left: true}] += left
		}
	}
	for r, sum := range sums {
		if r.Amount = k.money(sum); sum != 0 {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b Receipt) int {
		byLeft := 0
		if a.Left != b.Left {
			if byLeft = -1; a.Left {
				byLeft = 1
			}
		}
		return cmp.Or(a.On.Compare(b.On), byLeft, cmp.Compare(a.For, b.For))
	})
	return list
}

// reversedBy tells that a payment was undone up to a day. Nothing moves on it any more after that.
func (f *fund) reversedBy(day domain.Date) bool {
	return f.left().reversed > 0 && !f.moves.last().After(day)
}
