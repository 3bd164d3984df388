package projections

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
)

// sums are what a queue's accounts come to: by the book, and by documents alone.
func (b *books) sums(seller domain.SellerID, asOf domain.Date, known KnownAt) (byBook, byDocuments []owing, all span, rest int, err error) {
	ctx := context.Background()
	at, err := b.views.moment(ctx, asOf, known)
	if err != nil {
		return nil, nil, all, 0, err
	}
	err = b.views.look(ctx, func(r *reader) (err error) {
		all, err = r.accountSpan(seller, at)
		return err
	})
	if err != nil || all.from == 0 {
		return nil, nil, all, 0, err
	}
	ask := func(sum func(*queue, *reader) error) ([]owing, error) {
		q := &queue{v: b.views, q: QueueQuery{Seller: seller}, at: at, first: all.from, sums: make([]owing, all.to-all.from)}
		return q.sums, b.views.look(ctx, func(r *reader) error { return sum(q, r) })
	}
	book := b.views.books.of(all.from)
	byBook, err = ask(func(q *queue, r *reader) error {
		parts, err := b.views.eachOpen(ctx, r, book, all, at, q.take)
		for _, p := range parts {
			rest += int(p.to - p.from)
		}
		return firstError(err, b.views.sweep(ctx, r, parts, q.sum))
	})
	if err == nil {
		byDocuments, err = ask(func(q *queue, r *reader) error { return q.sum(r, all) })
	}
	return byBook, byDocuments, all, rest, err
}

func (b *books) compareSums(t *rapid.T, asOf domain.Date, known eventstore.Position) (fromBook int) {
	for _, s := range []domain.SellerID{"S1", "S2"} {
		byBook, byDocuments, all, rest, err := b.sums(s, asOf, KnownAt{Position: known})
		if err != nil || !slices.Equal(byBook, byDocuments) {
			t.Fatalf("%s as of %s known at %d: %v, by the book %+v, by documents %+v", s, asOf, known, err, byBook, byDocuments)
		}
		fromBook += int(all.to-all.from) - rest
		if all.from > 0 {
			b.compareAging(t, s, asOf, known)
		}
	}
	return fromBook
}

// compareAging wants of every grouping what documents say.
func (b *books) compareAging(t *rapid.T, s domain.SellerID, asOf domain.Date, known eventstore.Position) {
	for _, group := range []Grouping{PerCustomer, PerTotal} {
		q := AgingQuery{Seller: s, AsOf: asOf, KnownAt: KnownAt{Position: known}, GroupBy: group}
		got, err := b.views.Aging(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		_, at, _ := b.views.beginAging(context.Background(), &q)
		var a *aging
		err = b.views.look(context.Background(), func(r *reader) error {
			list, err := r.holders(s, "", at.position)
			if a = newAging(q, at, list); err == nil {
				err = a.read(r, span{a.first, a.first + int64(len(list))})
			}
			return err
		})
		want, bad := a.rows()
		if err != nil || bad != nil || got.Invoices != a.invoices || !reflect.DeepEqual(got.Rows, want) {
			t.Fatalf("%s as of %s known at %d by %s: %v, %d items in %+v, want %d in %+v", s, asOf, known, group, err, got.Invoices, got.Rows, a.invoices, want)
		}
	}
}

// What a book gives is what documents say, of today, of days past and to come, as known now and as known before,
// however questions and events follow each other.
func TestBookAgreesWithDocuments(t *testing.T) {
	fromBook := 0
	checkBooks(t, func(rt *rapid.T) {
		b := newBooks(t)
		defer os.RemoveAll(b.dir)
		defer func() { b.views.Close() }()
		b.register()
		for n := range rapid.IntRange(10, 60).Draw(rt, "commands") {
			_ = b.try(anyCommand(n).Draw(rt, "command"))
			switch rapid.IntRange(0, 9).Draw(rt, "then") {
			case 0, 1, 2:
				known := b.head()
				if rapid.Bool().Draw(rt, "earlier") {
					known = eventstore.Position(rapid.Uint64Range(1, uint64(known)).Draw(rt, "known at"))
				}
				asOf := anyDay().Draw(rt, "as of")
				if rapid.Bool().Draw(rt, "to come") {
					asOf = lastDay.AddDays(rapid.IntRange(0, 90).Draw(rt, "days"))
				}
				fromBook += b.compareSums(rt, asOf, known)
			case 3:
				if err := b.views.Rebuild(context.Background(), nil, "items"); err != nil {
					rt.Fatal(err)
				}
			case 4:
				b.reopen()
			}
		}
	})
	if fromBook == 0 {
		t.Error("nothing ever came from a book")
	}
}

// manyAccounts makes one account each with an invoice.
func (b *books) manyAccounts(n int) {
	b.t.Helper()
	for i := range n {
		c := issue("I1", "2026-01-01", "2026-01-31", int64(1000+i))
		c.Customer = domain.CustomerID(fmt.Sprintf("C%03d", i))
		b.do(c)
	}
}

// A book reads again what moved and no more, follows new accounts, and is not made for a moment after which most moved.
func TestBookReadsWhatMoved(t *testing.T) {
	b := newBooks(t)
	b.register()
	b.manyAccounts(100)
	ask := func(asOf string, known eventstore.Position, wantRest int) *openBook {
		t.Helper()
		byBook, byDocuments, all, rest, err := b.sums("S1", day(asOf), KnownAt{Position: known})
		if err != nil || rest != wantRest || !slices.Equal(byBook, byDocuments) {
			t.Fatalf("as of %s: %v, %d read from documents, want %d; %v, %v", asOf, err, rest, wantRest, byBook, byDocuments)
		}
		return b.views.books.of(all.from)
	}
	if book := ask("2025-12-31", 0, 100); len(book.accounts) != 0 {
		t.Error("a book was made for a past day")
	}
	book := ask("2026-03-01", 0, 0)
	before := slices.Clone(book.accounts)
	known := b.head()
	third := issue("I2", "2026-02-01", "2026-02-20", 7)
	third.Customer = "C002"
	fresh := third
	fresh.Customer = "C999"
	b.do(third, fresh)
	ask("2026-03-01", 0, 0)
	for i := range before {
		if same := &before[i].packed[0] == &book.accounts[i].packed[0]; same != (i != 2) {
			t.Errorf("account %d was kept: %v", i, same)
		}
	}
	ask("2026-01-31", 0, 2)     // both have an invoice of a later day
	ask("2026-03-01", known, 2) // or one that was not known then
	ask("2026-03-01", 50, 101)  // most were not
	if err := b.views.replace(); err != nil {
		t.Fatal(err)
	}
	if again := ask("2026-03-01", 0, 0); again == book {
		t.Error("the book outlived its tables")
	}
}

// A habit that the book remembers is not that of before the last payment, and not that of another day.
func TestBookRemembersHabits(t *testing.T) {
	b := newBooks(t)
	b.register()
	b.manyAccounts(50)
	paid := func(invoice, on string) {
		t.Helper()
		i := issue(invoice, "2026-01-01", "2026-01-10", 1)
		i.Customer = "C000"
		p := pay("P"+invoice, on, 1, to(invoice, 1))
		p.Customer = "C000"
		b.do(i, p)
	}
	expect := func(asOf string, late, settled int) {
		t.Helper()
		report, err := b.views.Queue(context.Background(), QueueQuery{Seller: "S1", AsOf: day(asOf)})
		i := slices.IndexFunc(report.Rows, func(r QueueRow) bool { return r.Customer == "C000" })
		if err != nil || i < 0 || report.Rows[i].Late != late || report.Rows[i].Settled != settled {
			t.Errorf("as of %s: %v, %+v, want %d late of %d", asOf, err, report.Rows[max(0, i)], late, settled)
		}
	}
	paid("A", "2026-01-20")
	expect("2026-03-01", 10, 1)
	for i := 1; i < 50; i++ { // what is asked of February is not for the book from here on
		c := issue("I2", "2026-03-01", "2026-03-31", 1)
		c.Customer = domain.CustomerID(fmt.Sprintf("C%03d", i))
		b.do(c)
	}
	expect("2026-03-01", 10, 1)
	paid("B", "2026-01-30")
	expect("2026-02-15", 15, 2)
	expect("2026-03-01", 15, 2)
	paid("C", "2026-02-10")
	expect("2026-02-05", 15, 2)
	expect("2026-02-15", 20, 3)
	expect("2026-03-02", 20, 3)
}

// What was disputed, what is unapplied, amounts of every size and due dates in any order survive packing.
func TestPackedItems(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		type item struct{ due, open, disputed int64 }
		list := rapid.SliceOf(rapid.Custom(func(t *rapid.T) item {
			open := rapid.Int64Range(1, domain.MinorMax).Draw(t, "open")
			return item{rapid.Int64Range(0, 4_000_000).Draw(t, "due"), open, rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, open)).Draw(t, "disputed")}
		})).Draw(rt, "items")
		var a openAccount
		var due int64
		for _, i := range list {
			a.packed = appendItem(a.packed, i.due-due, i.open, i.disputed)
			due = i.due
		}
		var got []item
		a.items(func(due, open, disputed int64) { got = append(got, item{due, open, disputed}) })
		if !slices.Equal(got, list) {
			rt.Fatalf("%v, want %v", got, list)
		}
	})
}

// Books that take too much are forgotten, those that were asked longest ago first; what was forgotten is made anew.
func TestBooksAreBounded(t *testing.T) {
	var o openBooks
	fill := func(seller int64, bytes int) *openBook {
		b := o.of(seller*sellerStep + 1)
		b.accounts = []openAccount{{packed: make([]byte, bytes)}}
		o.weigh(b)
		return b
	}
	one, two := fill(1, booksMax/2-1000), fill(2, booksMax/4)
	o.of(one.first)
	fill(3, booksMax/2-1000)
	if o.of(one.first) != one || o.of(two.first) == two {
		t.Error("the one that was asked longest ago should have gone")
	}
	if huge := fill(4, 2*booksMax); o.of(huge.first) == huge {
		t.Error("what is too large for all should not be kept")
	}
}

// Questions and payments at the same time: every answer is that of its position.
func TestBookWhileAccountsMove(t *testing.T) {
	b := newBooks(t)
	b.register()
	b.manyAccounts(40)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = b.views.Run(ctx) })
	defer running.Wait()
	defer cancel()
	var asking sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		asking.Go(func() {
			for last := false; !last; {
				select {
				case <-done:
					last = true
				default:
				}
				byBook, byDocuments, _, _, err := b.sums("S1", day("2026-03-01"), KnownAt{})
				if err != nil || !slices.Equal(byBook, byDocuments) {
					t.Errorf("%v: by the book %v, by documents %v", err, byBook, byDocuments)
					return
				}
			}
		})
	}
	for i := range 200 {
		p := pay(fmt.Sprint("P", i), "2026-02-01", 1, account.Allocation{Invoice: "I1", Amount: yen(1)})
		p.Customer = domain.CustomerID(fmt.Sprintf("C%03d", i%40))
		b.do(p)
	}
	close(done)
	asking.Wait()
}
