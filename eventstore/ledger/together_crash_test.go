package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/numbering"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
)

// groups is a story of groups, with single commands between.
func groups() [][]step {
	return [][]step{
		{
			{"g1", named(invoice("C1", "", 1100), "D"), nil},
			{"g2", invoice("C1", "2026/7", 300), nil},
			{"g3", payment("C1", 200), nil},
			{"g4", invoice("C1", "INV-2026-000005", 500), nil},
			{"g5", invoice("C1", "", 10), nil},
		},
		{{"h1", invoice("C2", "", 1), nil}, {"h2", invoice("C2", "2026/8", 1), nil}, {"h3", payment("C2", 1), nil}},
		{
			{"i1", invoice("C1", "", 1), nil},
			{"i2", payment("C1", 10), nil},
			{"i3", invoice("C1", "2026/8", 1), numbering.ErrNumberTaken},
		},
		{
			{"j1", account.OpenDispute{Key: key("C1"), Dispute: "X", Invoice: "D", OpenedOn: day("2026-04-06"), Reason: account.Defective}, nil},
			{"j2", account.ResolveDispute{Key: key("C1"), Dispute: "X", ResolvedOn: day("2026-04-07"), Outcome: account.DisputeUpheld}, nil},
			{"g5", invoice("C1", "", 10), nil},
		},
		{{"c1", account.CarryForward{Key: key("C1"), CarryOn: day("2026-12-31"), Into: "2027"}, nil}},
		{
			{"k1", invoice("C1", "", 10), nil},
			{"g3", payment("C1", 200), nil},
			{"k2", account.IssueCreditNote{Key: key("C1"), Number: "CN-2027-000002", IssuedOn: day("2027-02-02"), Reason: account.Goodwill, Total: jpy(5)}, nil},
		},
		{{"c2", account.CarryForward{Key: key("C1"), CarryOn: day("2027-12-31"), Into: "2028"}, nil}},
		{{"l1", payment("C1", 3), nil}, {"l1", payment("C1", 3), nil}, {"l2", payment("C1", 4), nil}},
	}
}

// tell sends a group, a carry forward alone.
func (o office) tell(group []step) (refused, err error) {
	if _, carry := group[0].command.(account.CarryForward); carry {
		_, err = o.do(group[0].id, group[0].command)
		return nil, err
	}
	for _, s := range group {
		if s.refused != nil {
			refused = s.refused
		}
	}
	receipts, err := o.ExecuteTogether(context.Background(), ordersOf(group...))
	if err == nil && len(receipts) != len(group) {
		o.Fatalf("%d receipts", len(receipts))
	}
	return refused, err
}

// Whichever append breaks, and however: a group is there as a whole or not at all.
func TestACrashAtAnyAppendOfAGroup(t *testing.T) {
	for _, crashes := range []bool{false, true} {
		for _, written := range []bool{false, true} {
			for n := 1; tellGroups(t, n, written, crashes); n++ {
			}
		}
	}
}

func tellGroups(t *testing.T, n int, written, crashes bool) bool {
	t.Helper()
	name := fmt.Sprintf("append %d, written %v, crash %v: ", n, written, crashes)
	store := &unsteady{Store: newStore(), written: written, crashes: crashes}
	o := open(t, store)
	if err := o.RememberFew(t.Context(), 256); err != nil {
		t.Fatal(err)
	}
	store.appends, store.breaksAt = 0, n
	for i, group := range groups() {
		want, err := o.tell(group)
		if errors.Is(err, eventstore.ErrUnavailable) && !crashes {
			_, err = o.tell(group)
		}
		var refusal *domain.Error // what follows a crash may be refused, but for a reason
		if !isAnswer(err, want) && (!crashes || !errors.As(err, &refusal) || refusal.Code == domain.Internal) {
			t.Fatal(name, i, " ", err)
		}
		whole(t, name, o, group)
	}
	if store.appends < n {
		return false
	}
	store.breaksAt = 0
	o = office{t, ledger.New(store, ledger.Codec(), nil), store}
	if n%2 == 0 {
		o.must("between", invoice("C2", "", 1)) // somebody else comes first, and finishes what was left
	}
	for i, group := range append(groups(), groups()...) {
		if want, err := o.tell(group); !isAnswer(err, want) {
			t.Fatal(name, i, " again: ", err)
		}
		whole(t, name, o, group)
		o.sameAsFresh("C1")
	}
	audit(t, name, o)
	return true
}

func isAnswer(err, want error) bool {
	return want == nil && err == nil || want != nil && errors.Is(err, want)
}

// whole asserts that all of a group stands in the log or nothing of it, but for what an earlier group has done.
func whole(t *testing.T, name string, o office, group []step) {
	t.Helper()
	there := map[string]bool{}
	k := group[0].command.(account.Command).Account()
	for _, period := range []string{"", ".2027", ".2028"} {
		for r, err := range o.store.Read(context.Background(), k.Stream()+period, 0) {
			if err != nil {
				t.Fatal(err)
			}
			id, _ := eventstore.CommandOf(r)
			there[id] = true
		}
	}
	for _, s := range group {
		if s.id[0] == group[0].id[0] && there[s.id] != there[group[0].id] {
			t.Fatal(name, s.id, " and ", group[0].id, " stand not together")
		}
	}
}
