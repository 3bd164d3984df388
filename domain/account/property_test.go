package account

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/urikake/urikake/domain"
)

// Any history of one account, with orders that hold and orders that don't, on any days in any order:
// no day is ever negative, a refusal changes nothing, a snapshot decides like the books it was taken of,
// the books say what an auditor finds who has read nothing but the events, and an audit finds no fault with any.
func TestAnyHistory(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := newHistory()
		for range rapid.IntRange(1, 80).Draw(rt, "length") {
			h.step(rt, h.command(rt))
		}
	})
}

// history is an account under test and what an auditor noted about it.
type history struct {
	state   *State
	parties Parties
	stream  string
	events  []domain.Event
	effect  int64
	auditor auditor
	today   domain.Date         // the day of most orders
	next    int                 // number of the last id
	given   map[string][]string // ids that were tried, by prefix
}

func newHistory() *history {
	h := &history{state: Decider.New(), parties: usual, stream: acme.Stream(), auditor: newAuditor(), today: on("06-01"), given: make(map[string][]string)}
	h.parties.Tolerance = 30
	return h
}

func (h *history) request(c Command) Request {
	return Request{Command: c, Parties: h.parties, Stream: h.stream}
}

// step gives an order and proves everything that must hold after it.
func (h *history) step(t *rapid.T, c Command) {
	before := snap(t, h.state)
	events, err := Decider.Decide(h.state, h.request(c))
	if !bytes.Equal(before, snap(t, h.state)) {
		t.Fatalf("%s %+v: deciding changed the books", c.Name(), c)
	}
	restored, errRestore := Restore(before)
	if errRestore != nil {
		t.Fatal(errRestore)
	}
	again, errAgain := Decider.Decide(restored, h.request(c))
	if fmt.Sprint(again, errAgain) != fmt.Sprint(events, err) {
		t.Fatalf("%s %+v: decided %v %v, after a snapshot %v %v", c.Name(), c, events, err, again, errAgain)
	}
	if err != nil {
		return
	}
	if len(events) == 0 {
		t.Fatalf("%s %+v: neither facts nor a refusal", c.Name(), c)
	}
	for _, e := range events {
		h.take(t, e)
		restored = Decider.Evolve(restored, e)
	}
	if a, b := snap(t, h.state), snap(t, restored); !bytes.Equal(a, b) {
		t.Fatalf("%s: the books and their snapshot go apart:\n%s\n%s", c.Name(), a, b)
	}
	if _, ok := c.(CarryForward); ok {
		h.goOn(t)
	}
}

// take evolves by one event and lets the auditor look at the books of every day.
func (h *history) take(t *rapid.T, e domain.Event) {
	e = readRapid(t, e)
	h.events = append(h.events, e)
	if err := errors.Join(Decider.Audit(h.state, h.stream, e), Repeats(e, h.parties.Earlier)); err != nil {
		t.Fatalf("%s %+v: an audit finds %v", e.Kind(), e, err)
	}
	h.state = Decider.Evolve(h.state, e)
	if err := h.state.CheckInvariants(); err != nil {
		t.Fatalf("after %s %+v: %v", e.Kind(), e, err)
	}
	h.effect += e.(Event).Effect()
	if h.effect != h.state.Balance() {
		t.Fatalf("after %s: the effects come to %d, the balance is %d", e.Kind(), h.effect, h.state.Balance())
	}
	if err := h.auditor.note(e); err != nil {
		t.Fatalf("after %s %+v: %v", e.Kind(), e, err)
	}
	if err := h.auditor.compare(h.state); err != nil {
		t.Fatalf("after %s %+v: %v", e.Kind(), e, err)
	}
}

// goOn opens the fresh stream of an account that was carried forward.
func (h *history) goOn(t *rapid.T) {
	closed, effect, from := h.state, h.effect, h.stream
	events := BroughtForward(closed, from)
	h.parties.Earlier = append([]*State{closed}, h.parties.Earlier...)
	h.stream = acme.Stream() + "." + closed.CarriedInto()
	if key, period, ok := ParseStream(h.stream); !ok || key != acme || period != closed.CarriedInto() {
		t.Fatalf("%s is read as %v %q %v", h.stream, key, period, ok)
	}
	h.state = Decider.New()
	for i, e := range events {
		read := readRapid(t, e)
		if err := errors.Join(Decider.Audit(h.state, h.stream, read), read.(BalanceBroughtForward).Carries(events[i])); err != nil {
			t.Fatalf("part %d of %d: an audit finds %v", i+1, len(events), err)
		}
		h.state = Decider.Evolve(h.state, read)
	}
	if err := h.state.CheckInvariants(); err != nil {
		t.Fatalf("after the carry forward: %v", err)
	}
	if h.state.Balance() != effect {
		t.Fatalf("%d was carried forward, %d came", effect, h.state.Balance())
	}
	if err := h.auditor.compare(h.state); err != nil {
		t.Fatalf("after the carry forward: %v", err)
	}
}

func snap(t *rapid.T, s *State) []byte {
	data, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func readRapid(t *rapid.T, e domain.Event) domain.Event {
	read, err := throughJSON(e)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// command draws an order. Ids are mostly known ones of the right kind, amounts mostly what is there or a bit off,
// so that most orders come close to the edge of a rule, on this side or on that one.
func (h *history) command(t *rapid.T) Command {
	d := draw{t, h}
	switch rapid.SampledFrom([]string{
		"issue", "issue", "issue", "pay", "pay", "pay", "apply", "unapply", "reverse", "refund", "void", "due", "credit", "credit",
		"applyCredit", "unapplyCredit", "writeOff", "recover", "difference", "difference", "dispute", "resolve", "charge", "waive", "carry",
	}).Draw(t, "order") {
	case "issue":
		return d.invoice()
	case "pay":
		c := RecordPayment{Key: acme, Payment: domain.PaymentID(d.newOr(d.payment)), ReceivedOn: d.day(), Amount: d.amount(), Allocations: d.allocations()}
		if len(c.Allocations) == 0 && d.chance(3) {
			c.Allocate = Nothing
		}
		return c
	case "apply":
		return ApplyPayment{Key: acme, Payment: domain.PaymentID(d.payment()), ApplyOn: d.day(), Allocations: d.allocations()}
	case "unapply":
		return UnapplyPayment{Key: acme, Payment: domain.PaymentID(d.fund("P", true)), UnapplyOn: d.day(), Allocations: d.allocations(), Reason: "x"}
	case "reverse":
		return ReversePayment{Key: acme, Payment: domain.PaymentID(d.fund("P", true)), ReverseOn: d.day(), Reason: "x"}
	case "refund":
		c := IssueRefund{Key: acme, Refund: domain.RefundID(d.new("R")), RefundOn: d.day(), Amount: d.amount()}
		if d.chance(2) {
			c.Payment = domain.PaymentID(d.payment())
		} else {
			c.Credit = domain.CreditID(d.credit())
		}
		return c
	case "void":
		return VoidInvoice{Key: acme, Invoice: d.item(), VoidOn: d.day(), Reason: "x"}
	case "due":
		return ChangeDueDate{Key: acme, Invoice: d.item(), DueOn: d.day(), ChangeOn: d.day(), Reason: "x", By: "y"}
	case "credit":
		c := IssueCreditNote{Key: acme, Credit: domain.CreditID(d.newOr(d.credit)), IssuedOn: d.day(), Reason: Return}
		if !d.chance(4) {
			c.Invoice = d.item()
		}
		if d.chance(2) {
			c.Lines = d.lines()
		} else {
			c.Total = d.amount()
		}
		return c
	case "applyCredit":
		return ApplyCredit{Key: acme, Credit: domain.CreditID(d.credit()), ApplyOn: d.day(), Allocations: d.allocations()}
	case "unapplyCredit":
		return UnapplyCredit{Key: acme, Credit: domain.CreditID(d.fund("C", true)), UnapplyOn: d.day(), Allocations: d.allocations(), Reason: "x"}
	case "writeOff":
		return WriteOff{Key: acme, WriteOff: domain.WriteOffID(d.new("W")), Invoice: d.item(), WriteOffOn: d.day(), Amount: yen(rapid.Int64Range(1, 200).Draw(t, "written off")), Reason: "x", Approver: "y"}
	case "recover":
		return RecoverWriteOff{Key: acme, Recovery: domain.RecoveryID(d.new("V")), WriteOff: domain.WriteOffID(d.of("W")), RecoverOn: d.day(), Amount: yen(rapid.Int64Range(1, 200).Draw(t, "recovered"))}
	case "difference":
		c := SettleDifference{Key: acme, SettleOn: d.day(), Amount: yen(rapid.Int64Range(1, 35).Draw(t, "difference")), Reason: rapid.SampledFrom([]DifferenceReason{BankFee, RoundingError}).Draw(t, "reason")}
		if d.chance(3) {
			c.Payment = domain.PaymentID(d.payment())
		} else {
			c.Invoice = d.item()
		}
		return c
	case "dispute":
		c := OpenDispute{Key: acme, Dispute: domain.DisputeID(d.new("D")), Invoice: d.item(), OpenedOn: d.day(), Reason: Defective}
		if d.chance(2) {
			c.Amount = d.amount()
		}
		return c
	case "resolve":
		c := ResolveDispute{Key: acme, Dispute: domain.DisputeID(d.of("D")), ResolvedOn: d.day(), Outcome: rapid.SampledFrom([]Outcome{DisputeUpheld, DisputeUpheld, DisputeRejected}).Draw(t, "outcome")}
		if c.Outcome == DisputeUpheld {
			c.Credit = domain.CreditID(d.new("C"))
		}
		return c
	case "charge":
		return AssessLateCharge{Key: acme, Charge: domain.InvoiceID(d.new("L")), Invoice: d.item(), Rate: 900_00, To: h.today, AssessedOn: h.today}
	case "waive":
		return WaiveLateCharge{Key: acme, Charge: d.charge(), WaiveOn: d.day(), Reason: "x", Approver: "y"}
	}
	if d.chance(4) {
		return CarryForward{Key: acme, CarryOn: d.day(), Into: d.new("Y"), KeepSince: d.day()}
	}
	if d.chance(4) {
		return ForfeitNumber{Key: acme, Number: "N-0", Token: 1, ForfeitOn: d.day()}
	}
	return d.invoice()
}

// draw draws the parts of an order.
type draw struct {
	t *rapid.T
	h *history
}

func (d draw) chance(of int) bool { return rapid.IntRange(1, of).Draw(d.t, "chance") == of }

// day goes on with time, and looks back now and then.
func (d draw) day() domain.Date {
	if d.chance(5) {
		return on("06-01").AddDays(rapid.IntRange(0, 60).Draw(d.t, "day"))
	}
	d.h.today = d.h.today.AddDays(rapid.IntRange(0, 1).Draw(d.t, "later"))
	return d.h.today
}

// pick is one of the known, seldom one that is not.
func (d draw) pick(known []string, unknown string) string {
	if len(known) == 0 || d.chance(15) {
		return unknown
	}
	return rapid.SampledFrom(known).Draw(d.t, "id")
}

// amount is any small one, or just what is open or unapplied somewhere, or one more.
func (d draw) amount() domain.Money {
	if d.chance(2) {
		return yen(rapid.Int64Range(1, 3000).Draw(d.t, "amount"))
	}
	known := []int64{1}
	for _, id := range keysOf(d.h.auditor.open) {
		if n := d.h.auditor.open[id].at(lastDay); n > 0 {
			known = append(known, n, n+1)
		}
	}
	for _, id := range keysOf(d.h.auditor.unapplied) {
		if n := d.h.auditor.unapplied[id].at(lastDay); n > 0 {
			known = append(known, n, n+1)
		}
	}
	return yen(rapid.SampledFrom(known).Draw(d.t, "known amount"))
}

// upTo is a part of an amount or all of it, seldom any other.
func (d draw) upTo(most int64) domain.Money {
	if most <= 0 || d.chance(6) {
		return d.amount()
	}
	return yen(rapid.OneOf(rapid.Int64Range(1, most), rapid.Just(most)).Draw(d.t, "part"))
}

func (d draw) new(prefix string) string {
	d.h.next++
	id := fmt.Sprintf("%s%d", prefix, d.h.next)
	d.h.given[prefix] = append(d.h.given[prefix], id)
	return id
}

// of is an id of this kind that was given out, or one that never was.
func (d draw) of(prefix string) string {
	known := d.h.given[prefix]
	return d.pick(known, prefix+"0")
}

func (d draw) newOr(known func() string) string {
	id := known()
	if d.chance(12) {
		return id
	}
	return d.new(id[:1])
}

func (d draw) payment() string { return d.fund("P", d.chance(3)) }
func (d draw) credit() string  { return d.fund("C", d.chance(3)) }

// fund is one with something unapplied, or a spent one too.
func (d draw) fund(prefix string, spent bool) string {
	var known []string
	for _, id := range keysOf(d.h.auditor.unapplied) {
		if id[:1] == prefix && (spent || d.h.auditor.unapplied[id].at(lastDay) > 0) {
			known = append(known, id)
		}
	}
	return d.pick(known, prefix+"0")
}

func (d draw) item() domain.InvoiceID {
	var open []string
	for _, id := range keysOf(d.h.auditor.open) {
		if d.h.auditor.open[id].at(lastDay) > 0 {
			open = append(open, id)
		}
	}
	if d.chance(4) {
		open = keysOf(d.h.auditor.open)
	}
	return domain.InvoiceID(d.pick(open, "A0"))
}

// charge is a late charge, or an item that is none.
func (d draw) charge() domain.InvoiceID {
	var known []string
	for _, id := range keysOf(d.h.auditor.open) {
		if id[:1] == "L" {
			known = append(known, id)
		}
	}
	return domain.InvoiceID(d.pick(known, string(d.item())))
}

func (d draw) allocations() (list []Allocation) {
	seen := make(map[domain.InvoiceID]bool)
	for range rapid.IntRange(0, 2).Draw(d.t, "allocations") {
		if id := d.item(); !seen[id] {
			seen[id] = true
			list = append(list, Allocation{id, d.upTo(d.h.auditor.open[string(id)].at(lastDay))})
		}
	}
	return list
}

func (d draw) lines() (list []Line) {
	for range rapid.IntRange(1, 3).Draw(d.t, "lines") {
		s := rapid.SampledFrom([]sale{std("0"), std("0"), red("0"), {NonTaxable, 0, "0", false}}).Draw(d.t, "rate")
		quantity := rapid.Int64Range(1, 4).Draw(d.t, "quantity")
		if d.chance(8) {
			quantity = -1
		}
		list = append(list, Line{
			Description: "x", Quantity: domain.DecimalOf(quantity),
			UnitPrice: domain.DecimalOf(rapid.Int64Range(1, 700).Draw(d.t, "price")), Category: s.category, Rate: s.rate, TaxIncluded: d.chance(2),
		})
	}
	return list
}

func (d draw) invoice() Command {
	c := IssueInvoice{Key: acme, Invoice: domain.InvoiceID(d.new("A")), IssuedOn: d.day()}
	if d.chance(15) {
		c.Invoice = d.item()
	}
	if c.DueOn = c.IssuedOn.AddDays(rapid.IntRange(0, 10).Draw(d.t, "terms")); d.chance(3) {
		c.Total = yen(rapid.Int64Range(0, 2000).Draw(d.t, "total"))
	} else {
		c.Lines = d.lines()
	}
	return c
}
