package projections

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
)

// Each test is named after a defect that users of other systems reported.

func TestPaymentDatedLaterDoesNotReduceEarlierDays(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-10", "2026-02-10", 10000), pay("P1", "2026-03-05", 10000, to("I1", 10000)))
	b.expect("2026-03-04", 0, 10000, 0, 0, 0, 0, 10000, 0)
	b.expect("2026-03-05")
}

func TestAgedByBusinessDayNotByRecordingDay(t *testing.T) {
	b := newBooks(t) // everything is recorded in the first minutes of 2026-01-01
	b.do(issue("I1", "2026-01-10", "2026-02-10", 10000), pay("P1", "2026-02-20", 4000, to("I1", 4000)))
	b.expect("2026-02-20", 0, 6000, 0, 0, 0, 0, 6000, 0)
	b.expect("2026-04-20", 0, 0, 0, 6000, 0, 0, 6000, 0)
}

func TestSeveralPartialPaymentsAllCount(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-10", "2026-02-10", 10000))
	for _, p := range []string{"P1", "P2", "P3"} {
		b.do(pay(p, "2026-02-15", 1000, to("I1", 1000)))
	}
	b.do(pay("P4", "2026-03-01", 1000, to("I1", 1000)))
	b.expect("2026-02-28", 0, 7000, 0, 0, 0, 0, 7000, 0)
	b.expect("2026-03-01", 0, 6000, 0, 0, 0, 0, 6000, 0)
}

func TestResidualKeepsItsInvoicesBucket(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-01", "2026-01-31", 10000))
	b.do(pay("P1", "2026-01-05", 1500, to("I1", 1500)), pay("P2", "2026-02-05", 1000, to("I1", 1000)), pay("P3", "2026-03-05", 2000, to("I1", 2000)))
	b.expect("2026-03-10", 0, 0, 5500, 0, 0, 0, 5500, 0)
}

func TestCurrentIsNotMixedWithOverdue(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-01", "2026-03-31", 100), issue("I2", "2026-01-01", "2026-02-28", 20))
	b.expect("2026-03-01", 100, 20, 0, 0, 0, 0, 120, 0)
}

func TestDueTodayIsCurrentAndInTheTotal(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-01", "2026-01-31", 100))
	b.expect("2026-01-31", 100, 0, 0, 0, 0, 0, 100, 0)
	for asOf, bucket := range map[string]int{"2026-02-01": 1, "2026-03-02": 1, "2026-03-03": 2, "2026-04-01": 2, "2026-04-02": 3, "2026-05-01": 3, "2026-05-02": 4} {
		want := []int64{0, 0, 0, 0, 0, 0, 100, 0}
		want[bucket] = 100
		b.expect(asOf, want...)
	}
}

func TestIssuedAndDueTheSameDayDoesNotVanish(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-10", "2026-01-10", 100))
	b.expect("2026-01-09")
	b.expect("2026-01-10", 100, 0, 0, 0, 0, 0, 100, 0)
	b.expect("2026-01-11", 0, 100, 0, 0, 0, 0, 100, 0)
}

func TestFutureReportDayIsAgedByThatDay(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-10", "2026-02-10", 100))
	b.expect("2031-02-10", 0, 0, 0, 0, 100, 0, 100, 0)
	rows := b.aging("2031-02-10", func(q *AgingQuery) { q.GroupBy = PerInvoice })
	if rows[0].DaysOverdue != 1826 {
		t.Errorf("%d days overdue", rows[0].DaysOverdue)
	}
}

func TestNotYetDueIsNotOverdueByItsAbsoluteDays(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-10", "2026-06-30", 100))
	b.expect("2026-02-01", 100, 0, 0, 0, 0, 0, 100, 0)
	if row := b.aging("2026-02-01", func(q *AgingQuery) { q.GroupBy = PerInvoice })[0]; row.DaysOverdue != 0 {
		t.Errorf("%d days overdue", row.DaysOverdue)
	}
}

func TestUnappliedIsNotNettedIntoBuckets(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-10", "2026-02-10", 10000), pay("P1", "2026-02-01", 3000))
	b.expect("2026-02-11", 0, 10000, 0, 0, 0, 3000, 7000, 0)
	b.do(account.ApplyPayment{Key: jpy, Payment: "P1", ApplyOn: day("2026-02-20"), Allocations: []account.Allocation{to("I1", 3000)}})
	b.expect("2026-02-19", 0, 10000, 0, 0, 0, 3000, 7000, 0)
	b.expect("2026-02-20", 0, 7000, 0, 0, 0, 0, 7000, 0)
}

func TestOverpaymentStandsAsUnapplied(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-10", "2026-02-10", 10000), pay("P1", "2026-02-10", 12000, to("I1", 10000)))
	b.expect("2026-02-10", 0, 0, 0, 0, 0, 2000, -2000, 0)
	b.do(account.IssueRefund{Key: jpy, Payment: "P1", RefundOn: day("2026-03-01"), Amount: yen(2000)})
	b.expect("2026-02-28", 0, 0, 0, 0, 0, 2000, -2000, 0)
	b.expect("2026-03-01")
}

func TestBouncedPaymentIsOpenAgainUnderItsDueDate(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-10", "2026-02-10", 10000), pay("P1", "2026-02-09", 10000, to("I1", 10000)),
		account.ReversePayment{Key: jpy, Payment: "P1", ReverseOn: day("2026-03-20"), Reason: "no funds"})
	b.expect("2026-03-19")
	b.expect("2026-03-20", 0, 0, 10000, 0, 0, 0, 10000, 0)
}

func TestBalanceAfterWriteOff(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-10", "2026-02-10", 10000), pay("P1", "2026-02-09", 4000, to("I1", 4000)),
		account.WriteOff{Key: jpy, WriteOff: "W1", Invoice: "I1", WriteOffOn: day("2026-04-01"), Amount: yen(6000), Reason: "bankrupt", Approver: "CFO"},
		account.RecoverWriteOff{Key: jpy, WriteOff: "W1", RecoverOn: day("2026-05-01"), Amount: yen(1000)})
	b.expect("2026-03-31", 0, 0, 6000, 0, 0, 0, 6000, 0)
	b.expect("2026-04-01")
	b.expect("2026-05-02")
}

func TestCreditNotesPartsStayWithinTheInvoice(t *testing.T) {
	b := newBooks(t)
	usd := account.Key{Seller: "S1", Customer: "C1", Currency: "USD"}
	var lines []account.Line
	for _, price := range []string{"68.33", "68.33", "57.50", "85.00"} {
		p, err := domain.ParseDecimal(price)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, account.Line{Description: "seat", Quantity: domain.DecimalOf(1), UnitPrice: p, Category: account.Standard, Rate: 2000})
	}
	b.do(account.IssueInvoice{Key: usd, Invoice: "I1", Number: "I1", IssuedOn: day("2026-01-10"), DueOn: day("2026-02-10"), Lines: lines})
	total := b.aging("2026-01-10")[0].Total
	for i, l := range lines {
		err := b.try(account.IssueCreditNote{
			Key: usd, Credit: domain.CreditID([]string{"N1", "N2", "N3", "N4"}[i]), IssuedOn: day("2026-01-20"),
			Invoice: "I1", Reason: account.Return, Lines: []account.Line{l},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if total.Amount() != "334.99" {
		t.Errorf("the invoice is %s", total)
	}
	if rows := b.aging("2026-01-20"); len(rows) != 0 {
		t.Errorf("credited as a whole, left: %+v", rows)
	}
}

func TestDueDateChangeHoldsFromItsDay(t *testing.T) {
	b := newBooks(t)
	change := func(due, on string) account.ChangeDueDate {
		return account.ChangeDueDate{Key: jpy, Invoice: "I1", DueOn: day(due), ChangeOn: day(on), Reason: "asked", By: "hanako"}
	}
	b.do(issue("I1", "2026-01-10", "2026-02-10", 100), change("2026-04-30", "2026-03-15"))
	b.expect("2026-03-14", 0, 0, 100, 0, 0, 0, 100, 0)
	b.expect("2026-03-15", 100, 0, 0, 0, 0, 0, 100, 0)
	known := b.head()
	b.do(change("2026-03-10", "2026-03-15")) // the same day, recorded later
	b.expect("2026-03-15", 0, 100, 0, 0, 0, 0, 100, 0)
	b.expectBy("2026-03-15", func(q *AgingQuery) { q.KnownAt.Position = known }, 100, 0, 0, 0, 0, 0, 100, 0)
	if row := b.aging("2026-03-15")[0]; row.OldestDueOn != day("2026-03-10") {
		t.Errorf("due on %s", row.OldestDueOn)
	}
}

func TestDisputedStaysOwedAndIsNeverMoreThanOpen(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-10", "2026-02-10", 1000),
		account.OpenDispute{Key: jpy, Dispute: "D1", Invoice: "I1", OpenedOn: day("2026-02-01"), Amount: yen(800), Reason: account.Defective},
		pay("P1", "2026-02-20", 500, to("I1", 500)),
		account.ResolveDispute{Key: jpy, Dispute: "D1", ResolvedOn: day("2026-03-01"), Outcome: account.DisputeRejected})
	b.expect("2026-01-31", 1000, 0, 0, 0, 0, 0, 1000, 0)
	b.expect("2026-02-01", 1000, 0, 0, 0, 0, 0, 1000, 800)
	b.expect("2026-02-20", 0, 500, 0, 0, 0, 0, 500, 500)
	b.expect("2026-03-01", 0, 500, 0, 0, 0, 0, 500, 0)
}

func TestLateChargesAgeByTheirOwnDueDate(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-10", "2026-01-31", 100000),
		account.AssessLateCharge{Key: jpy, Charge: "L1", Invoice: "I1", Rate: 1460, To: day("2026-03-31"), AssessedOn: day("2026-04-01"), DueOn: day("2026-04-30")})
	rows := b.aging("2026-05-10", func(q *AgingQuery) { q.GroupBy = PerInvoice })
	if len(rows) != 2 || rows[1].Class != LateCharge || rows[1].DaysOverdue != 10 || rows[1].Buckets[1].IsZero() || rows[0].Buckets[4].Minor() != 100000 {
		t.Errorf("%+v", rows)
	}
	b.do(account.WaiveLateCharge{Key: jpy, Charge: "L1", WaiveOn: day("2026-05-05"), Reason: "goodwill", Approver: "CFO"})
	b.expect("2026-05-10", 0, 0, 0, 0, 100000, 0, 100000, 0)
}

func TestVoidedInvoiceStandsUntilItsDay(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-10", "2026-02-10", 100), account.VoidInvoice{Key: jpy, Invoice: "I1", VoidOn: day("2026-01-20"), Reason: "twice"})
	b.expect("2026-01-19", 100, 0, 0, 0, 0, 0, 100, 0)
	b.expect("2026-01-20")
}

func TestSmallDifferences(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-10", "2026-02-10", 10000), pay("P1", "2026-02-10", 9560, to("I1", 9560)),
		account.SettleDifference{Key: jpy, Invoice: "I1", SettleOn: day("2026-02-12"), Amount: yen(440), Reason: account.BankFee},
		pay("P2", "2026-02-15", 3),
		account.SettleDifference{Key: jpy, Payment: "P2", SettleOn: day("2026-02-16"), Amount: yen(3), Reason: account.RoundingError})
	b.expect("2026-02-11", 0, 440, 0, 0, 0, 0, 440, 0)
	b.expect("2026-02-15", 0, 0, 0, 0, 0, 3, -3, 0)
	b.expect("2026-02-16")
}

func TestCurrenciesNeverMix(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-10", "2026-02-10", 100))
	for _, k := range []account.Key{{Seller: "S1", Customer: "C1", Currency: "USD"}, {Seller: "S1", Customer: "C0", Currency: "USD"}, {Seller: "S2", Customer: "C1", Currency: "USD"}} {
		b.do(account.IssueInvoice{Key: k, Invoice: "I1", Number: "I1", IssuedOn: day("2026-01-10"), DueOn: day("2026-02-10"), Total: domain.NewMoney(250, "USD")})
	}
	rows := b.aging("2026-03-01", func(q *AgingQuery) { q.GroupBy = PerTotal })
	if len(rows) != 2 || rows[0].Total != yen(100) || rows[1].Total != domain.NewMoney(500, "USD") || rows[1].Customer != "" {
		t.Errorf("%+v", rows)
	}
	var order []string
	for _, row := range b.aging("2026-03-01") {
		order = append(order, string(row.Customer)+string(row.Currency))
	}
	if !slices.Equal(order, []string{"C0USD", "C1JPY", "C1USD"}) {
		t.Errorf("order %v", order)
	}
}

func TestBasisAndEdges(t *testing.T) {
	b := newBooks(t)
	b.do(issue("I1", "2026-01-10", "2026-02-10", 100))
	b.expectBy("2026-02-10", func(q *AgingQuery) { q.Basis = ByIssue }, 0, 0, 100, 0, 0, 0, 100, 0)
	b.expectBy("2026-02-18", func(q *AgingQuery) { q.Buckets = []int{7, 14} }, 0, 0, 100, 0, 0, 100, 0)
	report, err := b.views.Aging(context.Background(), AgingQuery{Seller: "S1", AsOf: day("2026-02-18"), Buckets: []int{7, 14}})
	if err != nil || !slices.Equal(report.Columns, []string{"current", "1-7", "8-14", "15+"}) || report.Invoices != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestAgingRefused(t *testing.T) {
	b := newBooks(t)
	b.register()
	asOf := day("2026-01-01")
	for _, c := range []struct {
		q    AgingQuery
		want *domain.Error
	}{
		{AgingQuery{Seller: "S1"}, domain.ErrMissing},
		{AgingQuery{Seller: "S9", AsOf: asOf}, ErrUnknownSeller},
		{AgingQuery{Seller: "S1", Customer: "C9", AsOf: asOf}, ErrUnknownCustomer},
		{AgingQuery{Seller: "S1", AsOf: asOf, Basis: "x"}, domain.ErrUnknown},
		{AgingQuery{Seller: "S1", AsOf: asOf, GroupBy: "x"}, domain.ErrUnknown},
		{AgingQuery{Seller: "S1", AsOf: asOf, Buckets: []int{30, 30}}, ErrBadBuckets},
		{AgingQuery{Seller: "S1", AsOf: asOf, Buckets: []int{0}}, ErrBadBuckets},
		{AgingQuery{Seller: "S1", AsOf: asOf, Buckets: make([]int, BucketsMax+1)}, ErrBadBuckets},
		{AgingQuery{Seller: "S1", AsOf: asOf, KnownAt: KnownAt{Position: 99}}, ErrBeyondLog},
	} {
		if _, err := b.views.Aging(context.Background(), c.q); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %s", c.q, err, c.want.Rule)
		}
	}
	if report, err := b.views.Aging(context.Background(), AgingQuery{Seller: "S1", Customer: "C2", AsOf: asOf}); err != nil || len(report.Rows) != 0 {
		t.Errorf("a customer without an account: %+v, %v", report, err)
	}
	for _, text := range []string{"", "x", "30,20", "30,", "-1"} {
		if _, err := ParseBuckets(text); !errors.Is(err, ErrBadBuckets) {
			t.Errorf("buckets %q: %v", text, err)
		}
	}
	if edges, err := ParseBuckets("15, 45"); err != nil || !slices.Equal(edges, []int{15, 45}) {
		t.Errorf("%v, %v", edges, err)
	}
}
