package domain

import (
	"errors"
	"fmt"
	"strings"
)

// Code says what kind of refusal an Error is; adapters map it to an exit code or an HTTP status in one table.
type Code string

const (
	Invalid     Code = "invalid"     // the input breaks a rule whatever the books say: mend it and send it again
	NotFound    Code = "not_found"   // what the input names does not exist
	Refused     Code = "refused"     // the books as they stand forbid it
	Conflict    Code = "conflict"    // the books changed meanwhile: read them again, then decide anew
	Unavailable Code = "unavailable" // not now: the same request may pass later
	Internal    Code = "internal"    // the ledger itself is at fault
)

// Error is a refusal. Rule is its stable name ("account.exceeds_open") that programs may switch on;
// Text says what the rule wants, Detail what this case was, Field which input it is about (a JSON pointer).
type Error struct {
	Code   Code
	Rule   string
	Text   string
	Detail string
	Field  string
}

// Error reads "rule: text: detail (at /field)".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Rule + ": " + e.Text)
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	if e.Field != "" {
		b.WriteString(" (at " + e.Field + ")")
	}
	return b.String()
}

// Is makes errors.Is compare rules, so that a refusal with details still is the rule it came from.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Rule == e.Rule
}

// With returns a copy that tells the figures of this case.
func (e *Error) With(format string, args ...any) *Error {
	c := *e
	c.Detail = fmt.Sprintf(format, args...)
	return &c
}

// At returns a copy that names the field, as a JSON pointer; a pointer already there becomes its tail.
func (e *Error) At(field string) *Error {
	c := *e
	c.Field = field + e.Field
	return &c
}

// Faults collects every fault of one input, so that the sender can mend them all at once.
type Faults []*Error

// Add notes err under field (a JSON pointer such as "/lines/0/rate"); nil adds nothing.
func (f *Faults) Add(field string, err error) {
	if err == nil {
		return
	}
	var many Faults
	var one *Error
	switch {
	case errors.As(err, &many):
		for _, e := range many {
			*f = append(*f, e.At(field))
		}
	case errors.As(err, &one):
		*f = append(*f, one.At(field))
	default:
		*f = append(*f, ErrMalformed.With("%s", err).At(field))
	}
}

// Require adds refusal under field unless ok holds.
func (f *Faults) Require(ok bool, field string, refusal *Error) {
	if !ok {
		*f = append(*f, refusal.At(field))
	}
}

// Err is nil when there is no fault, else the faults as one error.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, e := range f {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.Is and errors.As look at every fault.
func (f Faults) Unwrap() []error {
	errs := make([]error, len(f))
	for i, e := range f {
		errs[i] = e
	}
	return errs
}

// Rules about the shape of any input.
var (
	ErrMalformed = &Error{Code: Invalid, Rule: "input.malformed", Text: "input can't be read"}
	ErrMissing   = &Error{Code: Invalid, Rule: "input.missing", Text: "a value is required here"}
	ErrTooLong   = &Error{Code: Invalid, Rule: "input.too_long", Text: "the value is longer than allowed"}
	ErrUnknown   = &Error{Code: Invalid, Rule: "input.unknown_value", Text: "the value is not one of those allowed"}
)
