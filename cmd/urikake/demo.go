package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/urikake/urikake/adapters/demo"
	"github.com/urikake/urikake/adapters/dunning"
	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore/sqlite"
	"github.com/urikake/urikake/projections"
)

type demoCmd struct {
	Seed   int64  `help:"The same seed makes the same history, to the byte." default:"1"`
	Once   bool   `help:"Fill and show it, and end; it is not served."`
	Listen string `help:"Address and port to serve it at." default:"127.0.0.1:8080" placeholder:"ADDRESS:PORT"`
}

// Help is shown by `urikake demo --help`.
func (demoCmd) Help() string {
	return `Without --data (or URIKAKE_DATA) it fills a temporary directory, and says which. Then it serves it, as urikake serve
does, until Ctrl-C.

  urikake demo
  urikake demo --data ./try --listen 127.0.0.1:9000
  urikake demo --data ./try --seed 42 --once`
}

// demoDay is the last day of the demo's history. It is fixed, so that the history is the same on every day.
var demoDay = domain.NewDate(2026, 9, 30)

func (c *demoCmd) Run(ctx context.Context, s *session) (err error) {
	if s.named && sqlite.Exists(s.dir) {
		return errUsage.With("%s holds a ledger already; name a new directory with --data DIR", s.dir)
	}
	if c.Once {
		return c.fill(ctx, s, "")
	}
	listener, err := listen(c.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	if err := c.fill(ctx, s, addressOf(listener)); err != nil {
		return err
	}
	server := serveCmd{Rate: httpapi.RateDefault, Log: "text"}
	return server.serve(ctx, s, listener)
}

// fill makes the ledger, and shows it. It has a clock of its own: the log records when its people would have typed.
func (c *demoCmd) fill(ctx context.Context, s *session, address string) (err error) {
	if !s.named {
		if s.dir, err = os.MkdirTemp("", "urikake-demo-"); err != nil {
			return err
		}
	}
	var clock atomic.Pointer[time.Time]
	clock.Store(&time.Time{})
	o, err := s.open(func() time.Time { return *clock.Load() })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	steps := demo.History(c.Seed, demoDay)
	bar := s.progress("demo", int64(len(steps)))
	start := time.Now()
	books := dunning.Books{Ledger: o.ledger, Views: o.views, Clock: o.clock}
	for _, step := range steps {
		clock.Store(&step.At)
		if _, err := step.Do(ctx, books, o.outbox); err != nil {
			bar.done()
			return fmt.Errorf("%s %s: %w", step.CommandID, step.Command.Name(), err)
		}
		bar.add(1)
	}
	bar.done()
	fmt.Fprintf(s.out, "A made-up agency's two years, %d commands in %.1f s, in %s\n\n", len(steps), time.Since(start).Seconds(), s.dir)
	return c.show(ctx, s, o, address)
}

// show prints the aging of every seller, one account's history, and what to try next.
func (c *demoCmd) show(ctx context.Context, s *session, o *office, address string) error {
	sellers, err := o.views.Sellers(ctx)
	if err != nil {
		return err
	}
	var worst account.Key
	for _, seller := range sellers {
		r, err := o.views.Aging(ctx, projections.AgingQuery{Seller: seller.Seller, AsOf: demoDay})
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "Aging of %s (%s) as of %s\n\n", seller.Seller, seller.Name, demoDay)
		if err := export.Aging(r).Write(s.out, export.Table); err != nil {
			return err
		}
		fmt.Fprintln(s.out)
		if worst.Customer == "" {
			worst = oldest(seller.Seller, r)
		}
	}
	entries, err := o.views.History(ctx, projections.HistoryQuery{Key: worst})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Every event behind %s's figure\n\n", worst.Customer)
	const most = 25
	sheet := export.History(entries[max(0, len(entries)-most):])
	if len(entries) > most {
		sheet.Notes = append(sheet.Notes, fmt.Sprintf("(the last %d of %d events)", most, len(entries)))
	}
	if err := sheet.Write(s.out, export.Table); err != nil {
		return err
	}
	first := sellers[0].Seller
	if address != "" {
		fmt.Fprintf(s.out, `
Try next, while this is served:
  curl %[1]s/v1/sellers/%[2]s/aging?as_of=2026-03-31
  curl -H 'Accept: text/csv' %[1]s/v1/sellers/%[2]s/customers/%[3]s/history
  curl -N '%[1]s/v1/events?follow=true&after=0&seller=%[2]s'
  urikake --server %[1]s report dunning-queue --seller %[2]s --as-of %[4]s
  urikake --server %[1]s report statement --seller %[2]s --customer %[3]s --from 2026-07-01 --as-of %[4]s

`, address, first, worst.Customer, demoDay)
		return nil
	}
	fmt.Fprintf(s.out, `
Try next:
  urikake --data %[1]s report aging --seller %[2]s --as-of 2026-03-31
  urikake --data %[1]s report aging --seller %[2]s --as-of 2026-03-31 --known-at 2026-04-02
  urikake --data %[1]s report statement --seller %[2]s --customer %[3]s --from 2026-07-01 --as-of %[4]s
  urikake --data %[1]s history --seller %[2]s --customer %[3]s
  urikake --data %[1]s report dunning-queue --seller %[2]s --as-of %[4]s
  urikake --data %[1]s dunning runs list --seller %[2]s
  urikake --data %[1]s command --list
`, s.dir, first, worst.Customer, demoDay)
	return nil
}

// oldest is the account whose oldest open item is the oldest.
func oldest(seller domain.SellerID, r projections.AgingReport) account.Key {
	var key account.Key
	var since domain.Date
	for _, row := range r.Rows {
		if !row.OldestDueOn.IsZero() && (since.IsZero() || row.OldestDueOn.Before(since)) {
			key, since = account.Key{Seller: seller, Customer: row.Customer, Currency: row.Currency}, row.OldestDueOn
		}
	}
	return key
}
