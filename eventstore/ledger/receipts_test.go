package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/receipt"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
)

func receiptKey(id domain.ReceiptID) receipt.Key {
	return receipt.Key{Seller: "S1", Receipt: id, ReceivedOn: day("2026-05-10")}
}

func came(id domain.ReceiptID, payer string, amount int64) receipt.RecordReceipt {
	return receipt.RecordReceipt{Key: receiptKey(id), Amount: jpy(amount), Payer: payer}
}

func TestAReceiptBecomesAPayment(t *testing.T) {
	o := dun(t)
	o.owe("C1", "A", 10_000)
	o.must("r", came("R1", "ｻﾄｳ", 9_000))
	assign := receipt.AssignReceipt{Key: receiptKey("R1"), Customer: "C1"}
	first := o.must("a", assign)
	if d := o.debtor("C1", "2026-05-10"); len(d.Items) != 1 || d.Items[0].Open != jpy(1_000) || !d.Unmatched.IsZero() {
		t.Errorf("%+v", d)
	}
	if len(first.Events) != 2 || first.Events[1] != (receipt.Booked{Key: receiptKey("R1"), Customer: "C1", Payment: "R1"}) {
		t.Errorf("%+v", first)
	}
	again := o.must("a", assign)
	if !again.Repeated || again.Position != first.Position || again.Version != first.Version || fmt.Sprint(again.Events) != fmt.Sprint(first.Events) {
		t.Errorf("first %+v, again %+v", first, again)
	}
	var payments []account.PaymentRecorded
	for r, err := range o.store.Read(t.Context(), key("C1").Stream(), 0) {
		e, decodeErr := ledger.Codec().Decode(r)
		if err != nil || decodeErr != nil {
			t.Fatal(err, decodeErr)
		}
		if p, ok := e.(account.PaymentRecorded); ok {
			payments = append(payments, p)
			if !strings.Contains(string(r.Metadata), `"$causationId":"receipt-S1.2026@2"`) {
				t.Errorf("it does not say what led to it: %s", r.Metadata)
			}
		}
	}
	want := account.PaymentRecorded{
		Payment: "R1", Receipt: "R1", ReceivedOn: day("2026-05-10"), Amount: jpy(9_000), Basis: account.ByAgreement, Method: "TRANSFER", Payer: "ｻﾄｳ",
		Allocations: []account.Allocation{{Invoice: "A", Amount: jpy(9_000)}},
	}
	if len(payments) != 1 || fmt.Sprint(payments[0]) != fmt.Sprint(want) {
		t.Errorf("%+v", payments)
	}
	o.must("r2", came("R2", "ｻﾄｳ", 5))
	o.must("a2", receipt.AssignReceipt{Key: receiptKey("R2"), Customer: "C1", Payment: "P2", Unapplied: true})
	if d := o.debtor("C1", "2026-05-10"); d.Unapplied != jpy(5) {
		t.Errorf("%+v", d)
	}
}

func TestReceiptRefusals(t *testing.T) {
	o := dun(t)
	o.At(func() time.Time { return time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC) })
	later := came("R9", "x", 1)
	later.ReceivedOn = day("2026-06-02")
	o.refused("f", later, receipt.ErrFutureDay)
	other := came("R9", "x", 1)
	other.Seller = "S9"
	o.refused("s", other, account.ErrUnknownSeller)
	o.refused("m", came("R9", "", 1), domain.ErrMissing)
	o.must("r", came("R1", "ｻﾄｳ", 9_000))
	o.refused("b", receipt.ReturnReceipt{Key: receiptKey("R1"), ReturnedOn: day("2026-06-02"), Reason: "x"}, receipt.ErrFutureDay)
	// What the account would refuse is refused, and the receipt stays open.
	o.refused("c", receipt.AssignReceipt{Key: receiptKey("R1"), Customer: "C9"}, account.ErrUnknownCustomer)
	o.must("p", account.RecordPayment{Key: key("C1"), Payment: "R1", ReceivedOn: day("2026-05-10"), Amount: jpy(1)})
	o.refused("d", receipt.AssignReceipt{Key: receiptKey("R1"), Customer: "C1"}, account.ErrRepeatedID)
	o.must("e", receipt.ReturnReceipt{Key: receiptKey("R1"), ReturnedOn: day("2026-05-20"), Reason: "別会社宛て"})
	o.refused("g", receipt.AssignReceipt{Key: receiptKey("R1"), Customer: "C2"}, receipt.ErrSettled)
	o.refused("h", receipt.AssignReceipt{Key: receiptKey("R2"), Customer: "C2"}, receipt.ErrUnknown)
}

// between does something right before a stream is appended to, once.
type between struct {
	eventstore.Store
	stream string
	does   func()
	once   sync.Once
}

func (b *between) Append(ctx context.Context, stream string, expected eventstore.Version, events ...eventstore.Proposed) (eventstore.Position, error) {
	if stream == b.stream {
		b.once.Do(b.does)
	}
	return b.Store.Append(ctx, stream, expected, events...)
}

// Another payment takes the id between the look at the account and the assignment: the receipt is open again.
func TestAnAssignmentThatComesToNothing(t *testing.T) {
	o := dun(t)
	o.must("r", came("R1", "ｻﾄｳ", 9_000))
	store := &between{Store: o.store, stream: receiptKey("R1").Stream()}
	store.does = func() {
		o.must("p", account.RecordPayment{Key: key("C1"), Payment: "R1", ReceivedOn: day("2026-05-10"), Amount: jpy(1)})
	}
	late := office{t, ledger.New(store, ledger.Codec(), nil), store}
	assign := receipt.AssignReceipt{Key: receiptKey("R1"), Customer: "C1"}
	late.refused("a", assign, account.ErrRepeatedID)
	late.refused("a", assign, receipt.ErrReleased) // its answer does not turn into a yes
	assign.Payment = "P2"
	late.must("b", assign)
	if d := o.debtor("C1", "2026-05-10"); d.Unapplied != jpy(9_001) {
		t.Errorf("%+v", d)
	}
}

// Whichever append breaks, and however: once everything was sent again, each receipt is one payment.
func TestReceiptsAfterACrashAtAnyAppend(t *testing.T) {
	story := []step{
		{"i", invoice("C1", "", 10_000), nil},
		{"r1", came("R1", "ｻﾄｳ", 9_000), nil},
		{"a1", receipt.AssignReceipt{Key: receiptKey("R1"), Customer: "C1"}, nil},
		{"x1", receipt.AssignReceipt{Key: receiptKey("R1"), Customer: "C2"}, receipt.ErrSettled},
		{"r2", came("R2", "ｽｽﾞｷ", 700), nil},
		{"b2", receipt.ReturnReceipt{Key: receiptKey("R2"), ReturnedOn: day("2026-05-12"), Reason: "x"}, nil},
	}
	for _, crashes := range []bool{false, true} {
		for _, written := range []bool{false, true} {
			for n := 1; ; n++ {
				name := fmt.Sprintf("append %d, written %v, crash %v: ", n, written, crashes)
				store := &unsteady{Store: newStore(), written: written, crashes: crashes}
				o := open(t, store)
				store.appends, store.breaksAt = 0, n
				for _, s := range story {
					_, err := o.do(s.id, s.command)
					if errors.Is(err, eventstore.ErrUnavailable) && crashes {
						break
					}
					if errors.Is(err, eventstore.ErrUnavailable) {
						_, err = o.do(s.id, s.command)
					}
					if !isRefusal(err, s.refused) {
						t.Fatal(name, s.id, ": ", err)
					}
				}
				if store.appends < n {
					break
				}
				store.breaksAt = 0
				o = office{t, ledger.New(store, ledger.Codec(), nil), store}
				if n%2 == 0 { // another command comes first, and finishes what was left
					o.must("between", came("R3", "ﾀﾅｶ", 1))
				}
				for _, s := range append(story, story...) {
					if _, err := o.do(s.id, s.command); !isRefusal(err, s.refused) {
						t.Fatal(name, s.id, " again: ", err)
					}
				}
				d1, d2 := o.debtor("C1", "2026-06-01"), o.debtor("C2", "2026-06-01")
				if len(d1.Items) != 1 || d1.Items[0].Open != jpy(1_000) || !d1.Unapplied.IsZero() || !d2.Unapplied.IsZero() {
					t.Fatalf("%s%+v %+v", name, d1, d2)
				}
			}
		}
	}
}

// Many say at once whose a receipt is: one is right.
func TestManyAssignAReceiptAtOnce(t *testing.T) {
	o := dun(t)
	o.must("r", came("R1", "ｻﾄｳ", 9_000))
	offices := []office{o, {t, ledger.New(o.store, ledger.Codec(), nil), o.store}}
	var group sync.WaitGroup
	var mu sync.Mutex
	accepted := 0
	for i := range 12 {
		group.Go(func() {
			assign := receipt.AssignReceipt{Key: receiptKey("R1"), Customer: domain.CustomerID(fmt.Sprint("C", 1+i%2))}
			_, err := offices[i/2%2].do(fmt.Sprint("a", i), assign)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				accepted++
			case !errors.Is(err, receipt.ErrSettled) && !errors.Is(err, receipt.ErrAssigned):
				t.Error(err)
			}
		})
	}
	group.Wait()
	sum := o.debtor("C1", "2026-06-01").Unapplied.Minor() + o.debtor("C2", "2026-06-01").Unapplied.Minor()
	if accepted != 1 || sum != 9_000 {
		t.Errorf("%d accepted, %d booked", accepted, sum)
	}
}

// Nobody is reminded while money that may be his waits for its payer, whether it came before the reminder was queued or
// after; once it is found to be another's, he is.
func TestMoneyOfSomebodyHoldsReminders(t *testing.T) {
	o := dun(t)
	for c, names := range map[domain.CustomerID][2]string{"C1": {"株式会社山田商事", "ヤマダショウジ"}, "C2": {"鈴木 花子", "スズキ ハナコ"}} {
		o.must("name-"+string(c), customer.ChangeCustomer{Key: customer.Key{Seller: "S1", Customer: c}, Reason: "reading", Details: customer.Details{
			Name: names[0], Kana: names[1], Contacts: []customer.Contact{{Email: "ar@example.jp"}},
		}})
	}
	o.owe("C1", "A", 10_000)
	o.owe("C2", "B", 20_000)
	o.must("r1", came("R1", "ｶ)ﾔﾏﾀﾞｼﾖｳｼﾞ", 300))
	for id, c := range map[domain.CustomerID]struct {
		on   string
		want int64
	}{"C1": {"2026-05-10", 300}, "C2": {"2026-05-10", 0}} {
		if d := o.debtor(id, c.on); d.Unmatched != jpy(c.want) {
			t.Errorf("%s: %s", id, d.Unmatched)
		}
	}
	if d := o.debtor("C1", "2026-05-09"); !d.Unmatched.IsZero() {
		t.Errorf("the day before it came: %s", d.Unmatched)
	}
	if d := o.debtor("C1", "2031-05-09"); d.Unmatched != jpy(300) {
		t.Errorf("years later: %s", d.Unmatched)
	}
	o.refused("e1", escalate(on("C1", "2026-05-11")), dunning.ErrNotNow)
	queued := queuedBy(o.must("e2", escalate(on("C2", "2026-05-11"))))
	o.must("r2", came("R2", "ﾀﾅｶ", 19_340)) // less a fee of 660
	if v := o.recheck("C2", "2026-05-11"); v.Drop != dunning.DropUnmatched {
		t.Errorf("%+v", v)
	}
	o.refused("s", send(on("C2", "2026-05-11"), queued.ID), dunning.ErrUnmatched)
	o.must("b", receipt.ReturnReceipt{Key: receiptKey("R2"), ReturnedOn: day("2026-05-11"), Reason: "not ours"})
	o.must("s2", send(on("C2", "2026-05-11"), queued.ID))
	o.must("a", receipt.AssignReceipt{Key: receiptKey("R1"), Customer: "C2"})
	o.must("e3", escalate(on("C1", "2026-05-11")))
}

// A crash between the assignment and its payment leaves money that is the customer's, and nobody else's.
func TestAnAssignedReceiptIsThatCustomers(t *testing.T) {
	store := &unsteady{Store: newStore(), crashes: true}
	o := open(t, store)
	o.owe("C1", "A", 10_000)
	o.owe("C2", "B", 10_000)
	o.must("r", came("R1", "ｻﾄｳ", 10_000))
	store.appends, store.breaksAt = 0, 2 // the payment
	if _, err := o.do("a", receipt.AssignReceipt{Key: receiptKey("R1"), Customer: "C1"}); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Fatal(err)
	}
	d1, d2 := o.debtor("C1", "2026-05-11"), o.debtor("C2", "2026-05-11")
	if d1.Unmatched != jpy(10_000) || !d2.Unmatched.IsZero() || len(d1.Items) != 1 {
		t.Errorf("%+v\n%+v", d1, d2)
	}
}
