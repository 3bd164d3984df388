package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/merkle"
)

type auditProveCmd struct {
	Position eventstore.Position `arg:"" help:"Position of the event in the log."`
}

// Help is shown by `urikake audit prove --help`.
func (auditProveCmd) Help() string {
	return `The proof holds the event and a signed checkpoint of a log in which it stands. Whoever gets it learns nothing else of
the ledger.

  urikake audit prove 17 > proof.json
  urikake audit check-proof proof.json --key yamato.pub`
}

func (c *auditProveCmd) Run(ctx context.Context, s *session) error {
	if c.Position == 0 {
		return merkle.ErrBeyondTree.With("positions begin at 1")
	}
	return s.ask(ctx, func(ctx context.Context, to *client) error {
		var proof json.RawMessage
		if _, err := to.object(ctx, request{path: "/v1/audit/proofs/" + url.PathEscape(strconv.FormatUint(uint64(c.Position), 10))}, &proof); err != nil {
			return err
		}
		return indented(s.out, proof)
	})
}

type auditConsistencyCmd struct {
	Old string `arg:"" help:"File with the older checkpoint." type:"existingfile"`
	New string `arg:"" optional:"" help:"File with the newer one; the newest that the ledger has signed when left out." type:"existingfile"`
}

// Help is shown by `urikake audit consistency --help`.
func (auditConsistencyCmd) Help() string {
	return `The proof holds both signed notes, and what shows that the newer one's log begins with all events of the older one's,
unchanged and in their order. Whoever gets it learns no event. The signatures are checked by check-proof.

  urikake audit consistency 2026-09-30.note > proof.json
  urikake audit consistency 2026-09-30.note 2026-12-31.note > proof.json
  urikake audit check-proof proof.json --key yamato.pub`
}

// errOtherLedger refuses a note that the ledger has neither signed nor the events of.
var errOtherLedger = &domain.Error{Code: domain.Refused, Rule: "audit.other_ledger", Text: "the checkpoint is of another ledger"}

func (c *auditConsistencyCmd) Run(ctx context.Context, s *session) error {
	older, err := readCheckpoint(c.Old)
	if err != nil {
		return err
	}
	return s.ask(ctx, func(ctx context.Context, to *client) error {
		var mine httpapi.CheckpointList
		if _, err := to.object(ctx, request{path: "/v1/audit/checkpoints"}, &mine); err != nil {
			return err
		}
		newer, err := c.newer(mine)
		if err != nil {
			return err
		}
		p, err := consistent(ctx, to, mine, older, newer)
		if err != nil {
			return err
		}
		text, err := json.Marshal(p)
		if err != nil {
			return err
		}
		return indented(s.out, text)
	})
}

// newer is the note that was given, else the newest that the ledger has.
func (c *auditConsistencyCmd) newer(mine httpapi.CheckpointList) (merkle.Checkpoint, error) {
	if c.New != "" {
		return readCheckpoint(c.New)
	}
	if len(mine.Checkpoints) == 0 {
		return merkle.Checkpoint{}, merkle.ErrNoCheckpoint
	}
	return merkle.ParseCheckpoint(mine.Checkpoints[len(mine.Checkpoints)-1].Note, nil)
}

func readCheckpoint(file string) (merkle.Checkpoint, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return merkle.Checkpoint{}, err
	}
	c, err := merkle.ParseCheckpoint(string(b), nil)
	if refusal, ok := errors.AsType[*domain.Error](err); ok {
		return c, refusal.With("%s: %s", file, refusal.Detail)
	}
	return c, err
}

// consistent asks for the proof between two notes. What the log does not have is not proved.
func consistent(ctx context.Context, to *client, mine httpapi.CheckpointList, older, newer merkle.Checkpoint) (p merkle.ConsistencyProof, err error) {
	if older.Size > newer.Size {
		return p, merkle.ErrBadSizes.With("the first checkpoint has %d events, the second %d: give the older one first", older.Size, newer.Size)
	}
	var c merkle.Consistency
	_, err = to.object(ctx, request{path: "/v1/audit/consistency", query: url.Values{
		"from": {strconv.FormatInt(older.Size, 10)}, "to": {strconv.FormatInt(newer.Size, 10)},
	}}, &c)
	if err != nil && !errors.Is(err, merkle.ErrBeyondTree) {
		return p, err
	}
	names, bad := signers(mine)
	if bad != nil {
		return p, bad
	}
	for _, side := range []struct {
		merkle.Checkpoint
		same bool
	}{{older, c.FromRoot == older.Root}, {newer, c.ToRoot == newer.Root}} {
		if !side.same && !slices.Contains(names, side.Origin) {
			return p, errOtherLedger.With("the one of %d events is of %s, this ledger signs as %s", side.Size, side.Origin, strings.Join(names, ", "))
		}
	}
	switch {
	case err != nil:
		return p, err
	case c.FromRoot != older.Root:
		return p, merkle.ErrForked.With("its first %d events are not those of the checkpoint of %s", older.Size, older.Time.Format(time.RFC3339))
	case c.ToRoot != newer.Root:
		return p, merkle.ErrForked.With("its first %d events are not those of the checkpoint of %s", newer.Size, newer.Time.Format(time.RFC3339))
	}
	p = merkle.ConsistencyProof{Format: merkle.ConsistencyFormat, From: older.Note, To: newer.Note, Path: c.Path}
	_, _, err = p.Check(nil)
	return p, err
}

// signers are the names under which a ledger signs.
func signers(mine httpapi.CheckpointList) (names []string, err error) {
	keys, err := merkle.Verifiers(mine.Keys...)
	for _, k := range keys {
		names = append(names, k.Name())
	}
	slices.Sort(names)
	return slices.Compact(names), err
}

type auditCheckProofCmd struct {
	File string   `arg:"" help:"File with the proof, of an event or of consistency." type:"existingfile"`
	Key  []string `required:"" help:"The ledger's public key, or a file with it." sep:"none" placeholder:"KEY"`
}

func (c *auditCheckProofCmd) Run(s *session) error {
	keys, err := publicKeys(c.Key)
	if err != nil {
		return err
	}
	verifiers, err := merkle.Verifiers(keys...)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	var proved string
	switch format := merkle.FormatOf(b); format {
	case merkle.EventFormat:
		proved, err = checkEvent(b, verifiers)
	case merkle.ConsistencyFormat:
		proved, err = checkConsistency(b, verifiers)
	default:
		err = merkle.ErrBadProof.With("its format is %.40q, want %s or %s", format, merkle.EventFormat, merkle.ConsistencyFormat)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, proved)
	return err
}

// checkEvent says what a proof of an event proves.
func checkEvent(b []byte, keys []note.Verifier) (string, error) {
	p, err := merkle.ReadProof(b)
	if err != nil {
		return "", err
	}
	signed, err := p.Check(keys)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s of %s, recorded %s, is event %d of the %d that %s signed for on %s",
		p.Event.Kind, p.Event.Stream, p.Event.RecordedAt, p.Index+1, signed.Size, signed.Origin, signed.Time.Format(time.RFC3339)), nil
}

// checkConsistency says what a proof of consistency proves.
func checkConsistency(b []byte, keys []note.Verifier) (string, error) {
	p, err := merkle.ReadConsistency(b)
	if err != nil {
		return "", err
	}
	from, to, err := p.Check(keys)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("the %d events that %s signed for on %s begin with the %d that %s signed for on %s: none of those %[4]d was changed, removed or moved",
		to.Size, to.Origin, to.Time.Format(time.RFC3339), from.Size, from.Origin, from.Time.Format(time.RFC3339)), nil
}
