package audit

import (
	"strings"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/numbering"
	"github.com/urikake/urikake/domain/receipt"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/merkle"
)

// across is what streams say of each other all over the log, in its order: what one relies upon was durable before it
// was decided, so it stands before it. In memory stands what waits: numbers without their documents and receipts without
// a payer, and besides all versions of policies. O(1) an event.
type across struct {
	*verification
	streams  map[string]eventstore.Version // as far as they were read
	numbers  map[numberOf]numbering.Taker  // given out, and on no document yet
	receipts map[receiptOf]*waiting
	policies map[policyOf]setPolicy
	until    eventstore.Position // the last that it has seen, once it is blind
	why      string              // what makes it blind
}

type numberOf struct {
	seller domain.SellerID
	number string
}

type receiptOf struct {
	seller  domain.SellerID
	year    int
	receipt domain.ReceiptID
}

// waiting is a receipt that is not settled.
type waiting struct {
	receipt.Recorded
	customer domain.CustomerID // whom it is assigned to
	payment  domain.PaymentID
	booked   bool // the payment stands on the account
}

type policyOf struct {
	seller  domain.SellerID
	policy  dunning.PolicyID
	version int
}

type setPolicy struct {
	dunning.Policy
	at eventstore.Position
}

func (v *verification) begins(streams map[string]eventstore.Version) *across {
	return &across{
		verification: v, streams: streams, numbers: make(map[numberOf]numbering.Taker),
		receipts: make(map[receiptOf]*waiting), policies: make(map[policyOf]setPolicy),
	}
}

// blind tells that events before a position are lost, so that nobody knows what those from there on rely upon.
func (x *across) blind(at eventstore.Position) bool { return x.why != "" && at > x.until }

// stop ends what can be said, the first time.
func (x *across) stop(at eventstore.Position, why string) {
	if x.why == "" {
		x.until, x.why = at, why
		x.note("what streams say of each other is checked up to position %d only: %s", at, why)
	}
}

// event takes the next event of the log; follows tells that it is the next of its stream.
func (x *across) event(l merkle.Leaf, follows bool) {
	switch {
	case x.why != "":
		return
	case l.Bad != nil:
		x.stop(l.Position, "that event can't be read")
		return
	case !follows:
		x.stop(l.Position, "events of its stream are missing before it")
		return
	}
	if l.Version == 1 {
		x.registered(l)
	}
	switch e := l.Event.(type) {
	case account.Event:
		x.account(l, e)
	case numbering.Event, numbering.TextEvent:
		x.numbering(l)
	case receipt.Event:
		x.receipt(l, e)
	case dunning.PolicySet:
		x.policies[policyOf{e.Seller, e.ID, e.Version}] = setPolicy{e.Policy, l.Position}
	}
}

// registered asks, where a stream begins, whether its seller and its customer are registered.
func (x *across) registered(l merkle.Leaf) {
	category, rest, _ := strings.Cut(l.Stream, "-")
	if category == "seller" || category == "access" {
		return
	}
	id, rest, _ := strings.Cut(rest, ".")
	if x.streams[seller.Stream(domain.SellerID(id))] == 0 {
		x.find(l.Recorded, Unregistered, "it begins, and seller %s was not registered before", id)
	}
	if category == "account" || category == "dunning" {
		whose, _, _ := strings.Cut(rest, ".")
		key := customer.Key{Seller: domain.SellerID(id), Customer: domain.CustomerID(whose)}
		if x.streams[key.Stream()] == 0 {
			x.find(l.Recorded, Unregistered, "it begins, and customer %s of seller %s was not registered before", whose, id)
		}
	}
}

func (x *across) account(l merkle.Leaf, e account.Event) {
	switch e := e.(type) {
	case account.InvoiceIssued:
		x.issued(l, e.Number, string(e.Invoice))
	case account.CreditNoteIssued:
		x.issued(l, e.Number, string(e.Credit))
	case account.LateChargeAssessed:
		if e.Number != string(e.Charge) { // else its id stands for it
			x.issued(l, e.Number, string(e.Charge))
		}
	case account.PaymentRecorded:
		if e.Receipt != "" {
			x.paid(l, e)
		}
	}
}

// issued asks whether a document's number was given out for it, and waits for it.
func (x *across) issued(l merkle.Leaf, number, id string) {
	key, _, ok := account.ParseStream(l.Stream)
	if !ok {
		return
	}
	of := numberOf{key.Seller, number}
	taker, waits := x.numbers[of]
	switch {
	case !waits:
		x.find(l.Recorded, WrongNumber, "%s has the number %s, which was not given out for it, or stands on another document", id, number)
	case taker.Account != key.Stream() || string(taker.Invoice) != id:
		x.find(l.Recorded, WrongNumber, "%s has the number %s, which was given out for %s of %s", id, number, taker.Invoice, taker.Account)
	default:
		delete(x.numbers, of)
	}
}

func (x *across) numbering(l merkle.Leaf) {
	switch e := l.Event.(type) {
	case numbering.NumbersTaken:
		for _, t := range e.Taken {
			x.numbers[numberOf{e.Seller, e.Number(t.N)}] = t.Taker
		}
	case numbering.NumberClaimed:
		x.numbers[numberOf{e.Seller, e.Number(e.N)}] = e.Taker
	case numbering.TextClaimed:
		x.numbers[numberOf{e.Seller, e.Number}] = e.Taker
	case numbering.NumbersConfirmed:
		for _, n := range e.Numbers {
			of := numberOf{e.Seller, e.Number(n)}
			if taker, waits := x.numbers[of]; waits {
				x.find(l.Recorded, WrongNumber, "%s is said to stand on %s of %s, and does not", of.number, taker.Invoice, taker.Account)
				delete(x.numbers, of)
			}
		}
	case numbering.NumberReturned:
		x.returned(l, numberOf{e.Seller, e.Number(e.N)}, e.Taker)
	case numbering.TextReleased:
		x.returned(l, numberOf{e.Seller, e.Number}, e.Taker)
	}
}

// returned asks whether a number that is free again stands on no document.
func (x *across) returned(l merkle.Leaf, of numberOf, taker numbering.Taker) {
	if _, waits := x.numbers[of]; !waits {
		x.find(l.Recorded, WrongNumber, "%s is given back, and stands on %s of %s", of.number, taker.Invoice, taker.Account)
	}
	delete(x.numbers, of)
}

func (x *across) receipt(l merkle.Leaf, e receipt.Event) {
	k := e.Of()
	of := receiptOf{k.Seller, k.ReceivedOn.Year(), k.Receipt}
	r := x.receipts[of]
	if recorded, first := e.(receipt.Recorded); first {
		x.receipts[of] = &waiting{Recorded: recorded}
		return
	}
	if r == nil {
		return // its own stream says so
	}
	switch e := e.(type) {
	case receipt.Assigned:
		r.customer, r.payment = e.Customer, e.Payment
	case receipt.Booked:
		if !r.booked {
			x.find(l.Recorded, WrongReceipt, "%s is said to be payment %s of %s, whose account has no such payment", k.Receipt, e.Payment, e.Customer)
		}
		delete(x.receipts, of)
	case receipt.Released:
		if r.booked {
			x.find(l.Recorded, WrongReceipt, "%s is set free, and is payment %s of %s", k.Receipt, r.payment, r.customer)
		}
		r.customer, r.payment = "", ""
	case receipt.Returned:
		delete(x.receipts, of)
	}
}

// paid asks whether a payment is the receipt that it names.
func (x *across) paid(l merkle.Leaf, e account.PaymentRecorded) {
	key, _, ok := account.ParseStream(l.Stream)
	if !ok {
		return
	}
	r := x.receipts[receiptOf{key.Seller, e.ReceivedOn.Year(), e.Receipt}]
	wrong := func(format string, args ...any) {
		x.find(l.Recorded, WrongReceipt, "payment "+string(e.Payment)+" of receipt "+string(e.Receipt)+": "+format, args...)
	}
	switch {
	case r == nil:
		wrong("no such receipt of that year waits")
	case r.customer != key.Customer:
		wrong("it was assigned to %q", r.customer)
	case r.payment != e.Payment:
		wrong("it was assigned as payment %s", r.payment)
	case r.booked:
		wrong("it is a payment already")
	case r.Amount != e.Amount:
		wrong("%s, and %s came", e.Amount, r.Amount)
	case r.ReceivedOn != e.ReceivedOn:
		wrong("received on %s, and it came on %s", e.ReceivedOn, r.ReceivedOn)
	default:
		r.booked = true
	}
}
