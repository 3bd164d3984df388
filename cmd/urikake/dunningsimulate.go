package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	reminding "github.com/urikake/urikake/adapters/dunning"
	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

type dunningSimulateCmd struct {
	ofSeller
	Policy  string           `required:"" help:"File with the policy as JSON; - reads standard input." placeholder:"FILE"`
	From    domain.Date      `required:"" help:"First day." placeholder:"DAY"`
	To      domain.Date      `required:"" help:"Last day; not in the future." placeholder:"DAY"`
	Acting  dunning.Capacity `help:"In whose name: AGENCY or CREDITOR, who may do every level." enum:"AGENCY,CREDITOR" default:"CREDITOR" placeholder:"WHO"`
	Within  int              `help:"Days within which a payment counts as one that would have come anyway." default:"7" placeholder:"DAYS"`
	AsKnown bool             `help:"Decide each day by what the books knew on that day, not by what they know now."`
	Reach   bool             `name:"assume-reachable" negatable:"" default:"true" help:"Take every debtor as one whom every channel reaches, on unless you say --no-assume-reachable: an address can be found."`
	Format  export.Format    `help:"table, csv or json." enum:"table,csv,json" default:"table"`
}

// Help is shown by `urikake dunning simulate --help`.
func (dunningSimulateCmd) Help() string {
	return `Lets the policy decide every day from the first to the last, as a run would, and compares that with what the policies that the
seller has today would have done over the same days, and with what went out. Nothing is recorded. How a debtor would have
answered a reminder that was never sent, nobody knows: they pay when they paid. So it tells how many of those who would
have been reminded paid soon after anyway (paid_debtors, paid_cases), and how many days it was until all that a reminder
listed was paid.

Of each level and of all together there are four rows: policy, the one that is tried; today; change, the one less the other
(less actual where the seller has no policy yet); and actual. A debtor counts once in a row, and so does a case.

Addresses are taken for granted: books that were brought in from elsewhere often have none, and a policy would remind
nobody. The note tells for how many reminders one is missing; --no-assume-reachable leaves those out.

  urikake dunning policy suggest --seller YAMATO > policy.json
  urikake dunning simulate --seller YAMATO --policy policy.json --from 2025-10-01 --to 2026-09-30
  urikake dunning policy show default --seller YAMATO --format json |
    urikake dunning simulate --seller YAMATO --policy - --from 2025-10-01 --to 2026-09-30 --as-known`
}

func (c *dunningSimulateCmd) Run(ctx context.Context, s *session) error {
	policy, err := readPolicy(s, c.Policy)
	if err != nil {
		return err
	}
	for _, name := range []string{"seller", "policy", "version", "on", "reason"} { // of a version of a policy, not of the policy
		delete(policy, name)
	}
	done, err := worked[httpapi.Simulated](ctx, s, "simulate", c.path("simulations"), map[string]any{
		"policy": policy, "from": c.From, "to": c.To, "acting": c.Acting, "within": c.Within, "as_known": c.AsKnown, "assume_reachable": c.Reach,
	})
	switch {
	case err != nil:
		return err
	case c.Format == export.JSON:
		b, err := json.Marshal(done)
		if err != nil {
			return err
		}
		return indented(s.out, b)
	}
	return showSimulated(s.out, done, c.Format)
}

// showSimulated shows the sides of each level in rows, and under a table what they come to.
func showSimulated(w io.Writer, r httpapi.Simulated, f export.Format) error {
	sheet := export.Sheet{Columns: []export.Column{
		{Name: "level"},
		{Name: "by"},
		{Name: "reminders", Kind: export.Count},
		{Name: "debtors", Kind: export.Count},
		{Name: "cases", Kind: export.Count},
		{Name: "paid_debtors", Kind: export.Count},
		{Name: "paid_cases", Kind: export.Count},
		{Name: "settled", Kind: export.Count},
		{Name: "median_days", Kind: export.Count},
		{Name: "mean_days", Kind: export.Count},
		{Name: "asked"},
	}}
	var silent []string // levels at which nobody is reminded on any side
	for _, l := range append([]reminding.ComparedLevel{r.All}, r.Levels...) {
		level := cmp.Or(string(l.Level), "all")
		if f == export.Table && l.Level != "" && l.Policy.Reminders+l.Actual.Reminders == 0 && (l.Today == nil || l.Today.Reminders == 0) {
			silent = append(silent, level)
			continue
		}
		addCounts(&sheet, level, "policy", l.Policy)
		if l.Today != nil {
			addCounts(&sheet, level, "today", *l.Today)
		}
		addNumbers(&sheet, level, "change", l.Change.Reminders, l.Change.Debtors, l.Change.Cases, l.Change.PaidDebtors, l.Change.PaidCases)
		addCounts(&sheet, level, "actual", l.Actual)
	}
	all := r.All.Policy
	sheet.Notes = []string{"", fmt.Sprintf("%s to %s, %s: %s of %d would have been reminded, %s in all; in fact %d went out.",
		r.From, r.To, count(r.Days, "day"), count(all.Debtors, "debtor"), r.Debtors, count(all.Reminders, "reminder"), r.All.Actual.Reminders)}
	sheet.Notes = append(sheet.Notes, fmt.Sprintf("As it was, %s paid all that a reminder listed within %s of it; %s were settled by the last day, half of them within %s.",
		count(all.PaidDebtors, "debtor"), count(r.Within, "day"), count(all.Settled, "reminder"), count(all.MedianDays, "day")))
	if len(silent) > 0 {
		sheet.Notes = append(sheet.Notes, "Nobody at "+strings.Join(silent, ", ")+".")
	}
	if all.Unreachable > 0 {
		sheet.Notes = append(sheet.Notes, fmt.Sprintf("For %s there is no address yet.", count(all.Unreachable, "reminder")))
	}
	return sheet.Write(w, f)
}

func addCounts(s *export.Sheet, level, by string, c reminding.SimulatedCounts) {
	cells := []string{level, by}
	for _, n := range []int{c.Reminders, c.Debtors, c.Cases, c.PaidDebtors, c.PaidCases, c.Settled} {
		cells = append(cells, strconv.Itoa(n))
	}
	median, mean := strconv.Itoa(c.MedianDays), strconv.Itoa(c.MeanDays)
	if c.Settled == 0 {
		median, mean = "", ""
	}
	s.Add(append(cells, median, mean, export.Amounts(c.Asked))...)
}

func addNumbers(s *export.Sheet, level, by string, numbers ...int) {
	cells := []string{level, by}
	for _, n := range numbers {
		cells = append(cells, strconv.Itoa(n))
	}
	for len(cells) < len(s.Columns) {
		cells = append(cells, "")
	}
	s.Add(cells...)
}
