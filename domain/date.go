package domain

import (
	"fmt"
	"time"
)

// Date is a civil date: a day in the seller's calendar, without a clock or a zone. The zero Date means "none".
// It counts days, so that days overdue is a subtraction; 0001-01-01 is day 1.
type Date struct{ day int32 }

// ErrBadDate refuses a date that is not on the calendar.
var ErrBadDate = &Error{
	Code: Invalid, Rule: "date.malformed",
	Text: "a date is written YYYY-MM-DD and lies between 1900-01-01 and 2999-12-31",
}

const (
	yearMin, yearMax = 1900, 2999
	unixDay          = 719_163 // day number of 1970-01-01
)

// NewDate gives the date, or the zero Date when there is no such day between 1900 and 2999.
func NewDate(year int, month time.Month, day int) Date {
	if year < yearMin || year > yearMax || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return Date{}
	}
	// Years begin in March here, so that the leap day is a year's last.
	y, m := year, int(month)-3
	if m < 0 {
		y, m = y-1, m+12
	}
	return Date{int32(365*y + y/4 - y/100 + y/400 + (153*m+2)/5 + day - marchFirst)}
}

// marchFirst makes 0001-01-01 day 1.
const marchFirst = 306

func daysIn(year int, month time.Month) int {
	switch month {
	case time.February:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case time.April, time.June, time.September, time.November:
		return 30
	}
	return 31
}

// DateOf is the civil date that the clock t shows in its own zone.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	secs := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix()
	return Date{int32(secs/86400) + unixDay}
}

// ParseDate reads YYYY-MM-DD. Refuses date.malformed.
func ParseDate(s string) (Date, error) { return parseDate(s) }

func parseDate[T ~string | ~[]byte](s T) (Date, error) {
	if len(s) == 10 && s[4] == '-' && s[7] == '-' {
		y, ok1 := digits(s[:4])
		m, ok2 := digits(s[5:7])
		d, ok3 := digits(s[8:])
		if ok1 && ok2 && ok3 {
			if date := NewDate(y, time.Month(m), d); !date.IsZero() {
				return date, nil
			}
		}
	}
	return Date{}, ErrBadDate.With("%q", clip(string(s)))
}

func digits[T ~string | ~[]byte](s T) (n int, ok bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

// DayNumber counts days: 0001-01-01 is 1, no date is 0. Read models store it, since it sorts and subtracts.
func (d Date) DayNumber() int64 { return int64(d.day) }

// DateFromDayNumber is the inverse of DayNumber.
func DateFromDayNumber(n int64) Date { return Date{int32(n)} }

func (d Date) IsZero() bool         { return d.day == 0 }
func (d Date) Before(o Date) bool   { return d.day < o.day }
func (d Date) After(o Date) bool    { return d.day > o.day }
func (d Date) Compare(o Date) int   { return int(d.day) - int(o.day) }
func (d Date) AddDays(n int) Date   { return Date{d.day + int32(n)} }
func (d Date) DaysSince(o Date) int { return int(d.day) - int(o.day) }

// Time is the date's midnight in UTC.
func (d Date) Time() time.Time { return time.Unix(int64(d.day-unixDay)*86400, 0).UTC() }

func (d Date) Year() int             { return d.Time().Year() }
func (d Date) Month() time.Month     { return d.Time().Month() }
func (d Date) Day() int              { return d.Time().Day() }
func (d Date) Weekday() time.Weekday { return d.Time().Weekday() }

// LaterOf is the later of two dates.
func LaterOf(a, b Date) Date {
	if a.day > b.day {
		return a
	}
	return b
}

// String is YYYY-MM-DD, or "" for no date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return string(d.append(make([]byte, 0, 10)))
}

func (d Date) append(b []byte) []byte {
	y, m, day := d.Time().Date()
	return append(b, byte('0'+y/1000%10), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-',
		byte('0'+m/10), byte('0'+m%10), '-', byte('0'+day/10), byte('0'+day%10))
}

// MarshalJSON writes "YYYY-MM-DD", or "" for no date.
func (d Date) MarshalJSON() ([]byte, error) {
	b := append(make([]byte, 0, 12), '"')
	if !d.IsZero() {
		b = d.append(b)
	}
	return append(b, '"'), nil
}

// UnmarshalJSON reads what MarshalJSON writes. Refuses date.malformed.
func (d *Date) UnmarshalJSON(b []byte) error {
	if len(b) < 2 || b[0] != '"' || b[len(b)-1] != '"' {
		return ErrBadDate.With("%s", clip(string(b)))
	}
	if len(b) == 2 {
		*d = Date{}
		return nil
	}
	date, err := parseDate(b[1 : len(b)-1])
	if err != nil {
		return err
	}
	*d = date
	return nil
}

// UnmarshalText lets command-line flags be dates.
func (d *Date) UnmarshalText(b []byte) error {
	date, err := ParseDate(string(b))
	if err == nil {
		*d = date
	}
	return err
}

// Period is a span of days, both ends included; the zero Period means "none given".
type Period struct {
	From Date `json:"from" doc:"first day"`
	To   Date `json:"to" doc:"last day"`
}

// IsZero tells that no period was given.
func (p Period) IsZero() bool { return p == Period{} }

// Check refuses a period that ends before it begins or has one end only.
func (p Period) Check() error {
	if p.IsZero() {
		return nil
	}
	if p.From.IsZero() || p.To.IsZero() || p.To.Before(p.From) {
		return ErrBadDate.With("a period runs from a day to the same or a later one, not from %q to %q", p.From, p.To)
	}
	return nil
}

var _ fmt.Stringer = Date{}
