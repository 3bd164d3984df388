package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/faulty"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/sqlite"
)

func payment(c domain.CustomerID, amount int64) account.RecordPayment {
	return account.RecordPayment{Key: key(c), ReceivedOn: day("2026-04-05"), Amount: jpy(amount)}
}

// remembering is an office whose ledger remembers keys; again has read them from the log.
func remembering(t *testing.T, store eventstore.Store) (o, again office) {
	t.Helper()
	o = open(t, store)
	if err := o.Remember(t.Context()); err != nil {
		t.Fatal(err)
	}
	return o, office{t, ledger.New(store, ledger.Codec(), nil), store}
}

// Where nodes share a log, a key that one has answered is known on the others, whether they follow the log or not.
func TestAKeyIsOneCommandOnAllNodes(t *testing.T) {
	for _, follows := range []bool{false, true} {
		store := newStore()
		first := open(t, store)
		nodes := []office{first, {t, ledger.New(store, ledger.Codec(), nil), store}, {t, ledger.New(store, ledger.Codec(), nil), store}}
		ctx, cancel := context.WithCancel(t.Context())
		var following sync.WaitGroup
		for _, n := range nodes {
			if err := n.RememberShared(ctx); err != nil {
				t.Fatal(err)
			}
			if follows {
				following.Go(func() {
					if err := n.FollowKeys(ctx); !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
				})
			}
		}
		for i := range 60 {
			id, one, other := fmt.Sprint("k", i), nodes[i%3], nodes[(i+1)%3]
			c := []domain.CustomerID{"C1", "C2"}
			one.must(id, invoice(c[i%2], "", 1000))
			other.refused(id, invoice(c[1-i%2], "", 1000), eventstore.ErrKeyReused)
			if _, err := other.ExecuteTogether(ctx, ordersOf(step{id, payment(c[1-i%2], 1), nil})); !errors.Is(err, eventstore.ErrKeyReused) {
				t.Fatal(err)
			}
			if r := other.must(id, invoice(c[i%2], "", 1000)); !r.Repeated {
				t.Fatalf("%+v", r)
			}
		}
		cancel()
		following.Wait()
		if _, err := nodes[0].Execute(ctx, payment("C1", 1), eventstore.Envelope{CommandID: "gone"}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

// A node that can't learn what others have written does nothing.
func TestKeysCannotBeRead(t *testing.T) {
	store := faulty.New(newStore(), 1, faulty.Faults{})
	o := open(t, store)
	store.Set(faulty.Faults{Head: 1})
	if err := o.RememberShared(t.Context()); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Fatal(err)
	}
	store.Set(faulty.Faults{Cut: 1})
	if err := o.RememberShared(t.Context()); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Fatal(err)
	}
	store.Set(faulty.Faults{})
	if err := o.RememberShared(t.Context()); err != nil {
		t.Fatal(err)
	}
	office{t, ledger.New(store, ledger.Codec(), nil), store}.must("k", invoice("C1", "", 1))
	store.Set(faulty.Faults{Head: 1})
	o.refused("k", invoice("C2", "", 1), eventstore.ErrUnavailable)
	store.Set(faulty.Faults{})
	o.refused("k", invoice("C2", "", 1), eventstore.ErrKeyReused)
}

// One key is one command of a seller, whatever it concerns.
func TestAKeyIsOneCommandOverAllStreams(t *testing.T) {
	o, again := remembering(t, newStore())
	o.must("k1", invoice("C1", "", 1000))
	o.must("k2", account.CarryForward{Key: key("C1"), CarryOn: day("2026-12-31"), Into: "2027"})
	o.must("k3", payment("C1", 10)) // on another stream of the same account
	o.must("other", seller.RegisterSeller{Seller: "S2", Settings: seller.Settings{
		Name: "x", TimeZone: "Asia/Tokyo", BaseCurrency: "JPY", Language: domain.English,
	}})
	o.must("k1", customer.RegisterCustomer{Key: customer.Key{Seller: "S2", Customer: "C1"}, Details: customer.Details{Name: "x"}})
	if err := again.Remember(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, o := range []office{o, again} {
		for _, id := range []string{"k1", "k2", "k3"} {
			o.refused(id, invoice("C2", "", 1000), eventstore.ErrKeyReused)
			o.refused(id, payment("C1", 11), eventstore.ErrKeyReused)
			o.refused(id, customer.DeactivateCustomer{Key: customer.Key{Seller: "S1", Customer: "C1"}, Reason: "x"}, eventstore.ErrKeyReused)
		}
		o.refused("customer-C1", invoice("C1", "", 1), eventstore.ErrKeyReused)
		o.refused("seller", invoice("C1", "", 1), eventstore.ErrKeyReused)
		for id, c := range map[string]interface{ Name() string }{"k1": invoice("C1", "", 1000), "k3": payment("C1", 10)} {
			if r := o.must(id, c); !r.Repeated {
				t.Errorf("%+v", r)
			}
		}
		if n := o.UnderWay(); n != 0 {
			t.Errorf("%d keys under way", n)
		}
	}
}

// Without remembering nothing is read and each stream knows its own.
func TestAKeyOnEachStreamWithoutRemembering(t *testing.T) {
	o := open(t, newStore())
	o.must("k1", invoice("C1", "", 1000))
	o.must("k1", invoice("C2", "", 1000))
	if err := o.Remember(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []domain.CustomerID{"C1", "C2"} { // both were promised their first answers
		if r := o.must("k1", invoice(c, "", 1000)); !r.Repeated {
			t.Errorf("%+v", r)
		}
		o.refused("k1", invoice(c, "", 1001), eventstore.ErrKeyReused)
	}
}

// A hash that came with the command says nothing about the account, so the account counts.
func TestAKeyOnAnotherAccountUnderTheSameHash(t *testing.T) {
	o, again := remembering(t, newStore())
	do := func(o office, c domain.CustomerID) error {
		_, err := o.Execute(t.Context(), payment(c, 5), eventstore.Envelope{CommandID: "k", Hash: "of the body"})
		return err
	}
	if err := do(o, "C1"); err != nil {
		t.Fatal(err)
	}
	if err := again.Remember(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, o := range []office{o, again} {
		if err := do(o, "C2"); !errors.Is(err, eventstore.ErrKeyReused) {
			t.Error(err)
		}
		if err := do(o, "C1"); err != nil {
			t.Error(err)
		}
	}
}

// Two commands under one key at the same moment on two accounts: one is done. The same one twice is done once.
func TestOneKeyAtTheSameMoment(t *testing.T) {
	o, _ := remembering(t, newStore())
	for round := range 300 {
		id := fmt.Sprint("k", round)
		commands := []interface{ Name() string }{payment("C1", 7), payment("C2", 7), payment("C1", 7)}
		errs := make([]error, len(commands))
		var wg sync.WaitGroup
		for i, c := range commands {
			wg.Go(func() { _, errs[i] = o.do(id, c) })
		}
		wg.Wait()
		first, second := errs[0] == nil && errs[2] == nil, errs[1] == nil
		refused := 0
		for _, err := range errs {
			if errors.Is(err, eventstore.ErrKeyReused) {
				refused++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if first == second || refused != map[bool]int{true: 1, false: 2}[first] {
			t.Fatal(round, errs)
		}
	}
	if n := o.UnderWay(); n != 0 {
		t.Errorf("%d keys under way", n)
	}
}

func TestARefusedCommandFreesItsKey(t *testing.T) {
	o, _ := remembering(t, newStore())
	o.refused("k", account.ReversePayment{Key: key("C1"), Payment: "P", ReverseOn: day("2026-04-01"), Reason: "x"}, account.ErrUnknownPayment)
	o.must("k", payment("C2", 1))
	o.refused("k", payment("C1", 1), eventstore.ErrKeyReused)
}

// What is not known to be refused keeps its key: it may have been written.
func TestAnUnknownOutcomeKeepsItsKey(t *testing.T) {
	store := &failing{Store: newStore()}
	o, _ := remembering(t, store)
	store.broken = true
	o.refused("k1", payment("C1", 1), eventstore.ErrUnavailable)
	store.broken = false
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := o.Execute(ended, payment("C1", 1), eventstore.Envelope{CommandID: "k2"}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	for _, id := range []string{"k1", "k2"} {
		o.refused(id, payment("C2", 1), eventstore.ErrKeyReused)
		if r := o.must(id, payment("C1", 1)); r.Repeated {
			t.Errorf("%+v", r)
		}
	}
}

// What is forgotten here is still known to its own stream, whatever stands in the log between.
func TestForgottenKeys(t *testing.T) {
	store := newStore()
	o := open(t, store)
	if err := o.RememberFew(t.Context(), 8); err != nil {
		t.Fatal(err)
	}
	for i := range 40 { // series, several events for a command and the ledger's own steps lie between
		o.must(fmt.Sprint("k", i), invoice("C1", "", 1))
	}
	again := office{t, ledger.New(store, ledger.Codec(), nil), store}
	if err := again.RememberFew(t.Context(), 8); err != nil {
		t.Fatal(err)
	}
	o.refused("k39", payment("C2", 1), eventstore.ErrKeyReused)
	o.refused("k32", payment("C2", 1), eventstore.ErrKeyReused)
	again.refused("k39", payment("C2", 1), eventstore.ErrKeyReused)
	again.refused("k32", payment("C2", 1), eventstore.ErrKeyReused)
	for _, o := range []office{o, again} {
		o.refused("k3", payment("C1", 1), eventstore.ErrKeyReused)
		if r := o.must("k3", invoice("C1", "", 1)); !r.Repeated {
			t.Errorf("%+v", r)
		}
	}
	o.must("k4", payment("C2", 1))
}

// far is a log whose positions lie far apart, as on a server that counts bytes.
type far struct{ eventstore.Store }

const apart = 1_000_003

func (f far) Head(ctx context.Context) (eventstore.Position, error) {
	head, err := f.Store.Head(ctx)
	return head * apart, err
}

func (f far) Follow(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		for r, err := range f.Store.Follow(ctx, after/apart) {
			if r.Position *= apart; !yield(r, err) {
				return
			}
		}
	}
}

// How many commands are remembered is counted in commands, on any log; what comes later is learned after them.
func TestKeysOnALogWithGaps(t *testing.T) {
	store := far{newStore()}
	o := open(t, store)
	for i := range 300 {
		o.must(fmt.Sprint("k", i), payment("C1", 1))
	}
	again := office{t, ledger.New(store, ledger.Codec(), nil), store}
	if err := again.RememberFew(t.Context(), 256); err != nil {
		t.Fatal(err)
	}
	again.refused("k299", payment("C2", 1), eventstore.ErrKeyReused)
	again.refused("k44", payment("C2", 1), eventstore.ErrKeyReused)
	again.must("k43", payment("C2", 1)) // forgotten
	shared := office{t, ledger.New(store, ledger.Codec(), nil), store}
	if err := shared.RememberShared(t.Context()); err != nil {
		t.Fatal(err)
	}
	shared.refused("k0", payment("C2", 1), eventstore.ErrKeyReused)
	o.must("later", payment("C1", 1))
	shared.refused("later", payment("C2", 1), eventstore.ErrKeyReused)
}

// BenchmarkRemember reads the keys of a log of 200 000 events.
func BenchmarkRemember(b *testing.B) {
	const events = 200_000
	store, err := sqlite.Open(b.TempDir(), time.Now)
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	codec := ledger.Codec()
	var group []eventstore.Proposed
	for i := range events {
		p, err := codec.Encode(account.PaymentRecorded{Payment: "P", ReceivedOn: day("2026-04-01"), Amount: jpy(1), Reference: "20260420-000123"})
		if err != nil {
			b.Fatal(err)
		}
		id := fmt.Sprintf("0198c5d2-7c1e-7000-8000-%012d", i)
		p.ID = eventstore.EventID("s", id, 0, nil)
		p.Metadata = fmt.Appendf(nil, `{"command_id":"%s","command":"RecordPayment","command_hash":"%032x","actor":"bench","schema":1}`, id, i)
		if group = append(group, p); len(group) == 1000 {
			if _, err := store.Append(b.Context(), fmt.Sprintf("account-S1.C%d.JPY", i/1000), 0, group...); err != nil {
				b.Fatal(err)
			}
			group = group[:0]
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := ledger.New(store, codec, nil).Remember(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*events/b.Elapsed().Seconds(), "events/s")
}
