package main

import (
	"context"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/projections"
)

type diffCmd struct {
	shown
	Seller   id                `required:"" help:"Whose receivables." placeholder:"ID"`
	From     string            `required:"" help:"Before: what was known at this log position (0: nothing), instant (2026-07-03T09:00:00+09:00) or day." placeholder:"T|POSITION"`
	To       string            `help:"After: the same, later; now when left out." placeholder:"T|POSITION"`
	AsOf     domain.Date       `help:"The business day that is compared; today, in the seller's time zone, when left out." placeholder:"DAY"`
	Customer id                `help:"One customer only." placeholder:"ID"`
	Basis    projections.Basis `help:"Count age from the due date or the issue date: due or issue." enum:"due,issue" default:"due"`
	Buckets  string            `help:"Last days of the buckets, as days of age; what is older has a bucket of its own." default:"30,60,90" placeholder:"30,60,90"`
}

// Help is shown by `urikake diff --help`.
func (diffCmd) Help() string {
	return `Both sides are the same business day, as it was known at two times. Each account that changed has a row as it was before, one
for each event in between with what it did to each amount, and one after: before + events = after, column by column.

  urikake diff --seller YAMATO --from 7400
  urikake diff --seller YAMATO --from 2026-06-30 --to 2026-07-03T12:00:00+09:00 --as-of 2026-06-30
  urikake diff --seller YAMATO --from 7400 --to 7500 --customer K101 --format csv`
}

func (c *diffCmd) Run(ctx context.Context, s *session) error {
	a := asked{Seller: c.Seller}
	return s.show(ctx, c.Format, a.path("diff"), query("from", c.From, "to", c.To, "as_of", day(c.AsOf), "customer", string(c.Customer),
		"basis", string(c.Basis), "buckets", c.Buckets))
}
