package main

import (
	"bufio"
	"context"
	"encoding/json"
	"time"

	"github.com/urikake/urikake/eventstore"
)

type eventsCmd struct {
	Export eventsExportCmd `cmd:"" help:"Write the log as NDJSON, one event a line, in the log's order."`
}

type eventsExportCmd struct {
	After eventstore.Position `help:"Begin after this position." default:"0" placeholder:"POSITION"`
}

// Help is shown by `urikake events export --help`.
func (eventsExportCmd) Help() string {
	return `A reader that keeps the position of its last line gets what is new with --after.

  urikake events export > log.ndjson
  urikake events export --after 7500 | jq -r .kind`
}

// exported is one line of an export.
type exported struct {
	Position   eventstore.Position `json:"position"`
	Stream     string              `json:"stream"`
	Version    eventstore.Version  `json:"version"`
	ID         string              `json:"id"`
	Kind       string              `json:"kind"`
	Schema     int                 `json:"schema"`
	RecordedAt string              `json:"recorded_at"`
	Data       json.RawMessage     `json:"data"`
	Metadata   json.RawMessage     `json:"metadata,omitempty"`
}

func (c *eventsExportCmd) Run(ctx context.Context, s *session) error {
	return s.with(ctx, false, func(ctx context.Context, o *office) error {
		head, err := o.store.Head(ctx)
		if err != nil {
			return err
		}
		w := bufio.NewWriterSize(s.out, 1<<16)
		bar := s.progress("events", int64(head-min(head, c.After)))
		defer bar.done()
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		if c.After < head {
			for r, err := range o.store.Follow(ctx, c.After) {
				if err != nil {
					return err
				}
				if err := enc.Encode(exported{
					r.Position, r.Stream, r.Version, r.ID.String(), r.Kind, r.Schema,
					r.At.Format(time.RFC3339Nano), r.Data, r.Metadata,
				}); err != nil {
					return err
				}
				if bar.add(1); r.Position >= head {
					break
				}
			}
		}
		return w.Flush()
	})
}
