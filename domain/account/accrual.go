package account

import (
	"cmp"
	"slices"

	"github.com/urikake/urikake/domain"
)

// Accrual is an overdue invoice with the late charge that has accrued on it.
type Accrual struct {
	Invoice    domain.InvoiceID
	Number     string          // its document number, for those who look it up: an account's state has no room for it
	DueOn      domain.Date     // as it holds on the day
	Open       domain.Money    // above zero
	Days       int             // since the due date
	Rule       domain.LateRule // rate and day count, and where they come from
	AssessedTo domain.Date     // the last day that is assessed already; zero: none is
	Segments   []ChargeSegment
	Accrued    domain.Money // to the day, the sum of the segments
}

// Accruals lists the invoices that are overdue at the end of a day, by due date and id, each with the late charge for the
// days that are not assessed yet, as AssessLateCharge would compute it: segment by segment, each rounded down once. Late
// charges bear none and are left out. O(items + changes). Refuses what rules refuses, such as rate.not_published,
// money.out_of_range, and what domain.LateCharge refuses.
func (s *State) Accruals(k Key, day domain.Date, rules LateRules, earlier []*State) (list []Accrual, err error) {
	for id, it := range newest(s.reaching(day, earlier), items) {
		open, due := it.moves.at(day), it.due(day)
		if it.charge || open == 0 || !due.Before(day) {
			continue
		}
		a := Accrual{Invoice: id, DueOn: due, Open: k.money(open), Days: day.DaysSince(due), AssessedTo: it.rare().chargedUntil}
		var sum int64
		if a.Rule, a.Segments, sum, err = k.accrue(it, due, day, rules); err != nil {
			return nil, err
		}
		a.Accrued = k.money(sum)
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b Accrual) int { return cmp.Or(a.DueOn.Compare(b.DueOn), cmp.Compare(a.Invoice, b.Invoice)) })
	return list, nil
}

// LateRules gives the rule for a claim by the day on which its delay began: see domain.LateContract.For.
type LateRules func(delayBegan domain.Date) (domain.LateRule, error)

// accrue computes the late charge on an item for the days up to and with day that are not assessed, by the rule that
// holds since the delay began. There are none on late charges.
func (k Key) accrue(it *item, due, day domain.Date, rules LateRules) (rule domain.LateRule, list []ChargeSegment, sum int64, err error) {
	from := domain.LaterOf(due, it.rare().chargedUntil)
	if rule, err = rules(due.AddDays(1)); err != nil || it.charge || !from.Before(day) {
		return rule, nil, 0, err
	}
	list, sum, err = AssessLateCharge{Key: k, Rate: domain.ChargeRate(rule.Rate), From: from, To: day, DayCount: rule.DayCount}.segments(it)
	return rule, list, sum, err
}
