package domain

import (
	"strconv"
	"strings"
)

// CheckLine refuses what CheckText refuses, and line breaks and tabs: names and numbers end up in mail headers and
// table cells.
func CheckLine(text string, required bool, most int) error {
	if err := CheckText(text, required, most); err != nil {
		return err
	}
	if strings.ContainsAny(text, "\n\t") {
		return ErrMalformed.With("the text must stand on one line")
	}
	return nil
}

// Language is the language of what is written to people.
type Language string

const (
	Japanese Language = "ja"
	English  Language = "en"
)

// Check refuses an unknown language.
func (l Language) Check() error {
	switch l {
	case Japanese, English:
		return nil
	}
	return ErrUnknown.With("language %q, want ja or en", clip(string(l)))
}

// Series is the first part of a document number: INV in INV-2026-000001.
type Series string

// SeriesMax is the longest series, in characters, so that a whole number still fits an id.
const SeriesMax = 32

// ErrBadSeries refuses a series that could not begin a document number.
var ErrBadSeries = &Error{
	Code: Invalid, Rule: "series.malformed",
	Text: "a series has 1 to 32 characters of A-Z 0-9 _ -",
}

// Check refuses what is not 1 to 32 characters of A-Z 0-9 _ -. Small letters are out, so that no two series differ
// in case only.
func (s Series) Check() error {
	if len(s) > SeriesMax || CheckID(s) != nil || strings.ToUpper(string(s)) != string(s) {
		return ErrBadSeries.With("%q", clip(string(s)))
	}
	return nil
}

// CheckPositiveList refuses a list with an amount that is not positive or with two amounts of one currency: such a
// list says at most one amount for each currency. Faults point into the list ("/0").
func CheckPositiveList(amounts []Money) error {
	var faults Faults
	seen := make(map[Currency]bool, len(amounts))
	for i, m := range amounts {
		at := "/" + strconv.Itoa(i)
		faults.Add(at, m.CheckPositive())
		faults.Require(!seen[m.Currency()], at, ErrTwice.With("a second amount in %s", m.Currency()))
		seen[m.Currency()] = true
	}
	return faults.Err()
}

// ErrTwice refuses a list that says the same thing twice.
var ErrTwice = &Error{Code: Invalid, Rule: "input.given_twice", Text: "this may be given once only"}
