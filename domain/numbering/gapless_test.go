package numbering

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/urikake/urikake/domain"
)

// books are a second, plain account of a series: who has each number that is used.
type books struct {
	used    map[int]Taker
	pending map[int]bool
	state   *State
	takers  int
}

var testKey = Key{Seller: "s", Series: "INV", Year: 2026}

func (b *books) newTaker() Taker {
	b.takers++
	return Taker{Account: "account-s.c.JPY", Invoice: domain.InvoiceID(fmt.Sprint("i", b.takers)), CommandID: fmt.Sprint(b.takers)}
}

// lowestFree is what the next number must be: the series has no gaps but those before numbers claimed by hand, and
// those are filled.
func (b *books) lowestFree() int {
	for n := 1; ; n++ {
		if _, used := b.used[n]; !used {
			return n
		}
	}
}

func (b *books) run(c Command) ([]domain.Event, error) {
	events, err := Decider.Decide(b.state, c)
	for _, e := range events {
		if fault := Decider.Audit(b.state, testKey.Stream(), e); fault != nil {
			return events, fmt.Errorf("%s: an audit finds %w", e.Kind(), fault)
		}
		Decider.Evolve(b.state, e)
	}
	return events, err
}

func (b *books) take(t *rapid.T) {
	c := TakeNumbers{Key: testKey}
	for range rapid.IntRange(1, 4).Draw(t, "takers") {
		c.For = append(c.For, b.newTaker())
	}
	if _, err := b.run(c); err != nil {
		t.Fatal(err)
	}
	for _, taker := range c.For {
		n, _, ok := b.state.Held(taker)
		if !ok || n != b.lowestFree() {
			t.Fatalf("%s got %d, want %d", taker.Invoice, n, b.lowestFree())
		}
		b.used[n], b.pending[n] = taker, true
	}
	if events, err := b.run(c); err != nil || len(events) != 0 {
		t.Fatalf("a repeat takes %v, %v", events, err)
	}
}

func (b *books) claim(t *rapid.T) {
	n, taker := rapid.IntRange(1, 30).Draw(t, "claim"), b.newTaker()
	_, used := b.used[n]
	_, err := b.run(ClaimNumber{Key: testKey, N: n, Taker: taker})
	if (err != nil) != used {
		t.Fatalf("claim %d, used %v: %v", n, used, err)
	}
	if !used {
		b.used[n], b.pending[n] = taker, true
	}
}

func (b *books) somePending(t *rapid.T) (int, bool) {
	if len(b.pending) == 0 {
		return 0, false
	}
	return rapid.SampledFrom(slices.Sorted(maps.Keys(b.pending))).Draw(t, "n"), true
}

func (b *books) giveBack(t *rapid.T) {
	n, some := b.somePending(t)
	if !some {
		return
	}
	_, token, _ := b.state.Held(b.used[n])
	if _, err := b.run(ReturnNumber{Key: testKey, N: n, Taker: b.newTaker(), Token: token, Reason: "not mine"}); err == nil {
		t.Fatalf("%d was returned by another", n)
	}
	if _, err := b.run(ReturnNumber{Key: testKey, N: n, Taker: b.used[n], Token: token - 1, Reason: "an earlier taking"}); err == nil {
		t.Fatalf("%d was returned by one who took it before", n)
	}
	if _, err := b.run(ReturnNumber{Key: testKey, N: n, Taker: b.used[n], Token: token, Reason: "refused"}); err != nil {
		t.Fatal(err)
	}
	delete(b.used, n)
	delete(b.pending, n)
}

func (b *books) confirm(t *rapid.T) {
	n, some := b.somePending(t)
	if !some {
		return
	}
	if _, err := b.run(ConfirmNumbers{Key: testKey, Numbers: []int{n}}); err != nil {
		t.Fatal(err)
	}
	delete(b.pending, n)
}

// restart goes on from a snapshot.
func (b *books) restart(t *rapid.T) {
	data, err := json.Marshal(b.state)
	read := &State{}
	if err != nil || json.Unmarshal(data, read) != nil {
		t.Fatalf("%s: %v", data, err)
	}
	if read.version != b.state.version || !reflect.DeepEqual(read.pending, b.state.pending) || !reflect.DeepEqual(read.held, b.state.held) {
		t.Fatalf("%s reads as %+v", data, read)
	}
	b.state = read
}

func (b *books) check(t *rapid.T) {
	for n := 1; n <= 200; n++ {
		if _, used := b.used[n]; used != b.state.taken(n) {
			t.Fatalf("%d used: %v, %+v", n, used, b.state)
		}
		if w, waits := b.state.pending[n]; waits != b.pending[n] || waits && w.Taker != b.used[n] {
			t.Fatalf("%d waits: %v, %+v", n, waits, b.state)
		}
	}
	if len(b.state.pending) != len(b.pending) || len(b.state.held) != len(b.pending) {
		t.Fatalf("%d numbers wait: %+v", len(b.pending), b.state)
	}
}

// However takers, claims, returns, confirmations and restarts mix: no number twice, and each number given out is the
// lowest that nobody has, so that returned numbers leave no gap.
func TestGapless(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &books{used: map[int]Taker{}, pending: map[int]bool{}, state: newState()}
		t.Repeat(map[string]func(*rapid.T){
			"take": b.take, "claim": b.claim, "return": b.giveBack, "confirm": b.confirm, "restart": b.restart, "": b.check,
		})
		for range slices.Collect(b.state.returned.all()) {
			if _, err := b.run(TakeNumbers{Key: testKey, For: []Taker{b.newTaker()}}); err != nil {
				t.Fatal(err)
			}
		}
		for n := 1; n < b.state.next; n++ {
			if !b.state.taken(n) {
				t.Fatalf("%d is a gap below %d", n, b.state.next)
			}
		}
	})
}

func TestSpans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s spans
		plain := map[int]bool{}
		for _, n := range rapid.SliceOf(rapid.IntRange(1, 20)).Draw(t, "numbers") {
			if plain[n] {
				s.remove(n)
				delete(plain, n)
			} else {
				s.remove(n) // not in: no effect
				s.add(n)
				plain[n] = true
			}
			if got, want := slices.Collect(s.all()), slices.Sorted(maps.Keys(plain)); !slices.Equal(got, want) {
				t.Fatalf("%v, want %v", got, want)
			}
			for i := range s {
				if s[i][0] > s[i][1] || i > 0 && s[i-1][1]+1 >= s[i][0] {
					t.Fatalf("spans touch: %v", s)
				}
			}
		}
		for n := range 22 {
			if s.has(n) != plain[n] {
				t.Fatalf("%d in %v: %v", n, s, s.has(n))
			}
		}
	})
}

func BenchmarkTake(b *testing.B) {
	s := newState()
	for i := range b.N {
		c := TakeNumbers{Key: testKey, For: []Taker{{Account: "account-s.c.JPY", Invoice: domain.InvoiceID(fmt.Sprint(i)), CommandID: "c"}}}
		if i > 0 {
			c.Issued = []int{i}
		}
		events, err := Decider.Decide(s, c)
		if err != nil {
			b.Fatal(err)
		}
		for _, e := range events {
			Decider.Evolve(s, e)
		}
	}
}
