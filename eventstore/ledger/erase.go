package ledger

import (
	"context"
	"errors"
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
		for _, e := range r.Events {
			err = errors.Join(err, l.codec.Forget(e))
		}
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
			if err := l.past(ctx, of, &b); err != nil {
				return b, err
			}
		}
	}
	return b, nil
}

// past adds to the books the newest business day in a stream on which something was done, and the receipts that are
// payments there.
func (l *Ledger) past(ctx context.Context, stream string, b *customer.Books) error {
	for r, err := range l.store.Read(ctx, stream, 0) {
		if err != nil {
			return err
		}
		event, err := l.codec.Decode(r)
		if err != nil {
			return err
		}
		if paid, ok := event.(account.PaymentRecorded); ok && paid.Receipt != "" {
			b.Receipts = append(b.Receipts, customer.PaidReceipt{Receipt: paid.Receipt, ReceivedOn: paid.ReceivedOn})
		}
		switch e := event.(type) {
		case account.BalanceCarriedForward, account.BalanceBroughtForward: // every year, of itself
		case interface{ On() domain.Date }:
			b.LastOn = domain.LaterOf(b.LastOn, e.On())
		}
	}
	return nil
}
