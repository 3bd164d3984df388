package merkle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// Proof shows that one event stands in a log at its place: whoever has a public key checks it without the log.
type Proof struct {
	Format     string           `json:"format" doc:"urikake-proof-1"`
	Index      int64            `json:"index" doc:"the event's place in the log, from 0"`
	Event      eventstore.Line  `json:"event" doc:"the event that is proved"`
	Path       tlog.RecordProof `json:"path" doc:"hashes from the leaf's neighbour up to the root's child: RFC 6962's audit path"`
	Checkpoint string           `json:"checkpoint" doc:"the signed note of the tree in which the event stands"`
}

// EventFormat is what a proof of an event says that it is.
const EventFormat = "urikake-proof-1"

var ErrBadProof = &domain.Error{
	Code: domain.Refused, Rule: "audit.bad_proof",
	Text: "the proof does not hold",
}

// Prove proves the event at a position by the newest checkpoint, or by a new one if that is older than the event.
// Refuses audit.no_such_event, and what Checkpoint refuses. O(log n) reads.
func (l *Log) Prove(ctx context.Context, at eventstore.Position, now time.Time) (p Proof, err error) {
	err = l.with(ctx, func() error {
		if err := l.follow(ctx); err != nil {
			return err
		}
		index, err := l.index(at)
		if err != nil {
			return err
		}
		c := l.last
		if c.Size <= index {
			s, err := signer(l.data)
			if err != nil {
				return err
			}
			if c, err = l.sign(s, 0, now); err != nil {
				return err
			}
		}
		p, err = l.prove(ctx, c, index, at)
		return err
	})
	return p, err
}

func (l *Log) prove(ctx context.Context, c Checkpoint, index int64, at eventstore.Position) (Proof, error) {
	path, err := tlog.ProveRecord(c.Size, index, l.files)
	if err != nil {
		return Proof{}, unavailable(err)
	}
	for r, err := range l.store.Follow(ctx, at-1) {
		if err != nil {
			return Proof{}, err
		}
		p := Proof{Format: EventFormat, Index: index, Event: eventstore.LineOf(r), Path: path, Checkpoint: c.Note}
		if _, err := p.Check(nil); err != nil { // what does not hold must not leave the house
			return Proof{}, ErrForked.With("position %d: %v", at, err)
		}
		return p, nil
	}
	return Proof{}, ctx.Err()
}

// Check proves again, from nothing but the proof and public keys. Refuses audit.bad_proof, audit.bad_checkpoint,
// audit.bad_signature. Without keys the signature is not looked at.
func (p Proof) Check(keys []note.Verifier) (Checkpoint, error) {
	if p.Format != EventFormat {
		return Checkpoint{}, ErrBadProof.With("its format is %.40q, want %s", p.Format, EventFormat)
	}
	c, err := ParseCheckpoint(p.Checkpoint, keys)
	if err != nil {
		return c, err
	}
	r, err := p.Event.Recorded()
	if err != nil {
		return c, err
	}
	leaf := LeafHash(p.Index, r)
	if p.Index < 0 || p.Index >= c.Size || tlog.CheckRecord(p.Path, c.Size, c.Root, p.Index, leaf) != nil {
		return c, ErrBadProof.With("this event is not the %d-th of the %d events of the checkpoint of %s", p.Index+1, c.Size, c.Time.Format(time.RFC3339))
	}
	return c, nil
}

// ReadProof reads a proof strictly. Refuses audit.bad_proof.
func ReadProof(b []byte) (p Proof, err error) {
	err = readStrictly(b, &p)
	return p, err
}

// FormatOf tells of which kind a proof is; "" where it does not say.
func FormatOf(b []byte) string {
	var p struct {
		Format string `json:"format"`
	}
	_ = json.Unmarshal(b, &p) // reading it will tell why it can't be read
	return p.Format
}

// readStrictly reads a proof that is written as it was made, blanks between tokens aside: another spelling of the same
// would be a change that nobody notices.
func readStrictly(b []byte, proof any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(proof); err != nil {
		return ErrBadProof.With("it can't be read: %v", err)
	}
	var have, want bytes.Buffer
	e := json.NewEncoder(&want)
	e.SetEscapeHTML(false)
	if err := errors.Join(json.Compact(&have, b), e.Encode(proof)); err != nil {
		return ErrBadProof.With("it can't be read: %v", err)
	}
	if !bytes.Equal(have.Bytes(), bytes.TrimSuffix(want.Bytes(), []byte("\n"))) {
		return ErrBadProof.With("it is not written as it was made: its members stand in another order, twice, or are spelled otherwise")
	}
	return nil
}
