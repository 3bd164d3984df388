package account

import (
	"fmt"
	"math"
	"testing"

	"github.com/urikake/urikake/domain"
)

const most = domain.MinorMax

// At the edge of the range everything is exact or refused; nothing wraps.
func TestBalanceStaysInRange(t *testing.T) {
	b := books(t, issued("A", "10-01", "10-31", most-10))
	b.refusedAt(IssueInvoice{Key: acme, Invoice: "B", IssuedOn: on("10-01"), Total: yen(math.MaxInt64)}, domain.ErrOutOfRange, "/total")
	b.refused(IssueInvoice{Key: acme, Invoice: "B", IssuedOn: on("10-01"), Total: yen(11)}, ErrBalanceTooLarge)
	b.refused(AssessLateCharge{Key: acme, Charge: "L", Invoice: "A", Rate: 14_60, To: on("11-30"), AssessedOn: on("11-30")}, ErrBalanceTooLarge)
	b.refused(AssessLateCharge{Key: acme, Charge: "L", Invoice: "A", Rate: 10 * domain.RateWhole, To: on("2999-12-31"), AssessedOn: on("2999-12-31")}, domain.ErrOutOfRange)
	b.then(pay("P", "11-01", most), by(ByAgreement, paid("P", "11-01", most, to("A", most-10))))
	b.Given(issued("C", "11-02", "11-30", most))
	b.refused(ReversePayment{Key: acme, Payment: "P", ReverseOn: on("11-03"), Reason: "x"}, ErrBalanceTooLarge)
	b.refused(UnapplyPayment{Key: acme, Payment: "P", UnapplyOn: on("11-03"), Reason: "x"}, ErrBalanceTooLarge)

	b = books(t, paid("P", "10-01", most-10))
	b.refused(pay("Q", "10-01", 11), ErrBalanceTooLarge)
	b.refused(IssueCreditNote{Key: acme, Credit: "CN", IssuedOn: on("10-01"), Reason: Goodwill, Total: yen(11)}, ErrBalanceTooLarge)
	b.then(IssueCreditNote{Key: acme, Credit: "CN", IssuedOn: on("10-01"), Reason: Goodwill, Total: yen(10)},
		CreditNoteIssued{Credit: "CN", Number: "N-1", IssuedOn: on("10-01"), Reason: Goodwill, Total: yen(10)})
	b = books(t, issued("A", "10-01", "10-31", 5), noted("CN", "10-02", "", most, to("A", 5)), paid("P", "10-02", 5))
	b.refused(UnapplyCredit{Key: acme, Credit: "CN", UnapplyOn: on("10-03"), Reason: "x"}, ErrBalanceTooLarge)
}

func TestDocumentsStayInRange(t *testing.T) {
	big := func(quantity, price string, in bool) Line {
		return Line{Description: "x", Quantity: number(quantity), UnitPrice: number(price), Category: Standard, Rate: 10_00, TaxIncluded: in}
	}
	const nines = "999999999999999"
	many := make([]Line, LinesMax)
	for i := range many {
		many[i] = big("9", nines, i%2 == 0)
	}
	apart := make([]Line, LinesMax) // each at a rate of its own, so that each row is in range
	for i := range apart {
		apart[i] = big("9", nines, false)
		apart[i].Rate = domain.Rate(i)
	}
	for name, lines := range map[string][]Line{
		"one line":            {big(nines, nines, false)},
		"tax beyond":          {big("9", nines, false)},
		"sum":                 {big("9", nines, true), big("9", nines, true)},
		"negative":            {big("-9", nines, false), big("-9", nines, true)},
		"a thousand, mixed":   many,
		"a thousand, by rate": apart,
	} {
		t.Run(name, func(t *testing.T) {
			b := books(t)
			b.refused(IssueInvoice{Key: acme, Invoice: "A", IssuedOn: on("10-01"), Lines: lines}, domain.ErrOutOfRange)
			if name != "negative" {
				b.refused(IssueCreditNote{Key: acme, Credit: "CN", IssuedOn: on("10-01"), Reason: Return, Lines: lines}, domain.ErrOutOfRange)
			}
		})
	}
	books(t).then(IssueInvoice{Key: acme, Invoice: "A", IssuedOn: on("10-01"), Lines: []Line{big("1", "900000000000000", true)}},
		InvoiceIssued{
			Invoice: "A", Number: "N-1", IssuedOn: on("10-01"), DueOn: on("10-31"), Lines: []Line{big("1", "900000000000000", true)},
			Taxes: []Tax{included(Standard, 10_00, 818_181_818_181_819, 81_818_181_818_181)}, Rounding: domain.RoundDown, Total: yen(900_000_000_000_000),
		})
}

// Shares of the largest amounts are exact: their parts add up and none is beyond its row.
func TestShareOfTheLargest(t *testing.T) {
	rows := []Tax{row(Standard, 10_00, most/2, most/20), row(Reduced, 8_00, most/4, most/50), row(NonTaxable, 0, 1, 0), row(Old5, 5_00, -7, 0)}
	var whole int64
	for _, t := range rows[:3] {
		whole += t.gross()
	}
	for _, amount := range []int64{0, 1, 2, 3, most / 7, whole - 1, whole} {
		var sum int64
		for _, part := range share(rows, amount, "JPY") {
			sum += part.gross()
			for _, of := range rows {
				if of.key() == part.key() && part.gross() > of.gross() {
					t.Errorf("%d: %+v is more than %+v", amount, part, of)
				}
			}
		}
		if sum != amount {
			t.Errorf("%d: shares add up to %d", amount, sum)
		}
	}
	if share(rows, whole+1, "JPY") != nil {
		t.Error("more than there is was shared")
	}
}

// One payment settles at most AllocationsMax invoices at once, the oldest; the rest of it is applied by a second step.
func TestOldestFirstIsBounded(t *testing.T) {
	s := Decider.New()
	for i := range AllocationsMax + 5 {
		s = Decider.Evolve(s, issued(domain.InvoiceID(fmt.Sprintf("A%05d", i)), "10-01", "10-31", 1))
	}
	events, err := Decider.Decide(s, Request{Command: pay("P", "10-05", AllocationsMax+5), Parties: usual})
	if err != nil {
		t.Fatal(err)
	}
	s = Decider.Evolve(s, events[0])
	if n := len(events[0].(PaymentRecorded).Allocations); n != AllocationsMax || s.Balance() != 0 || s.unappliedTotal != 5 {
		t.Errorf("%d allocations, %d unapplied", n, s.unappliedTotal)
	}
	events, err = Decider.Decide(s, Request{Command: ApplyPayment{Key: acme, Payment: "P", ApplyOn: on("10-05")}, Parties: usual})
	if err != nil || len(events[0].(PaymentApplied).Allocations) != 5 {
		t.Errorf("%v %v", events, err)
	}
}
