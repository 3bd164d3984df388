package account

import (
	"fmt"

	"github.com/urikake/urikake/domain"
)

// CheckInvariants proves the account's arithmetic; it returns what is wrong, or nil. Tests and audits call it after
// every event. O(items + funds).
func (s *State) CheckInvariants() error {
	var open, unapplied int64
	listed := 0
	for id, it := range s.items.all() {
		open += it.open
		r := it.rare()
		if it.total != it.open+it.settled+r.credited+r.writtenOff+r.cancelled {
			return fmt.Errorf("invoice %s: total %d is not open %d + settled %d + credited %d + written off %d + cancelled %d",
				id, it.total, it.open, it.settled, r.credited, r.writtenOff, r.cancelled)
		}
		if min(it.open, it.settled, r.credited, r.writtenOff, r.cancelled, r.disputed, r.notedTotal, r.differences) < 0 {
			return fmt.Errorf("invoice %s: something is negative: %+v, %+v", id, *it, r)
		}
		if r.notedTotal > it.total {
			return fmt.Errorf("invoice %s: credit notes of %d on a total of %d", id, r.notedTotal, it.total)
		}
		for i, t := range s.uncredited(it) {
			if it.taxes[i].net >= 0 && min(t.Net.Minor(), t.Tax.Minor()) < 0 {
				return fmt.Errorf("invoice %s: more was taken back than it had at %s %s %%: %s and tax %s are left",
					id, t.Category, t.Rate, t.Net, t.Tax)
			}
		}
		if err := checkTimeline("invoice "+string(id), it.moves, it.open, it.total); err != nil {
			return err
		}
		if it.open > 0 {
			listed++
		}
	}
	for id, f := range s.payments.all() {
		unapplied += f.unapplied
		if err := f.check("payment " + string(id)); err != nil {
			return err
		}
	}
	for id, f := range s.credits.all() {
		unapplied += f.unapplied
		if err := f.check("credit note " + string(id)); err != nil {
			return err
		}
	}
	if err := s.checkSums(); err != nil {
		return err
	}
	if open != s.openTotal || unapplied != s.unappliedTotal {
		return fmt.Errorf("balance: items %d, funds %d; kept %d, %d", open, unapplied, s.openTotal, s.unappliedTotal)
	}
	if listed != len(s.open) {
		return fmt.Errorf("%d items are open, %d are listed", listed, len(s.open))
	}
	for i, it := range s.open {
		if it.open <= 0 || i > 0 && it.before(s.open[i-1]) {
			return fmt.Errorf("open items out of order at %s", it.id)
		}
	}
	return nil
}

// checkSums proves that what funds settle is what items say is settled by them, and so with disputes. After a carry
// forward long settled funds are left behind, so that items may say more.
func (s *State) checkSums() error {
	type sums struct{ settled, credited, disputed int64 }
	by := make(map[domain.InvoiceID]sums)
	for _, f := range s.payments.all() {
		for _, a := range f.applied {
			sum := by[a.item]
			sum.settled += a.amount
			by[a.item] = sum
		}
	}
	for _, f := range s.credits.all() {
		for _, a := range f.applied {
			sum := by[a.item]
			sum.credited += a.amount
			by[a.item] = sum
		}
	}
	for _, d := range s.disputes {
		if !d.resolved {
			sum := by[d.item]
			sum.disputed += d.amount
			by[d.item] = sum
		}
	}
	for id := range by {
		if !s.items.has(id) {
			return fmt.Errorf("invoice %s: settled or disputed, but unknown", id)
		}
	}
	for id, it := range s.items.all() {
		says := sums{it.settled - it.rare().differences, it.rare().credited, it.rare().disputed}
		behind := s.broughtFrom != "" && says.settled >= by[id].settled && says.credited >= by[id].credited && says.disputed == by[id].disputed
		if says != by[id] && !behind {
			return fmt.Errorf("invoice %s says %+v, payments, credit notes and disputes say %+v", id, says, by[id])
		}
	}
	return nil
}

func (f *fund) check(name string) error {
	var applied int64
	for _, a := range f.applied {
		if applied += a.amount; a.amount <= 0 {
			return fmt.Errorf("%s: %d applied to %s", name, a.amount, a.item)
		}
	}
	g := f.left()
	if f.amount != applied+f.unapplied+g.refunded+g.reversed+g.differences {
		return fmt.Errorf("%s: amount %d is not applied %d + unapplied %d + refunded %d + reversed %d + differences %d",
			name, f.amount, applied, f.unapplied, g.refunded, g.reversed, g.differences)
	}
	if min(f.unapplied, g.refunded, g.reversed, g.differences) < 0 {
		return fmt.Errorf("%s: something is negative: %+v, %+v", name, *f, g)
	}
	return checkTimeline(name, f.moves, f.unapplied, f.amount)
}

// checkTimeline proves that no day ever shows less than nothing or more than all, and that the days end in now.
func checkTimeline(name string, t timeline, now, most int64) error {
	var amount int64
	for i, m := range t {
		if amount += m.delta; amount < 0 || amount > most {
			return fmt.Errorf("%s: stands at %d of %d on %s", name, amount, most, m.on)
		}
		if i > 0 && !t[i-1].on.Before(m.on) {
			return fmt.Errorf("%s: days out of order at %s", name, m.on)
		}
	}
	if amount != now {
		return fmt.Errorf("%s: its days end at %d, it stands at %d", name, amount, now)
	}
	return nil
}
