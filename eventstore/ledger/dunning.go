package ledger

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
)

var (
	policies = &eventstore.Aggregate[dunning.PolicyCommand, *dunning.Policies]{Decider: dunning.PolicyDecider, Size: (*dunning.Policies).Size}
	runs     = &eventstore.Aggregate[dunning.RunCommand, *dunning.RunState]{Decider: dunning.RunDecider, Size: (*dunning.RunState).Size}
	cases    = &eventstore.Aggregate[dunning.Request, *dunning.State]{Decider: dunning.Decider, Size: (*dunning.State).Size}
)

// ErrUnknownRecipient refuses a reference that leads to nobody (any more).
var ErrUnknownRecipient = &domain.Error{
	Code: domain.NotFound, Rule: "dunning.unknown_recipient",
	Text: "the customer has no such contact; a recipient is customer, or contact: and the contact's place from 0",
}

// onPolicies asks that the seller be registered, and that what the banks told has been told.
func (l *Ledger) onPolicies(ctx context.Context, c dunning.PolicyCommand, env eventstore.Envelope) (eventstore.Receipt, error) {
	if err := dunning.CheckPolicy(c); err != nil {
		return eventstore.Receipt{}, err
	}
	if err := l.registered(ctx, c.Of()); err != nil {
		return eventstore.Receipt{}, err
	}
	if bank, ok := c.(dunning.RecordBankData); ok {
		today, err := l.today(ctx, bank.Seller)
		if err != nil {
			return eventstore.Receipt{}, err
		}
		if !today.IsZero() && bank.On.After(today) {
			return eventstore.Receipt{}, dunning.ErrFutureDay.With("%s, and today is %s", bank.On, today).At("/on")
		}
	}
	return eventstore.Run(ctx, l.handler, policies, c, env)
}

// onRun asks the same.
func (l *Ledger) onRun(ctx context.Context, c dunning.RunCommand, env eventstore.Envelope) (eventstore.Receipt, error) {
	if err := dunning.CheckRun(c); err != nil {
		return eventstore.Receipt{}, err
	}
	if err := l.registered(ctx, c.Of().Seller); err != nil {
		return eventstore.Receipt{}, err
	}
	return eventstore.Run(ctx, l.handler, runs, c, env)
}

// registered refuses dunning.unknown_seller.
func (l *Ledger) registered(ctx context.Context, id domain.SellerID) error {
	return eventstore.View(ctx, l.handler, sellers, seller.Stream(id), func(s *seller.State, _ eventstore.Version) error {
		if !s.Registered {
			return dunning.ErrUnknownSeller.With("%s", id).At("/seller")
		}
		return nil
	})
}

// onCase decides on facts that are read from the account right before. The account may change between that and the
// append, since they are two streams: a reminder that was queued at the same moment as its debtor's payment was booked
// is found by the look that is taken again when it is sent, and a case that was closed as paid while a payment bounced
// begins afresh with the next run.
func (l *Ledger) onCase(ctx context.Context, c dunning.Command, env eventstore.Envelope) (eventstore.Receipt, error) {
	c = dunning.WithID(c, derivedID(env.CommandID))
	if err := dunning.Check(c); err != nil {
		return eventstore.Receipt{}, err
	}
	facts, err := l.facts(ctx, c)
	if err != nil {
		return eventstore.Receipt{}, err
	}
	r := dunning.Request{Command: c, Facts: facts}
	if err := l.assess(ctx, r, env); err != nil {
		return eventstore.Receipt{}, err
	}
	return eventstore.Run(ctx, l.handler, cases, r, env)
}

func (l *Ledger) facts(ctx context.Context, c dunning.Command) (f dunning.Facts, err error) {
	key := c.Case()
	p, err := l.parties(ctx, account.Key(key))
	if err == nil {
		err = p.standing(key.Customer)
	}
	f.SellerKnown, f.CustomerKnown = p.SellerKnown, p.CustomerKnown
	if err != nil || !f.SellerKnown || !f.CustomerKnown {
		return f, err
	}
	if f.Today, err = l.today(ctx, key.Seller); err != nil || !dunning.NeedsFacts(c) {
		return f, err
	}
	settings, err := l.Settings(ctx, key.Seller)
	if err != nil {
		return f, err
	}
	f.BankDays = settings.BankDays
	if f.Policy, _, err = l.Policy(ctx, key.Seller, key.Customer); err != nil {
		return f, err
	}
	on := c.GivenOn()
	if dunning.LooksAtToday(c) && !f.Today.IsZero() {
		on = f.Today
	}
	if f.Debtor, err = l.Debtor(ctx, key, on); err != nil || !asksElsewhere(c) {
		return f, err
	}
	f.Debtor.Elsewhere, err = l.Elsewhere(ctx, key, on)
	return f, err
}

// asksElsewhere tells the commands that ask for money in other currencies. A run has asked the read models before it
// queues a reminder, and what came since is found when that is given out.
func asksElsewhere(c dunning.Command) bool {
	switch c := c.(type) {
	case dunning.EscalateReminder:
		return c.Run == ""
	case dunning.SendReminder:
		return !c.Gone
	case dunning.DispatchReminder:
		return true
	}
	return false
}

// today is the day in the seller's time zone; none where the ledger has no clock.
func (l *Ledger) today(ctx context.Context, id domain.SellerID) (on domain.Date, err error) {
	if l.clock == nil {
		return on, nil
	}
	settings, err := l.Settings(ctx, id)
	if err != nil {
		return on, err
	}
	zone, err := time.LoadLocation(settings.TimeZone)
	if err != nil {
		return on, err
	}
	return domain.DateOf(l.clock().In(zone)), nil
}

// Policy is the one that holds for a debtor: the customer's own, its group's, or the seller's default. ok is false where
// the seller has set none that fits. O(1).
func (l *Ledger) Policy(ctx context.Context, seller domain.SellerID, id domain.CustomerID) (p dunning.Versioned, ok bool, err error) {
	var group string
	err = l.customer(ctx, customer.Key{Seller: seller, Customer: id}, func(s *customer.State) { group = s.Attributes[dunning.GroupAttribute] })
	if err != nil {
		return p, false, err
	}
	err = eventstore.View(ctx, l.handler, policies, dunning.PolicyStream(seller), func(s *dunning.Policies, _ eventstore.Version) error {
		p, ok = s.For(id, group)
		return nil
	})
	return p, ok, err
}

// Policies are the newest versions of all policies of a seller, by id.
func (l *Ledger) Policies(ctx context.Context, seller domain.SellerID) (list []dunning.Versioned, err error) {
	err = eventstore.View(ctx, l.handler, policies, dunning.PolicyStream(seller), func(s *dunning.Policies, _ eventstore.Version) error {
		list = s.All()
		return nil
	})
	return list, err
}

// Case lets look at a case as it stands now, at version 0 where there is none. look must not keep or change it.
func (l *Ledger) Case(ctx context.Context, key dunning.Key, look func(*dunning.State, eventstore.Version) error) error {
	return eventstore.View(ctx, l.handler, cases, key.Stream(), look)
}

// DunningRun lets look at how far a run has come, at version 0 where there is none. look must not keep or change it.
func (l *Ledger) DunningRun(ctx context.Context, key dunning.RunKey, look func(*dunning.RunState, eventstore.Version) error) error {
	return eventstore.View(ctx, l.handler, runs, key.Stream(), look)
}

// Recipient is to whom a reminder goes.
type Recipient struct {
	customer.Contact
	Address string // postal, in lines
}

// Contact is who a reminder's recipient stands for, and the language of the customer's documents, "" for the policy's.
// "customer" is the customer itself, by its name and postal address. Refuses dunning.unknown_customer and dunning.unknown_recipient.
func (l *Ledger) Contact(ctx context.Context, key dunning.Key, recipient string) (who Recipient, lang domain.Language, err error) {
	known, found := false, false
	err = l.customer(ctx, customer.Key{Seller: key.Seller, Customer: key.Customer}, func(s *customer.State) {
		known, lang = s.Registered, s.Language
		who, found = recipientOf(s, recipient)
	})
	switch {
	case err == nil && !known:
		err = dunning.ErrUnknownCustomer.With("%s of seller %s", key.Customer, key.Seller).At("/customer")
	case err == nil && !found:
		err = ErrUnknownRecipient.With("%.80q", recipient)
	}
	return who, lang, err
}

// itself is the reference to a customer where no contact is meant.
const itself = "customer"

func reference(contact int) string { return "contact:" + strconv.Itoa(contact) }

func recipientOf(s *customer.State, recipient string) (Recipient, bool) {
	if recipient == itself {
		return Recipient{customer.Contact{Name: s.Shown()}, s.Address}, true
	}
	place, ok := strings.CutPrefix(recipient, "contact:")
	n, err := strconv.Atoi(place)
	if !ok || err != nil || n < 0 || n >= len(s.Contacts) {
		return Recipient{}, false
	}
	return Recipient{s.Contacts[n], s.Address}, true
}

func (l *Ledger) customer(ctx context.Context, key customer.Key, look func(*customer.State)) error {
	return eventstore.View(ctx, l.handler, customers, key.Stream(), func(s *customer.State, _ eventstore.Version) error {
		look(s)
		return nil
	})
}
