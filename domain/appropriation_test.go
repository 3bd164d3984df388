package domain

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func yen(minor int64) Money { return NewMoney(minor, "JPY") }

var (
	inv1 = Debt{ID: "INV-1", Cost: yen(1_500), Interest: yen(4_200), Principal: yen(300_000), DueOn: NewDate(2026, 6, 30)}
	inv2 = Debt{ID: "INV-2", Interest: yen(1_100), Principal: yen(200_000), DueOn: NewDate(2026, 7, 31)}
)

// told reads "cost/interest/principal" for each debt and what is left.
func told(parts []Appropriation, left Money) string {
	var s string
	for _, p := range parts {
		s += fmt.Sprintf("%s/%s/%s ", p.Cost.Amount(), p.Interest.Amount(), p.Principal.Amount())
	}
	return s + left.Amount()
}

func TestAppropriate(t *testing.T) {
	equal := func(id InvoiceID, principal int64) Debt {
		return Debt{ID: id, Principal: yen(principal), DueOn: NewDate(2026, 6, 30)}
	}
	debt := func(due Date, rate Rate, secured bool) Debt {
		return Debt{Principal: yen(100), DueOn: due, Rate: rate, Secured: secured}
	}
	june, july, december := NewDate(2026, 6, 30), NewDate(2026, 7, 31), NewDate(2026, 12, 31)
	for _, c := range []struct {
		name    string
		payment int64
		debts   []Debt
		order   AppropriationOrder
		want    string
	}{
		{"A1", 250_000, []Debt{inv1, inv2}, StatutoryOrder, "1500/4200/243200 0/1100/0 0"},
		{"A2", 6_000, []Debt{inv1, inv2}, StatutoryOrder, "1500/4200/0 0/300/0 0"},
		{"A3", 520_000, []Debt{inv1, inv2}, StatutoryOrder, "1500/4200/300000 0/1100/200000 13200"},
		{"A4", 100_000, []Debt{equal("A", 120_000), equal("B", 80_000), equal("C", 50_000)}, StatutoryOrder, "0/0/48000 0/0/32000 0/0/20000 0"},
		{"A1 by agreement", 250_000, []Debt{inv1, inv2}, PrincipalFirst, "0/0/250000 0/0/0 0"},
		{"all principal, then costs", 502_000, []Debt{inv2, inv1}, PrincipalFirst, "0/0/200000 1500/500/300000 0"},
		{"no yen is lost among thirds", 100, []Debt{equal("A", 100), equal("B", 100), equal("C", 100)}, StatutoryOrder, "0/0/33 0/0/33 0/0/34 0"},
		{"what is due before what is not, whatever its rate", 100, []Debt{debt(december, 14_60, true), debt(june, 3_00, false)}, StatutoryOrder, "0/0/0 0/0/100 0"},
		{"the higher rate", 100, []Debt{debt(june, 3_00, true), debt(july, 14_60, false)}, StatutoryOrder, "0/0/0 0/0/100 0"},
		{"the secured one", 100, []Debt{debt(june, 3_00, false), debt(july, 3_00, true)}, StatutoryOrder, "0/0/0 0/0/100 0"},
		{"the one due first", 100, []Debt{debt(july, 3_00, false), debt(june, 3_00, false)}, StatutoryOrder, "0/0/0 0/0/100 0"},
		{"by agreement the one due first, whatever its rate", 100, []Debt{debt(july, 14_60, true), debt(june, 0, false)}, PrincipalFirst, "0/0/0 0/0/100 0"},
		{"no debts", 100, nil, StatutoryOrder, "100"},
	} {
		parts, left, err := Appropriate(yen(c.payment), NewDate(2026, 8, 31), c.debts, c.order)
		if got := told(parts, left); err != nil || got != c.want {
			t.Errorf("%s: %s (%v), want %s", c.name, got, err, c.want)
		}
	}
}

// L8: the same part payment under either order, to the last yen.
func TestPartPaymentOfAnOverdueInvoice(t *testing.T) {
	due, first, last := NewDate(2026, 6, 30), NewDate(2026, 7, 31), NewDate(2026, 9, 30)
	charge := func(base Money, from, to Date) Money {
		m, err := LateCharge(base, 14_60, from, to, Act365)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for _, c := range []struct {
		order       AppropriationOrder
		left, final int64
	}{{StatutoryOrder, 612_400, 627_342}, {PrincipalFirst, 600_000, 627_040}} {
		debt := Debt{ID: "INV", Principal: yen(1_000_000), Interest: charge(yen(1_000_000), due, first), DueOn: due}
		parts, _, err := Appropriate(yen(400_000), first, []Debt{debt}, c.order)
		if err != nil {
			t.Fatal(err)
		}
		principal := debt.Principal.Minor() - parts[0].Principal.Minor()
		interest := debt.Interest.Minor() - parts[0].Interest.Minor() + charge(yen(principal), first, last).Minor()
		if principal != c.left || principal+interest != c.final {
			t.Errorf("%s: %d left, %d in the end", c.order, principal, principal+interest)
		}
	}
}

func TestAppropriateRefuses(t *testing.T) {
	on := NewDate(2026, 8, 31)
	dollars := inv1
	dollars.Interest = NewMoney(1, "USD")
	negative := inv1
	negative.Principal = yen(-1)
	huge := inv1
	huge.Principal = yen(MinorMax)
	undated := inv1
	undated.DueOn = Date{}
	for _, c := range []struct {
		payment Money
		on      Date
		debts   []Debt
		order   AppropriationOrder
		want    *Error
	}{
		{yen(0), on, nil, StatutoryOrder, ErrNotPositive},
		{yen(1), Date{}, nil, StatutoryOrder, ErrBadDate},
		{yen(1), on, nil, "", ErrUnknown},
		{yen(1), on, []Debt{dollars}, StatutoryOrder, ErrBadAmount},
		{yen(1), on, []Debt{negative}, StatutoryOrder, ErrBadAmount},
		{yen(1), on, []Debt{huge}, StatutoryOrder, ErrOutOfRange},
		{yen(1), on, []Debt{undated}, StatutoryOrder, ErrBadDate},
	} {
		if _, _, err := Appropriate(c.payment, c.on, c.debts, c.order); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// Whatever is owed: nothing is lost or made, nobody pays more than he owes, and no class is met before the one above it
// is.
func TestAppropriationAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Int64Range(0, 1_000_000_000_000)
		debts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Debt {
			return Debt{
				Cost: yen(amount.Draw(t, "cost")), Interest: yen(amount.Draw(t, "interest")), Principal: yen(amount.Draw(t, "principal")),
				DueOn: NewDate(2026, 6, rapid.IntRange(1, 3).Draw(t, "day")), Rate: Rate(rapid.IntRange(0, 1).Draw(t, "rate")),
				Secured: rapid.Bool().Draw(t, "secured"),
			}
		}), 0, 6).Draw(t, "debts")
		payment := yen(rapid.Int64Range(1, 20_000_000_000_000).Draw(t, "payment"))
		order := rapid.SampledFrom([]AppropriationOrder{StatutoryOrder, PrincipalFirst}).Draw(t, "order")
		parts, left, err := Appropriate(payment, NewDate(2026, 6, 2), debts, order)
		if err != nil {
			t.Fatal(err)
		}
		var sum int64
		for _, c := range order.classes() {
			var owed, met int64
			for i := range debts {
				part := c.met(&parts[i]).Minor()
				if part < 0 || part > c.owed(debts[i]) {
					t.Fatalf("%d of %d", part, c.owed(debts[i]))
				}
				owed, met = owed+c.owed(debts[i]), met+part
			}
			if sum += met; met < owed && sum != payment.Minor() {
				t.Fatal("a later class was met although an earlier one is open")
			}
		}
		if sum+left.Minor() != payment.Minor() || left.Minor() < 0 {
			t.Fatalf("%d and %d of %d", sum, left.Minor(), payment.Minor())
		}
	})
}
