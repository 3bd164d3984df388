package ledger

import (
	"context"
	"fmt"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
)

// erase looks at all that the books have of a customer before it is erased, and destroys the key when the log says so.
// A process that ends between the two leaves the key to whoever reads the event next: see eventstore.Codec.Sealing.
// The accounts are other streams, so what is booked at the same moment is not seen: it keeps its amounts, and loses the
// name, as all that was booked twelve years before.
func (l *Ledger) erase(ctx context.Context, c customer.EraseCustomer, env eventstore.Envelope) (r eventstore.Receipt, err error) {
	known := false
	if err := l.customer(ctx, c.Key, func(s *customer.State) { known = s.Registered && !s.Erased }); err != nil {
		return r, err
	}
	if known {
		if c.Books, err = l.booksOf(ctx, c.Key); err != nil {
			return r, err
		}
	}
	r, err = eventstore.Run(ctx, l.handler, customers, customer.Command(c), env)
	if err == nil {
		err = l.codec.Forget(c.Key.Stream())
	}
	return r, err
}

// booksOf looks into the accounts in all currencies that there are, since nothing in the log lists a customer's.
// O(events of the customer).
func (l *Ledger) booksOf(ctx context.Context, key customer.Key) (b customer.Books, err error) {
	if b.Today, err = l.today(ctx, key.Seller); err != nil {
		return b, err
	}
	for _, currency := range domain.Currencies() {
		of := account.Key{Seller: key.Seller, Customer: key.Customer, Currency: currency}
		stream, closed, err := l.live(ctx, of)
		if err != nil {
			return b, err
		}
		err = eventstore.View(ctx, l.handler, accounts, stream, func(s *account.State, _ eventstore.Version) error {
			b.Open = append(b.Open, s.Unfinished(of)...)
			return nil
		})
		if err != nil {
			return b, err
		}
		debtor := dunning.Key(of)
		err = l.Case(ctx, debtor, func(s *dunning.State, _ eventstore.Version) error {
			if s.Open() || s.Pending != nil {
				b.Open = append(b.Open, fmt.Sprintf("the dunning case in %s", currency))
			}
			return nil
		})
		if err != nil {
			return b, err
		}
		for _, of := range append(closed, stream, debtor.Stream()) {
			last, err := l.lastOn(ctx, of)
			if err != nil {
				return b, err
			}
			b.LastOn = domain.LaterOf(b.LastOn, last)
		}
	}
	return b, nil
}

// lastOn is the newest business day in a stream on which something was done.
func (l *Ledger) lastOn(ctx context.Context, stream string) (last domain.Date, err error) {
	for r, err := range l.store.Read(ctx, stream, 0) {
		if err != nil {
			return last, err
		}
		event, err := l.codec.Decode(r)
		if err != nil {
			return last, err
		}
		switch e := event.(type) {
		case account.BalanceCarriedForward, account.BalanceBroughtForward: // every year, of itself
		case interface{ On() domain.Date }:
			last = domain.LaterOf(last, e.On())
		}
	}
	return last, nil
}
