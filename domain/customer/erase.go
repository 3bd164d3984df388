package customer

import (
	"slices"

	"github.com/urikake/urikake/domain"
)

// ErasedName stands in reports and letters for the name of a customer that was erased.
const ErasedName = "（消去済み / erased）"

// RetentionYears is how long the books keep who did business after the fiscal year of the last document: the ten years
// of 会社法432条 and of the tax law in loss years (法人税法施行規則), counted from the filing deadline, which is within a
// further one.
const RetentionYears = 11

var (
	ErrErased = &domain.Error{
		Code: domain.Refused, Rule: "customer.erased",
		Text: "the customer's personal data was erased for good and nothing more is recorded of it; register the customer under a new id",
	}
	ErrStillOpen = &domain.Error{
		Code: domain.Refused, Rule: "customer.still_open",
		Text: "the customer is erased only when nothing is open: no invoice or late charge, no unapplied money, no dispute, no dunning case",
	}
	ErrRetained = &domain.Error{
		Code: domain.Refused, Rule: "customer.retained",
		Text: "books must be kept: a customer is erased from 11 years after the fiscal year of the last document on, which ends a year after that at the latest",
	}
	ErrErasureAhead = &domain.Error{
		Code: domain.Invalid, Rule: "customer.erasure_ahead",
		Text: "the day lies ahead; a customer is erased today, or on the day on which it was asked for",
	}
)

// Books is what the books say of a customer when it is to be erased. Whoever gives the command to the decider looks it
// up in all the customer's accounts.
type Books struct {
	Today  domain.Date // zero: nobody knows
	Open   []string    // what is open, for people
	LastOn domain.Date // business day of the last that was recorded; zero: there never was anything

	Receipts []PaidReceipt // those that turned out to be payments of the customer
}

// PaidReceipt names a receipt whose payer turned out to be the customer.
type PaidReceipt struct {
	Receipt    domain.ReceiptID `json:"receipt" doc:"the receipt"`
	ReceivedOn domain.Date      `json:"received_on" doc:"its value date"`
}

// EraseCustomer forgets who a customer was: the key under which its name, contacts, payers and notes are sealed is
// destroyed, and every read model forgets them. Amounts, documents and proofs stay, under the customer's id. It can't be
// undone. Refuses customer.unknown, customer.erased, customer.still_open, customer.retained, customer.erasure_ahead.
type EraseCustomer struct {
	Key
	On     domain.Date `json:"on" doc:"the day: today, or the day on which it was asked for"`
	Reason string      `json:"reason" doc:"why, up to 1000 bytes; not for personal data"`
	Books  Books       `json:"-"`
}

func (EraseCustomer) Name() string { return "EraseCustomer" }

func (c EraseCustomer) check(faults *domain.Faults) {
	c.Key.check(faults)
	faults.Require(!c.On.IsZero(), "/on", domain.ErrMissing)
	checkReason(c.Reason, faults)
}

func (c EraseCustomer) decide(*State) ([]domain.Event, error) {
	if !c.Books.Today.IsZero() && c.On.After(c.Books.Today) {
		return nil, ErrErasureAhead.With("%s, and today is %s", c.On, c.Books.Today).At("/on")
	}
	if len(c.Books.Open) > 0 {
		return nil, ErrStillOpen.With("%s", join(c.Books.Open)).At("/customer")
	}
	if from := erasableFrom(c.Books.LastOn); c.On.Before(from) {
		return nil, ErrRetained.With("the last is of %s: possible from %s on", c.Books.LastOn, from).At("/on")
	}
	var events []domain.Event
	for some := range slices.Chunk(c.Books.Receipts, receiptsAtOnce) {
		events = append(events, PayersErased{c.Key, c.On, some})
	}
	return append(events, Erased{c.Key, c.On, c.Reason}), nil
}

// receiptsAtOnce is how many receipts one event names, so that it stays well below what a log takes.
const receiptsAtOnce = 1000

// erasableFrom is the first day on which nothing has to be kept any more. When a seller's fiscal year ends is not known
// here: a year after any of its days at the latest.
func erasableFrom(last domain.Date) domain.Date {
	if last.IsZero() {
		return last
	}
	t := last.Time()
	return domain.DateOf(t.AddDate(RetentionYears+1, 0, 0))
}

// openShown is how much of what is open a refusal names.
const openShown = 5

func join(list []string) (text string) {
	for i, one := range list {
		switch {
		case i == openShown:
			return text + ", ..."
		case i > 0:
			text += ", "
		}
		text += one
	}
	return text
}

// Erased says that a customer's personal data is gone, and why. Everything that reads it forgets what it knows.
type Erased struct {
	Key
	On     domain.Date `json:"on" doc:"the day"`
	Reason string      `json:"reason" doc:"why"`
}

func (Erased) Kind() string { return "customer.erased" }

func (e Erased) apply(s *State) {
	s.Active, s.Erased = false, true
	s.Name, s.Kana, s.Address, s.Contacts, s.Attributes = ErasedName, "", "", nil, nil
}

// PayersErased says that with a customer the payers' names on receipts are gone that turned out to be its payments.
// Erased stands beside it.
type PayersErased struct {
	Key
	On       domain.Date   `json:"on" doc:"the day"`
	Receipts []PaidReceipt `json:"receipts" doc:"the receipts, up to 1000"`
}

func (PayersErased) Kind() string { return "customer.payers_erased" }

func (PayersErased) apply(*State) {}
