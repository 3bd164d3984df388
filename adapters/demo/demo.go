// Package demo invents two years of two client companies' receivables: a Japanese wholesaler billing in yen by closing
// days and an American supplier billing in dollars, some sixty customers between them, who pay as customers do.
//
// In the last weeks debtors are reminded by runs, in earnest: see RunDunning.
//
// A clerk's week is played out event by event: each thing that happens puts what follows from it on the agenda, and is
// recorded hours or days after its business date. Names are invented; any likeness to a company is chance.
package demo

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/seller"
)

// Step is one command of the history, or a run over the debtors.
type Step struct {
	At        time.Time                  // when it was recorded; never earlier than the step before
	Command   interface{ Name() string } // or RunDunning: see Do
	CommandID string
	Actor     string // who gave it
}

// Days is how long a history is.
const Days = 730

// History is the two years that end with today, in the order in which they were recorded, some 4000 steps. The same
// seed and day always give the same steps. A ledger that knows nothing of the two sellers accepts every one of them.
func History(seed int64, today domain.Date) []Step {
	return play(seed, today).steps
}

// play returns the whole world, so that a test can ask it what was refused.
func play(seed int64, today domain.Date) *world {
	w := &world{rng: rand.New(rand.NewPCG(uint64(seed), 0x75726b616b65)), seed: seed, first: today.AddDays(-Days), today: today}
	w.found(yamato(w))
	w.found(larkmoor(w))
	for w.agenda.Len() > 0 {
		entry := heap.Pop(&w.agenda).(entry)
		w.now = entry.at
		entry.do()
	}
	return w
}

// world is the state of play.
type world struct {
	rng          *rand.Rand
	seed         int64
	first, today domain.Date
	now          time.Time
	agenda       agenda
	entries      int
	houses       []*house
	steps        []Step
	refused      []error // what the rules did not allow: a fault of the play
}

// entry is something that will be done at an instant.
type entry struct {
	at  time.Time
	nth int // of two at the same instant the one noted first
	do  func()
}

type agenda []entry

func (a agenda) Len() int      { return len(a) }
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(entry)) }

func (a agenda) Less(i, j int) bool {
	if !a[i].at.Equal(a[j].at) {
		return a[i].at.Before(a[j].at)
	}
	return a[i].nth < a[j].nth
}

func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// on notes something for the office hours of a day, or of the next business day; for the past it is done in some
// minutes. What lies beyond today does not happen.
func (h *house) on(day domain.Date, do func()) {
	day = h.bank.Next(day)
	at := day.Time().Add(time.Duration(h.between(9*3600, 18*3600)) * time.Second)
	at = time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, h.zone)
	if !at.After(h.now) {
		at = h.now.Add(time.Duration(h.between(60, 900)) * time.Second)
	}
	h.note(at, do)
}

// soon notes something for the next minutes.
func (h *house) soon(do func()) {
	h.note(h.now.Add(time.Duration(h.between(20, 240))*time.Second), do)
}

func (h *house) note(at time.Time, do func()) {
	if domain.DateOf(at.In(h.zone)).After(h.world.today) {
		return
	}
	h.entries++
	heap.Push(&h.agenda, entry{at, h.entries, do})
}

// date is the day that it is at the seller's.
func (h *house) date() domain.Date { return domain.DateOf(h.now.In(h.zone)) }

// chance is true in so many of a thousand cases.
func (w *world) chance(perMille int) bool { return w.rng.IntN(1000) < perMille }

// between draws from lo to hi, both included.
func (w *world) between(lo, hi int) int { return lo + w.rng.IntN(hi-lo+1) }

func pick[T any](w *world, list []T) T { return list[w.rng.IntN(len(list))] }

// record writes a step down.
func (w *world) record(c interface{ Name() string }, actor string) {
	w.steps = append(w.steps, Step{
		At: w.now.UTC(), Command: c, Actor: actor,
		CommandID: fmt.Sprintf("demo-%d-%06d", w.seed, len(w.steps)+1),
	})
}

// give decides an account's command as the ledger will, since what follows depends on the answer; nil when refused.
func (c *client) give(command account.Command, actor string) []domain.Event {
	parties := account.Parties{
		SellerKnown: true, CustomerKnown: true, CustomerActive: !c.closed,
		Rounding: c.settings.Rounding, Tolerance: c.settings.Tolerance[0].Minor(), Number: "from the series",
	}
	if invoice, ok := command.(account.IssueInvoice); ok {
		if due, err := c.terms.Due(invoice.IssuedOn, c.bank); err == nil {
			parties.DueOn = due
		}
	}
	events, err := account.Decider.Decide(c.state, account.Request{Command: command, Parties: parties, Stream: c.Stream()})
	if err != nil {
		c.refused = append(c.refused, fmt.Errorf("%s on %s: %w", command.Name(), c.date(), err))
		return nil
	}
	for _, e := range events {
		c.state = account.Decider.Evolve(c.state, e)
		c.card.book(e)
	}
	c.record(command, actor)
	return events
}

// found opens a house and schedules its customers' arrival.
func (w *world) found(h *house) {
	w.houses = append(w.houses, h)
	opening := time.Date(w.first.Year(), w.first.Month(), w.first.Day(), 8, 0, 0, 0, h.zone)
	h.note(opening, func() {
		w.record(seller.RegisterSeller{Seller: h.id, Settings: h.settings}, h.manager)
		h.opening()
		for i, c := range h.clients {
			arrives := w.first
			if i%6 == 5 && c.profile != insolvent { // most were customers before; some come in the first year
				arrives = w.first.AddDays(w.between(20, 330))
			}
			h.on(arrives, func() { c.arrive() })
		}
	})
	h.dun()
}

func (c *client) arrive() {
	key := customer.Key{Seller: c.Seller, Customer: c.Customer}
	c.record(customer.RegisterCustomer{Key: key, Details: c.details, Terms: c.terms, CreditLimit: c.limit}, c.billing)
	c.billFrom(c.date())
	c.keepHouse(key)
	if c.profile == insolvent {
		c.on(c.collapses, c.collapse)
	}
}
