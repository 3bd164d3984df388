package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/faulty"
	"github.com/urikake/urikake/eventstore/ledger"
)

// narrow takes so many bytes in one append, as an EventStoreDB server does.
type narrow struct {
	eventstore.Store
	most int
}

var errNarrow = &domain.Error{Code: domain.Invalid, Rule: "log.append_too_large", Text: "too much at once"}

func (n narrow) Append(ctx context.Context, stream string, expected eventstore.Version, events ...eventstore.Proposed) (eventstore.Position, error) {
	all := 0
	for _, e := range events {
		all += e.Size()
	}
	if all > n.most {
		return 0, errNarrow.With("%s: %d bytes", stream, all)
	}
	return n.Store.Append(ctx, stream, expected, events...)
}

// owing is a store in which the first customer owes many invoices of 10 yen.
func owing(t *testing.T, invoices int) eventstore.Store {
	t.Helper()
	store := newStore()
	open(t, store)
	codec := ledger.Codec()
	var version eventstore.Version
	for begin := 0; begin < invoices; begin += 1000 {
		var events []eventstore.Proposed
		for i := begin; i < min(begin+1000, invoices); i++ {
			id := owed(i)
			p, err := codec.Encode(account.InvoiceIssued{
				Invoice: id, Number: fmt.Sprint("OLD/", i), IssuedOn: day("2026-10-01"), DueOn: day("2026-10-31"), Total: jpy(10),
			})
			if err != nil {
				t.Fatal(err)
			}
			p.Metadata = fmt.Appendf(nil, `{"command_id":"old-%d","command":"IssueInvoice","actor":"test","schema":1}`, i)
			p.ID = eventstore.EventID("old", string(id), 0, nil)
			events = append(events, p)
		}
		if _, err := store.Append(t.Context(), key("C1").Stream(), version, events...); err != nil {
			t.Fatal(err)
		}
		version += eventstore.Version(len(events))
	}
	return store
}

var carryOn = account.CarryForward{Key: key("C1"), CarryOn: day("2026-12-31"), Into: "2027"}

func owed(i int) domain.InvoiceID {
	return domain.InvoiceID(fmt.Sprintf("an-invoice-with-a-name-as-long-as-names-come-%08d", i))
}

// payOff pays an invoice, which only the part that has it knows.
func payOff(i int) account.RecordPayment {
	return account.RecordPayment{
		Key: key("C1"), ReceivedOn: day("2027-01-05"), Amount: jpy(10), Allocations: []account.Allocation{{Invoice: owed(i), Amount: jpy(10)}},
	}
}

// parts asks that the fresh stream begins with all its parts, each once and alone in its append, and gives how many.
func parts(t *testing.T, name string, store eventstore.Store) (n int) {
	t.Helper()
	codec := ledger.Codec()
	all := -1
	for r, err := range store.Read(t.Context(), key("C1").Stream()+".2027", 0) {
		if err != nil {
			t.Fatal(err)
		}
		e, err := codec.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		part, is := e.(account.BalanceBroughtForward)
		if is && (part.Part != n+1 || eventstore.Version(part.Part) != r.Version || all >= 0 && part.Parts != all) || !is && n != all {
			t.Fatalf("%s: %s at version %d: part %d of %d", name, r.Kind, r.Version, part.Part, part.Parts)
		}
		if is {
			n, all = part.Part, part.Parts
		}
	}
	if n != all {
		t.Fatalf("%s: %d of %d parts", name, n, all)
	}
	return n
}

// What goes along may be more than a log takes at once.
func TestCarryForwardOfALongAccount(t *testing.T) {
	const invoices = 8000
	store := owing(t, invoices)
	o := office{t, ledger.New(narrow{store, 1 << 20}, ledger.Codec(), nil), store}
	o.must("carry", carryOn)
	bytes := 0
	for r, err := range store.Read(t.Context(), key("C1").Stream()+".2027", 0) {
		if err != nil {
			t.Fatal(err)
		}
		bytes += r.Size()
	}
	if n := parts(t, "", store); bytes <= 1<<20 {
		t.Fatalf("%d parts of %d bytes prove nothing", n, bytes)
	}
	_, _, books, err := o.Books(t.Context(), key("C1"))
	if err != nil || fmt.Sprint(10*invoices) != books[:5] {
		t.Errorf("%.20s, %v", books, err)
	}
}

// Whichever append of a carry forward in parts breaks, and however: the next command, whoever gets it, brings the rest
// and is decided on all of it.
func TestACrashBetweenParts(t *testing.T) {
	const invoices = 2500 // more than two parts
	for _, written := range []bool{false, true} {
		for n := 1; ; n++ {
			name := fmt.Sprintf("append %d, written %v", n, written)
			store := &unsteady{Store: owing(t, invoices), written: written, crashes: true}
			o := office{t, ledger.New(store, ledger.Codec(), nil), store}
			store.appends, store.breaksAt = 0, n
			_, err := o.do("carry", carryOn)
			if store.appends < n {
				if all := parts(t, name, store); err != nil || n-2 != all || all < 3 {
					t.Fatal(name, all, err)
				}
				break
			}
			if !errors.Is(err, eventstore.ErrUnavailable) {
				t.Fatal(name, err)
			}
			store.breaksAt = 0
			for _, o := range []office{o, {t, ledger.New(store, ledger.Codec(), nil), store}} {
				if n == 1 {
					o.must("carry", carryOn) // may not have been written
				}
				r := o.must("pay", payOff(invoices-1))
				if r.Stream != key("C1").Stream()+".2027" {
					t.Fatal(name, " paid in ", r.Stream)
				}
			}
			parts(t, name, store)
		}
	}
}

// Several nodes that find the stream half brought forward bring the rest together.
func TestNodesBringForwardTogether(t *testing.T) {
	const invoices = 2500
	for seed := range uint64(4) {
		store := faulty.New(owing(t, invoices), seed, faulty.Faults{Conflict: 0.2, Unwritten: 0.2, LostAck: 0.2})
		var nodes sync.WaitGroup
		for node := range 4 {
			o := office{t, ledger.New(store, ledger.Codec(), nil), store}
			nodes.Go(func() {
				for _, s := range []step{
					{"carry", carryOn, nil}, {"pay", payOff(invoices - 1), nil}, {fmt.Sprint("more", node), payment("C1", 1), nil},
				} {
					err := o.try(s)
					for errors.Is(err, eventstore.ErrUnavailable) {
						err = o.try(s)
					}
					if err != nil {
						t.Error(s.id, err)
					}
				}
			})
		}
		nodes.Wait()
		store.Set(faulty.Faults{})
		parts(t, fmt.Sprint("seed ", seed), store)
		_, _, books, err := office{t, ledger.New(store, ledger.Codec(), nil), store}.Books(t.Context(), key("C1"))
		if err != nil || books[:6] != "24986 " {
			t.Errorf("%.20s, %v", books, err)
		}
	}
}
