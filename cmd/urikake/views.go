package main

import (
	"context"
	"fmt"
	"time"

	"github.com/urikake/urikake/adapters/httpapi"
)

type viewsCmd struct {
	Status  viewsStatusCmd  `cmd:"" help:"Show how far each read model has come."`
	Rebuild viewsRebuildCmd `cmd:"" help:"Fold read models again from the log."`
}

type viewsStatusCmd struct{ shown }

// Help is shown by `urikake views status --help`.
func (viewsStatusCmd) Help() string {
	return `head is the log's newest position, lag how many positions a model has yet to fold (on EventStoreDB positions are bytes
of its log, not events); any report folds that first.
History and events are read from the log itself.`
}

func (c *viewsStatusCmd) Run(ctx context.Context, s *session) error {
	return s.show(ctx, c.Format, "/v1/views", nil)
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
	return s.ask(ctx, func(ctx context.Context, to *client) error {
		body, err := posted(httpapi.Wanted{Models: c.Name})
		if err != nil {
			return err
		}
		bar := s.progress("rebuild", 1)
		r, err := work[httpapi.Rebuilt](ctx, to, bar, request{
			path: "/v1/views/rebuild", body: body, header: map[string]string{"Content-Type": "application/json"}, accept: ndjson,
		})
		bar.done()
		if err != nil {
			return err
		}
		took := time.Duration(r.Millis) * time.Millisecond
		_, err = fmt.Fprintf(s.out, "folded %d events again in %s\n", r.Events, took)
		return err
	})
}
