package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// drawer draws steps, most of which come close to the edge of a rule, on this side or on that one.
type drawer struct {
	rng   *rand.Rand
	a     *auditor
	nodes int
	next  int    // of the last step, and of ids
	today int    // of most steps
	done  []step // that were accepted under a command id of their own
}

func (d *drawer) chance(of int) bool { return d.rng.IntN(of) == 0 }

func pick[T any](d *drawer, list []T) T { return list[d.rng.IntN(len(list))] }

// sellers and customers are registered before the first step; two of the accounts have most to do.
var (
	sellers   = []string{"S1", "S2"}
	customers = []string{"C1", "C2"}
	accounts  = []acct{{"C1", "JPY"}, {"C1", "JPY"}, {"C1", "USD"}, {"C2", "JPY"}, {"C2", "KWD"}}
)

var accountSteps = []string{
	"issue", "issue", "issue", "issue", "pay", "pay", "pay", "apply", "unapply", "reverse", "credit", "credit", "apply-credit", "unapply-credit",
	"refund", "write-off", "recover", "difference", "dispute", "resolve", "charge", "waive", "void", "due", "carry",
}

// step is the next thing that somebody does.
func (d *drawer) step() step {
	what := "account"
	switch n := d.rng.IntN(100); {
	case n < 5 && len(d.done) > 0:
		return d.like("again")
	case n < 9 && len(d.done) > 0:
		return d.like("reuse")
	case n < 12:
		what = "customer"
	case n < 24:
		what = "case"
	case n < 32:
		return d.group()
	}
	s := d.one(what)
	if what == "account" {
		s.Expects = []int{0, 0, 0, 0, 0, 1, 1, -1}[d.rng.IntN(8)]
		for d.chance(3) && len(s.Between) < 2 {
			s.Between = append(s.Between, d.one("account"))
		}
	}
	return s
}

// like is a step that sends again, or uses the id of, what was done before.
func (d *drawer) like(what string) step {
	s, of := d.begin(what), pick(d, d.done)
	s.Of, s.Seller = of.N, of.Seller
	return s
}

// group is up to three commands on one account, done together or not at all.
func (d *drawer) group() step {
	s := d.one("account")
	g := s
	g.What, g.Doc, g.Number, g.Shares = "group", "", "", nil
	for range 1 + d.rng.IntN(3) {
		if s.What != "carry" {
			s.Number = "" // of several claimed at a time nobody knows which comes first
			g.Group = append(g.Group, s)
		}
		s = d.on(s.Seller, s.acct)
	}
	return g
}

func (d *drawer) begin(what string) step {
	d.next++
	s := step{N: d.next, Node: d.rng.IntN(d.nodes), What: what, Seller: "S1", Crash: d.chance(4)}
	if d.chance(5) {
		s.Seller = "S2"
	}
	s.acct = pick(d, accounts)
	return s
}

func (d *drawer) one(kind string) step {
	s := d.begin("")
	switch kind {
	case "account":
		return d.fill(s)
	case "customer":
		s.What = "deactivate"
		if d.a.inactive[s.Seller+"."+s.Customer] {
			s.What = "reactivate"
		}
		return s
	}
	s.What = pick(d, []string{"hold", "release", "promise", "contact", "remind", "remind", "sent", "drop"})
	s.On, s.Until = d.day(), d.day()
	s.Doc, s.Amount = d.fresh("X", d.a.of(s).Case.Used), d.rng.Int64N(100)
	switch s.What {
	case "release":
		s.Doc, s.About = "", d.known(slices.Collect(maps.Keys(d.a.of(s).Case.Holds)), "X0")
	case "sent", "drop":
		s.Doc, s.About = "", d.known([]string{d.a.of(s).Case.Pending}, "X0")
	case "remind":
		s.On = d.today + d.rng.IntN(40)
	}
	return s
}

// on is a step on a given account.
func (d *drawer) on(seller string, account acct) step {
	s := d.begin("")
	s.Seller, s.acct = seller, account
	return d.fill(s)
}

// day goes on with time, and looks back now and then.
func (d *drawer) day() int {
	if d.chance(6) {
		return d.rng.IntN(d.today + 1)
	}
	d.today += d.rng.IntN(2)
	return d.today
}

// amount is any, or just what is open somewhere, or one more; seldom one that is none.
func (d *drawer) amount(b *books) int64 {
	if d.chance(20) {
		return -d.rng.Int64N(2)
	}
	if items := b.items(); len(items) > 0 && d.chance(2) {
		return max(1, d.upTo(b.Items[pick(d, items)].open(lastDay)))
	}
	return 1 + d.rng.Int64N(3000)
}

// upTo is a part of an amount, all of it, or one more.
func (d *drawer) upTo(most int64) int64 {
	switch n := d.rng.IntN(8); {
	case most <= 0 || n == 0:
		return most + 1
	case n < 3:
		return most
	}
	return 1 + d.rng.Int64N(most)
}

func (d *drawer) fresh(prefix string, used map[string]bool) string {
	if len(used) > 0 && d.chance(10) {
		_, id, _ := strings.Cut(pick(d, slices.Sorted(maps.Keys(used))), " ") // of some kind
		return id
	}
	return d.freshOr(prefix, nil)
}

// freshOr is a new id, seldom a known one.
func (d *drawer) freshOr(prefix string, known []string) string {
	if len(known) > 0 && d.chance(15) {
		return pick(d, known)
	}
	d.next++
	return fmt.Sprint(prefix, d.next)
}

// known is one of the ids, seldom one that nobody knows.
func (d *drawer) known(ids []string, unknown string) string {
	slices.Sort(ids)
	if len(ids) == 0 || ids[len(ids)-1] == "" || d.chance(15) {
		return unknown
	}
	return pick(d, ids)
}

// handMax is the highest number of a series that is given by hand: few enough for those before it to be used, too.
const handMax = 10

// number is given by hand now and then: one of a few that many want, of a series or not.
func (d *drawer) number() string {
	switch d.rng.IntN(12) {
	case 0:
		return fmt.Sprintf("INV-2026-%06d", 1+d.rng.IntN(handMax))
	case 1:
		return fmt.Sprint("FREE/", d.rng.IntN(6))
	}
	return ""
}

func (d *drawer) shares(b *books, items []string) (list []share) {
	for range d.rng.IntN(3) {
		id := d.known(items, "I0")
		if slices.ContainsFunc(list, func(x share) bool { return x.Item == id }) {
			continue
		}
		amount := 1 + d.rng.Int64N(500)
		if i := b.Items[id]; i != nil {
			amount = d.upTo(i.open(lastDay))
		}
		list = append(list, share{id, amount})
	}
	return list
}

// ids are those of funds that begin so, or of items that begin with one of the letters.
func (b *books) ids(funds string, items ...byte) (list []string) {
	for id := range b.Items {
		if slices.Contains(items, id[0]) {
			list = append(list, id)
		}
	}
	for id := range b.Funds {
		if funds != "" && id[:1] == funds {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}

func (b *books) items() []string     { return b.ids("", 'I', 'L') }
func (b *books) writeOffs() []string { return slices.Sorted(maps.Keys(b.WriteOffs)) }
func (b *books) disputes() []string  { return slices.Sorted(maps.Keys(b.Disputes)) }
