package account

import "testing"

func TestDisputes(t *testing.T) {
	b := books(t, issued("A", "09-01", "09-30", 1000))
	open := OpenDispute{Key: acme, Dispute: "D1", Invoice: "A", OpenedOn: on("10-05"), Amount: yen(600), Reason: Defective, Note: "cracked"}
	b.then(open, DisputeOpened{"D1", "A", on("10-05"), yen(600), Defective, "cracked"})
	b.refusedAt(open, ErrRepeatedID, "/dispute")
	open.Dispute, open.Amount = "D2", yen(401)
	b.refusedAt(open, ErrExceedsOpen, "/amount")
	open.Amount = OpenDispute{}.Amount
	b.then(open, DisputeOpened{"D2", "A", on("10-05"), yen(400), Defective, "cracked"})
	open.Dispute = "D3"
	b.refusedAt(open, ErrExceedsOpen, "/amount")
	open.OpenedOn = on("08-31")
	b.refusedAt(open, ErrBeforeIssue, "/on")
	open.Invoice = "Z"
	b.refusedAt(open, ErrUnknownItem, "/invoice")
	b.want(t, "a dispute leaves the debt as it is", b.State().Balance(), 1000)

	resolve := ResolveDispute{Key: acme, Dispute: "D2", ResolvedOn: on("10-04"), Outcome: DisputeWithdrawn}
	b.refusedAt(resolve, ErrBeforeIssue, "/on")
	resolve.ResolvedOn = on("10-06")
	b.then(resolve, DisputeResolved{Dispute: "D2", Invoice: "A", ResolvedOn: on("10-06"), Amount: yen(400), Outcome: DisputeWithdrawn})
	b.refusedAt(resolve, ErrDisputeResolved, "/dispute")
	resolve.Dispute = "Z"
	b.refusedAt(resolve, ErrUnknownDispute, "/dispute")

	open = OpenDispute{Key: acme, Dispute: "D4", Invoice: "A", OpenedOn: on("10-07"), Amount: yen(100), Reason: WrongPrice}
	b.then(open, DisputeOpened{"D4", "A", on("10-07"), yen(100), WrongPrice, ""})
	b.then(ResolveDispute{Key: acme, Dispute: "D4", ResolvedOn: on("10-08"), Outcome: DisputeRejected, Note: "as agreed"},
		DisputeResolved{Dispute: "D4", Invoice: "A", ResolvedOn: on("10-08"), Amount: yen(100), Outcome: DisputeRejected, Note: "as agreed"})
}

func TestDisputeUpheld(t *testing.T) {
	start := InvoiceIssued{
		Invoice: "A", Number: "1", IssuedOn: on("09-01"), DueOn: on("09-30"), Total: yen(1100),
		Taxes: []Tax{row(Standard, 10_00, 1000, 100)},
	}
	b := books(t, start,
		DisputeOpened{"D1", "A", on("10-05"), yen(330), Defective, ""}, DisputeOpened{"D2", "A", on("10-05"), yen(220), Defective, ""})
	uphold := ResolveDispute{Key: acme, Dispute: "D1", ResolvedOn: on("10-10"), Outcome: DisputeUpheld, Credit: "CN1", Number: "CN-7", Note: "cracked"}
	b.then(uphold,
		CreditNoteIssued{
			Credit: "CN1", Number: "CN-7", IssuedOn: on("10-10"), Invoice: "A", Reason: Upheld, Total: yen(330),
			Taxes: []Tax{included(Standard, 10_00, 300, 30)}, Applied: list(to("A", 330)), Note: "cracked",
		},
		DisputeResolved{Dispute: "D1", Invoice: "A", ResolvedOn: on("10-10"), Amount: yen(330), Outcome: DisputeUpheld, Credit: "CN1", Note: "cracked"})
	uphold.Dispute = "D2"
	b.refusedAt(uphold, ErrRepeatedID, "/credit")
	uphold.Credit, uphold.Amount = "CN2", yen(221)
	b.refusedAt(uphold, ErrExceedsDispute, "/amount")

	// paid meanwhile: what is upheld becomes unapplied credit, and here only a part of it was
	b.Given(paid("P", "10-11", 770, to("A", 770)))
	uphold.Amount, uphold.ResolvedOn = yen(110), on("10-12")
	b.then(uphold,
		CreditNoteIssued{
			Credit: "CN2", Number: "CN-7", IssuedOn: on("10-12"), Invoice: "A", Reason: Upheld, Total: yen(110),
			Taxes: []Tax{included(Standard, 10_00, 100, 10)}, Note: "cracked",
		},
		DisputeResolved{Dispute: "D2", Invoice: "A", ResolvedOn: on("10-12"), Amount: yen(220), Outcome: DisputeUpheld, Credit: "CN2", Note: "cracked"})
	b.want(t, "balance", b.State().Balance(), -110)
	b.want(t, "in dispute", b.State().items.get("A").rare().disputed, 0)
}

// A credit note on a late charge says so: no sale is undone by it, and no tax.
func TestDisputedLateCharge(t *testing.T) {
	b := books(t, issued("A", "09-01", "09-30", 1000), LateChargeAssessed{Charge: "L", Number: "L", Invoice: "A", AssessedOn: on("12-01"), DueOn: on("12-01"), Amount: yen(25)},
		DisputeOpened{"D", "L", on("12-02"), yen(25), WrongAmount, ""})
	b.refusedAt(IssueCreditNote{Key: acme, Credit: "CN", IssuedOn: on("12-03"), Invoice: "L", Reason: Correction, Lines: []Line{
		{Description: "x", Quantity: number("1"), UnitPrice: number("20"), Category: Standard, Rate: 10_00},
	}}, ErrBeyondInvoice, "/lines")
	b.then(ResolveDispute{Key: acme, Dispute: "D", ResolvedOn: on("12-03"), Outcome: DisputeUpheld, Credit: "CN"},
		CreditNoteIssued{Credit: "CN", Number: "N-1", IssuedOn: on("12-03"), Invoice: "L", Reason: Upheld, Total: yen(25), Applied: list(to("L", 25)), Charge: true},
		DisputeResolved{Dispute: "D", Invoice: "L", ResolvedOn: on("12-03"), Amount: yen(25), Outcome: DisputeUpheld, Credit: "CN"})
}
