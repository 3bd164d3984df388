// Package journal says what an event of a receivable account means in double-entry bookkeeping: which titles it debits
// and credits, by the tax-exclusive method (税抜経理). An entry is a pure function of its one event, so that journals of
// any days and any ledger come out the same whenever they are written.
//
// Accounts receivable then always stands at the sum of what is open, Advances received at the sum of what is unapplied,
// Suspense receipts at the sum of the receipts whose payer is not known, as of any day.
package journal

import (
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/receipt"
)

// Side is where an amount stands.
type Side string

const (
	Debit  Side = "debit"
	Credit Side = "credit"
)

// Entry is one journal entry (仕訳): its debits and its credits come to the same.
type Entry struct {
	On          domain.Date
	Description string
	Lines       []Line
}

// Line is an amount, always greater than zero, on one side of a title.
type Line struct {
	Title       Title
	Side        Side
	Amount      domain.Money
	TaxCategory account.TaxCategory // "" where tax does not matter or is not known
	Rate        domain.Rate
}

// Of gives the entry of an event; ok is false for an event that posts nothing: a due date changed, a dispute, a carry
// forward, an invoice of zero.
func Of(event account.Event) (entry Entry, ok bool) {
	e := Entry{On: event.On()}
	switch event := event.(type) {
	case account.InvoiceIssued:
		e.invoiceIssued(event)
	case account.InvoiceVoided:
		e.invoiceVoided(event)
	case account.CreditNoteIssued:
		e.creditNoteIssued(event)
	case account.CreditApplied:
		e.applied("Credit note "+string(event.Credit)+" applied", event.Allocations)
	case account.CreditUnapplied:
		e.unapplied("Credit note "+string(event.Credit)+" unapplied", event.Allocations)
	case account.PaymentRecorded:
		e.paymentRecorded(event)
	case account.PaymentApplied:
		e.applied("Payment "+string(event.Payment)+" applied", event.Allocations)
	case account.PaymentUnapplied:
		e.unapplied("Payment "+string(event.Payment)+" unapplied", event.Allocations)
	case account.PaymentReversed:
		e.paymentReversed(event)
	case account.RefundIssued:
		e.refundIssued(event)
	case account.WrittenOff:
		e.writtenOff(event)
	case account.WriteOffRecovered:
		e.writeOffRecovered(event)
	case account.DifferenceSettled:
		e.differenceSettled(event)
	case account.LateChargeAssessed:
		e.lateChargeAssessed(event)
	case account.LateChargeWaived:
		e.lateChargeWaived(event)
	}
	return e, len(e.Lines) > 0
}

// OfReceipt gives the entry of an event of money whose payer is not known. One that was found to be a customer's is posted
// by the payment that it becomes, so its assignment posts nothing.
func OfReceipt(event receipt.Event) (entry Entry, ok bool) {
	e := Entry{On: event.On()}
	switch event := event.(type) {
	case receipt.Recorded:
		e.receiptRecorded(event)
	case receipt.Returned:
		e.receiptReturned(event)
	}
	return e, len(e.Lines) > 0
}

// post adds a line; zero is left out, and an amount below zero stands on the other side.
func (e *Entry) post(t Title, s Side, amount domain.Money, category account.TaxCategory, rate domain.Rate) {
	if amount.Minor() < 0 {
		amount = domain.NewMoney(-amount.Minor(), amount.Currency())
		if s == Debit {
			s = Credit
		} else {
			s = Debit
		}
	}
	if !amount.IsZero() {
		e.Lines = append(e.Lines, Line{t, s, amount, category, rate})
	}
}

func (e *Entry) debit(t Title, amount domain.Money)  { e.post(t, Debit, amount, "", 0) }
func (e *Entry) credit(t Title, amount domain.Money) { e.post(t, Credit, amount, "", 0) }

// split posts an amount with its taxes: the net of each rate under its title, the tax as output tax, and under the
// title what bears no tax that is known.
func (e *Entry) split(t Title, s Side, amount domain.Money, taxes []account.Tax) {
	for _, tax := range taxes {
		e.post(t, s, tax.Net, tax.Category, tax.Rate)
		amount = less(amount, tax.Net)
		amount = less(amount, tax.Tax)
	}
	e.post(t, s, amount, "", 0)
	for _, tax := range taxes {
		e.post(OutputTax, s, tax.Tax, tax.Category, tax.Rate)
	}
}

func less(a, b domain.Money) domain.Money { return domain.NewMoney(a.Minor()-b.Minor(), a.Currency()) }

// sum is what allocations come to, in the currency of whole.
func sum(list []account.Allocation, whole domain.Money) domain.Money {
	var minor int64
	for _, a := range list {
		minor += a.Amount.Minor()
	}
	return domain.NewMoney(minor, whole.Currency())
}
