package domain

import (
	"slices"
	"sync"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/jp"
)

// Calendar knows the days on which banks settle. The zero Calendar knows weekends only and is never provisional.
type Calendar struct {
	closed map[Date]bool // besides Saturdays and Sundays
	known  Period        // the days whose holidays are published; zero: all
	own    []Date        // closed days of somebody's own, in order
}

// JapanBankDays is the calendar of Japanese banks: closed on Saturdays, Sundays, national holidays with their
// substitutes (振替休日) and the days between two of them (国民の休日), and 12-31, 01-02, 01-03 (Banking Act,
// enforcement order, article 5). Built once, in about a millisecond.
//
// Holidays are published until 2027-12-31 and were compared with the official list from 2015-01-01 on; other days
// are computed by today's rules, to 2099, and Provisional says so.
var JapanBankDays = sync.OnceValue(func() Calendar {
	cal.DefaultLoc = time.UTC // the library computes midnights in the machine's zone, where a midnight may be missing
	closed := make(map[Date]bool)
	for year := 2000; year <= 2099; year++ {
		closeJapanYear(closed, year)
	}
	return Calendar{closed: closed, known: Period{NewDate(2015, 1, 1), NewDate(2027, 12, 31)}}
})

func closeJapanYear(closed map[Date]bool, year int) {
	national := make(map[Date]bool)
	for _, h := range jp.Holidays {
		day, observed := h.Calc(year)
		if day.IsZero() {
			continue
		}
		national[DateOf(day)] = true
		closed[DateOf(day)], closed[DateOf(observed)] = true, true
	}
	for day := range national {
		if national[day.AddDays(2)] {
			closed[day.AddDays(1)] = true
		}
	}
	for _, day := range []Date{NewDate(year, 1, 2), NewDate(year, 1, 3), NewDate(year, 12, 31)} {
		closed[day] = true
	}
}

// BusinessDay tells whether banks settle on a day.
func (c Calendar) BusinessDay(d Date) bool {
	weekday := d.Weekday()
	return weekday != time.Saturday && weekday != time.Sunday && !c.closed[d] && !c.closedFor(d)
}

func (c Calendar) closedFor(d Date) bool {
	_, found := slices.BinarySearchFunc(c.own, d, Date.Compare)
	return found
}

// Provisional tells that a day's holidays are not published: the answers for it may still change.
func (c Calendar) Provisional(d Date) bool {
	return !c.known.IsZero() && (d.Before(c.known.From) || d.After(c.known.To))
}

// Next is the day itself when it is a business day, else the first one after it.
func (c Calendar) Next(d Date) Date { return c.walk(d, 1) }

// Previous is the day itself when it is a business day, else the last one before it.
func (c Calendar) Previous(d Date) Date { return c.walk(d, -1) }

func (c Calendar) walk(d Date, step int) Date {
	for !c.BusinessDay(d) {
		d = d.AddDays(step)
	}
	return d
}
