package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/receipt"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/memory"
	"github.com/urikake/urikake/eventstore/overlay"
	"github.com/urikake/urikake/eventstore/privacy"
)

// sealedOffice keeps its keys in a directory, and has a clock.
func sealedOffice(t *testing.T, store eventstore.Store, keys string, today string) office {
	t.Helper()
	l := ledger.New(store, ledger.Sealing(privacy.Open(keys)), eventstore.SnapshotDir(t.TempDir())).
		At(func() time.Time { return day(today).Time().Add(3 * time.Hour) })
	return office{t, l, store}
}

func erase(c customer.Key, on string) customer.EraseCustomer {
	return customer.EraseCustomer{Key: c, On: day(on), Reason: "asked to be forgotten"}
}

var c1 = customer.Key{Seller: "S1", Customer: "C1"}

// hanako buys, pays and is named by her bank, in 2010.
func hanako(o office) {
	prepare(o.T, o.Ledger)
	o.must("named", customer.ChangeCustomer{Key: c1, Reason: "married", Details: customer.Details{
		Name: "Hanako Yoshida", Kana: "HANAKO YOSHIDA", Contacts: []customer.Contact{{Email: "hanako@yoshida.example"}},
	}})
	o.must("i", account.IssueInvoice{Key: key("C1"), Invoice: "I1", IssuedOn: day("2010-04-01"), DueOn: day("2010-04-30"), Total: jpy(1000)})
	o.must("p", account.RecordPayment{Key: key("C1"), Payment: "P1", ReceivedOn: day("2010-04-20"), Amount: jpy(1000), Payer: "HANAKO YOSHIDA"})
}

func holdsName(t *testing.T, store eventstore.Store) bool {
	t.Helper()
	head, err := store.Head(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for r, err := range store.Follow(context.Background(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"Hanako", "HANAKO", "hanako@"} {
			if bytes.Contains(r.Data, []byte(name)) || bytes.Contains(r.Metadata, []byte(name)) {
				return true
			}
		}
		if r.Position == head {
			break
		}
	}
	return false
}

// names tells what can be read of the customer: the name, and the payer of the payment.
func names(t *testing.T, store eventstore.Store, codec *eventstore.Codec) (text string) {
	t.Helper()
	for _, stream := range []string{c1.Stream(), key("C1").Stream()} {
		for r, err := range store.Read(context.Background(), stream, 0) {
			if err != nil {
				t.Fatal(err)
			}
			e, err := codec.Decode(r)
			if err != nil {
				t.Fatal(err)
			}
			switch e := e.(type) {
			case customer.Changed:
				text += fmt.Sprint(e.Name, e.Kana, e.Contacts)
			case account.PaymentRecorded:
				text += "/" + e.Payer
			}
		}
	}
	return text
}

func TestErasing(t *testing.T) {
	store, dir := memory.New(time.Now), filepath.Join(t.TempDir(), "keys")
	o := sealedOffice(t, store, dir, "2026-11-26")
	hanako(o)
	if holdsName(t, store) {
		t.Error("the log holds a name in clear")
	}
	if got := names(t, store, ledger.Sealing(privacy.Open(dir))); got != "Hanako YoshidaHANAKO YOSHIDA[{ hanako@yoshida.example  }]/HANAKO YOSHIDA" {
		t.Errorf("%s", got)
	}
	o.refused("e0", erase(c1, "2026-11-27"), customer.ErrErasureAhead)
	first := o.must("e", erase(c1, "2026-11-26"))
	if again := o.must("e", erase(c1, "2026-11-26")); !again.Repeated || again.Position != first.Position {
		t.Errorf("a repeat: %+v", again)
	}
	if got := names(t, store, ledger.Sealing(privacy.Open(dir))); got != "[]/" {
		t.Errorf("after the erasure %q can be read", got)
	}
	for i, o := range []office{o, sealedOffice(t, store, dir, "2026-11-26")} {
		o.refused("x1", erase(c1, "2026-11-26"), customer.ErrErased)
		o.refused("x2", customer.ChangeCustomer{Key: c1, Details: customer.Details{Name: "x"}, Reason: "x"}, customer.ErrErased)
		o.refused("x3", account.RecordPayment{Key: key("C1"), ReceivedOn: day("2026-11-26"), Amount: jpy(1)}, customer.ErrErased)
		for j, c := range []account.Command{
			account.IssueInvoice{Key: key("C1"), IssuedOn: day("2026-11-01"), Total: jpy(1)},
			account.IssueCreditNote{Key: key("C1"), IssuedOn: day("2026-11-01"), Reason: account.Goodwill, Total: jpy(1)},
			account.AssessLateCharge{Key: key("C1"), Invoice: "I1", Rate: 300, To: day("2026-11-01"), AssessedOn: day("2026-11-01")},
			account.CarryForward{Key: key("C1"), CarryOn: day("2026-11-01"), Into: "2027"},
			account.VoidInvoice{Key: key("C1"), Invoice: "I1", VoidOn: day("2026-11-01"), Reason: "x"},
		} {
			o.refused(fmt.Sprint("x", i, j), c, customer.ErrErased)
		}
		name := fmt.Sprint("another", i)
		o.must(name, customer.ChangeCustomer{Key: customer.Key{Seller: "S1", Customer: "C2"}, Details: customer.Details{Name: name}, Reason: "x"})
	}
}

func TestWhatKeepsACustomerFromBeingErased(t *testing.T) {
	o := sealedOffice(t, memory.New(time.Now), filepath.Join(t.TempDir(), "keys"), "2026-11-26")
	prepare(t, o.Ledger)
	o.must("i", account.IssueInvoice{Key: key("C1"), Invoice: "I1", IssuedOn: day("2010-04-01"), DueOn: day("2010-04-30"), Total: jpy(1000)})
	o.refused("e1", erase(c1, "2026-11-26"), customer.ErrStillOpen)
	o.must("p", account.RecordPayment{Key: key("C1"), Payment: "P1", ReceivedOn: day("2010-04-20"), Amount: jpy(1500)})
	o.refused("e2", erase(c1, "2026-11-26"), customer.ErrStillOpen)
	o.must("r", account.IssueRefund{Key: key("C1"), Refund: "R1", Payment: "P1", RefundOn: day("2014-11-27"), Amount: jpy(500), Reason: "too much"})
	o.refused("e3", erase(c1, "2026-11-26"), customer.ErrRetained)
	dollars := account.Key{Seller: "S1", Customer: "C1", Currency: "USD"}
	o.must("usd", account.RecordPayment{Key: dollars, Payment: "P2", ReceivedOn: day("2010-01-01"), Amount: domain.NewMoney(1, "USD")})
	o.refused("e4", erase(c1, "2026-11-26"), customer.ErrStillOpen)
}

// A process that ends after the event was written and before the key was destroyed, another node with a directory of its
// own, and an old copy of the keys: whoever reads the event destroys the key.
func TestWhoeverReadsTheErasureDestroysTheKey(t *testing.T) {
	store, dir, old := memory.New(time.Now), filepath.Join(t.TempDir(), "keys"), filepath.Join(t.TempDir(), "old")
	o := sealedOffice(t, store, dir, "2026-11-26")
	hanako(o)
	if err := privacy.Open(dir).CopyTo(privacy.Open(old)); err != nil {
		t.Fatal(err)
	}
	o.must("e", erase(c1, "2026-11-26"))
	again := privacy.Open(old)
	if gone, err := again.Destroyed("S1.C1"); gone || err != nil {
		t.Fatalf("the copy is to have the key still: %v %v", gone, err)
	}
	node := office{t, ledger.New(store, ledger.Sealing(again), nil), store}
	node.refused("x", customer.DeactivateCustomer{Key: c1, Reason: "x"}, customer.ErrErased)
	if gone, err := privacy.Open(old).Destroyed("S1.C1"); !gone || err != nil {
		t.Errorf("the key is still there: %v", err)
	}
	if got := names(t, store, ledger.Sealing(privacy.Open(old))); got != "[]/" {
		t.Errorf("%q can be read", got)
	}
}

// Who only tries what would happen makes no key, and destroys none.
func TestATryDestroysNoKey(t *testing.T) {
	store, keys := memory.New(time.Now), privacy.Open(filepath.Join(t.TempDir(), "keys"))
	codec := ledger.Sealing(keys)
	o := office{t, ledger.New(store, codec, nil), store}
	hanako(o)
	what := overlay.New(store)
	tried := office{t, ledger.New(what, codec.Trying(), nil), what}
	tried.must("new", customer.RegisterCustomer{Key: customer.Key{Seller: "S1", Customer: "NEW"}, Details: customer.Details{Name: "New"}})
	if r := tried.must("e", erase(c1, "2026-11-26")); len(r.Events) == 0 {
		t.Errorf("%+v", r)
	}
	tried.refused("again", erase(c1, "2026-11-26"), customer.ErrErased)
	if gone, err := keys.Destroyed("S1.C1"); gone || err != nil {
		t.Errorf("the key is gone: %v", err)
	}
	if got := names(t, store, codec); got != "Hanako YoshidaHANAKO YOSHIDA[{ hanako@yoshida.example  }]/HANAKO YOSHIDA" {
		t.Errorf("%s", got)
	}
	o.must("e", erase(c1, "2026-11-26"))
	if gone, err := keys.Destroyed("S1.C1"); !gone || err != nil {
		t.Errorf("the key is still there: %v", err)
	}
}

// payers reads the receipts of 2010.
func payers(t *testing.T, store eventstore.Store, codec *eventstore.Codec) (list []string) {
	t.Helper()
	for r, err := range store.Read(context.Background(), receipt.Stream("S1", 2010), 0) {
		if err != nil {
			t.Fatal(err)
		}
		e, err := codec.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := e.(receipt.Recorded); ok {
			list = append(list, string(e.Receipt)+" "+e.Payer)
		}
	}
	return list
}

// The name of a payer who was not known stands under a key of the receipt's own, and goes with the customer who it was.
func TestErasingThePayersOfReceipts(t *testing.T) {
	store, dir, old := memory.New(time.Now), filepath.Join(t.TempDir(), "keys"), filepath.Join(t.TempDir(), "old")
	o := sealedOffice(t, store, dir, "2026-11-26")
	hanako(o)
	of := func(id domain.ReceiptID) receipt.Key {
		return receipt.Key{Seller: "S1", Receipt: id, ReceivedOn: day("2010-06-01")}
	}
	for _, id := range []domain.ReceiptID{"R1", "R2", "R3"} {
		o.must("came-"+string(id), receipt.RecordReceipt{Key: of(id), Amount: jpy(500), Payer: "HANAKO YOSHIDA"})
	}
	o.must("i2", account.IssueInvoice{Key: key("C1"), Invoice: "I2", IssuedOn: day("2010-05-01"), DueOn: day("2010-05-30"), Total: jpy(500)})
	o.must("hers", receipt.AssignReceipt{Key: of("R1"), Customer: "C1"})
	o.must("his", receipt.AssignReceipt{Key: of("R2"), Customer: "C2"})
	if holdsName(t, store) {
		t.Error("the log holds a name in clear")
	}
	if err := privacy.Open(dir).CopyTo(privacy.Open(old)); err != nil {
		t.Fatal(err)
	}
	erased := o.must("e", erase(c1, "2026-11-26"))
	if want := []customer.PaidReceipt{{Receipt: "R1", ReceivedOn: day("2010-06-01")}}; len(erased.Events) != 2 ||
		!slices.Equal(erased.Events[0].(customer.PayersErased).Receipts, want) {
		t.Errorf("%+v", erased.Events)
	}
	want := "[R1  R2 HANAKO YOSHIDA R3 HANAKO YOSHIDA]"
	if got := fmt.Sprint(payers(t, store, ledger.Sealing(privacy.Open(dir)))); got != want {
		t.Errorf("%s can be read, want %s", got, want)
	}
	again := ledger.Sealing(privacy.Open(old)) // whoever reads the event destroys the keys
	names(t, store, again)
	for r, err := range store.Read(context.Background(), c1.Stream(), 0) {
		if _, unread := again.Decode(r); err != nil || unread != nil {
			t.Fatal(err, unread)
		}
	}
	if got := fmt.Sprint(payers(t, store, ledger.Sealing(privacy.Open(old)))); got != want {
		t.Errorf("%s can be read with an old copy of the keys, want %s", got, want)
	}
}

// A process ended after a receipt was assigned and before it was booked, and the customer was erased since: nobody can be
// paid for any more, so the receipt waits for its payer again.
func TestAReceiptOfWhoWasErasedMeanwhile(t *testing.T) {
	store := memory.New(time.Now)
	codec := ledger.Sealing(privacy.InMemory())
	o := office{t, ledger.New(store, codec, nil).At(func() time.Time { return day("2026-11-26").Time() }), store}
	hanako(o)
	r1 := receipt.Key{Seller: "S1", Receipt: "R1", ReceivedOn: day("2010-06-01")}
	came := o.must("came", receipt.RecordReceipt{Key: r1, Amount: jpy(500), Payer: "HANAKO YOSHIDA"})
	assigned, err := codec.Encode(receipt.Assigned{Key: r1, Customer: "C1", Payment: "R1"})
	if err != nil {
		t.Fatal(err)
	}
	assigned.ID = uuid.New()
	if _, err := store.Append(t.Context(), r1.Stream(), came.Version, assigned); err != nil {
		t.Fatal(err)
	}
	o.must("e", erase(c1, "2026-11-26"))
	o.Ledger = ledger.New(store, codec, nil)
	if r := o.must("to-C2", receipt.AssignReceipt{Key: r1, Customer: "C2"}); r.Events[len(r.Events)-1].Kind() != (receipt.Booked{}).Kind() {
		t.Errorf("%+v", r.Events)
	}
}

// A process ended after a receipt was booked on an account and before that was noted, and the customer was erased since: the
// money is that customer's, and not booked again for another.
func TestAReceiptThatWasBookedForWhoWasErased(t *testing.T) {
	whole, codec := memory.New(time.Now), ledger.Sealing(privacy.InMemory())
	o := office{t, ledger.New(whole, codec, nil), whole}
	hanako(o)
	r1 := receipt.Key{Seller: "S1", Receipt: "R1", ReceivedOn: day("2010-06-01")}
	o.must("i2", account.IssueInvoice{Key: key("C1"), Invoice: "I2", IssuedOn: day("2010-05-01"), DueOn: day("2010-05-30"), Total: jpy(500)})
	o.must("came", receipt.RecordReceipt{Key: r1, Amount: jpy(500), Payer: "HANAKO YOSHIDA"})
	booked := o.must("hers", receipt.AssignReceipt{Key: r1, Customer: "C1"})
	if last := booked.Events[len(booked.Events)-1].Kind(); last != (receipt.Booked{}).Kind() {
		t.Fatalf("%s comes last", last)
	}
	store := memory.New(time.Now)
	for r, err := range whole.Follow(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Position == booked.Position {
			break
		}
		if _, err := store.Append(t.Context(), r.Stream, r.Version-1, r.Proposed); err != nil {
			t.Fatal(err)
		}
	}
	o = office{t, ledger.New(store, codec, nil).At(func() time.Time { return day("2026-11-26").Time() }), store}
	o.must("e", erase(c1, "2026-11-26"))
	o.refused("to-C2", receipt.AssignReceipt{Key: r1, Customer: "C2"}, receipt.ErrSettled)
	if r := o.must("hers", receipt.AssignReceipt{Key: r1, Customer: "C1"}); !r.Repeated {
		t.Errorf("%+v", r)
	}
	p := account.RecordPayment{Key: key("C1"), Payment: "P1", ReceivedOn: day("2010-04-20"), Amount: jpy(1000), Payer: "HANAKO YOSHIDA"}
	if r := o.must("p", p); !r.Repeated {
		t.Error("a payment from before is not known any more")
	}
	o.refused("p-again", p, customer.ErrErased)
}

// Nobody who has the log alone can find out what a command said by guessing it.
func TestHashesTellNothing(t *testing.T) {
	store, dir := memory.New(time.Now), filepath.Join(t.TempDir(), "keys")
	o := sealedOffice(t, store, dir, "2026-11-26")
	hanako(o)
	c := account.RecordPayment{Key: key("C1"), Payment: "P1", ReceivedOn: day("2010-04-20"), Amount: jpy(1000), Payer: "HANAKO YOSHIDA"}
	guess, err := eventstore.Hash(c.Name(), c)
	if err != nil {
		t.Fatal(err)
	}
	for r, err := range store.Read(context.Background(), key("C1").Stream(), 0) {
		if _, hash := eventstore.CommandOf(r); err != nil || hash == guess {
			t.Errorf("event %d has the plain hash, %v", r.Position, err)
		}
	}
	if r := sealedOffice(t, store, dir, "2026-11-26").must("p", c); !r.Repeated {
		t.Error("a repeat is not known by another process")
	}
	c.Payer = "TARO"
	if _, err := o.do("p", c); !errors.Is(err, eventstore.ErrKeyReused) {
		t.Errorf("other content under the same id: %v", err)
	}
}
