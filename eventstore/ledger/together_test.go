package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/numbering"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
)

func ordersOf(steps ...step) (orders []ledger.Order) {
	for _, s := range steps {
		orders = append(orders, ledger.Order{Command: s.command, Envelope: eventstore.Envelope{CommandID: s.id, Actor: "test"}})
	}
	return orders
}

func (o office) together(steps ...step) []eventstore.Receipt {
	o.Helper()
	receipts, err := o.ExecuteTogether(context.Background(), ordersOf(steps...))
	if err != nil || len(receipts) != len(steps) {
		o.Fatalf("%d receipts, %v", len(receipts), err)
	}
	return receipts
}

func (o office) failed(index int, want error, steps ...step) {
	o.Helper()
	receipts, err := o.ExecuteTogether(context.Background(), ordersOf(steps...))
	var failed *ledger.Failed
	if !errors.As(err, &failed) || failed.Index != index || !errors.Is(err, want) || receipts != nil {
		o.Fatalf("%v, want %v at %d", err, want, index)
	}
}

// sameAsFresh compares what the ledger and one that has just been started would answer.
func (o office) sameAsFresh(c domain.CustomerID) {
	o.Helper()
	fresh := office{o.T, ledger.New(o.store, ledger.Codec(), nil), o.store}
	var balances [2]string
	for i, o := range []office{o, fresh} {
		balances[i] = fmt.Sprint(o.Books(context.Background(), key(c)))
	}
	if balances[0] != balances[1] {
		o.Fatalf("hot %s, fresh %s", balances[0], balances[1])
	}
}

func numbersOf(receipts []eventstore.Receipt) (numbers []string) {
	for _, r := range receipts {
		for _, e := range r.Events {
			if e, ok := e.(account.InvoiceIssued); ok {
				numbers = append(numbers, e.Number)
			}
		}
	}
	return numbers
}

func named(c account.IssueInvoice, id string) account.IssueInvoice {
	c.Invoice = domain.InvoiceID(id)
	return c
}

func voids(id string) account.VoidInvoice {
	return account.VoidInvoice{Key: key("C1"), Invoice: domain.InvoiceID(id), VoidOn: day("2026-04-02"), Reason: "x"}
}

// Invoices and what is done to them go in one append, with numbers in the group's order.
func TestAGroupOfDocuments(t *testing.T) {
	store := &unsteady{Store: newStore()}
	o := open(t, store)
	o.must("before", invoice("C2", "", 1))
	steps := []step{
		{"a", named(invoice("C1", "", 100), "A"), nil},
		{"b", named(invoice("C1", "", 200), "B"), nil},
		{"c", named(invoice("C1", "2026/9", 300), "C"), nil},
		{"d", named(invoice("C1", "INV-2026-000003", 400), "D"), nil},
		{"e", voids("B"), nil},
		{"f", payment("C1", 450), nil},
		{"g", named(invoice("C1", "", 500), "E"), nil},
	}
	store.appends = 0
	receipts := o.together(steps...)
	if want := []string{"INV-2026-000002", "INV-2026-000004", "2026/9", "INV-2026-000003", "INV-2026-000005"}; !reflect.DeepEqual(numbersOf(receipts), want) {
		t.Fatalf("%v, want %v", numbersOf(receipts), want)
	}
	if p := receipts[5].Events[0].(account.PaymentRecorded); len(p.Allocations) != 3 || store.appends != 4 {
		t.Fatalf("%+v, %d appends", p, store.appends)
	}
	for i, s := range steps {
		if r := o.must(s.id, s.command); !r.Repeated || r.Position != receipts[i].Position || r.Version != receipts[i].Version {
			t.Errorf("%s alone gets %+v, in the group it got %+v", s.id, r, receipts[i])
		}
	}
	again := o.together(steps...)
	for i := range receipts {
		receipts[i].Repeated = true
	}
	if !reflect.DeepEqual(again, receipts) {
		t.Errorf("%+v\nwant %+v", again, receipts)
	}
	o.sameAsFresh("C1")
	audit(t, "", o)
}

// A group that is refused anywhere writes nothing to its account and leaves its numbers to others.
func TestAGroupOfDocumentsRefused(t *testing.T) {
	o := open(t, newStore())
	o.must("before", named(invoice("C1", "2026/7", 10), "O"))
	bad := []struct {
		step
		want error
	}{
		{step{"x", named(invoice("C1", "", 1), "O"), nil}, account.ErrRepeatedID},
		{step{"x", invoice("C1", "2026/7", 1), nil}, numbering.ErrNumberTaken},
		{step{"x", invoice("C1", "2026/8", 1), nil}, numbering.ErrNumberTaken}, // given to the first of the group
		{step{"x", voids("Z"), nil}, account.ErrUnknownItem},
		{step{"x", account.RecordPayment{Key: key("C1")}, nil}, domain.ErrMissing},
		{step{"x", payment("C2", 1), nil}, ledger.ErrOtherAccount},
		{step{"x", customer.DeactivateCustomer{Key: customer.Key{Seller: "S1", Customer: "C1"}, Reason: "x"}, nil}, ledger.ErrOtherAccount},
		{step{"x", account.CarryForward{Key: key("C1"), CarryOn: day("2026-12-31"), Into: "2027"}, nil}, ledger.ErrCarryAlone},
		{step{"a", voids("A"), nil}, eventstore.ErrKeyReused},
		{step{"x y", voids("A"), nil}, eventstore.ErrCommandID},
	}
	head := func() (n int) {
		for _, err := range o.store.Read(context.Background(), key("C1").Stream(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		return n
	}
	before := head()
	for _, b := range bad {
		for at := 1; at < 4; at++ {
			steps := []step{
				{"a", named(invoice("C1", "2026/8", 100), "A"), nil},
				{"b", named(invoice("C1", "", 100), "B"), nil},
				{"c", payment("C1", 110), nil},
				{"d", invoice("C1", "", 1), nil},
			}
			steps[at] = b.step
			o.failed(at, b.want, steps...)
			o.sameAsFresh("C1")
		}
	}
	if n := head(); n > before+100 { // forfeited numbers may stand there
		t.Errorf("%d events, %d before", n, before)
	}
	o.must("free", invoice("C2", "2026/8", 1))
	audit(t, "", o)
}

func TestAGroupIsBounded(t *testing.T) {
	o := open(t, newStore())
	steps := make([]step, ledger.OrdersMax+1)
	for i := range steps {
		steps[i] = step{fmt.Sprint("k", i), invoice("C1", "", 1), nil}
	}
	if _, err := o.ExecuteTogether(t.Context(), ordersOf(steps...)); !errors.Is(err, ledger.ErrTooManyOrders) {
		t.Fatal(err)
	}
	receipts := o.together(steps[1:]...)
	for i, number := range numbersOf(receipts) {
		if number != numbering.Format("INV", 2026, i+1) {
			t.Fatalf("the invoice at %d got %s", i, number)
		}
	}
	if _, err := o.ExecuteTogether(t.Context(), []ledger.Order{{}}); err == nil {
		t.Error("no command at all")
	}
	if receipts, err := o.ExecuteTogether(t.Context(), nil); receipts != nil || err != nil {
		t.Errorf("%v, %v", receipts, err)
	}
	audit(t, "", o)
}

// After carry forwards a group goes to the live stream, and each repeat gets its answer from where it stands.
func TestAGroupGoesOnAfterCarryForward(t *testing.T) {
	o := open(t, newStore())
	a, b := step{"a", named(invoice("C1", "", 100), "A"), nil}, step{"b", payment("C1", 30), nil}
	first := o.together(a, b)
	o.must("c1", account.CarryForward{Key: key("C1"), CarryOn: day("2026-12-31"), Into: "2027"})
	c, d := step{"c", payment("C1", 20), nil}, step{"d", invoice("C1", "", 5), nil}
	second := o.together(b, c, a, d)
	if !second[0].Repeated || second[0].Position != first[1].Position || !second[2].Repeated || second[2].Position != first[0].Position {
		t.Fatalf("%+v", second)
	}
	if second[1].Repeated || second[1].Stream != key("C1").Stream()+".2027" || second[3].Version != 3 {
		t.Fatalf("%+v", second)
	}
	o.must("c2", account.CarryForward{Key: key("C1"), CarryOn: day("2027-12-31"), Into: "2028"})
	o.failed(2, account.ErrRepeatedID, d, step{"e", payment("C1", 1), nil}, step{"f", named(invoice("C1", "", 1), "A"), nil})
	o.failed(1, account.ErrUnknownItem, step{"e", payment("C1", 1), nil}, step{"f", voids("Z"), nil}, a)
	o.failed(1, eventstore.ErrKeyReused, step{"e", payment("C1", 1), nil}, step{"c", payment("C1", 21), nil})
	third := o.together(d, a, step{"e", payment("C1", 40), nil}, c)
	if !third[0].Repeated || third[2].Stream != key("C1").Stream()+".2028" || third[3].Position != second[1].Position {
		t.Fatalf("%+v", third)
	}
	for i, r := range o.together(a, b, c, d) {
		if !r.Repeated {
			t.Errorf("%d: %+v", i, r)
		}
	}
	orders := ordersOf(step{"g", payment("C1", 1), nil}, step{"h", payment("C1", 1), nil})
	for i, version := range []eventstore.Version{2, 3} { // the second counts what the first writes
		orders[i].Expected = &eventstore.Expectation{Period: "2028", Version: version}
	}
	if _, err := o.ExecuteTogether(t.Context(), orders); err != nil {
		t.Error(err)
	}
	orders[1].CommandID = "i"
	if _, err := o.ExecuteTogether(t.Context(), orders); !errors.Is(err, eventstore.ErrWrongVersion) {
		t.Error(err)
	}
	o.sameAsFresh("C1")
	audit(t, "", o)
}

// The keys of a group are claimed for all of it, and freed when it is refused.
func TestKeysOfAGroup(t *testing.T) {
	o, _ := remembering(t, newStore())
	o.must("x", payment("C2", 1))
	o.failed(1, eventstore.ErrKeyReused, step{"a", payment("C1", 1), nil}, step{"x", payment("C1", 1), nil})
	o.failed(1, account.ErrUnknownItem, step{"a", payment("C1", 1), nil}, step{"b", voids("Z"), nil})
	o.must("a", payment("C2", 1))
	o.failed(0, eventstore.ErrKeyReused, step{"a", payment("C1", 1), nil})
	o.together(step{"c", payment("C1", 1), nil}, step{"c", payment("C1", 1), nil}, step{"d", payment("C1", 1), nil})
	o.refused("c", payment("C2", 1), eventstore.ErrKeyReused)
	o.refused("d", payment("C2", 1), eventstore.ErrKeyReused)
	if n := o.UnderWay(); n != 0 {
		t.Errorf("%d keys under way", n)
	}
}

// A number that another process took for stale amid a group is taken anew, and the group done.
func TestAForfeitedNumberOfAGroup(t *testing.T) {
	store := &interrupted{Store: newStore()}
	o := open(t, store)
	store.before = func(stream string) bool { return stream == key("C1").Stream() }
	store.do = func() {
		other := office{t, ledger.New(unnumbered{store.Store}, ledger.Codec(), nil), store}
		other.refused("other", invoice("C2", "", 1), eventstore.ErrUnavailable)
	}
	receipts := o.together(step{"a", invoice("C1", "", 1), nil}, step{"b", payment("C1", 1), nil}, step{"c", invoice("C1", "", 1), nil})
	if got := strings.Join(numbersOf(receipts), " "); got != "INV-2026-000001 INV-2026-000002" {
		t.Fatal(got)
	}
	o.sameAsFresh("C1")
	audit(t, "", o)
}

// A group that is more than the log takes at once is refused as a whole, and its numbers go to the next documents.
func TestAGroupThatTheLogDoesNotTake(t *testing.T) {
	store := newStore()
	open(t, store)
	o := office{t, ledger.New(narrow{store, 20_000}, ledger.Codec(), nil), store}
	var group []step
	for i := range 100 {
		group = append(group, step{fmt.Sprint("g", i), invoice("C1", "", 1000), nil})
	}
	if _, err := o.ExecuteTogether(t.Context(), ordersOf(group...)); !errors.Is(err, errNarrow) {
		t.Fatal(err)
	}
	if n := numberOf(o.must("k", invoice("C1", "", 1000))); n != "INV-2026-000001" {
		t.Error(n)
	}
	if _, err := o.ExecuteTogether(t.Context(), ordersOf(group[:20]...)); err != nil { // smaller groups are taken
		t.Error(err)
	}
	audit(t, "", o)
}
