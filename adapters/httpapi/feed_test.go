package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ramdisk"
	"github.com/urikake/urikake/eventstore/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(ramdisk.Tests(m)) }

// feedHouse is a feed over a real log, served over loopback.
type feedHouse struct {
	log    eventstore.Store
	dir    string
	close  func() error
	feed   *Feed
	server *httptest.Server
	end    func() error // of Run
	ended  chan error   // what the requests came to
}

func openFeed(t testing.TB, tune func(*feedHouse)) *feedHouse {
	dir := t.TempDir()
	store, err := sqlite.Open(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	h := &feedHouse{log: store, dir: dir, close: store.Close, feed: NewFeed(store), ended: make(chan error, 10_000)}
	if tune != nil {
		tune(h)
	}
	h.server = httptest.NewServer(h)
	t.Cleanup(func() {
		h.server.Client().CloseIdleConnections()
		h.server.Close()
	})
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- h.feed.Run(ctx) }()
	h.end = func() error {
		cancel()
		err := <-ran
		ran <- err
		return err
	}
	t.Cleanup(func() { h.end() })
	return h
}

func smallRing(h *feedHouse) { h.feed.ring = newFeedRing(1, 2<<10) }

// ServeHTTP does what a caller of Serve must do.
func (h *feedHouse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/late" {
		time.Sleep(2 * h.feed.wait)
		io.WriteString(w, "late")
		return
	}
	form := NDJSON
	if r.Header.Get("Accept") == feedTypes[SSE] {
		form = SSE
	}
	err := h.feed.Serve(r.Context(), parseFeedQuery(r), form, w)
	h.ended <- err
	var refusal *domain.Error
	switch {
	case errors.Is(err, ErrFeedCut):
		panic(http.ErrAbortHandler)
	case errors.As(err, &refusal) && refusal.Code == domain.Unavailable:
		http.Error(w, refusal.Rule, http.StatusServiceUnavailable)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func parseFeedQuery(r *http.Request) FeedQuery {
	v := r.URL.Query()
	after := v.Get("after")
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		after = id
	}
	n, _ := strconv.ParseUint(after, 10, 64)
	limit, _ := strconv.Atoi(v.Get("limit"))
	return FeedQuery{
		After: eventstore.Position(n), Limit: limit, Follow: v.Get("follow") == "true",
		Seller: domain.SellerID(v.Get("seller")), Stream: v.Get("stream"), Kinds: v["kind"],
	}
}

func feedValues(q FeedQuery) url.Values {
	v := url.Values{
		"after": {fmt.Sprint(q.After)}, "limit": {fmt.Sprint(q.Limit)}, "follow": {fmt.Sprint(q.Follow)},
		"seller": {string(q.Seller)}, "stream": {q.Stream},
	}
	if len(q.Kinds) > 0 {
		v["kind"] = q.Kinds
	}
	return v
}

// request asks for a feed; with SSE it resumes as a browser does.
func (h *feedHouse) request(ctx context.Context, q FeedQuery, form FeedForm) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", h.server.URL+"/?"+feedValues(q).Encode(), nil)
	if err == nil && form == SSE {
		req.Header.Set("Accept", feedTypes[SSE])
		req.Header.Set("Last-Event-ID", fmt.Sprint(q.After))
	}
	return req, err
}

func (h *feedHouse) get(t testing.TB, ctx context.Context, q FeedQuery, form FeedForm) *http.Response {
	t.Helper()
	req, err := h.request(ctx, q, form)
	if err != nil {
		t.Fatal(err)
	}
	res, err := h.server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// readFeed tells each event's line, with SSE once its frame is complete; a sign of life is no event. It returns how the
// answer ended, nil for properly.
func readFeed(body io.Reader, form FeedForm, got func(line string)) error {
	lines := bufio.NewReaderSize(body, 64<<10)
	frame := map[string]string{}
	for {
		line, err := lines.ReadString('\n')
		switch {
		case err == io.EOF && line == "" && len(frame) == 0:
			return nil
		case err != nil:
			return fmt.Errorf("in %q: %w", line, err)
		case form == SSE && line != "\n":
			field, value, _ := strings.Cut(line, ": ")
			frame[field] = value
		case form == SSE && frame["data"] != "":
			var e eventstore.Line
			err := json.Unmarshal([]byte(frame["data"]), &e)
			if err != nil || fmt.Sprintln(e.Position) != frame["id"] || e.Kind+"\n" != frame["event"] {
				return fmt.Errorf("frame %v: %w", frame, err)
			}
			got(frame["data"])
			fallthrough
		case form == SSE:
			clear(frame)
		case line != "\n":
			got(line)
		}
	}
}

// all reads an answer that ends.
func (h *feedHouse) all(t testing.TB, q FeedQuery, form FeedForm) []string {
	t.Helper()
	res := h.get(t, t.Context(), q, form)
	defer res.Body.Close()
	var got []string
	if err := readFeed(res.Body, form, func(line string) { got = append(got, line) }); err != nil {
		t.Fatalf("the answer ended with %v", err)
	}
	return got
}

var (
	feedStreams = []string{
		"seller-S1", "seller-S10", "account-S1.C1.JPY", "account-S10.C1.JPY", "account-S1.C1.JPY.2026",
		"customer-S1.C1", "customer-S-1.S1", "access-S1", "numbering-S1.INV.2026", "nobody's",
	}
	feedKinds = []string{"account.invoice_issued", "account.payment_recorded", "customer.registered", "accounting.closed"}
)

// feedWriter appends to streams of its own.
type feedWriter struct {
	log      eventstore.Store
	name     int
	rng      *rand.Rand
	versions map[string]eventstore.Version
}

func (h *feedHouse) writer(name int, seed uint64) *feedWriter {
	return &feedWriter{h.log, name, rand.New(rand.NewPCG(seed, uint64(name))), map[string]eventstore.Version{}}
}

func (w *feedWriter) propose() eventstore.Proposed {
	e := eventstore.Proposed{Kind: feedKinds[w.rng.IntN(len(feedKinds))], Schema: 1 + w.rng.IntN(2)}
	for i := range e.ID {
		e.ID[i] = byte(w.rng.Uint32())
	}
	e.Data = fmt.Appendf(nil, `{"customer":"株式会社 <%d>","text":%q}`, w.rng.IntN(1000), strings.Repeat("x", w.rng.IntN(400)))
	if w.rng.IntN(3) > 0 {
		e.Metadata = []byte(`{"command_id":"c","command":"Record & Go"}`)
	}
	return e
}

// append writes 1 to most events to one of its streams.
func (w *feedWriter) append(ctx context.Context, most int) error {
	stream := feedStreams[w.rng.IntN(len(feedStreams))]
	if strings.Contains(stream, ".") {
		stream = fmt.Sprintf("%s.%d", stream, w.name)
	} else if w.name > 0 {
		stream = fmt.Sprintf("account-S1.C%d.JPY", w.name)
	}
	events := make([]eventstore.Proposed, 1+w.rng.IntN(most))
	for i := range events {
		events[i] = w.propose()
	}
	_, err := w.log.Append(ctx, stream, w.versions[stream], events...)
	w.versions[stream] += eventstore.Version(len(events))
	return err
}

// fill appends so many events at least, and a few of every stream.
func (h *feedHouse) fill(t testing.TB, events int) {
	t.Helper()
	w := h.writer(0, 1)
	for head, err := eventstore.Position(0), error(nil); head < eventstore.Position(events); head, err = h.log.Head(t.Context()) {
		if err = errors.Join(err, w.append(t.Context(), 5)); err != nil {
			t.Fatal(err)
		}
	}
}

// recorded reads the log as it is.
func (h *feedHouse) recorded(t testing.TB) (events []eventstore.Recorded) {
	t.Helper()
	head, err := h.log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for r, err := range h.log.Follow(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if events = append(events, r); r.Position == head {
			return events
		}
	}
	return nil
}

func feedLines(t testing.TB, events []eventstore.Recorded, wanted func(eventstore.Recorded) bool) (lines []string) {
	t.Helper()
	for _, r := range events {
		if wanted(r) {
			line, err := AppendEventLine(nil, r)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, string(line))
		}
	}
	return lines
}

// Streams that are not the ledger's may hold anything; the feed has none of it, and does not end for it.
func TestFeedPassesOverForeignStreams(t *testing.T) {
	h := openFeed(t, func(h *feedHouse) {
		h.feed.PassOver(func(stream string) bool { return strings.HasPrefix(stream, "x") })
	})
	put := func(stream string, version eventstore.Version, data string) {
		p := eventstore.Proposed{ID: uuid.New(), Kind: "k", Schema: 1, Data: []byte(data)}
		if _, err := h.log.Append(t.Context(), stream, version, p); err != nil {
			t.Fatal(err)
		}
	}
	put("own", 0, `1`)
	put("x1", 0, "\xff")
	put("own", 1, `2`)
	put("x2", 0, "\xff")
	if got := h.all(t, FeedQuery{}, NDJSON); len(got) != 2 {
		t.Errorf("%q", got)
	}
	resp := h.get(t, t.Context(), FeedQuery{Follow: true, Limit: 3}, NDJSON)
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Scan()
	lines.Scan()
	put("x3", 0, "\xff")
	put("own", 2, `3`)
	for lines.Scan() {
		if text := lines.Text(); text != "" && !strings.Contains(text, `"data":3`) {
			t.Errorf("%s", text)
		}
	}
}

// TestEventLine pins the wire form, to the byte.
func TestEventLine(t *testing.T) {
	at := time.Date(2026, 7, 3, 9, 0, 0, 120_000_000, time.UTC)
	e := eventstore.Recorded{
		Position: 7, Stream: "account-S1.C\u2028\"\\1.JPY", Version: 2, At: at,
		Proposed: eventstore.Proposed{
			ID: uuid.MustParse("5f0c7a52-5f3e-5f6b-9a3f-7d3c1c1d9e41"), Kind: "account.payment_recorded", Schema: 3,
			Data:     []byte("{\n \"amount\": {\"amount\":\"1.50\", \"currency\":\"USD\"}, \"text\":\"<売&\u2028掛>\\n\"}"),
			Metadata: []byte(`{"command_id":"c"}`),
		},
	}
	want := `{"position":7,"stream":"account-S1.C\u2028\"\\1.JPY","version":2,"id":"5f0c7a52-5f3e-5f6b-9a3f-7d3c1c1d9e41",` +
		`"kind":"account.payment_recorded","schema":3,"recorded_at":"2026-07-03T09:00:00.12Z",` +
		`"data":{"amount":{"amount":"1.50","currency":"USD"},"text":"<売&` + "\u2028" + `掛>\n"},"metadata":{"command_id":"c"},"data_bytes":"` + base64.StdEncoding.EncodeToString(e.Data) + `"}` + "\n"
	got, err := AppendEventLine([]byte("before\n"), e)
	if err != nil || string(got) != "before\n"+want {
		t.Errorf("%v\n%s", err, cmp.Diff("before\n"+want, string(got)))
	}
	if frame := string(SSE.appendFrame(nil, e, got[7:])); frame != "id: 7\nevent: account.payment_recorded\ndata: "+want+"\n" {
		t.Errorf("%q", frame)
	}
	e.Metadata, e.At = nil, at.Truncate(time.Second)
	if got, err = AppendEventLine(got[:0], e); err != nil ||
		!bytes.Contains(got, []byte(`"recorded_at":"2026-07-03T09:00:00Z"`)) {
		t.Errorf("%v, %s", err, got)
	}
	e.Data = []byte(`{"half":`) // nothing is lost of what is no JSON
	if got, err = AppendEventLine([]byte("before\n"), e); err != nil || !strings.Contains(string(got), `"data":null,"data_bytes":"eyJoYWxmIjo="}`) {
		t.Errorf("%v, %q", err, got)
	}
}

func TestOwnedBy(t *testing.T) {
	for _, c := range []struct {
		stream string
		seller domain.SellerID
		want   bool
	}{
		{"seller-S1", "S1", true},
		{"account-S1.C1.JPY", "S1", true},
		{"account-S10.C1.JPY", "S1", false},
		{"account-S1.C1.JPY", "S10", false},
		{"seller-S10", "S1", false},
		{"seller-S-1", "S-1", true},
		{"seller-S-1", "S", false},
		{"customer-S2.S1", "S1", false},
		{"account-", "S1", false},
		{"account", "account", false},
		{"S1", "S1", false},
		{"access-S1", "S1", false},
		{"access-S1.key", "S1", false},
	} {
		if got := ownedBy(c.stream, c.seller); got != c.want {
			t.Errorf("%s belongs to %s: %v", c.stream, c.seller, got)
		}
	}
}

// TestReadUpToTheHead reads parts of a log of several pages.
func TestReadUpToTheHead(t *testing.T) {
	h := openFeed(t, nil)
	h.fill(t, 3*feedPageEvents)
	events := h.recorded(t)
	s1 := func(r eventstore.Recorded) bool {
		rest, found := strings.CutPrefix(r.Stream[strings.Index(r.Stream, "-")+1:], "S1")
		return found && (rest == "" || rest[0] == '.') && !strings.HasPrefix(r.Stream, "access-")
	}
	for _, c := range []struct {
		name   string
		query  FeedQuery
		wanted func(eventstore.Recorded) bool
	}{
		{"all", FeedQuery{}, func(eventstore.Recorded) bool { return true }},
		{"after", FeedQuery{After: 400}, func(r eventstore.Recorded) bool { return r.Position > 400 }},
		{"limit", FeedQuery{After: 5, Limit: 300}, func(r eventstore.Recorded) bool { return r.Position > 5 && r.Position <= 305 }},
		{"after the head", FeedQuery{After: 1 << 60}, func(r eventstore.Recorded) bool { return false }},
		{"seller", FeedQuery{Seller: "S1"}, s1},
		{"nobody", FeedQuery{Seller: "S"}, func(r eventstore.Recorded) bool { return false }},
		{"stream", FeedQuery{Stream: "seller-S1"}, func(r eventstore.Recorded) bool { return r.Stream == "seller-S1" }},
		{"another's stream", FeedQuery{Stream: "seller-S10", Seller: "S1"}, func(r eventstore.Recorded) bool { return false }},
		{"kinds", FeedQuery{Kinds: []string{"account.", "customer.registered", "accounting"}}, func(r eventstore.Recorded) bool {
			return r.Kind != "accounting.closed"
		}},
	} {
		for form := range feedForms {
			t.Run(fmt.Sprint(c.name, "/", feedTypes[form]), func(t *testing.T) {
				want := feedLines(t, events, c.wanted)
				if got := h.all(t, c.query, form); !cmp.Equal(want, got) {
					t.Errorf("%d events, want %d", len(got), len(want))
				}
			})
		}
	}
	for len(h.ended) > 0 {
		if err := <-h.ended; err != nil {
			t.Error(err)
		}
	}
}
