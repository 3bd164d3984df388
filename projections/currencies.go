package projections

import (
	"context"

	"github.com/urikake/urikake/domain"
)

// Currencies lists the currencies in which a customer has an account, in order.
// Refuses views.unknown_seller, views.unknown_customer, and what CatchUp refuses.
func (v *Views) Currencies(ctx context.Context, seller domain.SellerID, customer domain.CustomerID) (list []domain.Currency, err error) {
	err = v.lookNow(ctx, func(r *reader) error {
		accounts, err := r.holders(seller, customer)
		for _, a := range accounts {
			list = append(list, a.currency)
		}
		return err
	})
	return list, err
}
