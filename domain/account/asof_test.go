package account

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/urikake/urikake/domain"
)

// Whatever day is asked for, a carried account says what it would say had it never been carried forward.
func TestAsOfThroughCarryForwards(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := newHistory()
		for range rapid.IntRange(1, 60).Draw(rt, "length") {
			h.step(rt, h.command(rt))
		}
		flat := Decider.New()
		for _, e := range h.events {
			flat = Decider.Evolve(flat, e)
		}
		for day := on("05-31"); day.Before(on("08-20")); day = day.AddDays(1) {
			want, got := asOf(flat, day, nil), asOf(h.state, day, h.parties.Earlier)
			if want != got {
				rt.Fatalf("%s, %d carry forwards:\nwant %s\n got %s", day, len(h.parties.Earlier), want, got)
			}
		}
	})
}

func asOf(s *State, day domain.Date, earlier []*State) string {
	return fmt.Sprint(
		s.OpenOn(acme, day, domain.LateTerms{Rate: 900_00, DayCount: domain.CalendarYear}.Rule, earlier), sumOn(s, day, earlier),
		s.Receipts(acme, day.AddDays(-10), day, nil, earlier), s.Receipts(acme, day, day, everything(s, earlier), earlier),
	)
}

// everything is the items of an account.
func everything(s *State, earlier []*State) map[domain.InvoiceID]bool {
	all := make(map[domain.InvoiceID]bool)
	for _, s := range append([]*State{s}, earlier...) {
		for id := range s.items.all() {
			all[id] = true
		}
	}
	return all
}

func sumOn(s *State, day domain.Date, earlier []*State) domain.Money {
	cash, credit := s.UnappliedOn(acme, day, earlier)
	return yen(cash.Minor() + credit.Minor())
}

func TestOpenOnADay(t *testing.T) {
	b := books(t,
		issued("A", "06-01", "06-30", 1000), issued("B", "06-01", "06-20", 500), issued("later", "08-01", "08-31", 70),
		paid("P", "07-05", 400, to("A", 400)),
		DueDateChanged{Invoice: "A", WasDueOn: on("06-30"), DueOn: on("07-10"), ChangeOn: on("07-01"), Reason: "asked", By: "Sato"},
		DisputeOpened{"D", "B", on("06-25"), yen(200), Defective, ""},
		DisputeResolved{Dispute: "D", Invoice: "B", ResolvedOn: on("07-08"), Amount: yen(200), Outcome: DisputeRejected})
	fresh := goOn(t, b, "07-20", "2027")
	type row struct {
		id             domain.InvoiceID
		due            string
		open, disputed int64
	}
	for day, want := range map[string][]row{
		"05-31": nil,
		"06-24": {{"B", "06-20", 500, 0}, {"A", "06-30", 1000, 0}},
		"06-25": {{"B", "06-20", 500, 200}, {"A", "06-30", 1000, 0}},
		"07-01": {{"B", "06-20", 500, 200}, {"A", "07-10", 1000, 0}},
		"07-07": {{"B", "06-20", 500, 200}, {"A", "07-10", 600, 0}},
		"07-08": {{"B", "06-20", 500, 0}, {"A", "07-10", 600, 0}},
		"08-01": {{"B", "06-20", 500, 0}, {"A", "07-10", 600, 0}, {"later", "08-31", 70, 0}},
	} {
		for _, s := range []*book{b, fresh} {
			var got []row
			for _, i := range s.State().OpenOn(acme, on(day), domain.LateContract{}.For, s.parties.Earlier) {
				got = append(got, row{i.ID, i.DueOn.String()[5:], i.Open.Minor(), i.Disputed.Minor()})
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(row{})); diff != "" {
				t.Errorf("%s: %s", day, diff)
			}
		}
	}
}

// 3 % on what was open on each day, by the law's day count, from the day after the due date or after what is assessed;
// none on late charges, and none where nobody knows the rate.
func TestAccruedLateCharge(t *testing.T) {
	late := func(day string, facts ...domain.Event) (list []int64) {
		for _, i := range books(t, facts...).State().OpenOn(acme, on(day), domain.LateContract{}.For, nil) {
			list = append(list, i.Accrued.Minor())
		}
		return list
	}
	invoice := issued("A", "06-01", "06-30", 1_000_000)
	for _, c := range []struct {
		day   string
		facts []domain.Event
		want  []int64
	}{
		{"06-30", []domain.Event{invoice}, []int64{0}},
		{"07-30", []domain.Event{invoice}, []int64{2465}},                                                // 30 days: 2465.75
		{"07-30", []domain.Event{invoice, paid("P", "07-10", 500_000, to("A", 500_000))}, []int64{1642}}, // 821.9 + 821.9, each rounded down
		{"07-30", []domain.Event{invoice, LateChargeAssessed{
			Charge: "L", Number: "L", Invoice: "A", Rate: 3_00, From: on("06-30"), To: on("07-20"), DayCount: domain.Act365,
			AssessedOn: on("07-20"), DueOn: on("07-20"), Amount: yen(1643),
		}}, []int64{821, 0}},
		{"2029-07-30", []domain.Event{issued("A", "06-01", "2029-06-30", 1_000_000)}, []int64{0}},
	} {
		if diff := cmp.Diff(c.want, late(c.day, c.facts...)); diff != "" {
			t.Errorf("%s: %s", c.day, diff)
		}
	}
}

// A payment that bounced is no receipt from the day on which it was found to be none; a refund does not unmake one.
func TestReceipts(t *testing.T) {
	s := books(t,
		paid("P1", "07-01", 300), paid("P2", "07-01", 100), paid("P3", "07-04", 50), paid("P4", "07-05", 10),
		PaymentReversed{Payment: "P1", ReverseOn: on("07-03"), Amount: yen(300), Reason: "bounced"},
		RefundIssued{Refund: "R", Payment: "P3", RefundOn: on("07-04"), Amount: yen(50)}).State()
	for _, c := range []struct{ from, to, want string }{
		{"06-01", "06-30", "[]"},
		{"07-01", "07-02", "[{2026-07-01 400 JPY  false}]"},
		{"07-01", "07-04", "[{2026-07-01 100 JPY  false} {2026-07-04 50 JPY  true}]"},
		{"07-02", "07-05", "[{2026-07-04 50 JPY  true} {2026-07-05 10 JPY  false}]"},
	} {
		if got := fmt.Sprint(s.Receipts(acme, on(c.from), on(c.to), nil, nil)); got != c.want {
			t.Errorf("%s to %s: %s, want %s", c.from, c.to, got, c.want)
		}
	}
	for day, want := range map[string]int64{"06-30": 0, "07-01": 400, "07-03": 100, "07-04": 100, "07-05": 110} {
		if got := sumOn(s, on(day), nil); got != yen(want) {
			t.Errorf("%s: %s, want %d", day, got, want)
		}
	}
}

// Receipts say what they settle, whenever they were applied to it; those for wanted items reach back without end.
func TestWhatReceiptsSettle(t *testing.T) {
	s := books(t,
		issued("A", "06-01", "06-30", 1000), issued("B", "06-01", "06-20", 500),
		paid("P1", "06-05", 400, to("A", 400)), paid("P2", "07-01", 300, to("B", 100)),
		PaymentApplied{Payment: "P2", ApplyOn: on("07-03"), Allocations: []Allocation{to("A", 150)}},
		paid("P3", "07-02", 20, to("A", 20)),
		PaymentUnapplied{Payment: "P3", UnapplyOn: on("07-04"), Allocations: []Allocation{to("A", 20)}, Reason: "wrong"}).State()
	wanted := map[domain.InvoiceID]bool{"A": true}
	for _, c := range []struct {
		from, to string
		wanted   map[domain.InvoiceID]bool
		want     string
	}{
		{"07-01", "07-02", nil, "[{2026-07-01 200 JPY  false} {2026-07-01 100 JPY B false} {2026-07-02 20 JPY  false}]"},
		{"07-01", "07-03", nil, "[{2026-07-01 50 JPY  false} {2026-07-01 150 JPY A false} {2026-07-01 100 JPY B false} {2026-07-02 20 JPY  false}]"},
		{"07-02", "07-05", wanted, "[{2026-06-05 400 JPY A false} {2026-07-01 150 JPY A false} {2026-07-02 20 JPY  false}]"},
	} {
		if got := fmt.Sprint(s.Receipts(acme, on(c.from), on(c.to), c.wanted, nil)); got != c.want {
			t.Errorf("%s to %s: %s, want %s", c.from, c.to, got, c.want)
		}
	}
}
