// Package audit proves that the books are what was recorded: nothing changed, nothing removed, nothing slipped in. It
// trusts nobody but a public key and, where they were kept elsewhere, checkpoints.
package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/merkle"
	"github.com/urikake/urikake/projections"
)

// Books are what is audited.
type Books struct {
	Store       eventstore.Store // as commands read it; a Damaged one is read beyond its damage
	Codec       *eventstore.Codec
	Count       int64                                              // events, about
	Checkpoints []Note                                             // wherever they were kept
	Keys        []string                                           // public keys that may have signed them
	Tree        *merkle.Stored                                     // hashes as they were stored when events were recorded; nil: there are none
	File        func(context.Context) (faults []string, err error) // checks the store's file; nil: it has none
	Name        func(context.Context, []*eventstore.Lost)          // finds out whose events were lost; nil: nobody knows
	Views       Views                                              // compares the read models; nil: they are not
}

// Views compares read models with the log, whose events replay gives up to a position, if it does not read them itself.
type Views func(ctx context.Context, replay func(upTo eventstore.Position) iter.Seq2[eventstore.Replayed, error]) (projections.Comparison, error)

// Note is a checkpoint as it was kept.
type Note struct {
	Name string // of its file
	Text string
}

// Verify checks everything that can be checked, and goes on whatever it finds. The error says why it could not be done:
// an ended ctx, a log that can't be read at all. O(events + rows); in memory stand the
// aggregates of up to about a million events, a line a stream, and what waits: numbers without their documents, receipts
// without a payer. tell may be nil.
func Verify(ctx context.Context, b Books, tell func(done, total int64)) (*Report, error) {
	start := time.Now()
	r := newReport(b.Keys)
	keys, err := merkle.Verifiers(b.Keys...)
	if err != nil {
		return nil, err
	}
	parts := 1 + int(b.Count/partMax)
	v := &verification{Books: b, Report: r, keys: keys, parts: parts, total: int64(parts) * b.Count, tell: tell, feed: newFeed()}
	var wg sync.WaitGroup
	var failed [3]error
	for i, pass := range []func(context.Context) error{v.passes, v.file, v.views} {
		wg.Go(func() { failed[i] = pass(ctx) })
	}
	wg.Wait()
	slices.Sort(r.Notes) // as the passes come to them otherwise
	r.OK, r.Millis = len(r.Found) == 0, time.Since(start).Milliseconds()
	return r, errors.Join(failed[:]...)
}

type verification struct {
	Books
	*Report
	parts   int // of the streams, that are replayed one after the other
	across  *across
	feed    *feed
	keys    []note.Verifier
	done    atomic.Int64
	total   int64
	telling sync.Mutex
	tell    func(done, total int64)
}

// step tells that so many events more went through one of the passes.
func (v *verification) step(n int64) {
	done := v.done.Add(n)
	if v.tell != nil {
		v.telling.Lock()
		defer v.telling.Unlock()
		v.tell(done, v.total)
	}
}

func (v *verification) file(ctx context.Context) error {
	if v.File == nil {
		return nil
	}
	faults, err := v.File(ctx)
	for _, text := range faults {
		v.add(Finding{Rule: LogFile, Text: text})
	}
	return err
}

func (v *verification) views(ctx context.Context) error {
	defer v.feed.leave()
	if v.Views == nil {
		v.note("the read models were not compared")
		return nil
	}
	c, err := v.Views(ctx, v.feed.replay)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		v.add(Finding{Rule: ViewsFailed, Text: fmt.Sprintf("the read models could not be compared: %v", err)})
		return nil
	}
	v.Rows, v.ViewsAt = c.Rows, c.Position
	for _, d := range c.Differences {
		v.add(Finding{Rule: ViewsRow, Text: rowText(d)})
	}
	for n := int64(len(c.Differences)); n < c.Found; n++ {
		v.add(Finding{Rule: ViewsRow})
	}
	switch {
	case c.Position == 0:
		v.note("there are no read models yet: they are folded when they are asked for")
	case len(c.Stale) > 0:
		v.note("read models %v are of another version and will be folded again: they were not compared", c.Stale)
	}
	return nil
}

func rowText(d projections.RowDifference) string {
	switch {
	case d.Want == "":
		return fmt.Sprintf("%s, %s: the log gives no such row; it has %s", d.Table, d.Key, d.Have)
	case d.Have == "":
		return fmt.Sprintf("%s, %s: the row is missing; the log gives %s", d.Table, d.Key, d.Want)
	}
	return fmt.Sprintf("%s, %s: the log gives %s; it has %s", d.Table, d.Key, d.Want, d.Have)
}
