package account

import (
	"testing"

	"github.com/urikake/urikake/domain"
)

func segment(base int64, from, until string, charge int64) ChargeSegment {
	return ChargeSegment{yen(base), on(from), on(until), yen(charge)}
}

// The examples of a whole span: 1,000,000 at 14.6 % for 31 days, and the two day counts over a leap year.
func TestLateChargeOnTheWhole(t *testing.T) {
	b := books(t, issued("A", "08-31", "09-30", 1_000_000))
	b.then(AssessLateCharge{Key: acme, Charge: "L1", Invoice: "A", Rate: 14_60, To: on("10-31"), AssessedOn: on("11-02"), DueOn: on("11-30")},
		LateChargeAssessed{
			Charge: "L1", Number: "L1", Invoice: "A", Rate: 14_60, From: on("09-30"), To: on("10-31"), DayCount: domain.Act365,
			Segments: []ChargeSegment{segment(1_000_000, "09-30", "10-31", 12_400)}, AssessedOn: on("11-02"), DueOn: on("11-30"), Amount: yen(12_400),
		})
	b.want(t, "balance", b.State().Balance(), 1_012_400)
	for count, want := range map[domain.DayCount]int64{domain.Act365: 109_200, domain.CalendarYear: 108_901} {
		books(t, issued("A", "2027-12-01", "2027-12-31", 3_000_000)).
			then(AssessLateCharge{Key: acme, Charge: "L", Number: "LC-3", Invoice: "A", Rate: 14_60, To: on("2028-03-31"), AssessedOn: on("2028-03-31"), DayCount: count},
				LateChargeAssessed{
					Charge: "L", Number: "LC-3", Invoice: "A", Rate: 14_60, From: on("2027-12-31"), To: on("2028-03-31"), DayCount: count,
					Segments:   []ChargeSegment{segment(3_000_000, "2027-12-31", "2028-03-31", want)},
					AssessedOn: on("2028-03-31"), DueOn: on("2028-03-31"), Amount: yen(want),
				})
	}
}

// Principal first: 400,000 of 1,000,000 paid on 07-31 and the rest on 09-30 costs 12,400 + 14,640. The days after the
// last payment cost nothing, and no day is charged twice.
func TestLateChargeBySegments(t *testing.T) {
	b := books(t, issued("A", "06-01", "06-30", 1_000_000), paid("P1", "07-31", 400_000, to("A", 400_000)), paid("P2", "09-30", 600_000, to("A", 600_000)))
	c := AssessLateCharge{Key: acme, Charge: "L", Invoice: "A", Rate: 14_60, To: on("12-31"), AssessedOn: on("12-31")}
	b.then(c, LateChargeAssessed{
		Charge: "L", Number: "L", Invoice: "A", Rate: 14_60, From: on("06-30"), To: on("12-31"), DayCount: domain.Act365,
		Segments:   []ChargeSegment{segment(1_000_000, "06-30", "07-31", 12_400), segment(600_000, "07-31", "09-30", 14_640)},
		AssessedOn: on("12-31"), DueOn: on("12-31"), Amount: yen(27_040),
	})
	c.Charge, c.From = "L2", on("12-30")
	b.refusedAt(c, ErrChargedAlready, "/from")
	c.From = domain.Date{}
	b.refused(c, ErrNoLateCharge)
	c.From = on("06-29")
	b.refusedAt(c, ErrBeforeIssue, "/from")
	c.Charge = "L"
	b.refusedAt(c, ErrRepeatedID, "/charge")
	c.Charge, c.Invoice = "L2", "L"
	b.refusedAt(c, ErrChargeOnCharge, "/invoice")
	c.Invoice = "Z"
	b.refusedAt(c, ErrUnknownItem, "/invoice")
}

// Charged month by month, each day once; a bounced payment counts again from the day on which it bounced; a day on
// which money came and went changes nothing and splits nothing.
func TestLateChargeAgain(t *testing.T) {
	b := books(t, issued("A", "06-01", "06-30", 1_000_000), paid("P", "07-10", 1_000_000, to("A", 1_000_000)),
		PaymentReversed{"P", on("07-20"), yen(1_000_000), list(to("A", 1_000_000)), "R01"},
		paid("Q", "08-10", 5, to("A", 5)), PaymentUnapplied{"Q", on("08-10"), list(to("A", 5)), "typo"})
	b.then(AssessLateCharge{Key: acme, Charge: "L1", Invoice: "A", Rate: 14_60, To: on("07-31"), AssessedOn: on("07-31")},
		LateChargeAssessed{
			Charge: "L1", Number: "L1", Invoice: "A", Rate: 14_60, From: on("06-30"), To: on("07-31"), DayCount: domain.Act365,
			Segments:   []ChargeSegment{segment(1_000_000, "06-30", "07-10", 4_000), segment(1_000_000, "07-20", "07-31", 4_400)},
			AssessedOn: on("07-31"), DueOn: on("07-31"), Amount: yen(8_400),
		})
	b.then(AssessLateCharge{Key: acme, Charge: "L2", Invoice: "A", Rate: 14_60, To: on("08-31"), AssessedOn: on("08-31")},
		LateChargeAssessed{
			Charge: "L2", Number: "L2", Invoice: "A", Rate: 14_60, From: on("07-31"), To: on("08-31"), DayCount: domain.Act365,
			Segments: []ChargeSegment{segment(1_000_000, "07-31", "08-31", 12_400)}, AssessedOn: on("08-31"), DueOn: on("08-31"), Amount: yen(12_400),
		})
	c := AssessLateCharge{Key: acme, Charge: "L3", Invoice: "A", Rate: 14_60, To: on("09-30"), AssessedOn: on("09-30"), Base: yen(1_000_001)}
	b.refusedAt(c, ErrExceedsOpen, "/base")
	c.Base = yen(365_000)
	b.then(c, LateChargeAssessed{
		Charge: "L3", Number: "L3", Invoice: "A", Rate: 14_60, From: on("08-31"), To: on("09-30"), DayCount: domain.Act365,
		Segments: []ChargeSegment{segment(365_000, "08-31", "09-30", 4_380)}, AssessedOn: on("09-30"), DueOn: on("09-30"), Amount: yen(4_380),
	})
	// money goes to the principal first, though the late charges are due earlier than none of it
	b.then(pay("R", "10-01", 1_000_001), by(ByAgreement, paid("R", "10-01", 1_000_001, to("A", 1_000_000), to("L1", 1))))
	books(t, issued("A", "06-01", "06-30", 100)).refused(
		AssessLateCharge{Key: acme, Charge: "L", Invoice: "A", Rate: 1, To: on("07-01"), AssessedOn: on("07-01")}, ErrNoLateCharge)
}

// A voided invoice was never owed.
func TestNoLateChargeOnVoided(t *testing.T) {
	books(t, issued("A", "06-01", "06-30", 1_000_000), InvoiceVoided{Invoice: "A", VoidOn: on("08-31"), Amount: yen(1_000_000), Reason: "x"}).
		refusedAt(AssessLateCharge{Key: acme, Charge: "L", Invoice: "A", Rate: 14_60, To: on("09-30"), AssessedOn: on("09-30")}, ErrNoLateCharge, "/invoice")
}

func TestWaiveLateCharge(t *testing.T) {
	b := books(t, issued("A", "06-01", "06-30", 1000),
		LateChargeAssessed{Charge: "L", Number: "L", Invoice: "A", From: on("06-30"), To: on("12-31"), AssessedOn: on("12-31"), DueOn: on("12-31"), Amount: yen(70)})
	c := WaiveLateCharge{Key: acme, Charge: "L", WaiveOn: on("2027-01-05"), Amount: yen(71), Reason: "goodwill", Approver: "Sato"}
	b.refusedAt(c, ErrExceedsOpen, "/amount")
	c.Amount = yen(20)
	b.then(c, LateChargeWaived{"L", on("2027-01-05"), yen(20), "goodwill", "Sato"})
	c.WaiveOn = on("12-30")
	b.refusedAt(c, ErrBeforeIssue, "/on")
	c.WaiveOn, c.Amount = on("2027-01-06"), domain.Money{}
	b.then(c, LateChargeWaived{"L", on("2027-01-06"), yen(50), "goodwill", "Sato"})
	b.refusedAt(c, ErrExceedsOpen, "/charge")
	b.want(t, "balance", b.State().Balance(), 1000)
	c.Charge = "A"
	b.refusedAt(c, ErrNotACharge, "/charge")
	c.Charge = "Z"
	b.refusedAt(c, ErrUnknownItem, "/charge")
	// waived days stay charged: they are not charged a second time
	b.refusedAt(AssessLateCharge{Key: acme, Charge: "L2", Invoice: "A", Rate: 14_60, From: on("06-30"), To: on("12-31"), AssessedOn: on("12-31")}, ErrChargedAlready, "/from")
}

// Charge first, as the law has it without an agreement (Civil Code 489): 12,400, then 14,942 on what is left, and 627,342
// in the end; principal first costs 12,400 + 14,640, see TestLateChargeBySegments.
func TestLateChargeInLegalOrder(t *testing.T) {
	b := books(t, issued("A", "06-01", "06-30", 1_000_000))
	assess := func(id domain.InvoiceID, base int64, from, day string, want int64) {
		b.then(AssessLateCharge{Key: acme, Charge: id, Invoice: "A", Rate: 14_60, To: on(day), AssessedOn: on(day)}, LateChargeAssessed{
			Charge: id, Number: string(id), Invoice: "A", Rate: 14_60, From: on(from), To: on(day), DayCount: domain.Act365,
			Segments: []ChargeSegment{segment(base, from, day, want)}, AssessedOn: on(day), DueOn: on(day), Amount: yen(want),
		})
	}
	assess("L1", 1_000_000, "06-30", "07-31", 12_400)
	first := pay("P", "07-31", 400_000, to("L1", 12_400), to("A", 387_600))
	first.Basis = ByStatute
	b.then(first, by(ByStatute, paid("P", "07-31", 400_000, to("L1", 12_400), to("A", 387_600))))
	assess("L2", 612_400, "07-31", "09-30", 14_942)
	b.want(t, "to pay in the end", b.State().Balance(), 627_342)
}

// Without a rate the contract's holds that held when the delay began, the day after the due date, with its day count and
// its cap; without a contract the law's.
func TestLateChargeByContract(t *testing.T) {
	contract := domain.LateContract{
		Customer: []domain.LateTerms{{From: on("10-01"), Rate: 18_25, DayCount: domain.Act365, Cap: domain.CapConsumer}},
		Seller:   []domain.LateTerms{{From: on("07-01"), Rate: 10_00, DayCount: domain.CalendarYear}},
	}
	for _, c := range []struct {
		due   string
		late  LateRules
		rate  domain.Rate
		count domain.DayCount
		want  int64
	}{
		{"06-29", contract.For, 3_00, domain.CalendarYear, 2_547}, // begins on 06-30, before all terms
		{"06-30", contract.For, 10_00, domain.CalendarYear, 8_493},
		{"09-29", contract.For, 10_00, domain.CalendarYear, 8_493},
		{"09-30", contract.For, 14_60, domain.Act365, 12_400},
		{"09-30", nil, 3_00, domain.CalendarYear, 2_547},
	} {
		due := on(c.due)
		b := books(t, InvoiceIssued{Invoice: "A", Number: "A", IssuedOn: on("06-01"), DueOn: due, Total: yen(1_000_000)})
		b.parties.Late = c.late
		to := due.AddDays(31)
		b.then(AssessLateCharge{Key: acme, Charge: "L", Invoice: "A", To: to, AssessedOn: to}, LateChargeAssessed{
			Charge: "L", Number: "L", Invoice: "A", Rate: c.rate, From: due, To: to, DayCount: c.count,
			Segments:   []ChargeSegment{{yen(1_000_000), due, to, yen(c.want)}},
			AssessedOn: to, DueOn: to, Amount: yen(c.want),
		})
	}
	b := books(t, issued("A", "2029-03-01", "2029-03-31", 1_000_000))
	b.refused(AssessLateCharge{Key: acme, Charge: "L", Invoice: "A", To: on("2029-04-30"), AssessedOn: on("2029-04-30")}, domain.ErrRateUnpublished)
	b.refusedAt(AssessLateCharge{Key: acme, Charge: "L", Invoice: "A", Rate: -1, To: on("2029-04-30"), AssessedOn: on("2029-04-30")}, domain.ErrBadRate, "/rate")
}
