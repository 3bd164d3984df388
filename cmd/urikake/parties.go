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
}

type customersListCmd struct {
	shown
	Seller id `required:"" help:"Whose customers." placeholder:"ID"`
}

// Help is shown by `urikake customers list --help`.
func (customersListCmd) Help() string {
	return `  urikake customers list --seller YAMATO
  urikake customers list --seller YAMATO --format csv`
}

func (c *customersListCmd) Run(ctx context.Context, s *session) error {
	return s.show(ctx, c.Format, "/v1/sellers/"+string(c.Seller)+"/customers", nil)
}
