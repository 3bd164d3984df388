package main

import (
	"maps"
	"slices"
)

// auditor keeps books of its own in plain maps. It reads what clients ask for, says why the ledger should refuse it, if
// it should, and books the rest by rules that it has written down for itself. Amounts are minor units, days are numbers.
type auditor struct {
	accounts map[string]*books // by seller, customer and currency
	inactive map[string]bool   // customers, by seller and customer
	numbers  map[string]bool   // that stand on documents, by seller and number
	wrong    string            // a rule that it gets wrong, for a test of the simulator itself
}

// books are an account's.
type books struct {
	Items     map[string]*item
	Funds     map[string]*fund // payments and credit notes
	Disputes  map[string]*dispute
	WriteOffs map[string]*writeOff
	Used      map[string]bool // refunds, recoveries and periods
	Case      dunningCase
}

// item is an invoice or a late charge.
type item struct {
	Issued, Due int
	Total       int64
	Open        map[int]int64 // what each day added
	Charge      bool
	Voided      bool
	Credited    int64 // by credit notes against it
	GivenUp     int64 // voided, waived, written off
	Differences int64
	Dues        []dueChange
	ChargedTo   int // late charges are assessed to this day
}

type dueChange struct{ On, Due int }

// fund is a payment or a credit note.
type fund struct {
	On      int
	Amount  int64
	Left    map[int]int64 // what each day added to what is unapplied
	Applied map[string]*applied
	Gone    int64 // refunded, or taken as a difference
	Taken   int64 // as a difference
	Undone  bool
}

type applied struct {
	Amount int64
	On     int
}

type dispute struct {
	Item   string
	On     int
	Amount int64
	Over   bool
	OverOn int
}

type writeOff struct {
	On                int
	Amount, Recovered int64
}

// dunningCase is what the auditor knows of a debtor's case.
type dunningCase struct {
	Used    map[string]bool // ids, by kind
	Holds   map[string]span // not released
	Promise bool
	Pending string // the reminder that is queued
}

type span struct{ From, Until int }

func newAuditor() *auditor {
	return &auditor{accounts: make(map[string]*books), inactive: make(map[string]bool), numbers: make(map[string]bool)}
}

func newBooks() *books {
	return &books{
		Items: make(map[string]*item), Funds: make(map[string]*fund), Disputes: make(map[string]*dispute),
		WriteOffs: make(map[string]*writeOff), Used: make(map[string]bool),
		Case: dunningCase{Used: make(map[string]bool), Holds: make(map[string]span)},
	}
}

func (a *auditor) of(s step) *books {
	key := s.Seller + "." + s.Customer + "." + s.Currency
	if a.accounts[key] == nil {
		a.accounts[key] = newBooks()
	}
	return a.accounts[key]
}

// at is an amount at the end of a day; low the least from a day on.
func at(moves map[int]int64, day int) (sum int64) {
	for on, n := range moves {
		if on <= day {
			sum += n
		}
	}
	return sum
}

func low(moves map[int]int64, from int) int64 {
	least := at(moves, from)
	for on := range moves {
		if on > from {
			least = min(least, at(moves, on))
		}
	}
	return least
}

const lastDay = 10_000

func (i *item) open(day int) int64 { return at(i.Open, day) }

// due is the due date that holds on a day.
func (i *item) due(day int) int {
	due := i.Due
	for _, c := range i.Dues {
		if c.On <= day {
			due = c.Due
		}
	}
	return due
}

// disputed is what is in dispute on an item on a day.
func (b *books) disputed(id string, day int) (sum int64) {
	for _, d := range b.Disputes {
		if d.Item == id && d.On <= day && (!d.Over || d.OverOn > day) {
			sum += d.Amount
		}
	}
	return sum
}

// inDispute is what is in dispute on an item by disputes that nobody has resolved.
func (b *books) inDispute(id string) (sum int64) {
	for _, d := range b.Disputes {
		if d.Item == id && !d.Over {
			sum += d.Amount
		}
	}
	return sum
}

// balance is what is owed on a day, less what is unapplied.
func (b *books) balance(day int) (open, unapplied int64) {
	for _, i := range b.Items {
		open += i.open(day)
	}
	for _, f := range b.Funds {
		unapplied += at(f.Left, day)
	}
	return open, unapplied
}

// order is the order in which money settles items: invoices before late charges, by due date, day of issue and id.
func (b *books) order() []string {
	return slices.SortedFunc(maps.Keys(b.Items), func(x, y string) int {
		i, j := b.Items[x], b.Items[y]
		switch {
		case i.Charge != j.Charge:
			if j.Charge {
				return -1
			}
			return 1
		case i.due(lastDay) != j.due(lastDay):
			return i.due(lastDay) - j.due(lastDay)
		case i.Issued != j.Issued:
			return i.Issued - j.Issued
		case x < y:
			return -1
		}
		return 1
	})
}

// oldest spreads money over what is open from a day on.
func (b *books) oldest(on int, amount int64) (list []share) {
	for _, id := range b.order() {
		i := b.Items[id]
		if i.Issued > on {
			continue
		}
		if part := min(amount, low(i.Open, on)); part > 0 {
			list = append(list, share{id, part})
			amount -= part
		}
	}
	return list
}

// lateCharge is the charge on what was open, day by day, rounded down for each run of days with one principal.
func (i *item) lateCharge(from, to int) (sum int64) {
	days, base := int64(0), int64(0)
	for day := from + 1; day <= to+1; day++ {
		principal := i.open(day - 1) // the day of a payment still bears the charge on what was open before
		if day > to || principal != base {
			sum += base * rate * days / (365 * 100_00)
			days, base = 0, principal
		}
		days++
	}
	return sum
}

// chargedFrom is the day after which the next late charge begins.
func (i *item) chargedFrom() int { return max(i.due(lastDay), i.ChargedTo) }
