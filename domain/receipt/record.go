package receipt

import "github.com/urikake/urikake/domain"

// RecordReceipt books money that came into a seller's bank account and whose payer is not known: bank against suspense
// receipts (仮受金). No account changes; until it is known whose the money is, those who may have sent it are not
// reminded by runs. A day that is still to come for the seller is refused (receipt.future_day).
// Refuses receipt.repeated_id, receipt.future_day, and each field by its own rule.
type RecordReceipt struct {
	Key
	Amount    domain.Money `json:"amount" doc:"money received"`
	Payer     string       `json:"payer" personal:"true" doc:"payer's name as the bank gave it, up to 500 bytes"`
	Reference string       `json:"reference,omitempty" doc:"what the payer or the bank wrote besides, such as an invoice number; up to 500 bytes"`
	Account   string       `json:"account,omitempty" doc:"which of the seller's bank accounts it came to, up to 500 bytes"`
}

func (RecordReceipt) Name() string { return "RecordReceipt" }

func (c RecordReceipt) check(f *domain.Faults) {
	c.Key.check(f)
	if c.Amount == (domain.Money{}) {
		f.Add("/amount", domain.ErrMissing)
	} else {
		f.Add("/amount", c.Amount.CheckPositive())
	}
	f.Add("/payer", domain.CheckLine(c.Payer, true, TextMax))
	f.Add("/reference", domain.CheckLine(c.Reference, false, TextMax))
	f.Add("/account", domain.CheckLine(c.Account, false, TextMax))
}

func (c RecordReceipt) decide(s *State) ([]domain.Event, error) {
	_, settled := s.settled[c.Receipt]
	if settled || s.open[c.Receipt] != nil {
		return nil, ErrRepeatedID.With("%s", c.Receipt).At("/receipt")
	}
	return []domain.Event{Recorded(c)}, nil
}

// Recorded says that money came whose payer is not known.
type Recorded struct {
	Key
	Amount    domain.Money `json:"amount" doc:"money received"`
	Payer     string       `json:"payer" personal:"true" doc:"payer's name as the bank gave it"`
	Reference string       `json:"reference,omitempty" doc:"what the payer or the bank wrote besides"`
	Account   string       `json:"account,omitempty" doc:"which of the seller's bank accounts it came to"`
}

func (Recorded) Kind() string { return "receipt.recorded" }

func (e Recorded) apply(s *State) {
	s.open[e.Receipt] = &Receipt{Key: e.Key, Amount: e.Amount, Payer: e.Payer, Reference: e.Reference, Account: e.Account}
}

// ReturnReceipt says that money was paid back, or was never the seller's: suspense receipts against bank. A day that is
// still to come for the seller is refused (receipt.future_day).
// Refuses receipt.unknown, receipt.settled, receipt.assigned, receipt.before_received, receipt.future_day, and each field
// by its own rule.
type ReturnReceipt struct {
	Key
	ReturnedOn domain.Date `json:"on" doc:"the day on which it left the bank account"`
	Reason     string      `json:"reason" doc:"why, up to 500 bytes"`
}

func (ReturnReceipt) Name() string { return "ReturnReceipt" }

func (c ReturnReceipt) check(f *domain.Faults) {
	c.Key.check(f)
	f.Require(!c.ReturnedOn.IsZero(), "/on", domain.ErrMissing)
	f.Add("/reason", domain.CheckText(c.Reason, true, TextMax))
	f.Require(c.ReturnedOn.IsZero() || !c.ReturnedOn.Before(c.ReceivedOn), "/on", ErrBeforeReceived.With("%s, received on %s", c.ReturnedOn, c.ReceivedOn))
}

func (c ReturnReceipt) decide(s *State) ([]domain.Event, error) {
	r, err := s.find(c.Key)
	if err != nil {
		return nil, err
	}
	return []domain.Event{Returned{c.Key, c.ReturnedOn, r.Amount, c.Reason}}, nil
}

// Returned says that money went back.
type Returned struct {
	Key
	ReturnedOn domain.Date  `json:"on" doc:"the day on which it left the bank account"`
	Amount     domain.Money `json:"amount" doc:"all of the receipt"`
	Reason     string       `json:"reason" doc:"why"`
}

func (Returned) Kind() string      { return "receipt.returned" }
func (e Returned) On() domain.Date { return e.ReturnedOn }
func (e Returned) apply(s *State)  { s.settle(e.Receipt) }
