package domain

import (
	"cmp"
	"slices"
	"strconv"
)

// AppropriationOrder says which parts of debts a payment meets first (充当).
type AppropriationOrder string

const (
	// StatutoryOrder meets costs, then interest, then principal (Civil Code 489). Only an agreement can change it,
	// no one-sided designation.
	StatutoryOrder AppropriationOrder = "STATUTORY"
	// PrincipalFirst is an agreement (Civil Code 490): principal, oldest due first, then costs, then interest, so that
	// small late charges don't keep invoices open.
	PrincipalFirst AppropriationOrder = "PRINCIPAL_FIRST"
)

// Check refuses an unknown order.
func (o AppropriationOrder) Check() error {
	if o != StatutoryOrder && o != PrincipalFirst {
		return ErrUnknown.With("order %q, want STATUTORY or PRINCIPAL_FIRST", clip(string(o)))
	}
	return nil
}

// Debt is what is owed under one title, in the payment's currency. A Money left zero is nothing.
type Debt struct {
	ID        InvoiceID
	Cost      Money
	Interest  Money // late charges stand here
	Principal Money
	DueOn     Date
	Rate      Rate // of its interest or late charge: the higher, the more the debtor gains by paying it
	Secured   bool
}

// Appropriation is what of a payment goes to one debt.
type Appropriation struct {
	Debt                      InvoiceID
	Cost, Interest, Principal Money
}

// Appropriate spreads a payment made on a day over debts and returns one part for each debt, in the order of debts, and
// what is left unapplied. All parts of one class (costs, interest, principal) are met before any of the next; inside a
// class, by Civil Code 488(4): debts that are due before those that are not, then those more burdensome to the debtor
// (higher rate, then secured), then the earlier due date, and equals in proportion. PRINCIPAL_FIRST goes by the due
// date alone. O(n log n).
// Refuses money.not_positive, money.out_of_range, money.malformed (below zero, or another currency), date.malformed,
// input.unknown_value.
func Appropriate(payment Money, on Date, debts []Debt, order AppropriationOrder) (parts []Appropriation, left Money, err error) {
	if err := checkAppropriation(payment, on, debts, order); err != nil {
		return nil, Money{}, err
	}
	c := payment.currency
	parts = make([]Appropriation, len(debts))
	ranks := make([]int, len(debts))
	for i, d := range debts {
		parts[i] = Appropriation{d.ID, Money{0, c}, Money{0, c}, Money{0, c}}
		ranks[i] = i
	}
	rank := func(a, b int) int { return order.rank(debts[a], debts[b], on) }
	slices.SortStableFunc(ranks, rank)
	left = payment
	for _, class := range order.classes() {
		for at := 0; at < len(ranks); {
			end := at + 1
			for end < len(ranks) && rank(ranks[at], ranks[end]) == 0 {
				end++
			}
			left.minor -= spread(left.minor, ranks[at:end], debts, parts, class)
			at = end
		}
	}
	return parts, left, nil
}

// class is one of a debt's three amounts and where it is met.
type class struct {
	owed func(Debt) int64
	met  func(*Appropriation) *Money
}

var (
	costs     = class{func(d Debt) int64 { return d.Cost.minor }, func(a *Appropriation) *Money { return &a.Cost }}
	interest  = class{func(d Debt) int64 { return d.Interest.minor }, func(a *Appropriation) *Money { return &a.Interest }}
	principal = class{func(d Debt) int64 { return d.Principal.minor }, func(a *Appropriation) *Money { return &a.Principal }}
)

func (o AppropriationOrder) classes() []class {
	if o == PrincipalFirst {
		return []class{principal, costs, interest}
	}
	return []class{costs, interest, principal}
}

// rank is below zero when a is met before b, zero when they share.
func (o AppropriationOrder) rank(a, b Debt, on Date) int {
	if o == PrincipalFirst {
		return a.DueOn.Compare(b.DueOn)
	}
	return cmp.Or(
		cmp.Compare(yes(a.DueOn.After(on)), yes(b.DueOn.After(on))),
		cmp.Compare(b.Rate, a.Rate),
		cmp.Compare(yes(b.Secured), yes(a.Secured)),
		a.DueOn.Compare(b.DueOn),
	)
}

func yes(b bool) int {
	if b {
		return 1
	}
	return 0
}

// spread shares an amount among equals in proportion to what they are owed and returns how much was taken. The shares
// are differences of rounded running sums, so that they come to the amount and none is more than owed.
func spread(amount int64, equals []int, debts []Debt, parts []Appropriation, c class) int64 {
	var total int64
	for _, i := range equals {
		total += c.owed(debts[i])
	}
	amount = min(amount, total)
	var sum, before int64
	for _, i := range equals {
		sum += c.owed(debts[i])
		var until int64
		if total > 0 {
			until, _ = RoundDown.MulDiv(amount, sum, total)
		}
		c.met(&parts[i]).minor += until - before
		before = until
	}
	return amount
}

func checkAppropriation(payment Money, on Date, debts []Debt, order AppropriationOrder) error {
	var faults Faults
	faults.Add("/payment", payment.CheckPositive())
	faults.Require(!on.IsZero(), "/on", ErrBadDate.With("the day of payment is missing"))
	faults.Add("/order", order.Check())
	var total int64
	for i, d := range debts {
		at := "/debts/" + strconv.Itoa(i)
		faults.Require(!d.DueOn.IsZero(), at+"/due_on", ErrBadDate.With("the due date is missing"))
		for _, m := range []Money{d.Cost, d.Interest, d.Principal} {
			good := m == Money{} || m.currency == payment.currency && m.minor >= 0
			faults.Require(good, at, ErrBadAmount.With("%s, want zero or more %s", m, payment.currency))
			if total += m.minor; m.minor > MinorMax || total > MinorMax {
				faults.Add(at, ErrOutOfRange.With("all debts together"))
				return faults.Err()
			}
		}
	}
	return faults.Err()
}
