package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urikake/urikake/adapters/audit"
	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/merkle"
	"github.com/urikake/urikake/eventstore/privacy"
	"github.com/urikake/urikake/projections"
)

type auditCmd struct {
	Keygen      auditKeygenCmd      `cmd:"" help:"Make the key that signs checkpoints, and print its public half."`
	Checkpoint  auditCheckpointCmd  `cmd:"" help:"Sign what the log is now, and print it to be kept elsewhere."`
	Verify      auditVerifyCmd      `cmd:"" help:"Prove that nothing was changed, removed or slipped in."`
	Prove       auditProveCmd       `cmd:"" help:"Prove that an event stands in the log."`
	Consistency auditConsistencyCmd `cmd:"" help:"Prove that the log of one checkpoint begins with that of an older one."`
	Trail       auditTrailCmd       `cmd:"" help:"Show who read what, and prove that no line of that was touched."`
	CheckProof  auditCheckProofCmd  `cmd:"" help:"Check such a proof, without any ledger."`
}

type auditKeygenCmd struct {
	Name string `help:"Whose log it is: stands in every checkpoint." default:"urikake" placeholder:"NAME"`
}

// Help is shown by `urikake audit keygen --help`.
func (auditKeygenCmd) Help() string {
	return `The key is written into the data directory (audit.key, for its owner only). What is printed is the public half: give it
to the auditor, or publish it. Whoever has it can check checkpoints and proofs; it can't sign any.

  urikake audit keygen --name ledger.example/yamato > yamato.pub`
}

func (c *auditKeygenCmd) Run(s *session) error {
	switch {
	case s.server != "":
		return errUsage.With("audit keygen writes into the directory of the ledger, on its machine; leave --server out")
	case s.fresh():
		return errNothingThere(s)
	}
	public, err := merkle.Keygen(s.dir, c.Name)
	if err != nil {
		return err
	}
	fmt.Fprintln(s.err, "keep this public key where nobody who can write the ledger can: it checks checkpoints and proofs")
	_, err = fmt.Fprintln(s.out, public)
	return err
}

type auditCheckpointCmd struct{}

// Help is shown by `urikake audit checkpoint --help`.
func (auditCheckpointCmd) Help() string {
	return `The checkpoint is a signed note: how many events there are, the root of the hash tree over them, and when. Beside the log
it is kept, too; but only one that is kept elsewhere proves anything against somebody who can write there.

  urikake audit checkpoint > 2026-12-31.note
  urikake --server https://ledger.example audit checkpoint > 2026-12-31.note`
}

func (auditCheckpointCmd) Run(ctx context.Context, s *session) error {
	return s.ask(ctx, func(ctx context.Context, to *client) error {
		var c httpapi.Checkpoint
		if err := to.order(ctx, "/v1/audit/checkpoint", httpapi.WantedCheckpoint{}, &c); err != nil {
			return err
		}
		_, err := io.WriteString(s.out, c.Note)
		return err
	})
}

type auditVerifyCmd struct {
	Checkpoint []string `help:"A checkpoint that was kept elsewhere; may be given several times." type:"existingfile" placeholder:"FILE"`
	Key        []string `help:"A public key that is trusted, or a file with it; may be given several times; those beside the ledger when left out." sep:"none" placeholder:"KEY"`
	Format     string   `help:"text or json." enum:"text,json" default:"text"`
}

// Help is shown by `urikake audit verify --help`.
func (auditVerifyCmd) Help() string {
	return `Reads the whole log and hashes it again; compares with every checkpoint, with the hash tree that was kept when events
were recorded, and with the read models, row by row; replays every aggregate and adds up every journal entry. Whatever
is wrong is told with its place, and the exit code is 1.

In its directory a ledger is read whatever is damaged in it, and nobody else may have it open. With --server the log is
fetched and checked on this machine; the server only compares its read models.

  urikake audit verify
  urikake audit verify --key yamato.pub --checkpoint 2026-12-31.note
  urikake --server https://ledger.example audit verify --key yamato.pub --checkpoint 2026-12-31.note --format json`
}

// errFound is the exit code of an audit that found something.
var errFound = &domain.Error{Code: domain.Refused, Rule: "audit.found", Text: "the audit found what is not as it should be"}

func (c *auditVerifyCmd) Run(ctx context.Context, s *session) error {
	given, err := c.given()
	if err != nil {
		return err
	}
	bar := s.progress("verify", 0)
	verify := c.directory
	if s.server != "" {
		verify = c.remote
	}
	r, err := verify(ctx, s, given, func(done, total int64) { bar.set(done, total) })
	bar.done()
	if err != nil {
		return err
	}
	if err := c.show(s.out, r); err != nil || r.OK {
		return err
	}
	var found int64
	for _, n := range r.Found {
		found += n
	}
	return errFound.With("findings: %d", found)
}

func (c *auditVerifyCmd) show(w io.Writer, r *audit.Report) error {
	if c.Format == "json" {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	}
	return r.Write(w)
}

// given reads what the auditor brings along.
func (c *auditVerifyCmd) given() (g audit.Given, err error) {
	if g.Keys, err = publicKeys(c.Key); err != nil {
		return g, err
	}
	for _, name := range c.Checkpoint {
		b, err := os.ReadFile(name)
		if err != nil {
			return g, err
		}
		g.Checkpoints = append(g.Checkpoints, audit.Note{Name: filepath.Base(name), Text: string(b)})
	}
	return g, nil
}

// publicKeys are keys as typed, or in files. A file without any is refused: to ask for no key is to trust every signature.
func publicKeys(typed []string) (keys []string, err error) {
	for _, key := range typed {
		b, err := os.ReadFile(key)
		if err != nil {
			keys = append(keys, key)
			continue
		}
		inFile := strings.Fields(string(b))
		if len(inFile) == 0 {
			return nil, merkle.ErrBadKey.With("%s is empty", key)
		}
		keys = append(keys, inFile...)
	}
	_, err = merkle.Verifiers(keys...)
	return keys, err
}

func (c *auditVerifyCmd) directory(ctx context.Context, s *session, given audit.Given, tell func(done, total int64)) (*audit.Report, error) {
	if s.fresh() {
		return nil, errNothingThere(s)
	}
	if s.store != "" {
		return c.elsewhere(ctx, s, given, tell)
	}
	keys, err := s.privacy()
	if err != nil {
		return nil, err
	}
	r, err := audit.Directory(ctx, s.dir, ledger.Sealing(keys), given, tell)
	if errors.Is(err, eventstore.ErrLocked) {
		err = eventstore.ErrLocked.With("%s; a ledger that is served is audited through its server: --server http://127.0.0.1:8080", s.dir)
	}
	return r, err
}

// elsewhere reads a log on a cluster.
func (c *auditVerifyCmd) elsewhere(ctx context.Context, s *session, given audit.Given, tell func(done, total int64)) (r *audit.Report, err error) {
	o, err := s.open(time.Now)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	return audit.Elsewhere(ctx, s.dir, o.store, o.codec, given, tell)
}

// remote fetches the log of a server and audits it here.
func (c *auditVerifyCmd) remote(ctx context.Context, s *session, given audit.Given, tell func(done, total int64)) (r *audit.Report, err error) {
	err = s.ask(ctx, func(ctx context.Context, to *client) error {
		var list httpapi.CheckpointList
		if _, err := to.object(ctx, request{path: "/v1/audit/checkpoints"}, &list); err != nil {
			return err
		}
		for _, k := range list.Checkpoints {
			given.Checkpoints = append(given.Checkpoints, audit.Note{Name: fmt.Sprintf("the server's of %d events", k.Size), Text: k.Note})
		}
		trusted := len(given.Keys) > 0
		if !trusted {
			given.Keys = list.Keys
		}
		answer, err := to.send(ctx, request{path: "/v1/events", query: url.Values{"sealed": {"true"}}, accept: ndjson})
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		r, err = audit.Received(ctx, answer.Body, ledger.Sealing(privacy.Blind()), given, to.compareViews, tell)
		if err == nil && !trusted {
			r.Notes = append(r.Notes, "the public key is the server's own word; bring yours with --key")
		}
		return err
	})
	return r, err
}

// compareViews asks the server to compare its read models.
func (c *client) compareViews(ctx context.Context) (projections.Comparison, error) {
	var unseen progress
	r, err := work[httpapi.ViewsCompared](ctx, c, &unseen, request{
		path: "/v1/views/compare", body: strings.NewReader("{}"), header: map[string]string{"Content-Type": "application/json"}, accept: ndjson,
	})
	return r.Comparison(), err
}
