package projections

import (
	"context"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// Seller gives one seller as it is known now. O(log n). Refuses views.unknown_seller, and what CatchUp refuses.
func (v *Views) Seller(ctx context.Context, id domain.SellerID) (s Seller, err error) {
	err = v.lookNow(ctx, func(r *reader) error {
		found := false
		err := r.each(sellerQuery+" WHERE seller = ?", []Value{Str(id)}, func(c *cursor) (err error) {
			found = true
			s, err = sellerAt(c)
			return err
		})
		if err == nil && !found {
			err = ErrUnknownSeller.With("%q", string(id)).At("/seller")
		}
		return err
	})
	return s, err
}

// Customer gives one customer as it is known now. O(log n). Refuses views.unknown_seller, views.unknown_customer, and
// what CatchUp refuses.
func (v *Views) Customer(ctx context.Context, seller domain.SellerID, id domain.CustomerID) (one Customer, err error) {
	err = v.lookNow(ctx, func(r *reader) error {
		found := false
		err := r.each(customerQuery+" AND customer = ?", []Value{Str(seller), Str(id)}, func(c *cursor) (err error) {
			found = true
			one, err = customerAt(c)
			return err
		})
		if err != nil || found {
			return err
		}
		_, err = r.holders(seller, id) // which of the two is unknown
		return err
	})
	return one, err
}

// Known is the position that a report with this limit would be known at, so that several answers may show one state.
// Refuses views.beyond_log, and what CatchUp refuses.
func (v *Views) Known(ctx context.Context, k KnownAt) (eventstore.Position, error) {
	return v.known(ctx, k)
}
