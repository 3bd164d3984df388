package numbering_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/numbering"
	"github.com/urikake/urikake/domain/scenario"
)

var key = numbering.Key{Seller: "midori", Series: "INV", Year: 2026}

func taker(name string) numbering.Taker {
	return numbering.Taker{Account: "account-midori.C0001.JPY", Invoice: domain.InvoiceID(name), CommandID: "command-" + name}
}

func take(names ...string) numbering.TakeNumbers {
	c := numbering.TakeNumbers{Key: key}
	for _, name := range names {
		c.For = append(c.For, taker(name))
	}
	return c
}

func taken(pairs ...any) numbering.NumbersTaken {
	e := numbering.NumbersTaken{Key: key}
	for i := 0; i < len(pairs); i += 2 {
		e.Taken = append(e.Taken, numbering.Taken{N: pairs[i].(int), Taker: taker(pairs[i+1].(string))})
	}
	return e
}

func claim(n int, name string) numbering.ClaimNumber {
	return numbering.ClaimNumber{Key: key, N: n, Taker: taker(name)}
}

func claimed(n int, name string) domain.Event { return numbering.NumberClaimed(claim(n, name)) }

func giveBack(n int, name string, token uint64) numbering.ReturnNumber {
	return numbering.ReturnNumber{Key: key, N: n, Taker: taker(name), Token: token, Reason: "account.repeated_id"}
}

func returned(n int, name string) domain.Event {
	return numbering.NumberReturned{Key: key, N: n, Taker: taker(name), Reason: "account.repeated_id"}
}

func confirm(numbers ...int) numbering.ConfirmNumbers {
	return numbering.ConfirmNumbers{Key: key, Numbers: numbers}
}

func confirmed(numbers ...int) domain.Event { return numbering.NumbersConfirmed(confirm(numbers...)) }

func given(t *testing.T, events ...domain.Event) *scenario.Scenario[numbering.Command, *numbering.State] {
	return scenario.For(t, numbering.Decider, numbering.Events).Given(events...)
}

func TestTake(t *testing.T) {
	s := given(t).
		When(take("a", "b", "a")).Then(taken(1, "a", 2, "b")). // each taker once
		When(take("a")).Nothing().                             // it has its number
		When(take("b", "c")).Then(taken(3, "c"))
	if n, token, ok := s.State().Held(taker("c")); n != 3 || token != 2 || !ok {
		t.Errorf("c holds %d since %d, %v", n, token, ok)
	}
	if key.Number(3) != "INV-2026-000003" {
		t.Error(key.Number(3))
	}
	var waiting []string
	for n, by := range s.State().Pending() {
		waiting = append(waiting, fmt.Sprint(n, by.Invoice))
	}
	if got := strings.Join(waiting, ","); got != "1a,2b,3c" {
		t.Error(got)
	}
	with := take("d")
	with.Issued = []int{1, 2, 2}
	s.When(with).Then(confirmed(1, 2), taken(4, "d")).
		When(confirm(1, 2, 3)).Then(confirmed(3)).
		When(confirm(1, 2, 3)).Nothing()
	if _, _, ok := s.State().Held(taker("c")); ok {
		t.Error("c's number is confirmed and waits no longer")
	}
	again := take("d")
	again.Issued = []int{4}
	s.When(again).Then(confirmed(4), taken(5, "d"))
}

func TestReturn(t *testing.T) {
	given(t, taken(1, "a", 2, "b", 3, "c", 4, "d")).
		When(giveBack(3, "c", 1)).Then(returned(3, "c")).
		When(giveBack(1, "a", 1)).Then(returned(1, "a")).
		When(giveBack(1, "a", 1)).RefusedAt(numbering.ErrNotHeld, "/n").
		When(confirm(3)).RefusedAt(numbering.ErrNotGiven, "/numbers/0").
		When(take("e", "f", "g")).Then(taken(1, "e", 3, "f", 5, "g")).
		When(giveBack(1, "a", 1)).RefusedAt(numbering.ErrNotHeld, "/n"). // a late repeat: 1 is e's now
		When(confirm(1)).Then(confirmed(1)).
		When(giveBack(1, "e", 4)).Refused(numbering.ErrNotHeld).
		When(giveBack(3, "f", 4)).Then(returned(3, "f")).
		When(take("f")).Then(taken(3, "f")).
		When(giveBack(3, "f", 4)).RefusedAt(numbering.ErrNotHeld, "/n"). // of the earlier taking
		When(giveBack(3, "f", 7)).Then(returned(3, "f"))
}

func TestClaim(t *testing.T) {
	s := given(t).
		When(claim(3, "x")).Then(claimed(3, "x")).
		When(claim(3, "x")).Nothing().
		When(claim(3, "y")).RefusedAt(numbering.ErrNumberTaken, "/n").
		When(claim(4, "x")).RefusedAt(numbering.ErrNumberTaken, "/n"). // one document, one number
		When(take("x")).Nothing().
		When(take("a", "b", "c")).Then(taken(1, "a", 2, "b", 4, "c")).
		When(claim(2, "y")).RefusedAt(numbering.ErrNumberTaken, "/n").
		When(giveBack(2, "b", 2)).Then(returned(2, "b")).
		When(claim(2, "y")).Then(claimed(2, "y")).
		When(giveBack(3, "x", 1)).Then(returned(3, "x")).
		When(claim(9, "z")).Then(claimed(9, "z")).
		When(giveBack(9, "z", 6)).Then(returned(9, "z")).
		When(confirm(9)).Refused(numbering.ErrNotGiven).
		When(claim(6, "z")).Then(claimed(6, "z")).
		When(confirm(6)).Then(confirmed(6)).
		When(claim(6, "z")).Refused(numbering.ErrNumberTaken).
		When(take("d", "e", "f")).Then(taken(3, "d", 5, "e", 7, "f"))
	if _, _, ok := s.State().Held(taker("z")); ok {
		t.Error("z's number is confirmed")
	}
}

// The highest number can be claimed at once: it costs no memory, and none is left after it.
func TestFarClaim(t *testing.T) {
	s := given(t, claimed(numbering.NumberMax, "x")).
		When(take("a")).Then(taken(1, "a"))
	data, err := json.Marshal(s.State())
	if err != nil || len(data) > 1000 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	var full numbering.State
	if err := json.Unmarshal([]byte(`{"next":999999999}`), &full); err != nil {
		t.Fatal(err)
	}
	events, err := numbering.Decider.Decide(&full, take("a"))
	if err != nil || len(events) != 1 {
		t.Fatalf("the last number: %v, %v", events, err)
	}
	numbering.Decider.Evolve(&full, events[0])
	if _, err := numbering.Decider.Decide(&full, take("b")); err == nil || !strings.HasPrefix(err.Error(), numbering.ErrSeriesFull.Rule) {
		t.Errorf("after the last number: %v", err)
	}
}

func TestFields(t *testing.T) {
	bad := key
	bad.Seller = "m.x"
	given(t).When(numbering.ConfirmNumbers{Key: bad, Numbers: []int{1}}).RefusedAt(domain.ErrBadID, "/seller")
	bad = key
	bad.Series = "inv"
	given(t).When(numbering.ConfirmNumbers{Key: bad, Numbers: []int{1}}).RefusedAt(domain.ErrBadSeries, "/series")
	bad = key
	bad.Year = 26
	given(t).When(numbering.ConfirmNumbers{Key: bad, Numbers: []int{1}}).RefusedAt(numbering.ErrBadYear, "/year")
	noAccount, noID, noReason := claim(1, "a"), claim(1, "a b"), giveBack(1, "a", 1)
	noAccount.Account, noID.CommandID, noReason.Reason = "", "", ""
	many := take("a")
	many.Issued = make([]int, numbering.IssuedMax+1)
	crowd := take()
	crowd.For = make([]numbering.Taker, numbering.TakersMax+1)
	given(t).
		When(confirm()).RefusedAt(domain.ErrMissing, "/numbers").
		When(confirm(0)).RefusedAt(numbering.ErrBadNumber, "/numbers").
		When(claim(numbering.NumberMax+1, "a")).RefusedAt(numbering.ErrBadNumber, "/n").
		When(giveBack(-1, "a", 1)).RefusedAt(numbering.ErrBadNumber, "/n").
		When(noAccount).RefusedAt(domain.ErrMissing, "/account").
		When(noID).RefusedAt(domain.ErrMissing, "/command_id").
		When(noID).RefusedAt(domain.ErrBadID, "/invoice").
		When(noReason).RefusedAt(domain.ErrMissing, "/reason").
		When(take()).RefusedAt(domain.ErrTooLong, "/for").
		When(crowd).RefusedAt(domain.ErrTooLong, "/for").
		When(take("a", "?")).RefusedAt(domain.ErrBadID, "/for/1/invoice").
		When(many).RefusedAt(domain.ErrTooLong, "/issued").
		When(giveBack(1, "a", 1)).Refused(numbering.ErrNotHeld)
}

func TestText(t *testing.T) {
	text := numbering.Text{Seller: "midori", Number: "請求 №7/2024"}
	first, second := numbering.ClaimText{Text: text, Taker: taker("a")}, numbering.ClaimText{Text: text, Taker: taker("b")}
	release := numbering.ReleaseText{Text: text, Taker: taker("a"), Reason: "account.no_lines"}
	foreign := release
	foreign.Taker = taker("b")
	s := scenario.For(t, numbering.TextDecider, numbering.Events).
		When(release).RefusedAt(numbering.ErrNotHeld, "/number").
		When(first).Then(numbering.TextClaimed(first)).
		When(first).Nothing().
		When(second).RefusedAt(numbering.ErrNumberTaken, "/number").
		When(foreign).Refused(numbering.ErrNotHeld).
		When(release).Then(numbering.TextReleased(release)).
		When(release).Nothing().
		When(second).Then(numbering.TextClaimed(second)).
		When(release).Refused(numbering.ErrNotHeld)
	if state := s.State(); !state.Claimed || state.By != taker("b") {
		t.Errorf("%+v", state)
	}
	for number, want := range map[string]*domain.Error{
		"": domain.ErrMissing, "a\nb": domain.ErrMalformed,
		strings.Repeat("x", numbering.TextMax+1): domain.ErrTooLong, "INV-2026-000001": numbering.ErrInSeriesForm,
	} {
		c := first
		c.Number = number
		s.When(c).RefusedAt(want, "/number")
	}
	mute := release
	mute.Reason = ""
	s.When(mute).RefusedAt(domain.ErrMissing, "/reason")
	// A stream's name has a fixed length and no character that separates; it stands in every book that is ever written.
	if got := numbering.TextDecider.Stream(numbering.ClaimText{Text: numbering.Text{Seller: "midori", Number: "1"}}); got != "document-midori.6b86b273ff34fce19d6b804eff5a3f57" {
		t.Error(got)
	}
	for _, c := range []numbering.Command{take("a"), claim(1, "a"), giveBack(1, "a", 1), confirm(1)} {
		if got := numbering.Decider.Stream(c); got != "numbering-midori.INV.2026" {
			t.Errorf("%s stands in %s", c.Name(), got)
		}
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text   string
		series domain.Series
		year   int
		n      int
	}{
		{"INV-2026-000001", "INV", 2026, 1}, {"INV-2026-999999999", "INV", 2026, 999_999_999}, {"A-B_1-1999-1234567", "A-B_1", 1999, 1_234_567},
	} {
		series, year, n, ok := numbering.Parse(c.text)
		if !ok || series != c.series || year != c.year || n != c.n || numbering.Format(series, year, n) != c.text {
			t.Errorf("%s: %s %d %d %v", c.text, series, year, n, ok)
		}
	}
	for _, text := range []string{
		"", "-", "--", "INV-2026-1", "INV-2026-0000001", "INV-2026-000000", "INV-26-000001", "INV-1899-000001",
		"inv-2026-000001", "-2026-000001", "2026-000001", "INV-2026-+00001", "INV-2026-00000１", "INV-2026-1000000000", " INV-2026-000001",
		"INV-2026-000001\n", strings.Repeat("A", 33) + "-2026-000001", "INV-2026-99999999999999999999",
	} {
		if series, year, n, ok := numbering.Parse(text); ok {
			t.Errorf("%q: %s %d %d", text, series, year, n)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("INV-2026-000001")
	f.Add("A-B-2026-1234567")
	f.Fuzz(func(t *testing.T, text string) {
		if series, year, n, ok := numbering.Parse(text); ok {
			if numbering.Format(series, year, n) != text || domain.CheckID(text) != nil {
				t.Fatalf("%q: %s %d %d", text, series, year, n)
			}
		}
	})
}

// The names on the wire stand in every book that is ever written.
func TestWire(t *testing.T) {
	data, err := json.Marshal([]domain.Event{taken(1, "a"), returned(2, "b")})
	const want = `[{"seller":"midori","series":"INV","year":2026,"taken":[{"n":1,"account":"account-midori.C0001.JPY","invoice":"a","command_id":"command-a"}]},` +
		`{"seller":"midori","series":"INV","year":2026,"n":2,"account":"account-midori.C0001.JPY","invoice":"b","command_id":"command-b","reason":"account.repeated_id"}]`
	if err != nil || string(data) != want {
		t.Errorf("%s\n%v", data, err)
	}
}
