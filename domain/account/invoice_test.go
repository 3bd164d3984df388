package account

import (
	"testing"

	"github.com/urikake/urikake/domain"
)

func TestIssueInvoice(t *testing.T) {
	lines := []Line{
		{Description: "work", Quantity: number("10"), UnitPrice: number("10000"), Category: Standard, Rate: 10_00},
		{
			Description: "tea", Quantity: number("3"), UnitPrice: number("1000.4"), Discount: number("1"), Category: Reduced, Rate: 8_00,
			Period: domain.Period{From: on("09-01"), To: on("09-30")},
		},
	}
	b := books(t).then(
		IssueInvoice{Key: acme, Invoice: "A", Number: "INV-1", IssuedOn: on("10-01"), DueOn: on("11-30"), Lines: lines, Reference: "PO 7", Note: "thanks"},
		InvoiceIssued{
			Invoice: "A", Number: "INV-1", IssuedOn: on("10-01"), DueOn: on("11-30"), Lines: lines, Reference: "PO 7", Note: "thanks",
			Taxes: []Tax{row(Standard, 10_00, 100_000, 10_000), row(Reduced, 8_00, 3_000, 240)}, Rounding: domain.RoundDown, Total: yen(113_240),
		},
	).then( // number and due date from the series and the terms
		IssueInvoice{Key: acme, Invoice: "B", IssuedOn: on("10-01"), Total: yen(5000)},
		InvoiceIssued{Invoice: "B", Number: "N-1", IssuedOn: on("10-01"), DueOn: on("10-31"), Total: yen(5000)},
	).then( // terms never make it due before its issue
		IssueInvoice{Key: acme, Invoice: "C", IssuedOn: on("11-15"), Total: yen(0)},
		InvoiceIssued{Invoice: "C", Number: "N-1", IssuedOn: on("11-15"), DueOn: on("11-15"), Total: yen(0)})
	b.want(t, "balance", b.State().Balance(), 118_240)
	b.refusedAt(IssueInvoice{Key: acme, Invoice: "A", IssuedOn: on("10-01"), Total: yen(1)}, ErrRepeatedID, "/invoice")
	b.refusedAt(IssueInvoice{Key: acme, Invoice: "D", IssuedOn: on("10-01"), Lines: []Line{
		{Description: "return", Quantity: number("-1"), UnitPrice: number("1"), Category: Standard, Rate: 10_00},
	}}, ErrNegativeTotal, "/lines")
	b.parties.DueOn = domain.Date{}
	b.refusedAt(IssueInvoice{Key: acme, Invoice: "D", IssuedOn: on("10-01"), Total: yen(1)}, ErrNoDueDate, "/due_on")
	b.parties = usual
	b.parties.Number = ""
	b.refused(IssueInvoice{Key: acme, Invoice: "D", IssuedOn: on("10-01"), Total: yen(1)}, ErrNoNumber)
	b.refused(IssueCreditNote{Key: acme, Credit: "CN", IssuedOn: on("10-01"), Reason: Goodwill, Total: yen(1)}, ErrNoNumber)
}

// After a clean-up took a number back, whoever took it before may not use it; whoever takes it again may.
func TestForfeitedNumber(t *testing.T) {
	b := books(t)
	b.then(ForfeitNumber{Key: acme, Number: "N-1", Token: 7, ForfeitOn: on("10-01")}, NumberForfeited{"N-1", 7, on("10-01")})
	issue := IssueInvoice{Key: acme, Invoice: "A", IssuedOn: on("10-01"), Total: yen(1)}
	b.refused(issue, ErrNumberForfeited)
	b.refused(IssueCreditNote{Key: acme, Credit: "CN", IssuedOn: on("10-01"), Reason: Goodwill, Total: yen(1)}, ErrNumberForfeited)
	b.parties.Token = 8
	b.then(issue, InvoiceIssued{Invoice: "A", Number: "N-1", IssuedOn: on("10-01"), DueOn: on("10-31"), Total: yen(1)})

	fresh := books(t)
	fresh.parties.Earlier = []*State{b.State()}
	fresh.refused(IssueInvoice{Key: acme, Invoice: "B", IssuedOn: on("10-01"), Total: yen(1)}, ErrNumberForfeited)
}

func TestVoidInvoice(t *testing.T) {
	void := VoidInvoice{Key: acme, Invoice: "A", VoidOn: on("10-20"), Reason: "wrong customer"}
	start := InvoiceIssued{
		Invoice: "A", Number: "1", IssuedOn: on("10-01"), DueOn: on("10-31"), Total: yen(1100),
		Taxes: []Tax{row(Standard, 10_00, 1000, 100)},
	}
	b := books(t, start).then(void, InvoiceVoided{Invoice: "A", VoidOn: on("10-20"), Amount: yen(1100), Taxes: start.Taxes, Reason: "wrong customer"})
	b.want(t, "balance", b.State().Balance(), 0)
	b.want(t, "open the day before", b.open("A", "10-19"), 1100)
	b.want(t, "open on the day", b.open("A", "10-20"), 0)
	b.refusedAt(void, ErrSomethingSettled, "")
	b.refused(RecordPayment{Key: acme, Payment: "P", ReceivedOn: on("10-20"), Amount: yen(1), Allocations: list(to("A", 1))}, ErrExceedsOpen)
	b.refused(IssueCreditNote{Key: acme, Credit: "CN", IssuedOn: on("10-21"), Invoice: "A", Reason: Return, Total: yen(1)}, ErrBeyondInvoice)
	b.refused(AssessLateCharge{Key: acme, Charge: "L", Invoice: "A", Rate: 14_60, To: on("12-31"), AssessedOn: on("12-31")}, ErrNoLateCharge)

	books(t).refusedAt(void, ErrUnknownItem, "/invoice")
	early := void
	early.VoidOn = on("09-30")
	books(t, start).refusedAt(early, ErrBeforeIssue, "/on")
	books(t, issued("A", "10-01", "10-31", 0)).refusedAt(early, ErrBeforeIssue, "/on")

	for name, events := range map[string][]domain.Event{
		"paid":         {start, paid("P", "10-10", 1, to("A", 1))},
		"paid later":   {start, paid("P", "10-25", 1, to("A", 1))},
		"freed later":  {start, paid("P", "10-10", 1, to("A", 1)), PaymentUnapplied{"P", on("10-25"), list(to("A", 1)), "typo"}},
		"credited":     {start, noted("CN", "10-10", "A", 1, to("A", 1))},
		"credit freed": {start, noted("CN", "10-10", "A", 1, to("A", 1)), CreditUnapplied{"CN", on("10-11"), list(to("A", 1)), "typo"}},
		"disputed":     {start, DisputeOpened{"D", "A", on("10-10"), yen(1), Defective, ""}},
		"written off":  {start, WrittenOff{WriteOff: "W", Invoice: "A", WriteOffOn: on("10-10"), Amount: yen(1), Reason: "x", Approver: "y"}},
		"difference":   {start, DifferenceSettled{Invoice: "A", SettleOn: on("10-10"), Amount: yen(1), Reason: BankFee}},
	} {
		t.Run(name, func(t *testing.T) { books(t, events...).refused(void, ErrSomethingSettled) })
	}
	books(t, start, paid("P", "10-10", 1, to("A", 1)), PaymentUnapplied{"P", on("10-15"), list(to("A", 1)), "typo"}).
		then(void, InvoiceVoided{Invoice: "A", VoidOn: on("10-20"), Amount: yen(1100), Taxes: start.Taxes, Reason: "wrong customer"})
	books(t, start, LateChargeAssessed{Charge: "L", Number: "L", Invoice: "A", AssessedOn: on("12-01"), DueOn: on("12-01"), Amount: yen(5)}).
		refusedAt(VoidInvoice{Key: acme, Invoice: "L", VoidOn: on("12-02"), Reason: "x"}, ErrWaiveInstead, "/invoice")
}

func TestChangeDueDate(t *testing.T) {
	change := ChangeDueDate{Key: acme, Invoice: "A", DueOn: on("12-31"), ChangeOn: on("10-20"), Reason: "asked for time", By: "Sato"}
	b := books(t, issued("A", "10-01", "10-31", 100), issued("B", "10-01", "11-30", 100))
	b.then(change, DueDateChanged{"A", on("10-31"), on("12-31"), on("10-20"), "asked for time", "Sato"})
	b.refusedAt(change, ErrSameDueDate, "/due_on")
	b.then(RecordPayment{Key: acme, Payment: "P", ReceivedOn: on("10-25"), Amount: yen(150)}, // B comes first now
		PaymentRecorded{Payment: "P", ReceivedOn: on("10-25"), Amount: yen(150), Allocations: list(to("B", 100), to("A", 50)), Basis: ByAgreement})

	earlier := change
	earlier.DueOn, earlier.ChangeOn = on("11-15"), on("10-19")
	b.refusedAt(earlier, ErrDueChangedLater, "/on")
	earlier.ChangeOn = on("10-20")
	b.then(earlier, DueDateChanged{"A", on("12-31"), on("11-15"), on("10-20"), "asked for time", "Sato"})

	bad := change
	bad.DueOn = on("09-30")
	b.refusedAt(bad, ErrDueBeforeIssue, "/due_on")
	bad = change
	bad.ChangeOn = on("09-30")
	b.refusedAt(bad, ErrBeforeIssue, "/on")
	bad.Invoice = "Z"
	b.refusedAt(bad, ErrUnknownItem, "/invoice")
}
