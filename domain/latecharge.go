package domain

import (
	"math/big"
	"time"
)

// DayCount says how late days become a part of a year.
type DayCount string

const (
	// Act365 counts 365 days a year, in leap years too; a contract has to say so (年365日日割).
	Act365 DayCount = "ACT_365"
	// CalendarYear is the law without such a clause: whole years first (Civil Code 143), then the days left over
	// 365 or 366 by the calendar year they fall in, rounded down once.
	CalendarYear DayCount = "CALENDAR_YEAR"
	// CalendarYearFloored is CalendarYear with each part rounded down by itself, as court filings write it.
	CalendarYearFloored DayCount = "CALENDAR_YEAR_FLOORED"
)

// Check refuses an unknown day count.
func (dc DayCount) Check() error {
	switch dc {
	case Act365, CalendarYear, CalendarYearFloored:
		return nil
	}
	return ErrUnknown.With("day count %q, want ACT_365, CALENDAR_YEAR or CALENDAR_YEAR_FLOORED", clip(string(dc)))
}

// LateCharge is the late charge (遅延損害金) on base at a yearly rate. from is the due date: the day after it is the
// first that counts; to is the day of payment or assessment and counts too, so days = to - from, and a payment that
// is not late costs nothing. base is overdue principal with its consumption tax, never an earlier late charge. One
// call is one segment: split where principal or rate change. Exact, then rounded down to the currency's smallest unit.
// Refuses money.not_positive, money.unknown_currency, money.out_of_range (also of the result), rate.malformed,
// date.malformed, input.unknown_value.
func LateCharge(base Money, rate Rate, from, to Date, dc DayCount) (Money, error) {
	if err := base.CheckPositive(); err != nil {
		return Money{}, err
	}
	if rate < 0 || rate > 10*RateWhole {
		return Money{}, ErrBadRate.With("%d hundredths of a percent", int32(rate))
	}
	if from.IsZero() || to.IsZero() {
		return Money{}, ErrBadDate.With("a late charge runs from the due date %q to a day, not %q", from, to)
	}
	if err := dc.Check(); err != nil {
		return Money{}, err
	}
	yearly := new(big.Rat).SetFrac(
		new(big.Int).Mul(big.NewInt(base.minor), big.NewInt(int64(rate))), big.NewInt(RateWhole))
	charge := new(big.Rat)
	for _, part := range dc.parts(from, to) {
		p := part.Mul(part, yearly)
		if dc == CalendarYearFloored {
			p.SetInt(floor(p))
		}
		charge.Add(charge, p)
	}
	minor := floor(charge)
	if !minor.IsInt64() || minor.Int64() > MinorMax {
		return Money{}, ErrOutOfRange.With("a late charge on %s at %s %%", base, rate)
	}
	return Money{minor.Int64(), base.currency}, nil
}

// floor rounds a number that is not negative down.
func floor(r *big.Rat) *big.Int { return new(big.Int).Quo(r.Num(), r.Denom()) }

// parts are the fractions of a year from the day after from up to and with to.
func (dc DayCount) parts(from, to Date) []*big.Rat {
	if !to.After(from) {
		return nil
	}
	if dc == Act365 {
		return []*big.Rat{big.NewRat(int64(to.DaysSince(from)), 365)}
	}
	first, end := from.AddDays(1), to.AddDays(1) // end is the first day that no longer counts
	years := end.Year() - first.Year()
	if anniversary(first, years).After(end) {
		years--
	}
	parts := []*big.Rat{big.NewRat(int64(years), 1)}
	for day := anniversary(first, years); day.Before(end); {
		stop := newYear(day.Year() + 1)
		if end.Before(stop) {
			stop = end
		}
		inYear := newYear(day.Year() + 1).DaysSince(newYear(day.Year()))
		parts = append(parts, big.NewRat(int64(stop.DaysSince(day)), int64(inYear)))
		day = stop
	}
	return parts
}

func newYear(year int) Date { return DateOf(time.Date(year, time.January, 1, 0, 0, 0, 0, time.UTC)) }

// anniversary is the day on which whole years after first have passed; from 29 February to a common year, 1 March.
func anniversary(first Date, years int) Date { return DateOf(first.Time().AddDate(years, 0, 0)) }

// RateCap is the law that bounds an agreed rate of late charges.
type RateCap string

const (
	CapNone       RateCap = ""           // between businesses: no cap on sale claims
	CapConsumer   RateCap = "CONSUMER"   // 14.6 % (Consumer Contract Act 9(1)(ii))
	CapInstalment RateCap = "INSTALMENT" // the statutory rate (Instalment Sales Act 6)
	CapDirectSale RateCap = "DIRECT"     // the statutory rate: door-to-door and telephone sales (Specified Commercial Transactions Act 10(2), 25)
)

const consumerCap Rate = 14_60

// LateRate is what decides the yearly rate of late charges on one claim.
type LateRate struct {
	Agreed     bool    `json:"agreed" doc:"whether the contract names a rate; if not, the statutory one holds"`
	Rate       Rate    `json:"rate" doc:"the contract's yearly rate in percent"`
	Cap        RateCap `json:"cap" doc:"law that caps the contract's rate: empty, CONSUMER, INSTALMENT or DIRECT"`
	Commercial bool    `json:"commercial" doc:"the claim arose from commerce: 6 % instead of 5 % if the delay began before 2020-04-01"`
}

// Effective is the smaller of the agreed rate and its legal cap, or the statutory rate where none was agreed. It
// depends on the day on which the delay began and stays with the claim (Civil Code 404, 419).
// Refuses input.unknown_value, rate.malformed and what StatutoryRate refuses.
func (l LateRate) Effective(delayBegan Date) (Rate, error) {
	if l.Rate < 0 || l.Rate > 10*RateWhole {
		return 0, ErrBadRate.With("%d hundredths of a percent", int32(l.Rate))
	}
	if err := l.Cap.Check(); err != nil {
		return 0, err
	}
	switch {
	case l.Agreed && l.Cap == CapNone:
		return l.Rate, nil
	case l.Agreed && l.Cap == CapConsumer:
		return min(l.Rate, consumerCap), nil
	}
	statutory, err := StatutoryRate(delayBegan, l.Commercial)
	if err == nil && l.Agreed {
		return min(l.Rate, statutory), nil
	}
	return statutory, err
}

// ErrRateUnpublished refuses to guess a statutory rate: it is reviewed every three years.
var ErrRateUnpublished = &Error{
	Code: Refused, Rule: "rate.not_published",
	Text: "the statutory rate is known for delays that begin up to 2029-03-31; state a rate",
}

// statutory rates by the first day of a delay they hold for, newest first (Civil Code 404; before 2020-04-01 also
// Commercial Code 514).
var statutoryRates = []struct {
	from             Date
	rate, commercial Rate
}{
	{NewDate(2020, 4, 1), 3_00, 3_00},
	{NewDate(1900, 1, 1), 5_00, 6_00},
}

var statutoryUntil = NewDate(2029, 3, 31)

// StatutoryRate is the legal yearly rate of late charges for a delay that began on a day.
// Refuses rate.not_published after 2029-03-31 and date.malformed without a day.
func StatutoryRate(delayBegan Date, commercial bool) (Rate, error) {
	if delayBegan.IsZero() {
		return 0, ErrBadDate.With("the day on which the delay began is missing")
	}
	if delayBegan.After(statutoryUntil) {
		return 0, ErrRateUnpublished.With("the delay began on %s", delayBegan)
	}
	for _, r := range statutoryRates {
		if !delayBegan.Before(r.from) {
			if commercial {
				return r.commercial, nil
			}
			return r.rate, nil
		}
	}
	return 0, ErrBadDate.With("%s", delayBegan)
}
