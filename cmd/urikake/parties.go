package main

import "context"

type sellersCmd struct {
	List sellersListCmd `cmd:"" help:"List the sellers."`
}

type sellersListCmd struct{ shown }

// Help is shown by `urikake sellers list --help`.
func (sellersListCmd) Help() string {
	return `With a key of one seller only that one is listed.

  urikake sellers list
  urikake sellers list --format json`
}

func (c *sellersListCmd) Run(ctx context.Context, s *session) error {
	return s.show(ctx, c.Format, "/v1/sellers", nil)
}

type customersCmd struct {
	List customersListCmd `cmd:"" help:"List a seller's customers."`
	Show customersShowCmd `cmd:"" help:"Show one customer."`
}

type customersListCmd struct{ asked }

// Help is shown by `urikake customers list --help`.
func (customersListCmd) Help() string {
	return `With --known-at names, limits and all else are as they were known then.

  urikake customers list --seller YAMATO
  urikake customers list --seller YAMATO --known-at 2026-04-02 --format csv`
}

func (c *customersListCmd) Run(ctx context.Context, s *session) error {
	return s.show(ctx, c.Format, c.path("customers"), c.query())
}

type customersShowCmd struct {
	asked
	Customer id `arg:"" help:"The customer."`
}

// Help is shown by `urikake customers show --help`.
func (customersShowCmd) Help() string {
	return `  urikake customers show K101 --seller YAMATO
  urikake customers show K101 --seller YAMATO --known-at 2026-04-02 --format json`
}

func (c *customersShowCmd) Run(ctx context.Context, s *session) error {
	return s.showOne(ctx, c.Format, c.path("customers", string(c.Customer)), c.query())
}
