// Package numbering gives documents their numbers, without gaps and never one twice.
//
// A number goes through three steps, because it is given on one stream and used on another: it is taken (pending)
// before the invoice is issued, confirmed once the invoice stands on its account, returned when the invoice was
// refused. A returned number is given out again before any new one. After a crash the pending numbers tell what has
// to be finished: look whether the taker's invoice was issued, then confirm or return.
package numbering

import (
	"strconv"
	"strings"

	"github.com/urikake/urikake/domain"
)

// Limits.
const (
	NumberMax  = 999_999_999 // the highest number of a series
	TakersMax  = 500         // takers in one command
	IssuedMax  = 10_000      // numbers confirmed by one command
	TextMax    = 100         // bytes of a number that is not of a series' form
	AccountMax = 256         // bytes of an account's stream name
	CommandMax = 256         // bytes of a command id
	ReasonMax  = 1000        // bytes
	digitsMin  = 6
	yearMin    = 1900
	yearMax    = 2999
)

// Format writes a document number: INV-2026-000001, with more than six digits where it needs them.
func Format(series domain.Series, year, n int) string {
	b := append(make([]byte, 0, len(series)+16), series...)
	b = padded(append(b, '-'), year, 4)
	return string(padded(append(b, '-'), n, digitsMin))
}

// padded appends a number with at least so many digits.
func padded(b []byte, n, digits int) []byte {
	for least := 10; digits > 1; digits, least = digits-1, least*10 {
		if n < least {
			b = append(b, '0')
		}
	}
	return strconv.AppendInt(b, int64(n), 10)
}

// Parse is the inverse of Format; ok is false for a text that Format would not write.
func Parse(text string) (series domain.Series, year, n int, ok bool) {
	head, digits := cutLast(text)
	name, digitsOfYear := cutLast(head)
	n, errN := strconv.Atoi(digits)
	year, errYear := strconv.Atoi(digitsOfYear)
	series = domain.Series(name)
	ok = errN == nil && errYear == nil && series.Check() == nil && year >= yearMin && year <= yearMax && n >= 1 && n <= NumberMax &&
		Format(series, year, n) == text
	if !ok {
		return "", 0, 0, false
	}
	return series, year, n, true
}

func cutLast(text string) (before, after string) {
	if i := strings.LastIndexByte(text, '-'); i >= 0 {
		return text[:i], text[i+1:]
	}
	return "", text
}

// Taker is the command that a number is for, so that a repeated command gets the same number.
type Taker struct {
	Account   string           `json:"account" doc:"stream of the account on which the document is issued"`
	Invoice   domain.InvoiceID `json:"invoice" doc:"the document's id on that account"`
	CommandID string           `json:"command_id" doc:"id of the command that issues it"`
}

func (t Taker) check() error {
	var faults domain.Faults
	faults.Add("/account", domain.CheckLine(t.Account, true, AccountMax))
	faults.Add("/invoice", domain.CheckID(t.Invoice))
	faults.Add("/command_id", domain.CheckLine(t.CommandID, true, CommandMax))
	return faults.Err()
}

// Key names one row of numbers: a seller's series in one year. Every command on it carries one.
type Key struct {
	Seller domain.SellerID `json:"seller" doc:"the seller"`
	Series domain.Series   `json:"series" doc:"first part of the number: INV in INV-2026-000001"`
	Year   int             `json:"year" doc:"second part of the number"`
}

// Stream is where the numbers of the series are kept.
func (k Key) Stream() string {
	return "numbering-" + string(k.Seller) + "." + string(k.Series) + "." + strconv.Itoa(k.Year)
}

func (k Key) stream() string { return k.Stream() }

// Number is the n-th number as it stands on the document.
func (k Key) Number(n int) string { return Format(k.Series, k.Year, n) }

func (k Key) check(faults *domain.Faults) {
	faults.Add("/seller", domain.CheckID(k.Seller))
	faults.Add("/series", k.Series.Check())
	faults.Require(k.Year >= yearMin && k.Year <= yearMax, "/year", ErrBadYear.With("%d", k.Year))
}

var (
	ErrBadYear = &domain.Error{
		Code: domain.Invalid, Rule: "numbering.bad_year",
		Text: "a series' year lies between 1900 and 2999",
	}
	ErrBadNumber = &domain.Error{
		Code: domain.Invalid, Rule: "numbering.bad_number",
		Text: "a number lies between 1 and 999999999",
	}
	ErrNumberTaken = &domain.Error{
		Code: domain.Refused, Rule: "numbering.number_taken",
		Text: "the number stands on another document, or is about to",
	}
	ErrNotHeld = &domain.Error{
		Code: domain.Refused, Rule: "numbering.not_held",
		Text: "the number is not waiting for this document",
	}
	ErrNotGiven = &domain.Error{
		Code: domain.Refused, Rule: "numbering.not_given",
		Text: "the number was never given out, or was returned",
	}
	ErrSeriesFull = &domain.Error{
		Code: domain.Refused, Rule: "numbering.series_full",
		Text: "the series has no numbers left this year",
	}
)
