package dunning

import (
	"slices"
	"strconv"

	"github.com/urikake/urikake/domain"
)

// MonthDay is a day of every year, MM-DD.
type MonthDay string

// QuietSpan is days of every year on which nobody is reminded, both ends included; it may run over the new year.
type QuietSpan struct {
	From MonthDay `json:"from" doc:"first day, MM-DD"`
	To   MonthDay `json:"to" doc:"last day, MM-DD; before the first, it is in the next year"`
}

// Weekday is a day of the week.
type Weekday string

const (
	Monday    Weekday = "MON"
	Tuesday   Weekday = "TUE"
	Wednesday Weekday = "WED"
	Thursday  Weekday = "THU"
	Friday    Weekday = "FRI"
	Saturday  Weekday = "SAT"
	Sunday    Weekday = "SUN"
)

// Weekdays are all of them, by time.Weekday.
var Weekdays = []Weekday{Sunday, Monday, Tuesday, Wednesday, Thursday, Friday, Saturday}

// QuietSpansMax is how many spans a policy may have.
const QuietSpansMax = 20

var (
	ErrBadMonthDay = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.bad_month_day",
		Text: "a day of every year is written MM-DD",
	}
	ErrAlwaysQuiet = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.always_quiet",
		Text: "quiet days leave at least 60 days of a year to remind on, and a weekday on which banks work if business days are asked for",
	}
)

func (d MonthDay) check() error {
	if _, err := domain.ParseDate("2028-" + string(d)); err != nil { // a leap year
		return ErrBadMonthDay.With("%.20q", string(d))
	}
	return nil
}

func monthDay(d domain.Date) MonthDay { return MonthDay(d.String()[5:]) }

func (s QuietSpan) holds(d MonthDay) bool {
	if s.From <= s.To {
		return s.From <= d && d <= s.To
	}
	return d >= s.From || d <= s.To
}

// Quiet tells a day on which the policy reminds nobody.
func (p Policy) Quiet(d domain.Date) bool {
	return slices.Contains(p.QuietWeekdays, Weekdays[d.Weekday()]) ||
		slices.ContainsFunc(p.QuietSpans, func(s QuietSpan) bool { return s.holds(monthDay(d)) }) ||
		p.BusinessDaysOnly && !p.BankDays.Days().BusinessDay(d)
}

// NextAllowed is the day itself when the policy reminds on it, else the first one after it on which it does.
func (p Policy) NextAllowed(d domain.Date) domain.Date {
	for range 3 * 366 {
		if !p.Quiet(d) {
			break
		}
		d = d.AddDays(1)
	}
	return d
}

func (p Policy) checkQuiet(f *domain.Faults) {
	if len(p.QuietSpans) > QuietSpansMax || len(p.QuietWeekdays) > len(Weekdays) {
		f.Add("/quiet_spans", domain.ErrTooLong.With("at most %d spans and 7 weekdays", QuietSpansMax))
		return
	}
	good := true
	for i, s := range p.QuietSpans {
		at := "/quiet_spans/" + strconv.Itoa(i)
		f.Add(at+"/from", s.From.check())
		f.Add(at+"/to", s.To.check())
		good = good && s.From.check() == nil && s.To.check() == nil
	}
	for i, w := range p.QuietWeekdays {
		oneOf(f, "/quiet_weekdays/"+strconv.Itoa(i), w, Weekdays...)
	}
	if good {
		f.Require(p.speaks(), "/quiet_spans", ErrAlwaysQuiet)
	}
}

// speaks tells that enough days are left to remind on, whatever weekdays a year's dates fall on.
func (p Policy) speaks() bool {
	days := 0
	for d := domain.NewDate(2028, 1, 1); d.Year() == 2028; d = d.AddDays(1) {
		if !slices.ContainsFunc(p.QuietSpans, func(s QuietSpan) bool { return s.holds(monthDay(d)) }) {
			days++
		}
	}
	return days >= 60 && slices.ContainsFunc(Weekdays, func(w Weekday) bool {
		weekend := w == Saturday || w == Sunday
		return !slices.Contains(p.QuietWeekdays, w) && !(weekend && p.BusinessDaysOnly)
	})
}
