package account

import "github.com/urikake/urikake/domain"

// CreditReason says why a credit note was issued.
type CreditReason string

const (
	Return     CreditReason = "RETURN"
	Discount   CreditReason = "DISCOUNT"
	Correction CreditReason = "CORRECTION"
	Upheld     CreditReason = "DISPUTE_UPHELD"
	Goodwill   CreditReason = "GOODWILL"
	OtherCause CreditReason = "OTHER"
)

var (
	ErrUnknownCredit = &domain.Error{
		Code: domain.NotFound, Rule: "account.unknown_credit_note",
		Text: "the account has no such credit note",
	}
	ErrBeyondInvoice = &domain.Error{
		Code: domain.Refused, Rule: "account.credit_beyond_invoice",
		Text: "the invoice's credit notes together would be more than the invoice was, less what was voided or written off",
	}
	ErrCreditNotPositive = &domain.Error{
		Code: domain.Invalid, Rule: "account.credit_not_positive",
		Text: "a credit note's total and each of its tax rates' totals are greater than zero",
	}
)

// IssueCreditNote gives a customer credit, against an invoice or free. Against an invoice it settles at once what is
// open there; what is left stays on the account as unapplied credit. All credit notes of an invoice together never
// go beyond it, in any tax rate: the last one takes what is left, to the last yen.
type IssueCreditNote struct {
	Key
	Credit   domain.CreditID  `json:"credit,omitempty" doc:"id within the account; derived from the command's id when left out"`
	Number   string           `json:"number,omitempty" doc:"document number; taken from the series when left out"`
	Series   string           `json:"series,omitempty" doc:"the series that gives the number"`
	IssuedOn domain.Date      `json:"issued_on" doc:"date of the document"`
	Invoice  domain.InvoiceID `json:"invoice,omitempty" doc:"the invoice that it corrects; left out for a free credit"`
	Reason   CreditReason     `json:"reason_code" doc:"RETURN, DISCOUNT, CORRECTION, DISPUTE_UPHELD, GOODWILL or OTHER"`
	Lines    []Line           `json:"lines,omitempty" doc:"positions, with the original tax rates; left out when a plain total is given"`
	Total    domain.Money     `json:"total,omitzero" doc:"plain total; against an invoice it is split over its tax rates"`
	Note     string           `json:"note,omitempty" doc:"free text" personal:"true"`
}

func (IssueCreditNote) Name() string { return "IssueCreditNote" }

func (c IssueCreditNote) check(f *domain.Faults) {
	f.Add("/credit", domain.CheckID(c.Credit))
	f.Add("/number", domain.CheckText(c.Number, false, NumberMax))
	if c.Series != "" {
		f.Add("/series", domain.CheckID(c.Series))
	}
	date(f, "/issued_on", c.IssuedOn)
	if c.Invoice != "" {
		f.Add("/invoice", domain.CheckID(c.Invoice))
	}
	oneOf(f, "/reason_code", c.Reason, Return, Discount, Correction, Upheld, Goodwill, OtherCause)
	plain := c.Total != domain.Money{}
	f.Require(plain != (len(c.Lines) > 0), "/lines", ErrNoLines)
	if plain {
		c.positive(f, "/total", c.Total)
	}
	checkLines(f, c.Lines)
	text(f, "/note", c.Note, false)
}

func (c IssueCreditNote) decide(s *State, p Parties) ([]domain.Event, error) {
	if s.knowsCredit(c.Credit, p.Earlier) {
		return nil, ErrRepeatedID.With("credit note %s", c.Credit).At("/credit")
	}
	e := CreditNoteIssued{
		Credit: c.Credit, Number: c.Number, IssuedOn: c.IssuedOn, Invoice: c.Invoice,
		Reason: c.Reason, Lines: c.Lines, Note: c.Note,
	}
	var err error
	if e.Number, err = s.numbered(c.Number, p); err != nil {
		return nil, err
	}
	var it *item
	if c.Invoice != "" {
		if it, err = s.find("/invoice", c.Invoice); err != nil {
			return nil, err
		}
		if c.IssuedOn.Before(it.issuedOn) {
			return nil, ErrBeforeIssue.With("%s was issued on %s", it.id, it.issuedOn).At("/issued_on")
		}
	}
	sum, rows, err := c.amounts(s, it, p.Rounding)
	if err != nil {
		return nil, err
	}
	if s.unappliedTotal+sum > domain.MinorMax {
		return nil, ErrBalanceTooLarge
	}
	e.Total, e.Taxes = c.money(sum), rows
	if it != nil {
		e.Charge = it.charge
		if part := min(sum, it.moves.low(c.IssuedOn)); part > 0 {
			e.Applied = []Allocation{{it.id, c.money(part)}}
		}
	}
	return []domain.Event{e}, nil
}

// amounts gives the credit note's total and taxes, within what is left of the invoice.
func (c IssueCreditNote) amounts(s *State, it *item, r domain.Rounding) (sum int64, rows []Tax, err error) {
	if sum = c.Total.Minor(); len(c.Lines) > 0 {
		if sum, rows, err = c.byLines(s, it, r); err != nil {
			return 0, nil, err
		}
	}
	if it == nil {
		return sum, rows, nil
	}
	// What was given up was never paid: crediting it as well would pay it out.
	if left := it.total - it.rare().notedTotal - it.rare().cancelled - it.rare().writtenOff; sum > left {
		return 0, nil, ErrBeyondInvoice.With("%s, left of %s: %s", c.money(sum), it.id, c.money(max(0, left)))
	}
	if len(c.Lines) == 0 {
		rows = s.part(it, sum)
	}
	return sum, rows, nil
}

func (c IssueCreditNote) byLines(s *State, it *item, r domain.Rounding) (int64, []Tax, error) {
	rows, err := taxes(c.Lines, r, c.Currency)
	if err != nil {
		return 0, nil, err
	}
	for _, t := range rows {
		if t.gross() <= 0 {
			return 0, nil, ErrCreditNotPositive.With("%s at %s %%", c.money(t.gross()), t.Rate).At("/lines")
		}
	}
	if it != nil && (it.charge || len(it.taxes) > 0) {
		if err := within(s.uncredited(it), rows, c.Currency); err != nil {
			return 0, nil, err
		}
	}
	sum, err := total(rows)
	return sum, rows, err
}

// CreditNoteIssued says that the customer was given credit, and what it settled at once.
type CreditNoteIssued struct {
	Credit   domain.CreditID  `json:"credit" doc:"id within the account"`
	Number   string           `json:"number" doc:"document number"`
	IssuedOn domain.Date      `json:"issued_on" doc:"date of the document"`
	Invoice  domain.InvoiceID `json:"invoice,omitempty" doc:"the invoice that it corrects"`
	Reason   CreditReason     `json:"reason_code" doc:"why"`
	Lines    []Line           `json:"lines,omitempty" doc:"positions"`
	Taxes    []Tax            `json:"taxes,omitempty" doc:"net and tax by category and rate, as positive amounts"`
	Total    domain.Money     `json:"total" doc:"the credit, tax included"`
	Applied  []Allocation     `json:"applied,omitempty" doc:"what it settled at once; the rest is unapplied"`
	Charge   bool             `json:"late_charge,omitempty" doc:"it corrects a late charge, which bears no tax"`
	Note     string           `json:"note,omitempty" doc:"free text" personal:"true"`
}

func (CreditNoteIssued) Kind() string      { return "account.credit_note_issued" }
func (e CreditNoteIssued) On() domain.Date { return e.IssuedOn }
func (e CreditNoteIssued) Effect() int64   { return -e.Total.Minor() }

func (e CreditNoteIssued) apply(s *State) {
	f := s.addFund(e.IssuedOn, e.Total.Minor())
	s.credits.put(e.Credit, f)
	if it := s.items.use(e.Invoice); it != nil {
		it.seldom().notedTotal += e.Total.Minor()
		s.takeBack(it, e.Taxes)
	}
	s.settle(f, e.IssuedOn, e.Applied, credited)
}

func (s *State) credit(id domain.CreditID) (*fund, error) {
	if f := s.credits.get(id); f != nil {
		return f, nil
	}
	return nil, ErrUnknownCredit.With("%s", id).At("/credit")
}

// ApplyCredit settles invoices with unapplied credit from a day on.
type ApplyCredit struct {
	Key
	Credit      domain.CreditID `json:"credit" doc:"the credit note"`
	ApplyOn     domain.Date     `json:"on" doc:"the day from which they are settled"`
	Allocations []Allocation    `json:"allocations,omitempty" doc:"to which invoices; the oldest due first when left out"`
}

func (ApplyCredit) Name() string { return "ApplyCredit" }

func (c ApplyCredit) check(f *domain.Faults) {
	f.Add("/credit", domain.CheckID(c.Credit))
	date(f, "/on", c.ApplyOn)
	c.checkAllocations(f, c.Allocations, false)
}

func (c ApplyCredit) decide(s *State, _ Parties) ([]domain.Event, error) {
	fund, err := s.credit(c.Credit)
	if err != nil {
		return nil, err
	}
	list, err := s.application(c.Key, fund, c.ApplyOn, c.Allocations)
	if err != nil {
		return nil, err
	}
	return []domain.Event{CreditApplied{c.Credit, c.ApplyOn, list}}, nil
}

// CreditApplied says that unapplied credit settled invoices.
type CreditApplied struct {
	Credit      domain.CreditID `json:"credit" doc:"the credit note"`
	ApplyOn     domain.Date     `json:"on" doc:"the day from which they are settled"`
	Allocations []Allocation    `json:"allocations" doc:"what it settled"`
}

func (CreditApplied) Kind() string      { return "account.credit_applied" }
func (e CreditApplied) On() domain.Date { return e.ApplyOn }
func (CreditApplied) Effect() int64     { return 0 }
func (e CreditApplied) apply(s *State) {
	s.settle(s.credits.use(e.Credit), e.ApplyOn, e.Allocations, credited)
}

// UnapplyCredit takes settled amounts back to unapplied credit.
type UnapplyCredit struct {
	Key
	Credit      domain.CreditID `json:"credit" doc:"the credit note"`
	UnapplyOn   domain.Date     `json:"on" doc:"the day from which the invoices are open again"`
	Allocations []Allocation    `json:"allocations,omitempty" doc:"what is taken back; all of it when left out"`
	Reason      string          `json:"reason" doc:"why"`
}

func (UnapplyCredit) Name() string { return "UnapplyCredit" }

func (c UnapplyCredit) check(f *domain.Faults) {
	f.Add("/credit", domain.CheckID(c.Credit))
	date(f, "/on", c.UnapplyOn)
	c.checkAllocations(f, c.Allocations, false)
	text(f, "/reason", c.Reason, true)
}

func (c UnapplyCredit) decide(s *State, _ Parties) ([]domain.Event, error) {
	fund, err := s.credit(c.Credit)
	if err != nil {
		return nil, err
	}
	list, err := s.releasable(c.Key, fund, c.UnapplyOn, c.Allocations)
	if err != nil {
		return nil, err
	}
	return []domain.Event{CreditUnapplied{c.Credit, c.UnapplyOn, list, c.Reason}}, nil
}

// CreditUnapplied says that invoices are open again and the credit is unapplied.
type CreditUnapplied struct {
	Credit      domain.CreditID `json:"credit" doc:"the credit note"`
	UnapplyOn   domain.Date     `json:"on" doc:"the day from which the invoices are open again"`
	Allocations []Allocation    `json:"allocations" doc:"what was taken back"`
	Reason      string          `json:"reason" doc:"why"`
}

func (CreditUnapplied) Kind() string      { return "account.credit_unapplied" }
func (e CreditUnapplied) On() domain.Date { return e.UnapplyOn }
func (CreditUnapplied) Effect() int64     { return 0 }
func (e CreditUnapplied) apply(s *State) {
	s.release(s.credits.use(e.Credit), e.UnapplyOn, e.Allocations, credited)
}
