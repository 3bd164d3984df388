package nodestest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/projections"
)

// lastDay is after everything that clients do.
var lastDay = day(120)

// compare holds the nodes to one another, to what the clients were answered, and the log to its numbers.
func (f *field) compare() {
	f.Helper()
	f.fill()
	f.audit()
	var first string
	for i, n := range f.nodes {
		books := f.books(n)
		if i == 0 {
			first = books
			if err := n.views.Rebuild(f.ctx, nil); err != nil {
				f.Fatal(err)
			}
			if rebuilt := f.books(n); rebuilt != books {
				f.Fatalf("folded again:\n%s\nas it was:\n%s", rebuilt, books)
			}
		}
		if books != first {
			f.Fatalf("node %d:\n%s\nnode 0:\n%s", i, books, first)
		}
	}
}

// fill issues some more documents, through a node that finishes what is left pending and gives out what was given back.
func (f *field) fill() {
	f.Helper()
	l := ledger.New(f.nodes[0].store, ledger.Codec(), nil)
	c := f.client(0)
	for i := range 60 {
		c.issueBy(l, fmt.Sprint("fill", i), c.invoice("C1", domain.InvoiceID(fmt.Sprint("F", i))), 1000)
		note := account.IssueCreditNote{Key: key("C1"), IssuedOn: day(1), Reason: account.Goodwill, Total: yen(1)}
		c.issueBy(l, fmt.Sprint("note", i), note, -1)
	}
}

func (c *client) issueBy(l *ledger.Ledger, id string, command account.Command, effect int64) {
	c.Helper()
	if _, err := l.Execute(c.ctx, command, eventstore.Envelope{CommandID: id}); err != nil {
		c.Fatalf("%s: %v", id, err)
	}
	c.expected[command.Account()] += effect
}

// audit reads the log: each command stands there once and in one piece, numbers are each on one document, and those of
// a series have no gaps.
func (f *field) audit() {
	f.Helper()
	head, err := f.nodes[0].store.Head(f.ctx)
	if err != nil {
		f.Fatal(err)
	}
	commands, numbers := make(map[string]string), make(map[string]string)
	for r, err := range eventstore.Replay(f.ctx, f.nodes[0].store, ledger.Codec(), 0, head, nil) {
		if err != nil {
			f.Fatal(err)
		}
		id, _ := eventstore.CommandOf(r.Recorded)
		if strings.HasPrefix(id, "urikake-") {
			continue
		}
		key, _, _ := account.ParseStream(r.Stream)
		stands := fmt.Sprint(r.Stream, "@", r.Version)
		if command := fmt.Sprint(key, id, r.Kind); r.Kind != (account.BalanceBroughtForward{}).Kind() {
			if was := commands[command]; was != "" {
				f.Fatalf("%s stands at %s and at %s", command, was, stands)
			}
			commands[command] = stands
		}
		number := ""
		switch e := r.Event.(type) {
		case account.InvoiceIssued:
			number = e.Number
		case account.CreditNoteIssued:
			number = e.Number
		default:
			continue
		}
		if was := numbers[number]; was != "" {
			f.Fatalf("%s stands on %s and on %s", number, was, stands)
		}
		numbers[number] = stands
	}
	for _, series := range []string{"INV-2026-", "CN-2026-", "HAND-2026-"} {
		var list []string
		for number := range numbers {
			if strings.HasPrefix(number, series) {
				list = append(list, number)
			}
		}
		slices.Sort(list)
		for i, number := range list {
			if want := fmt.Sprintf("%s%06d", series, i+1); number != want {
				f.Fatalf("a gap at %s: %v", want, list)
			}
		}
	}
}

// books is all that a node shows of the accounts, from its read models and from its ledger.
func (f *field) books(n *node) string {
	f.Helper()
	if _, err := n.views.CatchUp(f.ctx); err != nil {
		f.Fatal(err)
	}
	balances, err := n.views.Balances(f.ctx, projections.BalancesQuery{Seller: "S1", AsOf: lastDay})
	if err != nil {
		f.Fatal(err)
	}
	standing := make(map[account.Key]int64)
	for _, row := range balances.Rows {
		standing[key(row.Customer)] = row.Balance.Minor()
	}
	for k, want := range f.expected {
		if standing[k] != want {
			f.Errorf("%v stands at %d, by what clients were answered at %d", k, standing[k], want)
		}
	}
	invoices, err := n.views.Invoices(f.ctx, projections.InvoicesQuery{Seller: "S1", AsOf: lastDay, Limit: 1000})
	if err != nil {
		f.Fatal(err)
	}
	unapplied, err := n.views.Unapplied(f.ctx, projections.UnappliedQuery{Seller: "S1", AsOf: lastDay})
	if err != nil {
		f.Fatal(err)
	}
	then := projections.KnownAt{Position: f.prepared}
	known, _, err := n.views.Customers(f.ctx, "S1", then)
	if err != nil || len(known) != len(shared) || known[0].Name != string(shared[0]) {
		f.Fatalf("as known before the race: %+v, %v", known, err)
	}
	owed, err := n.views.Balances(f.ctx, projections.BalancesQuery{Seller: "S1", AsOf: lastDay, KnownAt: then})
	if err != nil {
		f.Fatal(err)
	}
	all := []any{balances, invoices, unapplied, known, owed}
	for _, id := range shared {
		debtor, err := n.Debtor(f.ctx, dunning.Key(key(id)), lastDay)
		if err != nil {
			f.Fatal(err)
		}
		owed := int64(0)
		for _, item := range debtor.Items {
			owed += item.Open.Minor()
		}
		if owed -= debtor.Unapplied.Minor(); owed != f.expected[key(id)] {
			f.Errorf("the ledger says that %s owes %d, by what clients were answered it is %d", id, owed, f.expected[key(id)])
		}
		file, err := n.views.Case(f.ctx, projections.CaseQuery{Key: dunning.Key(key(id)), AsOf: lastDay})
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, debtor, file)
	}
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		f.Fatal(err)
	}
	return string(text)
}
