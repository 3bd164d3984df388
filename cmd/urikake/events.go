package main

import (
	"bytes"
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/urikake/urikake/eventstore"
)

type eventsCmd struct {
	Export eventsExportCmd `cmd:"" help:"Write the log as NDJSON, one event a line, in the log's order."`
	Import eventsImportCmd `cmd:"" help:"Write the events of such a file into a log that is empty."`
}

type eventsExportCmd struct {
	After  eventstore.Position `help:"Begin after this position." default:"0" placeholder:"POSITION"`
	Follow bool                `help:"Go on with new events as they come; needs --server."`
	Seller id                  `help:"Events of this seller only." placeholder:"ID"`
	Stream string              `help:"Events of this stream only." placeholder:"STREAM"`
	Kind   []string            `help:"Events of these kinds only; one that ends in a dot stands for all that begin so." placeholder:"KIND"`
}

const ndjson = "application/x-ndjson"

// Help is shown by `urikake events export --help`.
func (eventsExportCmd) Help() string {
	return `A reader that keeps the position of its last line gets what is new with --after. While following, an empty line now and
then shows that the connection lives.

  urikake events export > log.ndjson
  urikake events export --after 7500 | jq -r .kind
  urikake events export --seller YAMATO --kind account.payment_recorded,customer.
  urikake events export --stream account-YAMATO.K101.JPY
  urikake --server http://127.0.0.1:8080 events export --after 7500 --follow`
}

func (c *eventsExportCmd) Run(ctx context.Context, s *session) error {
	if c.Follow && s.server == "" {
		return errUsage.With("--follow needs --server: nobody else writes in a directory that is open here")
	}
	q := query("seller", string(c.Seller), "stream", c.Stream, "kind", strings.Join(c.Kind, ","))
	q.Set("after", strconv.FormatUint(uint64(c.After), 10))
	q.Set("sealed", "true")
	q.Set("follow", strconv.FormatBool(c.Follow))
	return s.ask(ctx, func(ctx context.Context, to *client) error {
		answer, err := to.send(ctx, request{path: "/v1/events", query: q, accept: ndjson})
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if c.Follow || isTerminal(s.out) { // a bar would stand between the lines
			_, err = io.Copy(s.out, answer.Body)
			return err
		}
		bar := s.progress("events", 0)
		defer bar.done()
		_, err = io.Copy(io.MultiWriter(s.out, lineCounter{bar}), answer.Body)
		return err
	})
}

// lineCounter counts the lines that are written to it.
type lineCounter struct{ bar *progress }

func (c lineCounter) Write(b []byte) (int, error) {
	c.bar.add(int64(bytes.Count(b, []byte("\n"))))
	return len(b), nil
}
