package audit

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"slices"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/sqlite"
	"github.com/urikake/urikake/projections"
)

// Received audits a log that comes as lines, such as a server's feed has them, in a scratch ledger of its own. views,
// which may be nil, says how its read models compare. Lines that are no log are a finding.
func Received(ctx context.Context, lines io.Reader, codec *eventstore.Codec, given Given,
	views func(context.Context) (projections.Comparison, error), tell func(done, total int64),
) (r *Report, err error) {
	scratch, err := os.MkdirTemp("", "urikake-audit-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	log, err := sqlite.Open(scratch, time.Now)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	store := eventstore.Carried(log)
	bad, err := receive(ctx, store.(eventstore.Importer), lines)
	if err != nil {
		return nil, err
	}
	b := Books{Store: store, Codec: codec, Count: int64(log.Stats().Events), Keys: given.Keys, Checkpoints: slices.Clone(given.Checkpoints)}
	if views != nil {
		b.Views = func(ctx context.Context, _ func(eventstore.Position) iter.Seq2[eventstore.Replayed, error]) (projections.Comparison, error) {
			return views(ctx)
		}
	}
	r, err = Verify(ctx, b, tell)
	if err == nil && bad != nil {
		r.add(*bad)
		r.OK = false
	}
	return r, err
}

// receive writes the lines into the scratch ledger. What is no event, or does not follow what came before, ends it with
// a finding.
func receive(ctx context.Context, to eventstore.Importer, lines io.Reader) (*Finding, error) {
	in := bufio.NewScanner(lines)
	in.Buffer(make([]byte, 1<<20), lineMax)
	var batch []eventstore.Recorded
	var bad *Finding
	for bad == nil && in.Scan() {
		if len(in.Bytes()) == 0 {
			continue // a sign of life
		}
		r, err := eventOf(in.Bytes())
		if err != nil {
			bad = &Finding{Rule: Unreadable, Text: "a line is no event: " + err.Error()}
			break
		}
		if batch = append(batch, r); len(batch) < importEvents {
			continue
		}
		if bad, err = take(ctx, to, batch); err != nil {
			return nil, err
		}
		batch = batch[:0]
	}
	if err := in.Err(); err != nil {
		return nil, err
	}
	late, err := take(ctx, to, batch)
	return cmp.Or(bad, late), err
}

// take writes a batch; the log ends where its events don't follow each other.
func take(ctx context.Context, to eventstore.Importer, batch []eventstore.Recorded) (*Finding, error) {
	err := to.Import(ctx, batch)
	var refusal *domain.Error
	if errors.Is(err, eventstore.ErrWrongVersion) && errors.As(err, &refusal) {
		return &Finding{Rule: LogOrder, Text: "the versions of a stream don't follow each other: " + refusal.Detail}, nil
	}
	return nil, err
}
