package projections

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
)

// debtors are what EachDebtor yields.
func (b *books) debtors(q DebtorsQuery) (list []Debtor) {
	b.t.Helper()
	if _, err := b.views.EachDebtor(context.Background(), q, func(d Debtor) error { list = append(list, d); return nil }); err != nil {
		b.t.Fatal(err)
	}
	return list
}

// compareDebtors: every account with an open item, and nobody else, with each item as the events say.
func (b *books) compareDebtors(t *rapid.T, s domain.SellerID, keys []account.Key, asOf domain.Date, known eventstore.Position) {
	b.views.pageRows = 40 // two accounts a page
	defer func() { b.views.pageRows = pageRows }()
	list := b.debtors(DebtorsQuery{Seller: s, AsOf: asOf, KnownAt: KnownAt{Position: known}})
	for _, k := range keys {
		hand := computeByHand(b.facts, k, asOf, known)
		var unapplied int64
		for _, n := range hand.unapplied {
			unapplied += n
		}
		open := make(map[domain.InvoiceID]itemByHand)
		for id, it := range hand.items {
			if it.open != 0 {
				open[id] = itemByHand{it.open, it.due, 0, min(it.disputed, it.open)}
			}
		}
		if len(open) == 0 {
			continue
		}
		if len(list) == 0 || list[0].Facts.Key != dunning.Key(k) {
			t.Fatalf("%v is missing in %+v", k, list)
		}
		d := list[0].Facts
		list = list[1:]
		if d.Unapplied.Minor() != unapplied || len(d.Items) != len(open) {
			t.Fatalf("%v as of %s known at %d: %+v, want %v and %d unapplied", k, asOf, known, d, open, unapplied)
		}
		for _, i := range d.Items {
			if got := (itemByHand{i.Open.Minor(), i.DueOn.DayNumber(), 0, i.Disputed.Minor()}); got != open[i.ID] {
				t.Fatalf("%v %s: %+v, want %+v", k, i.ID, got, open[i.ID])
			}
		}
	}
	if len(list) > 0 {
		t.Fatalf("too many: %+v", list)
	}
}

// How a debtor is reached, in which group and language it is, and whether there is a case, come along; a case that is
// not closed is there although nothing is open.
func TestDebtorsCarryHowTheyAreReached(t *testing.T) {
	d := newDunner(newBooks(t))
	d.register()
	c1 := customer.Key{Seller: "S1", Customer: "C1"}
	d.write(c1.Stream(), customer.Changed{Key: c1, Reason: "x", Details: customer.Details{
		Name: "Blue", Language: domain.English, Attributes: map[string]string{"group": "large"}, Contacts: []customer.Contact{
			{Name: "A", Phone: "1"}, {Name: "B", Email: "b@x", Phone: "2"}, {Name: "C", Email: "c@x", Role: "billing"},
		},
	}})
	second := issue("I2", "2026-01-01", "2026-01-31", 700)
	second.Customer = "C2"
	d.do(issue("I1", "2026-01-01", "2026-01-31", 1000), second, pay("P1", "2026-02-10", 300))
	asOf := day("2026-02-15")
	list := d.debtors(DebtorsQuery{Seller: "S1", AsOf: asOf})
	want := []dunning.Address{
		{Channel: dunning.Mail, Recipient: "contact:2"},
		{Channel: dunning.Phone, Recipient: "contact:0"},
		{Channel: dunning.SMS, Recipient: "contact:0"},
		{Channel: dunning.Letter, Recipient: "customer"},
		{Channel: dunning.RegisteredLetter, Recipient: "customer"},
	}
	if len(list) != 2 || !slices.Equal(list[0].Facts.Addresses, want) || !slices.Equal(list[1].Facts.Addresses, want[3:]) {
		t.Fatalf("%+v", list)
	}
	one := list[0]
	if one.Name != "Blue" || one.HasCase || one.Facts.Group != "large" || one.Facts.Language != domain.English || one.Facts.Unapplied != yen(300) {
		t.Errorf("%+v", one)
	}
	key := dunning.Key(jpy)
	if err := d.give(dunning.RecordPromise{Order: dunning.Order{Key: key, On: asOf}, Amount: yen(700), Day: asOf.AddDays(3)}, 1000); err != nil {
		t.Fatal(err)
	}
	d.do(account.ApplyPayment{Key: jpy, Payment: "P1", ApplyOn: asOf, Allocations: []account.Allocation{to("I1", 300)}}, pay("P2", "2026-02-15", 700, to("I1", 700)))
	if list = d.debtors(DebtorsQuery{Seller: "S1", Customer: "C1", AsOf: asOf}); len(list) != 1 || !list[0].HasCase || len(list[0].Facts.Items) != 0 {
		t.Errorf("paid, and the promise is open: %+v", list)
	}
	if err := d.give(dunning.CloseCase{Order: dunning.Order{Key: key, On: asOf}, Reason: dunning.ClosePaid}, 0); err != nil {
		t.Fatal(err)
	}
	if list = d.debtors(DebtorsQuery{Seller: "S1", AsOf: asOf}); len(list) != 1 || list[0].Facts.Customer != "C2" {
		t.Errorf("closed: %+v", list)
	}
}

func TestDebtorsRefuse(t *testing.T) {
	b := newBooks(t)
	b.register()
	none := func(Debtor) error { return nil }
	for _, c := range []struct {
		q    DebtorsQuery
		want *domain.Error
	}{
		{DebtorsQuery{Seller: "S1"}, domain.ErrMissing},
		{DebtorsQuery{Seller: "S9", AsOf: lastDay}, ErrUnknownSeller},
		{DebtorsQuery{Seller: "S1", Customer: "C9", AsOf: lastDay}, ErrUnknownCustomer},
		{DebtorsQuery{Seller: "S1", AsOf: lastDay, KnownAt: KnownAt{Position: 99}}, ErrBeyondLog},
	} {
		if _, err := b.views.EachDebtor(context.Background(), c.q, none); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.q, err, c.want)
		}
	}
	b.do(issue("I1", "2026-01-01", "2026-01-31", 1000))
	stop := fmt.Errorf("enough")
	if _, err := b.views.EachDebtor(context.Background(), DebtorsQuery{Seller: "S1", AsOf: lastDay}, func(Debtor) error { return stop }); err != stop {
		t.Errorf("%v, want the error of yield", err)
	}
}

// Credit limits are as they were set last.
func TestLimits(t *testing.T) {
	limits := []domain.Money{yen(500), domain.NewMoney(20_00, "USD")}
	if text := limitText(limits); limitIn(text, "USD") != limits[1] || limitIn(text, "JPY") != limits[0] || limitIn(text, "EUR") != (domain.Money{}) || limitIn("", "JPY") != (domain.Money{}) {
		t.Error(text)
	}
}
