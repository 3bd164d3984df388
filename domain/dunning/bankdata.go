package dunning

import "github.com/urikake/urikake/domain"

var (
	ErrBankDataBack = &domain.Error{
		Code: domain.Refused, Rule: "dunning.bank_data_back",
		Text: "bank data of a later day is in the books already; what is in them does not leave them again",
	}
	ErrBankDataAhead = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.bank_data_ahead",
		Text: "bank data reaches at most to the day on which it is recorded",
	}
)

// through says how far the bank's data goes.
func through(day domain.Date) string {
	if day.IsZero() {
		return "no bank data is recorded yet"
	}
	return "bank data goes through " + day.String()
}

// RecordBankData says through which day all that the banks report is in the seller's books. Reminders are held back
// while that lies too far behind: who has paid is not reminded because nobody has looked.
// Refuses dunning.bank_data_ahead, dunning.bank_data_back, dunning.nothing_new.
type RecordBankData struct {
	Seller  domain.SellerID `json:"seller" doc:"the seller"`
	On      domain.Date     `json:"on" doc:"the day on which it is recorded"`
	Through domain.Date     `json:"through" doc:"the last day whose bank data is in the books, of all accounts on which customers pay; never earlier than before"`
}

func (RecordBankData) Name() string { return "RecordBankData" }

// Of is the seller.
func (c RecordBankData) Of() domain.SellerID { return c.Seller }

func (c RecordBankData) check(f *domain.Faults) {
	f.Add("/seller", domain.CheckID(c.Seller))
	date(f, "/on", c.On)
	date(f, "/through", c.Through)
	f.Require(!c.Through.After(c.On) || c.On.IsZero(), "/through", ErrBankDataAhead.With("through %s, recorded on %s", c.Through, c.On))
}

func (c RecordBankData) decide(s *Policies) ([]domain.Event, error) {
	switch {
	case c.Through == s.bankDataOn:
		return nil, ErrNothingNew.With("through %s", s.bankDataOn).At("/through")
	case c.Through.Before(s.bankDataOn):
		return nil, ErrBankDataBack.With("through %s", s.bankDataOn).At("/through")
	}
	return []domain.Event{BankDataRecorded{c.Seller, c.On, c.Through}}, nil
}

// BankDataRecorded says through which day the books show what the banks know.
type BankDataRecorded struct {
	Seller     domain.SellerID `json:"seller" doc:"the seller"`
	RecordedOn domain.Date     `json:"on" doc:"the day on which it was recorded"`
	Through    domain.Date     `json:"through" doc:"the last day whose bank data is in the books"`
}

func (BankDataRecorded) Kind() string        { return "dunning.bank_data_recorded" }
func (e BankDataRecorded) On() domain.Date   { return e.RecordedOn }
func (e BankDataRecorded) apply(s *Policies) { s.bankDataOn = e.Through }
