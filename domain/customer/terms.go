package customer

import (
	"slices"

	"github.com/urikake/urikake/domain"
)

// SetPaymentTerms agrees other payment terms, for invoices issued from then on; due dates already given stay.
// Refuses customer.unknown, customer.nothing_new, terms.malformed.
type SetPaymentTerms struct {
	Key
	Terms  domain.Terms `json:"terms,omitzero" doc:"payment terms; absent: none, so each invoice has to name its due date"`
	Reason string       `json:"reason" doc:"why, up to 1000 bytes"`
}

func (SetPaymentTerms) Name() string { return "SetPaymentTerms" }

func (c SetPaymentTerms) check(faults *domain.Faults) {
	c.Key.check(faults)
	if !c.Terms.IsZero() {
		faults.Add("/terms", c.Terms.Check())
	}
	checkReason(c.Reason, faults)
}

func (c SetPaymentTerms) decide(s *State) ([]domain.Event, error) {
	return record(!c.Terms.Equal(s.Terms), TermsSet(c))
}

// TermsSet says that payment terms were agreed, and why.
type TermsSet struct {
	Key
	Terms  domain.Terms `json:"terms,omitzero" doc:"payment terms; absent: none agreed"`
	Reason string       `json:"reason" doc:"why"`
}

func (TermsSet) Kind() string     { return "customer.terms_set" }
func (e TermsSet) apply(s *State) { s.Terms = e.Terms }

// SetCreditLimit bounds what the customer may owe, in each currency named; other currencies have no limit.
// Refuses customer.unknown, customer.nothing_new, money.not_positive, input.given_twice.
type SetCreditLimit struct {
	Key
	CreditLimit []domain.Money `json:"credit_limit,omitempty" doc:"one amount a currency; absent: no limit"`
	Reason      string         `json:"reason" doc:"why, up to 1000 bytes"`
}

func (SetCreditLimit) Name() string { return "SetCreditLimit" }

func (c SetCreditLimit) check(faults *domain.Faults) {
	c.Key.check(faults)
	checkCreditLimit(c.CreditLimit, faults)
	checkReason(c.Reason, faults)
}

func (c SetCreditLimit) decide(s *State) ([]domain.Event, error) {
	return record(!slices.Equal(c.CreditLimit, s.CreditLimit), CreditLimitSet(c))
}

// CreditLimitSet says what the customer may owe at most, and why.
type CreditLimitSet struct {
	Key
	CreditLimit []domain.Money `json:"credit_limit,omitempty" doc:"one amount a currency; absent: no limit"`
	Reason      string         `json:"reason" doc:"why"`
}

func (CreditLimitSet) Kind() string     { return "customer.credit_limit_set" }
func (e CreditLimitSet) apply(s *State) { s.CreditLimit = e.CreditLimit }

// AgreeLateTerms replaces what the customer's own contract says about late charges, by first day; they come before the
// seller's. What is assessed stays; what is not is computed by the new terms from then on, for past delays too.
// Refuses customer.unknown, customer.nothing_new, rate.agreed_or_statutory, and each field by its own rule.
type AgreeLateTerms struct {
	Key
	Terms  []domain.LateTerms `json:"terms,omitempty" doc:"all terms, one for each first day, up to 200; absent: none of his own, the seller's hold"`
	Reason string             `json:"reason" doc:"why, up to 1000 bytes"`
}

func (AgreeLateTerms) Name() string { return "AgreeLateTerms" }

func (c AgreeLateTerms) check(faults *domain.Faults) {
	c.Key.check(faults)
	faults.Add("/terms", domain.CheckLateTerms(c.Terms))
	checkReason(c.Reason, faults)
}

func (c AgreeLateTerms) decide(s *State) ([]domain.Event, error) {
	c.Terms = domain.SortLateTerms(c.Terms)
	return record(!slices.Equal(c.Terms, s.LateTerms), LateTermsAgreed(c))
}

// LateTermsAgreed says what the customer's own contract says about late charges, and why that was changed.
type LateTermsAgreed struct {
	Key
	Terms  []domain.LateTerms `json:"terms,omitempty" doc:"all terms by first day; absent: none of his own"`
	Reason string             `json:"reason" doc:"why"`
}

func (LateTermsAgreed) Kind() string     { return "customer.late_terms_agreed" }
func (e LateTermsAgreed) apply(s *State) { s.LateTerms = e.Terms }
