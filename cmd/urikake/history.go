package main

import (
	"context"
	"strings"

	"github.com/urikake/urikake/domain"
)

type historyCmd struct {
	asked
	Customer id          `required:"" help:"Whose account." placeholder:"ID"`
	AsOf     domain.Date `help:"Leave out events of later business days." placeholder:"DAY"`
	Currency currency    `help:"One currency only; all of them, one after the other, when left out." placeholder:"CUR"`
	Kind     []string    `help:"Events of these kinds only; one that ends in a dot, account. or dunning., stands for all that begin so." placeholder:"KIND"`
}

// Help is shown by `urikake history --help`.
func (historyCmd) Help() string {
	return `Every event stands where it was recorded: what was typed in late or corrected is seen as it happened. Between those of the
account stands what was done about the debtor: reminders, holds, promises, plans, contacts; they move no balance.

  urikake history --seller YAMATO --customer K101
  urikake history --seller YAMATO --customer K101 --known-at 2026-04-02 --format csv
  urikake history --seller YAMATO --customer K101 --kind dunning.
  urikake history --seller YAMATO --customer K101 --kind account.payment_recorded,dunning.promise_recorded`
}

func (c *historyCmd) Run(ctx context.Context, s *session) error {
	return s.show(ctx, c.Format, c.path("customers", string(c.Customer), "history"),
		c.query("as_of", day(c.AsOf), "currency", string(c.Currency), "kind", strings.Join(c.Kind, ",")))
}
