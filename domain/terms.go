package domain

import (
	"slices"
	"strconv"
	"time"
)

// TermsKind says how payment terms count.
type TermsKind string

const (
	TermsNet     TermsKind = "NET"     // so many days after the invoice
	TermsClosing TermsKind = "CLOSING" // sales up to a closing day (締日) are due on a pay day of a later month
)

// HolidayRule says where a due date goes that is not a bank business day.
type HolidayRule string

const (
	HolidayNone         HolidayRule = "NONE"          // it stays
	HolidayPrevious     HolidayRule = "PREVIOUS"      // the business day before
	HolidayNext         HolidayRule = "NEXT"          // the business day after: the rule where a contract is silent (Civil Code 142)
	HolidayModifiedNext HolidayRule = "MODIFIED_NEXT" // the one after, unless that is in the next month: then the one before
)

// MonthEnd stands for the last day of a month (末) among closing and pay days; 30 is always the literal 30th.
const MonthEnd = 99

// Limits of payment terms.
const (
	NetDaysMax     = 3650 // ten years
	MonthOffsetMax = 24
)

// Terms are payment terms (支払サイト). The zero Terms mean "none agreed".
type Terms struct {
	Kind        TermsKind   `json:"kind" doc:"NET: net_days after the issue date; CLOSING: by closing day and pay day"`
	NetDays     int         `json:"net_days,omitzero" doc:"NET only: days from issue date to due date, 0 to 3650"`
	ClosingDays []int       `json:"closing_days,omitempty" doc:"CLOSING only: days of the month, 1 to 31, on which sales are closed; 99 is the month's end, 30 the literal 30th"`
	MonthOffset int         `json:"month_offset,omitzero" doc:"CLOSING only: months from the closing day's month to the pay day's month, 0 to 24"`
	PayDay      int         `json:"pay_day,omitzero" doc:"CLOSING only: day of the month on which payment is due, 1 to 31; 99 is the month's end"`
	HolidayRule HolidayRule `json:"holiday_rule,omitzero" doc:"what becomes of a due date that is no bank business day: NONE, PREVIOUS, NEXT or MODIFIED_NEXT; must be given with CLOSING, NONE where absent with NET"`
}

// ErrBadTerms refuses payment terms that give no due date or one before the closing day.
var ErrBadTerms = &Error{
	Code: Invalid, Rule: "terms.malformed",
	Text: "payment terms are NET with net_days, or CLOSING with closing_days, month_offset, pay_day and holiday_rule",
}

// IsZero tells that no terms were agreed.
func (t Terms) IsZero() bool { return t.Equal(Terms{}) }

// Equal tells that two terms read the same; closing days in another order are other terms.
func (t Terms) Equal(o Terms) bool {
	return t.Kind == o.Kind && t.NetDays == o.NetDays && slices.Equal(t.ClosingDays, o.ClosingDays) &&
		t.MonthOffset == o.MonthOffset && t.PayDay == o.PayDay && t.HolidayRule == o.HolidayRule
}

// Check refuses terms.malformed and input.unknown_value, each fault under its field.
func (t Terms) Check() error {
	var faults Faults
	switch t.Kind {
	case TermsNet:
		faults.Require(t.NetDays >= 0 && t.NetDays <= NetDaysMax, "/net_days", ErrBadTerms.With("0 to %d days", NetDaysMax))
		faults.Require(len(t.ClosingDays) == 0 && t.MonthOffset == 0 && t.PayDay == 0, "/kind",
			ErrBadTerms.With("NET has net_days only"))
		faults.Require(t.HolidayRule == "" || t.HolidayRule.known(), "/holiday_rule", ErrUnknown.With("%q", clip(string(t.HolidayRule))))
	case TermsClosing:
		t.checkClosing(&faults)
	default:
		faults.Require(false, "/kind", ErrUnknown.With("%q, want NET or CLOSING", clip(string(t.Kind))))
	}
	return faults.Err()
}

func (t Terms) checkClosing(faults *Faults) {
	faults.Require(t.NetDays == 0, "/net_days", ErrBadTerms.With("CLOSING has no net_days"))
	faults.Require(len(t.ClosingDays) > 0 && len(t.ClosingDays) <= 31, "/closing_days", ErrBadTerms.With("1 to 31 closing days"))
	faults.Require(isMonthDay(t.PayDay), "/pay_day", ErrBadTerms.With("1 to 31, or 99 for the month's end"))
	faults.Require(t.MonthOffset >= 0 && t.MonthOffset <= MonthOffsetMax, "/month_offset", ErrBadTerms.With("0 to %d months", MonthOffsetMax))
	faults.Require(t.HolidayRule.known(), "/holiday_rule", ErrUnknown.With("%q, want NONE, PREVIOUS, NEXT or MODIFIED_NEXT", clip(string(t.HolidayRule))))
	for i, day := range t.ClosingDays[:min(len(t.ClosingDays), 31)] {
		at := "/closing_days/" + strconv.Itoa(i)
		faults.Require(isMonthDay(day), at, ErrBadTerms.With("1 to 31, or 99 for the month's end"))
		faults.Require(t.MonthOffset != 0 || min(day, 31) <= min(t.PayDay, 31), at,
			ErrBadTerms.With("payment on day %d of the same month comes before the closing day %d", t.PayDay, day))
	}
}

func (r HolidayRule) known() bool {
	switch r {
	case HolidayNone, HolidayPrevious, HolidayNext, HolidayModifiedNext:
		return true
	}
	return false
}

func isMonthDay(day int) bool { return day >= 1 && day <= 31 || day == MonthEnd }

// Closing is the day on which a sale of that day is closed: the first closing day on or after it. Terms that are
// not CLOSING close every sale on its own day.
func (t Terms) Closing(issued Date) Date {
	if t.Kind != TermsClosing {
		return issued
	}
	var closing Date
	for _, months := range [2]int{0, 1} {
		for _, day := range t.ClosingDays {
			c := monthDay(issued, months, day)
			if !c.Before(issued) && (closing.IsZero() || c.Before(closing)) {
				closing = c
			}
		}
	}
	return closing
}

// Due is the due date (支払期日) of an invoice issued on a day. It is never before the closing day: a PREVIOUS that
// would be becomes NEXT. A later issue date never gives an earlier due date. Where cal.Provisional(due) holds, the
// holidays are not published yet.
// Refuses what Check refuses, and date.malformed when there is no issue date or the due date is past 2999.
func (t Terms) Due(issued Date, cal Calendar) (Date, error) {
	if err := t.Check(); err != nil {
		return Date{}, err
	}
	if issued.IsZero() {
		return Date{}, ErrBadDate.With("no issue date")
	}
	closing, due := t.Closing(issued), issued.AddDays(t.NetDays)
	if t.Kind == TermsClosing {
		due = monthDay(closing, t.MonthOffset, t.PayDay)
	}
	due = t.HolidayRule.adjust(due, closing, cal)
	if due.Year() > yearMax {
		return Date{}, ErrBadDate.With("the due date of an invoice issued on %s is past %d", issued, yearMax)
	}
	return due, nil
}

func (r HolidayRule) adjust(due, closing Date, cal Calendar) Date {
	previous, next := cal.Previous(due), cal.Next(due)
	backward := r == HolidayPrevious || r == HolidayModifiedNext && next.Month() != due.Month()
	switch {
	case r == HolidayNone || r == "":
		return due
	case backward && !previous.Before(closing):
		return previous
	default:
		return next
	}
}

// monthDay is a day of the month that lies months after d's, clamped to that month's end.
func monthDay(d Date, months, day int) Date {
	first := time.Date(d.Year(), d.Month()+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return DateOf(first.AddDate(0, 0, min(day, last)-1))
}
