package domain

import (
	"errors"
	"slices"
	"testing"
)

func TestBankDays(t *testing.T) {
	thanksgiving, labour := NewDate(2026, 11, 26), NewDate(2026, 11, 23) // a Thursday; a Monday and Japanese holiday
	for name, c := range map[string]struct {
		days        BankDays
		closed      []Date
		open        []Date
		provisional bool
	}{
		"Japan":    {BankDays{}, []Date{labour, NewDate(2026, 11, 28)}, []Date{thanksgiving}, true},
		"JP":       {BankDays{Calendar: BanksJP}, []Date{labour}, []Date{thanksgiving}, true},
		"weekdays": {BankDays{Calendar: BanksWeekdays}, []Date{NewDate(2026, 11, 28), NewDate(2026, 11, 29)}, []Date{labour, thanksgiving}, false},
		"listed": {
			BankDays{Calendar: BanksWeekdays, Holidays: []Date{thanksgiving, NewDate(2026, 7, 3), thanksgiving}},
			[]Date{thanksgiving, NewDate(2026, 7, 3)},
			[]Date{labour},
			false,
		},
		"Japan and one more": {BankDays{Holidays: []Date{thanksgiving}}, []Date{thanksgiving, labour}, []Date{NewDate(2026, 11, 27)}, true},
	} {
		days := c.days.Normal()
		if err := days.Check(); err != nil || days.Calendar == BanksJP || !slices.IsSortedFunc(days.Holidays, Date.Compare) {
			t.Errorf("%s: %+v %v", name, days, err)
		}
		for _, day := range c.closed {
			if days.Days().BusinessDay(day) {
				t.Errorf("%s: banks work on %s", name, day)
			}
		}
		for _, day := range c.open {
			if !days.Days().BusinessDay(day) {
				t.Errorf("%s: banks are closed on %s", name, day)
			}
		}
		if got := days.Days().Provisional(NewDate(2040, 1, 5)); got != c.provisional {
			t.Errorf("%s: provisional %v", name, got)
		}
	}
	for name, c := range map[string]struct {
		days BankDays
		want *Error
	}{
		"unknown":  {BankDays{Calendar: "US"}, ErrUnknown},
		"no day":   {BankDays{Holidays: []Date{{}}}, ErrMissing},
		"too many": {BankDays{Holidays: make([]Date, HolidaysMax+1)}, ErrTooLong},
	} {
		if err := c.days.Check(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if JapanBankDays().BusinessDay(thanksgiving) != true {
		t.Error("a seller's holidays close the banks of all")
	}
}
