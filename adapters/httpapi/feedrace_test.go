package httpapi

import (
	"context"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// countedLog is a log that counts how often somebody began to follow it.
type countedLog struct {
	eventstore.Store
	follows atomic.Int64
}

func (l *countedLog) Follow(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	l.follows.Add(1)
	return l.Store.Follow(ctx, after)
}

// race appends from several goroutines, a commit at a time, and returns when all have ended.
func (h *feedHouse) race(t *testing.T, seed uint64, appends int) (events []eventstore.Recorded) {
	var all sync.WaitGroup
	for name := range 4 {
		w := h.writer(name+1, seed)
		all.Go(func() {
			for range appends {
				if err := w.append(t.Context(), 8); err != nil {
					t.Error(err)
				}
				if w.rng.IntN(20) == 0 {
					time.Sleep(time.Duration(w.rng.IntN(40)) * time.Millisecond)
				}
			}
		})
	}
	all.Wait()
	return h.recorded(t)
}

func randomQuery(rng *rand.Rand, head eventstore.Position) FeedQuery {
	q := FeedQuery{Follow: true, After: eventstore.Position(rng.Uint64N(uint64(head) + 30))}
	if rng.IntN(3) == 0 {
		q.After = 0
	}
	switch rng.IntN(6) {
	case 0:
		q.Seller = []domain.SellerID{"S1", "S10", "S-1", "S"}[rng.IntN(4)]
	case 1:
		q.Kinds = [][]string{{"account."}, {"accounting.closed", "customer."}, {"account.invoice_issued"}}[rng.IntN(3)]
	case 2:
		q.Seller, q.Kinds = "S1", []string{"account."}
	case 3:
		q.Stream = []string{"account-S1.C1.JPY.1", "account-S1.C2.JPY"}[rng.IntN(2)]
	}
	if rng.IntN(4) == 0 {
		q.Limit = 1 + rng.IntN(1000)
	}
	return q
}

// pattern says of "kind stream" whether a query wants it, in other words than the feed does.
func pattern(q FeedQuery) *regexp.Regexp {
	kinds, stream := []string{".*"}, ".*"
	if len(q.Kinds) > 0 {
		kinds = nil
	}
	for _, k := range q.Kinds {
		p := regexp.QuoteMeta(k)
		if strings.HasSuffix(k, ".") {
			p += ".*"
		}
		kinds = append(kinds, p)
	}
	if q.Seller != "" {
		stream = `(account|customer|seller|numbering|document)-` + regexp.QuoteMeta(string(q.Seller)) + `(\..*)?`
	}
	if q.Stream != "" {
		stream = regexp.QuoteMeta(q.Stream)
	}
	return regexp.MustCompile("^(" + strings.Join(kinds, "|") + ") " + stream + "$")
}

func expect(t *testing.T, events []eventstore.Recorded, q FeedQuery) []string {
	p := pattern(q)
	want := feedLines(t, events, func(r eventstore.Recorded) bool {
		return r.Position > q.After && p.MatchString(r.Kind+" "+r.Stream)
	})
	if q.Limit > 0 && len(want) > q.Limit {
		want = want[:q.Limit]
	}
	return want
}

// racer is a client that follows while the log grows.
type racer struct {
	query FeedQuery
	form  FeedForm
	lines []string
	want  []string
	got   atomic.Int64
	err   error
}

// TestFollowRacing lets clients come at any time, with any question, while several append: each gets what he wants
// once, in order and complete, over the seam of old and new, in a ring that he never falls out of and in one that he
// falls out of all the time.
func TestFollowRacing(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	for _, ring := range []int{1, 40 << 10, feedRingMax} {
		t.Run(fmt.Sprint("ring=", ring), func(t *testing.T) {
			var log *countedLog
			h := openFeed(t, func(h *feedHouse) {
				log = &countedLog{Store: h.log}
				h.feed.store, h.feed.ring = log, newFeedRing(ring, min(ring, 8<<10))
			})
			h.fill(t, 500)
			racers, events, wait := h.racers(t, seed, 24)
			for _, r := range racers {
				r.want = expect(t, events, r.query)
				for end := time.Now().Add(time.Minute); int(r.got.Load()) < len(r.want); {
					if time.Sleep(time.Millisecond); time.Now().After(end) {
						t.Fatalf("%+v: %d events, want %d", r.query, r.got.Load(), len(r.want))
					}
				}
			}
			if err := h.end(); err != nil {
				t.Error(err)
			}
			wait()
			for _, r := range racers {
				if !slices.Equal(r.want, r.lines) || r.err != nil {
					t.Errorf("%+v as %s: %d events, want %d, and %v", r.query, feedTypes[r.form], len(r.lines), len(r.want), r.err)
				}
			}
			t.Logf("%d events, the log was followed %d times", len(events), log.follows.Load())
			if ring == 1 && log.follows.Load() < 4*int64(len(racers)) {
				t.Error("too few followers fell out of the ring for this test to mean something")
			}
		})
	}
}

func (h *feedHouse) racers(t *testing.T, seed uint64, n int) (racers []*racer, events []eventstore.Recorded, wait func()) {
	rng := rand.New(rand.NewPCG(seed, 99))
	var all sync.WaitGroup
	for i := range n {
		r := &racer{query: randomQuery(rng, 3000), form: FeedForm(i) % feedForms}
		racers = append(racers, r)
		late := time.Duration(rng.IntN(300)) * time.Millisecond
		all.Go(func() {
			time.Sleep(late)
			res := h.get(t, t.Context(), r.query, r.form)
			defer res.Body.Close()
			r.err = readFeed(res.Body, r.form, func(line string) {
				r.lines = append(r.lines, line)
				r.got.Add(1)
			})
		})
	}
	return racers, h.race(t, seed, 120), all.Wait
}

// TestResume cuts the connection anywhere, in the middle of a line too, while the log grows; a client who goes on after
// the last whole event loses and repeats nothing.
func TestResume(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	h := openFeed(t, smallRing)
	h.fill(t, 300)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	rng := rand.New(rand.NewPCG(seed, 98))
	var all sync.WaitGroup
	clients := make([]*resumer, 8)
	for i := range clients {
		c := &resumer{query: randomQuery(rng, 300), form: FeedForm(i) % feedForms, rng: rand.New(rand.NewPCG(seed, uint64(i)))}
		c.query.Limit = 0
		clients[i] = c
		all.Go(func() { c.run(t, ctx, h) })
	}
	events := h.race(t, seed, 60)
	for _, c := range clients {
		for end, want := time.Now().Add(time.Minute), expect(t, events, c.query); int(c.got.Load()) < len(want); {
			if time.Sleep(time.Millisecond); time.Now().After(end) {
				t.Fatalf("%+v: %d events, want %d", c.query, c.got.Load(), len(want))
			}
		}
	}
	cancel()
	all.Wait()
	cuts := 0
	for _, c := range clients {
		cuts += c.cuts
		if want := expect(t, events, c.query); !cmp.Equal(want, c.lines) {
			t.Errorf("%+v as %s: %d events, want %d", c.query, feedTypes[c.form], len(c.lines), len(want))
		}
	}
	if t.Log(cuts, "cuts"); cuts < 50 {
		t.Error("too few cuts for this test to mean something")
	}
}

// resumer follows over connections that don't last.
type resumer struct {
	query FeedQuery
	form  FeedForm
	rng   *rand.Rand
	lines []string
	got   atomic.Int64
	cuts  int
}

func (c *resumer) run(t *testing.T, ctx context.Context, h *feedHouse) {
	q := c.query
	for ctx.Err() == nil {
		part, cut := context.WithCancel(ctx)
		req, err := h.request(part, q, c.form)
		if err != nil {
			t.Error(err)
		}
		if res, err := h.server.Client().Do(req); err == nil {
			some := io.LimitReader(res.Body, c.rng.Int64N(16<<10))
			readFeed(some, c.form, func(line string) {
				c.lines = append(c.lines, line)
				fmt.Sscanf(line, `{"position":%d,`, &q.After)
				c.got.Add(1)
			})
			res.Body.Close()
			c.cuts++
		}
		cut()
	}
}
