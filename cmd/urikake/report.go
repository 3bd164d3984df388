package main

import (
	"context"
	"net/url"
	"strconv"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/projections"
)

type reportCmd struct {
	Aging       agingCmd       `cmd:"" help:"What is owed, by age."`
	Balances    balancesCmd    `cmd:"" help:"What each account owes."`
	Invoices    invoicesCmd    `cmd:"" help:"Find invoices by number, customer, status, dates and amounts."`
	Invoice     invoiceCmd     `cmd:"" help:"One invoice with all that settled it."`
	Account     accountCmd     `cmd:"" help:"How one account stands, and its version."`
	Statement   statementCmd   `cmd:"" help:"One customer's movements with a running balance."`
	Unapplied   unappliedCmd   `cmd:"" help:"Payments and credit notes that settle nothing yet."`
	Receipts    receiptsCmd    `cmd:"" help:"Money received whose payer is not known, with those whose it may be."`
	Queue       queueCmd       `cmd:"" name:"dunning-queue" help:"Whom to remind or call today, the most urgent first."`
	Limitations limitationsCmd `cmd:"" help:"Claims whose limitation ends within 12 months or has ended, the soonest first."`
	LateCharges lateChargesCmd `cmd:"" help:"Late charges that have accrued to a day and are not assessed."`
}

// asked is what every question takes.
type asked struct {
	shown
	Seller  id     `required:"" help:"Whose receivables." placeholder:"ID"`
	KnownAt string `help:"Leave out what was recorded later than this instant (2026-07-03T09:00:00+09:00), day or log position." placeholder:"T|POSITION"`
}

// path is that of something of the seller.
func (a *asked) path(parts ...string) string {
	path := "/v1/sellers/" + string(a.Seller)
	for _, part := range parts {
		path += "/" + url.PathEscape(part)
	}
	return path
}

// query is known_at and what else was typed.
func (a *asked) query(pairs ...string) url.Values {
	return query(append(pairs, "known_at", a.KnownAt)...)
}

// onDay is the business day of a report.
type onDay struct {
	AsOf domain.Date `help:"The business day that is reported; today, in the seller's time zone, when left out." placeholder:"DAY"`
}

// oneCustomer narrows a report down.
type oneCustomer struct {
	Customer id `help:"One customer only." placeholder:"ID"`
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
	return s.show(ctx, c.Format, c.path("aging"), c.query("as_of", day(c.AsOf), "customer", string(c.Customer),
		"basis", string(c.Basis), "buckets", c.Buckets, "group_by", string(c.GroupBy)))
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
	return s.show(ctx, c.Format, c.path("balances"), c.query("as_of", day(c.AsOf), "customer", string(c.Customer)))
}

type invoicesCmd struct {
	asked
	onDay
	oneCustomer
	Number       string                    `help:"This document number." placeholder:"NUMBER"`
	NumberPrefix string                    `help:"Document numbers that begin so." placeholder:"TEXT"`
	Status       projections.InvoiceStatus `help:"open, overdue, partly_paid, disputed, paid, written_off or void." enum:",open,overdue,partly_paid,disputed,paid,written_off,void" default:"" placeholder:"STATUS"`
	Currency     currency                  `help:"In this currency." placeholder:"CUR"`
	IssuedFrom   domain.Date               `help:"Issued on this day or later." placeholder:"DAY"`
	IssuedTo     domain.Date               `help:"Issued on this day or earlier." placeholder:"DAY"`
	DueFrom      domain.Date               `help:"Due on this day or later." placeholder:"DAY"`
	DueTo        domain.Date               `help:"Due on this day or earlier." placeholder:"DAY"`
	AmountFrom   string                    `help:"Of this total or more; needs --currency." placeholder:"AMOUNT"`
	AmountTo     string                    `help:"Of this total or less; needs --currency." placeholder:"AMOUNT"`
	Sort         string                    `help:"By issued_on, due_on, total, open, days_overdue, customer or number; the largest or latest first with a - before it: --sort=-open." default:"issued_on" placeholder:"[-]COLUMN"`
	Limit        int                       `help:"At most so many rows, 1 to 1000; all when left out." placeholder:"N"`
}

// Help is shown by `urikake report invoices --help`.
func (invoicesCmd) Help() string {
	return `All filters must hold. The status is that of the day: an invoice paid in May is open as of April.

  urikake report invoices --seller YAMATO --status overdue
  urikake report invoices --seller YAMATO --status overdue --sort=-open --limit 10
  urikake report invoices --seller YAMATO --number INV-2026-000042
  urikake report invoices --seller YAMATO --due-to 2026-06-30 --amount-from 100000 --currency JPY`
}

func (c *invoicesCmd) Run(ctx context.Context, s *session) error {
	if c.Currency == "" && c.AmountFrom+c.AmountTo != "" {
		return errUsage.With("--amount-from and --amount-to need --currency, which says how many decimals an amount has")
	}
	q := c.query(
		"as_of", day(c.AsOf), "customer", string(c.Customer), "currency", string(c.Currency), "status", string(c.Status),
		"number", c.Number, "number_prefix", c.NumberPrefix, "amount_from", c.AmountFrom, "amount_to", c.AmountTo,
		"issued_from", day(c.IssuedFrom), "issued_to", day(c.IssuedTo), "due_from", day(c.DueFrom), "due_to", day(c.DueTo),
		"sort", c.Sort,
	)
	if c.Limit == 0 {
		q.Set("all", "true")
	} else {
		q.Set("limit", strconv.Itoa(c.Limit))
	}
	return s.show(ctx, c.Format, c.path("invoices"), q)
}

type invoiceCmd struct {
	Invoice id `arg:"" help:"Id of an invoice or late charge."`
	asked
	onDay
	Customer id       `help:"Whose it is, where several accounts have one with this id." placeholder:"ID"`
	Currency currency `help:"Of the account, where several have one with this id." placeholder:"CUR"`
}

// Help is shown by `urikake report invoice --help`.
func (invoiceCmd) Help() string {
	return `An invoice's id is its column in other reports; a document number is found with urikake report invoices --number.

  urikake report invoice I00730 --seller YAMATO
  urikake report invoice I00730 --seller YAMATO --as-of 2026-03-31 --format json`
}

func (c *invoiceCmd) Run(ctx context.Context, s *session) error {
	return s.showOne(ctx, c.Format, c.path("invoices", string(c.Invoice)),
		c.query("as_of", day(c.AsOf), "customer", string(c.Customer), "currency", string(c.Currency)))
}

type accountCmd struct {
	asked
	onDay
	Customer id       `required:"" help:"Who owes." placeholder:"ID"`
	Currency currency `required:"" help:"In which currency." placeholder:"CUR"`
}

// Help is shown by `urikake report account --help`.
func (accountCmd) Help() string {
	return `The version is what a command's --expect takes, so that it is refused if the account has changed since.

  urikake report account --seller YAMATO --customer K101 --currency JPY
  urikake report account --seller YAMATO --customer K101 --currency JPY --as-of 2026-03-31 --format json`
}

func (c *accountCmd) Run(ctx context.Context, s *session) error {
	return s.showOne(ctx, c.Format, c.path("customers", string(c.Customer), "accounts", string(c.Currency)), c.query("as_of", day(c.AsOf)))
}

type statementCmd struct {
	asked
	Customer id          `required:"" help:"Who gets the statement." placeholder:"ID"`
	From     domain.Date `help:"First day of the statement; from the beginning when left out." placeholder:"DAY"`
	AsOf     domain.Date `help:"Last day of the statement; today, in the seller's time zone, when left out." placeholder:"DAY"`
	Currency currency    `help:"One currency only." placeholder:"CUR"`
}

// Help is shown by `urikake report statement --help`.
func (statementCmd) Help() string {
	return `The closing balance is the total of the aging on that day.

  urikake report statement --seller YAMATO --customer K101 --from 2026-06-01 --as-of 2026-06-30
  urikake report statement --seller YAMATO --customer K101 --format csv`
}

func (c *statementCmd) Run(ctx context.Context, s *session) error {
	if !c.AsOf.IsZero() && c.From.After(c.AsOf) {
		return errUsage.With("--from %s lies after the last day, %s", c.From, c.AsOf)
	}
	return s.show(ctx, c.Format, c.path("customers", string(c.Customer), "statement"),
		c.query("from", day(c.From), "as_of", day(c.AsOf), "currency", string(c.Currency)))
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
	return s.show(ctx, c.Format, c.path("unapplied"), c.query("as_of", day(c.AsOf), "customer", string(c.Customer)))
}

type receiptsCmd struct {
	asked
	onDay
}

// Help is shown by `urikake report receipts --help`.
func (receiptsCmd) Help() string {
	return `Candidates are debtors whose money it may be: by the payer's name (PAYER), by an invoice number that the reference names
(NUMBER), or as it is what one of their invoices or all of them come to, perhaps less a fee (AMOUNT). Runs don't remind them
meanwhile. Say whose it is with AssignReceipt, or that it went back with ReturnReceipt.

  urikake report receipts --seller YAMATO
  urikake report receipts --seller YAMATO --as-of 2026-10-31 --format csv`
}

func (c *receiptsCmd) Run(ctx context.Context, s *session) error {
	return s.show(ctx, c.Format, c.path("receipts"), c.query("as_of", day(c.AsOf)))
}

type queueCmd struct {
	asked
	onDay
	Collector string `help:"Cases of this collector only." placeholder:"NAME"`
	Limit     int    `help:"At most so many rows; all when left out." placeholder:"N"`
}

// Help is shown by `urikake report dunning-queue --help`.
func (queueCmd) Help() string {
	return `Ranked by what is overdue and for how long, by promises that were broken, and by how late the debtor is used to pay. Beside
it stand the level reached and the next one, what stands in the way, the promise, and the last contact.

  urikake report dunning-queue --seller YAMATO
  urikake report dunning-queue --seller YAMATO --as-of 2026-10-05 --collector mizuno --limit 20`
}

func (c *queueCmd) Run(ctx context.Context, s *session) error {
	q := c.query("as_of", day(c.AsOf), "collector", c.Collector)
	if c.Limit > 0 {
		q.Set("limit", strconv.Itoa(c.Limit))
	}
	return s.show(ctx, c.Format, c.path("dunning", "queue"), q)
}

type limitationsCmd struct {
	asked
	onDay
	oneCustomer
}

// Help is shown by `urikake report limitations --help`.
func (limitationsCmd) Help() string {
	return `The limitation (消滅時効) of a claim ends five years after its due date. A payment of a part begins a new period; a reminder
by registered letter holds the end up for six months, once. Claims in court, written acknowledgements and negotiations are
not in the books yet, and neither is what they do to the end.

  urikake report limitations --seller YAMATO
  urikake report limitations --seller YAMATO --as-of 2031-03-31 --format csv`
}

func (c *limitationsCmd) Run(ctx context.Context, s *session) error {
	return s.show(ctx, c.Format, c.path("limitations"), c.query("as_of", day(c.AsOf), "customer", string(c.Customer)))
}

type lateChargesCmd struct {
	shown
	onDay
	Seller   id              `required:"" help:"Whose receivables." placeholder:"ID"`
	Customer id              `required:"" help:"Who owes." placeholder:"ID"`
	Currency currency        `help:"One currency only." placeholder:"CUR"`
	Rate     string          `help:"Compute with this yearly rate in percent; when left out, what the contract says, else the statutory rate that was in force when each delay began." placeholder:"PERCENT"`
	DayCount domain.DayCount `help:"ACT_365 or CALENDAR_YEAR; when left out the former with --rate, and without it as the contract or the law has it." enum:",ACT_365,CALENDAR_YEAR" default:"" placeholder:"COUNT"`
}

// Help is shown by `urikake report late-charges --help`.
func (lateChargesCmd) Help() string {
	return `On what was open on each day, from the day after the due date, or after what is assessed already. Nothing is written:
AssessLateCharge makes a late charge owed. What is agreed is set with SetLateTerms for all, AgreeLateTerms for one customer.

  urikake report late-charges --seller YAMATO --customer K101
  urikake report late-charges --seller YAMATO --customer K101 --as-of 2026-10-31 --rate 14.6
  urikake report late-charges --seller YAMATO --customer K101 --rate 14.6 --day-count CALENDAR_YEAR --format json`
}

func (c *lateChargesCmd) Run(ctx context.Context, s *session) error {
	a := asked{Seller: c.Seller}
	return s.showOne(ctx, c.Format, a.path("customers", string(c.Customer), "late-charges"),
		a.query("as_of", day(c.AsOf), "currency", string(c.Currency), "rate", c.Rate, "day_count", string(c.DayCount)))
}
