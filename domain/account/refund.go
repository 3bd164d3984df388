package account

import "github.com/urikake/urikake/domain"

var (
	ErrRefundSource = &domain.Error{
		Code: domain.Invalid, Rule: "account.refund_source",
		Text: "a refund comes from one payment or from one credit note",
	}
	ErrExceedsUnapplied = &domain.Error{
		Code: domain.Refused, Rule: "account.exceeds_unapplied",
		Text: "the amount is more than is unapplied from that day on",
	}
)

// IssueRefund pays unapplied cash or credit back to the customer.
type IssueRefund struct {
	Key
	Refund    domain.RefundID  `json:"refund,omitempty" doc:"id within the account; derived from the command's id when left out"`
	Payment   domain.PaymentID `json:"payment,omitempty" doc:"the payment that it comes from"`
	Credit    domain.CreditID  `json:"credit,omitempty" doc:"or the credit note that it comes from"`
	RefundOn  domain.Date      `json:"on" doc:"the day of the transfer"`
	Amount    domain.Money     `json:"amount" doc:"money paid back"`
	Reference string           `json:"reference,omitempty" doc:"the bank's reference"`
	Reason    string           `json:"reason,omitempty" doc:"why"`
}

func (IssueRefund) Name() string { return "IssueRefund" }

func (c IssueRefund) check(f *domain.Faults) {
	f.Add("/refund", domain.CheckID(c.Refund))
	f.Require((c.Payment == "") != (c.Credit == ""), "/payment", ErrRefundSource)
	date(f, "/on", c.RefundOn)
	c.positive(f, "/amount", c.Amount)
	text(f, "/reference", c.Reference, false)
	text(f, "/reason", c.Reason, false)
}

func (c IssueRefund) decide(s *State, p Parties) ([]domain.Event, error) {
	if s.knowsRefund(c.Refund, p.Earlier) {
		return nil, ErrRepeatedID.With("refund %s", c.Refund).At("/refund")
	}
	fund, err := s.source(c.Payment, c.Credit)
	if err != nil {
		return nil, err
	}
	if low := fund.moves.low(c.RefundOn); c.Amount.Minor() > low {
		return nil, ErrExceedsUnapplied.With("%s, unapplied from %s on: %s", c.Amount, c.RefundOn, c.money(low)).At("/amount")
	}
	return []domain.Event{RefundIssued{c.Refund, c.Payment, c.Credit, c.RefundOn, c.Amount, c.Reference, c.Reason}}, nil
}

// source is the payment or the credit note, whichever is named.
func (s *State) source(p domain.PaymentID, c domain.CreditID) (*fund, error) {
	if p != "" {
		return s.payment(p)
	}
	return s.credit(c)
}

// RefundIssued says that money went back to the customer.
type RefundIssued struct {
	Refund    domain.RefundID  `json:"refund" doc:"id within the account"`
	Payment   domain.PaymentID `json:"payment,omitempty" doc:"the payment that it comes from"`
	Credit    domain.CreditID  `json:"credit,omitempty" doc:"or the credit note that it comes from"`
	RefundOn  domain.Date      `json:"on" doc:"the day of the transfer"`
	Amount    domain.Money     `json:"amount" doc:"money paid back"`
	Reference string           `json:"reference,omitempty" doc:"the bank's reference"`
	Reason    string           `json:"reason,omitempty" doc:"why"`
}

func (RefundIssued) Kind() string      { return "account.refund_issued" }
func (e RefundIssued) On() domain.Date { return e.RefundOn }
func (e RefundIssued) Effect() int64   { return e.Amount.Minor() }

func (e RefundIssued) apply(s *State) {
	if s.refunds == nil {
		s.refunds = make(map[domain.RefundID]bool)
	}
	s.refunds[e.Refund] = true
	f := s.credits.use(e.Credit)
	if e.Payment != "" {
		f = s.payments.use(e.Payment)
	}
	if f != nil {
		s.take(f, e.RefundOn, e.Amount.Minor())
		f.leaving().refunded += e.Amount.Minor()
	}
}
