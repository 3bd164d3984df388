package account

import (
	"fmt"

	"github.com/urikake/urikake/domain"
)

// Allocation says how much of a payment or credit note goes to one invoice or late charge.
type Allocation struct {
	Invoice domain.InvoiceID `json:"invoice" doc:"the invoice or late charge"`
	Amount  domain.Money     `json:"amount" doc:"how much of it is settled"`
}

// Allocate says where a payment's money goes when no allocations are given.
type Allocate string

const (
	OldestDue Allocate = "OLDEST_DUE" // principal before late charges, oldest due date first: the default
	Nothing   Allocate = "NONE"       // all of it stays unapplied
)

// Basis is by whose word a payment was appropriated (Civil Code articles 488 to 491).
type Basis string

const (
	ByAgreement Basis = "AGREEMENT"
	ByDebtor    Basis = "DEBTOR_DESIGNATED"
	ByCreditor  Basis = "CREDITOR_DESIGNATED"
	ByStatute   Basis = "STATUTORY"
)

func (k Key) checkAllocations(f *domain.Faults, list []Allocation, required bool) {
	f.Require(len(list) > 0 || !required, "/allocations", ErrNothingToApply)
	f.Require(len(list) <= AllocationsMax, "/allocations", domain.ErrTooLong.With("%d, at most %d", len(list), AllocationsMax))
	seen := make(map[domain.InvoiceID]bool, len(list))
	for i, a := range list {
		at := fmt.Sprintf("/allocations/%d", i)
		f.Add(at+"/invoice", domain.CheckID(a.Invoice))
		f.Require(!seen[a.Invoice], at+"/invoice", ErrRepeatedAllocation.With("%s", a.Invoice))
		k.positive(f, at+"/amount", a.Amount)
		seen[a.Invoice] = true
	}
}

// afford refuses allocations that an item or the money at hand can't bear from a day on.
func (s *State) afford(k Key, list []Allocation, on domain.Date, atHand int64) error {
	for i, a := range list {
		at := fmt.Sprintf("/allocations/%d", i)
		it, err := s.find(at+"/invoice", a.Invoice)
		if err != nil {
			return err
		}
		if on.Before(it.issuedOn) {
			return ErrBeforeIssue.With("%s was issued on %s, the money is of %s; apply it later", it.id, it.issuedOn, on).At(at)
		}
		if low := it.moves.low(on); a.Amount.Minor() > low {
			return ErrExceedsOpen.With("%s to %s, open from %s on: %s", a.Amount, it.id, on, k.money(low)).At(at + "/amount")
		}
		if atHand -= a.Amount.Minor(); atHand < 0 {
			return ErrOverAllocated.With("with %s to %s it is %s too much", a.Amount, it.id, k.money(-atHand)).At(at + "/amount")
		}
	}
	return nil
}

// oldestFirst spreads money over what is open from a day on, in the order of settlement.
func (s *State) oldestFirst(k Key, on domain.Date, amount int64) (list []Allocation) {
	for _, it := range s.open {
		if amount == 0 || len(list) == AllocationsMax {
			break
		}
		if it.issuedOn.After(on) {
			continue
		}
		if part := min(amount, it.moves.low(on)); part > 0 {
			list = append(list, Allocation{it.id, k.money(part)})
			amount -= part
		}
	}
	return list
}

// application checks the given allocations of a fund, or finds the oldest due.
func (s *State) application(k Key, f *fund, on domain.Date, given []Allocation) ([]Allocation, error) {
	if on.Before(f.on) {
		return nil, ErrBeforeIssue.With("the money is of %s", f.on).At("/on")
	}
	atHand := f.moves.low(on)
	if err := s.afford(k, given, on, atHand); err != nil {
		return nil, err
	}
	if len(given) == 0 {
		if given = s.oldestFirst(k, on, atHand); len(given) == 0 {
			return nil, ErrNothingToApply.With("nothing is open or nothing is unapplied from %s on", on).At("/allocations")
		}
	}
	return given, nil
}

// releasable checks what is to be taken back, or gives all that is applied.
func (s *State) releasable(k Key, f *fund, on domain.Date, given []Allocation) ([]Allocation, error) {
	if len(given) == 0 {
		for _, a := range f.applied {
			given = append(given, Allocation{a.item, k.money(a.amount)})
		}
	}
	if len(given) == 0 {
		return nil, ErrNotApplied.With("nothing is applied").At("/allocations")
	}
	for i, g := range given {
		at := fmt.Sprintf("/allocations/%d", i)
		a, ok := f.appliedTo(g.Invoice)
		if !ok || g.Amount.Minor() > a.amount {
			return nil, ErrNotApplied.With("%s asked of %s, applied: %s", g.Amount, g.Invoice, k.money(a.amount)).At(at)
		}
		if on.Before(a.on) {
			return nil, ErrBeforeApplied.With("applied to %s on %s", g.Invoice, a.on).At("/on")
		}
	}
	if sum := sumOf(given); max(s.openTotal, s.unappliedTotal)+sum > domain.MinorMax {
		return nil, ErrBalanceTooLarge
	}
	return given, nil
}

func sumOf(list []Allocation) (sum int64) {
	for _, a := range list {
		sum += a.Amount.Minor()
	}
	return sum
}
