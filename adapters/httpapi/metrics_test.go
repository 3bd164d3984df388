package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/sqlite"
)

// scrape reads /metrics as Prometheus does: a series with its labels, and its value.
func scrape(t testing.TB, m *Metrics) map[string]float64 {
	t.Helper()
	s := newServer(t, m.Handler())
	answer, body := send(t, "GET", s.URL)
	if answer.StatusCode != 200 {
		t.Fatal(answer.StatusCode, body)
	}
	values := map[string]float64{}
	scan := bufio.NewScanner(strings.NewReader(body))
	for scan.Scan() {
		if line := scan.Text(); !strings.HasPrefix(line, "#") {
			at := strings.LastIndexByte(line, ' ')
			value, err := strconv.ParseFloat(line[at+1:], 64)
			if err != nil {
				t.Fatal(line, err)
			}
			values[line[:at]] = value
		}
	}
	return values
}

func wantSeries(t testing.TB, got, want map[string]float64) {
	t.Helper()
	for series, value := range want {
		if v, ok := got[series]; !ok || v != value {
			t.Errorf("%s is %v (there: %v), want %v", series, v, ok, value)
		}
	}
}

func TestCommandMetrics(t *testing.T) {
	m := NewMetrics()
	faults := domain.Faults{}
	faults.Add("/a", domain.ErrMissing)
	faults.Add("/b", domain.ErrTooLong)
	m.Command("RecordPayment", false, nil, 3*time.Millisecond)
	m.Command("RecordPayment", false, nil, 3*time.Millisecond)
	m.Command("RecordPayment", true, nil, time.Millisecond)
	m.Command("RecordPayment", false, fmt.Errorf("so: %w", eventstore.ErrWrongVersion), time.Millisecond)
	m.Command("RecordPayment", false, faults, time.Millisecond)
	m.Command("RecordPayment", false, eventstore.ErrUnavailable, time.Millisecond)
	m.Command("RecordPayment", false, errors.New("disk on fire"), time.Millisecond)
	m.Command("RecordPayment", false, context.Canceled, time.Millisecond)
	for i := range 10_000 {
		m.Command("made.up_"+strconv.Itoa(i), false, domain.ErrUnknown, time.Millisecond)
	}
	got := scrape(t, m)
	of := func(outcome, rule string) string {
		return fmt.Sprintf(`urikake_commands_total{command="RecordPayment",outcome=%q,rule=%q}`, outcome, rule)
	}
	wantSeries(t, got, map[string]float64{
		of("done", ""): 2, of("repeated", ""): 1, of("refused", "log.wrong_version"): 1, of("refused", "input.missing"): 1,
		of("failed", "log.unavailable"): 1, of("failed", "other"): 1, of("failed", "cut_off"): 1,
		`urikake_commands_total{command="unknown",outcome="refused",rule="input.unknown_value"}`: 10_000,
		`urikake_command_duration_seconds_count{command="RecordPayment"}`:                        8,
		`urikake_command_duration_seconds_bucket{command="RecordPayment",le="0.0025"}`:           6,
		`urikake_log_append_duration_seconds_count{outcome="done"}`:                              0,
	})
	if got["go_goroutines"] < 1 || len(got) > 1_000 {
		t.Error(len(got), "series")
	}
	for series, value := range got {
		if strings.HasPrefix(series, "urikake_build_info{") && value == 1 {
			return
		}
	}
	t.Error("no build info")
}

// TestLabelsAreBounded is about somebody who lets a client's words become a rule.
func TestLabelsAreBounded(t *testing.T) {
	m := NewMetrics()
	var many sync.WaitGroup
	for g := range 4 {
		many.Go(func() {
			for i := range 2_000 {
				m.Command("RecordPayment", false, &domain.Error{Code: domain.Invalid, Rule: fmt.Sprint(g, ".", i)}, 0)
			}
		})
	}
	many.Wait()
	series, total := 0, 0.0
	for name, value := range scrape(t, m) {
		if strings.HasPrefix(name, "urikake_commands_total") {
			series++
			total += value
		}
	}
	if series > labelSetsMax+1 || total != 8_000 {
		t.Error(series, total)
	}
}

func TestRequestMetrics(t *testing.T) {
	m := NewMetrics()
	inside, leave := make(chan struct{}), make(chan struct{})
	router := chi.NewRouter()
	router.Use(AccessLog(slog.New(slog.DiscardHandler)), m.Requests)
	router.Route("/v1", func(r chi.Router) {
		r.Get("/invoices/{invoice}", func(w http.ResponseWriter, r *http.Request) {
			if chi.URLParam(r, "invoice") == "none" {
				w.WriteHeader(404)
			}
		})
		r.Get("/wait", func(http.ResponseWriter, *http.Request) { close(inside); <-leave })
		r.Post("/abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	})
	s := newServer(t, router)
	for i := range 20 {
		send(t, "GET", fmt.Sprint(s.URL, "/v1/invoices/I", i))
		send(t, "GET", fmt.Sprint(s.URL, "/elsewhere/", i))
	}
	send(t, "GET", s.URL+"/v1/invoices/none")
	send(t, "BREW", s.URL+"/v1/invoices/I1")
	if answer, err := http.Post(s.URL+"/v1/abort", "", nil); err == nil { // a GET would be sent again
		answer.Body.Close()
		t.Error("it looks answered")
	}
	var waits sync.WaitGroup
	waits.Go(func() { send(t, "GET", s.URL+"/v1/wait") })
	<-inside
	wantSeries(t, scrape(t, m), map[string]float64{`urikake_http_requests_in_flight`: 1})
	close(leave)
	waits.Wait()
	s.Close() // waits for the handlers, which count after their answers

	of := func(route, method, status string) string {
		return fmt.Sprintf(`urikake_http_requests_total{method=%q,route=%q,status=%q}`, method, route, status)
	}
	got := scrape(t, m)
	wantSeries(t, got, map[string]float64{
		of("/v1/invoices/{invoice}", "GET", "200"): 20, of("/v1/invoices/{invoice}", "GET", "404"): 1,
		of("none", "GET", "404"): 20, of("/v1/abort", "POST", "broken_off"): 1, of("/v1/wait", "GET", "200"): 1,
		`urikake_http_request_duration_seconds_count{method="GET",route="/v1/invoices/{invoice}"}`: 21,
		`urikake_http_requests_in_flight`: 0,
	})
	for series := range got {
		if strings.Contains(series, "BREW") || strings.Contains(series, "elsewhere") {
			t.Error("a client's words became a label:", series)
		}
	}
}

func TestLogMetrics(t *testing.T) {
	raw, err := sqlite.Open(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	m := NewMetrics()
	store := m.Instrument(raw)
	m.Log(func() (events, commits, grouped, waiting uint64) {
		stats := raw.Stats()
		return stats.Events, stats.Commits, stats.GroupEvents, uint64(stats.QueueLen)
	})
	lag := uint64(7)
	m.Lag(func() uint64 { return lag })

	proposed := func() eventstore.Proposed {
		return eventstore.Proposed{ID: uuid.New(), Kind: "k", Schema: 1, Data: []byte("{}"), Metadata: []byte("{}")}
	}
	if _, err := store.Append(t.Context(), "s", 0, proposed(), proposed()); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Append(t.Context(), "s", 0, proposed()); !errors.Is(err, eventstore.ErrWrongVersion) {
		t.Fatal(err)
	}
	if m.AppendFault(time.Minute) != nil {
		t.Error("a conflict is no fault of the log")
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.Append(gone, "s", 2, proposed()); err == nil || m.AppendFault(time.Minute) != nil {
		t.Error("a caller who went away is no fault of the log:", err)
	}
	wantSeries(t, scrape(t, m), map[string]float64{
		`urikake_log_events`: 2, `urikake_log_commits_total`: 1, `urikake_log_appended_events_total`: 2, `urikake_views_lag_events`: 7,
		`urikake_log_append_duration_seconds_count{outcome="done"}`:    1,
		`urikake_log_append_duration_seconds_count{outcome="refused"}`: 1,
		`urikake_log_append_duration_seconds_count{outcome="failed"}`:  1,
	})

	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Append(t.Context(), "s", 2, proposed()); !errors.Is(m.AppendFault(time.Minute), eventstore.ErrUnavailable) {
		t.Error(err, m.AppendFault(time.Minute))
	}
	if m.AppendFault(0) != nil {
		t.Error("an old fault does not count")
	}
}

// BenchmarkObserved is what the log, metrics and limits cost a request, without a network.
func BenchmarkObserved(b *testing.B) {
	m := NewMetrics()
	router := chi.NewRouter()
	router.Use(AccessLog(slog.New(slog.NewJSONHandler(devNull{}, nil))), Recovered(slog.Default(), plainly), m.Requests,
		NewRateLimit(1<<30, func(*http.Request) string { return "K1" }, plainly).Limit,
		NewAdmission("commands", CommandLoad, plainly).Admit)
	router.Post("/v1/commands", func(_ http.ResponseWriter, r *http.Request) {
		m.Command("RecordPayment", false, nil, time.Millisecond)
	})
	bare := chi.NewRouter()
	bare.Post("/v1/commands", func(http.ResponseWriter, *http.Request) {})
	for name, h := range map[string]http.Handler{"bare": bare, "observed": router} {
		b.Run(name, func(b *testing.B) {
			r, _ := http.NewRequest("POST", "/v1/commands", nil)
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(nowhere{http.Header{}}, r)
			}
		})
	}
}

type devNull struct{}

func (devNull) Write(b []byte) (int, error) { return len(b), nil }

type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n nowhere) WriteHeader(int)             {}

// TestMetricsAreDocumented: what is shown stands in the docs, and what stands there is shown.
func TestMetricsAreDocumented(t *testing.T) {
	b, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{"urikake_eventstore_calls_total": true} // of calls that nobody makes here
	h := open(t)
	h.furnish("S")
	m := h.api.metrics
	m.Instrument(h.books.Store)
	m.Log(func() (events, commits, grouped, waiting uint64) { return 0, 0, 0, 0 })
	m.Lag(func() uint64 { return 0 })
	m.Trail(h.books.Trail.Stats, h.books.Clock)
	for series := range scrape(t, m) {
		name, _, _ := strings.Cut(series, "{")
		for _, part := range []string{"_bucket", "_sum", "_count"} {
			name = strings.TrimSuffix(name, part)
		}
		if strings.HasPrefix(name, "urikake_") {
			told[name] = true
		}
	}
	documented := make(map[string]bool)
	for _, name := range regexp.MustCompile("`urikake_[a-z_]+`").FindAllString(string(b), -1) {
		documented[strings.Trim(name, "`")] = true
	}
	if diff := cmp.Diff(documented, told); diff != "" {
		t.Errorf("docs/operations.md (-docs +code): %s", diff)
	}
}
