package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/urikake/urikake/adapters/audit"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/faulty"
	"github.com/urikake/urikake/eventstore/ledger"
)

// config is how a run is made.
type config struct {
	seed   uint64
	steps  int
	nodes  int
	store  string
	dir    string // where files are kept; "" the system's place for them
	faults faulty.Faults
	blind  bool   // without read models, which take most of a run's time under the race detector
	script []step // to be done instead of what the seed draws

	wrong string                                              // a kind of step that the auditor books wrongly
	spoil func(node int, s eventstore.Store) eventstore.Store // a log that breaks its promises
}

// rebuildEvery is after how many steps a node's read models are rebuilt, which costs as much as twenty steps. At the end a
// fresh node folds the log, and all must show the same.
const rebuildEvery = 20

// found is what a run has found.
type found struct {
	steps []step // as far as they were done
	err   error
}

// run makes one run. An error is a trouble of the simulator's own; what it was made for stands in found.
func run(ctx context.Context, c config) (f found, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	w, closeWorld, err := open(ctx, c)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, closeWorld()) }()
	d := &drawer{rng: rand.New(rand.NewPCG(c.seed, 1)), a: w.a, nodes: c.nodes}
	draw := func(n int) (s step, more bool) {
		if more = n < c.steps; more {
			s = d.step()
		}
		return s, more
	}
	if c.script != nil {
		draw = func(n int) (s step, more bool) {
			if more = n < len(c.script); more {
				s = c.script[n]
			}
			return s, more
		}
	}
	for n := 0; ; n++ {
		s, more := draw(n)
		if !more {
			break
		}
		f.steps = append(f.steps, s)
		if f.err = w.advance(s, n); f.err != nil {
			return f, nil
		}
		d.done = d.done[:0]
		for _, n := range slices.Sorted(maps.Keys(w.done)) {
			d.done = append(d.done, w.done[n].step)
		}
	}
	f.err = w.finish()
	return f, nil
}

// advance does a step and then looks at all that it may have changed.
func (w *world) advance(s step, n int) error {
	for i, node := range w.nodes {
		node.log.Reseed(w.seed<<20 + uint64(s.N)<<4 + uint64(i))
	}
	if err := w.do(s); err != nil {
		return err
	}
	node := w.nodes[s.N%len(w.nodes)]
	touched := append([]step{s}, s.Between...)
	for i, t := range touched {
		if i > 0 && t.acct == s.acct && t.Seller == s.Seller {
			continue
		}
		day := lastDay
		if (s.N+i)%3 == 0 {
			day = max(0, s.On-s.N%7)
		}
		if err := w.compare(node, t, day); err != nil {
			return err
		}
	}
	if n%rebuildEvery == rebuildEvery-1 && !w.blind {
		return w.rebuild(node)
	}
	return nil
}

// finish heals the log, and looks at everything: all accounts on all nodes, the log's numbers and commands.
func (w *world) finish() error {
	for _, n := range w.nodes {
		n.log.Set(faulty.Faults{})
	}
	if err := w.fill(); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(w.a.accounts)) {
		parts, b := strings.Split(key, "."), w.a.accounts[key]
		s := step{Seller: parts[0], acct: acct{parts[1], parts[2]}}
		err := w.compareViews(w.nodes[0], s, b, lastDay) // all nodes' read models are held to one another
		for _, n := range w.nodes {
			err = errors.Join(err, w.compareLedger(n, s, b, lastDay))
		}
		if err != nil {
			return fmt.Errorf("%s's %s %s at the end: %w", s.Seller, s.Customer, s.Currency, err)
		}
	}
	return errors.Join(w.audit(), w.verify(), w.foldAnew())
}

// verify has the log audited, as who reads nothing else would.
func (w *world) verify() error {
	r, err := audit.Verify(w.ctx, audit.Books{Store: w.log, Codec: ledger.Codec()}, nil)
	if err != nil || r.OK {
		return err
	}
	return fmt.Errorf("an audit finds %+v", r.Findings)
}

// fill issues some more documents, through a node that begins anew and so finishes what was left pending.
func (w *world) fill() error {
	n := w.nodes[0]
	if err := n.start(w.ctx); err != nil {
		return err
	}
	place := 1_000_000
	for _, seller := range sellers {
		s := step{Seller: seller, acct: acct{"C2", "JPY"}, Amount: 1}
		todo := slices.Repeat([]string{"issue", "credit"}, handMax+2)
		if w.a.inactive[seller+".C2"] {
			todo = append([]string{"reactivate"}, todo...)
		}
		for _, s.What = range todo {
			place++
			s.N, s.Doc = place, fmt.Sprint("Z", place)
			if err := w.one(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// audit reads the log itself: what was accepted stands there once, what was refused does not, and numbers have no gaps.
func (w *world) audit() error {
	head, err := w.log.Head(w.ctx)
	if err != nil {
		return err
	}
	last := make(map[string]string) // by stream
	stands := make(map[string]string)
	numbers := make(map[string][]string) // by series
	for r, err := range eventstore.Replay(w.ctx, w.log, ledger.Codec(), 0, head, nil) {
		if err != nil {
			return err
		}
		id, _ := eventstore.CommandOf(r.Recorded)
		if strings.HasPrefix(id, "k") {
			if where, twice := stands[id]; twice && (last[r.Stream] != id || where != r.Stream) {
				return fmt.Errorf("command %s stands in %s and in %s", id, where, r.Stream)
			}
			stands[id] = r.Stream
		}
		last[r.Stream] = id
		number, seller := "", r.Stream
		switch e := r.Event.(type) {
		case account.InvoiceIssued:
			number = e.Number
		case account.CreditNoteIssued:
			number = e.Number
		}
		if i := strings.LastIndexByte(number, '-'); i > 0 {
			k, _, _ := account.ParseStream(seller)
			series := string(k.Seller) + " " + number[:i]
			numbers[series] = append(numbers[series], number)
		}
	}
	for n := range w.done {
		if id := (step{N: n}).id(); stands[id] == "" && w.done[n].What != "deactivate" && w.done[n].What != "reactivate" {
			return fmt.Errorf("command %s was done, and the log has it nowhere", id)
		}
	}
	for n := range w.failed {
		if id := (step{N: n}).id(); stands[id] != "" {
			return fmt.Errorf("command %s was refused, and stands in %s", id, stands[id])
		}
	}
	return gapless(numbers)
}

// gapless asks that the numbers of each series run from 1. Numbers that were given by hand, far ahead, are in the way of
// no others, and those before them are given out later.
func gapless(numbers map[string][]string) error {
	for series, list := range numbers {
		slices.Sort(list)
		for i, number := range list {
			_, name, _ := strings.Cut(series, " ")
			if want := fmt.Sprintf("%s-%06d", name, i+1); number != want {
				return fmt.Errorf("%s: a gap at %s in %v", series, want, list)
			}
		}
	}
	return nil
}
