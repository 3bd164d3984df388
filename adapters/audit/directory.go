package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/merkle"
	"github.com/urikake/urikake/eventstore/sqlite"
	"github.com/urikake/urikake/projections"
)

// Given is what an auditor brings along.
type Given struct {
	Keys        []string // public keys; those beside the ledger when empty
	Checkpoints []Note   // that were kept elsewhere
}

// Directory audits the ledger in a data directory, with the checkpoints that are kept there and those that are given.
// A log that is too damaged to be opened is a finding. Refuses log.locked, and what Verify refuses.
func Directory(ctx context.Context, dir string, codec *eventstore.Codec, given Given, tell func(done, total int64)) (r *Report, err error) {
	survey, err := sqlite.OpenSurvey(dir)
	if errors.Is(err, eventstore.ErrDamaged) {
		r = newReport(given.Keys)
		r.add(Finding{Rule: LogFile, Text: fmt.Sprintf("the log can't be opened: %v", err)})
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, survey.Close()) }()
	b := Books{Store: eventstore.Carried(survey), Codec: codec, Count: survey.Count(ctx), File: survey.Check, Name: survey.Name}
	return b.beside(ctx, dir, given, tell)
}

// Elsewhere audits a ledger whose log is not in its directory, where only what was folded and signed is.
func Elsewhere(ctx context.Context, dir string, store eventstore.Store, codec *eventstore.Codec, given Given, tell func(done, total int64)) (*Report, error) {
	b := Books{Store: store, Codec: codec}
	return b.beside(ctx, dir, given, tell)
}

// beside completes the books with what stands in the directory, and verifies them.
func (b Books) beside(ctx context.Context, dir string, given Given, tell func(done, total int64)) (*Report, error) {
	b.Keys, b.Checkpoints = given.Keys, slices.Clone(given.Checkpoints)
	scratch, err := os.MkdirTemp("", "urikake-audit-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	b.Views = func(ctx context.Context, replay func(eventstore.Position) iter.Seq2[eventstore.Replayed, error]) (projections.Comparison, error) {
		return projections.Compare(ctx, dir, scratch, projections.Log{Store: b.Store, Codec: b.Codec, Replay: replay}, nil)
	}
	if b.Tree, err = merkle.OpenStored(dir); err != nil {
		return nil, err
	}
	if b.Tree != nil {
		defer b.Tree.Close()
	}
	if err := b.stored(dir); err != nil {
		return nil, err
	}
	r, err := Verify(ctx, b, tell)
	if err == nil && len(given.Keys) == 0 && len(b.Keys) > 0 {
		r.note("the public key is the one beside the ledger; bring yours with --key")
	}
	return r, err
}

// stored takes the checkpoints that are kept beside the ledger, and its public keys if none is given.
func (b *Books) stored(dir string) error {
	names, notes, err := merkle.StoredNotes(dir)
	for _, name := range names {
		b.Checkpoints = append(b.Checkpoints, Note{name, notes[name]})
	}
	if err == nil && len(b.Keys) == 0 {
		b.Keys, err = merkle.PublicKeys(dir)
	}
	return err
}
