package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/urikake/urikake/adapters/audit"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/merkle"
)

// audits measures what tamper evidence costs: hashing the log, a whole audit, one proof.
func audits(ctx context.Context, dir string, o Options) (results []Result, err error) {
	at := filepath.Join(dir, "audit")
	defer os.RemoveAll(at)
	err = keptFor(ctx, at, o, func(b *books) error {
		if results, err = trees(ctx, b, o); err != nil {
			return err
		}
		o.tell("folding")
		_, err := b.views.CatchUp(ctx)
		return err
	})
	if err != nil {
		return results, err
	}
	o.tell("auditing")
	start := time.Now()
	r, err := audit.Directory(ctx, at, codecOf(at), audit.Given{}, nil)
	if err != nil {
		return results, err
	}
	if !r.OK || r.Covered != r.Events {
		return results, fmt.Errorf("the audit of a sound ledger found %v", r.Findings)
	}
	return append(results, Result{
		Name: fmt.Sprintf("verify, %d events", r.Events), Value: float64(r.Events) / time.Since(start).Seconds(), Unit: "events/s", Goal: "100000",
	}), nil
}

const replayRounds = 5

// replays compares a replay with one that also makes the hash tree. They take turns, as the machine is not the same from
// one second to the next; the first round warms up and is not counted. The share is the median of the rounds' own.
func replays(ctx context.Context, b *books, o Options) ([]Result, error) {
	var alone, hashed, share []float64
	for round := range 1 + replayRounds {
		o.tell("replaying, and replaying and hashing: round %d of %d", round, replayRounds)
		runtime.GC()
		a, err := replay(ctx, b)
		if err != nil {
			return nil, err
		}
		runtime.GC()
		h, err := replayHashed(ctx, b)
		if err != nil {
			return nil, err
		}
		if round > 0 {
			alone, hashed, share = append(alone, a), append(hashed, h), append(share, 100*h/a)
		}
	}
	return []Result{
		{Name: "replay", Value: median(alone), Unit: "events/s"},
		{Name: "replay that also makes the hash tree", Value: median(hashed), Unit: "events/s"},
		{Name: "of a replay's events, while it makes the hash tree", Value: median(share), Unit: "%", Goal: "90"},
	}, nil
}

// replayHashed is replay with the tree made on the way, as an audit does it.
func replayHashed(ctx context.Context, b *books) (float64, error) {
	head, err := b.store.Head(ctx)
	if err != nil {
		return 0, err
	}
	codec := b.codec
	work := func(h *merkle.Hasher, l *merkle.Leaf) {
		l.Hash = h.Leaf(l.Index, &l.Recorded)
		l.Event, l.Bad = codec.Decode(l.Recorded)
	}
	var edge merkle.Frontier
	start := time.Now()
	for l, err := range merkle.Ahead(eventstore.UpTo(ctx, b.store, 0, head), 0, work) {
		if err := errors.Join(err, l.Bad); err != nil {
			return 0, err
		}
		edge.Add(l.Hash)
	}
	return float64(edge.Size()) / time.Since(start).Seconds(), nil
}

// keptFor works with a filled ledger, and leaves it there.
func keptFor(ctx context.Context, dir string, o Options, work func(b *books) error) (err error) {
	b, err := open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.views.Close(), b.store.Close()) }()
	o.tell("writing a ledger of %d invoices", o.Invoices)
	if err := register(ctx, b.ledger, o.Accounts); err != nil {
		return err
	}
	if err := fill(ctx, b.store, b.codec, o.Accounts, o.Invoices); err != nil {
		return err
	}
	return work(b)
}

// trees measures hashing and proofs on a ledger of the largest size.
func trees(ctx context.Context, b *books, o Options) ([]Result, error) {
	results, err := replays(ctx, b, o)
	if err != nil {
		return nil, err
	}
	o.tell("hashing")
	if _, err := merkle.Keygen(b.dir, "bench"); err != nil {
		return nil, err
	}
	tree := merkle.Open(b.dir, b.store, b.codec.Foreign)
	defer tree.Close()
	start := time.Now()
	size, err := tree.CatchUp(ctx)
	if err != nil {
		return nil, err
	}
	hashing := float64(size) / time.Since(start).Seconds()
	if _, err := tree.Checkpoint(ctx, 0, time.Now()); err != nil {
		return nil, err
	}
	o.tell("proving")
	took := make([]time.Duration, 1000)
	for i := range took {
		start := time.Now()
		if _, err := tree.Prove(ctx, eventstore.Position(1+rand.Int64N(size)), time.Now()); err != nil {
			return nil, err
		}
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	return append(results,
		Result{Name: "hash tree, reading and hashing alone", Value: hashing, Unit: "events/s"},
		Result{Name: "proof of an event", Value: float64(took[500].Microseconds()) / 1000, Unit: "ms", P50: took[500], P99: took[990], Goal: "5"},
	), nil
}
