package account

import (
	"slices"

	"github.com/urikake/urikake/domain"
)

// audit: see domain.Decider. An account's first stream begins with anything but a balance that is brought forward, every

// further one with all parts of such a balance; after a balance was carried forward nothing stands.
func audit(s *State, stream string, e domain.Event) error {
	known, ok := e.(Event)
	if !ok {
		return domain.ErrMisplaced.With("%s is no event of an account", e.Kind())
	}
	key, period, ok := ParseStream(stream)
	if !ok {
		return domain.ErrMisplaced.With("no account has such a stream")
	}
	brought, brings := e.(BalanceBroughtForward)
	switch {
	case s.carriedInto != "":
		return ErrCarriedForward.With("it goes on in period %s", s.carriedInto)
	case brings && (period == "" || brought.Period != period):
		return domain.ErrMisplaced.With("it opens period %q, and this is %q", brought.Period, period)
	case !brings && (s.brought < s.parts || period != "" && s.parts == 0):
		return ErrCarriedForward.With("%d of %d parts of the balance are brought forward", s.brought, s.parts)
	}
	return known.audit(s, key)
}

// own finds an amount of another currency than the account's.
func (k Key) own(m domain.Money) error {
	if m.Currency() == k.Currency {
		return nil
	}
	return domain.ErrMisplaced.With("%s, and the account is in %s", m, k.Currency)
}

// some finds an amount of another currency, and one that is not above zero.
func (k Key) some(m domain.Money) error {
	if m.Minor() > 0 {
		return k.own(m)
	}
	return m.CheckPositive()
}

// allocated finds allocations of other currencies, of nothing, and such to one item twice.
func (k Key) allocated(list []Allocation) error {
	for _, a := range list {
		if err := k.some(a.Amount); err != nil {
			return err
		}
	}
	if len(list) < 2 {
		return nil
	}
	seen := make(map[domain.InvoiceID]bool, len(list))
	for _, a := range list {
		if seen[a.Invoice] {
			return ErrRepeatedAllocation.With("%s", a.Invoice)
		}
		seen[a.Invoice] = true
	}
	return nil
}

// gross is what rows come to.
func gross(rows []Tax) (sum int64) {
	for _, t := range rows {
		sum += t.gross()
	}
	return sum
}

// taken finds rows that take more than is left at a rate.
func taken(rest, rows []Tax) error {
	for _, t := range rows {
		i := slices.IndexFunc(rest, func(o Tax) bool { return o.key() == t.key() })
		switch {
		case i < 0:
			return ErrBeyondInvoice.With("nothing is left at %s %s %%", t.Category, t.Rate)
		case t.Net.Minor() > rest[i].Net.Minor() || t.Tax.Minor() > rest[i].Tax.Minor():
			return ErrBeyondInvoice.With("%s and tax %s at %s %s %%, left: %s and %s", t.Net, t.Tax, t.Category, t.Rate, rest[i].Net, rest[i].Tax)
		}
	}
	return nil
}

// An invoice is issued once, is not due before, and its taxes come to its total.
func (e InvoiceIssued) audit(s *State, k Key) error {
	switch {
	case s.items.has(e.Invoice):
		return ErrRepeatedID.With("invoice %s", e.Invoice)
	case e.DueOn.Before(e.IssuedOn):
		return ErrDueBeforeIssue.With("due %s, issued %s", e.DueOn, e.IssuedOn)
	case e.Number == "":
		return ErrNoNumber
	case e.Total.Minor() < 0:
		return ErrNegativeTotal.With("%s", e.Total)
	case len(e.Lines)+len(e.Taxes) > 0 && gross(e.Taxes) != e.Total.Minor():
		return domain.ErrContradiction.With("its lines come to %s, and its total is %s", k.money(gross(e.Taxes)), e.Total)
	}
	return k.own(e.Total)
}

// An invoice is voided as a whole, while nothing was settled, credited or disputed on it.
func (e InvoiceVoided) audit(s *State, k Key) error {
	events, err := VoidInvoice{Key: k, Invoice: e.Invoice, VoidOn: e.VoidOn}.decide(s, Parties{})
	if err != nil {
		return err
	}
	want := events[0].(InvoiceVoided)
	if !slices.Equal(e.Taxes, want.Taxes) {
		return domain.ErrContradiction.With("it takes back %v, and the invoice had %v", e.Taxes, want.Taxes)
	}
	return domain.Same("the amount", e.Amount, want.Amount)
}

// A due date is changed from the one that holds.
func (e DueDateChanged) audit(s *State, k Key) error {
	events, err := ChangeDueDate{Key: k, Invoice: e.Invoice, DueOn: e.DueOn, ChangeOn: e.ChangeOn}.decide(s, Parties{})
	if err != nil {
		return err
	}
	return domain.Same("the due date until then", e.WasDueOn, events[0].(DueDateChanged).WasDueOn)
}

// Any number may be forfeited.
func (NumberForfeited) audit(*State, Key) error { return nil }

// A credit note is issued once. Against an invoice it takes no more than is left of it, at no rate, and settles what is

// open there.
func (e CreditNoteIssued) audit(s *State, k Key) error {
	if err := k.some(e.Total); err != nil {
		return err
	}
	sum := gross(e.Taxes)
	switch {
	case s.credits.has(e.Credit):
		return ErrRepeatedID.With("credit note %s", e.Credit)
	case e.Number == "":
		return ErrNoNumber
	case sum > e.Total.Minor() || len(e.Lines) > 0 && sum != e.Total.Minor():
		return domain.ErrContradiction.With("its lines come to %s, and its total is %s", k.money(sum), e.Total)
	case e.Invoice == "" && len(e.Applied) == 0:
		return nil
	}
	it, err := s.find("", e.Invoice)
	if err != nil {
		return err
	}
	left := it.total - it.rare().notedTotal - it.rare().cancelled - it.rare().writtenOff
	switch {
	case e.IssuedOn.Before(it.issuedOn):
		return ErrBeforeIssue.With("%s was issued on %s", it.id, it.issuedOn)
	case e.Charge != it.charge:
		return domain.Same("whether it corrects a late charge", e.Charge, it.charge)
	case e.Total.Minor() > left:
		return ErrBeyondInvoice.With("%s, left of %s: %s", e.Total, it.id, k.money(max(0, left)))
	}
	if it.charge || len(it.taxes) > 0 {
		if err := taken(s.uncredited(it), e.Taxes); err != nil {
			return err
		}
	}
	var want []Allocation
	if part := min(e.Total.Minor(), it.moves.low(e.IssuedOn)); part > 0 {
		want = []Allocation{{it.id, k.money(part)}}
	}
	if !slices.Equal(e.Applied, want) {
		return domain.ErrContradiction.With("it settles %v, and what is open is %v", e.Applied, want)
	}
	return nil
}

// A dispute is opened once, about what is open and not in dispute.
func (e DisputeOpened) audit(s *State, k Key) error {
	if err := k.some(e.Amount); err != nil {
		return err
	}
	_, err := OpenDispute{Key: k, Dispute: e.Dispute, Invoice: e.Invoice, OpenedOn: e.OpenedOn, Amount: e.Amount}.decide(s, Parties{})
	return err
}

// A dispute is resolved once; what is upheld led to a credit note right before.
func (e DisputeResolved) audit(s *State, k Key) error {
	d := s.disputes[e.Dispute]
	upheld := e.Outcome == DisputeUpheld
	switch {
	case d == nil:
		return ErrUnknownDispute.With("%s", e.Dispute)
	case d.resolved:
		return ErrDisputeResolved.With("%s", e.Dispute)
	case e.Invoice != d.item:
		return domain.Same("the invoice", e.Invoice, d.item)
	case e.Amount != k.money(d.amount):
		return domain.Same("the amount", e.Amount, k.money(d.amount))
	case e.ResolvedOn.Before(d.openedOn):
		return ErrBeforeIssue.With("opened on %s", d.openedOn)
	case upheld != (e.Credit != ""):
		return ErrCreditOnlyUpheld
	case upheld && !s.credits.has(e.Credit):
		return ErrUnknownCredit.With("%s", e.Credit)
	}
	return nil
}

// A late charge is assessed once, on an invoice that is overdue, for days that are over and not charged yet, and is what

// its segments come to by its rate.
func (e LateChargeAssessed) audit(s *State, k Key) error {
	if err := k.some(e.Amount); err != nil {
		return err
	}
	it, err := s.find("", e.Invoice)
	switch {
	case err != nil:
		return err
	case s.items.has(e.Charge):
		return ErrRepeatedID.With("late charge %s", e.Charge)
	case it.charge:
		return ErrChargeOnCharge.With("%s", e.Invoice)
	case it.voided:
		return ErrNoLateCharge.With("%s was voided", e.Invoice)
	case e.From.Before(it.dueOn):
		return ErrBeforeIssue.With("%s is due on %s", it.id, it.dueOn)
	case e.From.Before(it.rare().chargedUntil):
		return ErrChargedAlready.With("to %s", it.rare().chargedUntil)
	case e.To.After(e.AssessedOn):
		return ErrNotAccrued.With("to %s, assessed %s", e.To, e.AssessedOn)
	case e.DueOn.Before(e.AssessedOn):
		return ErrDueBeforeIssue.With("due %s, assessed %s", e.DueOn, e.AssessedOn)
	}
	var sum int64
	from := e.From
	for _, seg := range e.Segments {
		amount, err := domain.LateCharge(seg.Base, e.Rate, seg.From, seg.To, e.DayCount)
		switch {
		case err != nil:
			return err
		case seg.From.Before(from) || seg.To.After(e.To):
			return ErrChargedAlready.With("a segment from %s to %s, want %s to %s", seg.From, seg.To, from, e.To)
		case seg.Base.Minor() > it.moves.at(seg.From):
			return ErrExceedsOpen.With("%s, open on %s: %s", seg.Base, seg.From, k.money(it.moves.at(seg.From)))
		case seg.Amount != amount:
			return domain.ErrContradiction.With("it charges %s on %s from %s to %s, and at %s %% that is %s", seg.Amount, seg.Base, seg.From, seg.To, e.Rate, amount)
		}
		sum, from = sum+amount.Minor(), seg.To
	}
	return domain.Same("the amount", e.Amount, k.money(sum))
}

// Carries finds a part of a balance that is not what the closed stream gave. Days and due dates that a carry forward of
