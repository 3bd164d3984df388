package account

import "github.com/urikake/urikake/domain"

// Events is everything that accounts have ever written, with its versions.
var Events = []domain.Schema{
	domain.Describe[InvoiceIssued](),
	domain.Describe[InvoiceVoided](),
	domain.Describe[DueDateChanged](),
	domain.Describe[NumberForfeited](),
	domain.Describe[CreditNoteIssued](),
	domain.Describe[CreditApplied](),
	domain.Describe[CreditUnapplied](),
	domain.Describe[PaymentRecorded](),
	domain.Describe[PaymentApplied](),
	domain.Describe[PaymentUnapplied](),
	domain.Describe[PaymentReversed](),
	domain.Describe[RefundIssued](),
	domain.Describe[WrittenOff](),
	domain.Describe[WriteOffRecovered](),
	domain.Describe[DifferenceSettled](),
	domain.Describe[DisputeOpened](),
	domain.Describe[DisputeResolved](),
	domain.Describe[LateChargeAssessed](),
	domain.Describe[LateChargeWaived](),
	domain.Describe[BalanceCarriedForward](),
	domain.Describe[BalanceBroughtForward](),
}

// Commands is every order that a client may give to an account, by name.
var Commands = []Command{
	IssueInvoice{},
	VoidInvoice{},
	ChangeDueDate{},
	IssueCreditNote{},
	ApplyCredit{},
	UnapplyCredit{},
	RecordPayment{},
	ApplyPayment{},
	UnapplyPayment{},
	ReversePayment{},
	IssueRefund{},
	WriteOff{},
	RecoverWriteOff{},
	SettleDifference{},
	OpenDispute{},
	ResolveDispute{},
	AssessLateCharge{},
	WaiveLateCharge{},
	CarryForward{},
}

// WithID gives a command that names no id of its own the derived one, so that a repeated command names the same.
func WithID(c Command, derived string) Command {
	switch c := c.(type) {
	case IssueInvoice:
		c.Invoice = either(c.Invoice, derived)
		return c
	case IssueCreditNote:
		c.Credit = either(c.Credit, derived)
		return c
	case RecordPayment:
		c.Payment = either(c.Payment, derived)
		return c
	case IssueRefund:
		c.Refund = either(c.Refund, derived)
		return c
	case WriteOff:
		c.WriteOff = either(c.WriteOff, derived)
		return c
	case RecoverWriteOff:
		c.Recovery = either(c.Recovery, derived)
		return c
	case OpenDispute:
		c.Dispute = either(c.Dispute, derived)
		return c
	case ResolveDispute:
		if c.Outcome == DisputeUpheld {
			c.Credit = either(c.Credit, derived)
		}
		return c
	case AssessLateCharge:
		c.Charge = either(c.Charge, derived)
		return c
	}
	return c
}

func either[T ~string](id T, derived string) T {
	if id != "" {
		return id
	}
	return T(derived)
}
