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
	want := Comparison{
		From: day("06-01"), To: day("06-30"), Days: 30, Debtors: 3, Reminded: 2, Reminders: 3, Actual: 1, Anyway: 1, Within: 7, Settled: 1, DaysToPay: 4,
		Levels: []SimulatedLevel{
			{Level: "R1", Reminders: 2, Debtors: 2, Asked: []domain.Money{yen(16000)}, Actual: 1}, // C1 on 06-04, C2 on 06-10
			{Level: "R2", Reminders: 1, Debtors: 1, Asked: []domain.Money{yen(5000)}},             // C2 on 06-13
			{Level: "R3"}, // would be on 07-01
		},
	}
	if diff := cmp.Diff(want, got, scenario.Options); diff != "" {
		t.Error(diff)
	}
	gentle := steps()
	gentle.Levels = gentle.Levels[1:]
	if got := o.simulate(SimulationRequest{Policy: gentle, From: day("06-01"), To: day("06-30")}); got.Reminders != 1 || len(got.Levels) != 3 || got.Levels[2].Level != "R1" || got.Levels[2].Actual != 1 {
		t.Errorf("%+v", got)
	}
	// The books were written in July: as was known on the days, nobody owed anything.
	if got := o.simulate(SimulationRequest{Policy: steps(), From: day("06-01"), To: day("06-30"), AsKnown: true}); got.Reminders != 0 {
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

func mailed() rules.Policy {
	p := rules.DefaultPolicy(domain.English)
	for i := range p.Levels { // the sample's customers have no contacts
		p.Levels[i].Channel = rules.Letter
	}
	return p
}

func TestTwoRealYears(t *testing.T) {
	o := imported(t)
	began := time.Now()
	got := o.simulate(SimulationRequest{Policy: mailed(), From: domain.NewDate(2012, 1, 1), To: domain.NewDate(2013, 12, 31)})
	t.Logf("%s: %+v", time.Since(began), got)
	if got.Days != 731 || got.Debtors != 100 || got.Reminders == 0 || got.Settled > got.Reminders || got.Anyway > got.Settled {
		t.Errorf("%+v", got)
	}
}

func BenchmarkSimulation(b *testing.B) {
	o := imported(b)
	for b.Loop() {
		o.simulate(SimulationRequest{Policy: mailed(), From: domain.NewDate(2012, 1, 1), To: domain.NewDate(2013, 12, 31)})
	}
}
