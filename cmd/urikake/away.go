package main

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/esdb"
	"github.com/urikake/urikake/eventstore/sqlite"
)

// openAway opens a ledger whose log is on a cluster. The directory holds what is folded from it, and belongs to that log
// alone. While the cluster is away questions are answered by what was folded. Refuses log.other and log.locked.
func (s *session) openAway(clock eventstore.Clock, log *slog.Logger) (_ *office, err error) {
	if sqlite.Exists(s.dir) {
		return nil, esdb.ErrOtherLog.With("%s holds a ledger of its own; `urikake events export` and `events import` bring it elsewhere", s.dir)
	}
	lock, err := sqlite.Lock(s.dir)
	if err != nil {
		return nil, err
	}
	away, err := esdb.Open(s.cluster, esdb.Options{Categories: catalog.Categories(), Dir: s.dir, Log: log})
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	closeLog := func() error { return errors.Join(away.Close(), lock.Close()) }
	if err := away.Ready(context.Background()); errors.Is(err, esdb.ErrOtherLog) {
		return nil, errors.Join(err, closeLog())
	}
	o, err := s.wire(away, clock)
	if err != nil {
		return nil, errors.Join(err, closeLog())
	}
	o.away, o.shared = away, true
	o.close = func() error { return errors.Join(o.audit.Close(), o.trail.Close(), o.views.Close(), closeLog()) }
	return o, nil
}

// remember learns which keys were used: before the first command. Nodes of one ledger tell each other through the log.
func (o *office) remember(ctx context.Context) error {
	if o.shared {
		return o.ledger.RememberShared(ctx)
	}
	return o.ledger.Remember(ctx)
}

// beginning is a ledger that is to be served: nobody can be answered before its log was read for keys.
type beginning struct{ refusal atomic.Pointer[error] }

// still refuses until the ledger has begun.
func (b *beginning) still() error {
	if err := b.refusal.Load(); err != nil {
		return *err
	}
	return nil
}

// beginRest is between two attempts to begin.
const beginRest = time.Second

// begin reads the log. If that is away, it is tried again by the work that it returns, which ends when it is done.
func (b *beginning) begin(ctx context.Context, o *office) (later func(context.Context), err error) {
	refusal := o.remember(ctx)
	if o.away == nil || !errors.Is(refusal, eventstore.ErrUnavailable) {
		return func(context.Context) {}, refusal
	}
	b.refusal.Store(&refusal)
	return func(ctx context.Context) {
		for {
			err := o.remember(ctx)
			if err == nil {
				b.refusal.Store(nil)
				return
			}
			b.refusal.Store(&err)
			select {
			case <-time.After(beginRest):
			case <-ctx.Done():
				return
			}
		}
	}, nil
}

// logCheck passes while the log can be written and read.
func (o *office) logCheck(dir string) httpapi.Check {
	if o.away == nil {
		return httpapi.LogCheck(dir, o.metrics.AppendFault)
	}
	return httpapi.LogCheck(dir, func(within time.Duration) error {
		ctx, cancel := context.WithTimeout(context.Background(), readyWait)
		defer cancel()
		return o.away.Ready(ctx)
	})
}

// readyWait is how long a cluster may take to answer before the server calls itself unready.
const readyWait = 1500 * time.Millisecond
