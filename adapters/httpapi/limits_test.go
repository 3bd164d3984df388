package httpapi

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/urikake/urikake/domain"
)

func TestAdmission(t *testing.T) {
	m := NewMetrics()
	a := NewAdmission("commands", Load{WorkingMax: 2, WaitingMax: 3, WaitMax: 10 * time.Second}, plainly)
	m.Admission(a)
	var working, most atomic.Int64
	leave := make(chan struct{})
	s := newServer(t, AccessLog(slog.New(slog.DiscardHandler))(a.Admit(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		now := working.Add(1)
		for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
		}
		<-leave
		working.Add(-1)
	}))))
	var clients sync.WaitGroup
	answers := make(chan *http.Response, 100)
	ask := func() {
		clients.Go(func() {
			answer, body := send(t, "POST", s.URL)
			if answer.StatusCode == 503 && !strings.HasPrefix(body, "server.busy: ") {
				t.Error(body)
			}
			answers <- answer
		})
	}
	for range 5 {
		ask()
	}
	await(t, func() bool { return a.Working() == 2 && a.Waiting() == 3 })
	wantSeries(t, scrape(t, m), map[string]float64{
		`urikake_http_working{class="commands"}`: 2, `urikake_http_waiting{class="commands"}`: 3, `urikake_http_busy_total{class="commands"}`: 0,
	})
	for range 20 {
		ask()
	}
	for range 20 { // all those are refused at once, while the five still wait
		answer := <-answers
		if retry, err := strconv.Atoi(answer.Header.Get("Retry-After")); answer.StatusCode != 503 || err != nil || retry < 1 {
			t.Error(answer.StatusCode, answer.Header)
		}
	}
	if a.Working() != 2 || a.Waiting() != 3 || a.Refused() != 20 {
		t.Error(a.Working(), a.Waiting(), a.Refused())
	}
	close(leave)
	clients.Wait()
	for range 5 {
		if answer := <-answers; answer.StatusCode != 200 {
			t.Error("one that waited its turn got", answer.StatusCode)
		}
	}
	await(t, func() bool { return a.Working() == 0 && a.Waiting() == 0 })
	if most.Load() != 2 {
		t.Error(most.Load(), "worked at the same time")
	}
}

func await(t testing.TB, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not come to hold")
		}
	}
}

// TestAdmissionPatience has one waiting longer than it may, one whose client goes away, and a handler that panics.
func TestAdmissionPatience(t *testing.T) {
	a := NewAdmission("reads", Load{WorkingMax: 1, WaitingMax: 3, WaitMax: 50 * time.Millisecond}, plainly)
	leave := make(chan struct{})
	s := newServer(t, Recovered(slog.New(slog.DiscardHandler), plainly)(a.Admit(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		<-leave
		panic("on leaving")
	}))))
	first := make(chan int, 1)
	go func() {
		answer, _ := send(t, "GET", s.URL)
		first <- answer.StatusCode
	}()
	await(t, func() bool { return a.Working() == 1 })
	if answer, _ := send(t, "GET", s.URL); answer.StatusCode != 503 {
		t.Error("it waits for ever:", answer.StatusCode)
	}
	impatient := http.Client{Timeout: 10 * time.Millisecond}
	if _, err := impatient.Get(s.URL); err == nil {
		t.Error("it was let in")
	}
	await(t, func() bool { return a.Waiting() == 0 })
	close(leave)
	if status := <-first; status != 500 {
		t.Error(status)
	}
	await(t, func() bool { return a.Working() == 0 })
}

func TestRateLimit(t *testing.T) {
	l := NewRateLimit(5, func(r *http.Request) string { return r.Header.Get("Key") }, plainly)
	s := newServer(t, l.Limit(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	statuses := func(key string) (ok, limited int) {
		for range 12 {
			answer, body := send(t, "GET", s.URL, "Key", key)
			if answer.Header.Get("RateLimit-Limit") != "5" || answer.Header.Get("RateLimit-Remaining") == "" ||
				answer.Header.Get("RateLimit-Reset") == "" {
				t.Error(answer.Header)
			}
			switch answer.StatusCode {
			case 200:
				ok++
			case 429:
				limited++
				if answer.Header.Get("Retry-After") != "1" || !strings.HasPrefix(body, "server.rate_limited: ") {
					t.Error(answer.Header, body)
				}
			}
		}
		return ok, limited
	}
	refused := 0
	for _, key := range []string{"K1", "K2", ""} { // the last counts by its host
		ok, limited := statuses(key)
		if ok < 5 || ok > 10 || ok+limited != 12 { // a new second may have begun meanwhile
			t.Errorf("key %q: %d let in, %d limited", key, ok, limited)
		}
		refused += limited
	}
	if l.Refused() != uint64(refused) {
		t.Error(l.Refused(), refused)
	}
	await(t, func() bool { answer, _ := send(t, "GET", s.URL, "Key", "K1"); return answer.StatusCode == 200 })
	h := http.NewServeMux()
	if NewRateLimit(0, nil, plainly).Limit(h) != http.Handler(h) {
		t.Error("no limit is something")
	}
}

func TestFailures(t *testing.T) {
	f := NewFailures(3, plainly)
	wrong := &domain.Error{Code: domain.Invalid, Rule: "access.wrong_key"}
	s := newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Key") != "good" {
			f.Refuse(w, r, wrong)
		}
	}))
	for i, want := range []int{400, 400, 400, 429, 429} {
		answer, _ := send(t, "GET", s.URL, "Key", "bad"+strconv.Itoa(i))
		if answer.StatusCode != want || (want == 429) != (answer.Header.Get("Retry-After") == "60") {
			t.Error(i, answer.StatusCode, answer.Header)
		}
	}
	if answer, _ := send(t, "GET", s.URL, "Key", "good"); answer.StatusCode != 200 {
		t.Error("a good key is held up by its neighbour's bad ones")
	}
	elsewhere := httptest.NewRequest("GET", "/", nil)
	elsewhere.RemoteAddr = "[2001:db8::1]:99"
	w := httptest.NewRecorder()
	if f.Refuse(w, elsewhere, wrong); w.Code != 400 {
		t.Error("another host is limited:", w.Code)
	}
}

func TestRemoteHost(t *testing.T) {
	for from, want := range map[string]string{
		"127.0.0.1:80": "127.0.0.1", "[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::", "[::ffff:10.0.0.1]:1": "10.0.0.1", "@": "@",
	} {
		if got := remoteHost(&http.Request{RemoteAddr: from}); got != want {
			t.Error(from, got)
		}
	}
}
