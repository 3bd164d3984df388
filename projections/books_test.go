package projections

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/memory"
)

// books is a log in memory that is written by the account's own rules, one minute an append, and read models of it.
type books struct {
	t     testing.TB
	dir   string
	store *memory.Store
	views *Views
	now   time.Time
	heads map[string]eventstore.Version

	accounts map[account.Key]*standingAccount
	facts    []fact
	parties  account.Parties
}

type standingAccount struct {
	state   *account.State
	stream  string
	earlier []*account.State
}

// fact is an event as it was written, for computing reports by hand.
type fact struct {
	key      account.Key
	event    account.Event
	position eventstore.Position
}

func newBooks(t testing.TB) *books {
	dir, err := os.MkdirTemp("", "views")
	if err != nil {
		t.Fatal(err)
	}
	b := &books{
		t: t, dir: dir, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), heads: make(map[string]eventstore.Version),
		accounts: make(map[account.Key]*standingAccount),
		parties: account.Parties{
			SellerKnown: true, CustomerKnown: true, CustomerActive: true, Rounding: domain.RoundDown,
			Tolerance: 500,
		},
	}
	b.store = memory.New(func() time.Time { return b.now })
	b.views = b.openViews(dir)
	t.Cleanup(func() {
		b.views.Close()
		os.RemoveAll(dir)
	})
	return b
}

func (b *books) openViews(dir string) *Views {
	b.t.Helper()
	v, err := Open(dir, b.store, testCodec())
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// reopen closes the read models as a process does that ends.
func (b *books) reopen() {
	b.t.Helper()
	if err := b.views.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.views = b.openViews(b.dir)
}

// write appends events to a stream.
func (b *books) write(stream string, events ...domain.Event) eventstore.Position {
	b.t.Helper()
	b.now = b.now.Add(time.Minute)
	var list []eventstore.Proposed
	for i, e := range events {
		p, err := testCodec().Encode(e)
		if err != nil {
			b.t.Fatal(err)
		}
		p.ID = uuid.NewSHA1(uuid.Nil, fmt.Appendf(nil, "%s %d %d", stream, b.heads[stream], i))
		p.Metadata, _ = json.Marshal(eventstore.Metadata{CommandID: "cmd-" + p.ID.String(), Actor: "hanako"})
		list = append(list, p)
	}
	position, err := b.store.Append(context.Background(), stream, b.heads[stream], list...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.heads[stream] += eventstore.Version(len(events))
	return position
}

// try gives a command to the account's rules and writes what they state.
func (b *books) try(c account.Command) error {
	b.t.Helper()
	key := c.Account()
	a := b.accounts[key]
	if a == nil {
		a = &standingAccount{state: account.Decider.New(), stream: key.Stream()}
		b.accounts[key] = a
	}
	c = account.WithID(c, fmt.Sprintf("auto-%d", len(b.facts)))
	parties := b.parties
	parties.Earlier, parties.Number = a.earlier, fmt.Sprintf("NO-%d", len(b.facts))
	events, err := account.Decider.Decide(a.state, account.Request{Command: c, Parties: parties, Stream: a.stream})
	if err != nil {
		return err
	}
	b.record(key, a, events)
	if a.state.CarriedInto() != "" {
		fresh := account.BroughtForward(a.state, a.stream)
		a.earlier = append([]*account.State{a.state}, a.earlier...)
		a.stream, a.state = key.Stream()+"."+a.state.CarriedInto(), account.Decider.New()
		for _, part := range fresh {
			b.record(key, a, []domain.Event{part})
		}
	}
	return nil
}

func (b *books) record(key account.Key, a *standingAccount, events []domain.Event) {
	b.t.Helper()
	if len(events) == 0 {
		return
	}
	last := b.write(a.stream, events...)
	for i, e := range events {
		a.state = account.Decider.Evolve(a.state, e)
		b.facts = append(b.facts, fact{key, e.(account.Event), last - eventstore.Position(len(events)-1-i)})
	}
}

// do is try for commands that must not be refused.
func (b *books) do(commands ...account.Command) {
	b.t.Helper()
	for _, c := range commands {
		if err := b.try(c); err != nil {
			b.t.Fatalf("%s: %v", c.Name(), err)
		}
	}
}

func (b *books) head() eventstore.Position {
	head, _ := b.store.Head(context.Background())
	return head
}

func (b *books) register() {
	b.write("seller-S1", seller.Registered{Seller: "S1", Settings: seller.Settings{
		Name: "緑商事", NameEn: "Midori", TimeZone: "Asia/Tokyo",
		BaseCurrency: "JPY", Language: domain.Japanese, Rounding: domain.RoundDown, DefaultSeries: "INV",
	}})
	for _, id := range []domain.CustomerID{"C1", "C2"} {
		b.write("customer-S1."+string(id), customer.Registered{
			Key:     customer.Key{Seller: "S1", Customer: id},
			Details: customer.Details{Name: "Customer " + string(id), Country: "JP"},
		})
	}
}

var jpy = account.Key{Seller: "S1", Customer: "C1", Currency: "JPY"}

func day(text string) domain.Date {
	d, err := domain.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

func yen(n int64) domain.Money { return domain.NewMoney(n, "JPY") }

func issue(id, issued, due string, total int64) account.IssueInvoice {
	return account.IssueInvoice{Key: jpy, Invoice: domain.InvoiceID(id), Number: id, IssuedOn: day(issued), DueOn: day(due), Total: yen(total)}
}

func pay(id, on string, amount int64, allocations ...account.Allocation) account.RecordPayment {
	c := account.RecordPayment{Key: jpy, Payment: domain.PaymentID(id), ReceivedOn: day(on), Amount: yen(amount), Allocations: allocations}
	if len(allocations) == 0 {
		c.Allocate = account.Nothing
	}
	return c
}

func to(invoice string, amount int64) account.Allocation {
	return account.Allocation{Invoice: domain.InvoiceID(invoice), Amount: yen(amount)}
}

// aging asks for one seller's report and gives its rows.
func (b *books) aging(asOf string, change ...func(*AgingQuery)) []AgingRow {
	b.t.Helper()
	q := AgingQuery{Seller: "S1", AsOf: day(asOf)}
	for _, c := range change {
		c(&q)
	}
	report, err := b.views.Aging(context.Background(), q)
	if err != nil {
		b.t.Fatal(err)
	}
	return report.Rows
}

// line is a row's buckets, unapplied, total and disputed in minor units.
func line(row AgingRow) (list []int64) {
	for _, m := range row.Buckets {
		list = append(list, m.Minor())
	}
	return append(list, row.Unapplied.Minor(), row.Total.Minor(), row.Disputed.Minor())
}

// expect wants one row with these amounts: current, 1-30, 31-60, 61-90, 91+, unapplied, total, disputed.
func (b *books) expect(asOf string, want ...int64) {
	b.t.Helper()
	b.expectBy(asOf, nil, want...)
}

func (b *books) expectBy(asOf string, change func(*AgingQuery), want ...int64) {
	b.t.Helper()
	if change == nil {
		change = func(*AgingQuery) {}
	}
	rows := b.aging(asOf, change)
	if len(want) == 0 && len(rows) == 0 {
		return
	}
	if len(rows) != 1 || !slices.Equal(line(rows[0]), want) {
		b.t.Errorf("as of %s: %+v, want %v", asOf, rows, want)
	}
}
