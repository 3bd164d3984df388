package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

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
	Format  export.Format    `help:"table, csv or json." enum:"table,csv,json" default:"table"`
}

// Help is shown by `urikake dunning simulate --help`.
func (dunningSimulateCmd) Help() string {
	return `Lets the policy decide every day from the first to the last, as a run would, and compares that with what was done. Nothing
is recorded. How a debtor would have answered a reminder that was never sent, nobody knows: they pay when they paid. So it
tells how many of those who would have been reminded paid soon after anyway.

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
		"policy": policy, "from": c.From, "to": c.To, "acting": c.Acting, "within": c.Within, "as_known": c.AsKnown,
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

// showSimulated shows a row for each level, and under a table what they come to.
func showSimulated(w io.Writer, r httpapi.Simulated, f export.Format) error {
	sheet := export.Sheet{Columns: []export.Column{
		{Name: "level"},
		{Name: "reminders", Kind: export.Count},
		{Name: "debtors", Kind: export.Count},
		{Name: "asked"},
		{Name: "actual", Kind: export.Count},
	}}
	for _, l := range r.Levels {
		sheet.Add(string(l.Level), strconv.Itoa(l.Reminders), strconv.Itoa(l.Debtors), export.Amounts(l.Asked), strconv.Itoa(l.Actual))
	}
	sheet.Notes = []string{
		"",
		fmt.Sprintf("%s to %s, %s: %s of %d would have been reminded, %s in all; in fact %d went out.",
			r.From, r.To, count(r.Days, "day"), count(r.Reminded, "debtor"), r.Debtors, count(r.Reminders, "reminder"), r.Actual),
	}
	if r.Settled > 0 {
		sheet.Notes = append(sheet.Notes, fmt.Sprintf("As it was, %s would have been paid within %s, %d by the last day, half of those within %s.",
			count(r.Anyway, "reminder"), count(r.Within, "day"), r.Settled, count(r.DaysToPay, "day")))
	}
	return sheet.Write(w, f)
}
