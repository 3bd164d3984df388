package journal

import (
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/receipt"
)

func (e *Entry) invoiceIssued(i account.InvoiceIssued) {
	e.Description = "Invoice " + i.Number
	e.debit(Receivable, i.Total)
	e.split(Sales, Credit, i.Total, i.Taxes)
}

func (e *Entry) invoiceVoided(v account.InvoiceVoided) {
	e.Description = "Invoice " + string(v.Invoice) + " voided"
	e.split(Sales, Debit, v.Amount, v.Taxes)
	e.credit(Receivable, v.Amount)
}

// A credit note undoes sales, but on a late charge it undoes the income that the charge was.
func (e *Entry) creditNoteIssued(c account.CreditNoteIssued) {
	e.Description = "Credit note " + c.Number
	if c.Charge {
		e.post(MiscIncome, Debit, c.Total, account.OutOfScope, 0)
	} else {
		e.split(SalesReturns, Debit, c.Total, c.Taxes)
	}
	applied := sum(c.Applied, c.Total)
	e.credit(Receivable, applied)
	e.credit(Advances, less(c.Total, applied))
}

func (e *Entry) applied(description string, list []account.Allocation) {
	e.Description = description
	if len(list) > 0 {
		amount := sum(list, list[0].Amount)
		e.debit(Advances, amount)
		e.credit(Receivable, amount)
	}
}

func (e *Entry) unapplied(description string, list []account.Allocation) {
	e.Description = description
	if len(list) > 0 {
		amount := sum(list, list[0].Amount)
		e.debit(Receivable, amount)
		e.credit(Advances, amount)
	}
}

// A payment that was a receipt without a known payer is in the bank already.
func (e *Entry) paymentRecorded(p account.PaymentRecorded) {
	e.Description = "Payment " + string(p.Payment)
	applied := sum(p.Allocations, p.Amount)
	if p.Receipt != "" {
		e.debit(Suspense, p.Amount)
	} else {
		e.debit(Bank, p.Amount)
	}
	e.credit(Receivable, applied)
	e.credit(Advances, less(p.Amount, applied))
}

func (e *Entry) paymentReversed(r account.PaymentReversed) {
	e.Description = "Payment " + string(r.Payment) + " reversed"
	released := sum(r.Released, r.Amount)
	e.debit(Receivable, released)
	e.debit(Advances, less(r.Amount, released))
	e.credit(Bank, r.Amount)
}

func (e *Entry) refundIssued(r account.RefundIssued) {
	e.Description = "Refund " + string(r.Refund)
	e.debit(Advances, r.Amount)
	e.credit(Bank, r.Amount)
}

// The output tax of what is given up goes back (Consumption Tax Act art. 39). A late charge bore none.
func (e *Entry) writtenOff(w account.WrittenOff) {
	e.Description = "Write-off " + string(w.WriteOff) + " of " + string(w.Invoice)
	if w.Charge {
		e.post(BadDebtLoss, Debit, w.Amount, account.OutOfScope, 0)
	} else {
		e.split(BadDebtLoss, Debit, w.Amount, w.Taxes)
	}
	e.credit(Receivable, w.Amount)
}

func (e *Entry) writeOffRecovered(r account.WriteOffRecovered) {
	e.Description = "Recovery " + string(r.Recovery) + " of " + string(r.Invoice)
	e.debit(Bank, r.Amount)
	e.split(Recovery, Credit, r.Amount, r.Taxes)
}

// A transfer fee that the seller bears is a discount with its tax, so small that no document is due for it (below
// 10,000 yen); a rounding is a loss or an income without tax.
func (e *Entry) differenceSettled(d account.DifferenceSettled) {
	switch {
	case d.Payment != "":
		e.Description = "Surplus of payment " + string(d.Payment)
		e.debit(Advances, d.Amount)
		e.credit(MiscIncome, d.Amount)
	case d.Reason == account.BankFee:
		e.Description = "Bank fee on " + string(d.Invoice)
		e.split(SalesReturns, Debit, d.Amount, d.Taxes)
		e.credit(Receivable, d.Amount)
	default:
		e.Description = "Difference on " + string(d.Invoice)
		e.debit(MiscLoss, d.Amount)
		e.credit(Receivable, d.Amount)
	}
}

// Late charges are damages: outside the scope of consumption tax.
func (e *Entry) lateChargeAssessed(l account.LateChargeAssessed) {
	e.Description = "Late charge " + l.Number + " on " + string(l.Invoice)
	e.debit(Receivable, l.Amount)
	e.post(MiscIncome, Credit, l.Amount, account.OutOfScope, 0)
}

func (e *Entry) lateChargeWaived(l account.LateChargeWaived) {
	e.Description = "Late charge " + string(l.Charge) + " waived"
	e.post(MiscIncome, Debit, l.Amount, account.OutOfScope, 0)
	e.credit(Receivable, l.Amount)
}

func (e *Entry) receiptRecorded(r receipt.Recorded) {
	e.Description = "Receipt " + string(r.Receipt)
	e.debit(Bank, r.Amount)
	e.credit(Suspense, r.Amount)
}

func (e *Entry) receiptReturned(r receipt.Returned) {
	e.Description = "Receipt " + string(r.Receipt) + " returned"
	e.debit(Suspense, r.Amount)
	e.credit(Bank, r.Amount)
}
