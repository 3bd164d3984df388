package account

import "github.com/urikake/urikake/domain"

// DisputeReason says what the customer objects to.
type DisputeReason string

const (
	NotDelivered DisputeReason = "NOT_DELIVERED"
	Defective    DisputeReason = "DEFECTIVE"
	WrongPrice   DisputeReason = "WRONG_PRICE"
	WrongAmount  DisputeReason = "WRONG_QUANTITY"
	AlreadyPaid  DisputeReason = "ALREADY_PAID"
	NotOrdered   DisputeReason = "NOT_ORDERED"
	OtherDispute DisputeReason = "OTHER"
)

// Outcome says how a dispute ended.
type Outcome string

const (
	DisputeUpheld    Outcome = "UPHELD"    // the customer was right: a credit note follows in the same step
	DisputeRejected  Outcome = "REJECTED"  // the seller was right
	DisputeWithdrawn Outcome = "WITHDRAWN" // the customer took it back
)

var (
	ErrUnknownDispute = &domain.Error{
		Code: domain.NotFound, Rule: "account.unknown_dispute",
		Text: "the account has no such dispute",
	}
	ErrDisputeResolved = &domain.Error{
		Code: domain.Refused, Rule: "account.dispute_resolved",
		Text: "the dispute is resolved already",
	}
	ErrExceedsDispute = &domain.Error{
		Code: domain.Refused, Rule: "account.exceeds_dispute",
		Text: "more would be credited than was disputed",
	}
	ErrCreditOnlyUpheld = &domain.Error{
		Code: domain.Invalid, Rule: "account.credit_only_if_upheld",
		Text: "only a dispute that is upheld leads to a credit note",
	}
)

// OpenDispute records that a customer objects to an invoice, or to a part of it.
type OpenDispute struct {
	Key
	Dispute  domain.DisputeID `json:"dispute,omitempty" doc:"id within the account; derived from the command's id when left out"`
	Invoice  domain.InvoiceID `json:"invoice" doc:"the invoice or late charge"`
	OpenedOn domain.Date      `json:"on" doc:"the day of the objection"`
	Amount   domain.Money     `json:"amount,omitzero" doc:"the part in dispute; all that is open when left out"`
	Reason   DisputeReason    `json:"reason_code" doc:"NOT_DELIVERED, DEFECTIVE, WRONG_PRICE, WRONG_QUANTITY, ALREADY_PAID, NOT_ORDERED or OTHER"`
	Note     string           `json:"note,omitempty" doc:"the customer's words" personal:"true"`
}

func (OpenDispute) Name() string { return "OpenDispute" }

func (c OpenDispute) check(f *domain.Faults) {
	f.Add("/dispute", domain.CheckID(c.Dispute))
	f.Add("/invoice", domain.CheckID(c.Invoice))
	date(f, "/on", c.OpenedOn)
	if c.Amount != (domain.Money{}) {
		c.positive(f, "/amount", c.Amount)
	}
	oneOf(f, "/reason_code", c.Reason, NotDelivered, Defective, WrongPrice, WrongAmount, AlreadyPaid, NotOrdered, OtherDispute)
	text(f, "/note", c.Note, false)
}

func (c OpenDispute) decide(s *State, p Parties) ([]domain.Event, error) {
	if s.knowsDispute(c.Dispute, p.Earlier) {
		return nil, ErrRepeatedID.With("dispute %s", c.Dispute).At("/dispute")
	}
	it, err := s.find("/invoice", c.Invoice)
	if err != nil {
		return nil, err
	}
	if c.OpenedOn.Before(it.issuedOn) {
		return nil, ErrBeforeIssue.With("%s was issued on %s", it.id, it.issuedOn).At("/on")
	}
	free := it.moves.low(c.OpenedOn) - it.rare().disputed
	if c.Amount == (domain.Money{}) {
		c.Amount = c.money(free)
	}
	if c.Amount.Minor() > free || c.Amount.Minor() <= 0 {
		return nil, ErrExceedsOpen.With("%s of %s, open and undisputed: %s", c.Amount, it.id, c.money(max(0, free))).At("/amount")
	}
	return []domain.Event{DisputeOpened{c.Dispute, c.Invoice, c.OpenedOn, c.Amount, c.Reason, c.Note}}, nil
}

// DisputeOpened says that a customer objects to an invoice. The amount stays owed until the dispute is resolved.
type DisputeOpened struct {
	Dispute  domain.DisputeID `json:"dispute" doc:"id within the account"`
	Invoice  domain.InvoiceID `json:"invoice" doc:"the invoice or late charge"`
	OpenedOn domain.Date      `json:"on" doc:"the day of the objection"`
	Amount   domain.Money     `json:"amount" doc:"the part in dispute"`
	Reason   DisputeReason    `json:"reason_code" doc:"what the customer objects to"`
	Note     string           `json:"note,omitempty" doc:"the customer's words" personal:"true"`
}

func (DisputeOpened) Kind() string      { return "account.dispute_opened" }
func (e DisputeOpened) On() domain.Date { return e.OpenedOn }
func (DisputeOpened) Effect() int64     { return 0 }

func (e DisputeOpened) apply(s *State) {
	if s.disputes == nil {
		s.disputes = make(map[domain.DisputeID]*dispute)
	}
	s.disputes[e.Dispute] = &dispute{item: e.Invoice, openedOn: e.OpenedOn, amount: e.Amount.Minor()}
	s.items.use(e.Invoice).seldom().disputed += e.Amount.Minor()
}

// ResolveDispute ends a dispute. Upheld, it issues the credit note in the same step.
type ResolveDispute struct {
	Key
	Dispute    domain.DisputeID `json:"dispute" doc:"the dispute"`
	ResolvedOn domain.Date      `json:"on" doc:"the day"`
	Outcome    Outcome          `json:"outcome" doc:"UPHELD, REJECTED or WITHDRAWN"`
	Credit     domain.CreditID  `json:"credit,omitempty" doc:"when upheld: id of the credit note; derived when left out"`
	Number     string           `json:"number,omitempty" doc:"when upheld: number of the credit note; taken from the series when left out"`
	Series     string           `json:"series,omitempty" doc:"the series that gives the number"`
	Amount     domain.Money     `json:"amount,omitzero" doc:"when upheld: what is credited; all that was disputed when left out"`
	Note       string           `json:"note,omitempty" doc:"how it was settled" personal:"true"`
}

func (ResolveDispute) Name() string { return "ResolveDispute" }

func (c ResolveDispute) check(f *domain.Faults) {
	f.Add("/dispute", domain.CheckID(c.Dispute))
	date(f, "/on", c.ResolvedOn)
	oneOf(f, "/outcome", c.Outcome, DisputeUpheld, DisputeRejected, DisputeWithdrawn)
	upheld := c.Outcome == DisputeUpheld
	if upheld {
		f.Add("/credit", domain.CheckID(c.Credit))
		f.Add("/number", domain.CheckText(c.Number, false, NumberMax))
		if c.Series != "" {
			f.Add("/series", domain.CheckID(c.Series))
		}
	}
	f.Require(upheld || c.Amount == domain.Money{}, "/amount", ErrCreditOnlyUpheld)
	f.Require(upheld || c.Credit == "", "/credit", ErrCreditOnlyUpheld)
	f.Require(upheld || c.Number == "", "/number", ErrCreditOnlyUpheld)
	f.Require(upheld || c.Series == "", "/series", ErrCreditOnlyUpheld)
	if c.Amount != (domain.Money{}) {
		c.positive(f, "/amount", c.Amount)
	}
	text(f, "/note", c.Note, false)
}

func (c ResolveDispute) decide(s *State, p Parties) ([]domain.Event, error) {
	d := s.disputes[c.Dispute]
	switch {
	case d == nil:
		return nil, ErrUnknownDispute.With("%s", c.Dispute).At("/dispute")
	case d.resolved:
		return nil, ErrDisputeResolved.With("%s", c.Dispute).At("/dispute")
	case c.ResolvedOn.Before(d.openedOn):
		return nil, ErrBeforeIssue.With("opened on %s", d.openedOn).At("/on")
	case c.Amount.Minor() > d.amount:
		return nil, ErrExceedsDispute.With("%s, disputed %s", c.Amount, c.money(d.amount)).At("/amount")
	}
	e := DisputeResolved{
		Dispute: c.Dispute, Invoice: d.item, ResolvedOn: c.ResolvedOn, Amount: c.money(d.amount),
		Outcome: c.Outcome, Note: c.Note,
	}
	if c.Outcome != DisputeUpheld {
		return []domain.Event{e}, nil
	}
	if c.Amount == (domain.Money{}) {
		c.Amount = c.money(d.amount)
	}
	note := IssueCreditNote{
		Key: c.Key, Credit: c.Credit, Number: c.Number, IssuedOn: c.ResolvedOn,
		Invoice: d.item, Reason: Upheld, Total: c.Amount, Note: c.Note,
	}
	events, err := note.decide(s, p)
	if err != nil {
		return nil, err
	}
	e.Credit = c.Credit
	return append(events, e), nil
}

// DisputeResolved says how a dispute ended.
type DisputeResolved struct {
	Dispute    domain.DisputeID `json:"dispute" doc:"the dispute"`
	Invoice    domain.InvoiceID `json:"invoice" doc:"the invoice or late charge"`
	ResolvedOn domain.Date      `json:"on" doc:"the day"`
	Amount     domain.Money     `json:"amount" doc:"what was in dispute"`
	Outcome    Outcome          `json:"outcome" doc:"UPHELD, REJECTED or WITHDRAWN"`
	Credit     domain.CreditID  `json:"credit,omitempty" doc:"the credit note that it led to"`
	Note       string           `json:"note,omitempty" doc:"how it was settled" personal:"true"`
}

func (DisputeResolved) Kind() string      { return "account.dispute_resolved" }
func (e DisputeResolved) On() domain.Date { return e.ResolvedOn }
func (DisputeResolved) Effect() int64     { return 0 }

func (e DisputeResolved) apply(s *State) {
	d := s.disputes[e.Dispute]
	d.resolved, d.resolvedOn = true, e.ResolvedOn
	s.items.use(e.Invoice).seldom().disputed -= e.Amount.Minor()
}
