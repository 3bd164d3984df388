package projections

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
)

// settledByHand lists what moved an invoice, straight from the events.
func settledByHand(facts []fact, k account.Key, invoice domain.InvoiceID, day domain.Date, known eventstore.Position) (list []Settlement) {
	var open int64
	for _, f := range facts {
		if f.key != k || f.position > known || f.event.On().After(day) {
			continue
		}
		move := func(class Class, document string, minor int64) {
			list = append(list, Settlement{
				On: f.event.On(), Position: f.position, Kind: f.event.Kind(), Class: class, Document: document,
				Amount: domain.NewMoney(minor, k.Currency),
			})
		}
		allocated := func(class Class, document string, allocations []account.Allocation, sign int64) {
			for _, a := range allocations {
				if a.Invoice == invoice {
					move(class, document, sign*a.Amount.Minor())
				}
			}
		}
		about := func(id domain.InvoiceID, class Class, document string, amount domain.Money) {
			if id == invoice {
				move(class, document, -amount.Minor())
			}
		}
		switch e := f.event.(type) {
		case account.InvoiceIssued:
			if e.Invoice == invoice {
				open = e.Total.Minor()
			}
		case account.LateChargeAssessed:
			if e.Charge == invoice {
				open = e.Amount.Minor()
			}
		case account.PaymentRecorded:
			allocated(Payment, string(e.Payment), e.Allocations, -1)
		case account.PaymentApplied:
			allocated(Payment, string(e.Payment), e.Allocations, -1)
		case account.PaymentUnapplied:
			allocated(Payment, string(e.Payment), e.Allocations, +1)
		case account.PaymentReversed:
			allocated(Payment, string(e.Payment), e.Released, +1)
		case account.CreditNoteIssued:
			allocated(CreditNote, string(e.Credit), e.Applied, -1)
		case account.CreditApplied:
			allocated(CreditNote, string(e.Credit), e.Allocations, -1)
		case account.CreditUnapplied:
			allocated(CreditNote, string(e.Credit), e.Allocations, +1)
		case account.WrittenOff:
			about(e.Invoice, WrittenOff, string(e.WriteOff), e.Amount)
		case account.DifferenceSettled:
			about(e.Invoice, Difference, "", e.Amount)
		case account.InvoiceVoided:
			about(e.Invoice, Voided, "", e.Amount)
		case account.LateChargeWaived:
			about(e.Charge, Waived, "", e.Amount)
		}
	}
	slices.SortStableFunc(list, func(a, b Settlement) int { return a.On.Compare(b.On) })
	for i := range list {
		open += list[i].Amount.Minor()
		list[i].Open = domain.NewMoney(open, k.Currency)
	}
	return list
}

// standingByHand counts the events of the stream on which an account stands.
func (b *books) standingByHand(k account.Key) Standing {
	stream := b.accounts[k].stream
	_, period, _ := account.ParseStream(stream)
	return Standing{b.heads[stream], period}
}

// comparePoints asks for one account and each of its invoices.
func (b *books) comparePoints(t *rapid.T, k account.Key, asOf domain.Date, known eventstore.Position, hand byHand, invoices []InvoiceRow) {
	ctx, at := context.Background(), KnownAt{Position: known}
	one, err := b.views.Account(ctx, AccountQuery{Key: k, AsOf: asOf, KnownAt: at})
	if err != nil || one.Balance.Minor() != hand.balance || one.Balance.Currency() != k.Currency || one.Standing != b.standingByHand(k) || one.Customer != k.Customer {
		t.Fatalf("%v account %+v, %v; by hand %d, %+v", k, one, err, hand.balance, b.standingByHand(k))
	}
	for _, row := range invoices {
		q := InvoiceQuery{Seller: k.Seller, Invoice: row.Invoice, Customer: k.Customer, Currency: k.Currency, AsOf: asOf, KnownAt: at}
		got, err := b.views.Invoice(ctx, q)
		if err != nil || got.InvoiceRow != row || got.Standing != one.Standing || got.KnownAt != known {
			t.Fatalf("%v invoice %+v, %v; in the list %+v", k, got, err, row)
		}
		if want := settledByHand(b.facts, k, row.Invoice, asOf, known); !slices.Equal(got.Settlements, want) {
			t.Fatalf("%v invoice %s settled by %+v, by hand %+v", k, row.Invoice, got.Settlements, want)
		}
		var disputed int64
		for _, d := range got.Disputes {
			sign := map[string]int64{account.DisputeOpened{}.Kind(): 1, account.DisputeResolved{}.Kind(): -1}[d.Kind]
			disputed += sign * d.Amount.Minor()
		}
		if it := hand.items[row.Invoice]; disputed != it.disputed || len(got.DueDates) > 0 && got.DueDates[len(got.DueDates)-1].DueOn.DayNumber() != it.due {
			t.Fatalf("%v invoice %+v, by hand %+v", k, got, it)
		}
	}
}

// Without customer and currency an id must be of one account only.
func (b *books) compareAmbiguous(t *rapid.T, s domain.SellerID, keys []account.Key, asOf domain.Date, known eventstore.Position) {
	owners := make(map[domain.InvoiceID]int)
	for _, k := range keys {
		for id := range computeByHand(b.facts, k, asOf, known).items {
			owners[id]++
		}
	}
	owners["nobody's"] = 0
	for id, n := range owners {
		_, err := b.views.Invoice(context.Background(), InvoiceQuery{Seller: s, Invoice: id, AsOf: asOf, KnownAt: KnownAt{Position: known}})
		want := map[int]error{0: ErrUnknownInvoice, 1: nil}[n]
		if n > 1 {
			want = ErrAmbiguousInvoice
		}
		if !errors.Is(err, want) {
			t.Fatalf("invoice %s of %s, in %d accounts: %v", id, s, n, err)
		}
	}
}

func TestUnknownAndAmbiguous(t *testing.T) {
	b := newBooks(t)
	b.register()
	b.do(issue("I1", "2026-01-10", "2026-02-10", 100))
	other := issue("I1", "2026-01-12", "2026-02-10", 100)
	other.Customer = "C2"
	b.do(other)
	asOf := day("2026-01-31")
	for _, c := range []struct {
		q    InvoiceQuery
		want error
	}{
		{InvoiceQuery{Seller: "S9", Invoice: "I1", AsOf: asOf}, ErrUnknownSeller},
		{InvoiceQuery{Seller: "S1", Invoice: "I1", Customer: "C9", AsOf: asOf}, ErrUnknownCustomer},
		{InvoiceQuery{Seller: "S1", Invoice: "I9", AsOf: asOf}, ErrUnknownInvoice},
		{InvoiceQuery{Seller: "S1", Invoice: "I1", Currency: "USD", AsOf: asOf}, ErrUnknownInvoice},
		{InvoiceQuery{Seller: "S1", Invoice: "I1", AsOf: day("2026-01-09")}, ErrUnknownInvoice},
		{InvoiceQuery{Seller: "S1", Invoice: "I1", AsOf: day("2026-01-11")}, nil},
		{InvoiceQuery{Seller: "S1", Invoice: "I1", AsOf: asOf}, ErrAmbiguousInvoice},
		{InvoiceQuery{Seller: "S1", Invoice: "I1", Currency: "JPY", AsOf: asOf}, ErrAmbiguousInvoice},
		{InvoiceQuery{Seller: "S1", Invoice: "I1", Customer: "C2", AsOf: asOf}, nil},
		{InvoiceQuery{Seller: "S1", Invoice: "I1"}, domain.ErrMissing},
	} {
		_, err := b.views.Invoice(background, c.q)
		if !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.q, err, c.want)
		}
		if errors.Is(err, ErrAmbiguousInvoice) && !strings.Contains(err.Error(), "C1 in JPY, C2 in JPY") {
			t.Error(err)
		}
	}
	for key, want := range map[account.Key]error{
		{Seller: "S9", Customer: "C1", Currency: "JPY"}: ErrUnknownSeller,
		{Seller: "S1", Customer: "C9", Currency: "JPY"}: ErrUnknownCustomer,
		{Seller: "S1", Customer: "C1", Currency: "USD"}: ErrUnknownAccount,
		{Seller: "S1", Customer: "C1", Currency: "JPY"}: nil,
	} {
		if _, err := b.views.Account(background, AccountQuery{Key: key, AsOf: asOf}); !errors.Is(err, want) {
			t.Errorf("%+v: %v, want %v", key, err, want)
		}
	}
}

// The version never stands beyond the figures: whoever expects it would not notice what came between. Here an event
// comes while a question waits for a connection.
func TestVersionAndFiguresAreOfOneState(t *testing.T) {
	b := newBooks(t)
	b.register()
	b.do(issue("I1", "2026-01-10", "2026-02-10", 1))
	b.catchUp()
	var taken sync.WaitGroup
	release, done := make(chan struct{}), make(chan struct{})
	taken.Add(readersMax)
	for range readersMax {
		go func() {
			defer func() { done <- struct{}{} }()
			_ = b.views.look(background, func(*reader) error {
				taken.Done()
				<-release
				return nil
			})
		}()
	}
	taken.Wait()
	ask := func(about func() (eventstore.Position, Standing, error)) {
		defer func() { done <- struct{}{} }()
		known, standing, err := about()
		if err != nil || known != b.head() || standing.Version != 2 {
			t.Errorf("version %d at %d of %d, %v", standing.Version, known, b.head(), err)
		}
	}
	go ask(func() (eventstore.Position, Standing, error) {
		one, err := b.views.Account(background, AccountQuery{Key: jpy, AsOf: day("2026-01-31")})
		if one.Open != yen(2) {
			t.Errorf("%s open", one.Open)
		}
		return one.KnownAt, one.Standing, err
	})
	go ask(func() (eventstore.Position, Standing, error) {
		one, err := b.views.Invoice(background, InvoiceQuery{Seller: "S1", Invoice: "I1", AsOf: day("2026-01-31")})
		return one.KnownAt, one.Standing, err
	})
	time.Sleep(20 * time.Millisecond) // they wait by now
	b.do(issue("I2", "2026-01-10", "2026-02-10", 1))
	b.catchUp()
	close(release)
	for range readersMax + 2 {
		<-done
	}
}

func TestLagAndWaitFor(t *testing.T) {
	b := newBooks(t)
	b.register()
	if position, head, err := b.views.Lag(background); position != 0 || head != b.head() || err != nil {
		t.Errorf("before the first question %d of %d, %v", position, head, err)
	}
	b.catchUp()
	b.do(issue("I1", "2026-01-10", "2026-02-10", 1))
	if position, head, err := b.views.Lag(background); position != b.head()-1 || head != b.head() || err != nil {
		t.Errorf("%d of %d, %v", position, head, err)
	}
	for _, running := range []bool{false, true} {
		ctx, cancel := context.WithCancel(background)
		ran := make(chan error, 1)
		if running {
			go func() { ran <- b.views.Run(ctx) }()
		}
		if _, err := b.views.Wait(background, b.head()+1); !errors.Is(err, ErrBeyondLog) {
			t.Errorf("running %v: %v", running, err)
		}
		soon, stop := context.WithTimeout(background, 20*time.Millisecond)
		if _, err := b.views.WaitFor(soon, b.head()+1); !errors.Is(err, ErrBehind) {
			t.Errorf("running %v: %v", running, err)
		}
		stop()
		gone, leave := context.WithCancel(background)
		leave()
		if _, err := b.views.WaitFor(gone, ^eventstore.Position(0)); !errors.Is(err, context.Canceled) {
			t.Errorf("running %v: %v", running, err)
		}
		waited := make(chan error, 1)
		next := b.head() + 1
		go func() {
			position, err := b.views.WaitFor(background, next)
			if err == nil && position < next {
				err = errors.New("not reached")
			}
			waited <- err
		}()
		b.do(pay("P"+string(rune('a'+next)), "2026-01-10", 1))
		if err := <-waited; err != nil {
			t.Errorf("running %v: %v", running, err)
		}
		cancel()
		if running {
			<-ran
		}
	}
}
