package domain

import (
	"cmp"
	"slices"
)

// LimitationKind is what was done about a claim that moves the end of its limitation (消滅時効).
type LimitationKind string

const (
	// Demand (催告) holds completion up for six months, once: a demand repeated while it does has no effect (Civil
	// Code 150).
	Demand LimitationKind = "DEMAND"
	// Acknowledgement (承認) begins a new period: part payment, a request for time, a balance confirmed (152).
	Acknowledgement LimitationKind = "ACKNOWLEDGEMENT"
	// Negotiation is a written agreement to negotiate: it holds completion up for a year or as long as agreed, six
	// months after a written refusal, five years in all (151).
	Negotiation LimitationKind = "NEGOTIATION"
	// Claim is a suit, a payment order, a settlement or conciliation in court, or taking part in insolvency (147).
	Claim LimitationKind = "CLAIM"
	// Enforcement is compulsory execution or that of a security (148).
	Enforcement LimitationKind = "ENFORCEMENT"
	// Attachment is provisional attachment or disposition (149).
	Attachment LimitationKind = "ATTACHMENT"
)

// LimitationAct is one such thing. Success is a final judgment or what has its effect (CLAIM), or an execution carried
// through (ENFORCEMENT).
type LimitationAct struct {
	Kind    LimitationKind
	On      Date
	EndedOn Date // CLAIM, ENFORCEMENT, ATTACHMENT: the day it ended, none while it is pending; NEGOTIATION: the written refusal
	Until   Date // NEGOTIATION: the last day agreed, none for a year
	Success bool
}

// LimitationStatus says how near the end is.
type LimitationStatus string

const (
	LimitationRuns      LimitationStatus = "RUNS"
	LimitationIn12      LimitationStatus = "IN_12_MONTHS"
	LimitationIn6       LimitationStatus = "IN_6_MONTHS"
	LimitationIn3       LimitationStatus = "IN_3_MONTHS"
	LimitationSuspended LimitationStatus = "SUSPENDED" // a proceeding is pending
	LimitationReached   LimitationStatus = "LIMITATION_REACHED"
)

// ErrOldLimitation refuses to compute by law that is no more: claims of before then had short periods by trade.
var ErrOldLimitation = &Error{
	Code: Refused, Rule: "limitation.old_law",
	Text: "claims due before 2020-04-01 fall under the old law, whose periods depend on the trade; ask a lawyer",
}

// limitationLaw is the first day of the Civil Code as it is now (Act 44 of 2017).
var limitationLaw = NewDate(2020, 4, 1)

const (
	limitationYears = 5  // Civil Code 166(1)(i): the creditor of a claim with a due date knows that it can be exercised
	judgmentYears   = 10 // 169
	graceMonths     = 6
)

// Limitation gives the last day of a claim's period and its status as known on a day: what was done later is left out.
// The period has no last day while a proceeding is pending. start is the due date; its day does not count (Civil Code
// 140), so that a claim due on 2026-09-30 can be invoked against from 2031-10-01. LIMITATION_REACHED is a warning and
// never the claim's end: the debtor has to invoke it (援用, 145). What is done after the end is not looked at, and a
// last day on a holiday is not moved: both would be to the creditor's advantage, and are for a lawyer to say.
// O(n log n). Refuses limitation.old_law, date.malformed, input.unknown_value.
func Limitation(start Date, acts []LimitationAct, on Date) (until Date, status LimitationStatus, err error) {
	if err := checkLimitation(start, acts, on); err != nil {
		return Date{}, "", err
	}
	acts = slices.Clone(acts)
	slices.SortStableFunc(acts, func(a, b LimitationAct) int { return a.On.Compare(b.On) })
	l := limitation{on: on, base: after(start, 12*limitationYears)}
	for _, a := range acts {
		if !a.On.After(on) && (l.pending || !a.On.After(l.end())) {
			l.take(a)
		}
	}
	if l.pending {
		return Date{}, LimitationSuspended, nil
	}
	return l.end(), nearness(l.end(), on), nil
}

// limitation is one claim's period, act by act.
type limitation struct {
	on      Date
	base    Date // the period's own end
	grace   Date // completion is held up until then
	demand  Date // as far as a demand does
	talks   Date // as far as negotiations do
	pending bool
}

func (l *limitation) end() Date { return LaterOf(l.base, l.grace) }

func (l *limitation) take(a LimitationAct) {
	switch a.Kind {
	case Demand:
		if a.On.After(l.demand) && a.On.After(l.talks) {
			l.demand = after(a.On, graceMonths)
			l.grace = LaterOf(l.grace, l.demand)
		}
	case Acknowledgement:
		l.base = LaterOf(l.base, after(a.On, 12*limitationYears))
	case Negotiation:
		if a.On.After(l.demand) {
			l.talks = LaterOf(l.talks, l.negotiated(a))
			l.grace = LaterOf(l.grace, l.talks)
		}
	default:
		l.proceed(a)
	}
}

// negotiated is how long an agreement to negotiate holds completion up.
func (l *limitation) negotiated(a LimitationAct) Date {
	until := after(a.On, 12)
	if !a.Until.IsZero() && a.Until.Before(until) {
		until = a.Until
	}
	if refused := after(a.EndedOn, graceMonths); !a.EndedOn.IsZero() && !a.EndedOn.After(l.on) && refused.Before(until) {
		until = refused
	}
	if most := after(l.base, 12*5); most.Before(until) {
		return most
	}
	return until
}

// proceed takes what holds completion up as long as it is pending.
func (l *limitation) proceed(a LimitationAct) {
	switch {
	case a.EndedOn.IsZero() || a.EndedOn.After(l.on):
		l.pending = true
	case a.Success && a.Kind == Claim:
		l.base = LaterOf(l.base, after(a.EndedOn, 12*judgmentYears))
	case a.Success && a.Kind == Enforcement:
		l.base = LaterOf(l.base, after(a.EndedOn, 12*limitationYears))
	default:
		l.grace = LaterOf(l.grace, after(a.EndedOn, graceMonths))
	}
}

// after is the last day of so many months that begin on the day after d (Civil Code 140, 143): the day before the one
// that corresponds to the first, or the month's end where there is none.
func after(d Date, months int) Date {
	if d.IsZero() {
		return Date{}
	}
	first := d.AddDays(1)
	same := monthDay(first, months, first.Day())
	if same.Day() != first.Day() {
		return same
	}
	return same.AddDays(-1)
}

func nearness(until, on Date) LimitationStatus {
	if on.After(until) {
		return LimitationReached
	}
	for _, w := range []struct {
		months int
		status LimitationStatus
	}{{3, LimitationIn3}, {6, LimitationIn6}, {12, LimitationIn12}} {
		if !on.Before(monthDay(until, -w.months, until.Day())) {
			return w.status
		}
	}
	return LimitationRuns
}

func checkLimitation(start Date, acts []LimitationAct, on Date) error {
	var faults Faults
	faults.Require(!start.IsZero(), "/start", ErrBadDate.With("the due date is missing"))
	faults.Require(!on.IsZero(), "/on", ErrBadDate.With("the day is missing"))
	if !start.IsZero() && start.Before(limitationLaw) {
		faults.Add("/start", ErrOldLimitation.With("due on %s", start))
	}
	for _, a := range acts {
		known := []LimitationKind{Demand, Acknowledgement, Negotiation, Claim, Enforcement, Attachment}
		faults.Require(slices.Contains(known, a.Kind), "/acts", ErrUnknown.With("act %q", clip(string(a.Kind))))
		earliest := cmp.Or(a.EndedOn, a.On)
		faults.Require(!a.On.IsZero() && !earliest.Before(a.On) && !cmp.Or(a.Until, a.On).Before(a.On), "/acts",
			ErrBadDate.With("%s from %q to %q, %q", a.Kind, a.On, a.EndedOn, a.Until))
	}
	return faults.Err()
}
