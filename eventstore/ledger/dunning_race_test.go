package ledger_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
)

// Cases, policies and runs are among the streams over which one key is one command of the seller.
func TestAKeyIsOneCommandOverCasesToo(t *testing.T) {
	o := dun(t)
	o.owe("C1", "A", 1000)
	o.owe("C2", "A", 1000)
	if err := o.Remember(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.must("k", escalate(on("C1", "2026-05-04")))
	run := dunning.BeginRun{RunKey: dunning.RunKey{Seller: "S1", Run: "R"}, On: day("2026-05-04"), Acting: dunning.Agency}
	o.must("run", run)
	again := office{t, ledger.New(o.store, ledger.Codec(), nil), o.store}
	if err := again.Remember(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, o := range []office{o, again} {
		for _, id := range []string{"k", "policy", "run"} {
			o.refused(id, escalate(on("C2", "2026-05-04")), eventstore.ErrKeyReused)
			o.refused(id, payment("C2", 1), eventstore.ErrKeyReused)
		}
		if r := o.must("k", escalate(on("C1", "2026-05-04"))); !r.Repeated {
			t.Errorf("%+v", r)
		}
		if r := o.must("run", run); !r.Repeated {
			t.Errorf("%+v", r)
		}
	}
}

// Two ledgers on one log, as two processes would be one after the other or a server and its twin: each reminder is
// queued once and sent once, and what was paid at the same moment is found by the last look.
func TestTwoLedgersRemindOnce(t *testing.T) {
	one := dun(t)
	two := office{t, ledger.New(one.store, ledger.Codec(), nil), one.store}
	for round := range 25 {
		c := domain.CustomerID(fmt.Sprint("R", round))
		one.must("c-"+string(c), customer.RegisterCustomer{Key: customer.Key{Seller: "S1", Customer: c}, Terms: domain.Terms{Kind: domain.TermsNet, NetDays: 30}, Details: customer.Details{
			Name: "得意先", Contacts: []customer.Contact{{Email: "a@b.jp"}},
		}})
		one.owe(c, "A", 1000)
		queued := race(one, two,
			func(o office, i int) error { // the same command twice, and others
				_, err := o.do(fmt.Sprint("e-", c, i/2), escalate(on(c, "2026-05-04")))
				return err
			},
			func(o office, i int) error {
				if i > 0 {
					return errors.New("only one pays")
				}
				_, err := o.do("p-"+string(c), account.RecordPayment{Key: key(c), ReceivedOn: day("2026-05-04"), Amount: jpy(1000)})
				return err
			})
		var pending *dunning.Reminder
		var version eventstore.Version
		err := two.Case(t.Context(), debtor(c), func(s *dunning.State, v eventstore.Version) error {
			pending, version = s.Pending, v
			return nil
		})
		if err != nil || version > 1 || (pending != nil) != (queued > 0) {
			t.Fatalf("round %d: %d queued, version %d, pending %v, %v", round, queued, version, pending, err)
		}
		if pending == nil {
			continue
		}
		if v := one.recheck(c, "2026-05-04"); v.Send || v.Drop != dunning.DropPaid {
			t.Fatalf("round %d: %+v", round, v)
		}
		sent := race(one, two, func(o office, i int) error {
			_, err := o.do(fmt.Sprint("s-", c, i), gone(send(on(c, "2026-05-04"), pending.ID)))
			return err
		}, func(office, int) error { return errors.New("nothing besides") })
		if sent != 1 {
			t.Fatalf("round %d: sent %d times", round, sent)
		}
	}
}

// race does two things four times each, on two ledgers at once, and counts how often the first was done.
func race(one, two office, first, second func(o office, i int) error) (done int) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i := range 4 {
		o := []office{one, two}[i%2]
		wg.Go(func() {
			if first(o, i) == nil {
				mu.Lock()
				defer mu.Unlock()
				done++
			}
		})
		wg.Go(func() { _ = second(o, i) })
	}
	wg.Wait()
	return done
}
