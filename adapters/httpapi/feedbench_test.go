package httpapi

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/urikake/urikake/eventstore"
)

const (
	benchWriters = 8
	benchRate    = 1000 // events a second, one an append
)

// BenchmarkFollowers records 1 000 events a second, each an append of its own that is synced, and lets clients follow
// over loopback. Run it with -benchtime 10000x: ten seconds. It tells how long an append takes, and how long after it an
// event is at a follower; compare the appends with those of followers=0.
func BenchmarkFollowers(b *testing.B) {
	for _, c := range []struct {
		name      string
		followers int
		query     FeedQuery
		form      FeedForm
	}{
		{"followers=0", 0, FeedQuery{}, NDJSON},
		{"followers=1", 1, FeedQuery{}, NDJSON},
		{"followers=200", 200, FeedQuery{}, NDJSON},
		{"followers=200/sse", 200, FeedQuery{}, SSE},
		{"followers=200/seller", 200, FeedQuery{Seller: "S001", Kinds: []string{"account."}}, NDJSON},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.query.Follow = true
			benchFollowers(b, c.followers, c.query, c.form)
		})
	}
}

func benchFollowers(b *testing.B, followers int, q FeedQuery, form FeedForm) {
	h := openFeed(b, nil)
	h.server.Client().Transport.(*http.Transport).ReadBufferSize = 64 << 10
	appended := make([]atomic.Int64, b.N+1) // when, by position
	start := time.Now()
	var all sync.WaitGroup
	delays := make([]time.Duration, 0, b.N)
	sizes := make([]int64, followers)
	for i := range followers {
		res := h.get(b, context.Background(), q, form)
		all.Go(func() {
			defer res.Body.Close()
			if i > 0 {
				sizes[i], _ = io.Copy(io.Discard, res.Body)
				return
			}
			lines := bufio.NewScanner(res.Body)
			for position := 0; lines.Scan(); {
				sizes[0] += int64(len(lines.Bytes())) + 1
				if _, err := fmt.Sscanf(lines.Text(), `{"position":%d,`, &position); err == nil && position <= b.N {
					delays = append(delays, time.Since(start)-time.Duration(appended[position].Load()))
				}
			}
		})
	}
	b.ResetTimer()
	took := benchAppend(b, h, start, appended)
	b.StopTimer()
	time.Sleep(300 * time.Millisecond)
	if err := h.end(); err != nil {
		b.Error(err)
	}
	all.Wait()
	if followers > 0 && (sizes[0] < int64(b.N)*700 || slices.Min(sizes) != slices.Max(sizes)) {
		b.Errorf("%d to %d bytes for %d events", slices.Min(sizes), slices.Max(sizes), b.N)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(0, "ns/op")
	for name, of := range map[string][]time.Duration{"append": took, "delay": delays} {
		if slices.Sort(of); len(of) > 0 {
			b.ReportMetric(float64(of[len(of)/2].Microseconds()), name+"-p50-µs")
			b.ReportMetric(float64(of[len(of)*99/100].Microseconds()), name+"-p99-µs")
		}
	}
}

var (
	benchData     = []byte(`{"text":"` + strings.Repeat("x", 319) + `"}`)
	benchMetadata = []byte(`{"text":"` + strings.Repeat("m", 179) + `"}`)
)

// benchAppend keeps the rate as well as the log lets it, and tells how long each append took.
func benchAppend(b *testing.B, h *feedHouse, start time.Time, appended []atomic.Int64) []time.Duration {
	took := make([]time.Duration, b.N)
	first := time.Now()
	var all sync.WaitGroup
	for w := range benchWriters {
		all.Go(func() {
			stream := fmt.Sprintf("account-S001.C%05d.JPY", w)
			for i, version := w, eventstore.Version(0); i < b.N; i, version = i+benchWriters, version+1 {
				time.Sleep(time.Until(first.Add(time.Duration(i) * time.Second / benchRate)))
				e := eventstore.Proposed{
					ID: uuid.UUID{byte(i), byte(i >> 8), byte(i >> 16)}, Kind: "account.payment_recorded", Schema: 1,
					Data: benchData, Metadata: benchMetadata,
				}
				began := time.Now()
				position, err := h.log.Append(context.Background(), stream, version, e)
				if err != nil {
					b.Error(err)
					return
				}
				took[i] = time.Since(began)
				appended[position].Store(int64(time.Since(start)))
			}
		})
	}
	all.Wait()
	return took
}
