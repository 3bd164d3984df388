package dunning

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/urikake/urikake/adapters/receivables"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/customer"
	rules "github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/scenario"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/overlay"
)

func (o *office) simulate(r SimulationRequest) Comparison {
	o.Helper()
	r.Seller = "midori"
	head, _ := o.store.Head(o.Context())
	c, err := Simulate(o.Context(), o.Books, r)
	if err != nil {
		o.Fatal(err)
	}
	if after, _ := o.store.Head(o.Context()); after != head {
		o.Error("a simulation writes")
	}
	return c
}

// I1 is paid late, I2 never; C3 pays in time, and C2's hold lasts for some days.
func TestSimulation(t *testing.T) {
	o := opened(t).must(
		invoice("C1", "I1", "06-01", 11000), payment("C1", "06-08", 11000),
		invoice("C2", "I2", "06-01", 5000),
		rules.HoldDunning{Order: rules.Order{Key: key("C2"), On: day("06-03"), Acting: rules.Creditor}, Kind: rules.CreditorsHold, Until: day("06-09"), Reason: "wait"},
		invoice("C3", "I3", "06-01", 3000), payment("C3", "06-01", 3000),
		invoice("C3", "I4", "06-20", 900), // below the minimum
	)
	o.run("06-20") // what was done: C2 was reminded, late
	o.send("06-20")
	got := o.simulate(SimulationRequest{Policy: steps(), From: day("06-01"), To: day("06-30")})
	policy := func(c SimulatedCounts, actual SimulatedCounts, level rules.LevelID) ComparedLevel {
		today := c // the seller's own policy is the same
		return ComparedLevel{Level: level, Policy: c, Today: &today, Actual: actual}
	}
	once := SimulatedCounts{Reminders: 1, Debtors: 1, Cases: 1, Asked: []domain.Money{yen(5000)}}
	want := Comparison{
		From: day("06-01"), To: day("06-30"), Days: 30, Debtors: 3, Within: 7,
		All: policy(SimulatedCounts{
			Reminders: 3, Debtors: 2, Cases: 2, Asked: []domain.Money{yen(21000)}, PaidDebtors: 1, PaidCases: 1, Settled: 1, MedianDays: 4, MeanDays: 4,
		}, once, ""),
		Levels: []ComparedLevel{
			policy(SimulatedCounts{ // C1 on 06-04, C2 on 06-10
				Reminders: 2, Debtors: 2, Cases: 2, Asked: []domain.Money{yen(16000)}, PaidDebtors: 1, PaidCases: 1, Settled: 1, MedianDays: 4, MeanDays: 4,
			}, once, "R1"),
			policy(once, SimulatedCounts{}, "R2"),              // C2 on 06-13
			policy(SimulatedCounts{}, SimulatedCounts{}, "R3"), // would be on 07-01
		},
	}
	if diff := cmp.Diff(want, got, scenario.Options); diff != "" {
		t.Error(diff)
	}
	gentle := steps()
	gentle.Levels = gentle.Levels[1:]
	if got := o.simulate(SimulationRequest{Policy: gentle, From: day("06-01"), To: day("06-30")}); got.All.Policy.Reminders != 1 || len(got.Levels) != 3 ||
		got.Levels[2].Level != "R1" || got.Levels[2].Actual.Reminders != 1 || got.Levels[2].Change != (SimulatedChange{-2, -2, -2, -1, -1}) {
		t.Errorf("%+v", got)
	}
	// The books were written in July: as was known on the days, nobody owed anything.
	if got := o.simulate(SimulationRequest{Policy: steps(), From: day("06-01"), To: day("06-30"), AsKnown: true}); got.All.Policy.Reminders != 0 || got.Debtors != 0 {
		t.Errorf("%+v", got)
	}
	for name, r := range map[string]SimulationRequest{
		"no day":     {Policy: steps()},
		"backwards":  {Policy: steps(), From: day("06-02"), To: day("06-01")},
		"the future": {Policy: steps(), From: day("06-02"), To: day("07-04")},
	} {
		r.Seller = "midori"
		if _, err := Simulate(t.Context(), o.Books, r); !errors.Is(err, ErrSimulatedDays) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Simulate(t.Context(), o.Books, SimulationRequest{Seller: "midori", From: day("06-01"), To: day("06-02")}); !errors.Is(err, rules.ErrNoLevel) {
		t.Error(err)
	}
}

// Every debtor and every case counts once, however many reminders there were; days are counted of each.
func TestSimulatedOnce(t *testing.T) {
	o := opened(t).must(
		invoice("C1", "I1", "06-01", 11000), payment("C1", "06-14", 11000), // R1 on 06-04 took 10 days, R2 on 06-11 took 3
		invoice("C1", "I2", "06-16", 11000), payment("C1", "06-21", 11000), // dunned afresh: R1 on 06-19 took 2
		invoice("C2", "I3", "06-01", 11000), payment("C2", "06-16", 11000), // 12 and 5 days
	)
	all := o.simulate(SimulationRequest{Policy: steps(), From: day("06-01"), To: day("06-30"), Within: 3}).All.Policy
	want := SimulatedCounts{
		Reminders: 5, Debtors: 2, Cases: 3, Asked: []domain.Money{yen(55000)}, PaidDebtors: 1, PaidCases: 2, Settled: 5, MedianDays: 5, MeanDays: 6, // 32 days
	}
	if diff := cmp.Diff(want, all, scenario.Options); diff != "" {
		t.Error(diff)
	}
}

// Who has no address is reminded where addresses are taken for granted, and told apart.
func TestSimulatedReach(t *testing.T) {
	o := opened(t).must(
		customer.ChangeCustomer{Key: customer.Key{Seller: "midori", Customer: "C1"}, Details: customer.Details{Name: "C1"}, Reason: "moved"},
		invoice("C1", "I1", "06-01", 11000), invoice("C2", "I2", "06-01", 5000),
	)
	r := SimulationRequest{Policy: steps(), From: day("06-01"), To: day("06-05")}
	if got := o.simulate(r).All.Policy; got.Reminders != 1 || got.Unreachable != 0 {
		t.Errorf("%+v", got)
	}
	r.Reachable = true
	if got := o.simulate(r).All.Policy; got.Reminders != 2 || got.Unreachable != 1 || got.Debtors != 2 {
		t.Errorf("%+v", got)
	}
}

// imported is the books of real receivables, a public file that is not part of this repository.
func imported(t testing.TB) *office {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "receivables.csv"))
	if err != nil {
		t.Skip("the sample of real receivables is not beside the repository: ", err)
	}
	o := newOffice(t)
	plan, err := receivables.Read(data, receivables.Options{Seller: "midori", Currency: "USD", Actor: "test"})
	if err != nil {
		t.Fatal(err)
	}
	dry := ledger.New(overlay.New(o.store), ledger.Codec(), nil)
	if _, err := plan.Run(t.Context(), dry.Execute, o.Ledger.Execute, nil); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestTwoRealYears(t *testing.T) {
	o := imported(t)
	began := time.Now()
	got := o.simulate(SimulationRequest{Policy: rules.DefaultPolicy(domain.English), From: domain.NewDate(2012, 1, 1), To: domain.NewDate(2013, 12, 31), Reachable: true})
	t.Logf("%s: %+v", time.Since(began), got)
	all := got.All.Policy
	if got.Days != 731 || got.Debtors != 100 || all.Reminders == 0 || all.Settled > all.Reminders || all.PaidDebtors > all.Debtors || all.PaidCases > all.Cases ||
		all.Debtors > got.Debtors || all.Unreachable == 0 || got.All.Today != nil || got.All.Actual.Reminders != 0 {
		t.Errorf("%+v", got)
	}
}

func BenchmarkSimulation(b *testing.B) {
	o := imported(b)
	for b.Loop() {
		o.simulate(SimulationRequest{Policy: rules.DefaultPolicy(domain.English), Reachable: true, From: domain.NewDate(2012, 1, 1), To: domain.NewDate(2013, 12, 31)})
	}
}
