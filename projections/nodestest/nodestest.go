// Package nodestest lets several nodes of a ledger race on one log, and holds them to the same books: no command is
// refused that should have passed, none is done twice, numbers have neither gaps nor repeats, and what a client was
// answered by one node the next node knows.
package nodestest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/projections"
)

// Race is how a race is run. Clients and Rounds left zero are small ones.
type Race struct {
	Clients int    // at once; each goes to any node with each command
	Rounds  int    // of each client: some fifteen commands
	Heal    func() // called before the books are compared; nil: the log is well all the time
}

// patience is how long anything may take on a busy machine under the race detector before the test gives up.
const patience = 3 * time.Minute

// shared are the customers on whose accounts all clients work.
var shared = []domain.CustomerID{"C1", "C2", "C3"}

// Run races one node on each of the stores, which must be one and the same empty log: the same store several times,
// or several clients of one server. Commands that are answered log.unavailable are sent again, to any node.
func Run(t *testing.T, stores []eventstore.Store, r Race) {
	t.Helper()
	if r.Clients == 0 {
		r.Clients = 6
	}
	if r.Rounds == 0 {
		r.Rounds = 4
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	f := &field{T: t, Race: r, ctx: ctx, expected: make(map[account.Key]int64)}
	for _, store := range stores {
		f.nodes = append(f.nodes, start(t, ctx, store))
	}
	f.prepare()
	f.race(r.Clients, func(c *client) {
		for round := range r.Rounds {
			c.work(round)
		}
	})
	f.contest()
	if r.Heal != nil {
		r.Heal()
	}
	f.compare()
}

// node is one process: a ledger, with read models of its own.
type node struct {
	*ledger.Ledger
	store eventstore.Store
	views *projections.Views
}

// start makes a node that folds and learns keys in the background, as a server does.
func start(t *testing.T, ctx context.Context, store eventstore.Store) *node {
	t.Helper()
	views, err := projections.Open(t.TempDir(), store, ledger.Codec())
	if err != nil {
		t.Fatal(err)
	}
	n := &node{ledger.New(store, ledger.Codec(), eventstore.SnapshotDir(t.TempDir())), store, views}
	for err := n.RememberShared(ctx); err != nil; err = n.RememberShared(ctx) {
		if !away(err) {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	var background sync.WaitGroup
	for _, work := range []func(context.Context) error{views.Run, n.FollowKeys} {
		background.Go(func() {
			for ctx.Err() == nil {
				if err := work(ctx); !away(err) && ctx.Err() == nil {
					t.Error(err)
					return
				}
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		background.Wait()
		if err := views.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// field is where the race takes place.
type field struct {
	*testing.T
	Race
	ctx      context.Context
	nodes    []*node
	prepared eventstore.Position // up to where nobody raced yet

	mu       sync.Mutex
	expected map[account.Key]int64 // balances, by what the clients were answered
}

// prepare registers a seller and the shared customers, each through another node than the one before.
func (f *field) prepare() {
	c := f.client(0)
	c.must("seller", seller.RegisterSeller{Seller: "S1", Settings: seller.Settings{
		Name: "S1", TimeZone: "Asia/Tokyo", BaseCurrency: "JPY", Language: domain.English,
	}})
	level := dunning.Level{ID: "R1", DaysAfterDue: 1, Channel: dunning.Letter, Template: "plain", Tone: dunning.Friendly, Who: dunning.Agency}
	c.must("policy", dunning.SetDunningPolicy{
		Seller: "S1", ID: dunning.DefaultID, On: day(1), Reason: "agreed",
		Policy: dunning.Policy{Language: domain.English, Levels: []dunning.Level{level}},
	})
	for _, id := range shared {
		c.register(id)
	}
	var err error
	if f.prepared, err = f.nodes[0].store.Head(f.ctx); err != nil {
		f.Fatal(err)
	}
}

// race lets clients work at the same time.
func (f *field) race(clients int, work func(*client)) {
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() { work(f.client(i + 1)) })
	}
	wg.Wait()
	if f.Failed() {
		f.FailNow()
	}
}

// contest lets one client of each node want what only one can have: a debtor's next reminder, and a number.
func (f *field) contest() {
	c := f.client(0)
	renamed := customer.ChangeCustomer{Key: customer.Key{Seller: "S1", Customer: shared[0]}, Details: customer.Details{Name: "renamed"}, Reason: "merged"}
	c.must("renamed", renamed)
	for i := range 8 {
		id := domain.CustomerID(fmt.Sprint("D", i))
		c.register(id)
		c.books(fmt.Sprint("owe", i), c.invoice(id, "OWED"), 1000)
		f.one(fmt.Sprint("remind", i), "dunning.reminder_pending", func(n int) interface{ Name() string } {
			return dunning.EscalateReminder{Order: dunning.Order{Key: dunning.Key(key(id)), On: day(100)}, Run: dunning.RunID(fmt.Sprint("RUN", n))}
		})
		number := []string{fmt.Sprint("FREE/", i), fmt.Sprintf("HAND-2026-%06d", i/2+1)}[i%2]
		issue := func(n int) account.IssueInvoice {
			invoice := c.invoice(shared[n%len(shared)], domain.InvoiceID(fmt.Sprint("H", i, "-", n)))
			invoice.Number = number
			return invoice
		}
		won := f.one(fmt.Sprint("claim", i), "numbering.number_taken", func(n int) interface{ Name() string } { return issue(n) })
		f.expected[issue(won).Key] += 1000
	}
}

// one gives each node a command at the same time: one is done, which is told, and the others are refused by a rule.
func (f *field) one(id, rule string, command func(n int) interface{ Name() string }) (won int) {
	f.Helper()
	errs := make([]error, len(f.nodes))
	f.race(len(f.nodes), func(c *client) {
		errs[c.n-1] = c.send(f.nodes[c.n-1], fmt.Sprint(id, "-", c.n), command(c.n))
	})
	for i, err := range errs {
		switch {
		case err == nil && won == 0:
			won = i + 1
		case ruleOf(err) != rule:
			f.Fatalf("%s: %v, want %s", id, errs, rule)
		}
	}
	if won == 0 {
		f.Fatalf("%s: nobody was let do it: %v", id, errs)
	}
	return won
}

// client goes to any node with each command, as behind a load balancer.
type client struct {
	*field
	n   int
	rng *rand.Rand
}

func (f *field) client(n int) *client { return &client{f, n, rand.New(rand.NewPCG(uint64(n), 1))} }

func (c *client) node() *node { return c.nodes[c.rng.IntN(len(c.nodes))] }
