// Package dunning reminds a debtor step by step: courteously, never wrongly, and with a reason for everything that is
// done or left undone.
//
// A seller's Policies say which levels there are. A case is what was done about one debtor in one currency: reminders,
// holds, promises, payment plans, contacts. Decide says what to do on a day, from nothing but the policy, the case and
// the facts about the debtor; it is asked by the run over all debtors, by a simulation, and once more by the case itself
// before a reminder is queued.
//
// What a billing agency may not do for others' claims as a business (弁護士法72条, Attorney Act 72) is refused unless
// the command is given in the creditor's name.
package dunning

import (
	"strings"

	"github.com/urikake/urikake/domain"
)

// Limits on what people write and how much one case holds.
const (
	TextMax        = 1000 // bytes of a reason or note
	NameMax        = 300  // bytes of a name or title
	ReferenceMax   = 64   // bytes of a reference to a recipient
	HoldsMax       = 100  // holds of one case that are not released
	InstalmentsMax = 120  // of one payment plan: ten years of months
	ItemsMax       = 2000 // items that one reminder lists; what is beyond is in its totals
)

// Ids within one case, chosen by the caller or derived from the command's id.
type (
	ReminderID string
	HoldID     string
	PromiseID  string
	PlanID     string
	ContactID  string
	RunID      string // one run over all debtors
)

// Key names a case: one debtor of a seller in one currency.
type Key struct {
	Seller   domain.SellerID   `json:"seller" doc:"the seller whose money it is"`
	Customer domain.CustomerID `json:"customer" doc:"the debtor"`
	Currency domain.Currency   `json:"currency" doc:"ISO 4217 code of the account"`
}

// Case is the key itself; commands have it by embedding Key.
func (k Key) Case() Key { return k }

// Stream is where the case stands.
func (k Key) Stream() string {
	return "dunning-" + string(k.Seller) + "." + string(k.Customer) + "." + string(k.Currency)
}

// ParseStream is the inverse of Stream.
func ParseStream(stream string) (key Key, ok bool) {
	rest, ok := strings.CutPrefix(stream, "dunning-")
	parts := strings.Split(rest, ".")
	if !ok || len(parts) != 3 {
		return Key{}, false
	}
	key = Key{domain.SellerID(parts[0]), domain.CustomerID(parts[1]), domain.Currency(parts[2])}
	var faults domain.Faults
	key.check(&faults)
	if len(faults) > 0 {
		return Key{}, false
	}
	return key, true
}

func (k Key) check(f *domain.Faults) {
	f.Add("/seller", domain.CheckID(k.Seller))
	f.Add("/customer", domain.CheckID(k.Customer))
	f.Add("/currency", k.Currency.Check())
}

func (k Key) money(minor int64) domain.Money { return domain.NewMoney(minor, k.Currency) }

// positive asks for more than zero in the case's currency.
func (k Key) positive(f *domain.Faults, field string, m domain.Money) {
	if m.Currency() != k.Currency && m != (domain.Money{}) {
		f.Add(field, ErrWrongCurrency.With("%s, want %s", m, k.Currency))
		return
	}
	f.Require(m != domain.Money{}, field, domain.ErrMissing)
	if m != (domain.Money{}) {
		f.Add(field, m.CheckPositive())
	}
}

// received asks for zero or more in the case's currency; left out it is zero.
func (k Key) received(f *domain.Faults, field string, m domain.Money) {
	if m.Minor() != 0 {
		k.positive(f, field, m)
	}
}

// Order is what every command on a case says: on which, when, and in whose name.
type Order struct {
	Key
	On     domain.Date `json:"on" doc:"the day on which it is done"`
	Acting Capacity    `json:"acting,omitempty" doc:"in whose name: AGENCY (when left out) or CREDITOR, which takes the permission dunning:creditor"`
}

// GivenOn is the day on which it is done.
func (o Order) GivenOn() domain.Date { return o.On }

// As is in whose name a command is given.
func (o Order) As() Capacity {
	if o.Acting == "" {
		return Agency
	}
	return o.Acting
}

func (o Order) check(f *domain.Faults) {
	o.Key.check(f)
	date(f, "/on", o.On)
	oneOf(f, "/acting", o.As(), Agency, Creditor)
}

// creditorOnly refuses what an agency may not do.
func (o Order) creditorOnly(what string) error {
	if o.As() != Creditor {
		return ErrNeedsCreditor.With("%s", what).At("/acting")
	}
	return nil
}

// Command is an order about one case. Name is its wire name.
type Command interface {
	Name() string
	Case() Key
	As() Capacity
	GivenOn() domain.Date                         // on which it is done
	check(*domain.Faults)                         // the shape, whatever the books say
	decide(*State, Facts) ([]domain.Event, error) // refusals first, then the facts
}

// Event is a fact about one case.
type Event interface {
	domain.Event
	On() domain.Date         // the business date
	audit(*State, Key) error // why it can't stand next; nil if it can
	apply(*State)
}

// Facts is what a decision must know besides the case. Whoever gives the command to the decider looks it up.
type Facts struct {
	SellerKnown   bool
	CustomerKnown bool
	Policy        Versioned       // the one that holds for the debtor; only where NeedsFacts says so
	Debtor        Debtor          // as of the command's day, or of today where LooksAtToday says so; only where NeedsFacts says so
	Today         domain.Date     // in the seller's time zone; none: nobody knows
	BankDays      domain.BankDays // on which the seller's banks work
}

// NeedsFacts tells the commands that are decided by the policy and the debtor's facts too.
func NeedsFacts(c Command) bool {
	switch c := c.(type) {
	case EscalateReminder, DispatchReminder, SendReminder, RecordPromise, SettlePromise, AgreePaymentPlan, MissInstalment, AcceleratePlan, CompletePlan:
		return true
	case CloseCase:
		return c.Reason == ClosePaid
	}
	return false
}

// LooksAtToday tells the commands that are decided by the facts of today, whatever day they bear: a letter goes out now.
func LooksAtToday(c Command) bool {
	switch c.(type) {
	case DispatchReminder, SendReminder:
		return true
	}
	return false
}

// Request is a command with what its decision needs.
type Request struct {
	Command
	Facts Facts
}

// Decider runs cases.
var Decider = domain.Decider[Request, *State]{
	Stream: func(r Request) string { return r.Case().Stream() },
	New:    newState,
	Decide: decide,
	Evolve: func(s *State, e domain.Event) *State {
		e.(Event).apply(s)
		return s
	},
	Audit: audit,
}

// Check refuses a command whose shape is wrong, naming every wrong field.
func Check(c Command) error {
	var f domain.Faults
	c.check(&f)
	return f.Err()
}

func decide(s *State, r Request) ([]domain.Event, error) {
	if err := Check(r.Command); err != nil {
		return nil, err
	}
	switch {
	case !r.Facts.SellerKnown:
		return nil, ErrUnknownSeller.With("%s", r.Case().Seller).At("/seller")
	case !r.Facts.CustomerKnown:
		return nil, ErrUnknownCustomer.With("%s of seller %s", r.Case().Customer, r.Case().Seller).At("/customer")
	case NeedsFacts(r.Command) && r.Facts.Debtor.Key != r.Case():
		return nil, ErrFactsMissing.With("%s", r.Facts.Debtor.Stream())
	}
	if today := r.Facts.Today; !today.IsZero() && r.GivenOn().After(today) {
		return nil, ErrFutureDay.With("%s, and today is %s", r.GivenOn(), today).At("/on")
	}
	return r.decide(s, r.Facts)
}

func text(f *domain.Faults, field, value string, required bool) {
	f.Add(field, domain.CheckText(value, required, TextMax))
}

func date(f *domain.Faults, field string, d domain.Date) {
	f.Require(!d.IsZero(), field, domain.ErrMissing)
}

func oneOf[T ~string](f *domain.Faults, field string, value T, allowed ...T) {
	names := make([]string, len(allowed))
	for i, a := range allowed {
		if value == a {
			return
		}
		names[i] = string(a)
	}
	f.Add(field, domain.ErrUnknown.With("%.80q, want one of %s", string(value), strings.Join(names, ", ")))
}
