package account

import "github.com/urikake/urikake/domain"

var (
	ErrUnknownWriteOff = &domain.Error{
		Code: domain.NotFound, Rule: "account.unknown_write_off",
		Text: "the account has no such write-off",
	}
	ErrExceedsWriteOff = &domain.Error{
		Code: domain.Refused, Rule: "account.exceeds_write_off",
		Text: "more would be recovered than was written off",
	}
	ErrBeyondTolerance = &domain.Error{
		Code: domain.Refused, Rule: "account.beyond_tolerance",
		Text: "the difference is larger than the seller's tolerance for small differences",
	}
	ErrDifferenceTarget = &domain.Error{
		Code: domain.Invalid, Rule: "account.difference_target",
		Text: "a difference is settled on one invoice (too little came) or on one payment (too much came)",
	}
)

// WriteOff gives up what is open on an invoice, in whole or in part.
type WriteOff struct {
	Key
	WriteOff   domain.WriteOffID `json:"write_off,omitempty" doc:"id within the account; derived from the command's id when left out"`
	Invoice    domain.InvoiceID  `json:"invoice" doc:"the invoice or late charge"`
	WriteOffOn domain.Date       `json:"on" doc:"the day"`
	Amount     domain.Money      `json:"amount" doc:"how much is given up"`
	Reason     string            `json:"reason" doc:"why it can't be collected"`
	Approver   string            `json:"approver" doc:"who approved it"`
}

func (WriteOff) Name() string { return "WriteOff" }

func (c WriteOff) check(f *domain.Faults) {
	f.Add("/write_off", domain.CheckID(c.WriteOff))
	f.Add("/invoice", domain.CheckID(c.Invoice))
	date(f, "/on", c.WriteOffOn)
	c.positive(f, "/amount", c.Amount)
	text(f, "/reason", c.Reason, true)
	text(f, "/approver", c.Approver, true)
}

func (c WriteOff) decide(s *State, p Parties) ([]domain.Event, error) {
	if s.knowsWriteOff(c.WriteOff, p.Earlier) {
		return nil, ErrRepeatedID.With("write-off %s", c.WriteOff).At("/write_off")
	}
	it, err := s.find("/invoice", c.Invoice)
	if err != nil {
		return nil, err
	}
	if err := it.bear(c.Key, c.WriteOffOn, c.Amount); err != nil {
		return nil, err
	}
	rows := s.part(it, c.Amount.Minor())
	return []domain.Event{WrittenOff{c.WriteOff, c.Invoice, c.WriteOffOn, c.Amount, rows, it.charge, c.Reason, c.Approver}}, nil
}

// bear refuses an amount that is more than is open on the item from the day on.
func (it *item) bear(k Key, on domain.Date, amount domain.Money) error {
	if on.Before(it.issuedOn) {
		return ErrBeforeIssue.With("%s was issued on %s", it.id, it.issuedOn).At("/on")
	}
	if low := it.moves.low(on); amount.Minor() > low {
		return ErrExceedsOpen.With("%s of %s, open from %s on: %s", amount, it.id, on, k.money(low)).At("/amount")
	}
	return nil
}

// WrittenOff says that an amount was given up. Its tax goes back at the invoice's original rates
// (Consumption Tax Act art. 39; a mixed invoice is split by original gross per rate).
type WrittenOff struct {
	WriteOff   domain.WriteOffID `json:"write_off" doc:"id within the account"`
	Invoice    domain.InvoiceID  `json:"invoice" doc:"the invoice or late charge"`
	WriteOffOn domain.Date       `json:"on" doc:"the day"`
	Amount     domain.Money      `json:"amount" doc:"how much was given up"`
	Taxes      []Tax             `json:"taxes,omitempty" doc:"the tax in it, by category and rate"`
	Charge     bool              `json:"late_charge,omitempty" doc:"it was a late charge"`
	Reason     string            `json:"reason" doc:"why it can't be collected"`
	Approver   string            `json:"approver" doc:"who approved it"`
}

func (WrittenOff) Kind() string      { return "account.written_off" }
func (e WrittenOff) On() domain.Date { return e.WriteOffOn }
func (e WrittenOff) Effect() int64   { return -e.Amount.Minor() }

func (e WrittenOff) apply(s *State) {
	if s.writeOffs == nil {
		s.writeOffs = make(map[domain.WriteOffID]*writeOff)
	}
	s.writeOffs[e.WriteOff] = &writeOff{item: e.Invoice, on: e.WriteOffOn, amount: e.Amount.Minor(), taxes: e.Taxes}
	it := s.items.use(e.Invoice)
	it.seldom().writtenOff += e.Amount.Minor()
	s.takeBack(it, e.Taxes)
	s.change(it, e.WriteOffOn, -e.Amount.Minor())
}

// RecoverWriteOff books money that came in after all. The claim stays written off: the money is income. Its tax is owed
// again at the rates of the write-off; recovered in parts, the last part takes what tax is left, to the last yen.
type RecoverWriteOff struct {
	Key
	Recovery  domain.RecoveryID `json:"recovery,omitempty" doc:"id within the account; derived from the command's id when left out"`
	WriteOff  domain.WriteOffID `json:"write_off" doc:"the write-off"`
	RecoverOn domain.Date       `json:"on" doc:"value date"`
	Amount    domain.Money      `json:"amount" doc:"money received"`
	Reference string            `json:"reference,omitempty" doc:"the bank's reference"`
}

func (RecoverWriteOff) Name() string { return "RecoverWriteOff" }

func (c RecoverWriteOff) check(f *domain.Faults) {
	f.Add("/recovery", domain.CheckID(c.Recovery))
	f.Add("/write_off", domain.CheckID(c.WriteOff))
	date(f, "/on", c.RecoverOn)
	c.positive(f, "/amount", c.Amount)
	text(f, "/reference", c.Reference, false)
}

func (c RecoverWriteOff) decide(s *State, p Parties) ([]domain.Event, error) {
	if s.knowsRecovery(c.Recovery, p.Earlier) {
		return nil, ErrRepeatedID.With("recovery %s", c.Recovery).At("/recovery")
	}
	w := s.writeOffs[c.WriteOff]
	switch {
	case w == nil:
		return nil, ErrUnknownWriteOff.With("%s", c.WriteOff).At("/write_off")
	case c.RecoverOn.Before(w.on):
		return nil, ErrBeforeIssue.With("written off on %s", w.on).At("/on")
	case c.Amount.Minor() > w.amount-w.recovered:
		return nil, ErrExceedsWriteOff.With("%s, left: %s", c.Amount, c.money(w.amount-w.recovered)).At("/amount")
	}
	rows := part(w.taxes, c.Amount.Minor(), c.Currency)
	return []domain.Event{WriteOffRecovered{c.Recovery, c.WriteOff, w.item, c.RecoverOn, c.Amount, rows, c.Reference}}, nil
}

// WriteOffRecovered says that money came in for a claim that was given up; nothing is open again.
type WriteOffRecovered struct {
	Recovery  domain.RecoveryID `json:"recovery" doc:"id within the account"`
	WriteOff  domain.WriteOffID `json:"write_off" doc:"the write-off"`
	Invoice   domain.InvoiceID  `json:"invoice" doc:"the invoice that was given up"`
	RecoverOn domain.Date       `json:"on" doc:"value date"`
	Amount    domain.Money      `json:"amount" doc:"money received"`
	Taxes     []Tax             `json:"taxes,omitempty" doc:"the tax in it, owed again"`
	Reference string            `json:"reference,omitempty" doc:"the bank's reference"`
}

func (WriteOffRecovered) Kind() string      { return "account.write_off_recovered" }
func (e WriteOffRecovered) On() domain.Date { return e.RecoverOn }
func (WriteOffRecovered) Effect() int64     { return 0 }

func (e WriteOffRecovered) apply(s *State) {
	if s.recovered == nil {
		s.recovered = make(map[domain.RecoveryID]bool)
	}
	s.recovered[e.Recovery] = true
	w := s.writeOffs[e.WriteOff]
	w.recovered += e.Amount.Minor()
	w.taxes = without(w.taxes, e.Taxes)
}

// DifferenceReason says where a small difference comes from.
type DifferenceReason string

const (
	BankFee       DifferenceReason = "BANK_FEE" // the payer deducted the transfer fee: a discount with its tax
	RoundingError DifferenceReason = "ROUNDING" // a unit more or less
)

// SettleDifference closes what is left on an invoice (or left over of a payment) as a bank fee or a rounding, up to
// the seller's tolerance.
type SettleDifference struct {
	Key
	Invoice  domain.InvoiceID `json:"invoice,omitempty" doc:"the invoice on which too little came"`
	Payment  domain.PaymentID `json:"payment,omitempty" doc:"or the payment by which too much came"`
	SettleOn domain.Date      `json:"on" doc:"the day"`
	Amount   domain.Money     `json:"amount" doc:"the difference, up to the seller's tolerance"`
	Reason   DifferenceReason `json:"reason_code" doc:"BANK_FEE or ROUNDING"`
}

func (SettleDifference) Name() string { return "SettleDifference" }

func (c SettleDifference) check(f *domain.Faults) {
	f.Require((c.Invoice == "") != (c.Payment == ""), "/invoice", ErrDifferenceTarget)
	date(f, "/on", c.SettleOn)
	c.positive(f, "/amount", c.Amount)
	oneOf(f, "/reason_code", c.Reason, BankFee, RoundingError)
}

func (c SettleDifference) decide(s *State, p Parties) ([]domain.Event, error) {
	e := DifferenceSettled{Invoice: c.Invoice, Payment: c.Payment, SettleOn: c.SettleOn, Amount: c.Amount, Reason: c.Reason}
	if c.Payment != "" {
		fund, err := s.payment(c.Payment)
		if err != nil {
			return nil, err
		}
		if used := fund.left().differences; c.Amount.Minor() > p.Tolerance-used {
			return nil, ErrBeyondTolerance.With("%s, tolerance %s, used on it already %s", c.Amount, c.money(p.Tolerance), c.money(used)).At("/amount")
		}
		if low := fund.moves.low(c.SettleOn); c.Amount.Minor() > low {
			return nil, ErrExceedsUnapplied.With("%s, unapplied from %s on: %s", c.Amount, c.SettleOn, c.money(low)).At("/amount")
		}
		return []domain.Event{e}, nil
	}
	it, err := s.find("/invoice", c.Invoice)
	if err != nil {
		return nil, err
	}
	if used := it.rare().differences; c.Amount.Minor() > p.Tolerance-used {
		return nil, ErrBeyondTolerance.With("%s, tolerance %s, used on it already %s", c.Amount, c.money(p.Tolerance), c.money(used)).At("/amount")
	}
	if err := it.bear(c.Key, c.SettleOn, c.Amount); err != nil {
		return nil, err
	}
	if c.Reason == BankFee {
		e.Taxes = s.part(it, c.Amount.Minor())
	}
	return []domain.Event{e}, nil
}

// DifferenceSettled says that a small difference was closed.
type DifferenceSettled struct {
	Invoice  domain.InvoiceID `json:"invoice,omitempty" doc:"the invoice on which too little came"`
	Payment  domain.PaymentID `json:"payment,omitempty" doc:"or the payment by which too much came"`
	SettleOn domain.Date      `json:"on" doc:"the day"`
	Amount   domain.Money     `json:"amount" doc:"the difference"`
	Reason   DifferenceReason `json:"reason_code" doc:"BANK_FEE or ROUNDING"`
	Taxes    []Tax            `json:"taxes,omitempty" doc:"the tax in it: a fee borne by the seller is a discount"`
}

func (DifferenceSettled) Kind() string      { return "account.difference_settled" }
func (e DifferenceSettled) On() domain.Date { return e.SettleOn }

func (e DifferenceSettled) Effect() int64 {
	if e.Payment != "" {
		return e.Amount.Minor()
	}
	return -e.Amount.Minor()
}

func (e DifferenceSettled) apply(s *State) {
	if e.Payment != "" {
		f := s.payments.use(e.Payment)
		f.leaving().differences += e.Amount.Minor()
		s.take(f, e.SettleOn, e.Amount.Minor())
		return
	}
	it := s.items.use(e.Invoice)
	it.settled += e.Amount.Minor()
	it.seldom().differences += e.Amount.Minor()
	s.change(it, e.SettleOn, -e.Amount.Minor())
}
