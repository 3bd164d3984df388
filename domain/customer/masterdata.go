package customer

import (
	"reflect"

	"github.com/urikake/urikake/domain"
)

// RegisterCustomer takes on a customer of a seller, active from now on.
// Refuses customer.already_registered, and each field by its own rule.
type RegisterCustomer struct {
	Key
	Details
	Terms       domain.Terms   `json:"terms,omitzero" doc:"payment terms; without them each invoice has to name its due date"`
	CreditLimit []domain.Money `json:"credit_limit,omitempty" doc:"most that may be owed, one amount a currency (与信限度)"`
}

func (RegisterCustomer) Name() string { return "RegisterCustomer" }

func (c RegisterCustomer) check(faults *domain.Faults) {
	c.Key.check(faults)
	c.Details.check(faults)
	if !c.Terms.IsZero() {
		faults.Add("/terms", c.Terms.Check())
	}
	checkCreditLimit(c.CreditLimit, faults)
}

func (c RegisterCustomer) decide(s *State) ([]domain.Event, error) {
	if s.Registered {
		return nil, ErrAlreadyRegistered.With("%s", c.Customer).At("/customer")
	}
	return []domain.Event{Registered{c.Key, c.Details.normal(), c.Terms, c.CreditLimit}}, nil
}

// Registered says that a customer was taken on.
type Registered struct {
	Key
	Details
	Terms       domain.Terms   `json:"terms,omitzero" doc:"payment terms; absent: none agreed"`
	CreditLimit []domain.Money `json:"credit_limit,omitempty" doc:"most that may be owed, one amount a currency"`
}

func (Registered) Kind() string { return "customer.registered" }

func (e Registered) apply(s *State) {
	*s = State{Registered: true, Active: true, Details: e.Details, Terms: e.Terms, CreditLimit: e.CreditLimit}
}

// ChangeCustomer replaces all details; terms and credit limit stay. A deactivated customer may be changed too, for
// what is owed is still collected.
// Refuses customer.unknown, customer.nothing_new, and each field by its own rule.
type ChangeCustomer struct {
	Key
	Details
	Reason string `json:"reason" doc:"why, up to 1000 bytes"`
}

func (ChangeCustomer) Name() string { return "ChangeCustomer" }

func (c ChangeCustomer) check(faults *domain.Faults) {
	c.Key.check(faults)
	c.Details.check(faults)
	checkReason(c.Reason, faults)
}

func (c ChangeCustomer) decide(s *State) ([]domain.Event, error) {
	details := c.Details.normal()
	return record(!reflect.DeepEqual(details, s.Details), Changed{c.Key, details, c.Reason})
}

// Changed says that all details were replaced, and why.
type Changed struct {
	Key
	Details
	Reason string `json:"reason" doc:"why"`
}

func (Changed) Kind() string     { return "customer.changed" }
func (e Changed) apply(s *State) { s.Details = e.Details }

// DeactivateCustomer closes a customer for new invoices; what is owed stays owed.
// Refuses customer.unknown, customer.nothing_new.
type DeactivateCustomer struct {
	Key
	Reason string `json:"reason" doc:"why, up to 1000 bytes"`
}

func (DeactivateCustomer) Name() string { return "DeactivateCustomer" }

func (c DeactivateCustomer) check(faults *domain.Faults) {
	c.Key.check(faults)
	checkReason(c.Reason, faults)
}

func (c DeactivateCustomer) decide(s *State) ([]domain.Event, error) {
	return record(s.Active, Deactivated(c))
}

// Deactivated says that a customer gets no new invoices, and why.
type Deactivated struct {
	Key
	Reason string `json:"reason" doc:"why"`
}

func (Deactivated) Kind() string     { return "customer.deactivated" }
func (e Deactivated) apply(s *State) { s.Active = false }

// ReactivateCustomer opens a deactivated customer for invoices again.
// Refuses customer.unknown, customer.nothing_new.
type ReactivateCustomer struct {
	Key
	Reason string `json:"reason" doc:"why, up to 1000 bytes"`
}

func (ReactivateCustomer) Name() string { return "ReactivateCustomer" }

func (c ReactivateCustomer) check(faults *domain.Faults) {
	c.Key.check(faults)
	checkReason(c.Reason, faults)
}

func (c ReactivateCustomer) decide(s *State) ([]domain.Event, error) {
	return record(!s.Active, Reactivated(c))
}

// Reactivated says that a customer may get invoices again, and why.
type Reactivated struct {
	Key
	Reason string `json:"reason" doc:"why"`
}

func (Reactivated) Kind() string     { return "customer.reactivated" }
func (e Reactivated) apply(s *State) { s.Active = true }
