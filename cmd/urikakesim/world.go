package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/faulty"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/memory"
	"github.com/urikake/urikake/projections"
)

// world is several nodes on one log, and the auditor who watches.
type world struct {
	ctx   context.Context
	dir   string
	log   eventstore.Store // without faults
	nodes []*node
	a     *auditor
	seed  uint64
	blind bool

	done   map[int]done // accepted steps
	failed map[int]bool // steps that were refused
}

// done is a step that was accepted, with its first answer.
type done struct {
	step
	answer string
}

// node is one process.
type node struct {
	*ledger.Ledger
	dir   string
	store *between
	log   *faulty.Store
	views *projections.Views
	busy  bool // with a step
	blind bool // without read models
}

// between lets others come first: before each append it does the next thing that is to be done there.
type between struct {
	eventstore.Store
	do []func()
}

func (b *between) Append(ctx context.Context, stream string, expected eventstore.Version, events ...eventstore.Proposed) (eventstore.Position, error) {
	if len(b.do) > 0 {
		next := b.do[0]
		b.do = b.do[1:]
		next()
	}
	return b.Store.Append(ctx, stream, expected, events...)
}

// open makes a world on an empty log, with sellers and customers in it. Its clock goes a second at each look.
func open(ctx context.Context, c config) (w *world, closeWorld func() error, err error) {
	dir, err := os.MkdirTemp(c.dir, "urikakesim-")
	if err != nil {
		return nil, nil, err
	}
	now := date(0).Time()
	clock := func() time.Time {
		now = now.Add(time.Second)
		return now
	}
	log, stores, closeLog, err := openLog(c.store, filepath.Join(dir, "log"), c.nodes, clock)
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	w = &world{
		ctx: ctx, dir: dir, log: log, a: newAuditor(), seed: c.seed, blind: c.blind,
		done: make(map[int]done), failed: make(map[int]bool),
	}
	w.a.wrong = c.wrong
	closeWorld = func() error {
		var errs []error
		for _, n := range w.nodes {
			if n.views != nil {
				errs = append(errs, n.views.Close())
			}
		}
		return errors.Join(append(errs, closeLog(), os.RemoveAll(dir))...)
	}
	for i, store := range stores {
		if c.spoil != nil {
			store = c.spoil(i, store)
		}
		log := faulty.New(store, c.seed, faulty.Faults{})
		n := &node{blind: c.blind, dir: filepath.Join(dir, fmt.Sprint("node", i)), store: &between{Store: log}, log: log}
		if err = prepare(n.dir); err == nil {
			w.nodes = append(w.nodes, n)
			err = n.start(ctx)
		}
		if err != nil {
			return nil, nil, errors.Join(err, closeWorld())
		}
	}
	if err := w.register(); err != nil {
		return nil, nil, errors.Join(err, closeWorld())
	}
	for _, n := range w.nodes {
		n.log.Set(c.faults)
	}
	return w, closeWorld, nil
}

// emptyViews are the files of read models of an empty log: to make their tables takes longer than a run.
var emptyViews = sync.OnceValues(func() (files map[string][]byte, err error) {
	dir, err := os.MkdirTemp("", "urikakesim-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	views, err := projections.Open(dir, memory.New(time.Now), ledger.Codec())
	if err != nil {
		return nil, err
	}
	_, err = views.CatchUp(context.Background())
	if err = errors.Join(err, views.Close()); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	files = make(map[string][]byte)
	for _, e := range entries {
		data, readErr := os.ReadFile(filepath.Join(dir, e.Name()))
		files[e.Name()], err = data, errors.Join(err, readErr)
	}
	return files, err
})

// prepare makes a directory for a process that has seen nothing yet.
func prepare(dir string) error {
	files, err := emptyViews()
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	for name, data := range files {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	return err
}

// start begins a process on what the one before has left in its directory.
func (n *node) start(ctx context.Context) (err error) {
	if n.views != nil {
		if err := n.views.Close(); err != nil {
			return err
		}
	}
	if !n.blind {
		if n.views, err = projections.Open(n.dir, n.store, ledger.Codec()); err != nil {
			return err
		}
	}
	n.Ledger = ledger.New(n.store, ledger.Codec(), eventstore.SnapshotDir(filepath.Join(n.dir, "snapshots")))
	return patiently(func() error { return n.RememberShared(ctx) })
}

// patienceMax is how often a client asks again while the log can't be reached: with the faults that are drawn the last
// time never comes.
const patienceMax = 1000

// patiently asks until there is an answer.
func patiently(ask func() error) (err error) {
	for range patienceMax {
		if err = ask(); !errors.Is(err, eventstore.ErrUnavailable) {
			return err
		}
	}
	return err
}

func (w *world) register() error {
	do := func(id string, c interface{ Name() string }) error {
		_, err := w.nodes[0].Execute(w.ctx, c, eventstore.Envelope{CommandID: id})
		return err
	}
	for _, s := range sellers {
		err := do("seller-"+s, seller.RegisterSeller{Seller: domain.SellerID(s), Settings: seller.Settings{
			Name: s, TimeZone: "Asia/Tokyo", BaseCurrency: "JPY", Language: domain.English,
			Tolerance: []domain.Money{domain.NewMoney(tolerance, "JPY"), domain.NewMoney(tolerance, "USD"), domain.NewMoney(tolerance, "KWD")},
		}})
		err = errors.Join(err, do("policy-"+s, policy(s)))
		for _, c := range customers {
			err = errors.Join(err, do("customer-"+c, customer.RegisterCustomer{
				Key: customer.Key{Seller: domain.SellerID(s), Customer: domain.CustomerID(c)}, Details: customer.Details{Name: c},
			}))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
