package projections

import (
	"context"
	"slices"

	"github.com/urikake/urikake/domain"
)

// Currencies lists the currencies in which a customer has an account or a dunning case, in order.
// Refuses views.unknown_seller, views.unknown_customer, and what CatchUp refuses.
func (v *Views) Currencies(ctx context.Context, seller domain.SellerID, customer domain.CustomerID) (list []domain.Currency, err error) {
	err = v.lookNow(ctx, func(r *reader) error {
		accounts, err := r.holders(seller, customer)
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
