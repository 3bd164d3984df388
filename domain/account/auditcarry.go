package account

import (
	"encoding/json"

	"github.com/urikake/urikake/domain"
)

// A balance is carried forward as it stands, into another period.
func (e BalanceCarriedForward) audit(s *State, k Key) error {
	switch {
	case e.Into == "" || e.Into == s.period:
		return ErrSamePeriod.With("%s", e.Into)
	case e.Open != k.money(s.openTotal):
		return domain.Same("what is open", e.Open, k.money(s.openTotal))
	}
	return domain.Same("what is unapplied", e.Unapplied, k.money(s.unappliedTotal))
}

// A balance is brought forward once, part after part, from another stream of the account.
func (e BalanceBroughtForward) audit(s *State, k Key) error {
	from, _, ok := ParseStream(e.From)
	switch {
	case !ok || from != k:
		return domain.ErrMisplaced.With("it was carried forward from %q", e.From)
	case e.Part != s.brought+1 || s.parts > 0 && e.Parts != s.parts || e.Part > e.Parts:
		return ErrSamePeriod.With("part %d of %d after %d of %d", e.Part, e.Parts, s.brought, s.parts)
	}
	return nil
}

// earlier times did not say are not asked for. O(records).
func (e BalanceBroughtForward) Carries(given BalanceBroughtForward) error {
	for i, d := range e.Disputes {
		if i < len(given.Disputes) && d.ResolvedOn.IsZero() {
			given.Disputes[i].ResolvedOn = d.ResolvedOn
		}
	}
	for i, it := range e.Items {
		if i < len(given.Items) && len(it.DueChanges) == 0 {
			given.Items[i].DueChanges = nil
		}
	}
	has, err := json.Marshal(e)
	if err != nil {
		return err
	}
	want, err := json.Marshal(given)
	if err != nil {
		return err
	}
	at := 0
	for at < len(has) && at < len(want) && has[at] == want[at] {
		at++
	}
	if at == len(has) && at == len(want) {
		return nil
	}
	from := max(0, at-60)
	return domain.ErrContradiction.With("part %d has ...%.120s, and the closed stream gives ...%.120s", e.Part, has[from:], want[from:])
}

// Repeats finds an id that something in one of the account's closed streams has, newest first.
func Repeats(e domain.Event, closed []*State) error {
	if len(closed) == 0 {
		return nil
	}
	s, earlier := closed[0], closed[1:]
	known, id := false, ""
	switch e := e.(type) {
	case InvoiceIssued:
		known, id = s.knows(e.Invoice, earlier), "invoice "+string(e.Invoice)
	case LateChargeAssessed:
		known, id = s.knows(e.Charge, earlier), "late charge "+string(e.Charge)
	case PaymentRecorded:
		known, id = s.knowsPayment(e.Payment, earlier), "payment "+string(e.Payment)
	case CreditNoteIssued:
		known, id = s.knowsCredit(e.Credit, earlier), "credit note "+string(e.Credit)
	case RefundIssued:
		known, id = s.knowsRefund(e.Refund, earlier), "refund "+string(e.Refund)
	case WrittenOff:
		known, id = s.knowsWriteOff(e.WriteOff, earlier), "write-off "+string(e.WriteOff)
	case WriteOffRecovered:
		known, id = s.knowsRecovery(e.Recovery, earlier), "recovery "+string(e.Recovery)
	case DisputeOpened:
		known, id = s.knowsDispute(e.Dispute, earlier), "dispute "+string(e.Dispute)
	}
	if known {
		return ErrRepeatedID.With("%s, in a closed stream", id)
	}
	return nil
}

// Owed is what was owed by an invoice or late charge when it was issued; ok is false where the account has none by the id.
func (s *State) Owed(id domain.InvoiceID) (minor int64, ok bool) {
	it := s.items.get(id)
	if it == nil {
		return 0, false
	}
	return it.total, true
}
