package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/sqlite"
)

// BenchmarkTogether does groups on one account of some history, over a log on disk.
func BenchmarkTogether(b *testing.B) {
	for _, size := range []int{1, 10, 100, 1000} {
		for _, kind := range []string{"payments", "invoices"} {
			b.Run(fmt.Sprintf("%s=%d", kind, size), func(b *testing.B) {
				store, err := sqlite.Open(b.TempDir(), time.Now)
				if err != nil {
					b.Fatal(err)
				}
				defer store.Close()
				l := ledger.New(store, ledger.Codec(), eventstore.SnapshotDir(b.TempDir()))
				if err := l.Remember(b.Context()); err != nil {
					b.Fatal(err)
				}
				prepare(b, l)
				n := 0
				b.ResetTimer()
				for range b.N {
					steps := make([]step, size)
					for i := range steps {
						n++
						steps[i] = step{fmt.Sprint("k", n), payment("C1", 1), nil}
						if kind == "invoices" {
							steps[i].command = invoice("C1", "", 100)
						}
					}
					if _, err := l.ExecuteTogether(b.Context(), ordersOf(steps...)); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "commands/s")
			})
		}
	}
}
