package main

import (
	"context"
	"fmt"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/projections"
)

type historyCmd struct {
	asked
	Customer domain.CustomerID `required:"" help:"Whose account." placeholder:"ID"`
	AsOf     domain.Date       `help:"Leave out events of later business days." placeholder:"DAY"`
	Currency domain.Currency   `help:"One currency only; all of them, one after the other, when left out." placeholder:"CUR"`
}

// Help is shown by `urikake history --help`.
func (historyCmd) Help() string {
	return `Every event stands where it was recorded: what was typed in late or corrected is seen as it happened.

  urikake history --seller YAMATO --customer K101
  urikake history --seller YAMATO --customer K101 --known-at 2026-04-02 --format csv`
}

func (c *historyCmd) Run(ctx context.Context, s *session) error {
	if err := checkCurrency(c.Currency); err != nil {
		return err
	}
	return s.with(ctx, false, func(ctx context.Context, o *office) error {
		_, known, err := c.times(ctx, o, c.AsOf)
		if err != nil {
			return err
		}
		currencies := []domain.Currency{c.Currency}
		if c.Currency == "" {
			if currencies, err = o.views.Currencies(ctx, c.Seller, c.Customer); err != nil {
				return err
			}
		}
		var all []projections.Entry
		for _, currency := range currencies {
			key := account.Key{Seller: c.Seller, Customer: c.Customer, Currency: currency}
			entries, err := o.views.History(ctx, projections.HistoryQuery{Key: key, AsOf: c.AsOf, KnownAt: known})
			if err != nil {
				return err
			}
			all = append(all, entries...)
		}
		if c.Format == export.Table {
			fmt.Fprintf(s.out, "History of %s with %s\n\n", c.Customer, c.Seller)
		}
		return export.History(all).Write(s.out, c.Format)
	})
}
