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
	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/adapters/receivables"
)

type importCmd struct {
	Receivables importReceivablesCmd `cmd:"" help:"Bring in a CSV list of invoices, with their payments and disputes if it has them."`
}

type importReceivablesCmd struct {
	File       string            `arg:"" help:"The CSV file; its first line names the columns." type:"existingfile"`
	Seller     id                `required:"" help:"Whose invoices they are; registered if need be." placeholder:"ID"`
	Currency   currency          `required:"" help:"The currency of the amounts." placeholder:"CUR"`
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
	if s.fresh() { // a slip shall leave no empty ledger behind
		err := s.rehearse(ctx, func(ctx context.Context, to *client) error { return c.give(ctx, s, to, true) })
		if err != nil || c.DryRun {
			return err
		}
	}
	return s.with(ctx, func(ctx context.Context, to *client) error { return c.give(ctx, s, to, c.DryRun) })
}

// give sends the file, dry or not, and tells what came of it.
func (c *importReceivablesCmd) give(ctx context.Context, s *session, to *client, dry bool) error {
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	q := query("currency", string(c.Currency), "date_format", c.DateFormat, "map", c.columns())
	q.Set("dry_run", fmt.Sprint(dry))
	q.Set("keep_going", fmt.Sprint(c.KeepGoing))
	bar := s.progress("import", 1)
	start := time.Now()
	result, err := work[httpapi.Imported](ctx, to, bar, request{
		path: "/v1/sellers/" + string(c.Seller) + "/imports/receivables", query: q, body: file,
		header: map[string]string{"Content-Type": "text/csv"}, accept: ndjson,
	})
	bar.done()
	if err == nil && dry && !c.DryRun {
		return nil // it passed, and is done next
	}
	return errors.Join(c.show(s, result, time.Since(start), err), err)
}

// columns writes --map as the ledger reads it.
func (c *importReceivablesCmd) columns() string {
	var pairs []string
	for field, column := range c.Map {
		pairs = append(pairs, field+"="+column)
	}
	slices.Sort(pairs)
	return strings.Join(pairs, ";")
}

// readAs tells which column was taken for which field.
func readAs(r httpapi.Imported) string {
	var fields []string
	for field, column := range r.Columns {
		fields = append(fields, field+"="+column)
	}
	slices.Sort(fields)
	return strings.Join(fields, ", ") + "; dates " + r.DateFormat
}

// show tells what was done, and every bad line.
func (c *importReceivablesCmd) show(s *session, r httpapi.Imported, took time.Duration, err error) error {
	if len(r.Columns) > 0 {
		fmt.Fprintf(s.err, "reading %s\n", readAs(r))
	}
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
	if r.LeftOut > 0 {
		fmt.Fprintf(s.out, "left out: %s\n", count(r.LeftOut, "line"))
	}
	return nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
