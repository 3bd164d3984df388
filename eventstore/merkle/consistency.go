package merkle

import (
	"context"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/urikake/urikake/domain"
)

// Consistency shows that a log of To events begins with the From events that it had before.
type Consistency struct {
	From     int64          `json:"from"`
	FromRoot tlog.Hash      `json:"from_root"`
	To       int64          `json:"to"`
	ToRoot   tlog.Hash      `json:"to_root"`
	Path     tlog.TreeProof `json:"path"` // RFC 6962's consistency proof
}

// ConsistencyProof shows it of two signed checkpoints: whoever has a public key checks it without the log.
type ConsistencyProof struct {
	Format string         `json:"format"`
	From   string         `json:"from"` // the older signed note
	To     string         `json:"to"`   // the newer one
	Path   tlog.TreeProof `json:"path"`
}

// ConsistencyFormat is what such a proof says that it is.
const ConsistencyFormat = "urikake-consistency-1"

var ErrBadSizes = &domain.Error{
	Code: domain.Invalid, Rule: "audit.bad_sizes",
	Text: "a proof of consistency goes from a log of one event or more to one of as many or more",
}

// Consistency proves that the log's first to events begin with its first from; to 0 is the newest checkpoint's. Refuses
// audit.bad_sizes, audit.no_such_event beyond the log, audit.no_checkpoint where there is none, and what CatchUp
// refuses. O(log n) reads.
func (l *Log) Consistency(ctx context.Context, from, to int64) (c Consistency, err error) {
	err = l.with(ctx, func() error {
		if err := l.follow(ctx); err != nil {
			return err
		}
		if to == 0 {
			if to = l.last.Size; to == 0 {
				return ErrNoCheckpoint
			}
			if err := l.agrees(l.last); err != nil {
				return err
			}
		}
		switch size := l.edge.Size(); {
		case from < 1 || from > to:
			return ErrBadSizes.With("from %d to %d", from, to)
		case to > size:
			return ErrBeyondTree.With("there are %d events, a proof from %d to %d is asked for", size, from, to)
		}
		c, err = consistency(from, to, l.files)
		return err
	})
	return c, err
}

func consistency(from, to int64, stored tlog.HashReader) (c Consistency, err error) {
	c.From, c.To = from, to
	if c.FromRoot, err = tlog.TreeHash(from, stored); err != nil {
		return c, unavailable(err)
	}
	if c.ToRoot, err = tlog.TreeHash(to, stored); err != nil {
		return c, unavailable(err)
	}
	if c.Path, err = tlog.ProveTree(to, from, stored); err != nil {
		return c, unavailable(err)
	}
	if err := tlog.CheckTree(c.Path, to, c.ToRoot, from, c.FromRoot); err != nil { // what does not hold must not leave the house
		return c, ErrForked.With("from %d to %d events: %v", from, to, err)
	}
	return c, nil
}

// Check proves again, from nothing but the proof and public keys, that the newer checkpoint's log begins with the older
// one's, and gives both. Refuses audit.bad_proof, audit.bad_sizes, audit.bad_checkpoint, audit.bad_signature. Without
// keys signatures are not looked at.
func (p ConsistencyProof) Check(keys []note.Verifier) (from, to Checkpoint, err error) {
	if p.Format != ConsistencyFormat {
		return from, to, ErrBadProof.With("its format is %.40q, want %s", p.Format, ConsistencyFormat)
	}
	for _, side := range []struct {
		c     *Checkpoint
		note  string
		field string
	}{{&from, p.From, "/from"}, {&to, p.To, "/to"}} {
		if *side.c, err = ParseCheckpoint(side.note, keys); err != nil {
			return from, to, err.(*domain.Error).At(side.field)
		}
	}
	switch {
	case from.Size < 1 || from.Size > to.Size:
		return from, to, ErrBadSizes.With("from %d to %d", from.Size, to.Size)
	case from.Size == to.Size && from.Root != to.Root:
		return from, to, ErrBadProof.With("two logs of %d events were signed, on %s and on %s: their roots differ", from.Size, day(from), day(to))
	case tlog.CheckTree(p.Path, to.Size, to.Root, from.Size, from.Root) != nil:
		return from, to, ErrBadProof.With("it does not show that the %d events signed on %s begin with the %d signed on %s", to.Size, day(to), from.Size, day(from))
	}
	return from, to, nil
}

func day(c Checkpoint) string { return c.Time.Format(time.RFC3339) }

// ReadConsistency reads such a proof strictly. Refuses audit.bad_proof.
func ReadConsistency(b []byte) (p ConsistencyProof, err error) {
	err = readStrictly(b, &p)
	return p, err
}
