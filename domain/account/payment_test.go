package account

import (
	"testing"

	"github.com/urikake/urikake/domain"
)

func pay(id domain.PaymentID, day string, amount int64, allocations ...Allocation) RecordPayment {
	return RecordPayment{Key: acme, Payment: id, ReceivedOn: on(day), Amount: yen(amount), Allocations: allocations}
}

func by(basis Basis, e PaymentRecorded) PaymentRecorded {
	e.Basis = basis
	return e
}

func TestRecordPayment(t *testing.T) {
	b := books(t, issued("A", "09-01", "09-30", 1000), issued("B", "09-02", "09-30", 500), issued("C", "10-10", "10-12", 300))
	t.Run("given", func(t *testing.T) {
		b.then(pay("P1", "10-05", 400, to("B", 100), to("A", 300)), by(ByDebtor, paid("P1", "10-05", 400, to("B", 100), to("A", 300))))
		b.want(t, "A", b.open("A", "10-05"), 700)
		b.want(t, "A, the day before", b.open("A", "10-04"), 1000)
	})
	t.Run("none", func(t *testing.T) {
		c := pay("P2", "10-05", 50)
		c.Allocate, c.Method, c.Reference, c.Payer = Nothing, "TRANSFER", "778", "カ)アクメ"
		e := paid("P2", "10-05", 50)
		e.Method, e.Reference, e.Payer = c.Method, c.Reference, c.Payer
		b.then(c, e)
	})
	t.Run("oldest due first", func(t *testing.T) { // C is due later, and was not yet issued on that day
		b.then(pay("P3", "10-05", 900), by(ByAgreement, paid("P3", "10-05", 900, to("A", 700), to("B", 200))))
	})
	t.Run("overpaid", func(t *testing.T) {
		b.then(pay("P4", "10-20", 1000), by(ByAgreement, paid("P4", "10-20", 1000, to("B", 200), to("C", 300))))
		b.want(t, "unapplied", b.State().payments.get("P4").unapplied, 500)
		b.want(t, "balance", b.State().Balance(), -550)
	})
	t.Run("nothing open", func(t *testing.T) {
		c := pay("P5", "10-21", 10)
		c.Allocate = OldestDue
		b.then(c, paid("P5", "10-21", 10))
	})
	b.refusedAt(pay("P1", "10-22", 1), ErrRepeatedID, "/payment")
	b.refusedAt(pay("P6", "10-22", 1, to("Z", 1)), ErrUnknownItem, "/allocations/0/invoice")
	b.refusedAt(pay("P6", "10-22", 1, to("A", 1)), ErrExceedsOpen, "/allocations/0/amount")
	b.Given(issued("D", "10-20", "11-30", 100), issued("E", "10-20", "11-30", 100))
	b.refusedAt(pay("P6", "10-22", 150, to("D", 100), to("E", 51)), ErrOverAllocated, "/allocations/1/amount")
	b.refusedAt(pay("P6", "10-19", 150, to("D", 100)), ErrBeforeIssue, "/allocations/0")
}

// What becomes known late may not make any later day negative.
func TestBackdatedPayments(t *testing.T) {
	b := books(t, issued("A", "09-01", "09-30", 1000))
	b.then(pay("P1", "10-20", 800, to("A", 800)), by(ByDebtor, paid("P1", "10-20", 800, to("A", 800))))
	b.refusedAt(pay("P2", "10-05", 1000, to("A", 201)), ErrExceedsOpen, "/allocations/0/amount")
	b.then(pay("P2", "10-05", 1000), by(ByAgreement, paid("P2", "10-05", 1000, to("A", 200))))
	b.want(t, "A on 10-05", b.open("A", "10-05"), 800)
	b.want(t, "A on 10-20", b.open("A", "10-20"), 0)

	// unapplied on a day, and applied again from an earlier one: only what was free on all the days between
	b.then(UnapplyPayment{Key: acme, Payment: "P1", UnapplyOn: on("10-25"), Reason: "typo"},
		PaymentUnapplied{"P1", on("10-25"), list(to("A", 800)), "typo"})
	b.refusedAt(ApplyPayment{Key: acme, Payment: "P1", ApplyOn: on("10-22"), Allocations: list(to("A", 1))}, ErrExceedsOpen, "/allocations/0/amount")
	b.Given(issued("B", "09-01", "12-31", 5000))
	b.refusedAt(ApplyPayment{Key: acme, Payment: "P1", ApplyOn: on("10-22"), Allocations: list(to("B", 1))}, ErrOverAllocated, "/allocations/0/amount")
	b.refusedAt(ApplyPayment{Key: acme, Payment: "P2", ApplyOn: on("10-04"), Allocations: list(to("B", 1))}, ErrBeforeIssue, "/on")
	b.then(ApplyPayment{Key: acme, Payment: "P2", ApplyOn: on("10-06")},
		PaymentApplied{"P2", on("10-06"), list(to("B", 800)), ByAgreement}) // A is full in between
	b.then(ApplyPayment{Key: acme, Payment: "P1", ApplyOn: on("10-25"), Allocations: list(to("A", 300)), Basis: ByStatute},
		PaymentApplied{"P1", on("10-25"), list(to("A", 300)), ByStatute})
	b.want(t, "A on 10-24", b.open("A", "10-24"), 0)
	b.want(t, "A on 10-25", b.open("A", "10-25"), 500)
}

func TestApplyAndUnapplyPayment(t *testing.T) {
	b := books(t, issued("A", "09-01", "09-30", 1000), issued("B", "09-01", "10-31", 1000), paid("P", "10-01", 1500))
	b.then(ApplyPayment{Key: acme, Payment: "P", ApplyOn: on("10-02"), Allocations: list(to("B", 600))},
		PaymentApplied{"P", on("10-02"), list(to("B", 600)), ByCreditor})
	b.then(ApplyPayment{Key: acme, Payment: "P", ApplyOn: on("10-03")},
		PaymentApplied{"P", on("10-03"), list(to("A", 900)), ByAgreement})
	b.refusedAt(ApplyPayment{Key: acme, Payment: "P", ApplyOn: on("10-04")}, ErrNothingToApply, "/allocations")
	b.refusedAt(ApplyPayment{Key: acme, Payment: "Z", ApplyOn: on("10-04")}, ErrUnknownPayment, "/payment")

	un := UnapplyPayment{Key: acme, Payment: "P", UnapplyOn: on("10-10"), Allocations: list(to("A", 901)), Reason: "typo"}
	b.refusedAt(un, ErrNotApplied, "/allocations/0")
	un.Allocations = list(to("A", 500))
	un.UnapplyOn = on("10-02")
	b.refusedAt(un, ErrBeforeApplied, "/on")
	un.UnapplyOn = on("10-10")
	b.then(un, PaymentUnapplied{"P", on("10-10"), list(to("A", 500)), "typo"})
	un.UnapplyOn = on("10-03") // the rest of it may be taken back from an earlier day on
	un.Allocations = list(to("A", 400))
	b.then(un, PaymentUnapplied{"P", on("10-03"), list(to("A", 400)), "typo"})
	b.then(UnapplyPayment{Key: acme, Payment: "P", UnapplyOn: on("10-11"), Reason: "all"},
		PaymentUnapplied{"P", on("10-11"), list(to("B", 600)), "all"})
	b.refusedAt(UnapplyPayment{Key: acme, Payment: "P", UnapplyOn: on("10-11"), Reason: "all"}, ErrNotApplied, "/allocations")
	b.refusedAt(UnapplyPayment{Key: acme, Payment: "Z", UnapplyOn: on("10-11"), Reason: "all"}, ErrUnknownPayment, "/payment")
	b.want(t, "unapplied", b.State().payments.get("P").unapplied, 1500)
	b.want(t, "A on 10-05", b.open("A", "10-05"), 500)
}

// A bounced payment opens what it settled under the original due dates, which decide what the next money settles.
func TestReversePayment(t *testing.T) {
	b := books(t, issued("A", "09-01", "09-30", 1000), issued("B", "09-01", "10-31", 1000), paid("P", "10-01", 1300, to("A", 1000), to("B", 200)))
	reverse := ReversePayment{Key: acme, Payment: "P", ReverseOn: on("09-30"), Reason: "R01"}
	b.refusedAt(reverse, ErrBeforeApplied, "/on")
	reverse.ReverseOn = on("10-05")
	b.then(reverse, PaymentReversed{"P", on("10-05"), yen(1300), list(to("A", 1000), to("B", 200)), "R01"})
	b.want(t, "A on 10-04", b.open("A", "10-04"), 0)
	b.want(t, "A on 10-05", b.open("A", "10-05"), 1000)
	b.want(t, "balance", b.State().Balance(), 2000)
	b.refusedAt(reverse, ErrAlreadyReversed, "/payment")
	b.refusedAt(ApplyPayment{Key: acme, Payment: "P", ApplyOn: on("10-06"), Allocations: list(to("A", 1))}, ErrOverAllocated, "/allocations/0/amount")
	reverse.Payment = "Z"
	b.refusedAt(reverse, ErrUnknownPayment, "/payment")
	b.then(pay("P2", "10-06", 1100), by(ByAgreement, paid("P2", "10-06", 1100, to("A", 1000), to("B", 100))))

	b = books(t, paid("P", "10-01", 500), RefundIssued{Refund: "R", Payment: "P", RefundOn: on("10-02"), Amount: yen(1)})
	b.refusedAt(ReversePayment{Key: acme, Payment: "P", ReverseOn: on("10-05"), Reason: "R01"}, ErrPartlyRefunded, "/payment")
	b = books(t, paid("P", "10-01", 500), DifferenceSettled{Payment: "P", SettleOn: on("10-02"), Amount: yen(1), Reason: RoundingError})
	b.refusedAt(ReversePayment{Key: acme, Payment: "P", ReverseOn: on("10-05"), Reason: "R01"}, ErrPartlyRefunded, "/payment")
}

func TestIssueRefund(t *testing.T) {
	b := books(t, paid("P", "10-01", 500), noted("CN", "10-01", "", 300))
	refund := IssueRefund{Key: acme, Refund: "R1", Payment: "P", RefundOn: on("10-02"), Amount: yen(200), Reference: "1", Reason: "asked"}
	b.then(refund, RefundIssued{"R1", "P", "", on("10-02"), yen(200), "1", "asked"})
	b.refusedAt(refund, ErrRepeatedID, "/refund")
	refund.Refund, refund.Amount = "R2", yen(301)
	b.refusedAt(refund, ErrExceedsUnapplied, "/amount")
	refund.Amount, refund.RefundOn = yen(1), on("09-30")
	b.refusedAt(refund, ErrExceedsUnapplied, "/amount")
	refund.Payment = "Z"
	b.refusedAt(refund, ErrUnknownPayment, "/payment")
	refund.Payment, refund.Credit = "", "Z"
	b.refusedAt(refund, ErrUnknownCredit, "/credit")
	refund.Credit, refund.RefundOn, refund.Amount = "CN", on("10-03"), yen(300)
	b.then(refund, RefundIssued{"R2", "", "CN", on("10-03"), yen(300), "1", "asked"})
	b.want(t, "balance", b.State().Balance(), -300)
}
