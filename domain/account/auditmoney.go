package account

import (
	"slices"

	"github.com/urikake/urikake/domain"
)

// Unapplied credit is applied, to what is open.
func (e CreditApplied) audit(s *State, k Key) error {
	f, err := s.credit(e.Credit)
	if err != nil {
		return err
	}
	return s.applies(k, f, e.ApplyOn, e.Allocations)
}

// applies finds allocations that the fund or the items can't bear from the day on.
func (s *State) applies(k Key, f *fund, on domain.Date, list []Allocation) error {
	if len(list) == 0 {
		return ErrNothingToApply
	}
	if err := k.allocated(list); err != nil {
		return err
	}
	_, err := s.application(k, f, on, list)
	return err
}

// Credit is unapplied from what it was applied to.
func (e CreditUnapplied) audit(s *State, k Key) error {
	f, err := s.credit(e.Credit)
	if err != nil {
		return err
	}
	return s.releases(k, f, e.UnapplyOn, e.Allocations)
}

// releases finds allocations that were not applied, or later than on the day.
func (s *State) releases(k Key, f *fund, on domain.Date, list []Allocation) error {
	if len(list) == 0 {
		return ErrNotApplied.With("it takes back nothing")
	}
	if err := k.allocated(list); err != nil {
		return err
	}
	_, err := s.releasable(k, f, on, list)
	return err
}

// A payment is recorded once, and settles no more than it is, nor than is open.
func (e PaymentRecorded) audit(s *State, k Key) error {
	if s.payments.has(e.Payment) {
		return ErrRepeatedID.With("payment %s", e.Payment)
	}
	if err := k.some(e.Amount); err != nil {
		return err
	}
	if err := k.allocated(e.Allocations); err != nil {
		return err
	}
	return s.afford(k, e.Allocations, e.ReceivedOn, e.Amount.Minor())
}

// Unapplied cash is applied, to what is open.
func (e PaymentApplied) audit(s *State, k Key) error {
	f, err := s.payment(e.Payment)
	if err != nil {
		return err
	}
	return s.applies(k, f, e.ApplyOn, e.Allocations)
}

// A payment is unapplied from what it was applied to.
func (e PaymentUnapplied) audit(s *State, k Key) error {
	f, err := s.payment(e.Payment)
	if err != nil {
		return err
	}
	return s.releases(k, f, e.UnapplyOn, e.Allocations)
}

// A payment is reversed once, as a whole, and sets free all that it settles.
func (e PaymentReversed) audit(s *State, k Key) error {
	f, err := s.payment(e.Payment)
	switch {
	case err != nil:
		return err
	case f.left().reversed > 0:
		return ErrAlreadyReversed.With("%s", e.Payment)
	case f.left().refunded+f.left().differences > 0:
		return ErrPartlyRefunded.With("%s", k.money(f.left().refunded+f.left().differences))
	case e.ReverseOn.Before(f.moves.last()):
		return ErrBeforeApplied.With("the payment last moved on %s", f.moves.last())
	}
	var want []Allocation
	for _, a := range f.applied {
		want = append(want, Allocation{a.item, k.money(a.amount)})
	}
	if !slices.Equal(e.Released, want) {
		return domain.ErrContradiction.With("it sets free %v, and the payment settles %v", e.Released, want)
	}
	return domain.Same("the amount", e.Amount, k.money(f.amount))
}

// A refund is issued once, from one fund, of what is unapplied of it.
func (e RefundIssued) audit(s *State, k Key) error {
	if s.refunds[e.Refund] {
		return ErrRepeatedID.With("refund %s", e.Refund)
	}
	if (e.Payment == "") == (e.Credit == "") {
		return ErrRefundSource
	}
	f, err := s.source(e.Payment, e.Credit)
	if err != nil {
		return err
	}
	return s.spends(k, f, e.RefundOn, e.Amount)
}

// spends finds an amount beyond what is unapplied from the day on.
func (s *State) spends(k Key, f *fund, on domain.Date, amount domain.Money) error {
	if low := f.moves.low(on); amount.Minor() > low {
		return ErrExceedsUnapplied.With("%s, unapplied from %s on: %s", amount, on, k.money(low))
	}
	return k.some(amount)
}

// A claim is written off once by an id, as far as it is open.
func (e WrittenOff) audit(s *State, k Key) error {
	if s.writeOffs[e.WriteOff] != nil {
		return ErrRepeatedID.With("write-off %s", e.WriteOff)
	}
	it, err := s.gives(k, e.Invoice, e.WriteOffOn, e.Amount, e.Taxes)
	if err != nil {
		return err
	}
	return domain.Same("whether it was a late charge", e.Charge, it.charge)
}

// gives finds an amount beyond what is open of an item from the day on, or taxes beyond what is left of its own.
func (s *State) gives(k Key, id domain.InvoiceID, on domain.Date, amount domain.Money, rows []Tax) (*item, error) {
	if err := k.some(amount); err != nil {
		return nil, err
	}
	it, err := s.find("", id)
	if err == nil {
		err = it.bear(k, on, amount)
	}
	if err == nil {
		err = taken(s.uncredited(it), rows)
	}
	if err == nil && gross(rows) > amount.Minor() {
		err = domain.ErrContradiction.With("its taxes come to %s of %s", k.money(gross(rows)), amount)
	}
	return it, err
}

// Of a write-off no more is recovered than was written off.
func (e WriteOffRecovered) audit(s *State, k Key) error {
	if err := k.some(e.Amount); err != nil {
		return err
	}
	w := s.writeOffs[e.WriteOff]
	switch {
	case s.recovered[e.Recovery]:
		return ErrRepeatedID.With("recovery %s", e.Recovery)
	case w == nil:
		return ErrUnknownWriteOff.With("%s", e.WriteOff)
	case e.Invoice != w.item:
		return domain.Same("the invoice", e.Invoice, w.item)
	case e.RecoverOn.Before(w.on):
		return ErrBeforeIssue.With("written off on %s", w.on)
	case e.Amount.Minor() > w.amount-w.recovered:
		return ErrExceedsWriteOff.With("%s, left: %s", e.Amount, k.money(w.amount-w.recovered))
	}
	return taken(w.taxes, e.Taxes)
}

// A difference is settled on one invoice or one payment, as far as it is open.
func (e DifferenceSettled) audit(s *State, k Key) error {
	if (e.Invoice == "") == (e.Payment == "") {
		return ErrDifferenceTarget
	}
	if e.Invoice != "" {
		_, err := s.gives(k, e.Invoice, e.SettleOn, e.Amount, e.Taxes)
		return err
	}
	f, err := s.payment(e.Payment)
	if err != nil {
		return err
	}
	return s.spends(k, f, e.SettleOn, e.Amount)
}

// A late charge is waived as far as it is open.
func (e LateChargeWaived) audit(s *State, k Key) error {
	it, err := s.gives(k, e.Charge, e.WaiveOn, e.Amount, nil)
	if err == nil && !it.charge {
		err = ErrNotACharge.With("%s", e.Charge)
	}
	return err
}
