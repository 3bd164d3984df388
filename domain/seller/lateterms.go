package seller

import (
	"slices"

	"github.com/urikake/urikake/domain"
)

// SetLateTerms replaces what a seller's contracts say about late charges with everybody who has no terms of his own, by
// first day. What is assessed stays; what is not is computed by the new terms from then on, for past delays too.
// Refuses seller.unknown, seller.nothing_new, rate.agreed_or_statutory, and each field by its own rule.
type SetLateTerms struct {
	Seller domain.SellerID    `json:"seller" doc:"the seller's id"`
	Terms  []domain.LateTerms `json:"terms,omitempty" doc:"all terms, one for each first day, up to 200; absent: none, the statutory rate holds"`
	Reason string             `json:"reason" doc:"why, up to 1000 bytes"`
}

func (SetLateTerms) Name() string { return "SetLateTerms" }

// Of is the seller whose terms they are.
func (c SetLateTerms) Of() domain.SellerID { return c.Seller }

func (c SetLateTerms) stream() string { return Stream(c.Seller) }

func (c SetLateTerms) decide(s *State) ([]domain.Event, error) {
	var faults domain.Faults
	faults.Add("/seller", domain.CheckID(c.Seller))
	faults.Add("/terms", domain.CheckLateTerms(c.Terms))
	faults.Add("/reason", domain.CheckText(c.Reason, true, ReasonMax))
	if err := faults.Err(); err != nil {
		return nil, err
	}
	terms := domain.SortLateTerms(c.Terms)
	switch {
	case !s.Registered:
		return nil, ErrUnknown.With("%s", c.Seller).At("/seller")
	case slices.Equal(terms, s.LateTerms):
		return nil, ErrNothingNew.With("%s", c.Seller)
	}
	return []domain.Event{LateTermsSet{c.Seller, terms, c.Reason}}, nil
}

// LateTermsSet says what a seller's contracts say about late charges, and why that was changed.
type LateTermsSet struct {
	Seller domain.SellerID    `json:"seller" doc:"the seller's id"`
	Terms  []domain.LateTerms `json:"terms,omitempty" doc:"all terms by first day; absent: none"`
	Reason string             `json:"reason" doc:"why"`
}

func (LateTermsSet) Kind() string     { return "seller.late_terms_set" }
func (e LateTermsSet) apply(s *State) { s.LateTerms = e.Terms }
