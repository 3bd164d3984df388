package projections

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

// run gives a run's commands by its own rules.
func (d *dunner) run(key dunning.RunKey, commands ...dunning.RunCommand) {
	d.t.Helper()
	s := dunning.RunDecider.New()
	for r, err := range d.store.Read(context.Background(), key.Stream(), 0) {
		if err != nil {
			d.t.Fatal(err)
		}
		e, err := testCodec().Decode(r)
		if err != nil {
			d.t.Fatal(err)
		}
		s = dunning.RunDecider.Evolve(s, e)
	}
	for _, c := range commands {
		events, err := dunning.RunDecider.Decide(s, c)
		if err != nil {
			d.t.Fatal(err)
		}
		d.write(key.Stream(), events...)
		for _, e := range events {
			s = dunning.RunDecider.Evolve(s, e)
		}
	}
}

func decided(n int) dunning.RunDecision {
	d := dunning.RunDecision{Customer: domain.CustomerID(fmt.Sprintf("D%03d", n)), Currency: "JPY", Finding: dunning.Finding{Why: dunning.WhyNothingDue, Open: yen(100)}}
	if n%3 == 0 {
		d.Why, d.Steps = dunning.WhyLevelReached, []dunning.Step{{Do: dunning.DoClose}, {Do: dunning.Remind}}
	}
	return d
}

// A run is listed with its counts while it goes on and after it ended, and gives its decisions in order, each with what
// came of its steps; what another run decided is not among them.
func TestRuns(t *testing.T) {
	d := newDunner(newBooks(t))
	d.register()
	ctx, on := context.Background(), day("2026-03-02")
	key, other := dunning.RunKey{Seller: "S1", Run: "RUN1"}, dunning.RunKey{Seller: "S1", Run: "RUN2"}
	refused := func(n int) []dunning.RunRefusal {
		return []dunning.RunRefusal{{Customer: decided(n).Customer, Currency: "JPY", Do: dunning.Remind, Rule: "dunning.on_hold"}}
	}
	d.run(key, dunning.BeginRun{RunKey: key, On: on, Acting: dunning.Agency, BankDataOn: on.AddDays(-1)},
		dunning.RecordDecisions{RunKey: key, Part: 1, Decisions: []dunning.RunDecision{decided(1), decided(2), decided(3)}},
		dunning.RecordDecisions{RunKey: key, Part: 2, Decisions: []dunning.RunDecision{decided(4), decided(5), decided(6)}, Refused: refused(3)})
	d.run(other, dunning.BeginRun{RunKey: other, On: on.AddDays(1), Acting: dunning.Creditor})
	list, err := d.views.Runs(ctx, "S1")
	if err != nil || len(list) != 2 || list[0].Run != "RUN2" || list[1].Ended || list[1].Debtors != 6 || list[1].Reminders != 2 || list[1].Refused != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	d.run(key, dunning.EndRun{RunKey: key, Parts: 2, Refused: refused(6)})
	d.run(other, dunning.EndRun{RunKey: other})
	one, err := d.views.DunningRun(ctx, key)
	want := RunRow{
		Run: "RUN1", On: on, Acting: dunning.Agency, BankDataOn: on.AddDays(-1), Begun: 4, Ended: true, Parts: 2, Debtors: 6, Reminders: 2, Refused: 2,
		Whys:  []dunning.RunCount{{Of: "level_reached", Times: 2}, {Of: "nothing_due", Times: 4}},
		Steps: []dunning.RunCount{{Of: "CLOSE_CASE", Times: 2}, {Of: "REMIND", Times: 2}},
	}
	if err != nil || !reflect.DeepEqual(one, want) {
		t.Errorf("%+v, want %+v, %v", one, want, err)
	}
	d.expectDecisions(key, []int{1, 2, 3, 4, 5, 6}, []int{3, 6})
	d.expectDecisions(other, nil, nil)
	live := dump(t, d.views)
	if err := d.views.Rebuild(ctx, nil, "dunning"); err != nil || dump(t, d.views) != live {
		t.Errorf("made anew it differs, %v", err)
	}
}

func (d *dunner) expectDecisions(key dunning.RunKey, decisions, refused []int) {
	d.t.Helper()
	var got []RunDecisionRow
	if err := d.views.EachRunDecision(context.Background(), key, func(r RunDecisionRow) error { got = append(got, r); return nil }); err != nil {
		d.t.Fatal(err)
	}
	if len(got) != len(decisions) {
		d.t.Fatalf("%+v, want %v", got, decisions)
	}
	for i, n := range decisions {
		row := got[i]
		if !reflect.DeepEqual(row.RunDecision, decided(n)) || (row.Refused != "") != slices.Contains(refused, n) || row.Part != (n+2)/3 {
			d.t.Errorf("%+v, want %+v", row, decided(n))
		}
	}
}

func TestDunningRefuses(t *testing.T) {
	b := newBooks(t)
	b.register()
	v, ctx := b.views, context.Background()
	key := dunning.Key{Seller: "S1", Customer: "C1", Currency: "JPY"}
	of := func(_ any, err error) error { return err }
	none := func(dunning.RunID) error {
		return v.EachRunDecision(ctx, dunning.RunKey{Seller: "S1", Run: "R"}, func(RunDecisionRow) error { return nil })
	}
	for name, c := range map[string]struct{ err, want error }{
		"runs":            {of(v.Runs(ctx, "S9")), ErrUnknownSeller},
		"run":             {of(v.DunningRun(ctx, dunning.RunKey{Seller: "S1", Run: "R"})), dunning.ErrUnknownRun},
		"decisions":       {none("R"), dunning.ErrUnknownRun},
		"case":            {of(v.Case(ctx, CaseQuery{Key: key, AsOf: lastDay})), ErrUnknownCase},
		"case, no day":    {of(v.Case(ctx, CaseQuery{Key: key})), domain.ErrMissing},
		"cases":           {of(v.EachCase(ctx, CasesQuery{Seller: "S9", AsOf: lastDay}, nil)), ErrUnknownSeller},
		"reminders":       {of(v.Reminders(ctx, RemindersQuery{Seller: "S9"})), ErrUnknownSeller},
		"reminders of":    {of(v.Reminders(ctx, RemindersQuery{Seller: "S1", Customer: "C9"})), ErrUnknownCustomer},
		"reminders state": {of(v.Reminders(ctx, RemindersQuery{Seller: "S1", State: "lost"})), domain.ErrUnknown},
		"reminders limit": {of(v.Reminders(ctx, RemindersQuery{Seller: "S1", Limit: LimitMax + 1})), ErrBadLimit},
		"reminders after": {of(v.Reminders(ctx, RemindersQuery{Seller: "S1", After: "x"})), ErrBadCursor},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", name, c.err, c.want)
		}
	}
}
