package dunning_test

import (
	"slices"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/scenario"
)

var run = dunning.RunKey{Seller: "midori", Run: "RUN"}

func begin() dunning.BeginRun {
	return dunning.BeginRun{RunKey: run, On: day("07-03"), Acting: dunning.Agency, BankDataOn: day("07-02")}
}

func begun() dunning.RunBegun {
	return dunning.RunBegun{RunKey: run, BegunOn: day("07-03"), Acting: dunning.Agency, BankDataOn: day("07-02")}
}

// found is a decision on a customer, as the real one gives it.
func found(c domain.CustomerID, items ...dunning.Item) dunning.RunDecision {
	d := owing(items...)
	d.Customer = c
	return dunning.Recorded(d.Key, plain(), dunning.Decide(plain(), nil, d, day("07-03"), dunning.Agency))
}

func record(part int, decisions ...dunning.RunDecision) dunning.RecordDecisions {
	return dunning.RecordDecisions{RunKey: run, Part: part, Decisions: decisions}
}

func recorded(part int, decisions ...dunning.RunDecision) dunning.RunDecided {
	return dunning.RunDecided{RunKey: run, DecidedOn: day("07-03"), Part: part, Decisions: decisions}
}

func runs(t *testing.T, events ...domain.Event) *scenario.Scenario[dunning.RunCommand, *dunning.RunState] {
	return scenario.For(t, dunning.RunDecider, dunning.Events).Given(events...)
}

func TestARun(t *testing.T) {
	late, early := found("C1", item("I1", "06-30", 11000)), found("C2", item("I2", "07-31", 500))
	if !late.Reminds() || early.Reminds() || early.Why != dunning.WhyNothingDue {
		t.Fatalf("%+v %+v", late, early)
	}
	refused := []dunning.RunRefusal{{Customer: "C1", Currency: "JPY", Do: dunning.Remind, Rule: "dunning.not_now"}}
	second := record(2, early)
	second.Refused = refused
	decided := recorded(2, early)
	decided.Refused = refused
	s := runs(t).
		When(begin()).Then(begun()).
		When(record(1, late)).Then(recorded(1, late)).
		When(second).Then(decided)
	if last, ok := s.State().Through(); !ok || last.Customer != "C2" || s.State().Parts != 2 {
		t.Errorf("%+v", s.State())
	}
	s.When(dunning.EndRun{RunKey: run, Parts: 2}).Then(dunning.RunEnded{
		RunKey: run, EndedOn: day("07-03"), Parts: 2, Debtors: 2,
		Whys:     []dunning.RunCount{{Of: "level_reached", Times: 1}, {Of: "nothing_due", Times: 1}},
		Steps:    []dunning.RunCount{{Of: "REMIND", Times: 1}},
		Refusals: 1,
	})
}

// Whatever comes twice is recorded once, and the first word stands.
func TestARunTwiceIsOneRun(t *testing.T) {
	first, other := found("C1", item("I1", "06-30", 11000)), found("C1", item("I1", "07-31", 9000))
	s := runs(t, begun(), recorded(1, first)).
		When(begin()).Nothing().
		When(record(1, first)).Nothing().
		When(record(1, other)).Nothing()
	s = s.When(dunning.EndRun{RunKey: run, Parts: 1}).Then(dunning.RunEnded{
		RunKey: run, EndedOn: day("07-03"), Parts: 1, Debtors: 1,
		Whys:  []dunning.RunCount{{Of: "level_reached", Times: 1}},
		Steps: []dunning.RunCount{{Of: "REMIND", Times: 1}},
	})
	s.When(dunning.EndRun{RunKey: run, Parts: 1}).Nothing().
		When(begin()).Nothing().
		When(record(1, other)).Nothing().
		When(record(2, found("C2"))).Refused(dunning.ErrRunEnded)
}

func TestRunsRefuse(t *testing.T) {
	c1, c2 := found("C1"), found("C2")
	other := begin()
	other.Acting = dunning.Creditor
	runs(t).When(record(1, c1)).RefusedAt(dunning.ErrUnknownRun, "/run").
		When(dunning.EndRun{RunKey: run}).RefusedAt(dunning.ErrUnknownRun, "/run")
	runs(t, begun()).When(other).Refused(dunning.ErrOtherRun).
		When(record(2, c1)).RefusedAt(dunning.ErrPartMissing, "/part").
		When(record(0, c1)).RefusedAt(dunning.ErrPartMissing, "/part").
		When(record(1)).RefusedAt(dunning.ErrPartSize, "/decisions").
		When(record(1, slices.Repeat([]dunning.RunDecision{c1}, dunning.PartMax+1)...)).RefusedAt(dunning.ErrPartSize, "/decisions").
		When(record(1, c2, c1)).RefusedAt(dunning.ErrPartOrder, "/decisions").
		When(record(1, c1, c1)).RefusedAt(dunning.ErrPartOrder, "/decisions").
		When(record(1, dunning.RunDecision{Customer: "a b", Currency: "yen"})).Refused(domain.ErrBadID).
		When(dunning.EndRun{RunKey: run, Parts: 1}).RefusedAt(dunning.ErrPartMissing, "/parts")
	runs(t, begun(), recorded(1, c2)).When(record(2, c1)).RefusedAt(dunning.ErrPartOrder, "/decisions")
	runs(t).When(dunning.BeginRun{RunKey: dunning.RunKey{Seller: "a.b", Run: "x y"}}).RefusedAt(domain.ErrBadID, "/seller").
		When(dunning.BeginRun{RunKey: dunning.RunKey{Seller: "a.b", Run: "x y"}}).RefusedAt(domain.ErrBadID, "/run").
		When(dunning.BeginRun{RunKey: run}).RefusedAt(domain.ErrMissing, "/on").
		When(dunning.BeginRun{RunKey: run}).RefusedAt(domain.ErrUnknown, "/acting")
}

// What a run recorded is enough to carry it out.
func TestRecordedDecisionsGiveTheSameOrders(t *testing.T) {
	debtor := owing(item("I1", "06-30", 11000))
	s := stateOf(promised("06-20", "06-25", 11000))
	d := dunning.Decide(plain(), s, debtor, day("07-03"), dunning.Agency)
	order := dunning.Order{Key: key, Acting: dunning.Agency}
	want, got := d.Orders(order, "RUN"), dunning.Recorded(key, plain(), d).Orders("midori", day("07-03"), dunning.Agency, "RUN")
	if len(want) != 2 || !slices.Equal(want, got) {
		t.Errorf("%+v\n%+v", want, got)
	}
}

func TestRunStreams(t *testing.T) {
	if got, ok := dunning.ParseRunStream(run.Stream()); !ok || got != run {
		t.Errorf("%s: %+v", run.Stream(), got)
	}
	for _, bad := range []string{"", "dunningrun-", "dunningrun-a", "dunningrun-a.b.c", "dunning-a.b.JPY"} {
		if _, ok := dunning.ParseRunStream(bad); ok {
			t.Errorf("%q is a run", bad)
		}
	}
}
