package projections

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
)

// limitations are what EachLimitation yields, in short.
func (b *books) limitations(q LimitationsQuery) (list []string) {
	b.t.Helper()
	_, err := b.views.EachLimitation(context.Background(), q, func(r LimitationRow) error {
		list = append(list, fmt.Sprintf("%s %s %s %d %s %s", r.Customer, r.Invoice, r.DueOn, r.Open.Minor(), r.LimitationOn, r.Status))
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}

// The due date that holds counts; an item that a payment settled is gone, and one that was paid in part before begins
// anew, unless the payment serves something else by now. Pages of any size show the same.
func TestLimitations(t *testing.T) {
	b := newBooks(t)
	b.register()
	other := issue("I1", "2021-01-01", "2021-01-31", 90)
	other.Customer = "C2"
	b.do(
		issue("I1", "2021-01-01", "2021-01-31", 1000), issue("I2", "2021-01-01", "2021-01-31", 1000), issue("I3", "2021-02-01", "2021-02-28", 1000),
		issue("I4", "2021-02-01", "2021-02-28", 1000), issue("I5", "2021-03-01", "2022-06-30", 1000), issue("I6", "2025-01-01", "2025-01-31", 1000), other,
		account.ChangeDueDate{Key: jpy, Invoice: "I5", DueOn: day("2021-03-31"), ChangeOn: day("2021-03-10"), Reason: "by contract", By: "Sato"},
		pay("P1", "2022-05-01", 300, to("I2", 300)), pay("P2", "2022-06-01", 1000, to("I3", 1000)), pay("P3", "2022-07-01", 100, to("I4", 100)),
		account.UnapplyPayment{Key: jpy, Payment: "P3", UnapplyOn: day("2022-08-01"), Allocations: []account.Allocation{to("I4", 100)}, Reason: "another's"},
	)
	q := LimitationsQuery{Seller: "S1", AsOf: day("2026-02-10")}
	want := []string{
		"C1 I1 2021-01-31 1000 2026-01-31 LIMITATION_REACHED",
		"C2 I1 2021-01-31 90 2026-01-31 LIMITATION_REACHED",
		"C1 I4 2021-02-28 1000 2026-02-28 IN_3_MONTHS",
		"C1 I5 2021-03-31 1000 2026-03-31 IN_3_MONTHS",
	}
	for _, size := range []int{1, 2, 3, pageRows} {
		b.views.pageRows = size
		if got := b.limitations(q); !slices.Equal(got, want) {
			t.Errorf("pages of %d: %q", size, got)
		}
	}
	q.Customer, q.AsOf = "C1", day("2026-12-31")
	if got := b.limitations(q); len(got) != 4 || got[3] != "C1 I2 2021-01-31 700 2027-05-01 IN_6_MONTHS" {
		t.Errorf("%q", got)
	}
	q.AsOf = day("2022-05-15") // P3 has not come, and I3 is open
	if got := b.limitations(q); len(got) != 0 {
		t.Errorf("%q", got)
	}
}

func TestLimitationsRefuse(t *testing.T) {
	b := newBooks(t)
	b.register()
	b.do(issue("I1", "2021-01-01", "2021-01-31", 1000))
	stop := fmt.Errorf("enough")
	for _, c := range []struct {
		q    LimitationsQuery
		want error
	}{
		{LimitationsQuery{Seller: "S1"}, domain.ErrMissing},
		{LimitationsQuery{Seller: "S9", AsOf: lastDay}, ErrUnknownSeller},
		{LimitationsQuery{Seller: "S1", Customer: "C9", AsOf: lastDay}, ErrUnknownCustomer},
		{LimitationsQuery{Seller: "S1", AsOf: lastDay, KnownAt: KnownAt{Position: 99}}, ErrBeyondLog},
		{LimitationsQuery{Seller: "S1", AsOf: day("2030-01-01")}, stop},
	} {
		if _, err := b.views.EachLimitation(context.Background(), c.q, func(LimitationRow) error { return stop }); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.q, err, c.want)
		}
	}
}
