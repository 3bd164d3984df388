// Package account keeps what one customer owes one seller in one currency: invoices and late charges (open items),
// payments and credit notes (funds that settle them), disputes, write-offs.
//
// Every movement has its business date, and every rule holds for every day: a payment may settle on a day only what
// was open from that day on, so the books as of any day never show a negative item.
package account

import (
	"errors"
	"strings"

	"github.com/urikake/urikake/domain"
)

// Key names an account. Every command on it carries one.
type Key struct {
	Seller   domain.SellerID   `json:"seller" doc:"the seller whose receivable it is"`
	Customer domain.CustomerID `json:"customer" doc:"the customer who owes"`
	Currency domain.Currency   `json:"currency" doc:"ISO 4217 code of the account"`
}

// Account is the key itself; commands have it by embedding Key.
func (k Key) Account() Key { return k }

// Stream is the account's first stream; after a carry forward the account goes on in Stream() + "." + period.
func (k Key) Stream() string {
	return "account-" + string(k.Seller) + "." + string(k.Customer) + "." + string(k.Currency)
}

// ParseStream is the inverse of Stream; period is "" in an account's first stream.
func ParseStream(stream string) (key Key, period string, ok bool) {
	rest, ok := strings.CutPrefix(stream, "account-")
	seller, rest, two := strings.Cut(rest, ".")
	customer, rest, three := strings.Cut(rest, ".")
	currency, period, four := strings.Cut(rest, ".")
	if !ok || !two || !three || seller == "" || customer == "" || currency == "" || four && (period == "" || strings.Contains(period, ".")) {
		return Key{}, "", false
	}
	return Key{domain.SellerID(seller), domain.CustomerID(customer), domain.Currency(currency)}, period, true
}

func (k Key) check(f *domain.Faults) {
	f.Add("/seller", domain.CheckID(k.Seller))
	f.Add("/customer", domain.CheckID(k.Customer))
	f.Add("/currency", k.Currency.Check())
}

func (k Key) money(minor int64) domain.Money { return domain.NewMoney(minor, k.Currency) }

// positive asks for more than zero in the account's currency.
func (k Key) positive(f *domain.Faults, field string, m domain.Money) {
	switch {
	case m == domain.Money{}:
		f.Add(field, domain.ErrMissing)
	case m.Currency() != k.Currency:
		f.Add(field, ErrWrongCurrency.With("%s, want %s", m, k.Currency))
	default:
		f.Add(field, m.CheckPositive())
	}
}

// Command is an order to one account. Name is its wire name.
type Command interface {
	Name() string
	Account() Key
	check(*domain.Faults)                           // the shape, whatever the books say
	decide(*State, Parties) ([]domain.Event, error) // refusals first, then the facts
}

// Event is a fact about one account.
type Event interface {
	domain.Event
	On() domain.Date         // the business date
	Effect() int64           // what it adds to the account's balance, in minor units
	audit(*State, Key) error // why it can't stand next; nil if it can
	apply(*State)
}

// Parties is what a decision must know of the seller and the customer. The aggregates never import each other:
// whoever gives the command to the decider looks these up.
type Parties struct {
	SellerKnown    bool
	CustomerKnown  bool
	CustomerActive bool
	Rounding       domain.Rounding
	Tolerance      int64       // small differences up to this may be settled; minor units of the account's currency
	DueOn          domain.Date // the due date by the customer's terms, for an invoice that names none
	Number         string      // the number taken from the series, for a document that names none
	Token          uint64      // version of the numbering stream when the number was taken
	Late           LateRules   // of the contract with the customer, for a late charge that names no rate; nil: none is known
	Earlier        []*State    // the account's closed streams, newest first, after carry forwards
}

// Request is a command with all that the decision needs.
type Request struct {
	Command
	Parties Parties
	Stream  string // the stream on which the account stands now
}

// Decider runs accounts.
var Decider = domain.Decider[Request, *State]{
	Stream: func(r Request) string { return r.Stream },
	New:    newState,
	Decide: decide,
	Evolve: func(s *State, e domain.Event) *State {
		s.apply(e.(Event))
		return s
	},
	Audit: audit,
}

var (
	ErrWrongCurrency = &domain.Error{
		Code: domain.Invalid, Rule: "account.wrong_currency",
		Text: "the amount is not in the account's currency",
	}
	ErrUnknownSeller = &domain.Error{
		Code: domain.NotFound, Rule: "account.unknown_seller",
		Text: "the seller is not registered; send RegisterSeller first",
	}
	ErrUnknownCustomer = &domain.Error{
		Code: domain.NotFound, Rule: "account.unknown_customer",
		Text: "the customer is not registered; send RegisterCustomer first",
	}
	ErrCustomerInactive = &domain.Error{
		Code: domain.Refused, Rule: "account.customer_deactivated",
		Text: "the customer is deactivated; no new invoice may be issued",
	}
	ErrRepeatedID = &domain.Error{
		Code: domain.Refused, Rule: "account.repeated_id",
		Text: "the account already has something by this id",
	}
	ErrUnknownItem = &domain.Error{
		Code: domain.NotFound, Rule: "account.unknown_invoice",
		Text: "the account has no such invoice or late charge",
	}
	ErrExceedsOpen = &domain.Error{
		Code: domain.Refused, Rule: "account.exceeds_open",
		Text: "the amount is more than is open on the invoice from that day on",
	}
	ErrBeforeIssue = &domain.Error{
		Code: domain.Refused, Rule: "account.before_issue",
		Text: "the day lies before the day on which it was issued or received",
	}
	ErrBalanceTooLarge = &domain.Error{
		Code: domain.Refused, Rule: "account.balance_out_of_range",
		Text: "the account's balance would go beyond 9000000000000000 minor units",
	}
)

// Check refuses a command whose shape is wrong, naming every wrong field.
func Check(c Command) error {
	var f domain.Faults
	c.Account().check(&f)
	c.check(&f)
	return f.Err()
}

func decide(s *State, r Request) ([]domain.Event, error) {
	if err := Check(r.Command); err != nil {
		return nil, err
	}
	switch {
	case !r.Parties.SellerKnown:
		return nil, ErrUnknownSeller.With("%s", r.Account().Seller).At("/seller")
	case !r.Parties.CustomerKnown:
		return nil, ErrUnknownCustomer.With("%s of seller %s", r.Account().Customer, r.Account().Seller).At("/customer")
	case s.carriedInto != "":
		return nil, ErrCarriedForward.With("it goes on in period %s", s.carriedInto)
	case s.brought < s.parts && !brings(r.Command):
		return nil, ErrCarriedForward.With("%d of %d parts of period %s are there", s.brought, s.parts, s.period)
	}
	events, err := r.Command.decide(s, r.Parties)
	var e *domain.Error
	if s.broughtFrom != "" && errors.As(err, &e) && e.Code == domain.NotFound {
		return nil, e.With("%s (what was settled long before the carry forward stays in %s)", e.Detail, s.broughtFrom)
	}
	return events, err
}

// brings tells the one command that a half brought forward stream takes.
func brings(c Command) bool {
	_, yes := c.(BringForward)
	return yes
}

// Limits on what people write.
const (
	TextMax        = 500  // bytes of a description, reason or note
	NumberMax      = 64   // bytes of a document number
	LinesMax       = 1000 // lines of one document
	AllocationsMax = 1000 // invoices that one payment settles at once
)

func text(f *domain.Faults, field, value string, required bool) {
	f.Add(field, domain.CheckText(value, required, TextMax))
}

func date(f *domain.Faults, field string, d domain.Date) {
	f.Require(!d.IsZero(), field, domain.ErrMissing)
}

func oneOf[T ~string](f *domain.Faults, field string, value T, allowed ...T) {
	for _, a := range allowed {
		if value == a {
			return
		}
	}
	names := make([]string, len(allowed))
	for i, a := range allowed {
		names[i] = string(a)
	}
	f.Add(field, domain.ErrUnknown.With("%q, want one of %s", string(value), strings.Join(names, ", ")))
}
