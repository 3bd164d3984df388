package receipt

import "github.com/urikake/urikake/domain"

// AssignReceipt says whose money a receipt is. It becomes a payment on that customer's account, received on the same
// day: suspense receipts against what it settles. Whoever gives it to the ledger finds it booked there, once; what the
// account would refuse of RecordPayment is refused before anything is written.
// Refuses receipt.unknown, receipt.settled, receipt.assigned, receipt.not_booked, each field by its own rule, and what
// RecordPayment refuses.
type AssignReceipt struct {
	Key
	Customer  domain.CustomerID `json:"customer" doc:"whose money it is"`
	Payment   domain.PaymentID  `json:"payment,omitempty" doc:"id of the payment within the customer's account; the receipt's when left out"`
	Unapplied bool              `json:"unapplied,omitempty" doc:"settle nothing yet; else it goes to the oldest due first"`
}

func (AssignReceipt) Name() string { return "AssignReceipt" }

func (c AssignReceipt) check(f *domain.Faults) {
	c.Key.check(f)
	f.Add("/customer", domain.CheckID(c.Customer))
	if c.Payment != "" {
		f.Add("/payment", domain.CheckID(c.Payment))
	}
}

// PaymentID is the one given, or else the receipt's.
func (c AssignReceipt) PaymentID() domain.PaymentID {
	if c.Payment != "" {
		return c.Payment
	}
	return domain.PaymentID(c.Receipt)
}

func (c AssignReceipt) decide(s *State) ([]domain.Event, error) {
	if _, err := s.find(c.Key); err != nil {
		return nil, err
	}
	return []domain.Event{Assigned{c.Key, c.Customer, c.PaymentID(), c.Unapplied}}, nil
}

// Assigned says whose money a receipt is. From now on it is nobody else's; its payment is about to be booked.
type Assigned struct {
	Key
	Customer  domain.CustomerID `json:"customer" doc:"whose money it is"`
	Payment   domain.PaymentID  `json:"payment" doc:"id of the payment within the customer's account"`
	Unapplied bool              `json:"unapplied,omitempty" doc:"it settles nothing yet"`
}

func (Assigned) Kind() string { return "receipt.assigned" }

func (e Assigned) apply(s *State) {
	r := s.open[e.Receipt]
	r.Customer, r.Payment, r.Unapplied, r.Token = e.Customer, e.Payment, e.Unapplied, s.version
}

// BookReceipt says that the payment of an assignment stands on the customer's account. The ledger gives it.
// Refuses receipt.unknown, receipt.settled, receipt.not_booked.
type BookReceipt struct {
	Key
	Token uint64 `json:"token" doc:"version of the stream when the receipt was assigned"`
}

func (BookReceipt) Name() string           { return "BookReceipt" }
func (c BookReceipt) check(*domain.Faults) {} // the ledger's own

func (c BookReceipt) decide(s *State) ([]domain.Event, error) {
	r, err := s.assigned(c.Key, c.Token)
	if err != nil {
		return nil, err
	}
	return []domain.Event{Booked{c.Key, r.Customer, r.Payment}}, nil
}

// assigned finds the receipt of an assignment that is not booked yet.
func (s *State) assigned(k Key, token uint64) (*Receipt, error) {
	r := s.open[k.Receipt]
	if r == nil || r.Customer == "" || r.Token != token {
		return nil, ErrReleased.With("%s", k.Receipt).At("/receipt")
	}
	return r, nil
}

// Booked says that a receipt is a payment on a customer's account.
type Booked struct {
	Key
	Customer domain.CustomerID `json:"customer" doc:"whose money it is"`
	Payment  domain.PaymentID  `json:"payment" doc:"id of the payment within the customer's account"`
}

func (Booked) Kind() string     { return "receipt.booked" }
func (e Booked) apply(s *State) { s.settle(e.Receipt) }

// ReleaseReceipt takes an assignment back whose payment the account can never have. The ledger gives it.
// Refuses receipt.not_booked.
type ReleaseReceipt struct {
	Key
	Token uint64 `json:"token" doc:"version of the stream when the receipt was assigned"`
	Rule  string `json:"rule" doc:"the rule by which the account refused the payment"`
}

func (ReleaseReceipt) Name() string           { return "ReleaseReceipt" }
func (c ReleaseReceipt) check(*domain.Faults) {} // the ledger's own

func (c ReleaseReceipt) decide(s *State) ([]domain.Event, error) {
	r, err := s.assigned(c.Key, c.Token)
	if err != nil {
		return nil, err
	}
	return []domain.Event{Released{c.Key, r.Customer, c.Rule}}, nil
}

// Released says that an assignment came to nothing, and the receipt waits for its payer again.
type Released struct {
	Key
	Customer domain.CustomerID `json:"customer" doc:"whose account refused the payment"`
	Rule     string            `json:"rule" doc:"the rule by which it did"`
}

func (Released) Kind() string { return "receipt.released" }

func (e Released) apply(s *State) {
	r := s.open[e.Receipt]
	r.Customer, r.Payment, r.Unapplied, r.Token = "", "", false, 0
}
