package domain

import (
	"errors"
	"testing"

	"pgregory.net/rapid"
)

func rate(t testing.TB, s string) Rate {
	t.Helper()
	r, err := ParseRate(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestLateCharge(t *testing.T) {
	cases := []struct {
		name, amount, currency, rate, from, to string
		dc                                     DayCount
		want                                   string
	}{
		{"L1", "1000000", "JPY", "14.6", "2026-09-30", "2026-10-31", Act365, "12400"},
		{"L2", "550000", "JPY", "3", "2026-02-27", "2026-11-21", Act365, "12069"},
		{"L3", "3000000", "JPY", "14.6", "2027-12-31", "2028-03-31", Act365, "109200"},
		{"L3", "3000000", "JPY", "14.6", "2027-12-31", "2028-03-31", CalendarYear, "108901"},
		{"L4", "1234567", "JPY", "3", "2027-11-30", "2028-02-29", Act365, "9233"},
		{"L4", "1234567", "JPY", "3", "2027-11-30", "2028-02-29", CalendarYear, "9217"},
		{"L5", "1000000", "JPY", "5", "2010-06-02", "2012-03-02", CalendarYear, "87511"},
		{"L5 court", "1000000", "JPY", "5", "2010-06-02", "2012-03-02", CalendarYearFloored, "87510"},
		{"L6", "800000", "JPY", "3", "2025-06-30", "2028-03-31", CalendarYear, "66065"},
		{"L6", "800000", "JPY", "3", "2025-06-30", "2028-03-31", Act365, "66082"},
		{"L7", "2000", "JPY", "3", "2026-06-01", "2026-07-01", Act365, "4"},
		{"L8 first part", "1000000", "JPY", "14.6", "2026-06-30", "2026-07-31", Act365, "12400"},
		{"L8 legal order", "612400", "JPY", "14.6", "2026-07-31", "2026-09-30", Act365, "14942"},
		{"L8 principal first", "600000", "JPY", "14.6", "2026-07-31", "2026-09-30", Act365, "14640"},
		{"cents", "1000.00", "USD", "14.6", "2026-09-30", "2026-10-31", Act365, "12.40"},
		{"fils", "1.000", "KWD", "3", "2026-01-01", "2027-01-01", Act365, "0.030"},
		{"paid on the due date", "1000000", "JPY", "14.6", "2026-09-30", "2026-09-30", Act365, "0"},
		{"paid early", "1000000", "JPY", "14.6", "2026-09-30", "2026-09-01", CalendarYear, "0"},
		{"a leap day's year ends on 28 February", "1000000", "JPY", "3", "2028-02-28", "2029-02-28", CalendarYear, "30000"},
		{"whole years have no days", "1000000", "JPY", "3", "2026-12-31", "2028-12-31", CalendarYear, "60000"},
		{"to the end of dates", "100", "JPY", "3", "2998-12-31", "2999-12-31", CalendarYear, "3"},
	}
	for _, c := range cases {
		base, err := ParseMoney(c.amount, c.currency)
		if err != nil {
			t.Fatal(err)
		}
		got, err := LateCharge(base, rate(t, c.rate), date(t, c.from), date(t, c.to), c.dc)
		if err != nil || got.Amount() != c.want || got.Currency() != base.Currency() {
			t.Errorf("%s %s: %s (%v), want %s", c.name, c.dc, got, err, c.want)
		}
	}
}

func TestLateChargeRefused(t *testing.T) {
	base, from, to := NewMoney(1000, "JPY"), NewDate(2026, 1, 1), NewDate(2026, 2, 1)
	for _, c := range []struct {
		base Money
		rate Rate
		from Date
		dc   DayCount
		want *Error
	}{
		{NewMoney(0, "JPY"), 300, from, Act365, ErrNotPositive},
		{NewMoney(1, "XXY"), 300, from, Act365, ErrBadCurrency},
		{NewMoney(MinorMax, "JPY"), 10 * RateWhole, NewDate(1900, 1, 1), CalendarYear, ErrOutOfRange},
		{base, -1, from, Act365, ErrBadRate},
		{base, 10*RateWhole + 1, from, Act365, ErrBadRate},
		{base, 300, Date{}, Act365, ErrBadDate},
		{base, 300, from, "30_360", ErrUnknown},
	} {
		if _, err := LateCharge(c.base, c.rate, c.from, to, c.dc); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// A late charge never falls with time, and a split at any day loses less than one minor unit a segment under ACT_365.
func TestLateChargeGrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := NewMoney(rapid.Int64Range(1, 1_000_000_000_000).Draw(t, "base"), "USD")
		r := Rate(rapid.Int32Range(0, 30_00).Draw(t, "rate"))
		due := anyDate().Draw(t, "due")
		middle := due.AddDays(rapid.IntRange(0, 1500).Draw(t, "first"))
		end := middle.AddDays(rapid.IntRange(0, 1500).Draw(t, "second"))
		charge := func(from, to Date, dc DayCount) int64 {
			m, err := LateCharge(base, r, from, to, dc)
			if err != nil {
				t.Fatal(err)
			}
			return m.Minor()
		}
		for _, dc := range []DayCount{Act365, CalendarYear, CalendarYearFloored} {
			if a, b := charge(due, middle, dc), charge(due, end, dc); a > b || a < 0 {
				t.Fatalf("%s: %d on %s, %d on %s", dc, a, middle, b, end)
			}
		}
		whole, split := charge(due, end, Act365), charge(due, middle, Act365)+charge(middle, end, Act365)
		if split > whole || whole > split+1 {
			t.Fatalf("whole %d, split %d", whole, split)
		}
		once, each := charge(due, end, CalendarYear), charge(due, end, CalendarYearFloored)
		if each > once {
			t.Fatalf("floored once %d, each part %d", once, each)
		}
	})
}

func TestLateRate(t *testing.T) {
	delay := NewDate(2026, 10, 1)
	cases := []struct {
		name  string
		basis LateRate
		began Date
		want  string
	}{
		{"18.25 % to a consumer", LateRate{Agreed: true, Rate: 18_25, Cap: CapConsumer}, delay, "14.6"},
		{"10 % to a consumer", LateRate{Agreed: true, Rate: 10_00, Cap: CapConsumer}, delay, "10"},
		{"14.6 % telephone sale", LateRate{Agreed: true, Rate: 14_60, Cap: CapDirectSale}, delay, "3"},
		{"2 % instalment sale", LateRate{Agreed: true, Rate: 2_00, Cap: CapInstalment}, delay, "2"},
		{"18.25 % between businesses", LateRate{Agreed: true, Rate: 18_25}, delay, "18.25"},
		{"no interest agreed", LateRate{Agreed: true}, delay, "0"},
		{"no clause", LateRate{}, delay, "3"},
		{"no clause, commerce", LateRate{Commercial: true}, delay, "3"},
		{"first day of 3 %", LateRate{}, NewDate(2020, 4, 1), "3"},
		{"last day of 5 %", LateRate{}, NewDate(2020, 3, 31), "5"},
		{"last day of 6 %", LateRate{Commercial: true}, NewDate(2020, 3, 31), "6"},
		{"last published day", LateRate{}, NewDate(2029, 3, 31), "3"},
		{"agreed, after the published days", LateRate{Agreed: true, Rate: 14_60, Cap: CapConsumer}, NewDate(2029, 4, 1), "14.6"},
	}
	for _, c := range cases {
		if got, err := c.basis.Effective(c.began); err != nil || got != rate(t, c.want) {
			t.Errorf("%s: %s (%v), want %s", c.name, got, err, c.want)
		}
	}
	for _, c := range []struct {
		basis LateRate
		began Date
		want  *Error
	}{
		{LateRate{}, NewDate(2029, 4, 1), ErrRateUnpublished},
		{LateRate{Agreed: true, Rate: 14_60, Cap: CapDirectSale}, NewDate(2029, 4, 1), ErrRateUnpublished},
		{LateRate{}, Date{}, ErrBadDate},
		{LateRate{Cap: "FRIENDS"}, delay, ErrUnknown},
		{LateRate{Agreed: true, Rate: -1}, delay, ErrBadRate},
	} {
		if _, err := c.basis.Effective(c.began); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
