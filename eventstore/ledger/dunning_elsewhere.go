package ledger

import (
	"context"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/dunning"
)

// Elsewhere is what the debtor's accounts in other currencies hold at the end of a day that settles nothing yet, by
// currency; none that is zero. A log lists no streams, so an account in each currency that there is is looked for: some
// 180 reads, of which most find nothing.
func (l *Ledger) Elsewhere(ctx context.Context, key dunning.Key, on domain.Date) (list []domain.Money, err error) {
	for _, c := range domain.Currencies() {
		other := account.Key{Seller: key.Seller, Customer: key.Customer, Currency: c}
		if c == key.Currency {
			continue
		}
		if there, err := l.exists(ctx, other.Stream()); err != nil {
			return nil, err
		} else if !there {
			continue
		}
		var sum int64
		_, err := l.standing(ctx, other, func(s *account.State, earlier []*account.State) {
			cash, credit := s.UnappliedOn(other, on, earlier)
			sum = cash.Minor() + credit.Minor()
		})
		if err != nil {
			return nil, err
		}
		if sum > 0 {
			list = append(list, domain.NewMoney(sum, c))
		}
	}
	return list, nil
}

// exists tells that a stream has an event.
func (l *Ledger) exists(ctx context.Context, stream string) (bool, error) {
	for _, err := range l.store.Read(ctx, stream, 0) {
		return err == nil, err
	}
	return false, nil
}
