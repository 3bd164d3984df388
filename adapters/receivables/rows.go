package receivables

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
)

// row is one good line of the file.
type row struct {
	line       int
	customer   string
	name       string
	country    string
	number     string
	issuedOn   domain.Date
	dueOn      domain.Date
	amount     domain.Money
	paidOn     domain.Date  // zero: not paid
	paidAmount domain.Money // what was paid then
	disputed   bool
}

// sheet is a file as it stands on paper: cells, not yet understood.
type sheet struct {
	columns
	records []record
	bad     []BadLine
}

type record struct {
	line  int
	cells []string
}

// readSheet reads the cells. Lines that are no CSV, or have more or fewer cells than the header, are bad lines.
// Refuses import.encoding, import.no_header and what findColumns refuses.
func readSheet(data []byte, mapped map[string]string) (*sheet, error) {
	text, err := decode(data)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = delimiter(text), -1, false
	header, err := r.Read()
	if err != nil {
		return nil, ErrNoHeader.With("%s", err)
	}
	for i := range header {
		header[i] = strings.TrimSpace(header[i])
	}
	s := &sheet{}
	if s.columns, err = findColumns(header, mapped); err != nil {
		return nil, err
	}
	for {
		cells, err := r.Read()
		var broken *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return s, nil
		case errors.As(err, &broken):
			s.bad = append(s.bad, BadLine{Line: broken.StartLine, Reason: "this is no CSV: " + broken.Err.Error()})
			continue
		case err != nil:
			return nil, err
		}
		line, _ := r.FieldPos(0)
		s.add(line, cells)
	}
}

// add trims the cells; a line without any text, as spreadsheets leave at the end, is passed over.
func (s *sheet) add(line int, cells []string) {
	last := 0
	for i := range cells {
		if cells[i] = strings.TrimSpace(cells[i]); cells[i] != "" {
			last = i + 1
		}
	}
	switch {
	case last == 0:
	case len(cells) < len(s.header) || last > len(s.header):
		s.bad = append(s.bad, BadLine{Line: line, Reason: fmt.Sprintf("the line has %d cells, the header has %d", max(last, len(cells)), len(s.header))})
	default:
		s.records = append(s.records, record{line, cells})
	}
}

// cell is a field's text, "" where the file has no such column.
func (s *sheet) cell(r record, field string) string {
	if i, ok := s.at[field]; ok {
		return r.cells[i]
	}
	return ""
}

// dates collects what stands where dates are expected.
func (s *sheet) dates() (values []string) {
	for _, r := range s.records {
		for _, field := range []string{fieldIssuedOn, fieldDueOn, fieldPaidOn} {
			if text := s.cell(r, field); text != "" {
				values = append(values, text)
			}
		}
	}
	return values
}

// rows understands the cells. What is wrong is noted among the bad lines, every fault of every line.
func (s *sheet) rows(format dateFormat, currency domain.Currency) (rows []row) {
	numbers := make(map[string]int)
	for _, r := range s.records {
		p := reader{sheet: s, record: r, format: format, currency: currency}
		row := p.row()
		if first, twice := numbers[row.number]; twice && row.number != "" {
			p.fault(fieldNumber, ErrTwice.With("%s, first on line %d", row.number, first))
		} else {
			numbers[row.number] = r.line
		}
		if p.good() {
			rows = append(rows, row)
		}
	}
	return rows
}

// Rules of one line.
var (
	ErrTwice = &domain.Error{
		Code: domain.Invalid, Rule: "import.number_twice",
		Text: "the invoice number stands in the file already",
	}
	ErrDate = &domain.Error{
		Code: domain.Invalid, Rule: "import.not_a_date",
		Text: "not a date as the file writes them",
	}
	ErrNoPaymentDate = &domain.Error{
		Code: domain.Invalid, Rule: "import.no_payment_date",
		Text: "an amount was paid, but not when",
	}
	ErrYesNo = &domain.Error{
		Code: domain.Invalid, Rule: "import.not_yes_or_no",
		Text: "neither yes nor no",
	}
)

// reader understands the cells of one line.
type reader struct {
	*sheet
	record
	format   dateFormat
	currency domain.Currency
	faults   int
}

func (p *reader) good() bool { return p.faults == 0 }

func (p *reader) fault(field string, err error) {
	if err != nil {
		p.faults++
		p.bad = append(p.bad, BadLine{p.line, p.columns.name(field), reasonOf(err)})
	}
}

// reasonOf says what is wrong in words; where a rule has figures, they follow.
func reasonOf(err error) string {
	var e *domain.Error
	switch {
	case !errors.As(err, &e):
		return err.Error()
	case e.Detail == "":
		return e.Text
	}
	return e.Text + ": " + e.Detail
}

func (p *reader) row() row {
	r := row{
		line:     p.line,
		customer: p.text(fieldCustomer, true, customer.NameMax),
		name:     p.text(fieldName, false, customer.NameMax),
		country:  p.text(fieldCountry, false, customer.CountryMax),
		number:   p.text(fieldNumber, true, account.NumberMax),
		issuedOn: p.date(fieldIssuedOn, true),
		dueOn:    p.date(fieldDueOn, true),
		amount:   p.amount(fieldAmount, true),
		paidOn:   p.date(fieldPaidOn, false),
		disputed: p.yes(fieldDisputed),
	}
	if !r.dueOn.IsZero() && r.dueOn.Before(r.issuedOn) {
		p.fault(fieldDueOn, account.ErrDueBeforeIssue.With("due %s, issued %s", r.dueOn, r.issuedOn))
	}
	r.paidAmount = p.amount(fieldPaidAmount, false)
	switch {
	case p.cell(p.record, fieldPaidAmount) == "" && !r.paidOn.IsZero():
		r.paidAmount = r.amount
	case r.paidAmount.IsZero():
		r.paidOn = domain.Date{}
	case p.cell(p.record, fieldPaidOn) == "":
		p.fault(fieldPaidAmount, ErrNoPaymentDate.With("%s", r.paidAmount))
	}
	return r
}

func (p *reader) text(field string, required bool, most int) string {
	text := p.cell(p.record, field)
	if err := domain.CheckLine(text, required, most); err != nil {
		p.fault(field, err)
	}
	return text
}

func (p *reader) date(field string, required bool) domain.Date {
	text := p.cell(p.record, field)
	if text == "" {
		if required {
			p.fault(field, domain.ErrMissing)
		}
		return domain.Date{}
	}
	date, ok := p.format.read(text)
	if !ok {
		p.fault(field, ErrDate.With("%q, want %s", text, p.format))
	}
	return date
}

func (p *reader) amount(field string, required bool) domain.Money {
	text := p.cell(p.record, field)
	if text == "" {
		if required {
			p.fault(field, domain.ErrMissing)
		}
		return domain.Money{}
	}
	m, err := parseAmount(text, p.currency)
	p.fault(field, err)
	return m
}

var (
	yes = []string{"yes", "y", "true", "1", "x", "はい", "有", "あり", "○", "〇"}
	no  = []string{"", "no", "n", "false", "0", "-", "いいえ", "無", "なし", "×"}
)

func (p *reader) yes(field string) bool {
	text := p.cell(p.record, field)
	word := strings.ToLower(text)
	if !slices.Contains(yes, word) && !slices.Contains(no, word) {
		p.fault(field, ErrYesNo.With("%q", text))
	}
	return slices.Contains(yes, word)
}
