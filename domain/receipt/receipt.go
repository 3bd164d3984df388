// Package receipt keeps money that came into a seller's bank account and whose payer is not known yet (仮受金): what came,
// from whom by the bank's word, and what became of it. It was found to be a customer's and is a payment on that
// customer's account, or it was given back. It also tells which open receipts may be a debtor's, so that nobody is
// reminded of what he may have paid.
package receipt

import (
	"strconv"

	"github.com/urikake/urikake/domain"
)

// Key names a receipt of a seller. Receipts are kept by the year of their value date.
type Key struct {
	Seller     domain.SellerID  `json:"seller" doc:"the seller to whose bank account it came"`
	Receipt    domain.ReceiptID `json:"receipt" doc:"id, such as the bank's own, within the seller's receipts of that year"`
	ReceivedOn domain.Date      `json:"received_on" doc:"value date"`
}

// Of is the key itself; commands have it by embedding Key.
func (k Key) Of() Key { return k }

// On is the business date of everything about a receipt but its return.
func (k Key) On() domain.Date { return k.ReceivedOn }

// Stream is where the seller's receipts of that year stand.
func (k Key) Stream() string { return Stream(k.Seller, k.ReceivedOn.Year()) }

// Stream is where a seller's receipts of a year stand.
func Stream(seller domain.SellerID, year int) string {
	return "receipt-" + string(seller) + "." + strconv.Itoa(year)
}

func (k Key) check(f *domain.Faults) {
	f.Add("/seller", domain.CheckID(k.Seller))
	f.Add("/receipt", domain.CheckID(k.Receipt))
	f.Require(!k.ReceivedOn.IsZero(), "/received_on", domain.ErrMissing)
}

// TextMax is the longest name, reference or reason, in bytes.
const TextMax = 500

// Command is what may be asked of a seller's receipts; Event what it records.
type (
	Command interface {
		Name() string // wire name
		Of() Key
		check(*domain.Faults)
		decide(*State) ([]domain.Event, error) // the input is checked
	}
	Event interface {
		domain.Event
		Of() Key
		On() domain.Date    // the business date
		audit(*State) error // why it can't stand next; nil if it can
		apply(*State)
	}
)

// Commands are what a client may send, in the order in which people meet them.
var Commands = []Command{RecordReceipt{}, AssignReceipt{}, ReturnReceipt{}}

// Decider is a seller's receipts of one year as a state machine.
var Decider = domain.Decider[Command, *State]{
	Stream: func(c Command) string { return c.Of().Stream() },
	New: func() *State {
		return &State{open: make(map[domain.ReceiptID]*Receipt), settled: make(map[domain.ReceiptID]struct{})}
	},
	Decide: func(s *State, c Command) ([]domain.Event, error) {
		if err := Check(c); err != nil {
			return nil, err
		}
		return c.decide(s)
	},
	Evolve: func(s *State, e domain.Event) *State {
		s.version++
		e.(Event).apply(s)
		return s
	},
	Audit: audit,
}

// Events are all that a stream of receipts holds.
var Events = []domain.Schema{
	domain.Describe[Recorded](),
	domain.Describe[Assigned](),
	domain.Describe[Booked](),
	domain.Describe[Released](),
	domain.Describe[Returned](),
}

// Check refuses what is malformed, whatever the books say.
func Check(c Command) error {
	var f domain.Faults
	c.check(&f)
	return f.Err()
}

var (
	ErrRepeatedID = &domain.Error{
		Code: domain.Refused, Rule: "receipt.repeated_id",
		Text: "the seller has a receipt by this id in that year",
	}
	ErrUnknown = &domain.Error{
		Code: domain.NotFound, Rule: "receipt.unknown",
		Text: "the seller has no receipt by this id that was received on that day",
	}
	ErrSettled = &domain.Error{
		Code: domain.Refused, Rule: "receipt.settled",
		Text: "the receipt is a customer's payment by now, or was given back",
	}
	ErrAssigned = &domain.Error{
		Code: domain.Refused, Rule: "receipt.assigned",
		Text: "the receipt is just being booked as a customer's payment",
	}
	ErrReleased = &domain.Error{
		Code: domain.Refused, Rule: "receipt.not_booked",
		Text: "the customer's account refused the payment and the receipt is open again; assign it anew, under a new command id",
	}
	ErrFutureDay = &domain.Error{
		Code: domain.Invalid, Rule: "receipt.future_day",
		Text: "money can't have come or gone on a day that is still to come for the seller",
	}
	ErrBeforeReceived = &domain.Error{
		Code: domain.Invalid, Rule: "receipt.before_received",
		Text: "money is given back on the day it came or later",
	}
)

// Receipt is money that is open: nobody knows whose it is, or it is just being booked as a customer's.
type Receipt struct {
	Key
	Amount    domain.Money
	Payer     string
	Reference string
	Account   string

	Customer  domain.CustomerID // whose it is, when that is known and the payment is about to be booked
	Payment   domain.PaymentID
	Unapplied bool
	Token     uint64 // version of the stream when that was found: it tells one assignment from another
}

// State is a seller's receipts of one year: the open ones whole, of the others the ids.
type State struct {
	version uint64
	open    map[domain.ReceiptID]*Receipt
	settled map[domain.ReceiptID]struct{}
}

// Open lets look at every open receipt, in any order.
func (s *State) Open(look func(Receipt)) {
	for _, r := range s.open {
		look(*r)
	}
}

// Get finds an open receipt.
func (s *State) Get(id domain.ReceiptID) (r Receipt, ok bool) {
	if open := s.open[id]; open != nil {
		return *open, true
	}
	return r, false
}

// Size is about how many bytes the state takes.
func (s *State) Size() int { return 500 + 700*len(s.open) + 100*len(s.settled) }

// find gives the receipt that waits for its payer.
func (s *State) find(k Key) (*Receipt, error) {
	if _, settled := s.settled[k.Receipt]; settled {
		return nil, ErrSettled.With("%s", k.Receipt).At("/receipt")
	}
	r := s.open[k.Receipt]
	switch {
	case r == nil:
		return nil, ErrUnknown.With("%s of %s", k.Receipt, k.ReceivedOn).At("/receipt")
	case r.ReceivedOn != k.ReceivedOn:
		return nil, ErrUnknown.With("%s was received on %s", k.Receipt, r.ReceivedOn).At("/received_on")
	case r.Customer != "":
		return nil, ErrAssigned.With("to %s", r.Customer).At("/receipt")
	}
	return r, nil
}

func (s *State) settle(id domain.ReceiptID) {
	delete(s.open, id)
	s.settled[id] = struct{}{}
}
