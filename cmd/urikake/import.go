package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/adapters/receivables"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/overlay"
)

type importCmd struct {
	Receivables importReceivablesCmd `cmd:"" help:"Bring in a CSV list of invoices, with their payments and disputes if it has them."`
}

type importReceivablesCmd struct {
	File       string            `arg:"" help:"The CSV file; its first line names the columns." type:"existingfile"`
	Seller     domain.SellerID   `required:"" help:"Whose invoices they are; registered if need be." placeholder:"ID"`
	Currency   domain.Currency   `required:"" help:"The currency of the amounts." placeholder:"CUR"`
	Map        map[string]string `help:"Which column a field is in, where it can't be guessed." placeholder:"FIELD=COLUMN" mapsep:","`
	DateFormat string            `help:"How dates are written, such as M/D/YYYY; guessed when left out."`
	DryRun     bool              `help:"Say what would be done, and do nothing."`
	KeepGoing  bool              `help:"Leave bad lines out. Without it one bad line keeps the whole file out."`
}

// Help is shown by `urikake import receivables --help`.
func (importReceivablesCmd) Help() string {
	return `Fields: customer, number, issued_on, due_on, amount; and if there: paid_on, paid_amount, disputed, country, name.
They are guessed from the header and can be told: --map number=DocNo --map amount=Gross

An import can be repeated: what is there already is not booked again.`
}

func (c *importReceivablesCmd) Run(ctx context.Context, s *session) error {
	data, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	plan, err := receivables.Read(data, receivables.Options{Seller: c.Seller, Currency: c.Currency, Map: c.Map,
		DateFormat: c.DateFormat, KeepGoing: c.KeepGoing, Actor: "import"})
	if err != nil {
		return err
	}
	return s.with(ctx, true, func(ctx context.Context, o *office) error {
		// The whole import runs on a copy in memory first; only what passes there is done.
		dry := ledger.New(overlay.New(o.store), ledger.Codec(), nil).Execute
		var live receivables.Execute
		if !c.DryRun {
			live = o.ledger.Execute
		}
		bar := s.progress("import", 1)
		start := time.Now()
		result, err := plan.Run(ctx, dry, live, func(done, total int) { bar.set(int64(done), int64(total)) })
		bar.done()
		if showErr := c.show(s, result, time.Since(start), err); showErr != nil {
			return showErr
		}
		if err == nil && !c.DryRun {
			_, err = o.views.CatchUp(ctx)
		}
		return err
	})
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
	would := "imported"
	if c.DryRun {
		would = "would import"
	}
	fmt.Fprintf(s.out, "%s from %d lines: %d invoices, %d payments, %d disputes; new: %d sellers, %d customers; already there: %d commands; left out: %d lines (%.1f s)\n",
		would, r.Lines, r.Invoices, r.Payments, r.Disputes, r.Sellers, r.Customers, r.AlreadyThere, r.BadLines(), took.Seconds())
	return nil
}

var _ receivables.Execute = (*ledger.Ledger)(nil).Execute

var _ eventstore.Clock = time.Now
