package main

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/urikake/urikake/adapters/dunning"
	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/adapters/trail"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/esdb"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/memory"
	"github.com/urikake/urikake/eventstore/merkle"
	"github.com/urikake/urikake/eventstore/privacy"
	"github.com/urikake/urikake/eventstore/sqlite"
	"github.com/urikake/urikake/projections"
)

// office is an open ledger: a log, which is the truth, and beside it in a directory what can be thrown away.
type office struct {
	log     *sqlite.Store // nil in memory, and where it is elsewhere
	away    *esdb.Store   // the log where it is elsewhere
	shared  bool          // other processes may append to the log
	store   eventstore.Store
	codec   *eventstore.Codec
	ledger  *ledger.Ledger
	views   *projections.Views
	audit   *merkle.Log
	trail   *trail.Trail
	clock   eventstore.Clock
	metrics *httpapi.Metrics
	outbox  func(domain.SellerID) dunning.Outbox
	backup  func(context.Context) (*httpapi.Backup, error) // nil: the log is not in the directory
	close   func() error
}

// open opens the session's ledger, and begins one where there is none.
func (s *session) open(clock eventstore.Clock) (*office, error) {
	if s.store != "" {
		return s.openAway(clock, nil)
	}
	if at, err := esdb.Bound(s.dir); err != nil || at != "" {
		return nil, cmp.Or(err, error(esdb.ErrOtherLog.With("what is in %s was read from %s", s.dir, at)))
	}
	log, err := sqlite.Open(s.dir, clock)
	if errors.Is(err, eventstore.ErrLocked) {
		err = eventstore.ErrLocked.With("%s; if that is `urikake serve`, ask it with --server http://127.0.0.1:8080", s.dir)
	}
	if err != nil {
		return nil, err
	}
	o, err := s.wire(log, clock)
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	o.log, o.backup = log, s.spool(log, clock)
	o.close = func() error { return errors.Join(o.audit.Close(), o.trail.Close(), o.views.Close(), log.Close()) }
	return o, nil
}

// where names the ledger to people.
func (s *session) where() string {
	if s.store != "" {
		return s.cluster.String()
	}
	return s.dir
}

// openInMemory opens an empty ledger that is gone when it is closed.
func openInMemory() (*office, error) {
	dir, err := os.MkdirTemp("", "urikake-")
	if err != nil {
		return nil, err
	}
	o, err := wire(memory.New(time.Now), dir, privacy.InMemory(), time.Now)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	o.close = func() error { return errors.Join(o.audit.Close(), o.trail.Close(), o.views.Close(), os.RemoveAll(dir)) }
	return o, nil
}

// wire puts the session's house together on a log.
func (s *session) wire(log eventstore.Store, clock eventstore.Clock) (*office, error) {
	keys, err := s.privacy()
	if err != nil {
		return nil, err
	}
	o, err := wire(log, s.dir, keys, clock)
	if err == nil {
		o.outbox = s.outboxOf
		o.views.OnErased(func(key customer.Key) error { return s.ownFilesOf(key.Seller).Forget(key) })
	}
	return o, err
}

// wire puts the house together on a log: this is the one place that does.
func wire(log eventstore.Store, dir string, keys *privacy.Keys, clock eventstore.Clock) (*office, error) {
	metrics := httpapi.NewMetrics()
	store, codec := eventstore.Carried(metrics.Instrument(log)), ledger.Sealing(keys)
	views, err := projections.Open(dir, store, codec)
	if err != nil {
		return nil, err
	}
	snapshots := eventstore.SnapshotDir(filepath.Join(dir, "snapshots"))
	return &office{
		store: store, codec: codec, ledger: ledger.New(store, codec, snapshots).At(clock), views: views, clock: clock, metrics: metrics,
		audit: merkle.Open(dir, store, codec.Foreign), trail: trail.Open(dir, clock),
	}, nil
}

// api is the ledger over HTTP.
func (o *office) api(options httpapi.Options) *httpapi.API {
	options.Metrics = o.metrics
	books := httpapi.Books{
		Store: o.store, Codec: o.codec, Ledger: o.ledger, Views: o.views, Audit: o.audit, Trail: o.trail, Clock: o.clock, Outbox: o.outbox,
		Backup: o.backup,
	}
	return httpapi.New(books, options)
}

// outboxOf is where a seller's reminders are written to.
func (s *session) outboxOf(id domain.SellerID) dunning.Outbox { return s.filesOf(id) }

func (s *session) filesOf(id domain.SellerID) dunning.Files {
	if s.outbox != "" {
		return dunning.Files(s.outbox)
	}
	return s.ownFilesOf(id)
}

// ownFilesOf is a seller's outbox in the ledger's directory.
func (s *session) ownFilesOf(id domain.SellerID) dunning.Files {
	return dunning.Files(filepath.Join(s.dir, "outbox", string(id)))
}

// near is a client of the ledger within this process. Whoever may read the directory may do everything.
func (o *office) near(s *session) *client {
	principal := httpapi.Principal{Actor: s.actor(), Role: access.Admin}
	return &client{
		http: &http.Client{Transport: httpapi.Local(o.api(httpapi.Options{Log: s.faults()}), principal)},
		base: httpapi.LocalURL, actor: principal.Actor,
	}
}

// fresh tells that the session's ledger is in a directory that holds none yet.
func (s *session) fresh() bool {
	if s.server != "" || s.store != "" || sqlite.Exists(s.dir) {
		return false
	}
	at, err := esdb.Bound(s.dir)
	return at == "" && err == nil // else opening it tells whose it is
}

// ask works with the session's ledger, which must exist.
func (s *session) ask(ctx context.Context, work func(context.Context, *client) error) error {
	if s.fresh() {
		return errNothingThere(s)
	}
	return s.with(ctx, work)
}

func errNothingThere(s *session) error {
	return errUsage.With("there is no ledger in %s; name its directory with --data DIR or a server with --server URL, or begin one with "+
		"`urikake demo`, `urikake serve`, `urikake import receivables` or `urikake command RegisterSeller`", s.dir)
}

// begin works with the session's ledger, which need not exist: the work is then done in memory first, so that one that
// is refused leaves no empty ledger behind. It may therefore be done twice, and shows nothing itself.
func (s *session) begin(ctx context.Context, work func(context.Context, *client) error) error {
	if s.fresh() {
		if err := s.rehearse(ctx, work); err != nil {
			return err
		}
	}
	return s.with(ctx, work)
}

// rehearse works with an empty ledger in memory.
func (s *session) rehearse(ctx context.Context, work func(context.Context, *client) error) (err error) {
	o, err := openInMemory()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	return work(ctx, o.near(s))
}

// with works with the session's ledger: at --server, else in its directory.
func (s *session) with(ctx context.Context, work func(context.Context, *client) error) (err error) {
	if s.server != "" {
		c, err := s.far()
		if err != nil {
			return err
		}
		return work(ctx, c)
	}
	o, err := s.open(time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	return work(ctx, o.near(s))
}
