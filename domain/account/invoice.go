package account

import "github.com/urikake/urikake/domain"

var (
	ErrDueBeforeIssue = &domain.Error{
		Code: domain.Invalid, Rule: "account.due_before_issue",
		Text: "the due date lies before the issue date",
	}
	ErrNoDueDate = &domain.Error{
		Code: domain.Refused, Rule: "account.no_due_date",
		Text: "the invoice names no due date and the customer has no payment terms; give one, or send SetPaymentTerms",
	}
	ErrSomethingSettled = &domain.Error{
		Code: domain.Refused, Rule: "account.something_settled",
		Text: "something is settled, credited or disputed on the invoice; issue a credit note instead of voiding it",
	}
	ErrWaiveInstead = &domain.Error{
		Code: domain.Refused, Rule: "account.late_charge_not_voided",
		Text: "a late charge is waived, not voided",
	}
	ErrDueChangedLater = &domain.Error{
		Code: domain.Refused, Rule: "account.due_date_changed_later",
		Text: "the due date was changed from a later day on already",
	}
	ErrSameDueDate = &domain.Error{
		Code: domain.Refused, Rule: "account.same_due_date",
		Text: "the invoice has this due date already",
	}
	ErrNoNumber = &domain.Error{
		Code: domain.Internal, Rule: "account.no_number",
		Text: "a document needs a number; give one, or let the ledger take it from the series",
	}
	ErrNumberForfeited = &domain.Error{
		Code: domain.Conflict, Rule: "account.number_forfeited",
		Text: "the number was taken back meanwhile; another one is needed",
	}
)

// IssueInvoice books what a customer owes by a document: with lines, whose tax is computed once per rate, or with a
// plain total for history that is brought in. Without a due date the customer's terms give it; without a number
// the series does.
type IssueInvoice struct {
	Key
	Invoice   domain.InvoiceID `json:"invoice,omitempty" doc:"id within the account; derived from the command's id when left out"`
	Number    string           `json:"number,omitempty" doc:"document number, unique for the seller; taken from the series when left out"`
	Series    string           `json:"series,omitempty" doc:"the series that gives the number; the seller's default when left out"`
	IssuedOn  domain.Date      `json:"issued_on" doc:"date of the document"`
	DueOn     domain.Date      `json:"due_on,omitzero" doc:"due date; by the customer's terms when left out"`
	Lines     []Line           `json:"lines,omitempty" doc:"positions; left out when a plain total is given"`
	Total     domain.Money     `json:"total,omitzero" doc:"plain total, for history that is brought in without lines"`
	Reference string           `json:"buyer_reference,omitempty" doc:"the buyer's own reference, such as an order number"`
	Note      string           `json:"note,omitempty" doc:"free text" personal:"true"`
}

func (IssueInvoice) Name() string { return "IssueInvoice" }

func (c IssueInvoice) check(f *domain.Faults) {
	f.Add("/invoice", domain.CheckID(c.Invoice))
	f.Add("/number", domain.CheckText(c.Number, false, NumberMax))
	if c.Series != "" {
		f.Add("/series", domain.CheckID(c.Series))
	}
	date(f, "/issued_on", c.IssuedOn)
	f.Require(c.DueOn.IsZero() || !c.DueOn.Before(c.IssuedOn), "/due_on", ErrDueBeforeIssue.With("due %s, issued %s", c.DueOn, c.IssuedOn))
	plain := c.Total != domain.Money{}
	f.Require(plain != (len(c.Lines) > 0), "/lines", ErrNoLines)
	if plain {
		f.Require(c.Total.Currency() == c.Currency, "/total", ErrWrongCurrency.With("%s, want %s", c.Total, c.Currency))
		f.Require(c.Total.Minor() >= 0, "/total", ErrNegativeTotal.With("%s", c.Total))
		f.Require(c.Total.Minor() <= domain.MinorMax, "/total", domain.ErrOutOfRange.With("%s", c.Total))
	}
	checkLines(f, c.Lines)
	text(f, "/buyer_reference", c.Reference, false)
	text(f, "/note", c.Note, false)
}

func (c IssueInvoice) decide(s *State, p Parties) ([]domain.Event, error) {
	if !p.CustomerActive {
		return nil, ErrCustomerInactive.With("%s", c.Customer).At("/customer")
	}
	if s.knows(c.Invoice, p.Earlier) {
		return nil, ErrRepeatedID.With("invoice %s", c.Invoice).At("/invoice")
	}
	e := InvoiceIssued{
		Invoice: c.Invoice, Number: c.Number, IssuedOn: c.IssuedOn, DueOn: c.DueOn,
		Lines: c.Lines, Total: c.Total, Reference: c.Reference, Note: c.Note,
	}
	var err error
	if e.Number, err = s.numbered(c.Number, p); err != nil {
		return nil, err
	}
	if e.DueOn.IsZero() {
		if p.DueOn.IsZero() {
			return nil, ErrNoDueDate.At("/due_on")
		}
		e.DueOn = domain.LaterOf(p.DueOn, c.IssuedOn)
	}
	if len(c.Lines) > 0 {
		rows, err := taxes(c.Lines, p.Rounding, c.Currency)
		if err != nil {
			return nil, err
		}
		sum, err := total(rows)
		if err != nil {
			return nil, err
		}
		if sum < 0 {
			return nil, ErrNegativeTotal.With("%s", c.money(sum)).At("/lines")
		}
		e.Taxes, e.Rounding, e.Total = rows, p.Rounding, c.money(sum)
	}
	if s.openTotal+e.Total.Minor() > domain.MinorMax {
		return nil, ErrBalanceTooLarge
	}
	return []domain.Event{e}, nil
}

// InvoiceIssued says that the customer owes the total, due on a day.
type InvoiceIssued struct {
	Invoice   domain.InvoiceID `json:"invoice" doc:"id within the account"`
	Number    string           `json:"number" doc:"document number"`
	IssuedOn  domain.Date      `json:"issued_on" doc:"date of the document"`
	DueOn     domain.Date      `json:"due_on" doc:"due date"`
	Lines     []Line           `json:"lines,omitempty" doc:"positions"`
	Taxes     []Tax            `json:"taxes,omitempty" doc:"net and tax by category and rate; none on a plain total"`
	Rounding  domain.Rounding  `json:"rounding,omitempty" doc:"how the taxes were rounded"`
	Total     domain.Money     `json:"total" doc:"what the customer owes by it, tax included"`
	Reference string           `json:"buyer_reference,omitempty" doc:"the buyer's own reference"`
	Note      string           `json:"note,omitempty" doc:"free text" personal:"true"`
}

func (InvoiceIssued) Kind() string      { return "account.invoice_issued" }
func (e InvoiceIssued) On() domain.Date { return e.IssuedOn }
func (e InvoiceIssued) Effect() int64   { return e.Total.Minor() }

func (e InvoiceIssued) apply(s *State) {
	s.addItem(&item{id: e.Invoice, issuedOn: e.IssuedOn, dueOn: e.DueOn, total: e.Total.Minor(), taxes: s.pack(e.Taxes)})
}

// VoidInvoice cancels an invoice on which nothing was settled yet.
type VoidInvoice struct {
	Key
	Invoice domain.InvoiceID `json:"invoice" doc:"the invoice"`
	VoidOn  domain.Date      `json:"on" doc:"the day of the cancellation"`
	Reason  string           `json:"reason" doc:"why"`
}

func (VoidInvoice) Name() string { return "VoidInvoice" }

func (c VoidInvoice) check(f *domain.Faults) {
	f.Add("/invoice", domain.CheckID(c.Invoice))
	date(f, "/on", c.VoidOn)
	text(f, "/reason", c.Reason, true)
}

func (c VoidInvoice) decide(s *State, _ Parties) ([]domain.Event, error) {
	it, err := s.find("/invoice", c.Invoice)
	switch {
	case err != nil:
		return nil, err
	case it.charge:
		return nil, ErrWaiveInstead.With("%s", it.id).At("/invoice")
	case c.VoidOn.Before(it.issuedOn):
		return nil, ErrBeforeIssue.With("issued %s", it.issuedOn).At("/on")
	// moves tells more than open does: settled and released again on later days still stands in the way.
	case it.voided || it.moves.low(c.VoidOn) != it.total || it.rare().notedTotal > 0 || it.rare().disputed > 0:
		return nil, ErrSomethingSettled.With("%s: %s of %s is open", it.id, c.money(it.moves.low(c.VoidOn)), c.money(it.total))
	}
	return []domain.Event{InvoiceVoided{Invoice: c.Invoice, VoidOn: c.VoidOn, Amount: c.money(it.total), Reason: c.Reason, Taxes: s.unpack(it.taxes)}}, nil
}

// InvoiceVoided says that an invoice was cancelled as a whole.
type InvoiceVoided struct {
	Invoice domain.InvoiceID `json:"invoice" doc:"the invoice"`
	VoidOn  domain.Date      `json:"on" doc:"the day of the cancellation"`
	Amount  domain.Money     `json:"amount" doc:"its total, owed no more"`
	Taxes   []Tax            `json:"taxes,omitempty" doc:"the invoice's net and tax by rate, taken back"`
	Reason  string           `json:"reason" doc:"why"`
}

func (InvoiceVoided) Kind() string      { return "account.invoice_voided" }
func (e InvoiceVoided) On() domain.Date { return e.VoidOn }
func (e InvoiceVoided) Effect() int64   { return -e.Amount.Minor() }

func (e InvoiceVoided) apply(s *State) {
	it := s.items.use(e.Invoice)
	it.voided = true
	it.seldom().cancelled += e.Amount.Minor()
	s.change(it, e.VoidOn, -e.Amount.Minor())
}

// ChangeDueDate gives an invoice another due date from a day on; the aging as of earlier days keeps the old one.
type ChangeDueDate struct {
	Key
	Invoice  domain.InvoiceID `json:"invoice" doc:"the invoice or late charge"`
	DueOn    domain.Date      `json:"due_on" doc:"the new due date"`
	ChangeOn domain.Date      `json:"on" doc:"the day from which it holds"`
	Reason   string           `json:"reason" doc:"why"`
	By       string           `json:"by" doc:"who agreed to it"`
}

func (ChangeDueDate) Name() string { return "ChangeDueDate" }

func (c ChangeDueDate) check(f *domain.Faults) {
	f.Add("/invoice", domain.CheckID(c.Invoice))
	date(f, "/due_on", c.DueOn)
	date(f, "/on", c.ChangeOn)
	text(f, "/reason", c.Reason, true)
	text(f, "/by", c.By, true)
}

func (c ChangeDueDate) decide(s *State, _ Parties) ([]domain.Event, error) {
	it, err := s.find("/invoice", c.Invoice)
	switch {
	case err != nil:
		return nil, err
	case c.DueOn.Before(it.issuedOn):
		return nil, ErrDueBeforeIssue.With("due %s, issued %s", c.DueOn, it.issuedOn).At("/due_on")
	case c.ChangeOn.Before(it.issuedOn):
		return nil, ErrBeforeIssue.With("issued %s", it.issuedOn).At("/on")
	case c.DueOn == it.dueOn:
		return nil, ErrSameDueDate.With("%s", c.DueOn).At("/due_on")
	case c.ChangeOn.Before(it.rare().dueSince):
		return nil, ErrDueChangedLater.With("from %s on", it.rare().dueSince).At("/on")
	}
	return []domain.Event{DueDateChanged{c.Invoice, it.dueOn, c.DueOn, c.ChangeOn, c.Reason, c.By}}, nil
}

// DueDateChanged says that an invoice is due on another day than before.
type DueDateChanged struct {
	Invoice  domain.InvoiceID `json:"invoice" doc:"the invoice or late charge"`
	WasDueOn domain.Date      `json:"was_due_on" doc:"the due date until then"`
	DueOn    domain.Date      `json:"due_on" doc:"the due date from then on"`
	ChangeOn domain.Date      `json:"on" doc:"the day from which it holds"`
	Reason   string           `json:"reason" doc:"why"`
	By       string           `json:"by" doc:"who agreed to it"`
}

func (DueDateChanged) Kind() string      { return "account.due_date_changed" }
func (e DueDateChanged) On() domain.Date { return e.ChangeOn }
func (DueDateChanged) Effect() int64     { return 0 }

func (e DueDateChanged) apply(s *State) {
	it := s.items.use(e.Invoice)
	if it.open > 0 {
		s.unlist(it)
		defer s.list(it)
	}
	r := it.seldom()
	r.dues = append(r.dues, dueChange{e.ChangeOn, it.dueOn})
	it.dueOn, r.dueSince = e.DueOn, e.ChangeOn
}

// NumberForfeited says that a number taken for this account was given back before a document carried it. Whoever took
// it up to that version of the numbering stream may not use it here any more. It settles the race between a slow
// command and the clean-up after a crash.
type NumberForfeited struct {
	Number    string      `json:"number" doc:"the document number"`
	Token     uint64      `json:"token" doc:"version of the numbering stream; takings up to it are void"`
	ForfeitOn domain.Date `json:"on" doc:"the day"`
}

func (NumberForfeited) Kind() string      { return "account.number_forfeited" }
func (e NumberForfeited) On() domain.Date { return e.ForfeitOn }
func (NumberForfeited) Effect() int64     { return 0 }

func (e NumberForfeited) apply(s *State) {
	if s.forfeited == nil {
		s.forfeited = make(map[string]uint64)
	}
	s.forfeited[e.Number] = max(s.forfeited[e.Number], e.Token)
}

// ForfeitNumber is the ledger's own command after a crash between taking a number and issuing its document.
type ForfeitNumber struct {
	Key
	Number    string      `json:"number" doc:"the document number"`
	Token     uint64      `json:"token" doc:"version of the numbering stream; takings up to it are void"`
	ForfeitOn domain.Date `json:"on" doc:"the day"`
}

func (ForfeitNumber) Name() string { return "ForfeitNumber" }

func (c ForfeitNumber) check(f *domain.Faults) {
	f.Add("/number", domain.CheckText(c.Number, true, NumberMax))
	date(f, "/on", c.ForfeitOn)
}

func (c ForfeitNumber) decide(*State, Parties) ([]domain.Event, error) {
	return []domain.Event{NumberForfeited{c.Number, c.Token, c.ForfeitOn}}, nil
}

// numbered gives a document its number: the given one, or the one taken from the series.
// Refuses account.no_number and account.number_forfeited.
func (s *State) numbered(given string, p Parties) (string, error) {
	number := either(given, p.Number)
	if number == "" {
		return "", ErrNoNumber
	}
	void := func(s *State) bool {
		upTo, ok := s.forfeited[number]
		return ok && p.Token <= upTo
	}
	if anywhere(s, p.Earlier, void) {
		return "", ErrNumberForfeited.With("%s", number)
	}
	return number, nil
}
