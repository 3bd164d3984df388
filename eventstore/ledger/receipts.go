package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/receipt"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
)

var receipts = &eventstore.Aggregate[receipt.Command, *receipt.State]{Decider: receipt.Decider, Size: (*receipt.State).Size}

// onReceipt asks that the seller be registered and the day have come. What a crash left assigned and not booked is booked
// first.
func (l *Ledger) onReceipt(ctx context.Context, c receipt.Command, env eventstore.Envelope) (eventstore.Receipt, error) {
	if err := receipt.Check(c); err != nil {
		return eventstore.Receipt{}, err
	}
	if err := l.receiptDays(ctx, c); err != nil {
		return eventstore.Receipt{}, err
	}
	if err := l.bookWaiting(ctx, c.Of().Stream(), env); err != nil {
		return eventstore.Receipt{}, err
	}
	assign, ok := c.(receipt.AssignReceipt)
	if !ok {
		return eventstore.Run(ctx, l.handler, receipts, c, env)
	}
	if err := l.mayAssign(ctx, assign, env); err != nil {
		return eventstore.Receipt{}, err
	}
	assigned, err := eventstore.Run(ctx, l.handler, receipts, c, env)
	if err != nil {
		return eventstore.Receipt{}, err
	}
	booked, err := l.book(ctx, assign.Key, uint64(assigned.Version), env)
	if err != nil {
		return eventstore.Receipt{}, err
	}
	booked.Events, booked.Repeated = slices.Concat(assigned.Events, booked.Events), assigned.Repeated
	return booked, nil
}

func (l *Ledger) receiptDays(ctx context.Context, c receipt.Command) error {
	id := c.Of().Seller
	known := false
	err := eventstore.View(ctx, l.handler, sellers, seller.Stream(id), func(s *seller.State, _ eventstore.Version) error {
		known = s.Registered
		return nil
	})
	if err != nil {
		return err
	}
	if !known {
		return account.ErrUnknownSeller.With("%s", id).At("/seller")
	}
	on, field := c.Of().ReceivedOn, "/received_on"
	if back, ok := c.(receipt.ReturnReceipt); ok {
		on, field = back.ReturnedOn, "/on"
	}
	today, err := l.today(ctx, id)
	if err == nil && !today.IsZero() && on.After(today) {
		return receipt.ErrFutureDay.With("%s, and today is %s", on, today).At(field)
	}
	return err
}

// mayAssign refuses what the account would refuse, before anything is written. A command that was given before is not
// asked again.
func (l *Ledger) mayAssign(ctx context.Context, c receipt.AssignReceipt, env eventstore.Envelope) error {
	_, seen, err := eventstore.Lookup(ctx, l.handler, receipts, c.Stream(), env)
	if err != nil || seen {
		return err
	}
	r, open, err := l.receipt(ctx, c.Key)
	if err != nil || !open || r.Customer != "" {
		return err // what is not open, or just being booked, is refused by its own rule
	}
	r.Customer, r.Payment = c.Customer, c.PaymentID()
	payment := paymentOf(r)
	p, err := l.parties(ctx, payment.Key)
	if err != nil {
		return err
	}
	try := order{Command: account.Request{Command: payment, Parties: p.Parties}, Envelope: eventstore.Envelope{CommandID: derivedID("may assign " + env.CommandID)}}
	if _, err = eventstore.Alone(l.try(ctx, []order{try})); err == nil {
		return nil
	}
	now, open, lookErr := l.receipt(ctx, c.Key)
	if lookErr == nil && (!open || now.Customer != "") { // somebody was quicker, whose payment it may be that is in the way
		return nil
	}
	return err
}

// receipt finds one that is open.
func (l *Ledger) receipt(ctx context.Context, key receipt.Key) (r receipt.Receipt, open bool, err error) {
	err = eventstore.View(ctx, l.handler, receipts, key.Stream(), func(s *receipt.State, _ eventstore.Version) error {
		r, open = s.Get(key.Receipt)
		return nil
	})
	return r, open, err
}

// paymentOf is what an assigned receipt becomes: the same whoever books it, and however often.
func paymentOf(r receipt.Receipt) account.RecordPayment {
	c := account.RecordPayment{
		Key:     account.Key{Seller: r.Seller, Customer: r.Customer, Currency: r.Amount.Currency()},
		Payment: r.Payment, ReceivedOn: r.ReceivedOn, Amount: r.Amount,
		Method: "TRANSFER", Reference: r.Reference, Payer: r.Payer, Receipt: r.Key.Receipt,
	}
	if r.Unapplied {
		c.Allocate = account.Nothing
	}
	return c
}

// bookWaiting books what is assigned and not booked: a crash came between, or another command is just at it, which comes
// to the same. What an account refuses is told to whoever assigned it.
func (l *Ledger) bookWaiting(ctx context.Context, stream string, env eventstore.Envelope) error {
	var waiting []receipt.Receipt
	err := eventstore.View(ctx, l.handler, receipts, stream, func(s *receipt.State, _ eventstore.Version) error {
		s.Open(func(r receipt.Receipt) {
			if r.Customer != "" {
				waiting = append(waiting, r)
			}
		})
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range waiting {
		if _, err := l.book(ctx, r.Key, r.Token, env); err != nil && outcomeUnknown(err) {
			return err
		}
	}
	return nil
}

// book makes a receipt a payment on the account of the customer whom it was assigned to, and notes that it is one. Both
// have ids that come from the assignment, so that each is done once, whoever does it. A payment that the account can
// never have, as there is another by its id, sets the receipt free again; one that it refuses for now is tried again by the
// next command.
func (l *Ledger) book(ctx context.Context, key receipt.Key, token uint64, env eventstore.Envelope) (eventstore.Receipt, error) {
	about := fmt.Sprint(key.Stream(), " ", token)
	assigned := fmt.Sprint(key.Stream(), "@", token) // the event that led to it
	done := receipt.BookReceipt{Key: key, Token: token}
	own, err := l.signed(done, eventstore.Envelope{CommandID: derivedID("book receipt " + about), Actor: env.Actor, Correlation: env.Correlation, Causation: assigned})
	if err != nil {
		return eventstore.Receipt{}, err
	}
	r, open, err := l.receipt(ctx, key)
	if err != nil {
		return eventstore.Receipt{}, err
	}
	if !open || r.Token != token { // booked, or set free
		return eventstore.Run(ctx, l.handler, receipts, receipt.Command(done), own)
	}
	payment := eventstore.Envelope{CommandID: derivedID("payment of receipt " + about), Actor: env.Actor, Correlation: env.Correlation, Causation: assigned}
	err = l.pay(ctx, paymentOf(r), payment)
	if never := never(err); never != nil {
		free := receipt.ReleaseReceipt{Key: key, Token: token, Rule: never.Rule}
		id := eventstore.Envelope{CommandID: derivedID("release receipt " + about), Actor: env.Actor, Correlation: env.Correlation, Causation: assigned}
		if id, signErr := l.signed(free, id); signErr != nil {
			return eventstore.Receipt{}, signErr
		} else if _, freeErr := eventstore.Run(ctx, l.handler, receipts, receipt.Command(free), id); freeErr != nil {
			return eventstore.Receipt{}, freeErr
		}
	}
	if err != nil {
		return eventstore.Receipt{}, err
	}
	return eventstore.Run(ctx, l.handler, receipts, receipt.Command(done), own)
}

// pay books a receipt's payment. One that the account has seen is booked, whatever came between: the customer may have been
// erased, and with it the payer's name that the payment had.
func (l *Ledger) pay(ctx context.Context, c account.RecordPayment, env eventstore.Envelope) error {
	_, err := l.Execute(ctx, c, env)
	if err == nil || outcomeUnknown(err) {
		return err
	}
	live, closed, liveErr := l.live(ctx, c.Key)
	if liveErr != nil {
		return liveErr
	}
	for _, stream := range append(closed, live) {
		_, seen, findErr := eventstore.Find(ctx, l.handler, accounts, stream, env.CommandID)
		if seen || findErr != nil {
			return findErr
		}
	}
	return err
}

// never gives the refusal of a payment that the account can never have: there is another by its id, or the customer was
// erased meanwhile. nil for every other.
func never(err error) *domain.Error {
	for _, rule := range []*domain.Error{account.ErrRepeatedID, customer.ErrErased} {
		if errors.Is(err, rule) {
			return rule
		}
	}
	return nil
}

// ReceiptYears is how many years of receipts, before that of the day, are looked through for a debtor's money: a claim
// becomes time-barred in five (民法166条).
const ReceiptYears = 5

// Unmatched finds the receipts without a known payer that may be a debtor's. Many may ask it at once.
type Unmatched struct {
	index     *receipt.Index
	tolerance []domain.Money
}

// Unmatched looks up a seller's receipts whose payer is not known, of a day's year and the ReceiptYears before it.
// O(1) where none came or went since the last time, else O(open receipts).
func (l *Ledger) Unmatched(ctx context.Context, id domain.SellerID, on domain.Date) (u Unmatched, err error) {
	err = eventstore.View(ctx, l.handler, sellers, seller.Stream(id), func(s *seller.State, _ eventstore.Version) error {
		u.tolerance = s.Settings.Tolerance
		return nil
	})
	if err != nil {
		return u, err
	}
	var now indexed
	each := func(look func(*receipt.State)) error {
		for i := range now.versions {
			err := eventstore.View(ctx, l.handler, receipts, receipt.Stream(id, on.Year()-i), func(s *receipt.State, v eventstore.Version) error {
				now.versions[i] = v
				look(s)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	known := l.receipts.get(id, on.Year())
	if err := each(func(*receipt.State) {}); err != nil {
		return u, err
	}
	if known.Index == nil || known.versions != now.versions {
		var open []receipt.Receipt
		if err := each(func(s *receipt.State) { s.Open(func(r receipt.Receipt) { open = append(open, r) }) }); err != nil {
			return u, err
		}
		now.Index = receipt.NewIndex(open)
		l.receipts.put(id, on.Year(), now)
		known = now
	}
	u.index = known.Index
	return u, nil
}

// indexed is an index with the versions of the streams that it shows, newest year first.
type indexed struct {
	*receipt.Index
	versions [ReceiptYears + 1]eventstore.Version
}

// receiptIndexes are the last index of each seller.
type receiptIndexes struct {
	mu sync.Mutex
	of map[domain.SellerID]yearIndex
}

type yearIndex struct {
	year int
	indexed
}

func (x *receiptIndexes) get(id domain.SellerID, year int) (found indexed) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if of := x.of[id]; of.year == year {
		found = of.indexed
	}
	return found
}

func (x *receiptIndexes) put(id domain.SellerID, year int, now indexed) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.of == nil {
		x.of = make(map[domain.SellerID]yearIndex)
	}
	x.of[id] = yearIndex{year, now}
}

// Of is what the receipts of up to a day that may be a debtor's come to. names are the customer's name and its reading.
func (u Unmatched) Of(d dunning.Debtor, names []string, on domain.Date) domain.Money {
	if u.index.Empty() {
		return domain.NewMoney(0, d.Currency)
	}
	var fee int64
	for _, m := range u.tolerance {
		if m.Currency() == d.Currency {
			fee = m.Minor()
		}
	}
	return receipt.Total(u.index.Of(Owes(d, names, fee), on), d.Currency)
}

// Owes is a debtor as receipts are compared with it: its names, what is open, and a fee, in minor units, by which a
// transfer may fall short.
func Owes(d dunning.Debtor, names []string, fee int64) receipt.Debtor {
	who := receipt.Debtor{Customer: d.Customer, Currency: d.Currency, Names: names, Fee: fee, Open: make([]receipt.Item, len(d.Items))}
	for i, item := range d.Items {
		who.Open[i] = receipt.Item{Number: item.Number, Minor: item.Open.Minor()}
	}
	return who
}
