package domain

import (
	"errors"
	"testing"
)

func TestLateContract(t *testing.T) {
	c := LateContract{
		Customer: []LateTerms{{From: NewDate(2026, 4, 1), Rate: 18_25, Cap: CapConsumer}, {From: NewDate(2027, 4, 1), Statutory: true}},
		Seller:   []LateTerms{{From: NewDate(2025, 4, 1), Rate: 14_60}, {From: NewDate(2026, 1, 1), Rate: 14_60, DayCount: CalendarYear, Cap: CapDirectSale}},
	}
	for _, want := range []struct {
		began Date
		rule  LateRule
	}{
		{NewDate(2020, 3, 31), LateRule{Rate: 5_00, DayCount: CalendarYear, Source: LateByLaw}},
		{NewDate(2025, 3, 31), LateRule{Rate: 3_00, DayCount: CalendarYear, Source: LateByLaw}},
		{NewDate(2025, 4, 1), LateRule{Rate: 14_60, DayCount: Act365, Source: LateOfSeller, Agreed: 14_60}},
		{NewDate(2026, 3, 31), LateRule{Rate: 3_00, DayCount: CalendarYear, Source: LateOfSeller, Agreed: 14_60, CappedBy: CapDirectSale}},
		{NewDate(2026, 4, 1), LateRule{Rate: 14_60, DayCount: Act365, Source: LateOfCustomer, Agreed: 18_25, CappedBy: CapConsumer}},
		{NewDate(2027, 4, 1), LateRule{Rate: 3_00, DayCount: CalendarYear, Source: LateByLaw}},
	} {
		if got, err := c.For(want.began); got != want.rule || err != nil {
			t.Errorf("%s: %+v %v", want.began, got, err)
		}
	}
	if _, err := c.For(NewDate(2029, 4, 1)); !errors.Is(err, ErrRateUnpublished) {
		t.Error(err)
	}
	if got, err := (LateTerms{Rate: 14_60}).Rule(NewDate(2029, 4, 1)); got != (LateRule{14_60, Act365, LateGiven, 14_60, ""}) || err != nil {
		t.Errorf("%+v %v", got, err)
	}
}

func TestLateTermsRefused(t *testing.T) {
	from := NewDate(2026, 4, 1)
	good := LateTerms{From: from, Rate: 14_60}
	for name, c := range map[string]struct {
		list  []LateTerms
		want  *Error
		field string
	}{
		"no day":      {[]LateTerms{{Rate: 1}}, ErrMissing, "/0/from"},
		"no rate":     {[]LateTerms{good, {From: from.AddDays(1)}}, ErrBadLateTerms, "/1/rate"},
		"both":        {[]LateTerms{{From: from, Rate: 1, Statutory: true}}, ErrBadLateTerms, "/0/rate"},
		"negative":    {[]LateTerms{{From: from, Rate: -1}}, ErrBadRate, "/0/rate"},
		"court style": {[]LateTerms{{From: from, Rate: 1, DayCount: CalendarYearFloored}}, ErrUnknown, "/0/day_count"},
		"cap":         {[]LateTerms{{From: from, Rate: 1, Cap: "LOANS"}}, ErrUnknown, "/0/cap"},
		"twice":       {[]LateTerms{good, good}, ErrTwice, "/1/from"},
		"too many":    {make([]LateTerms, LateTermsMax+1), ErrTooLong, ""},
	} {
		var one *Error
		if err := CheckLateTerms(c.list); !errors.Is(err, c.want) || !errors.As(err, &one) || one.Field != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	sorted := SortLateTerms([]LateTerms{{From: from.AddDays(1), Statutory: true}, good})
	if len(sorted) != 2 || sorted[0].DayCount != Act365 || sorted[1].DayCount != CalendarYear || SortLateTerms(nil) != nil {
		t.Errorf("%+v", sorted)
	}
}
