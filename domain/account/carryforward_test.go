package account

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/scenario"
)

// goOn carries a book forward and gives the book of the fresh stream.
func goOn(t testing.TB, b *book, day, into string) *book {
	t.Helper()
	s := b.State()
	b.then(CarryForward{Key: acme, CarryOn: on(day), Into: into},
		BalanceCarriedForward{on(day), into, on(day).AddDays(-KeepDays), yen(s.openTotal), yen(s.unappliedTotal)})
	from := acme.Stream()
	if s.period != "" {
		from += "." + s.period
	}
	fresh := books(t)
	fresh.parties = b.parties
	fresh.parties.Earlier = append([]*State{s}, b.parties.Earlier...)
	for _, part := range BroughtForward(s, from) {
		fresh.then(BringForward{Key: acme, Part: part}, part)
	}
	fresh.want(t, "balance carried", fresh.State().Balance(), s.Balance())
	if fresh.State().BroughtFrom() != from || s.CarriedInto() != into {
		t.Errorf("from %q, into %q", fresh.State().BroughtFrom(), s.CarriedInto())
	}
	return fresh
}

func TestCarryForward(t *testing.T) {
	b := books(t,
		issued("old", "2025-01-01", "2025-01-31", 100), paid("P-old", "2025-02-01", 100, to("old", 100)),
		issued("half", "2025-01-01", "2025-01-31", 1000), paid("P-half", "2025-03-01", 400, to("half", 400)),
		issued("late", "11-30", "12-20", 500), paid("P-late", "12-15", 700, to("late", 500)),
		noted("CN-old", "2025-02-01", "half", 100, to("half", 100)), noted("CN", "2025-02-01", "", 50),
		issued("lost", "2025-01-01", "2025-01-31", 90),
		WrittenOff{WriteOff: "W", Invoice: "lost", WriteOffOn: on("2025-06-01"), Amount: yen(90), Reason: "x", Approver: "y"},
		DisputeOpened{"D", "half", on("2025-04-01"), yen(200), Defective, ""},
		DisputeOpened{"D-old", "half", on("2025-04-01"), yen(100), Defective, ""},
		DisputeResolved{Dispute: "D-old", Invoice: "half", ResolvedOn: on("2025-05-01"), Amount: yen(100), Outcome: DisputeRejected},
		RefundIssued{Refund: "R", Credit: "CN", RefundOn: on("2025-03-01"), Amount: yen(10)},
		WriteOffRecovered{Recovery: "V", WriteOff: "W", Invoice: "lost", RecoverOn: on("2025-07-01"), Amount: yen(5)})
	fresh := goOn(t, b, "12-31", "2027")
	b.refused(pay("P9", "12-31", 1), ErrCarriedForward)
	b.refused(CarryForward{Key: acme, CarryOn: on("12-31"), Into: "2028"}, ErrCarriedForward)
	fresh.refused(BringForward{Key: acme, Part: BroughtForward(b.State(), acme.Stream())[0]}, ErrSamePeriod)

	fresh.want(t, "half as of a day long before", fresh.open("half", "2025-02-15"), 900)
	if s := fresh.State(); !s.Issued("half") || !s.Issued("late") || !s.Issued("lost") || s.Issued("old") {
		t.Error("what is open, what moved lately and what is not recovered goes along, and nothing else")
	}

	// ids are the account's own for ever
	fresh.refusedAt(IssueInvoice{Key: acme, Invoice: "old", IssuedOn: on("12-31"), Total: yen(1)}, ErrRepeatedID, "/invoice")
	fresh.refusedAt(AssessLateCharge{Key: acme, Charge: "old", Invoice: "half", Rate: 14_60, To: on("12-31"), AssessedOn: on("12-31")}, ErrRepeatedID, "/charge")
	fresh.refusedAt(pay("P-old", "12-31", 1), ErrRepeatedID, "/payment")
	fresh.refusedAt(IssueCreditNote{Key: acme, Credit: "CN-old", IssuedOn: on("12-31"), Reason: Return, Total: yen(1)}, ErrRepeatedID, "/credit")
	fresh.refusedAt(IssueRefund{Key: acme, Refund: "R", Payment: "P-late", RefundOn: on("12-31"), Amount: yen(1)}, ErrRepeatedID, "/refund")
	fresh.refusedAt(WriteOff{Key: acme, WriteOff: "W", Invoice: "half", WriteOffOn: on("12-31"), Amount: yen(1), Reason: "x", Approver: "y"}, ErrRepeatedID, "/write_off")
	fresh.refusedAt(RecoverWriteOff{Key: acme, Recovery: "V", WriteOff: "W", RecoverOn: on("12-31"), Amount: yen(1)}, ErrRepeatedID, "/recovery")
	fresh.refusedAt(OpenDispute{Key: acme, Dispute: "D-old", Invoice: "half", OpenedOn: on("12-31"), Reason: Defective}, ErrRepeatedID, "/dispute")

	// what stayed behind is unknown here, and the refusal says where it is
	for _, c := range []Command{
		VoidInvoice{Key: acme, Invoice: "old", VoidOn: on("12-31"), Reason: "x"},
		ReversePayment{Key: acme, Payment: "P-old", ReverseOn: on("12-31"), Reason: "x"},
		UnapplyCredit{Key: acme, Credit: "CN-old", UnapplyOn: on("12-31"), Reason: "x"},
		ResolveDispute{Key: acme, Dispute: "D-old", ResolvedOn: on("12-31"), Outcome: DisputeRejected},
	} {
		_, err := Decider.Decide(fresh.State(), fresh.request(c))
		var e *domain.Error
		if !errors.As(err, &e) || e.Code != domain.NotFound || !strings.Contains(e.Detail, "stays in "+acme.Stream()) || e.Field == "" {
			t.Errorf("%s: %v", c.Name(), err)
		}
	}

	// everything goes on: a bounced payment, a credit note, money for what was written off, the dispute
	fresh.then(ReversePayment{Key: acme, Payment: "P-late", ReverseOn: on("2027-01-10"), Reason: "R01"},
		PaymentReversed{"P-late", on("2027-01-10"), yen(700), list(to("late", 500)), "R01"})
	fresh.refused(IssueCreditNote{Key: acme, Credit: "CN2", IssuedOn: on("2027-01-10"), Invoice: "half", Reason: Return, Total: yen(901)}, ErrBeyondInvoice)
	fresh.then(IssueCreditNote{Key: acme, Credit: "CN2", IssuedOn: on("2027-01-10"), Invoice: "half", Reason: Return, Total: yen(900)},
		CreditNoteIssued{Credit: "CN2", Number: "N-1", IssuedOn: on("2027-01-10"), Invoice: "half", Reason: Return, Total: yen(900), Applied: list(to("half", 500))})
	fresh.refused(RecoverWriteOff{Key: acme, Recovery: "V2", WriteOff: "W", RecoverOn: on("2027-01-10"), Amount: yen(86)}, ErrExceedsWriteOff)
	fresh.then(ResolveDispute{Key: acme, Dispute: "D", ResolvedOn: on("2027-01-11"), Outcome: DisputeWithdrawn},
		DisputeResolved{Dispute: "D", Invoice: "half", ResolvedOn: on("2027-01-11"), Amount: yen(200), Outcome: DisputeWithdrawn})

	// and is carried on once more; no period comes twice
	fresh.refusedAt(CarryForward{Key: acme, CarryOn: on("2027-12-31"), Into: "2027"}, ErrSamePeriod, "/into")
	third := goOn(t, fresh, "2027-12-31", "2028")
	third.refusedAt(CarryForward{Key: acme, CarryOn: on("2028-12-31"), Into: "2027"}, ErrSamePeriod, "/into")
	third.refusedAt(IssueInvoice{Key: acme, Invoice: "old", IssuedOn: on("2028-01-01"), Total: yen(1)}, ErrRepeatedID, "/invoice")
}

// A day so early that 90 days before it lie outside the calendar still gives a fact that can be read again.
func TestCarryForwardEarly(t *testing.T) {
	books(t).then(CarryForward{Key: acme, CarryOn: on("1900-01-31"), Into: "X"},
		BalanceCarriedForward{on("1900-01-31"), "X", on("1900-01-01"), yen(0), yen(0)})
}

// A long account goes on in several events, each below the log's bound, and stands as it stood.
func TestCarryForwardInParts(t *testing.T) {
	s := Decider.New()
	const n = 1500
	for i := range n {
		id := domain.InvoiceID(fmt.Sprintf("A%05d", n-i))
		e := issued(id, "10-01", "10-31", 1100)
		e.Taxes = []Tax{row(Standard, 10_00, 1000, 100)}
		s = Decider.Evolve(s, e)
		if i%3 == 0 {
			s = Decider.Evolve(s, paid(domain.PaymentID(id), "10-05", 1200, to(id, 700)))
		}
	}
	s = Decider.Evolve(s, BalanceCarriedForward{on("12-31"), "2027", on("10-02"), yen(s.openTotal), yen(s.unappliedTotal)})
	parts := BroughtForward(s, acme.Stream())
	if len(parts) < 3 {
		t.Fatalf("%d parts", len(parts))
	}
	b := scenario.For(t, Decider, Events).Check(func(s *State) error { return nil })
	request := func(c Command) Request { return Request{Command: c, Parties: usual} }
	for i, e := range parts {
		if data, _ := json.Marshal(e); len(data) > 1<<20 {
			t.Errorf("part %d has %d bytes", i, len(data))
		}
		if e.Part != i+1 || e.Parts != len(parts) {
			t.Errorf("part %d says it is %d of %d", i, e.Part, e.Parts)
		}
		if i > 0 { // half of it is there: nothing is decided on that, and the parts come in order
			if brought, all := b.State().Brought(); brought != i || all {
				t.Errorf("%d parts are there, all %v", brought, all)
			}
			for _, c := range []Command{pay("P", "12-31", 1), CarryForward{Key: acme, CarryOn: on("12-31"), Into: "2028"}} {
				if _, err := Decider.Decide(b.State(), request(c)); !errors.Is(err, ErrCarriedForward) {
					t.Errorf("%s after part %d: %v", c.Name(), i, err)
				}
			}
			for _, wrong := range []int{0, i - 1, min(i+1, len(parts)-1)} {
				if _, err := Decider.Decide(b.State(), request(BringForward{acme, parts[wrong]})); wrong != i && !errors.Is(err, ErrSamePeriod) {
					t.Errorf("part %d after part %d: %v", wrong+1, i, err)
				}
			}
			data, err := b.State().Snapshot()
			restored, err2 := Restore(data)
			if err != nil || err2 != nil || restored.brought != i || restored.parts != len(parts) {
				t.Errorf("a snapshot says %d of %d parts; %v, %v", restored.brought, restored.parts, err, err2)
			}
		}
		b.Given(e)
	}
	if _, all := b.State().Brought(); !all {
		t.Error("a part is missing")
	}
	if _, err := Decider.Decide(b.State(), request(pay("P", "12-31", 1))); err != nil {
		t.Error(err)
	}
	if err := b.State().CheckInvariants(); err != nil {
		t.Fatal(err)
	}
	again := BroughtForward(carried(b.State(), s.carried), acme.Stream())
	if len(again) != len(parts) || b.State().Balance() != s.Balance() {
		t.Fatalf("%d parts became %d, a balance of %d became %d", len(parts), len(again), s.Balance(), b.State().Balance())
	}
	first, second := record(t, s), record(t, b.State())
	if first != second {
		t.Errorf("the records differ:\n%.500s\n%.500s", first, second)
	}
}

func carried(s *State, e BalanceCarriedForward) *State {
	e.apply(s)
	return s
}

func record(t testing.TB, s *State) string {
	t.Helper()
	data, err := json.Marshal(s.records(func(domain.Date, bool) bool { return true }))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A record is never split: what would not fit one event is refused while the account is still open, and everything else
// fits, however heavy records and full parts meet.
func TestPartsFitTheLog(t *testing.T) {
	const name = "-1234567890123456789012345678901234567890123456789012345"
	id := func(prefix string, i int) string { return fmt.Sprintf("%s%08d%s", prefix, i, name) }
	state := func(applications int) *State {
		s := Decider.New()
		big := fund{on: on("01-01"), amount: most, unapplied: most - int64(applications), moves: timeline{{on("01-01"), most}}}
		for i := range applications {
			it := &item{id: domain.InvoiceID(id("i", i)), issuedOn: on("01-01"), dueOn: on("01-01"), total: most, settled: 1}
			it.rarely = &rarely{credited: most - 1}
			s.items.put(it.id, it)
			big.applied = append(big.applied, application{it.id, 1, on("01-01")})
		}
		big.moves.add(on("01-02"), -int64(applications))
		s.payments.put(domain.PaymentID(id("p", 0)), &big)
		for i := range PartMax - 10 {
			s.payments.put(domain.PaymentID(id("a", i)), &fund{on: on("01-01"), amount: most, unapplied: most, moves: timeline{{on("01-01"), most}}})
		}
		return s
	}
	carry := Request{Command: CarryForward{Key: acme, CarryOn: on("12-31"), Into: "2027"}, Parties: usual}
	s := state(RecordMax - 3)
	events, err := Decider.Decide(s, carry)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range BroughtForward(Decider.Evolve(s, events[0]), acme.Stream()) {
		if data, err := json.Marshal(e); err != nil || len(data) > 1_040_000 {
			t.Errorf("part %d has %d bytes, %v", e.Part, len(data), err)
		}
	}
	proven[ErrTooMuchToCarry.Rule] = true
	if _, err := Decider.Decide(state(RecordMax), carry); !errors.Is(err, ErrTooMuchToCarry) {
		t.Error(err)
	}
}
