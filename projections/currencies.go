package projections

import (
	"context"
	"slices"

	"github.com/urikake/urikake/domain"
)

// Currencies lists the currencies in which a customer had an account as known then, or has a dunning case, in order.
// Refuses views.unknown_seller, views.unknown_customer, views.beyond_log, and what CatchUp refuses.
func (v *Views) Currencies(ctx context.Context, seller domain.SellerID, customer domain.CustomerID, known KnownAt) (list []domain.Currency, err error) {
	_, err = v.lookAt(ctx, known, func(r *reader, position int64) error {
		accounts, err := r.holders(seller, customer, position)
		for _, a := range accounts {
			list = append(list, a.currency)
		}
		if err != nil {
			return err
		}
		return r.each("SELECT currency FROM dunning_cases WHERE seller = ? AND customer = ?", []Value{Str(seller), Str(customer)}, func(c *cursor) error {
			list = append(list, domain.Currency(c.text(0)))
			return nil
		})
	})
	slices.Sort(list)
	return slices.Compact(list), err
}
