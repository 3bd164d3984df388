package domain

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func date(t testing.TB, s string) Date {
	t.Helper()
	d, err := ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func closing(offset, payDay int, days ...int) Terms {
	return Terms{Kind: TermsClosing, ClosingDays: days, MonthOffset: offset, PayDay: payDay}
}

func TestDueByClosingDay(t *testing.T) {
	cases := []struct {
		name                                           string
		terms                                          Terms
		issued, closing, raw, previous, next, modified string
	}{
		{"D1", closing(1, 99, 99), "2026-01-31", "2026-01-31", "2026-02-28", "2026-02-27", "2026-03-02", "2026-02-27"},
		{"D2", closing(1, 20, 20), "2026-08-20", "2026-08-20", "2026-09-20", "2026-09-18", "2026-09-24", "2026-09-24"},
		{"D3", closing(1, 20, 20), "2026-08-21", "2026-09-20", "2026-10-20", "2026-10-20", "2026-10-20", "2026-10-20"},
		{"D4", closing(2, 10, 99), "2026-11-15", "2026-11-30", "2027-01-10", "2027-01-08", "2027-01-12", "2027-01-12"},
		{"D5", closing(1, 99, 99), "2026-11-30", "2026-11-30", "2026-12-31", "2026-12-30", "2027-01-04", "2026-12-30"},
		{"D6", closing(1, 99, 99), "2028-01-15", "2028-01-31", "2028-02-29", "2028-02-29", "2028-02-29", "2028-02-29"},
		{"D7", closing(1, 30, 30), "2027-01-31", "2027-02-28", "2027-03-30", "2027-03-30", "2027-03-30", "2027-03-30"},
		{"D8", closing(0, 99, 10), "2027-02-10", "2027-02-10", "2027-02-28", "2027-02-26", "2027-03-01", "2027-02-26"},
		{"D9", closing(1, 5, 99), "2027-04-30", "2027-04-30", "2027-05-05", "2027-04-30", "2027-05-06", "2027-05-06"},
		{"the 15th and the month's end", closing(1, 10, 99, 15), "2026-06-16", "2026-06-30", "2026-07-10", "2026-07-10", "2026-07-10", "2026-07-10"},
		{"never before the closing day", closing(0, 99, 99), "2027-02-28", "2027-02-28", "2027-02-28", "2027-03-01", "2027-03-01", "2027-03-01"},
	}
	for _, c := range cases {
		issued := date(t, c.issued)
		if got := c.terms.Closing(issued); got != date(t, c.closing) {
			t.Errorf("%s: closing %s, want %s", c.name, got, c.closing)
		}
		for rule, want := range map[HolidayRule]string{
			HolidayNone: c.raw, HolidayPrevious: c.previous,
			HolidayNext: c.next, HolidayModifiedNext: c.modified,
		} {
			terms := c.terms
			terms.HolidayRule = rule
			got, err := terms.Due(issued, JapanBankDays())
			if err != nil || got != date(t, want) {
				t.Errorf("%s %s: due %s (%v), want %s", c.name, rule, got, err, want)
			}
		}
	}
}

func TestDueByNetDays(t *testing.T) {
	for _, c := range []struct {
		terms       Terms
		issued, due string
	}{
		{Terms{Kind: TermsNet, NetDays: 30}, "2026-01-31", "2026-03-02"},
		{Terms{Kind: TermsNet}, "2026-01-31", "2026-01-31"},
		{Terms{Kind: TermsNet, NetDays: 50, HolidayRule: HolidayNext}, "2026-08-01", "2026-09-24"},
		{Terms{Kind: TermsNet, HolidayRule: HolidayPrevious}, "2026-01-31", "2026-02-02"}, // never before the issue date
	} {
		if due, err := c.terms.Due(date(t, c.issued), JapanBankDays()); err != nil || due != date(t, c.due) {
			t.Errorf("%+v from %s: %s, %v; want %s", c.terms, c.issued, due, err, c.due)
		}
	}
	weekend := Terms{Kind: TermsNet, HolidayRule: HolidayNext} // the zero calendar knows weekends only
	if due, err := weekend.Due(date(t, "2026-01-01"), Calendar{}); err != nil || due != date(t, "2026-01-01") {
		t.Errorf("New Year on the zero calendar: %s, %v", due, err)
	}
}

func TestDueRefused(t *testing.T) {
	net := Terms{Kind: TermsNet, NetDays: 30}
	if _, err := net.Due(Date{}, Calendar{}); !errors.Is(err, ErrBadDate) {
		t.Errorf("no issue date: %v", err)
	}
	if _, err := net.Due(date(t, "2999-12-31"), Calendar{}); !errors.Is(err, ErrBadDate) {
		t.Errorf("past the calendar's end: %v", err)
	}
	if _, err := (Terms{}).Due(date(t, "2026-01-01"), Calendar{}); !errors.Is(err, ErrUnknown) {
		t.Errorf("no terms: %v", err)
	}
}

func TestTermsCheck(t *testing.T) {
	whole := func(change func(*Terms)) Terms {
		terms := Terms{Kind: TermsClosing, ClosingDays: []int{20}, MonthOffset: 1, PayDay: 20, HolidayRule: HolidayNext}
		change(&terms)
		return terms
	}
	for field, terms := range map[string]Terms{
		"/kind":           {Kind: "WHENEVER"},
		"/net_days":       {Kind: TermsNet, NetDays: -1},
		"/closing_days":   whole(func(t *Terms) { t.ClosingDays = nil }),
		"/closing_days/1": whole(func(t *Terms) { t.ClosingDays = []int{20, 32} }),
		"/pay_day":        whole(func(t *Terms) { t.PayDay = 0 }),
		"/month_offset":   whole(func(t *Terms) { t.MonthOffset = MonthOffsetMax + 1 }),
		"/holiday_rule":   whole(func(t *Terms) { t.HolidayRule = "" }),
		"/closing_days/0": whole(func(t *Terms) { t.MonthOffset, t.PayDay = 0, 19 }),
	} {
		err := terms.Check()
		var faults Faults
		if !errors.As(err, &faults) || len(faults) != 1 || faults[0].Field != field {
			t.Errorf("%+v: %v, want one fault at %s", terms, err, field)
		}
	}
	for _, terms := range []Terms{
		{Kind: TermsNet, NetDays: NetDaysMax + 1},
		{Kind: TermsNet, PayDay: 5},
		{Kind: TermsNet, HolidayRule: "LATER"},
		whole(func(t *Terms) { t.NetDays = 1 }), whole(func(t *Terms) { t.ClosingDays = make([]int, 1000) }),
	} {
		if terms.Check() == nil {
			t.Errorf("accepted %+v", terms)
		}
	}
	if err := whole(func(t *Terms) { t.MonthOffset, t.ClosingDays, t.PayDay = 0, []int{99}, 31 }).Check(); err != nil {
		t.Errorf("the 31st is the month's end: %v", err)
	}
}

func anyDate() *rapid.Generator[Date] {
	return rapid.Custom(func(t *rapid.T) Date {
		first, last := NewDate(1990, 1, 1), NewDate(2110, 12, 31)
		return first.AddDays(rapid.IntRange(0, last.DaysSince(first)).Draw(t, "day"))
	})
}

func anyTerms() *rapid.Generator[Terms] {
	day := rapid.OneOf(rapid.IntRange(1, 31), rapid.Just(MonthEnd))
	rule := rapid.SampledFrom([]HolidayRule{HolidayNone, HolidayPrevious, HolidayNext, HolidayModifiedNext})
	return rapid.Custom(func(t *rapid.T) Terms {
		if rapid.Bool().Draw(t, "net") {
			return Terms{Kind: TermsNet, NetDays: rapid.IntRange(0, 200).Draw(t, "days"), HolidayRule: rule.Draw(t, "rule")}
		}
		return Terms{
			Kind: TermsClosing, ClosingDays: rapid.SliceOfN(day, 1, 3).Draw(t, "closing"),
			MonthOffset: rapid.IntRange(0, 3).Draw(t, "offset"), PayDay: day.Draw(t, "pay"), HolidayRule: rule.Draw(t, "rule"),
		}
	}).Filter(func(terms Terms) bool { return terms.Check() == nil })
}

// due >= closing >= issue date, both rise with the issue date, and terms survive JSON.
func TestDueOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms, issued := anyTerms().Draw(t, "terms"), anyDate().Draw(t, "issued")
		encoded, err := json.Marshal(terms)
		var decoded Terms
		if err != nil || json.Unmarshal(encoded, &decoded) != nil || !slices.Equal(terms.ClosingDays, decoded.ClosingDays) {
			t.Fatalf("%s: %v", encoded, err)
		}
		var lastClosing, lastDue Date
		for range 40 {
			closing := terms.Closing(issued)
			due, err := decoded.Due(issued, JapanBankDays())
			if err != nil {
				t.Fatal(err)
			}
			if closing.Before(issued) || due.Before(closing) {
				t.Fatalf("issued %s, closing %s, due %s", issued, closing, due)
			}
			if closing.Before(lastClosing) || due.Before(lastDue) {
				t.Fatalf("issued %s: closing %s after %s, due %s after %s", issued, closing, lastClosing, due, lastDue)
			}
			if terms.HolidayRule != HolidayNone && !JapanBankDays().BusinessDay(due) {
				t.Fatalf("issued %s: due on %s, no business day", issued, due)
			}
			lastClosing, lastDue, issued = closing, due, issued.AddDays(1)
		}
	})
}
