package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urikake/urikake/adapters/audit"
	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/merkle"
)

type eventsCmd struct {
	Export eventsExportCmd `cmd:"" help:"Write the log as NDJSON, one event a line, in the log's order."`
	Import eventsImportCmd `cmd:"" help:"Take a whole log over, as it was exported, into an empty ledger."`
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
	return `A whole log ends in a line of its own, the trailer: how many events there are, what they hash to, and the ledger's
signature where it has a key. It is what urikake events import asks for, and tells a whole file from one that was cut off.

A reader that keeps the position of its last event gets what is new with --after. While following, an empty line now and
then shows that the connection lives. Neither has a trailer, nor what is of one seller, stream or kind.

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
		if c.Follow {
			_, err = io.Copy(s.out, answer.Body)
			return err
		}
		out, done := s.counted()
		defer done()
		if !c.whole() {
			_, err = io.Copy(out, answer.Body)
			return err
		}
		sealed := audit.NewSealer(out)
		if _, err := io.Copy(sealed, answer.Body); err != nil {
			return err
		}
		return c.seal(ctx, s, to, sealed)
	})
}

// whole tells whether all events are wanted.
func (c *eventsExportCmd) whole() bool {
	return c.After == 0 && c.Seller == "" && c.Stream == "" && len(c.Kind) == 0
}

// seal writes the trailer, signed if the ledger has a key. Who may not see all events gets none.
func (c *eventsExportCmd) seal(ctx context.Context, s *session, to *client, sealed *audit.Sealer) error {
	var signed httpapi.Checkpoint
	err := to.order(ctx, "/v1/audit/checkpoint", httpapi.WantedCheckpoint{Size: sealed.Count()}, &signed)
	switch {
	case errors.Is(err, httpapi.ErrForbidden), errors.Is(err, httpapi.ErrOtherSeller):
		fmt.Fprintln(s.err, "urikake: this key may not see every event, so what was written is a part of the log and has no trailer")
		return nil
	case errors.Is(err, merkle.ErrNoKey), errors.Is(err, merkle.ErrBeyondTree) && sealed.Count() == 0:
		return sealed.Seal("")
	case err != nil:
		return err
	}
	return sealed.Seal(signed.Note)
}

// counted is standard output; on a terminal beside which it goes elsewhere, a bar counts its lines.
func (s *session) counted() (out io.Writer, done func()) {
	if isTerminal(s.out) { // a bar would stand between the lines
		return s.out, func() {}
	}
	bar := s.progress("events", 0)
	return io.MultiWriter(s.out, lineCounter{bar}), bar.done
}

// lineCounter counts the lines that are written to it.
type lineCounter struct{ bar *progress }

func (c lineCounter) Write(b []byte) (int, error) {
	c.bar.add(int64(bytes.Count(b, []byte("\n"))))
	return len(b), nil
}

type eventsImportCmd struct {
	File string   `arg:"" help:"A whole log, as urikake events export wrote it." type:"existingfile"`
	Key  []string `help:"A public key, or a file with it, that must have signed the file." sep:"none" placeholder:"KEY"`

	WithKeys string `help:"The keys of personal data of that ledger, to be copied to this one." placeholder:"DIR" type:"existingdir"`
}

// Help is shown by `urikake events import --help`.
func (eventsImportCmd) Help() string {
	return `Every event comes with the instant at which it was first recorded, its id and every byte, into a directory without a
ledger. The file is read to its end before anything is written: one that was cut off or changed is refused. What was
written is read again, and must hash to what the file says. An import that was broken off is taken up by the same command.

  urikake events export > log.ndjson
Personal data in the file is sealed, under keys that are not in it.

  urikake --data ./elsewhere events import log.ndjson --key yamato.pub --with-keys ./books/keys`
}

func (c *eventsImportCmd) Run(ctx context.Context, s *session) (err error) {
	if s.server != "" {
		return errUsage.With("events import writes into a directory of this machine; leave --server out")
	}
	keys, err := publicKeys(c.Key)
	if err != nil {
		return err
	}
	verifiers, err := merkle.Verifiers(keys...)
	if err != nil {
		return err
	}
	file := func() (io.ReadCloser, error) { return os.Open(c.File) }
	personal, err := s.keysFrom(c.WithKeys)
	if err != nil {
		return err
	}
	codec, now := ledger.Sealing(personal), time.Now()
	bar := s.progress("import", 0)
	defer bar.done()
	if s.fresh() { // a file that is refused shall leave no empty ledger behind
		in, err := file()
		if err != nil {
			return err
		}
		_, err = audit.CheckExport(in, codec, verifiers, now, func(done int64) { bar.set(done, 0) })
		if err = errors.Join(named(err), in.Close()); err != nil {
			return err
		}
	}
	if err := s.takeKeys(c.WithKeys, personal); err != nil {
		return err
	}
	o, err := s.open(time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	t, err := audit.Import(ctx, o.store, file, codec, verifiers, now, bar.set)
	if err == nil {
		_, err = fmt.Fprintf(s.out, "took over %s; their root is what the file says: %s\n", counted(int64(t.Count), "event"), t.Root)
	}
	return err
}
