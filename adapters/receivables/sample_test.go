package receivables_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/sqlite"
)

// sample is a public file of real receivables that is not part of this repository.
func sample(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "receivables.csv"))
	if err != nil {
		t.Skip("the sample of real receivables is not beside the repository: ", err)
	}
	return data
}

// agingRow is what the sample's README has for a day: current, 1-30, 31-60, 61-90, 91+ and the total in cents, then how
// many invoices are open and how many customers owe them.
type agingRow [8]int64

func (b books) aging(asOf domain.Date) (row agingRow) {
	b.Helper()
	type item struct {
		stream string
		due    domain.Date
		open   int64
	}
	items := make(map[domain.InvoiceID]*item)
	b.each(func(stream string, e domain.Event) {
		if a, ok := e.(account.Event); !ok || a.On().After(asOf) {
			return
		}
		switch e := e.(type) {
		case account.InvoiceIssued:
			items[e.Invoice] = &item{stream, e.DueOn, e.Total.Minor()}
		case account.PaymentRecorded:
			for _, a := range e.Allocations {
				items[a.Invoice].open -= a.Amount.Minor()
			}
		}
	})
	customers := make(map[string]bool)
	for _, it := range items {
		if it.open == 0 {
			continue
		}
		row[min(4, (max(0, asOf.DaysSince(it.due))+29)/30)] += it.open
		row[5] += it.open
		row[6]++
		customers[it.stream] = true
	}
	row[7] = int64(len(customers))
	return row
}

func TestRealReceivables(t *testing.T) {
	data := sample(t)
	b := open(t)
	plan := b.read(string(data), usd)
	if len(plan.Bad) > 0 || plan.Lines != 2466 || plan.DateFormat != "M/D/YYYY" {
		t.Fatalf("%d lines, dates %s, bad: %v", plan.Lines, plan.DateFormat, plan.Bad)
	}
	result, err := b.try(plan)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprintf("%+v", result),
		"{Lines:2466 Sellers:1 Customers:100 Invoices:2466 Payments:2466 Disputes:561 AlreadyThere:0 Bad:[]}"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for day, want := range map[string]agingRow{
		"2012-03-31": {5613_87, 569_23, 0, 0, 0, 6183_10, 107, 64},
		"2012-12-31": {4936_32, 788_74, 0, 0, 0, 5725_06, 99, 61},
		"2013-09-30": {4563_74, 465_48, 0, 0, 0, 5029_22, 88, 55},
		"2014-01-09": {},
	} {
		asOf, _ := domain.ParseDate(day)
		if got := b.aging(asOf); got != want {
			t.Errorf("%s: %v, want %v", day, got, want)
		}
	}
	if result = b.run(string(data), usd); result.AlreadyThere != 1+100+2*2466+2*561 || result.Invoices+result.Payments+result.Disputes != 0 {
		t.Errorf("again: %+v", result)
	}
}

// BenchmarkImport imports the sample into a durable log, what-if and all.
func BenchmarkImport(b *testing.B) {
	data := sample(b)
	for b.Loop() {
		store, err := sqlite.Open(b.TempDir(), time.Now)
		if err != nil {
			b.Fatal(err)
		}
		durable := books{b, store, ledger.New(store, ledger.Codec(), nil)}
		durable.run(string(data), usd)
		if err := store.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
