package account

import "github.com/urikake/urikake/domain"

var (
	ErrUnknownPayment = &domain.Error{
		Code: domain.NotFound, Rule: "account.unknown_payment",
		Text: "the account has no such payment",
	}
	ErrOverAllocated = &domain.Error{
		Code: domain.Refused, Rule: "account.over_allocated",
		Text: "the allocations are more than is unapplied from that day on",
	}
	ErrNothingToApply = &domain.Error{
		Code: domain.Invalid, Rule: "account.no_allocations",
		Text: "say to which invoices it goes and how much to each",
	}
	ErrRepeatedAllocation = &domain.Error{
		Code: domain.Invalid, Rule: "account.repeated_allocation",
		Text: "the same invoice stands twice in the allocations",
	}
	ErrNotApplied = &domain.Error{
		Code: domain.Refused, Rule: "account.not_applied",
		Text: "so much was not applied to the invoice",
	}
	ErrBeforeApplied = &domain.Error{
		Code: domain.Refused, Rule: "account.before_applied",
		Text: "the day lies before the day of the movement that it undoes",
	}
	ErrAlreadyReversed = &domain.Error{
		Code: domain.Refused, Rule: "account.already_reversed",
		Text: "the payment is reversed already",
	}
	ErrPartlyRefunded = &domain.Error{
		Code: domain.Refused, Rule: "account.partly_refunded",
		Text: "some of the payment was refunded or taken as a difference; it can't be reversed",
	}
)

// RecordPayment books money received: to the given invoices, or to the oldest due first, or to none.
// What is left stays on the account as unapplied cash.
type RecordPayment struct {
	Key
	Payment     domain.PaymentID `json:"payment,omitempty" doc:"id within the account; derived from the command's id when left out"`
	ReceivedOn  domain.Date      `json:"received_on" doc:"value date"`
	Amount      domain.Money     `json:"amount" doc:"money received"`
	Allocations []Allocation     `json:"allocations,omitempty" doc:"to which invoices it goes"`
	Allocate    Allocate         `json:"allocate,omitempty" doc:"without allocations: OLDEST_DUE (default) or NONE"`
	Basis       Basis            `json:"basis,omitempty" doc:"by whose word: AGREEMENT, DEBTOR_DESIGNATED, CREDITOR_DESIGNATED or STATUTORY"`
	Method      string           `json:"method,omitempty" doc:"how it came: TRANSFER, DIRECT_DEBIT, CASH, CARD, CHEQUE..."`
	Reference   string           `json:"reference,omitempty" doc:"the bank's reference"`
	Payer       string           `json:"payer,omitempty" personal:"true" doc:"payer's name as the bank gave it"`
	Receipt     domain.ReceiptID `json:"-"` // the receipt without a known payer that it was found to be; the ledger says so
}

func (RecordPayment) Name() string { return "RecordPayment" }

func (c RecordPayment) check(f *domain.Faults) {
	f.Add("/payment", domain.CheckID(c.Payment))
	date(f, "/received_on", c.ReceivedOn)
	c.positive(f, "/amount", c.Amount)
	c.checkAllocations(f, c.Allocations, false)
	oneOf(f, "/allocate", c.Allocate, "", OldestDue, Nothing)
	f.Require(c.Allocate == "" || len(c.Allocations) == 0, "/allocate", domain.ErrUnknown.With("allocations are given already"))
	oneOf(f, "/basis", c.Basis, "", ByAgreement, ByDebtor, ByCreditor, ByStatute)
	text(f, "/method", c.Method, false)
	text(f, "/reference", c.Reference, false)
	text(f, "/payer", c.Payer, false)
}

func (c RecordPayment) decide(s *State, p Parties) ([]domain.Event, error) {
	if s.knowsPayment(c.Payment, p.Earlier) {
		return nil, ErrRepeatedID.With("payment %s", c.Payment).At("/payment")
	}
	if s.unappliedTotal+c.Amount.Minor() > domain.MinorMax {
		return nil, ErrBalanceTooLarge
	}
	if err := s.afford(c.Key, c.Allocations, c.ReceivedOn, c.Amount.Minor()); err != nil {
		return nil, err
	}
	e := PaymentRecorded{
		Payment: c.Payment, ReceivedOn: c.ReceivedOn, Amount: c.Amount, Allocations: c.Allocations,
		Basis: c.Basis, Method: c.Method, Reference: c.Reference, Payer: c.Payer, Receipt: c.Receipt,
	}
	if len(e.Allocations) == 0 && c.Allocate != Nothing {
		e.Allocations = s.oldestFirst(c.Key, c.ReceivedOn, c.Amount.Minor())
	}
	if e.Basis == "" && len(e.Allocations) > 0 {
		if e.Basis = ByAgreement; len(c.Allocations) > 0 {
			e.Basis = ByDebtor
		}
	}
	return []domain.Event{e}, nil
}

// PaymentRecorded says that money came in, and what it settled at once.
type PaymentRecorded struct {
	Payment     domain.PaymentID `json:"payment" doc:"id within the account"`
	ReceivedOn  domain.Date      `json:"received_on" doc:"value date"`
	Amount      domain.Money     `json:"amount" doc:"money received"`
	Allocations []Allocation     `json:"allocations,omitempty" doc:"what it settled; the rest is unapplied"`
	Basis       Basis            `json:"basis,omitempty" doc:"by whose word it was appropriated"`
	Method      string           `json:"method,omitempty" doc:"how it came"`
	Reference   string           `json:"reference,omitempty" doc:"the bank's reference"`
	Payer       string           `json:"payer,omitempty" personal:"true" doc:"payer's name as the bank gave it"`
	Receipt     domain.ReceiptID `json:"receipt,omitempty" doc:"the receipt of that day, without a known payer until then, that it is"`
}

func (PaymentRecorded) Kind() string      { return "account.payment_recorded" }
func (e PaymentRecorded) On() domain.Date { return e.ReceivedOn }
func (e PaymentRecorded) Effect() int64   { return -e.Amount.Minor() }

func (e PaymentRecorded) apply(s *State) {
	f := s.addFund(e.ReceivedOn, e.Amount.Minor())
	s.payments.put(e.Payment, f)
	s.settle(f, e.ReceivedOn, e.Allocations, settled)
}

func (s *State) payment(id domain.PaymentID) (*fund, error) {
	if f := s.payments.get(id); f != nil {
		return f, nil
	}
	return nil, ErrUnknownPayment.With("%s", id).At("/payment")
}

// ApplyPayment settles invoices with unapplied cash from a day on.
type ApplyPayment struct {
	Key
	Payment     domain.PaymentID `json:"payment" doc:"the payment"`
	ApplyOn     domain.Date      `json:"on" doc:"the day from which they are settled"`
	Allocations []Allocation     `json:"allocations,omitempty" doc:"to which invoices; the oldest due first when left out"`
	Basis       Basis            `json:"basis,omitempty" doc:"by whose word"`
}

func (ApplyPayment) Name() string { return "ApplyPayment" }

func (c ApplyPayment) check(f *domain.Faults) {
	f.Add("/payment", domain.CheckID(c.Payment))
	date(f, "/on", c.ApplyOn)
	c.checkAllocations(f, c.Allocations, false)
	oneOf(f, "/basis", c.Basis, "", ByAgreement, ByDebtor, ByCreditor, ByStatute)
}

func (c ApplyPayment) decide(s *State, _ Parties) ([]domain.Event, error) {
	fund, err := s.payment(c.Payment)
	if err != nil {
		return nil, err
	}
	list, err := s.application(c.Key, fund, c.ApplyOn, c.Allocations)
	if err != nil {
		return nil, err
	}
	basis := c.Basis
	if basis == "" {
		if basis = ByAgreement; len(c.Allocations) > 0 {
			basis = ByCreditor
		}
	}
	return []domain.Event{PaymentApplied{c.Payment, c.ApplyOn, list, basis}}, nil
}

// PaymentApplied says that unapplied cash settled invoices.
type PaymentApplied struct {
	Payment     domain.PaymentID `json:"payment" doc:"the payment"`
	ApplyOn     domain.Date      `json:"on" doc:"the day from which they are settled"`
	Allocations []Allocation     `json:"allocations" doc:"what it settled"`
	Basis       Basis            `json:"basis,omitempty" doc:"by whose word it was appropriated"`
}

func (PaymentApplied) Kind() string      { return "account.payment_applied" }
func (e PaymentApplied) On() domain.Date { return e.ApplyOn }
func (PaymentApplied) Effect() int64     { return 0 }
func (e PaymentApplied) apply(s *State) {
	s.settle(s.payments.use(e.Payment), e.ApplyOn, e.Allocations, settled)
}

// UnapplyPayment takes settled amounts back to unapplied cash: the invoices are open again from that day on.
type UnapplyPayment struct {
	Key
	Payment     domain.PaymentID `json:"payment" doc:"the payment"`
	UnapplyOn   domain.Date      `json:"on" doc:"the day from which the invoices are open again"`
	Allocations []Allocation     `json:"allocations,omitempty" doc:"what is taken back; all of it when left out"`
	Reason      string           `json:"reason" doc:"why"`
}

func (UnapplyPayment) Name() string { return "UnapplyPayment" }

func (c UnapplyPayment) check(f *domain.Faults) {
	f.Add("/payment", domain.CheckID(c.Payment))
	date(f, "/on", c.UnapplyOn)
	c.checkAllocations(f, c.Allocations, false)
	text(f, "/reason", c.Reason, true)
}

func (c UnapplyPayment) decide(s *State, _ Parties) ([]domain.Event, error) {
	fund, err := s.payment(c.Payment)
	if err != nil {
		return nil, err
	}
	list, err := s.releasable(c.Key, fund, c.UnapplyOn, c.Allocations)
	if err != nil {
		return nil, err
	}
	return []domain.Event{PaymentUnapplied{c.Payment, c.UnapplyOn, list, c.Reason}}, nil
}

// PaymentUnapplied says that invoices are open again and the money is unapplied.
type PaymentUnapplied struct {
	Payment     domain.PaymentID `json:"payment" doc:"the payment"`
	UnapplyOn   domain.Date      `json:"on" doc:"the day from which the invoices are open again"`
	Allocations []Allocation     `json:"allocations" doc:"what was taken back"`
	Reason      string           `json:"reason" doc:"why"`
}

func (PaymentUnapplied) Kind() string      { return "account.payment_unapplied" }
func (e PaymentUnapplied) On() domain.Date { return e.UnapplyOn }
func (PaymentUnapplied) Effect() int64     { return 0 }
func (e PaymentUnapplied) apply(s *State) {
	s.release(s.payments.use(e.Payment), e.UnapplyOn, e.Allocations, settled)
}

// ReversePayment books that the money never came or was called back (a bounced cheque, a returned debit): what it
// settled is open again under its original due date.
type ReversePayment struct {
	Key
	Payment   domain.PaymentID `json:"payment" doc:"the payment"`
	ReverseOn domain.Date      `json:"on" doc:"the day on which the bank took it back"`
	Reason    string           `json:"reason" doc:"why, in the bank's words"`
}

func (ReversePayment) Name() string { return "ReversePayment" }

func (c ReversePayment) check(f *domain.Faults) {
	f.Add("/payment", domain.CheckID(c.Payment))
	date(f, "/on", c.ReverseOn)
	text(f, "/reason", c.Reason, true)
}

func (c ReversePayment) decide(s *State, _ Parties) ([]domain.Event, error) {
	fund, err := s.payment(c.Payment)
	switch {
	case err != nil:
		return nil, err
	case fund.left().reversed > 0:
		return nil, ErrAlreadyReversed.With("%s", c.Payment).At("/payment")
	case fund.left().refunded+fund.left().differences > 0:
		return nil, ErrPartlyRefunded.With("%s", c.money(fund.left().refunded+fund.left().differences)).At("/payment")
	case c.ReverseOn.Before(fund.moves.last()):
		return nil, ErrBeforeApplied.With("the payment last moved on %s", fund.moves.last()).At("/on")
	}
	e := PaymentReversed{Payment: c.Payment, ReverseOn: c.ReverseOn, Amount: c.money(fund.amount), Reason: c.Reason}
	for _, a := range fund.applied {
		e.Released = append(e.Released, Allocation{a.item, c.money(a.amount)})
	}
	if s.openTotal+sumOf(e.Released) > domain.MinorMax {
		return nil, ErrBalanceTooLarge
	}
	return []domain.Event{e}, nil
}

// PaymentReversed says that a payment is undone as a whole.
type PaymentReversed struct {
	Payment   domain.PaymentID `json:"payment" doc:"the payment"`
	ReverseOn domain.Date      `json:"on" doc:"the day on which the bank took it back"`
	Amount    domain.Money     `json:"amount" doc:"the payment's amount, owed again"`
	Released  []Allocation     `json:"released,omitempty" doc:"what it had settled, open again under the original due dates"`
	Reason    string           `json:"reason" doc:"why"`
}

func (PaymentReversed) Kind() string      { return "account.payment_reversed" }
func (e PaymentReversed) On() domain.Date { return e.ReverseOn }
func (e PaymentReversed) Effect() int64   { return e.Amount.Minor() }

func (e PaymentReversed) apply(s *State) {
	f := s.payments.use(e.Payment)
	s.release(f, e.ReverseOn, e.Released, settled)
	s.take(f, e.ReverseOn, e.Amount.Minor())
	f.leaving().reversed += e.Amount.Minor()
}
