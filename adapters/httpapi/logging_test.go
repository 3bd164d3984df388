package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"

	"github.com/urikake/urikake/domain"
)

// plainly answers a refusal in one line; the router's problems are richer.
func plainly(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	var refusal *domain.Error
	if errors.As(err, &refusal) {
		switch refusal.Code {
		case domain.Unavailable:
			status = http.StatusServiceUnavailable
		case TooMany:
			status = http.StatusTooManyRequests
		case domain.Invalid:
			status = http.StatusBadRequest
		}
		noteOf(r.Context()).rule = refusal.Rule
	}
	w.WriteHeader(status)
	fmt.Fprint(w, err)
}

// lines collects what is logged.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// all waits for n lines: a line is written after its answer.
func (l *lines) all(t *testing.T, n int) (list []map[string]any) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); strings.Count(l.text(), "\n") < n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d lines were awaited:\n%s", n, l.text())
		}
	}
	for line := range strings.Lines(l.text()) {
		m := map[string]any{}
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		list = append(list, m)
	}
	return list
}

func (l *lines) logger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: level}))
}

func newServer(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// send makes a request with headers in pairs.
func send(t testing.TB, method, url string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func TestAccessLog(t *testing.T) {
	var l lines
	router := chi.NewRouter()
	router.Use(AccessLog(l.logger(slog.LevelInfo)))
	router.Post("/sellers/{seller}/commands", func(w http.ResponseWriter, r *http.Request) {
		n := noteOf(r.Context())
		n.actor, n.keyID, n.command, n.outcome, n.position = "taro", "K1", "RecordPayment", outcomeDone, 42
		fmt.Fprint(w, correlationOf(r.Context()))
	})
	router.Get("/broken", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	router.Get("/healthz", func(http.ResponseWriter, *http.Request) {})
	s := newServer(t, router)

	answer, body := send(t, "POST", s.URL+"/sellers/SECRETPATH/commands?token=SECRETQUERY", "Authorization", "Bearer SECRETKEY",
		"X-Request-Id", "req-1", "X-Correlation-Id", "month-end:7")
	if body != "month-end:7" || answer.Header.Get("X-Request-Id") != "req-1" || answer.Header.Get("X-Correlation-Id") != "month-end:7" {
		t.Error(body, answer.Header)
	}
	send(t, "GET", s.URL+"/broken")
	send(t, "GET", s.URL+"/healthz")
	send(t, "GET", s.URL+"/nowhere/SECRETPATH")

	list := l.all(t, 3)
	if len(list) != 3 {
		t.Fatalf("a probe was logged: %v", list)
	}
	for key, want := range map[string]any{
		"level": "INFO", "msg": "request", "method": "POST", "route": "/sellers/{seller}/commands", "status": 200.0,
		"bytes": 11.0, "request_id": "req-1", "correlation_id": "month-end:7", "actor": "taro", "key": "K1",
		"command": "RecordPayment", "outcome": "done", "position": 42.0,
	} {
		if list[0][key] != want {
			t.Errorf("%s is %v, want %v", key, list[0][key], want)
		}
	}
	if ms, ok := list[0]["ms"].(float64); !ok || ms < 0 || ms > 5000 || !strings.HasPrefix(list[0]["remote"].(string), "127.0.0.1:") {
		t.Error(list[0])
	}
	if list[1]["level"] != "ERROR" || list[1]["status"] != 502.0 || list[1]["actor"] != nil {
		t.Error(list[1])
	}
	if list[2]["level"] != "INFO" || list[2]["status"] != 404.0 || list[2]["route"] != "none" {
		t.Error(list[2])
	}
	if strings.Contains(l.text(), "SECRET") {
		t.Error("a secret is in the log:", l.text())
	}
}

func TestRequestIDs(t *testing.T) {
	s := newServer(t, AccessLog(slog.New(slog.DiscardHandler))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	for _, good := range []string{"a", "A-1_b.c:d", strings.Repeat("x", 64)} {
		if answer, _ := send(t, "GET", s.URL, "X-Request-Id", good); answer.Header.Get("X-Request-Id") != good ||
			answer.Header.Get("X-Correlation-Id") != good {
			t.Error(good, answer.Header)
		}
	}
	seen := map[string]bool{}
	for _, bad := range []string{"", strings.Repeat("x", 65), "a b", `a"b`, "a\tb", "é", "{a}", "a/b"} {
		answer, _ := send(t, "GET", s.URL, "X-Request-Id", bad, "X-Correlation-Id", bad)
		id := answer.Header.Get("X-Request-Id")
		if _, err := uuid.Parse(id); err != nil || seen[id] || answer.Header.Get("X-Correlation-Id") != id {
			t.Errorf("%q gave %q: %v", bad, id, err)
		}
		seen[id] = true
	}
}

func TestRecovered(t *testing.T) {
	var l lines
	router := chi.NewRouter()
	router.Use(AccessLog(l.logger(slog.LevelInfo)), Recovered(l.logger(slog.LevelInfo), plainly))
	router.Get("/early", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "4000")
		var nothing []int
		fmt.Fprint(w, nothing[len(nothing)])
	})
	router.Get("/late", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Repeat("half of it ", 1000))
		panic("late")
	})
	router.Get("/abort", func(http.ResponseWriter, *http.Request) { panic(fmt.Errorf("enough: %w", http.ErrAbortHandler)) })
	s := newServer(t, router)

	answer, body := send(t, "GET", s.URL+"/early")
	if answer.StatusCode != 500 || !strings.HasPrefix(body, "server.panicked: ") {
		t.Error(answer.StatusCode, body)
	}
	list := l.all(t, 2)
	if list[0]["msg"] != "panic" || list[0]["route"] != "/early" || !strings.Contains(list[0]["stack"].(string), "logging_test.go") ||
		list[0]["request_id"] != answer.Header.Get("X-Request-Id") {
		t.Error(list[0])
	}
	if list[1]["rule"] != "server.panicked" || list[1]["level"] != "ERROR" || list[1]["broken_off"] != nil {
		t.Error(list[1])
	}

	for _, path := range []string{"/late", "/abort"} {
		answer, err := http.Get(s.URL + path)
		if err == nil {
			_, err = io.ReadAll(answer.Body)
			answer.Body.Close()
		}
		if err == nil {
			t.Errorf("%s looks whole", path)
		}
	}
	list = l.all(t, 5)
	panics := 0
	for _, line := range list {
		if line["msg"] == "panic" {
			panics++
		}
	}
	if panics != 2 || list[3]["broken_off"] != true || list[4]["broken_off"] != true {
		t.Error(l.text())
	}
}

// fragile is a disk that fails once.
type fragile struct {
	lines
	fails bool
}

func (f *fragile) Write(b []byte) (int, error) {
	f.mu.Lock()
	fails := f.fails
	f.mu.Unlock()
	if fails {
		return 0, errors.New("disk full")
	}
	return f.lines.Write(b)
}

func TestLogBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out fragile
		b := NewLogBuffer(&out)
		write := func(n int) (err error) {
			for range n {
				if _, failed := fmt.Fprintf(b, "%099d\n", 0); failed != nil {
					err = failed
				}
			}
			return err
		}
		if err := write(1); err != nil || out.text() != "" {
			t.Error(err, out.text())
		}
		time.Sleep(logBufferTime + time.Millisecond)
		if len(out.text()) != 100 {
			t.Error("after a while:", len(out.text()))
		}
		if err := write(1000); err != nil {
			t.Error(err)
		}
		if got := out.text(); len(got) != 65_500+100 {
			t.Error("a full buffer, of whole lines:", len(got))
		}
		out.fails = true
		if write(1000) == nil {
			t.Error("nobody hears of lost lines")
		}
		out.fails = false
		if err := errors.Join(write(10), b.Close()); err != nil {
			t.Error("it never recovers:", err)
		}
		if got := out.text(); len(got)%100 != 0 || strings.Count(got, "\n")*100 != len(got) {
			t.Error("a line was torn apart")
		}
	})
}
