package main

import (
	"context"
	"fmt"

	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

type dunningCmd struct {
	Run       dunningRunCmd       `cmd:"" help:"Decide about every debtor, and queue the reminders that are due."`
	Send      dunningSendCmd      `cmd:"" help:"Look at the queued reminders once more, and write them into the outbox."`
	Preview   dunningPreviewCmd   `cmd:"" help:"Show what one debtor would be sent, and why."`
	Simulate  dunningSimulateCmd  `cmd:"" help:"Try a policy on the recorded past."`
	Policy    dunningPolicyCmd    `cmd:"" help:"Say how debtors are reminded."`
	Runs      dunningRunsCmd      `cmd:"" help:"List the runs, or every decision of one."`
	Reminders dunningRemindersCmd `cmd:"" help:"List reminders: queued, sent and dropped."`
	Case      dunningCaseCmd      `cmd:"" help:"Show how far it came with one debtor."`
}

// ofSeller is whose debtors are meant.
type ofSeller struct {
	Seller id `required:"" help:"Whose debtors." placeholder:"ID"`
}

// path is that of something about the seller's dunning.
func (o *ofSeller) path(parts ...string) string {
	a := asked{Seller: o.Seller}
	return a.path(append([]string{"dunning"}, parts...)...)
}

// acting is in whose name something is done.
type acting struct {
	Acting dunning.Capacity `help:"In whose name: AGENCY or CREDITOR; what is the creditor's needs the latter." enum:"AGENCY,CREDITOR" default:"AGENCY" placeholder:"WHO"`
}

type dunningRunCmd struct {
	shown
	ofSeller
	acting
	AsOf   domain.Date `help:"The day that is decided for; today, in the seller's time zone, when left out." placeholder:"DAY"`
	DryRun bool        `help:"Show what would be decided, and do nothing."`
}

// Help is shown by `urikake dunning run --help`.
func (dunningRunCmd) Help() string {
	return `Looks at every debtor with anything open: the policy that holds, what was done so far, and the books as of the day. Each
decision is shown with its reason, also where nobody is reminded, and recorded. Nothing is sent: a reminder that is due
is queued, and urikake dunning send looks at it once more.

A run may be repeated, or killed and repeated: everything is done once for a day. A day without a run is made good by the
next one, and no debtor is reminded twice at one level. The reasons are explained in docs/dunning.md.

  urikake dunning run --seller YAMATO --dry-run
  urikake dunning run --seller YAMATO --as-of 2026-10-05
  urikake dunning run --seller YAMATO --as-of 2026-10-05 --dry-run --format csv
  urikake dunning run --seller YAMATO --acting CREDITOR`
}

func (c *dunningRunCmd) Run(ctx context.Context, s *session) error {
	if c.DryRun {
		return s.show(ctx, c.Format, c.path("decisions"), query("as_of", day(c.AsOf), "acting", string(c.Acting)))
	}
	done, err := worked[httpapi.RunDone](ctx, s, "decide", c.path("runs"), httpapi.RunWanted{AsOf: c.AsOf, Acting: c.Acting})
	if err != nil {
		return err
	}
	if done.Repeated {
		fmt.Fprintf(s.err, "urikake: the run of %s had been done before; these are its decisions again\n", done.AsOf)
	}
	return s.show(ctx, c.Format, c.path("runs", string(done.Run)), nil)
}

// worked asks for long work that is posted as an object, shows how far it is, and gives its result.
func worked[R any](ctx context.Context, s *session, name, path string, wanted any) (result R, err error) {
	err = s.ask(ctx, func(ctx context.Context, to *client) error {
		body, err := posted(wanted)
		if err != nil {
			return err
		}
		bar := s.progress(name, 1)
		defer bar.done()
		result, err = work[R](ctx, to, bar, request{path: path, body: body, header: jsonBody, accept: ndjson})
		return err
	})
	return result, err
}

var jsonBody = map[string]string{"Content-Type": "application/json"}

type dunningRunsCmd struct {
	List dunningRunsListCmd `cmd:"" help:"List the runs with what came of them."`
	Show dunningRunsShowCmd `cmd:"" help:"Show every decision of a run."`
}

type dunningRunsListCmd struct {
	shown
	ofSeller
}

// Help is shown by `urikake dunning runs list --help`.
func (dunningRunsListCmd) Help() string {
	return `  urikake dunning runs list --seller YAMATO`
}

func (c *dunningRunsListCmd) Run(ctx context.Context, s *session) error {
	return s.show(ctx, c.Format, c.path("runs"), nil)
}

type dunningRunsShowCmd struct {
	shown
	ofSeller
	ID id `arg:"" name:"run" help:"Id of the run, as urikake dunning runs list has it."`
}

// Help is shown by `urikake dunning runs show --help`.
func (dunningRunsShowCmd) Help() string {
	return `One row for each debtor: why it was reminded or not, and the facts that this was decided by.

  urikake dunning runs show 6d2f6f0c-8d0e-5a0a-9a5a-0d5b8f9d2c11 --seller YAMATO --format csv`
}

func (c *dunningRunsShowCmd) Run(ctx context.Context, s *session) error {
	return s.show(ctx, c.Format, c.path("runs", string(c.ID)), nil)
}

type dunningRemindersCmd struct {
	shown
	ofSeller
	oneCustomer
	State string `help:"queued, sent or dropped; all of them when left out." enum:",queued,sent,dropped" default:"" placeholder:"STATE"`
}

// Help is shown by `urikake dunning reminders --help`.
func (dunningRemindersCmd) Help() string {
	return `  urikake dunning reminders --seller YAMATO --state queued
  urikake dunning reminders --seller YAMATO --customer K101 --format csv`
}

func (c *dunningRemindersCmd) Run(ctx context.Context, s *session) error {
	return s.show(ctx, c.Format, c.path("reminders"), query("customer", string(c.Customer), "state", c.State))
}

// oneCase names a debtor in one currency.
type oneCase struct {
	ofSeller
	Customer id       `required:"" help:"The debtor." placeholder:"ID"`
	Currency currency `required:"" help:"In which currency." placeholder:"CUR"`
}

type dunningCaseCmd struct {
	shown
	oneCase
}

// Help is shown by `urikake dunning case --help`.
func (dunningCaseCmd) Help() string {
	return `The level reached, what stands in the way, what was promised and agreed, and when the debtor was last spoken to.

  urikake dunning case --seller YAMATO --customer K101 --currency JPY
  urikake dunning case --seller YAMATO --customer K101 --currency JPY --format json`
}

func (c *dunningCaseCmd) Run(ctx context.Context, s *session) error {
	a := asked{Seller: c.Seller}
	return s.showOne(ctx, c.Format, a.path("customers", string(c.Customer), "dunning", string(c.Currency)), nil)
}
