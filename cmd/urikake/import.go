package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/adapters/receivables"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/memory"
	"github.com/urikake/urikake/eventstore/overlay"
	"github.com/urikake/urikake/eventstore/sqlite"
)

type importCmd struct {
	Receivables importReceivablesCmd `cmd:"" help:"Bring in a CSV list of invoices, with their payments and disputes if it has them."`
}

type importReceivablesCmd struct {
	File       string            `arg:"" help:"The CSV file; its first line names the columns." type:"existingfile"`
	Seller     domain.SellerID   `required:"" help:"Whose invoices they are; registered if need be." placeholder:"ID"`
	Currency   domain.Currency   `required:"" help:"The currency of the amounts." placeholder:"CUR"`
	Map        map[string]string `help:"Which column a field is in, where it can't be guessed." placeholder:"FIELD=COLUMN" mapsep:","`
	DateFormat string            `help:"How dates are written, such as M/D/YYYY; guessed when left out." placeholder:"FORMAT"`
	DryRun     bool              `help:"Say what would be done, and do nothing."`
	KeepGoing  bool              `help:"Leave bad lines out. Without it one bad line keeps the whole file out."`
}

// Help is shown by `urikake import receivables --help`.
func (importReceivablesCmd) Help() string {
	return `Fields: customer, number, issued_on, due_on, amount; and if there: paid_on, paid_amount, disputed, country, name.
They are guessed from the header and can be told with --map; FIELD= leaves a field out. The file may be UTF-8 or
Shift_JIS, with commas, semicolons or tabs.

An import can be repeated: what is there already is not booked again, and a longer list adds what is new.

  urikake import receivables open.csv --seller ACME --currency USD --dry-run
  urikake import receivables open.csv --seller ACME --currency USD --map number=DocNo --map amount=Gross
  urikake import receivables open.csv --seller ACME --currency USD --date-format D/M/YYYY --keep-going`
}

func (c *importReceivablesCmd) Run(ctx context.Context, s *session) error {
	data, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	plan, err := receivables.Read(data, receivables.Options{
		Seller: c.Seller, Currency: c.Currency, Map: c.Map,
		DateFormat: c.DateFormat, KeepGoing: c.KeepGoing, Actor: "import",
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.err, "reading %s\n", readAs(plan))
	dry := func(base eventstore.Store) receivables.Execute {
		return ledger.New(overlay.New(base), ledger.Codec(), nil).Execute
	}
	if !sqlite.Exists(s.dir) { // a slip shall leave no empty ledger behind
		if err := c.give(ctx, s, plan, dry(memory.New(time.Now)), nil); err != nil || c.DryRun {
			return err
		}
	}
	return s.with(ctx, true, func(ctx context.Context, o *office) error {
		live := o.ledger.Execute
		if c.DryRun {
			live = nil
		}
		if err := c.give(ctx, s, plan, dry(o.store), live); err != nil {
			return err
		}
		_, err = o.views.CatchUp(ctx)
		return err
	})
}

// give runs the whole import on a copy in memory first; only what passes there is done.
func (c *importReceivablesCmd) give(ctx context.Context, s *session, plan *receivables.Plan, dry, live receivables.Execute) error {
	bar := s.progress("import", 1)
	start := time.Now()
	result, err := plan.Run(ctx, dry, live, func(done, total int) { bar.set(int64(done), int64(total)) })
	bar.done()
	if err == nil && live == nil && !c.DryRun {
		return nil // it passed, and is done next
	}
	return errors.Join(c.show(s, result, time.Since(start), err), err)
}

// readAs tells which column was taken for which field.
func readAs(p *receivables.Plan) string {
	var fields []string
	for field, column := range p.Columns {
		fields = append(fields, field+"="+column)
	}
	slices.Sort(fields)
	return strings.Join(fields, ", ") + "; dates " + p.DateFormat
}

// show tells what was done, and every bad line.
func (c *importReceivablesCmd) show(s *session, r receivables.Result, took time.Duration, err error) error {
	if len(r.Bad) > 0 {
		sheet := export.Sheet{Columns: []export.Column{{Name: "line", Kind: export.Count}, {Name: "column"}, {Name: "reason"}}}
		for _, b := range r.Bad {
			sheet.Add(fmt.Sprint(b.Line), b.Column, b.Reason)
		}
		if err := sheet.Write(s.err, export.Table); err != nil {
			return err
		}
	}
	if err != nil && !errors.Is(err, receivables.ErrStopped) {
		return nil
	}
	done := "imported"
	if c.DryRun {
		done = "would import"
	}
	fmt.Fprintf(s.out, "%s %s, %s, %s; new: %s, %s (%s in %.1f s)\n", done, count(r.Invoices, "invoice"), count(r.Payments, "payment"),
		count(r.Disputes, "dispute"), count(r.Sellers, "seller"), count(r.Customers, "customer"), count(r.Lines, "line"), took.Seconds())
	if r.AlreadyThere > 0 {
		fmt.Fprintf(s.out, "already there: %s\n", count(r.AlreadyThere, "command"))
	}
	if n := r.BadLines(); n > 0 {
		fmt.Fprintf(s.out, "left out: %s\n", count(n, "line"))
	}
	return nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
