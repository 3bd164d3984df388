package main

import (
	"context"
	"strings"

	"github.com/urikake/urikake/domain"
)

type historyCmd struct {
	asked
	Customer id          `required:"" help:"Whose account." placeholder:"ID"`
	From     domain.Date `help:"Leave out events of earlier business days; the balances have their amounts all the same." placeholder:"DAY"`
	AsOf     domain.Date `help:"Leave out events of later business days." placeholder:"DAY"`
	Currency currency    `help:"One currency only; all of them, one after the other, when left out." placeholder:"CUR"`
	Invoice  id          `help:"Only what touched this invoice or late charge: what settled, credited or disputed it, and reminders, promises and plans that name it, with how those went on." placeholder:"ID"`
	Kind     []string    `help:"Events of these kinds only; one that ends in a dot, account. or dunning., stands for all that begin so." placeholder:"KIND"`
}

// Help is shown by `urikake history --help`.
func (historyCmd) Help() string {
	return `Every event stands where it was recorded: what was typed in late or corrected is seen as it happened. Between those of the
account stands what was done about the debtor: reminders, holds, promises, plans, contacts; they move no balance.

CSV and JSON also have the links of each event: its stream and id, the command that led to it, which other events of that command
share, what caused the command, and the request that it was a part of (correlation_id).

  urikake history --seller YAMATO --customer K101
  urikake history --seller YAMATO --customer K101 --invoice I-0831 --from 2026-09-01
  urikake history --seller YAMATO --customer K101 --known-at 2026-04-02 --format csv
  urikake history --seller YAMATO --customer K101 --kind dunning.
  urikake history --seller YAMATO --customer K101 --kind account.payment_recorded,dunning.promise_recorded`
}

func (c *historyCmd) Run(ctx context.Context, s *session) error {
	return s.show(ctx, c.Format, c.path("customers", string(c.Customer), "history"),
		c.query("as_of", day(c.AsOf), "currency", string(c.Currency), "from", day(c.From), "invoice", string(c.Invoice), "kind", strings.Join(c.Kind, ",")))
}
