package projections

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
)

// diff asks what changed of a seller.
func (b *books) diff(q DiffQuery) (list []ChangedAccount) {
	b.t.Helper()
	_, err := b.views.Diff(context.Background(), q, func(c ChangedAccount) error {
		list = append(list, c)
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}

func (a Amounts) minor() (list []int64) {
	for _, m := range append(slices.Clone(a.Buckets), a.Unapplied, a.Balance, a.Disputed) {
		list = append(list, m.Minor())
	}
	return list
}

// TestDiffAgreesWithTheReports: before and after are the aging as known then, what each event did adds up to the change
// of every cell, and to the events' effects on the balance; an account that is not named has not changed.
func TestDiffAgreesWithTheReports(t *testing.T) {
	changes := 0
	checkBooks(t, func(rt *rapid.T) {
		b := newBooks(t)
		defer os.RemoveAll(b.dir)
		defer func() { b.views.Close() }()
		b.register()
		for n := range rapid.IntRange(1, 60).Draw(rt, "commands") {
			_ = b.try(anyCommand(n).Draw(rt, "command"))
		}
		if len(b.facts) == 0 {
			rt.Skip("all refused")
		}
		for range 2 {
			asOf := anyDay().Draw(rt, "as of")
			from := eventstore.Position(rapid.Uint64Range(0, uint64(b.head())).Draw(rt, "from"))
			to := eventstore.Position(rapid.Uint64Range(max(1, uint64(from)), uint64(b.head())).Draw(rt, "to"))
			changes += b.compareDiff(rt, asOf, from, to)
		}
	})
	if changes == 0 {
		t.Error("nothing ever changed")
	}
}

func (b *books) compareDiff(t *rapid.T, asOf domain.Date, from, to eventstore.Position) (changes int) {
	rows := func(known eventstore.Position) map[account.Key][]int64 {
		found := make(map[account.Key][]int64)
		if known == 0 {
			return found
		}
		for _, row := range b.aging(asOf.String(), func(q *AgingQuery) { q.KnownAt.Position = known }) {
			found[account.Key{Seller: "S1", Customer: row.Customer, Currency: row.Currency}] = line(row)
		}
		return found
	}
	before, after := rows(from), rows(to)
	named := make(map[account.Key]bool)
	for _, c := range b.diff(DiffQuery{Seller: "S1", AsOf: asOf, From: KnownAt{Position: from}, To: KnownAt{Position: to}}) {
		k := account.Key{Seller: "S1", Customer: c.Customer, Currency: c.Currency}
		named[k] = true
		changes++
		sum := c.Before.minor()
		if want := before[k]; want != nil && !slices.Equal(sum, want) || want == nil && isAny(sum) {
			t.Fatalf("%v at %d: before %v, the aging says %v", k, from, sum, want)
		}
		if want := after[k]; want != nil && !slices.Equal(c.After.minor(), want) || want == nil && isAny(c.After.minor()) {
			t.Fatalf("%v at %d: after %v, the aging says %v", k, to, c.After.minor(), want)
		}
		for _, e := range c.Events {
			for i, n := range e.Did.minor() {
				sum[i] += n
			}
			effect := e.Effect.Minor()
			if e.On.After(asOf) {
				effect = 0
			}
			if e.Did.Balance.Minor() != effect || e.Position <= from || e.Position > to || e.Actor != "hanako" || e.Text == "" {
				t.Fatalf("%v as of %s: %+v", k, asOf, e)
			}
		}
		if !slices.Equal(sum, c.After.minor()) {
			t.Fatalf("%v as of %s from %d to %d: %v with its events is %v, after is %v", k, asOf, from, to, c.Before.minor(), sum, c.After.minor())
		}
	}
	for k := range b.accounts {
		if k.Seller == "S1" && !named[k] && !slices.Equal(before[k], after[k]) {
			t.Fatalf("%v changed from %v to %v and is not named", k, before[k], after[k])
		}
	}
	return changes
}

// TestDiffOfLateKnowledge: what was typed in after the month's end is what changed of the month.
func TestDiffOfLateKnowledge(t *testing.T) {
	b := newBooks(t)
	b.register()
	b.do(issue("I1", "2026-01-05", "2026-02-10", 1000), issue("I2", "2026-01-07", "2026-03-31", 500))
	closed := b.head()
	b.do(
		pay("P1", "2026-03-20", 300, to("I1", 300)),   // late knowledge of March
		issue("I3", "2026-04-02", "2026-04-30", 9000), // April's own
	)
	list := b.diff(DiffQuery{Seller: "S1", AsOf: day("2026-03-31"), From: KnownAt{Position: closed}})
	if len(list) != 1 || len(list[0].Events) != 1 || list[0].Events[0].Text != "payment P1 received: 300 JPY, applied to I1 300 JPY" {
		t.Fatalf("%+v", list)
	}
	// current, 1-30, 31-60, 61-90, 91+, unapplied, balance, disputed: I1 has been due for 49 days
	if got := list[0].Events[0].Did.minor(); !slices.Equal(got, []int64{0, 0, -300, 0, 0, 0, -300, 0}) {
		t.Errorf("the payment did %v", got)
	}
	for _, q := range []DiffQuery{
		{Seller: "S1", AsOf: day("2026-03-31"), From: KnownAt{Position: b.head()}},
		{Seller: "S1", AsOf: day("2026-03-31"), From: KnownAt{Position: closed}, Customer: "C2"},
		{Seller: "S1", AsOf: day("2026-01-01")},
	} {
		if list := b.diff(q); len(list) != 0 {
			t.Errorf("%+v gives %+v", q, list)
		}
	}
	none := func(ChangedAccount) error { return nil }
	for want, q := range map[*domain.Error]DiffQuery{
		ErrBadRange:        {Seller: "S1", AsOf: day("2026-03-31"), From: KnownAt{Position: 4}, To: KnownAt{Position: 3}},
		ErrBeyondLog:       {Seller: "S1", AsOf: day("2026-03-31"), From: KnownAt{Position: 99}},
		ErrUnknownSeller:   {Seller: "S9", AsOf: day("2026-03-31")},
		domain.ErrMissing:  {Seller: "S1"},
		ErrBadBuckets:      {Seller: "S1", AsOf: day("2026-03-31"), Buckets: []int{30, 10}},
		domain.ErrUnknown:  {Seller: "S1", AsOf: day("2026-03-31"), Basis: "post"},
		ErrUnknownCustomer: {Seller: "S1", AsOf: day("2026-03-31"), Customer: "C9"},
	} {
		if _, err := b.views.Diff(t.Context(), q, none); !errors.Is(err, want) {
			t.Errorf("%+v: %v, want %s", q, err, want.Rule)
		}
	}
}
