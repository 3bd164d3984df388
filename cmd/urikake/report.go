package main

import (
	"context"
	"fmt"
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

// asked is what every question takes.
type asked struct {
	Seller  domain.SellerID `required:"" help:"Whose receivables." placeholder:"ID"`
	KnownAt string          `help:"Leave out what was recorded later than this instant (2026-07-03T09:00:00+09:00), day or log position." placeholder:"T|POSITION"`
	Format  export.Format   `help:"table, csv or json." enum:"table,csv,json" default:"table"`
}

// onDay is the business day of a report.
type onDay struct {
	AsOf domain.Date `help:"The business day that is reported; today, in the seller's time zone, when left out." placeholder:"DAY"`
}

// oneCustomer narrows a report down.
type oneCustomer struct {
	Customer domain.CustomerID `help:"One customer only." placeholder:"ID"`
}

// times fills in today and reads --known-at, both in the seller's time zone.
func (a *asked) times(ctx context.Context, o *office, day domain.Date) (domain.Date, projections.KnownAt, error) {
	zone, err := o.zone(ctx, a.Seller)
	if err != nil {
		return domain.Date{}, projections.KnownAt{}, err
	}
	if day.IsZero() {
		day = domain.DateOf(time.Now().In(zone))
	}
	known, err := projections.ParseKnownAt(a.KnownAt, zone)
	return day, known, misused("--known-at", err)
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
	onDay
	oneCustomer
	Basis   projections.Basis    `help:"Count age from the due date or the issue date: due or issue." enum:"due,issue" default:"due"`
	Buckets string               `help:"Last days of the buckets, as days of age; what is older has a bucket of its own." default:"30,60,90" placeholder:"30,60,90"`
	GroupBy projections.Grouping `help:"One row for each customer, each invoice, or each currency: customer, invoice or total." enum:"customer,invoice,total" default:"customer"`
}

// Help is shown by `urikake report aging --help`.
func (agingCmd) Help() string {
	return `What is not yet due on the day stands under "current", what is overdue in the bucket of its age. Payments and credit
that settle nothing yet stand under "unapplied" and are not netted into buckets: total = buckets - unapplied.

  urikake report aging --seller YAMATO
  urikake report aging --seller YAMATO --as-of 2026-03-31 --group-by invoice --format csv
  urikake report aging --seller YAMATO --as-of 2026-03-31 --known-at 2026-04-02
  urikake report aging --seller YAMATO --basis issue --buckets 15,45`
}

func (c *agingCmd) Run(ctx context.Context, s *session) error {
	edges, err := projections.ParseBuckets(c.Buckets)
	if err != nil {
		return misused("--buckets", err)
	}
	return s.with(ctx, false, func(ctx context.Context, o *office) error {
		asOf, known, err := c.times(ctx, o, c.AsOf)
		if err != nil {
			return err
		}
		r, err := o.views.Aging(ctx, projections.AgingQuery{
			Seller: c.Seller, Customer: c.Customer, AsOf: asOf, KnownAt: known,
			Basis: c.Basis, Buckets: edges, GroupBy: c.GroupBy,
		})
		if err != nil {
			return err
		}
		s.heading(c.Format, "Aging", c.Seller, asOf, c.asked)
		return export.Aging(r).Write(s.out, c.Format)
	})
}

type balancesCmd struct {
	asked
	onDay
	oneCustomer
}

// Help is shown by `urikake report balances --help`.
func (balancesCmd) Help() string {
	return `balance = open - unapplied; overdue and disputed are parts of open.

  urikake report balances --seller YAMATO
  urikake report balances --seller YAMATO --customer K101 --as-of 2026-03-31`
}

func (c *balancesCmd) Run(ctx context.Context, s *session) error {
	return s.with(ctx, false, func(ctx context.Context, o *office) error {
		asOf, known, err := c.times(ctx, o, c.AsOf)
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
	onDay
	oneCustomer
	Number       string                    `help:"This document number." placeholder:"NUMBER"`
	NumberPrefix string                    `help:"Document numbers that begin so." placeholder:"TEXT"`
	Status       projections.InvoiceStatus `help:"open, overdue, partly_paid, disputed, paid, written_off or void." enum:",open,overdue,partly_paid,disputed,paid,written_off,void" default:"" placeholder:"STATUS"`
	Currency     domain.Currency           `help:"In this currency." placeholder:"CUR"`
	IssuedFrom   domain.Date               `help:"Issued on this day or later." placeholder:"DAY"`
	IssuedTo     domain.Date               `help:"Issued on this day or earlier." placeholder:"DAY"`
	DueFrom      domain.Date               `help:"Due on this day or later." placeholder:"DAY"`
	DueTo        domain.Date               `help:"Due on this day or earlier." placeholder:"DAY"`
	AmountFrom   string                    `help:"Of this total or more; needs --currency." placeholder:"AMOUNT"`
	AmountTo     string                    `help:"Of this total or less; needs --currency." placeholder:"AMOUNT"`
}

// Help is shown by `urikake report invoices --help`.
func (invoicesCmd) Help() string {
	return `All filters must hold. The status is that of the day: an invoice paid in May is open as of April.

  urikake report invoices --seller YAMATO --status overdue
  urikake report invoices --seller YAMATO --number INV-2026-000042
  urikake report invoices --seller YAMATO --due-to 2026-06-30 --amount-from 100000 --currency JPY`
}

func (c *invoicesCmd) query(asOf domain.Date, known projections.KnownAt) (projections.InvoicesQuery, error) {
	q := projections.InvoicesQuery{
		Seller: c.Seller, Customer: c.Customer, AsOf: asOf, KnownAt: known,
		Number: c.Number, NumberPrefix: c.NumberPrefix, Status: c.Status, Currency: c.Currency,
		IssuedFrom: c.IssuedFrom, IssuedTo: c.IssuedTo, DueFrom: c.DueFrom, DueTo: c.DueTo, Limit: projections.LimitMax,
	}
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
			return q, misused(flag, err)
		}
		minor := m.Minor()
		*bound.to = &minor
	}
	return q, nil
}

func (c *invoicesCmd) Run(ctx context.Context, s *session) error {
	if err := checkCurrency(c.Currency); err != nil {
		return err
	}
	return s.with(ctx, false, func(ctx context.Context, o *office) error {
		asOf, known, err := c.times(ctx, o, c.AsOf)
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

// checkCurrency refuses a code that no account can have; "" stands for any currency.
func checkCurrency(c domain.Currency) error {
	if c == "" {
		return nil
	}
	return misused("--currency", c.Check())
}

type statementCmd struct {
	asked
	Customer domain.CustomerID `required:"" help:"Who gets the statement." placeholder:"ID"`
	From     domain.Date       `help:"First day of the statement; from the beginning when left out." placeholder:"DAY"`
	AsOf     domain.Date       `help:"Last day of the statement; today, in the seller's time zone, when left out." placeholder:"DAY"`
	Currency domain.Currency   `help:"One currency only." placeholder:"CUR"`
}

// Help is shown by `urikake report statement --help`.
func (statementCmd) Help() string {
	return `The closing balance is the total of the aging on that day.

  urikake report statement --seller YAMATO --customer K101 --from 2026-06-01 --as-of 2026-06-30
  urikake report statement --seller YAMATO --customer K101 --format csv`
}

func (c *statementCmd) Run(ctx context.Context, s *session) error {
	if err := checkCurrency(c.Currency); err != nil {
		return err
	}
	return s.with(ctx, false, func(ctx context.Context, o *office) error {
		asOf, known, err := c.times(ctx, o, c.AsOf)
		if err != nil {
			return err
		}
		if c.From.After(asOf) {
			return errUsage.With("--from %s lies after the last day, %s", c.From, asOf)
		}
		r, err := o.views.Statement(ctx, projections.StatementQuery{
			Seller: c.Seller, Customer: c.Customer, Currency: c.Currency,
			From: c.From, To: asOf, KnownAt: known,
		})
		if err != nil {
			return err
		}
		s.heading(c.Format, "Statement of "+string(c.Customer), c.Seller, asOf, c.asked)
		return export.Statement(r).Write(s.out, c.Format)
	})
}

type unappliedCmd struct {
	asked
	onDay
	oneCustomer
}

// Help is shown by `urikake report unapplied --help`.
func (unappliedCmd) Help() string {
	return `Apply it to invoices with ApplyPayment or ApplyCredit, or pay it back with IssueRefund.

  urikake report unapplied --seller YAMATO`
}

func (c *unappliedCmd) Run(ctx context.Context, s *session) error {
	return s.with(ctx, false, func(ctx context.Context, o *office) error {
		asOf, known, err := c.times(ctx, o, c.AsOf)
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
