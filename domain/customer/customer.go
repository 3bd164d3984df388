package customer

import (
	"github.com/urikake/urikake/domain"
)

// Key names a customer of a seller.
type Key struct {
	Seller   domain.SellerID   `json:"seller" doc:"the seller"`
	Customer domain.CustomerID `json:"customer" doc:"the customer's id (code) with that seller"`
}

// Stream is where the customer's master data stands.
func (k Key) Stream() string { return "customer-" + string(k.Seller) + "." + string(k.Customer) }

// Of is the key itself; commands have it by embedding Key.
func (k Key) Of() Key { return k }

func (k Key) stream() string { return k.Stream() }

func (k Key) check(faults *domain.Faults) {
	faults.Add("/seller", domain.CheckID(k.Seller))
	faults.Add("/customer", domain.CheckID(k.Customer))
}

// Command is what may be asked of a customer's data; Event what it records.
type (
	Command interface {
		Name() string // wire name
		Of() Key
		stream() string
		check(*domain.Faults)
		decide(*State) ([]domain.Event, error) // the input is checked
	}
	Event interface {
		domain.Event
		Of() Key
		apply(*State)
	}
)

// Decider is the customer as a state machine.
var Decider = domain.Decider[Command, *State]{
	Stream: func(c Command) string { return c.stream() },
	New:    func() *State { return &State{} },
	Decide: decide,
	Evolve: func(s *State, e domain.Event) *State {
		e.(Event).apply(s)
		return s
	},
	Audit: audit,
}

// Events are all that a customer's stream holds.
var Events = []domain.Schema{
	domain.Describe[Registered](),
	domain.Describe[Changed](),
	domain.Describe[TermsSet](),
	domain.Describe[CreditLimitSet](),
	domain.Describe[Deactivated](),
	domain.Describe[Reactivated](),
	domain.Describe[LateTermsAgreed](),
	domain.Describe[PayersErased](),
	domain.Describe[Erased](),
}

// State is a customer as it stands; the zero State is one that is not registered.
type State struct {
	Registered bool
	Active     bool
	Erased     bool // nobody knows any more who it was
	Details
	Terms       domain.Terms // zero: none agreed, an invoice has to name its due date
	CreditLimit []domain.Money
	LateTerms   []domain.LateTerms // the customer's own, by first day
}

var (
	ErrAlreadyRegistered = &domain.Error{
		Code: domain.Refused, Rule: "customer.already_registered",
		Text: "the customer is registered already; use ChangeCustomer",
	}
	ErrUnknown = &domain.Error{
		Code: domain.NotFound, Rule: "customer.unknown",
		Text: "the customer is not registered; use RegisterCustomer first",
	}
	ErrNothingNew = &domain.Error{
		Code: domain.Refused, Rule: "customer.nothing_new",
		Text: "the customer stands so already",
	}
)

func decide(s *State, c Command) ([]domain.Event, error) {
	var faults domain.Faults
	c.check(&faults)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	if _, registers := c.(RegisterCustomer); !registers && !s.Registered {
		return nil, ErrUnknown.With("%s", c.stream()).At("/customer")
	}
	if s.Erased {
		return nil, ErrErased.With("%s", c.Of().Customer).At("/customer")
	}
	return c.decide(s)
}

// record states the event unless it says nothing new.
func record(changes bool, e domain.Event) ([]domain.Event, error) {
	if !changes {
		return nil, ErrNothingNew
	}
	return []domain.Event{e}, nil
}

func checkReason(reason string, faults *domain.Faults) {
	faults.Add("/reason", domain.CheckText(reason, true, ReasonMax))
}

func checkCreditLimit(limits []domain.Money, faults *domain.Faults) {
	if len(limits) > CreditLimitsMax {
		faults.Add("/credit_limit", domain.ErrTooLong.With("%d currencies, at most %d", len(limits), CreditLimitsMax))
		return
	}
	faults.Add("/credit_limit", domain.CheckPositiveList(limits))
}
