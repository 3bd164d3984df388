package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/sqlite"
	"github.com/urikake/urikake/projections"
)

// office is an open data directory: log.db is the truth, views.db and snapshots can be thrown away.
type office struct {
	store  *sqlite.Store
	codec  *eventstore.Codec
	ledger *ledger.Ledger
	views  *projections.Views
}

// open opens the session's ledger; it must exist unless create is set.
func (s *session) open(create bool, clock eventstore.Clock) (*office, error) {
	if !create && !sqlite.Exists(s.dir) {
		return nil, errUsage.With("there is no ledger in %s; name its directory with --data DIR, or begin one with `urikake demo`, `urikake import receivables` or `urikake command RegisterSeller`", s.dir)
	}
	if clock == nil {
		clock = time.Now
	}
	store, err := sqlite.Open(s.dir, clock)
	if err != nil {
		return nil, err
	}
	codec := ledger.Codec()
	views, err := projections.Open(s.dir, store, codec)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return &office{store, codec, ledger.New(store, codec, eventstore.SnapshotDir(filepath.Join(s.dir, "snapshots"))), views}, nil
}

func (o *office) close() error { return errors.Join(o.views.Close(), o.store.Close()) }

// with opens the ledger, works on it and closes it.
func (s *session) with(ctx context.Context, create bool, work func(context.Context, *office) error) (err error) {
	o, err := s.open(create, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	return work(ctx, o)
}
