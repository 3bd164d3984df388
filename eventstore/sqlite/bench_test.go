package sqlite

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/urikake/urikake/eventstore"
)

const benchStreams = 10_000 // as many accounts as a billing agency's client has

func benchOpen(b *testing.B) *Store {
	s, err := Open(b.TempDir(), time.Now)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

// benchEvent has the size of a recorded payment: 330 bytes of data, 190 of metadata.
func benchEvent(id uint64) eventstore.Proposed {
	return eventstore.Proposed{
		ID:   uuid.UUID{0: byte(id), 1: byte(id >> 8), 2: byte(id >> 16), 3: byte(id >> 24)},
		Kind: "account.payment_recorded", Schema: 1, Data: benchData, Metadata: benchMetadata,
	}
}

var (
	benchData     = []byte(`{"text":"` + strings.Repeat("x", 319) + `"}`)
	benchMetadata = []byte(`{"text":"` + strings.Repeat("m", 179) + `"}`)
	benchNames    = func() (names [benchStreams]string) {
		for i := range names {
			names[i] = fmt.Sprintf("account-S001.C%05d.JPY", i)
		}
		return names
	}()
)

// BenchmarkAppend appends one event at a time, each acknowledged only when synced. Appender g owns every stream whose
// number is g modulo the appenders.
func BenchmarkAppend(b *testing.B) {
	for _, appenders := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("appenders=%d", appenders), func(b *testing.B) {
			s := benchOpen(b)
			versions := make([]eventstore.Version, benchStreams)
			var next atomic.Int64
			var all sync.WaitGroup
			b.ResetTimer()
			for g := range appenders {
				all.Go(func() {
					for stream := g; next.Add(1) <= int64(b.N); stream += appenders {
						if stream >= benchStreams {
							stream = g
						}
						e := benchEvent(uint64(stream)<<16 | uint64(versions[stream]))
						if _, err := s.Append(context.Background(), benchNames[stream], versions[stream], e); err != nil {
							b.Error(err)
							return
						}
						versions[stream]++
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(b.N)/float64(s.Stats().Commits), "events/commit")
		})
	}
}

// BenchmarkAppendBatch appends a hundred events at a time from one goroutine, as an import does.
func BenchmarkAppendBatch(b *testing.B) {
	s := benchOpen(b)
	b.ResetTimer()
	fill(b, s, b.N, 100)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkFollow reads a log from its beginning; run it with -cpu 1 for the cost on one core.
func BenchmarkFollow(b *testing.B) {
	s := benchOpen(b)
	const events = 300_000
	fill(b, s, events, 10)
	b.ReportAllocs()
	b.ResetTimer()
	read := 0
	for b.Loop() {
		for r, err := range s.Follow(context.Background(), 0) {
			if err != nil {
				b.Fatal(err)
			}
			if read++; r.Position == events {
				break
			}
		}
	}
	b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkRead reads streams of 30 events whole, and asks hot streams for nothing new.
func BenchmarkRead(b *testing.B) {
	s := benchOpen(b)
	fill(b, s, 30*benchStreams, 10)
	for _, after := range []eventstore.Version{0, 30} {
		b.Run(fmt.Sprintf("after=%d", after), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				n := after
				for _, err := range s.Read(context.Background(), benchNames[i%benchStreams], after) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				if n != 30 {
					b.Fatal(n)
				}
			}
		})
	}
}

// BenchmarkOpen opens a log of 300 000 events.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		s, err := Open(dir, time.Now)
		if err != nil {
			b.Fatal(err)
		}
		if s.Stats().Events == 0 {
			b.StopTimer()
			fill(b, s, 300_000, 100)
			b.StartTimer()
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// fill appends events round robin over the streams, a batch to each.
func fill(b *testing.B, s *Store, events, batch int) {
	versions := make([]eventstore.Version, benchStreams)
	for i := 0; i < events; i += batch {
		stream := i / batch % benchStreams
		proposed := make([]eventstore.Proposed, min(batch, events-i))
		for j := range proposed {
			proposed[j] = benchEvent(uint64(i + j))
		}
		if _, err := s.Append(context.Background(), benchNames[stream], versions[stream], proposed...); err != nil {
			b.Fatal(err)
		}
		versions[stream] += eventstore.Version(len(proposed))
	}
}
