package projections

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/numbering"
	"github.com/urikake/urikake/domain/receipt"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/sqlite"
)

// testCodec knows every event of the books.
func testCodec() *eventstore.Codec {
	return eventstore.NewCodec(slices.Concat(seller.Events, customer.Events, numbering.Events, account.Events, receipt.Events, dunning.Events)).For(catalog.Owns)
}

// benchLog is a log of invoices with one or two lines and of payments that settle one to three of them, over 10 000
// accounts of one seller and through two years, in a directory of its own. Half of the events are payments while
// there is something to pay; about one invoice in ten is open in the end.
type benchLog struct {
	dir   string
	store *sqlite.Store
	codec *eventstore.Codec
}

// benchAccounts is how many debtors there are; BENCH_ACCOUNTS says otherwise.
var benchAccounts = benchNumber("BENCH_ACCOUNTS", 10_000)

var benchStart = domain.NewDate(2025, 1, 1)

// newBenchLog makes the log, or takes the one that an earlier run left in BENCH_DIR.
func newBenchLog(b *testing.B, invoices int) benchLog {
	dir := b.TempDir()
	if kept := os.Getenv("BENCH_DIR"); kept != "" {
		dir = filepath.Join(kept, strconv.Itoa(invoices))
	}
	at := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	store, err := sqlite.Open(dir, func() time.Time { return at })
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	l := benchLog{dir, store, testCodec()}
	if head, err := store.Head(context.Background()); err != nil || head == 0 {
		l.fill(b, invoices)
	}
	return l
}

type benchInvoice struct {
	id    domain.InvoiceID
	total domain.Money
}

const benchMetadata = `{"command_id":"0197a3c0-1111-7222-8333-444455556666","command":"RecordPayment",` +
	`"command_hash":"00112233445566778899aabbccddeeff","actor":"bench","schema":1}`

// fill appends in blocks, all accounts at once, so that the log has them in no order.
func (l benchLog) fill(b *testing.B, invoices int) {
	const block = 20_000
	r := rand.New(rand.NewSource(1))
	open := make([][]benchInvoice, benchAccounts)
	versions := make([]eventstore.Version, benchAccounts)
	for events, issued := 0, 0; issued < invoices; {
		pending := make(map[int][]eventstore.Proposed)
		for n := 0; n < block && issued < invoices; n++ {
			a, on := r.Intn(benchAccounts), benchDay(issued, invoices)
			var fact domain.Event
			if len(open[a]) > r.Intn(20) {
				fact = benchPayment(events, on, &open[a], r)
			} else {
				fact = benchIssue(issued, on, &open[a], r)
				issued++
			}
			data, err := json.Marshal(fact)
			if err != nil {
				b.Fatal(err)
			}
			var id uuid.UUID
			binary.BigEndian.PutUint64(id[:], uint64(events))
			pending[a] = append(pending[a], eventstore.Proposed{ID: id, Kind: fact.Kind(), Schema: 1, Data: data, Metadata: []byte(benchMetadata)})
			events++
		}
		done := make(chan error, len(pending))
		for a, list := range pending {
			go func(at eventstore.Version) {
				_, err := l.store.Append(context.Background(), benchStream(a), at, list...)
				done <- err
			}(versions[a])
			versions[a] += eventstore.Version(len(list))
		}
		for range pending {
			if err := <-done; err != nil {
				b.Fatal(err)
			}
		}
	}
}

func benchStream(a int) string {
	return account.Key{Seller: "S1", Customer: benchCustomer(a), Currency: "JPY"}.Stream()
}

func benchCustomer(a int) domain.CustomerID { return domain.CustomerID(fmt.Sprintf("C%05d", a)) }

func benchIssue(n int, on domain.Date, open *[]benchInvoice, r *rand.Rand) domain.Event {
	id := benchInvoiceID(n, on)
	net := int64(1000 + r.Intn(100_000))
	yen := func(n int64) domain.Money { return domain.NewMoney(n, "JPY") }
	e := account.InvoiceIssued{Invoice: id, Number: string(id), IssuedOn: on, DueOn: on.AddDays(30), Rounding: domain.RoundDown}
	for i := range 1 + r.Intn(2) {
		e.Lines = append(e.Lines, account.Line{
			Description: "Monthly service " + strconv.Itoa(i+1), Quantity: domain.DecimalOf(1),
			UnitPrice: domain.DecimalOf(net), Category: account.Standard, Rate: 1000,
		})
	}
	sum := net * int64(len(e.Lines))
	e.Taxes = []account.Tax{{Category: account.Standard, Rate: 1000, Net: yen(sum), Tax: yen(sum / 10)}}
	e.Total = yen(sum + sum/10)
	*open = append(*open, benchInvoice{id, e.Total})
	return e
}

func benchPayment(n int, on domain.Date, open *[]benchInvoice, r *rand.Rand) domain.Event {
	e := account.PaymentRecorded{
		Payment: domain.PaymentID(fmt.Sprintf("PAY-%07d", n)), ReceivedOn: on, Basis: account.ByAgreement,
		Method: "TRANSFER", Reference: fmt.Sprintf("FT%09d", n), Payer: "KABUSHIKI KAISHA",
	}
	var total int64
	for range min(1+r.Intn(3)/2, len(*open)) {
		i := (*open)[0]
		*open = (*open)[1:]
		e.Allocations = append(e.Allocations, account.Allocation{Invoice: i.id, Amount: i.total})
		total += i.total.Minor()
	}
	e.Amount = domain.NewMoney(total, "JPY")
	return e
}

// BenchmarkRebuild folds all models from the first event. Metrics: events/s, and the process's peak memory.
// BENCH_INVOICES sets how many invoices the log has.
func BenchmarkRebuild(b *testing.B) {
	invoices := benchInvoices(250_000)
	l := newBenchLog(b, invoices)
	head, _ := l.store.Head(context.Background())
	var spent time.Duration
	for b.Loop() {
		if err := removeDatabase(filepath.Join(l.dir, fileName)); err != nil {
			b.Fatal(err)
		}
		v, err := Open(l.dir, l.store, l.codec)
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		if _, err := v.CatchUp(context.Background()); err != nil {
			b.Fatal(err)
		}
		spent += time.Since(start)
		v.Close()
	}
	b.ReportMetric(float64(head)*float64(b.N)/spent.Seconds(), "events/s")
	b.ReportMetric(float64(head), "events")
	b.ReportMetric(peakMiB(), "peak-MiB")
}

// BenchmarkAging reports past days and the last one. Run one size with -bench Aging/100000/ or Aging/1000000/.
func BenchmarkAging(b *testing.B) {
	for _, invoices := range []int{100_000, 1_000_000} {
		b.Run(strconv.Itoa(invoices), func(b *testing.B) {
			l := newBenchLog(b, invoices)
			v, err := Open(l.dir, l.store, l.codec)
			if err != nil {
				b.Fatal(err)
			}
			defer v.Close()
			if _, err := v.CatchUp(context.Background()); err != nil {
				b.Fatal(err)
			}
			for _, day := range []int{100, 365, 700, 800} {
				for _, group := range []Grouping{PerCustomer, PerInvoice} {
					b.Run(fmt.Sprintf("day%d/%s", day, group), func(b *testing.B) {
						for b.Loop() {
							report, err := v.Aging(context.Background(), AgingQuery{Seller: "S1", AsOf: benchStart.AddDays(day), GroupBy: group})
							if err != nil || len(report.Rows) == 0 {
								b.Fatal(err, len(report.Rows))
							}
						}
					})
				}
			}
		})
	}
}

// BenchmarkInvoices finds one number among a million, and a page of what is overdue.
func BenchmarkInvoices(b *testing.B) {
	l := newBenchLog(b, 1_000_000)
	v, err := Open(l.dir, l.store, l.codec)
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close()
	for name, q := range map[string]InvoicesQuery{
		"number":  {Number: "INV-2025-123456"},
		"prefix":  {NumberPrefix: "INV-2026-98765"},
		"overdue": {Status: StatusOverdue},
	} {
		q.Seller, q.AsOf = "S1", benchStart.AddDays(800)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if report, err := v.Invoices(context.Background(), q); err != nil || len(report.Rows) == 0 {
					b.Fatal(err, len(report.Rows))
				}
			}
		})
	}
}

// peakMiB is the process's peak memory so far; 0 where the system does not tell.
func peakMiB() float64 {
	data, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			return float64(kib) / 1024
		}
	}
	return 0
}

// BenchmarkInvoice looks up one invoice after the other by its id, among as many as BENCH_INVOICES says.
func BenchmarkInvoice(b *testing.B) {
	invoices := benchInvoices(20_000)
	l := newBenchLog(b, invoices)
	v, err := Open(l.dir, l.store, l.codec)
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if _, err := v.CatchUp(ctx); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		r := rand.New(rand.NewSource(1))
		for pb.Next() {
			n := r.Intn(invoices)
			q := InvoiceQuery{Seller: "S1", Invoice: benchInvoiceID(n, benchDay(n, invoices)), AsOf: benchStart.AddDays(800)}
			if _, err := v.Invoice(ctx, q); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// benchInvoices is how many invoices a log has.
func benchInvoices(unless int) int { return benchNumber("BENCH_INVOICES", unless) }

func benchNumber(name string, unless int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return unless
}

// benchDay is the day on which invoices were issued up to the nth.
func benchDay(n, invoices int) domain.Date { return benchStart.AddDays(n * 730 / invoices) }

func benchInvoiceID(n int, on domain.Date) domain.InvoiceID {
	return domain.InvoiceID(fmt.Sprintf("INV-%d-%06d", on.Year(), n))
}

// BenchmarkStream yields every invoice, as many as BENCH_INVOICES says, and every open item of an aging.
func BenchmarkStream(b *testing.B) {
	l := newBenchLog(b, benchInvoices(20_000))
	v, err := Open(l.dir, l.store, l.codec)
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close()
	ctx := context.Background()
	if _, err := v.CatchUp(ctx); err != nil {
		b.Fatal(err)
	}
	for _, by := range []Sort{SortCustomer, SortIssuedOn, "-total"} {
		b.Run("invoices/"+string(by), func(b *testing.B) {
			rows := 0
			for b.Loop() {
				q := InvoicesQuery{Seller: "S1", AsOf: benchStart.AddDays(800), Sort: by}
				if _, err := v.EachInvoice(ctx, q, func(InvoiceRow) error { rows++; return nil }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows)/float64(b.N), "rows")
			b.ReportMetric(peakMiB(), "peak-MiB")
		})
	}
	b.Run("aging", func(b *testing.B) {
		rows := 0
		for b.Loop() {
			q := AgingQuery{Seller: "S1", AsOf: benchStart.AddDays(365)}
			if _, err := v.EachAged(ctx, q, func(AgingRow) error { rows++; return nil }); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(rows)/float64(b.N), "rows")
		b.ReportMetric(peakMiB(), "peak-MiB")
	})
}
