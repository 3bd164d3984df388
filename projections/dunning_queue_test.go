package projections

import (
	"context"
	"errors"
	"math/big"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
)

// queued is a row computed by hand.
type queued struct {
	key                                       dunning.Key
	number                                    int // of the account, in the order of the log
	waits                                     bool
	asked, disputed, open, unapplied, overdue int64
	broken, late, settled                     int
	score                                     *big.Int
	decision                                  dunning.Decision
}

// queueByHand is the whole queue of one currency, straight from the events.
func (d *dunner) queueByHand(currency domain.Currency, asOf domain.Date, known eventstore.Position) (list []queued) {
	for n, key := range d.accountOrder("S1") {
		hand := computeByHand(d.books.facts, key, asOf, known)
		if key.Currency != currency {
			continue
		}
		row := queued{key: dunning.Key(key), number: n}
		facts := dunning.Debtor{Key: row.key, Addresses: addresses(1, 0)}
		oldest := int64(0)
		for id, it := range hand.items {
			disputed := min(it.disputed, it.open)
			row.open += it.open
			if it.open > 0 {
				facts.Items = append(facts.Items, dunning.Item{
					ID: id, DueOn: domain.DateFromDayNumber(it.due), Open: domain.NewMoney(it.open, currency), Disputed: domain.NewMoney(disputed, currency),
				})
			}
			if it.due < asOf.DayNumber() {
				row.disputed += disputed
				if row.asked += it.open - disputed; it.open > disputed && (oldest == 0 || it.due < oldest) {
					oldest = it.due
				}
			}
		}
		for _, n := range hand.unapplied {
			row.unapplied += n
		}
		if row.asked -= row.unapplied; row.asked <= 0 {
			continue
		}
		row.overdue = asOf.DayNumber() - oldest
		facts.Unapplied = domain.NewMoney(row.unapplied, currency)
		credit := int64(0)
		for id, n := range hand.unapplied {
			if strings.HasPrefix(id, "N") {
				credit += n
			}
		}
		facts.Credit, facts.Elsewhere = domain.NewMoney(credit, currency), d.elsewhereByHand(key, asOf, known)
		facts.Receipts = d.receiptsByHand(key, asOf, known)
		row.late, row.settled = d.habitByHand(key, hand, asOf, known)
		var state *dunning.State
		if h := d.byHand(row.key, known); h != nil {
			state = h.state
			want := h.want(row.key, "", asOf)
			row.broken = want.PromisesBroken
			row.waits = want.HoldKind != "" || want.Returned || want.HandedTo != "" ||
				want.PromiseState == PromiseOpen && !asOf.After(state.Promise.PayBy) ||
				want.Plan != "" && (want.PlanEffectiveOn.IsZero() || asOf.Before(want.PlanEffectiveOn)) && !asOf.After(want.PlanEndsOn)
		}
		row.score = new(big.Int).Mul(big.NewInt(row.asked*row.overdue), big.NewInt(int64((4+min(row.broken, 4))*(100+max(0, min(row.late, 100))))))
		row.decision = dunning.Decide(dunPolicy(), state, facts, asOf, dunning.Agency)
		list = append(list, row)
	}
	slices.SortFunc(list, func(a, b queued) int {
		if a.waits != b.waits {
			if b.waits {
				return -1
			}
			return 1
		}
		if c := b.score.Cmp(a.score); c != 0 {
			return c
		}
		return a.number - b.number
	})
	return list
}

// accountOrder is a seller's accounts in the order in which the log first names them.
func (d *dunner) accountOrder(seller domain.SellerID) (keys []account.Key) {
	for _, f := range d.books.facts {
		if f.key.Seller == seller && !slices.Contains(keys, f.key) {
			keys = append(keys, f.key)
		}
	}
	return keys
}

func (d *dunner) known(key account.Key, asOf domain.Date, known eventstore.Position) (list []account.Event) {
	for _, f := range d.books.facts {
		if f.key == key && f.position <= known && !f.event.On().After(asOf) {
			list = append(list, f.event)
		}
	}
	return list
}

// elsewhereByHand is what is unapplied on the customer's accounts in other currencies.
func (d *dunner) elsewhereByHand(key account.Key, asOf domain.Date, known eventstore.Position) (list []domain.Money) {
	for _, other := range d.accountOrder(key.Seller) {
		if other.Customer != key.Customer || other.Currency == key.Currency {
			continue
		}
		var sum int64
		for _, n := range computeByHand(d.books.facts, other, asOf, known).unapplied {
			sum += n
		}
		if sum > 0 {
			list = append(list, domain.NewMoney(sum, other.Currency))
		}
	}
	return list
}

// receiptsByHand follows each payment that was not reversed: what of it settles which item, is free, or left again.
func (d *dunner) receiptsByHand(key account.Key, asOf domain.Date, known eventstore.Position) (list []dunning.Receipt) {
	events := d.known(key, asOf, known)
	for _, e := range events {
		p, ok := e.(account.PaymentRecorded)
		reversed := slices.ContainsFunc(events, func(e account.Event) bool { r, ok := e.(account.PaymentReversed); return ok && r.Payment == p.Payment })
		if !ok || reversed {
			continue
		}
		free, left, settles := p.Amount.Minor(), int64(0), make(map[domain.InvoiceID]int64)
		move := func(list []account.Allocation, sign int64) {
			for _, a := range list {
				settles[a.Invoice] += sign * a.Amount.Minor()
				free -= sign * a.Amount.Minor()
			}
		}
		move(p.Allocations, 1)
		for _, e := range events {
			switch e := e.(type) {
			case account.PaymentApplied:
				if e.Payment == p.Payment {
					move(e.Allocations, 1)
				}
			case account.PaymentUnapplied:
				if e.Payment == p.Payment {
					move(e.Allocations, -1)
				}
			case account.RefundIssued:
				if e.Payment == p.Payment {
					free, left = free-e.Amount.Minor(), left+e.Amount.Minor()
				}
			case account.DifferenceSettled:
				if e.Payment == p.Payment {
					free, left = free-e.Amount.Minor(), left+e.Amount.Minor()
				}
			}
		}
		for item, minor := range settles {
			list = append(list, dunning.Receipt{On: p.ReceivedOn, Amount: domain.NewMoney(minor, key.Currency), For: item})
		}
		list = append(list, dunning.Receipt{On: p.ReceivedOn, Amount: domain.NewMoney(free, key.Currency)},
			dunning.Receipt{On: p.ReceivedOn, Amount: domain.NewMoney(left, key.Currency), Left: true})
	}
	return list
}

// habitByHand averages how late invoices were settled that are, and were neither voided nor given up.
func (d *dunner) habitByHand(key account.Key, hand byHand, asOf domain.Date, known eventstore.Position) (late, settled int) {
	last, skip, total := map[domain.InvoiceID]int64{}, map[domain.InvoiceID]bool{}, int64(0)
	for _, event := range d.known(key, asOf, known) {
		on := event.On().DayNumber()
		touch := func(list []account.Allocation) {
			for _, a := range list {
				last[a.Invoice] = max(last[a.Invoice], on)
			}
		}
		switch e := event.(type) {
		case account.InvoiceIssued:
			last[e.Invoice], skip[e.Invoice] = on, e.Total.IsZero()
		case account.LateChargeAssessed:
			skip[e.Charge] = true
		case account.InvoiceVoided:
			skip[e.Invoice] = true
		case account.WrittenOff:
			skip[e.Invoice] = true
		case account.DifferenceSettled:
			last[e.Invoice] = max(last[e.Invoice], on)
		case account.PaymentRecorded:
			touch(e.Allocations)
		case account.PaymentApplied:
			touch(e.Allocations)
		case account.PaymentUnapplied:
			touch(e.Allocations)
		case account.PaymentReversed:
			touch(e.Released)
		case account.CreditNoteIssued:
			touch(e.Applied)
		case account.CreditApplied:
			touch(e.Allocations)
		case account.CreditUnapplied:
			touch(e.Allocations)
		}
	}
	for id, it := range hand.items {
		if it.open == 0 && !skip[id] {
			total += last[id] - it.due
			settled++
		}
	}
	if settled == 0 {
		return 0, 0
	}
	return int(total / int64(settled)), settled
}

// The queue's order, its figures and its decisions are those of the events, on any day, as known at any position.
func TestQueueAgreesWithTheEvents(t *testing.T) {
	checkBooks(t, func(rt *rapid.T) {
		d := newDunner(newBooks(t))
		defer os.RemoveAll(d.dir)
		defer func() { d.views.Close() }()
		d.register()
		for _, id := range []domain.CustomerID{"C1", "C2", "C3"} {
			k := customer.Key{Seller: "S1", Customer: id}
			d.write(k.Stream(), customer.Changed{Key: k, Reason: "x", Details: customer.Details{Name: string(id), Contacts: []customer.Contact{{Email: "a@b"}}}})
		}
		p := dunPolicy()
		d.write(dunning.PolicyStream("S1"), dunning.PolicySet{Seller: "S1", ID: p.ID, Version: p.Version, SetOn: firstDay, Policy: p.Policy})
		begun := d.head()
		d.owe(rt)
		for n := range rapid.IntRange(5, 40).Draw(rt, "commands") {
			if rapid.IntRange(0, 3).Draw(rt, "which") > 0 {
				_ = d.give(anyStep(rt, d))
			} else {
				_ = d.try(anyCommand(n).Draw(rt, "command"))
			}
			if n%17 == 16 {
				d.catchUp()
			}
		}
		for range 6 {
			known := d.head()
			if rapid.Bool().Draw(rt, "earlier") {
				known = eventstore.Position(rapid.Uint64Range(uint64(begun), uint64(known)).Draw(rt, "known at"))
			}
			asOf := firstDay.AddDays(rapid.IntRange(20, 120).Draw(rt, "as of"))
			d.compareQueue(rt, asOf, known, rapid.IntRange(1, 4).Draw(rt, "limit"))
		}
	})
}

// owe gives each account something late, with amounts and days so much alike that promises and habits decide the order,
// and something that was paid sooner or later.
func (d *dunner) owe(t *rapid.T) {
	for n := range 6 {
		k := account.Key{Seller: "S1", Customer: []domain.CustomerID{"C1", "C2", "C3"}[n/2], Currency: []domain.Currency{"JPY", "USD"}[n%2]}
		sum := func(minor int64) domain.Money { return domain.NewMoney(minor, k.Currency) }
		late := rapid.IntRange(0, 20).Draw(t, "late")
		total := rapid.SampledFrom([]int64{3000, 3000, 3300}).Draw(t, "total")
		due := firstDay.AddDays(rapid.IntRange(0, 3).Draw(t, "due"))
		d.do(
			account.IssueInvoice{Key: k, Invoice: "PAID", Number: "PAID", IssuedOn: firstDay, DueOn: firstDay.AddDays(10), Total: sum(500)},
			account.RecordPayment{
				Key: k, Payment: "EARLY", ReceivedOn: firstDay.AddDays(5 + late), Amount: sum(500),
				Allocations: []account.Allocation{{Invoice: "PAID", Amount: sum(500)}},
			},
			account.IssueInvoice{Key: k, Invoice: "LATE", Number: "LATE", IssuedOn: firstDay, DueOn: due, Total: sum(total)},
		)
	}
}

func (d *dunner) compareQueue(t *rapid.T, asOf domain.Date, known eventstore.Position, limit int) {
	report, err := d.views.Queue(context.Background(), QueueQuery{Seller: "S1", AsOf: asOf, KnownAt: KnownAt{Position: known}, Limit: limit})
	if err != nil {
		t.Fatal(err)
	}
	jpy, usd := d.queueByHand("JPY", asOf, known), d.queueByHand("USD", asOf, known)
	if report.Debtors != len(jpy)+len(usd) || len(report.Rows) != min(limit, report.Debtors) {
		t.Fatalf("%d of %d debtors, want %d and %d", len(report.Rows), report.Debtors, len(jpy), len(usd))
	}
	next := map[domain.Currency][]queued{"JPY": jpy, "USD": usd}
	last := 0
	for _, row := range report.Rows {
		want := next[row.Currency][0]
		next[row.Currency] = next[row.Currency][1:]
		got := queued{
			key: row.Key, number: want.number, waits: row.Waits, asked: row.Undisputed.Minor(), disputed: row.Disputed.Minor(), open: row.Open.Minor(),
			unapplied: row.Unapplied.Minor(), overdue: int64(row.Overdue), broken: row.PromisesBroken, late: row.Late, settled: row.Settled,
			score: want.score, decision: want.decision,
		}
		if !reflect.DeepEqual(got, want) || row.Rank < last || row.Rank > last+1 {
			t.Fatalf("as of %s known at %d:\n%+v, want\n%+v", asOf, known, row, want)
		}
		last = row.Rank
		if g, w := row.Decision, want.decision; g.String() != w.String() || g.Level != w.Level || !reflect.DeepEqual(g.Steps, w.Steps) {
			t.Fatalf("%v as of %s: %+v, want %+v", row.Key, asOf, g, w)
		}
	}
}

// What a collector reads of a debtor, and the filters.
func TestQueueTellsWhatMatters(t *testing.T) {
	d := newDunner(newBooks(t))
	d.register()
	d.write("customer-S1.C1", customer.CreditLimitSet{Key: customer.Key{Seller: "S1", Customer: "C1"}, CreditLimit: []domain.Money{yen(5000)}, Reason: "x"})
	small := issue("I2", "2026-01-01", "2026-01-31", 2000)
	small.Customer = "C2"
	d.do(issue("I1", "2026-01-01", "2026-01-31", 9000), small)
	on := day("2026-02-15")
	o := dunning.Order{Key: dunning.Key(jpy), On: on}
	for _, c := range []dunning.Command{
		dunning.AssignCollector{Order: o, Collector: "hanako"},
		dunning.RecordContact{Order: o, By: dunning.ByCall, Direction: dunning.Inbound, Outcome: dunning.Objects},
	} {
		if err := d.give(c, 0); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(q QueueQuery) []QueueRow {
		t.Helper()
		q.Seller, q.AsOf = "S1", on
		report, err := d.views.Queue(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		return report.Rows
	}
	rows := ask(QueueQuery{})
	if len(rows) != 2 || rows[0].Customer != "C2" || rows[0].Waits || !rows[1].Waits || rows[1].HoldKind != dunning.Disputed || rows[1].LimitUse != 180 ||
		rows[1].Limit != yen(5000) || rows[1].LastContactOutcome != dunning.Objects || rows[0].Version != 0 || rows[0].Decision.Why != dunning.WhyNoPolicy {
		t.Errorf("the one on hold comes last: %+v", rows)
	}
	if rows = ask(QueueQuery{Collector: "hanako"}); len(rows) != 1 || rows[0].Customer != "C1" || rows[0].Collector != "hanako" {
		t.Errorf("%+v", rows)
	}
	if rows = ask(QueueQuery{Currency: "USD"}); len(rows) != 0 {
		t.Errorf("%+v", rows)
	}
	for _, c := range []struct {
		q    QueueQuery
		want *domain.Error
	}{
		{QueueQuery{Seller: "S1"}, domain.ErrMissing},
		{QueueQuery{Seller: "S9", AsOf: on}, ErrUnknownSeller},
		{QueueQuery{Seller: "S1", AsOf: on, Limit: LimitMax + 1}, ErrBadLimit},
	} {
		if _, err := d.views.Queue(context.Background(), c.q); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c.q, err)
		}
	}
}

// A quarter more for each broken promise, and whoever promised has until the bank's next business day.
func TestQueueCountsPromises(t *testing.T) {
	d := newDunner(newBooks(t))
	d.register()
	second := issue("I2", "2026-01-01", "2026-01-31", 1000)
	second.Customer = "C2"
	d.do(issue("I1", "2026-01-01", "2026-01-31", 1400), second)
	key := dunning.Key{Seller: "S1", Customer: "C2", Currency: "JPY"}
	promise := func(id dunning.PromiseID, on, until string) {
		t.Helper()
		c := dunning.RecordPromise{Order: dunning.Order{Key: key, On: day(on)}, Promise: id, Amount: yen(10), Day: day(until)}
		if err := d.give(c, 1000); err != nil {
			t.Fatal(err)
		}
	}
	breaks := func(id dunning.PromiseID, on string) {
		t.Helper()
		if err := d.give(dunning.SettlePromise{Order: dunning.Order{Key: key, On: day(on)}, Promise: id, Outcome: dunning.Broken}, 1000); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(asOf string, waits bool, customers ...domain.CustomerID) {
		t.Helper()
		report, err := d.views.Queue(context.Background(), QueueQuery{Seller: "S1", AsOf: day(asOf)})
		if err != nil || len(report.Rows) != 2 || report.Rows[0].Customer != customers[0] || report.Rows[1].Customer != customers[1] {
			t.Errorf("as of %s: %+v, %v", asOf, report.Rows, err)
		}
		for _, row := range report.Rows {
			if row.Waits != (waits && row.Customer == "C2") {
				t.Errorf("as of %s %s waits: %v", asOf, row.Customer, row.Waits)
			}
		}
	}
	promise("P1", "2026-02-02", "2026-02-03")
	breaks("P1", "2026-02-04")
	expect("2026-02-10", false, "C1", "C2")
	promise("P2", "2026-02-04", "2026-02-05")
	breaks("P2", "2026-02-06")
	expect("2026-02-10", false, "C2", "C1")
	promise("P3", "2026-02-10", "2026-02-14") // a Saturday
	expect("2026-02-16", true, "C1", "C2")
	expect("2026-02-17", false, "C2", "C1")
}
