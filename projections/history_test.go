package projections

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
)

// What was done about the debtor stands between the account's events, as the log has it, also over a carry forward.
func TestHistoryOfAccountAndCase(t *testing.T) {
	b := newBooks(t)
	b.register()
	stream := dunning.Key(jpy).Stream()
	b.do(issue("I1", "2026-01-10", "2026-02-10", 10_000))
	b.write(stream, dunning.Held{Hold: "H", For: dunning.CreditorsHold, From: day("2026-02-11"), Until: day("2026-02-20"), Reason: "wait", Acting: dunning.Creditor})
	b.do(pay("P1", "2026-02-12", 4_000, to("I1", 4_000)))
	b.do(account.CarryForward{Key: jpy, CarryOn: day("2026-02-28"), Into: "2027"})
	b.write(stream, dunning.PromiseRecorded{Promise: "PR", MadeOn: day("2026-03-01"), Amount: yen(6_000), Day: day("2026-03-10"), By: "森", Acting: dunning.Agency})
	b.do(pay("P2", "2026-03-09", 6_000, to("I1", 6_000)))
	b.write(stream, dunning.PromiseSettled{Promise: "PR", SettledOn: day("2026-03-11"), Outcome: dunning.Kept, Amount: yen(6_000), Received: yen(6_000)})
	history := func(q HistoryQuery) (lines []string) {
		t.Helper()
		q.Key = jpy
		list, err := b.views.History(background, q)
		if err != nil {
			t.Fatal(err)
		}
		var last eventstore.Position
		for _, e := range list {
			if e.Position <= last || e.Actor != "hanako" || e.Books != strings.HasPrefix(e.Kind, "account.") {
				t.Errorf("after %d: %+v", last, e)
			}
			last = e.Position
			lines = append(lines, fmt.Sprintf("%s %s %d", e.On.String()[5:], e.Text, e.Balance.Minor()))
		}
		return lines
	}
	want := []string{
		"01-10 invoice I1 issued: 10000 JPY, due 2026-02-10 10000",
		"02-11 hold CREDITOR_HOLD until 2026-02-20; wait (in the creditor's name) 10000",
		"02-12 payment P1 received: 4000 JPY, applied to I1 4000 JPY 6000",
		"02-28 carried forward into 2027: open 6000 JPY, unapplied 0 JPY 6000",
		"02-28 brought forward from account-S1.C1.JPY: 1 items, 1 payments, 0 credit notes (part 1 of 1) 6000",
		"03-01 promise PR: 6000 JPY by 2026-03-10, by 森 6000",
		"03-09 payment P2 received: 6000 JPY, applied to I1 6000 JPY 0",
		"03-11 promise PR KEPT: 6000 JPY of 6000 JPY received 0",
	}
	if got := history(HistoryQuery{}); !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	if got := history(HistoryQuery{Kinds: []string{"dunning."}}); !slices.Equal(got, []string{want[1], want[5], want[7]}) {
		t.Errorf("%q", got)
	}
	if got := history(HistoryQuery{Kinds: []string{"account.payment_recorded", "dunning.held"}, AsOf: day("2026-02-28")}); !slices.Equal(got, []string{want[1], want[2]}) {
		t.Errorf("%q", got)
	}
	if got := history(HistoryQuery{KnownAt: known(b.head() - 1)}); !slices.Equal(got, want[:7]) {
		t.Errorf("%q", got)
	}
	b.write(dunning.Key{Seller: "S1", Customer: "C2", Currency: "EUR"}.Stream(), dunning.CollectorAssigned{AssignedOn: day("2026-03-01"), Collector: "mizuno"})
	if list, err := b.views.Currencies(background, "S1", "C2", KnownAt{}); err != nil || !slices.Equal(list, []domain.Currency{"EUR"}) {
		t.Errorf("a case without an account: %v %v", list, err)
	}
}

// One invoice's story is what names it, and how the promises, plans and reminders about it went on; balances are the account's.
func TestHistoryOfAnInvoice(t *testing.T) {
	b := newBooks(t)
	b.register()
	stream := dunning.Key(jpy).Stream()
	about := func(id domain.InvoiceID) []dunning.Covered { return []dunning.Covered{{Invoice: id, Open: yen(6_000)}} }
	b.do(issue("I1", "2026-01-10", "2026-02-10", 10_000))
	b.do(issue("I2", "2026-01-11", "2026-02-11", 500))
	b.do(pay("P1", "2026-02-12", 5_000, to("I1", 4_000), to("I2", 100)))
	b.write(stream, dunning.PromiseRecorded{Promise: "PR1", MadeOn: day("2026-03-01"), Amount: yen(6_000), Day: day("2026-03-10"), Items: about("I1"), Acting: dunning.Agency})
	b.write(stream, dunning.PromiseRecorded{Promise: "PR2", MadeOn: day("2026-03-02"), Amount: yen(400), Day: day("2026-03-10"), Items: about("I2"), Acting: dunning.Agency})
	b.do(account.ApplyPayment{Key: jpy, Payment: "P1", ApplyOn: day("2026-03-03"), Allocations: []account.Allocation{to("I2", 400)}})
	b.write(stream, dunning.PromiseSettled{Promise: "PR2", SettledOn: day("2026-03-11"), Outcome: dunning.Kept, Amount: yen(400), Received: yen(400)})
	b.write(stream, dunning.PromiseSettled{Promise: "PR1", SettledOn: day("2026-03-11"), Outcome: dunning.Broken, Amount: yen(6_000), Received: yen(0)})
	for _, c := range []struct {
		query HistoryQuery
		want  []string
	}{
		{HistoryQuery{Invoice: "I1"}, []string{"invoice I1 10000", "payment P1 5500", "promise PR1 5500", "promise PR1 5500"}},
		{HistoryQuery{Invoice: "I2"}, []string{"invoice I2 10500", "payment P1 5500", "promise PR2 5500", "payment P1 5500", "promise PR2 5500"}},
		{HistoryQuery{Invoice: "I1", From: day("2026-03-01"), AsOf: day("2026-03-10")}, []string{"promise PR1 5500"}},
		{HistoryQuery{From: day("2026-03-11")}, []string{"promise PR2 5500", "promise PR1 5500"}},
		{HistoryQuery{Invoice: "I3"}, nil},
		{HistoryQuery{Invoice: "I1", From: day("2026-03-11"), Kinds: []string{"dunning."}}, []string{"promise PR1 5500"}},
	} {
		c.query.Key = jpy
		list, err := b.views.History(background, c.query)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range list {
			words := strings.Fields(e.Text)
			got = append(got, fmt.Sprintf("%s %s %d", words[0], strings.TrimSuffix(words[1], ":"), e.Balance.Minor()))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v: %q", c.query, got)
		}
	}
}

// Every event of a case says more than its kind, in one line, with its amount.
func TestDescribeCase(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "domain", "catalog", "testdata", "dunning.*.json"))
	if err != nil {
		t.Fatal(err)
	}
	described := 0
	for _, file := range files {
		kind, _, _ := strings.Cut(filepath.Base(file), ".v1")
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(catalog.Events(), func(s domain.Schema) bool { return s.Kind == kind })
		e, err := catalog.Events()[i].Decode(1, data)
		if err != nil {
			t.Fatal(err)
		}
		event, ofCase := e.(dunning.Event)
		if !ofCase {
			continue
		}
		described++
		text := DescribeCase(event)
		var amount struct{ Amount, Received, Remaining domain.Money }
		if err := json.Unmarshal(data, &amount); err != nil {
			t.Fatal(err)
		}
		if text == kind || strings.Contains(text, "\n") || strings.Contains(text, "%!") {
			t.Errorf("%s: %s", file, text)
		}
		for _, m := range []domain.Money{amount.Amount, amount.Received, amount.Remaining} {
			if m != (domain.Money{}) && !strings.Contains(text, m.String()) {
				t.Errorf("%s: %s, without %s", file, text, m)
			}
		}
	}
	if described < 17 {
		t.Errorf("%d samples", described)
	}
}

// Two readings come out in the order of the log, and an error of either ends them.
func TestInOrder(t *testing.T) {
	broken := errors.New("broken")
	rapid.Check(t, func(t *rapid.T) {
		both := rapid.SliceOfN(rapid.Bool(), 0, 20).Draw(t, "which")
		var lists [2][]eventstore.Recorded
		for i, second := range both {
			n := 0
			if second {
				n = 1
			}
			lists[n] = append(lists[n], eventstore.Recorded{Position: eventstore.Position(i + 1)})
		}
		fails := rapid.IntRange(-1, 1).Draw(t, "fails")
		read := func(n int) func(func(eventstore.Recorded, error) bool) {
			return func(yield func(eventstore.Recorded, error) bool) {
				for _, r := range lists[n] {
					if !yield(r, nil) {
						return
					}
				}
				if n == fails {
					yield(eventstore.Recorded{}, broken)
				}
			}
		}
		var last eventstore.Position
		var failed error
		for r, err := range inOrder(read(0), read(1)) {
			if failed != nil {
				t.Fatal("it goes on after an error")
			}
			if failed = err; err == nil && r.Position != last+1 {
				t.Fatalf("%d after %d", r.Position, last)
			}
			if err == nil {
				last = r.Position
			}
		}
		if (failed != nil) != (fails >= 0) || fails < 0 && int(last) != len(both) {
			t.Fatalf("%v, %d of %d", failed, last, len(both))
		}
		for range inOrder(read(0), read(1)) {
			break
		}
	})
}
