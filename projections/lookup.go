package projections

import (
	"context"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
)

// Seller is a client company as it was known.
type Seller struct {
	Seller       domain.SellerID    `json:"seller"`
	Name         string             `json:"name"`
	NameEn       string             `json:"name_en,omitempty"`
	BaseCurrency domain.Currency    `json:"base_currency"`
	TimeZone     string             `json:"time_zone"`
	Language     domain.Language    `json:"language"`
	Payees       []seller.Payee     `json:"payees,omitempty" doc:"accounts to be paid to"`
	LateTerms    []domain.LateTerms `json:"late_terms,omitempty" doc:"what contracts say about late charges, by first day; a customer's own come before"`
}

// Customer is a debtor of a seller as it was known.
type Customer struct {
	Customer   domain.CustomerID  `json:"customer"`
	Name       string             `json:"name"`
	Kana       string             `json:"kana,omitempty"`
	Country    string             `json:"country,omitempty"`
	Language   domain.Language    `json:"language,omitempty"` // empty: the seller's
	ExternalID string             `json:"external_id,omitempty"`
	Active     bool               `json:"active"`
	Limits     []domain.Money     `json:"credit_limit,omitempty" doc:"most that may be owed, one amount a currency (与信限度)"`
	LateTerms  []domain.LateTerms `json:"late_terms,omitempty" doc:"what his own contract says about late charges, by first day"`
}

// Sellers lists all sellers, by id, as they are known now. Refuses what CatchUp refuses.
func (v *Views) Sellers(ctx context.Context) (list []Seller, err error) {
	_, err = v.lookAt(ctx, KnownAt{}, func(r *reader, position int64) error {
		return r.eachParty(sellers, position, nil, func(id string, row columns) error {
			one, err := sellerOf(id, row)
			list = append(list, one)
			return err
		})
	})
	return list, err
}

// Seller gives one seller as known then. O(log n). Refuses views.unknown_seller, views.beyond_log, and what CatchUp
// refuses.
func (v *Views) Seller(ctx context.Context, id domain.SellerID, known KnownAt) (s Seller, err error) {
	_, err = v.lookAt(ctx, known, func(r *reader, position int64) error {
		row, known, err := r.party(sellers, position, Str(id))
		if err == nil && !known {
			err = ErrUnknownSeller.With("%q", string(id)).At("/seller")
		}
		if err == nil {
			s, err = sellerOf(string(id), row)
		}
		return err
	})
	return s, err
}

func sellerOf(id string, row columns) (s Seller, err error) {
	s = Seller{
		Seller: domain.SellerID(id), Name: row.text(sellerName), NameEn: row.text(sellerNameEn),
		BaseCurrency: domain.Currency(row.text(sellerCurrency)), TimeZone: row.text(sellerZone), Language: domain.Language(row.text(sellerLanguage)),
	}
	if s.Payees, err = listIn[seller.Payee](row.text(sellerPayees)); err == nil {
		s.LateTerms, err = listIn[domain.LateTerms](row.text(sellerLate))
	}
	return s, err
}

// Customers lists a seller's customers, by id, as known then, and tells up to which position. Refuses
// views.unknown_seller, views.beyond_log, and what CatchUp refuses.
func (v *Views) Customers(ctx context.Context, id domain.SellerID, known KnownAt) (list []Customer, at eventstore.Position, err error) {
	at, err = v.lookAt(ctx, known, func(r *reader, position int64) error {
		if err := r.knows(id, "", position); err != nil {
			return err
		}
		return r.eachParty(customers, position, []Value{Str(id)}, func(id string, row columns) error {
			one, err := customerOf(id, row)
			list = append(list, one)
			return err
		})
	})
	return list, at, err
}

// Customer gives one customer as known then, and tells up to which position. O(log n). Refuses views.unknown_seller,
// views.unknown_customer, views.beyond_log, and what CatchUp refuses.
func (v *Views) Customer(ctx context.Context, seller domain.SellerID, id domain.CustomerID, known KnownAt) (one Customer, at eventstore.Position, err error) {
	at, err = v.lookAt(ctx, known, func(r *reader, position int64) error {
		row, found, err := r.party(customers, position, Str(seller), Str(id))
		if err == nil && !found {
			return r.knows(seller, id, position) // which of the two is unknown
		}
		if err == nil {
			one, err = customerOf(string(id), row)
		}
		return err
	})
	return one, at, err
}

func customerOf(id string, row columns) (one Customer, err error) {
	one = Customer{
		Customer: domain.CustomerID(id), Name: row.text(customerName), Kana: row.text(customerKana), Country: row.text(customerCountry),
		Language: domain.Language(row.text(customerLanguage)), ExternalID: row.text(customerExternal), Active: row.int(customerActive) != 0,
		Limits: limitsIn(row.text(customerLimit)),
	}
	one.LateTerms, err = listIn[domain.LateTerms](row.text(customerLate))
	return one, err
}

// Erasures counts the customers who were erased, of all sellers: what is shown of any time changes with it, and with
// nothing else that comes later. O(erased). Refuses what CatchUp refuses.
func (v *Views) Erasures(ctx context.Context) (n int64, err error) {
	err = v.lookNow(ctx, func(r *reader) error {
		n, _, err = r.ask("SELECT count(*) FROM parties_customers WHERE erased = 1")
		return err
	})
	return n, err
}

// Known is the position that a report with this limit would be known at, so that several answers may show one state.
// Refuses views.beyond_log, and what CatchUp refuses.
func (v *Views) Known(ctx context.Context, k KnownAt) (eventstore.Position, error) {
	return v.known(ctx, k)
}

// lookAt reads what is known at a position: without a limit, everything that the reader sees.
func (v *Views) lookAt(ctx context.Context, known KnownAt, work func(r *reader, position int64) error) (eventstore.Position, error) {
	position, err := v.known(ctx, known)
	if err != nil {
		return position, err
	}
	at := moment{position: int64(position)}
	err = v.look(ctx, func(r *reader) (err error) {
		if at, err = r.newest(at, known); err != nil {
			return err
		}
		return work(r, at.position)
	})
	return eventstore.Position(at.position), err
}

// lookNow reads when everything that was in the log at the call is folded.
func (v *Views) lookNow(ctx context.Context, work func(*reader) error) error {
	if _, err := v.CatchUp(ctx); err != nil {
		return err
	}
	return v.look(ctx, work)
}
