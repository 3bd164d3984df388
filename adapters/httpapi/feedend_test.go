package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	zombiezen "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/urikake/urikake/eventstore"
)

// TestHeadersAtOnce follows a log in which nothing happens.
func TestHeadersAtOnce(t *testing.T) {
	h := openFeed(t, nil)
	for form, want := range map[FeedForm]http.Header{
		NDJSON: {"Content-Type": {"application/x-ndjson"}, "Cache-Control": {"no-store"}, "X-Accel-Buffering": {"no"}},
		SSE:    {"Content-Type": {"text/event-stream"}, "Cache-Control": {"no-store"}, "X-Accel-Buffering": {"no"}},
	} {
		res := h.get(t, t.Context(), FeedQuery{Follow: true}, form)
		for k := range want {
			if !cmp.Equal(want[k], res.Header[k]) {
				t.Errorf("%s: %q, want %q", k, res.Header[k], want[k])
			}
		}
		res.Body.Close()
	}
	res := h.get(t, t.Context(), FeedQuery{}, NDJSON)
	if body, err := io.ReadAll(res.Body); res.Header.Get("Content-Type") != "application/x-ndjson" || len(body) > 0 || err != nil {
		t.Errorf("an empty log: %v, %q, %v", res.Header, body, err)
	}
	res.Body.Close()
}

// TestNewEventsComeSoon waits for each event before the next is recorded.
func TestNewEventsComeSoon(t *testing.T) {
	h := openFeed(t, nil)
	res := h.get(t, t.Context(), FeedQuery{Follow: true}, NDJSON)
	defer res.Body.Close()
	lines := bufio.NewReader(res.Body)
	w := h.writer(1, 1)
	const events = 40
	start := time.Now()
	for i := range events {
		if err := w.append(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if line, err := lines.ReadString('\n'); err != nil || !strings.HasPrefix(line, fmt.Sprintf(`{"position":%d,`, i+1)) {
			t.Fatalf("%q, %v", line, err)
		}
	}
	if took := time.Since(start) / events; took > 100*time.Millisecond {
		t.Errorf("an event takes %v", took)
	}
}

// TestSignsOfLife follows somebody who has nothing new, while others have and while nobody has.
func TestSignsOfLife(t *testing.T) {
	for form, want := range map[FeedForm]string{NDJSON: "\n\n\n", SSE: ":\n\n:\n\n:\n\n"} {
		h := openFeed(t, func(h *feedHouse) { h.feed.beat = 60 * time.Millisecond })
		res := h.get(t, t.Context(), FeedQuery{Follow: true, Stream: "none"}, form)
		ctx, stop := context.WithCancel(t.Context())
		var busy sync.WaitGroup
		busy.Go(func() {
			for w := h.writer(1, 1); ctx.Err() == nil; time.Sleep(5 * time.Millisecond) {
				w.append(ctx, 1)
			}
		})
		got := make([]byte, len(want))
		if _, err := io.ReadFull(res.Body, got); err != nil || string(got) != want {
			t.Errorf("busy: %q, %v", got, err)
		}
		stop()
		busy.Wait()
		start := time.Now()
		if _, err := io.ReadFull(res.Body, got); err != nil || string(got) != want || time.Since(start) < 2*h.feed.beat {
			t.Errorf("quiet: %q, %v, in %v", got, err, time.Since(start))
		}
		res.Body.Close()
	}
}

// TestLimitEndsFollowing wants a few old and a few new events.
func TestLimitEndsFollowing(t *testing.T) {
	h := openFeed(t, nil)
	h.fill(t, 10)
	head := len(h.recorded(t))
	var late sync.WaitGroup
	defer late.Wait()
	late.Go(func() {
		time.Sleep(50 * time.Millisecond)
		h.bulk(t, 10, 100)
	})
	if got := h.all(t, FeedQuery{Follow: true, Limit: head + 7}, SSE); len(got) != head+7 {
		t.Errorf("%d events, want %d", len(got), head+7)
	}
	if err := <-h.ended; err != nil {
		t.Error(err)
	}
}

// TestTooManyFollowers refuses one too many; when one leaves there is room again.
func TestTooManyFollowers(t *testing.T) {
	h := openFeed(t, func(h *feedHouse) { h.feed.readersMax = 3 })
	for range 3 {
		defer h.get(t, t.Context(), FeedQuery{Follow: true}, NDJSON).Body.Close()
	}
	last := h.get(t, t.Context(), FeedQuery{Follow: true}, NDJSON)
	defer last.Body.Close()
	if body, _ := io.ReadAll(last.Body); last.StatusCode != 503 || string(body) != "feed.too_many_followers\n" {
		t.Fatalf("%d %s", last.StatusCode, body)
	}
	if err := <-h.ended; !errors.Is(err, ErrTooManyFollowers) || errors.Is(err, ErrFeedCut) {
		t.Error(err)
	}
	h.server.CloseClientConnections()
	for range 3 {
		<-h.ended
	}
	again := h.get(t, t.Context(), FeedQuery{}, NDJSON)
	defer again.Body.Close()
	if again.StatusCode != 200 {
		t.Error(again.StatusCode)
	}
}

// TestServerEnds ends the feed under those who follow: their answers end properly, and nobody follows any more.
func TestServerEnds(t *testing.T) {
	h := openFeed(t, nil)
	h.fill(t, 10)
	want := feedLines(t, h.recorded(t), func(eventstore.Recorded) bool { return true })
	res := h.get(t, t.Context(), FeedQuery{Follow: true}, NDJSON)
	defer res.Body.Close()
	var got []string
	err := readFeed(res.Body, NDJSON, func(line string) {
		if got = append(got, line); len(got) == len(want) {
			go h.end()
		}
	})
	if err != nil || !cmp.Equal(want, got) {
		t.Errorf("%d events, want %d, and %v", len(got), len(want), err)
	}
	if err := <-h.ended; err != nil {
		t.Error(err)
	}
	res = h.get(t, t.Context(), FeedQuery{Follow: true}, NDJSON)
	defer res.Body.Close()
	if err := <-h.ended; !errors.Is(err, ErrFeedClosed) || res.StatusCode != 503 {
		t.Error(err)
	}
	if got := h.all(t, FeedQuery{}, NDJSON); len(got) != len(want) {
		t.Errorf("what is recorded can still be read: %d events, want %d", len(got), len(want))
	}
}

// TestLogFails takes an event out of the log's middle: whoever reads over the place gets what is before it, perhaps not
// all of that, and an answer that is broken off.
func TestLogFails(t *testing.T) {
	for _, follow := range []bool{false, true} {
		h := openFeed(t, nil)
		h.fill(t, 3*feedPageEvents)
		h.harm(t, "DELETE FROM events WHERE position = 600")
		res := h.get(t, t.Context(), FeedQuery{Follow: follow}, NDJSON)
		defer res.Body.Close()
		got := 0
		err := readFeed(res.Body, NDJSON, func(line string) {
			if got++; !strings.HasPrefix(line, fmt.Sprintf(`{"position":%d,`, got)) {
				t.Fatalf("event %d is %s", got, line)
			}
		})
		if !errors.Is(err, io.ErrUnexpectedEOF) || got < feedPageEvents || got > 599 {
			t.Errorf("follow %v: %d events, then %v", follow, got, err)
		}
		if err := <-h.ended; !errors.Is(err, ErrFeedCut) || !errors.Is(err, eventstore.ErrDamaged) {
			t.Errorf("follow %v: %v", follow, err)
		}
		res = h.get(t, t.Context(), FeedQuery{After: 599, Follow: false}, NDJSON)
		defer res.Body.Close()
		if err := <-h.ended; errors.Is(err, ErrFeedCut) || !errors.Is(err, eventstore.ErrDamaged) || res.StatusCode != 500 {
			t.Errorf("nothing was sent, so it can be refused properly: %v, %d", err, res.StatusCode)
		}
	}
}

func (h *feedHouse) harm(t *testing.T, sql string) {
	t.Helper()
	conn, err := zombiezen.OpenConn(filepath.Join(h.dir, "log.db"), zombiezen.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := sqlitex.ExecuteTransient(conn, sql, nil); err != nil {
		t.Fatal(err)
	}
}

// TestTailFails closes the log under Run: followers are cut off, nobody else follows, and Run can be called again.
func TestTailFails(t *testing.T) {
	h := openFeed(t, nil)
	h.fill(t, 10)
	res := h.get(t, t.Context(), FeedQuery{Follow: true, After: 9}, SSE)
	defer res.Body.Close()
	if line, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil || line != "id: 10\n" {
		t.Fatal(line, err)
	}
	h.close()
	if _, err := io.ReadAll(res.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if err := <-h.ended; !errors.Is(err, ErrFeedCut) || !errors.Is(err, eventstore.ErrUnavailable) {
		t.Error(err)
	}
	if err := h.end(); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Error(err)
	}
	res = h.get(t, t.Context(), FeedQuery{Follow: true}, NDJSON)
	defer res.Body.Close()
	if err := <-h.ended; !errors.Is(err, eventstore.ErrUnavailable) || errors.Is(err, ErrFeedCut) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.feed.Run(ctx); err != nil {
		t.Error(err)
	}
}

// TestSlowClient asks and then reads nothing: his connection is ended, and others don't notice him.
func TestSlowClient(t *testing.T) {
	for _, ring := range []int{1, feedRingMax} {
		h := openFeed(t, func(h *feedHouse) {
			h.feed.wait = 300 * time.Millisecond
			h.feed.ring = newFeedRing(ring, feedChunkMax)
		})
		slow, err := net.Dial("tcp", h.server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer slow.Close()
		fmt.Fprint(slow, "GET /?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n")
		const events = 100
		q := FeedQuery{Follow: true, Limit: events}
		quick := h.get(t, t.Context(), q, NDJSON)
		defer quick.Body.Close()
		go h.bulk(t, events, 200<<10)
		got := 0
		if err := readFeed(quick.Body, NDJSON, func(string) { got++ }); err != nil || got != events {
			t.Errorf("the other one: %d events, %v", got, err)
		}
		first, second := <-h.ended, <-h.ended
		if err := errors.Join(first, second); !errors.Is(err, ErrFeedCut) || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%v and %v", first, second)
		}
		res, err := http.ReadResponse(bufio.NewReader(slow), nil)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, res.Body); err == nil || n >= events*200<<10 {
			t.Errorf("the slow client was sent %d bytes, and then %v", n, err)
		}
		res.Body.Close()
	}
}

// bulk appends large events.
func (h *feedHouse) bulk(t *testing.T, events, size int) {
	for i := range events {
		e := h.writer(1, uint64(i)).propose()
		e.Data = fmt.Appendf(nil, `{"text":%q}`, strings.Repeat("x", size))
		if _, err := h.log.Append(t.Context(), "account-S1.bulk.JPY", eventstore.Version(i), e); err != nil {
			t.Error(err)
		}
	}
}

// TestConnectionIsUsedAgain reads parts one after the other over one connection for longer than a client may be slow.
func TestConnectionIsUsedAgain(t *testing.T) {
	h := openFeed(t, func(h *feedHouse) { h.feed.wait = 50 * time.Millisecond })
	h.fill(t, 10)
	for range 4 {
		h.all(t, FeedQuery{Limit: 5}, NDJSON)
		res, err := h.server.Client().Get(h.server.URL + "/late")
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(res.Body); string(body) != "late" || err != nil {
			t.Errorf("%q, %v", body, err)
		}
		res.Body.Close()
	}
}

// TestNoDeadlines refuses a writer under which a slow client could never be ended.
func TestNoDeadlines(t *testing.T) {
	h := openFeed(t, nil)
	w := httptest.NewRecorder()
	if err := h.feed.Serve(t.Context(), FeedQuery{Follow: true}, NDJSON, w); !errors.Is(err, http.ErrNotSupported) || errors.Is(err, ErrFeedCut) {
		t.Error(err)
	}
}
