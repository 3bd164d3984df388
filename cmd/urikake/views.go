package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/eventstore"
)

type viewsCmd struct {
	Status  viewsStatusCmd  `cmd:"" help:"Show how far each read model has come."`
	Rebuild viewsRebuildCmd `cmd:"" help:"Fold read models again from the log."`
}

type viewsStatusCmd struct {
	Format export.Format `help:"table, csv or json." enum:"table,csv,json" default:"table"`
}

// feeds tells what stands on each read model.
var feeds = map[string]string{
	"items":   "report aging, balances, invoices, statement, unapplied",
	"parties": "names and time zones, everywhere",
}

// Help is shown by `urikake views status --help`.
func (viewsStatusCmd) Help() string {
	return `head is the log's newest position, lag how much a model has yet to fold; any report folds that first.
History and events are read from the log itself.`
}

func (c *viewsStatusCmd) Run(ctx context.Context, s *session) error {
	return s.with(ctx, false, func(ctx context.Context, o *office) error {
		list, err := o.views.Status(ctx)
		if err != nil {
			return err
		}
		sheet := export.Sheet{Columns: []export.Column{
			{Name: "model"},
			{Name: "version", Kind: export.Count},
			{Name: "position", Kind: export.Count},
			{Name: "head", Kind: export.Count},
			{Name: "lag", Kind: export.Count},
			{Name: "rows", Kind: export.Count},
			{Name: "feeds"},
		}}
		number := func(n eventstore.Position) string { return strconv.FormatUint(uint64(n), 10) }
		for _, m := range list {
			sheet.Add(m.Name, strconv.Itoa(m.Version), number(m.Position), number(m.Head), number(m.Lag), strconv.FormatInt(m.Rows, 10), feeds[m.Name])
		}
		return sheet.Write(s.out, c.Format)
	})
}

type viewsRebuildCmd struct {
	Name []string `arg:"" optional:"" help:"Read models to rebuild; all of them when none is named."`
}

// Help is shown by `urikake views rebuild --help`.
func (viewsRebuildCmd) Help() string {
	return `New tables are folded beside the old ones and then take their place. No event is lost or changed by it.

  urikake views rebuild
  urikake views rebuild items`
}

func (c *viewsRebuildCmd) Run(ctx context.Context, s *session) error {
	return s.with(ctx, false, func(ctx context.Context, o *office) error {
		bar := s.progress("rebuild", 1)
		defer bar.done()
		start := time.Now()
		var events eventstore.Position
		err := o.views.Rebuild(ctx, func(done, total eventstore.Position) {
			events = done
			bar.set(int64(done), int64(total))
		}, c.Name...)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "folded %d events again in %s\n", events, time.Since(start).Round(time.Millisecond))
		return nil
	})
}
