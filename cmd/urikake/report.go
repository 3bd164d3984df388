package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/projections"
)

type reportCmd struct {
	Aging     agingCmd     `cmd:"" help:"What is owed, by age."`
	Balances  balancesCmd  `cmd:"" help:"What each account owes."`
	Invoices  invoicesCmd  `cmd:"" help:"Find invoices by number, customer, status, dates and amounts."`
	Statement statementCmd `cmd:"" help:"One customer's movements with a running balance."`
	Unapplied unappliedCmd `cmd:"" help:"Payments and credit notes that settle nothing yet."`
}

// asked is what every report takes.
type asked struct {
	Seller   domain.SellerID   `required:"" help:"Whose receivables." placeholder:"ID"`
	Customer domain.CustomerID `help:"One customer only." placeholder:"ID"`
	AsOf     domain.Date       `help:"The business day that is reported; today, in the seller's time zone, when left out." placeholder:"DAY"`
	KnownAt  string            `help:"Leave out what was recorded later than this instant (2026-07-03T09:00:00+09:00), day or log position." placeholder:"T|POSITION"`
	Format   export.Format     `help:"table, csv or json." enum:"table,csv,json" default:"table"`
}

// times fills in today and reads --known-at, both in the seller's time zone.
func (a *asked) times(ctx context.Context, o *office) (domain.Date, projections.KnownAt, error) {
	zone, err := o.zone(ctx, a.Seller)
	if err != nil {
		return domain.Date{}, projections.KnownAt{}, err
	}
	day := a.AsOf
	if day.IsZero() {
		day = domain.DateOf(time.Now().In(zone))
	}
	known, err := projections.ParseKnownAt(a.KnownAt, zone)
	return day, known, err
}

// zone is the seller's time zone.
func (o *office) zone(ctx context.Context, id domain.SellerID) (*time.Location, error) {
	sellers, err := o.views.Sellers(ctx)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, s := range sellers {
		if s.Seller == id {
			return time.LoadLocation(s.TimeZone)
		}
		ids = append(ids, string(s.Seller))
	}
	if len(ids) == 0 {
		ids = []string{"none yet"}
	}
	return nil, projections.ErrUnknownSeller.With("%q; there are: %s", string(id), strings.Join(ids, ", ")).At("/seller")
}

// heading stands over a table: what it shows, of which day, as known when.
func (s *session) heading(f export.Format, what string, seller domain.SellerID, asOf domain.Date, a asked) {
	if f != export.Table && f != "" {
		return
	}
	known := ""
	if a.KnownAt != "" {
		known = ", as known at " + a.KnownAt
	}
	fmt.Fprintf(s.out, "%s of %s as of %s%s\n\n", what, seller, asOf, known)
}

type agingCmd struct {
	asked
	Basis   projections.Basis    `help:"Count age from the due date or the issue date." enum:"due,issue" default:"due"`
	Buckets string               `help:"Last days of the buckets." default:"30,60,90" placeholder:"30,60,90"`
	GroupBy projections.Grouping `help:"One row for each customer, invoice or currency." enum:"customer,invoice,total" default:"customer"`
}

func (c *agingCmd) Run(ctx context.Context, s *session) error {
	edges, err := parseEdges(c.Buckets)
	if err != nil {
		return err
	}
	return s.with(ctx, false, func(ctx context.Context, o *office) error {
		asOf, known, err := c.times(ctx, o)
		if err != nil {
			return err
		}
		r, err := o.views.Aging(ctx, projections.AgingQuery{Seller: c.Seller, Customer: c.Customer, AsOf: asOf, KnownAt: known,
			Basis: c.Basis, Buckets: edges, GroupBy: c.GroupBy})
		if err != nil {
			return err
		}
		s.heading(c.Format, "Aging", c.Seller, asOf, c.asked)
		return export.Aging(r).Write(s.out, c.Format)
	})
}

func parseEdges(text string) (edges []int, err error) {
	for _, part := range strings.Split(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil {
			return nil, errUsage.With("--buckets takes rising numbers of days such as 30,60,90, not %q", text)
		}
		edges = append(edges, n)
	}
	return edges, nil
}

type balancesCmd struct{ asked }

func (c *balancesCmd) Run(ctx context.Context, s *session) error {
	return s.with(ctx, false, func(ctx context.Context, o *office) error {
		asOf, known, err := c.times(ctx, o)
		if err != nil {
			return err
		}
		r, err := o.views.Balances(ctx, projections.BalancesQuery{Seller: c.Seller, Customer: c.Customer, AsOf: asOf, KnownAt: known})
		if err != nil {
			return err
		}
		s.heading(c.Format, "Balances", c.Seller, asOf, c.asked)
		return export.Balances(r).Write(s.out, c.Format)
	})
}

type invoicesCmd struct {
	asked
	Number       string                    `help:"This document number."`
	NumberPrefix string                    `help:"Document numbers that begin so."`
	Status       projections.InvoiceStatus `help:"open, overdue, partly_paid, disputed, paid, written_off or void."`
	Currency     domain.Currency           `help:"In this currency." placeholder:"CUR"`
	IssuedFrom   domain.Date               `help:"Issued on this day or later." placeholder:"DAY"`
	IssuedTo     domain.Date               `help:"Issued on this day or earlier." placeholder:"DAY"`
	DueFrom      domain.Date               `help:"Due on this day or later." placeholder:"DAY"`
	DueTo        domain.Date               `help:"Due on this day or earlier." placeholder:"DAY"`
	AmountFrom   string                    `help:"Of this total or more; needs --currency." placeholder:"AMOUNT"`
	AmountTo     string                    `help:"Of this total or less; needs --currency." placeholder:"AMOUNT"`
}

func (c *invoicesCmd) query(asOf domain.Date, known projections.KnownAt) (projections.InvoicesQuery, error) {
	q := projections.InvoicesQuery{Seller: c.Seller, Customer: c.Customer, AsOf: asOf, KnownAt: known,
		Number: c.Number, NumberPrefix: c.NumberPrefix, Status: c.Status, Currency: c.Currency,
		IssuedFrom: c.IssuedFrom, IssuedTo: c.IssuedTo, DueFrom: c.DueFrom, DueTo: c.DueTo, Limit: projections.LimitMax}
	for flag, bound := range map[string]struct {
		text string
		to   **int64
	}{"--amount-from": {c.AmountFrom, &q.AmountFrom}, "--amount-to": {c.AmountTo, &q.AmountUpTo}} {
		if bound.text == "" {
			continue
		}
		if c.Currency == "" {
			return q, errUsage.With("%s needs --currency, which says how many decimals an amount has", flag)
		}
		m, err := domain.ParseMoney(bound.text, string(c.Currency))
		if err != nil {
			return q, err
		}
		minor := m.Minor()
		*bound.to = &minor
	}
	return q, nil
}

func (c *invoicesCmd) Run(ctx context.Context, s *session) error {
	return s.with(ctx, false, func(ctx context.Context, o *office) error {
		asOf, known, err := c.times(ctx, o)
		if err != nil {
			return err
		}
		q, err := c.query(asOf, known)
		if err != nil {
			return err
		}
		var all projections.InvoicesReport
		for {
			r, err := o.views.Invoices(ctx, q)
			if err != nil {
				return err
			}
			all.Rows = append(all.Rows, r.Rows...)
			// the pages that follow show what the first one knew
			q.KnownAt, q.After = projections.KnownAt{Position: r.KnownAt}, r.Next
			if r.Next == "" {
				break
			}
		}
		s.heading(c.Format, "Invoices", c.Seller, asOf, c.asked)
		return export.Invoices(all).Write(s.out, c.Format)
	})
}

type statementCmd struct {
	asked
	From     domain.Date     `help:"First day of the statement; from the beginning when left out. --as-of is the last." placeholder:"DAY"`
	Currency domain.Currency `help:"One currency only." placeholder:"CUR"`
}

func (c *statementCmd) Run(ctx context.Context, s *session) error {
	if c.Customer == "" {
		return errUsage.With("a statement is of one customer: name it with --customer ID")
	}
	return s.with(ctx, false, func(ctx context.Context, o *office) error {
		asOf, known, err := c.times(ctx, o)
		if err != nil {
			return err
		}
		r, err := o.views.Statement(ctx, projections.StatementQuery{Seller: c.Seller, Customer: c.Customer, Currency: c.Currency,
			From: c.From, To: asOf, KnownAt: known})
		if err != nil {
			return err
		}
		s.heading(c.Format, "Statement of "+string(c.Customer), c.Seller, asOf, c.asked)
		return export.Statement(r).Write(s.out, c.Format)
	})
}

type unappliedCmd struct{ asked }

func (c *unappliedCmd) Run(ctx context.Context, s *session) error {
	return s.with(ctx, false, func(ctx context.Context, o *office) error {
		asOf, known, err := c.times(ctx, o)
		if err != nil {
			return err
		}
		r, err := o.views.Unapplied(ctx, projections.UnappliedQuery{Seller: c.Seller, Customer: c.Customer, AsOf: asOf, KnownAt: known})
		if err != nil {
			return err
		}
		s.heading(c.Format, "Unapplied money", c.Seller, asOf, c.asked)
		return export.Unapplied(r).Write(s.out, c.Format)
	})
}
