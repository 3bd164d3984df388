package demo

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	reminding "github.com/urikake/urikake/adapters/dunning"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/memory"
	"github.com/urikake/urikake/projections"
)

var today = domain.NewDate(2026, 6, 30)

// replay gives a history to a ledger whose clock shows the steps' instants, and hands each answer over.
func replay(t *testing.T, steps []Step, look func(Step, eventstore.Receipt)) {
	t.Helper()
	var now time.Time
	clock := func() time.Time { return now }
	store := memory.New(clock)
	views, err := projections.Open(t.TempDir(), store, ledger.Codec())
	if err != nil {
		t.Fatal(err)
	}
	defer views.Close()
	books := reminding.Books{Ledger: ledger.New(store, ledger.Codec(), nil), Views: views, Clock: clock}
	letters := reminding.Files(t.TempDir())
	refused := 0
	for i, s := range steps {
		now = s.At
		receipt, err := s.Do(t.Context(), books, func(domain.SellerID) reminding.Outbox { return letters })
		switch {
		case err == nil && receipt.Repeated:
			t.Fatalf("step %d repeats %s", i, s.CommandID)
		case err == nil:
			look(s, receipt)
		default:
			if refused++; refused < 10 {
				t.Errorf("step %d, %s: %v", i, s.Command.Name(), err)
			}
		}
	}
	dunned(t, store)
}

// dunned asks that both sellers' debtors were reminded and dropped from the list, called, held, and kept their word and
// broke it.
func dunned(t *testing.T, store eventstore.Store) {
	t.Helper()
	codec := ledger.Codec()
	seen := make(map[string]int)
	head, err := store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for r, err := range store.Follow(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Position == head {
			break
		}
		seller, _, _ := strings.Cut(strings.TrimPrefix(r.Stream, "dunning-"), ".")
		if !strings.HasPrefix(r.Stream, "dunning-") {
			continue
		}
		seen[seller+" "+r.Kind]++
		if e, err := codec.Decode(r); err != nil {
			t.Fatal(err)
		} else if settled, ok := e.(dunning.PromiseSettled); ok {
			seen[seller+" "+string(settled.Outcome)]++
		}
	}
	for _, seller := range []string{"YAMATO", "LARKMOOR"} {
		for _, what := range []string{
			"dunning.reminder_queued", "dunning.reminder_sent", "dunning.held", "dunning.promise_recorded", "KEPT", "BROKEN",
			"dunning.contact_recorded", "dunning.case_closed", "dunning.collector_assigned",
		} {
			if seen[seller+" "+what] == 0 {
				t.Errorf("%s: no %s: %v", seller, what, seen)
			}
		}
	}
}

var zones = map[domain.SellerID]*time.Location{"YAMATO": time.FixedZone("JST", 9*3600), "LARKMOOR": time.FixedZone("CST", -6*3600)}

func TestEveryStepIsAccepted(t *testing.T) {
	for seed := int64(1); seed <= 5; seed++ { // each with runs in earnest
		w := play(seed, today)
		for _, err := range w.refused {
			t.Errorf("seed %d: the play itself was refused %v", seed, err)
		}
		tooSoon := 0
		replay(t, w.steps, func(s Step, r eventstore.Receipt) {
			if c, ok := s.Command.(account.Command); ok {
				on, zone := r.Events[0].(account.Event).On(), zones[c.Account().Seller]
				if on.After(domain.DateOf(s.At.In(zone))) {
					tooSoon++
				}
			}
		})
		if tooSoon > 0 {
			t.Errorf("seed %d: %d facts are recorded before their business date", seed, tooSoon)
		}
		if n := len(w.steps); n < 3000 || n > 4500 {
			t.Errorf("seed %d: %d steps", seed, n)
		}
	}
}

// Each seed shows everything that can happen, to both sellers where it can.
func TestEverythingHappens(t *testing.T) {
	for seed := int64(1); seed <= 5; seed++ {
		seen := make(map[string]int)
		customers := 0
		var last time.Time
		ids := make(map[string]bool)
		for _, s := range History(seed, today) {
			if s.At.Before(last) || ids[s.CommandID] || s.Actor == "" || s.At.Location() != time.UTC {
				t.Fatalf("seed %d: %+v after %s", seed, s, last)
			}
			last, ids[s.CommandID] = s.At, true
			who := ""
			if c, ok := s.Command.(account.Command); ok {
				key := c.Account()
				if (key.Seller == "YAMATO") != (key.Currency == "JPY") {
					t.Errorf("%+v", c)
				}
				who = string(key.Seller) + " "
			}
			seen[who+s.Command.Name()]++
			switch c := s.Command.(type) {
			case account.ResolveDispute:
				seen[who+string(c.Outcome)]++
			case account.IssueInvoice:
				for _, l := range c.Lines {
					seen[who+l.Rate.String()+" %"]++
				}
				if c.Number != "" {
					t.Errorf("%+v has a number", c)
				}
			case account.SettleDifference:
				seen[who+string(c.Reason)]++
			}
			if s.Command.Name() == "RegisterCustomer" {
				customers++
			}
		}
		if customers < 58 || customers > 60 {
			t.Errorf("seed %d: %d customers", seed, customers)
		}
		want := []string{"RegisterSeller", "ChangeCustomer", "SetCreditLimit", "SetPaymentTerms", "DeactivateCustomer", "YAMATO 10 %", "YAMATO 8 %"}
		for _, c := range account.Commands {
			if c.Name() != "CarryForward" {
				want = append(want, "YAMATO "+c.Name(), "LARKMOOR "+c.Name())
			}
		}
		for _, outcome := range []account.Outcome{account.DisputeUpheld, account.DisputeRejected, account.DisputeWithdrawn} {
			want = append(want, "YAMATO "+string(outcome), "LARKMOOR "+string(outcome))
		}
		for _, what := range want {
			if seen[what] == 0 {
				t.Errorf("seed %d: no %s", seed, what)
			}
		}
	}
}

func TestSameSeedSameHistory(t *testing.T) {
	digest := func(seed int64, today domain.Date) [32]byte {
		var text []byte
		for _, s := range History(seed, today) {
			command, err := json.Marshal(s.Command)
			if err != nil {
				t.Fatal(err)
			}
			text = fmt.Appendf(text, "%s %s %s %s %s\n", s.At.Format(time.RFC3339Nano), s.CommandID, s.Actor, s.Command.Name(), command)
		}
		return sha256.Sum256(text)
	}
	first := digest(7, today)
	if again := digest(7, today); first != again {
		t.Error("two histories of one seed")
	}
	if first == digest(8, today) || first == digest(7, today.AddDays(1)) {
		t.Error("one history for two seeds or days")
	}
}

// Who looks at the demo sees a business that is paid, mostly late, with something in every bucket and nothing absurd.
func TestPlausible(t *testing.T) {
	for seed := int64(1); seed <= 5; seed++ {
		w := play(seed, today)
		open, billed := map[domain.SellerID][5]int64{}, map[domain.SellerID]int64{}
		owing, unapplied := 0, map[domain.SellerID]int64{}
		for _, c := range slices.Concat(w.houses[0].clients, w.houses[1].clients) {
			row := open[c.Seller]
			owes := false
			for _, it := range c.card.items {
				billed[c.Seller] += it.total
				row[min(4, (max(0, today.DaysSince(it.due))+29)/30)] += it.open
				owes = owes || it.open > 0
			}
			open[c.Seller] = row
			for _, f := range c.card.payments {
				unapplied[c.Seller] += f.unapplied
			}
			if owes {
				owing++
			}
			if err := c.state.CheckInvariants(); err != nil {
				t.Errorf("seed %d, %s: %v", seed, c.Customer, err)
			}
		}
		for id, row := range open {
			total := row[0] + row[1] + row[2] + row[3] + row[4]
			if total*100/billed[id] < 3 || total*100/billed[id] > 20 || row[0]*100/total < 40 || min(row[1], row[2]+row[3], row[4], unapplied[id]) == 0 {
				t.Errorf("seed %d, %s: of %d billed is open: %v, unapplied %d", seed, id, billed[id], row, unapplied[id])
			}
		}
		if owing < 40 {
			t.Errorf("seed %d: only %d customers owe something", seed, owing)
		}
	}
}

func TestAnyDayWillDo(t *testing.T) {
	for _, day := range []domain.Date{domain.NewDate(2024, 2, 29), domain.NewDate(2031, 1, 1), domain.NewDate(2999, 12, 31), domain.NewDate(1903, 1, 1)} {
		w := play(1, day)
		if last := w.steps[len(w.steps)-1].At; len(w.steps) < 2500 || last.After(day.AddDays(2).Time()) {
			t.Errorf("%s: %d steps, the last at %s", day, len(w.steps), last)
		}
	}
}
