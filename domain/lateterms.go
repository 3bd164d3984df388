package domain

import (
	"slices"
	"strconv"
)

// LateTerms are what a contract says about late charges, for every delay that begins on a day or later: a claim keeps the
// terms under which its delay began, as it keeps the statutory rate (Civil Code 404, 419).
type LateTerms struct {
	From      Date     `json:"from" doc:"they hold for delays that begin on this day or later; a delay begins the day after the due date"`
	Rate      Rate     `json:"rate,omitzero" doc:"the contract's yearly rate in percent; left out with statutory"`
	Statutory bool     `json:"statutory,omitzero" doc:"from that day on no rate is agreed: the statutory one holds"`
	DayCount  DayCount `json:"day_count,omitempty" doc:"ACT_365 (when left out with a rate; the contract has to say so) or CALENDAR_YEAR (when left out without one)"`
	Cap       RateCap  `json:"cap,omitempty" doc:"law that caps the rate: CONSUMER 14.6 % (消費者契約法9条), INSTALMENT (割賦販売法6条) or DIRECT (特商法10条, 25条) the statutory rate; left out between businesses"`
}

// LateTermsMax is how many terms one party may have, one for each first day.
const LateTermsMax = 200

// ErrBadLateTerms refuses terms that say both or neither.
var ErrBadLateTerms = &Error{
	Code: Invalid, Rule: "rate.agreed_or_statutory",
	Text: "terms of late charges name a rate above 0, or say statutory",
}

// Defaulted fills in the day count.
func (l LateTerms) Defaulted() LateTerms {
	if l.DayCount == "" {
		l.DayCount = Act365
		if l.Statutory {
			l.DayCount = CalendarYear
		}
	}
	return l
}

// Check refuses rate.agreed_or_statutory, rate.malformed, input.missing and input.unknown_value, each under its field.
func (l LateTerms) Check() error {
	var f Faults
	f.Require(!l.From.IsZero(), "/from", ErrMissing)
	f.Require((l.Rate != 0) != l.Statutory, "/rate", ErrBadLateTerms)
	f.Require(l.Rate >= 0 && l.Rate <= 10*RateWhole, "/rate", ErrBadRate.With("%d hundredths of a percent", int32(l.Rate)))
	switch l.DayCount {
	case "", Act365, CalendarYear:
	default:
		f.Add("/day_count", ErrUnknown.With("day count %q, want ACT_365 or CALENDAR_YEAR", clip(string(l.DayCount))))
	}
	f.Add("/cap", l.Cap.Check())
	return f.Err()
}

// Check refuses an unknown cap.
func (c RateCap) Check() error {
	switch c {
	case CapNone, CapConsumer, CapInstalment, CapDirectSale:
		return nil
	}
	return ErrUnknown.With("cap %q, want CONSUMER, INSTALMENT or DIRECT", clip(string(c)))
}

// SortLateTerms is a list of terms by first day, with the day counts filled in; nil for none.
func SortLateTerms(list []LateTerms) (sorted []LateTerms) {
	for _, l := range list {
		sorted = append(sorted, l.Defaulted())
	}
	slices.SortStableFunc(sorted, func(a, b LateTerms) int { return a.From.Compare(b.From) })
	return sorted
}

// CheckLateTerms refuses what LateTerms.Check refuses, two terms from one day, and more than LateTermsMax. Faults point
// into the list ("/0/rate").
func CheckLateTerms(list []LateTerms) error {
	if len(list) > LateTermsMax {
		return ErrTooLong.With("%d terms, at most %d", len(list), LateTermsMax)
	}
	var f Faults
	seen := make(map[Date]bool, len(list))
	for i, l := range list {
		at := "/" + strconv.Itoa(i)
		f.Add(at, l.Check())
		f.Require(!seen[l.From], at+"/from", ErrTwice.With("second terms from %s", l.From))
		seen[l.From] = true
	}
	return f.Err()
}

// LateContract is all that is agreed between a seller and a customer, each list by first day.
type LateContract struct {
	Customer []LateTerms // the customer's own, which come before
	Seller   []LateTerms // the seller's with everybody
}

// LateSource says where the terms of a claim come from.
type LateSource string

const (
	LateOfCustomer LateSource = "CUSTOMER"  // the customer's own terms
	LateOfSeller   LateSource = "SELLER"    // the seller's terms with everybody
	LateByLaw      LateSource = "STATUTORY" // none are agreed, or they say so
	LateGiven      LateSource = "GIVEN"     // by whoever asks
)

// LateRule is what decides the late charge on one claim.
type LateRule struct {
	Rate     Rate
	DayCount DayCount
	Source   LateSource
	Agreed   Rate    // above Rate where a law caps it; 0: none is agreed
	CappedBy RateCap // the law that makes Rate smaller than Agreed
}

// For is the rule for a claim whose delay began on a day: the customer's terms of that day, else the seller's, else the
// law. O(terms). Refuses what LateRate.Effective refuses, such as rate.not_published.
func (c LateContract) For(delayBegan Date) (LateRule, error) {
	source := LateOfCustomer
	terms, ok := holding(c.Customer, delayBegan)
	if !ok {
		source = LateOfSeller
		terms, ok = holding(c.Seller, delayBegan)
	}
	if !ok {
		terms = LateTerms{Statutory: true}
	}
	if terms.Statutory {
		source = LateByLaw
	}
	return terms.rule(source, delayBegan)
}

// Rule is what these terms come to for a claim whose delay began on a day, whatever is agreed.
func (l LateTerms) Rule(delayBegan Date) (LateRule, error) { return l.rule(LateGiven, delayBegan) }

func (l LateTerms) rule(source LateSource, delayBegan Date) (r LateRule, err error) {
	l = l.Defaulted()
	r = LateRule{DayCount: l.DayCount, Source: source}
	r.Rate, err = LateRate{Agreed: !l.Statutory, Rate: l.Rate, Cap: l.Cap}.Effective(delayBegan)
	if r.Agreed = l.Rate; r.Rate < r.Agreed {
		r.CappedBy = l.Cap
	}
	return r, err
}

// holding are the newest terms that hold on a day.
func holding(list []LateTerms, day Date) (l LateTerms, ok bool) {
	for _, t := range slices.Backward(list) {
		if !t.From.After(day) {
			return t, true
		}
	}
	return l, false
}
