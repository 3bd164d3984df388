package domain

import (
	"slices"
	"strconv"
)

// BankCalendar names a calendar of bank days.
type BankCalendar string

const (
	BanksJP       BankCalendar = "JP"       // see JapanBankDays
	BanksWeekdays BankCalendar = "WEEKDAYS" // Monday to Friday
)

// BankDays says on which days banks settle for a seller. The zero value is Japan's calendar.
type BankDays struct {
	Calendar BankCalendar `json:"calendar,omitempty" doc:"JP (when left out): Japanese bank days; or WEEKDAYS: Monday to Friday"`
	Holidays []Date       `json:"holidays,omitempty" doc:"days besides on which banks are closed, up to 1000"`
}

// HolidaysMax is how many days a calendar may be given.
const HolidaysMax = 1000

// Normal is b with one way to say the same: days in order, none for no day, and no name for JP.
func (b BankDays) Normal() BankDays {
	if b.Calendar == BanksJP {
		b.Calendar = ""
	}
	b.Holidays = slices.Compact(slices.SortedFunc(slices.Values(b.Holidays), Date.Compare))
	if len(b.Holidays) == 0 {
		b.Holidays = nil
	}
	return b
}

// Check refuses an unknown calendar, a day that is none, and more than HolidaysMax days.
func (b BankDays) Check() error {
	var f Faults
	switch b.Calendar {
	case "", BanksJP, BanksWeekdays:
	default:
		f.Add("/calendar", ErrUnknown.With("calendar %q, want JP or WEEKDAYS", clip(string(b.Calendar))))
	}
	if len(b.Holidays) > HolidaysMax {
		f.Add("/holidays", ErrTooLong.With("%d days, at most %d", len(b.Holidays), HolidaysMax))
		return f.Err()
	}
	for i, day := range b.Holidays {
		f.Require(!day.IsZero(), "/holidays/"+strconv.Itoa(i), ErrMissing)
	}
	return f.Err()
}

// Days is the calendar of normal bank days. O(1).
func (b BankDays) Days() Calendar {
	var c Calendar
	if b.Calendar != BanksWeekdays {
		c = JapanBankDays()
	}
	c.own = b.Holidays
	return c
}
