package demo

import (
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
)

// card is a customer's ledger card (得意先元帳) as a clerk sees it: what is open, and what money is unapplied.
type card struct {
	items    []*item // in the order in which they were issued
	payments map[domain.PaymentID]*fund
	credits  map[domain.CreditID]*fund
}

type item struct {
	id       domain.InvoiceID
	charge   bool
	lines    []account.Line
	due      domain.Date
	total    int64
	open     int64
	noted    int64 // by credit notes against it
	disputed bool
	promised bool        // it is paid as promised, and nothing else happens to it until then
	shortBy  int64       // what a bank's fee took, settled
	reopened bool        // something settled on it was taken back
	last     domain.Date // of its latest movement: a new one may not lie before it
}

type fund struct {
	payment   domain.PaymentID // or
	credit    domain.CreditID
	unapplied int64
	last      domain.Date
}

func (k *card) item(id domain.InvoiceID) *item {
	for _, it := range k.items {
		if it.id == id {
			return it
		}
	}
	return &item{}
}

// book writes an event on the card.
func (k *card) book(event domain.Event) {
	switch e := event.(type) {
	case account.InvoiceIssued:
		k.items = append(k.items, &item{id: e.Invoice, lines: e.Lines, due: e.DueOn, total: e.Total.Minor(), open: e.Total.Minor(), last: e.IssuedOn})
	case account.LateChargeAssessed:
		k.items = append(k.items, &item{id: e.Charge, charge: true, due: e.DueOn, total: e.Amount.Minor(), open: e.Amount.Minor(), last: e.AssessedOn})
	case account.DueDateChanged:
		k.item(e.Invoice).due = e.DueOn
	case account.InvoiceVoided:
		k.move(e.Invoice, e.VoidOn, -e.Amount.Minor())
	case account.WrittenOff:
		k.move(e.Invoice, e.WriteOffOn, -e.Amount.Minor())
	case account.LateChargeWaived:
		k.move(e.Charge, e.WaiveOn, -e.Amount.Minor())
	case account.DifferenceSettled:
		k.move(e.Invoice, e.SettleOn, -e.Amount.Minor())
		k.item(e.Invoice).shortBy += e.Amount.Minor()
	case account.DisputeOpened:
		k.item(e.Invoice).disputed = true
	case account.DisputeResolved:
		k.item(e.Invoice).disputed = false
	case account.PaymentRecorded:
		f := &fund{payment: e.Payment, unapplied: e.Amount.Minor()}
		k.payments[e.Payment] = f
		k.settle(f, e.ReceivedOn, e.Allocations)
	case account.PaymentApplied:
		k.settle(k.payments[e.Payment], e.ApplyOn, e.Allocations)
	case account.PaymentUnapplied:
		k.release(k.payments[e.Payment], e.UnapplyOn, e.Allocations)
	case account.PaymentReversed:
		k.release(k.payments[e.Payment], e.ReverseOn, e.Released)
		k.payments[e.Payment].unapplied = 0
	case account.CreditNoteIssued:
		f := &fund{credit: e.Credit, unapplied: e.Total.Minor()}
		k.credits[e.Credit] = f
		k.item(e.Invoice).noted += e.Total.Minor()
		k.settle(f, e.IssuedOn, e.Applied)
	case account.CreditApplied:
		k.settle(k.credits[e.Credit], e.ApplyOn, e.Allocations)
	case account.CreditUnapplied:
		k.release(k.credits[e.Credit], e.UnapplyOn, e.Allocations)
	case account.RefundIssued:
		f := k.payments[e.Payment]
		if f == nil {
			f = k.credits[e.Credit]
		}
		f.unapplied -= e.Amount.Minor()
	}
}

func (k *card) move(id domain.InvoiceID, on domain.Date, delta int64) {
	it := k.item(id)
	it.open += delta
	it.last = domain.LaterOf(it.last, on)
}

func (k *card) settle(f *fund, on domain.Date, list []account.Allocation) {
	f.last = domain.LaterOf(f.last, on)
	for _, a := range list {
		f.unapplied -= a.Amount.Minor()
		k.move(a.Invoice, on, -a.Amount.Minor())
	}
}

func (k *card) release(f *fund, on domain.Date, list []account.Allocation) {
	f.last = domain.LaterOf(f.last, on)
	for _, a := range list {
		f.unapplied += a.Amount.Minor()
		k.move(a.Invoice, on, a.Amount.Minor())
		k.item(a.Invoice).reopened = true
	}
}

// owed lists what else is open, undisputed and due by a day.
func (k *card) owed(by domain.Date, except *item) (list []*item) {
	for _, it := range k.items {
		if it != except && it.open > 0 && !it.disputed && !it.promised && !it.due.After(by) {
			list = append(list, it)
		}
	}
	return list
}
