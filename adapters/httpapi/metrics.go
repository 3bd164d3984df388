package httpapi

import (
	"context"
	"errors"
	"iter"
	"maps"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/eventstore"
)

// Metrics counts what the server does, in a registry of its own. Names begin with urikake_, times are in seconds.
type Metrics struct {
	registry *prometheus.Registry

	commands     *prometheus.CounterVec
	commandTimes *prometheus.HistogramVec
	requests     *prometheus.CounterVec
	requestTimes *prometheus.HistogramVec
	inFlight     prometheus.Gauge
	wire         *prometheus.CounterVec // calls over EventStoreDB's protocol

	appendTimes map[string]prometheus.Observer // by outcome
	appended    prometheus.Counter
	fault       atomic.Pointer[appendFault]

	names   map[string]prometheus.Observer // the commands that there are
	decided children[decision, prometheus.Counter]
	served  children[service, servedBy]
}

// Outcomes of commands.
const (
	outcomeDone     = "done"
	outcomeRepeated = "repeated" // it was there already
	outcomeRefused  = "refused"  // the books or the input forbid it
	outcomeFailed   = "failed"   // the server could not, and the same command may pass later
)

var (
	commandBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}
	appendBuckets  = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5}
)

// NewMetrics counts nothing yet. The commands are those of the catalog; any other name is counted as "unknown".
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		commands: counters("commands_total", "Commands by what came of them.", "command", "outcome", "rule"),
		commandTimes: histograms("command_duration_seconds", "Time from a command's decoding to its receipt or refusal.",
			commandBuckets, "command"),
		requests: counters("http_requests_total", "Requests by the route's pattern and the answer's status.",
			"route", "method", "status"),
		requestTimes: histograms("http_request_duration_seconds", "Time from a request's header to the end of its answer.",
			commandBuckets, "route", "method"),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "urikake", Name: "http_requests_in_flight", Help: "Requests being answered now, feeds among them.",
		}),
		wire: counters("eventstore_calls_total", "Calls over EventStoreDB's protocol that ended, by method and status.",
			"method", "code"),
		appended: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "urikake", Name: "log_appended_events_total", Help: "Events that this process appended to the log.",
		}),
		names: map[string]prometheus.Observer{},
	}
	appends := histograms("log_append_duration_seconds", "Time from an append to its being durable.", appendBuckets, "outcome")
	m.appendTimes = map[string]prometheus.Observer{}
	for _, outcome := range []string{outcomeDone, outcomeRefused, outcomeFailed} {
		m.appendTimes[outcome] = appends.WithLabelValues(outcome)
	}
	for _, c := range catalog.Commands() {
		m.names[c.Name()] = m.commandTimes.WithLabelValues(c.Name())
	}
	m.names[unknown] = m.commandTimes.WithLabelValues(unknown)
	m.registry.MustRegister(m.commands, m.commandTimes, m.requests, m.requestTimes, m.inFlight, m.wire, m.appended, appends,
		buildInfo(), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "urikake", Name: name, Help: help}, labels)
}

func histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(
		prometheus.HistogramOpts{Namespace: "urikake", Name: name, Help: help, Buckets: buckets}, labels)
}

func buildInfo() prometheus.Collector {
	version, revision := unknown, unknown
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "urikake", Name: "build_info", Help: "What was built, always 1.",
		ConstLabels: prometheus.Labels{"version": version, "revision": revision, "goversion": runtime.Version()},
	})
	g.Set(1)
	return g
}

// Handler answers a scrape.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{DisableCompression: true, MaxRequestsInFlight: 4})
}

const (
	unknown = "unknown"
	other   = "other"

	// labelSetsMax bounds the label sets of one metric. Ours are far fewer; this is for the day when somebody lets a
	// client's words become a label.
	labelSetsMax = 2_000
)

type decision struct{ command, outcome, rule string }

// Command counts a command by its wire name, and the rule that refused it. took is from its decoding to its receipt.
// It may be called for each of several commands in one request.
func (m *Metrics) Command(name string, repeated bool, err error, took time.Duration) {
	times, known := m.names[name]
	if !known {
		name = unknown
		times = m.names[unknown]
	}
	d := decision{command: name}
	d.outcome, d.rule = outcomeOf(repeated, err)
	m.decided.get(d, decision{unknown, d.outcome, other}, func(d decision) prometheus.Counter {
		return m.commands.WithLabelValues(d.command, d.outcome, d.rule)
	}).Inc()
	times.Observe(took.Seconds())
}

// outcomeOf says what came of a command, and by which rule. Of several faults of one input the first one names it.
func outcomeOf(repeated bool, err error) (outcome, rule string) {
	var refusal *domain.Error
	switch {
	case err == nil && repeated:
		return outcomeRepeated, ""
	case err == nil:
		return outcomeDone, ""
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return outcomeFailed, "cut_off"
	case !errors.As(err, &refusal):
		return outcomeFailed, other
	case refusal.Code == domain.Unavailable, refusal.Code == domain.Internal:
		return outcomeFailed, refusal.Rule
	default:
		return outcomeRefused, refusal.Rule
	}
}

type (
	service  struct{ route, method, status string }
	servedBy struct {
		count prometheus.Counter
		times prometheus.Observer
	}
)

// Requests counts requests by their route's pattern. It belongs on the root router, after AccessLog.
func (m *Metrics) Requests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, w, r := noted(w, r)
		m.inFlight.Inc()
		whole := false
		defer func() {
			m.inFlight.Dec()
			n.broken = !whole
			m.answered(n, r)
		}()
		next.ServeHTTP(w, r)
		whole = true
	})
}

func (m *Metrics) answered(n *note, r *http.Request) {
	s := service{n.route(r), methodLabel(r.Method), "broken_off"}
	if !n.broken {
		s.status = statusLabel(n.answered())
	}
	by := m.served.get(s, service{other, other, s.status}, func(s service) servedBy {
		return servedBy{m.requests.WithLabelValues(s.route, s.method, s.status), m.requestTimes.WithLabelValues(s.route, s.method)}
	})
	by.count.Inc()
	by.times.Observe(time.Since(n.started).Seconds())
}

func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return other // a client may make up any
}

var statusLabels = func() (labels [600]string) {
	for i := range labels {
		labels[i] = strconv.Itoa(i)
	}
	return labels
}()

func statusLabel(status int) string {
	if status < 0 || status >= len(statusLabels) {
		return other
	}
	return statusLabels[status]
}

// children finds the counters of a label set without a lock and without an allocation.
type children[K comparable, V any] struct {
	known atomic.Pointer[map[K]V]
	mu    sync.Mutex
}

// get makes what is not there yet; when there are too many label sets, it is the one for all the rest.
func (c *children[K, V]) get(k, rest K, make func(K) V) V {
	if known := c.known.Load(); known != nil {
		if v, ok := (*known)[k]; ok {
			return v
		}
	}
	return c.add(k, rest, make)
}

func (c *children[K, V]) add(k, rest K, make func(K) V) V {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := map[K]V{}
	if old := c.known.Load(); old != nil {
		known = *old
	}
	if len(known) >= labelSetsMax {
		k = rest
	}
	if v, ok := known[k]; ok {
		return v
	}
	grown := maps.Clone(known)
	v := make(k)
	grown[k] = v
	c.known.Store(&grown)
	return v
}

// Instrument measures a log's appends. Everything else goes to the log as it is.
func (m *Metrics) Instrument(store eventstore.Store) eventstore.Store { return measured{store, m} }

type measured struct {
	eventstore.Store
	metrics *Metrics
}

// Backwards is the log's own way, where it has one.
func (s measured) Backwards(ctx context.Context, from eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return eventstore.Backwards(ctx, s.Store, from)
}

func (s measured) Append(ctx context.Context, stream string, expected eventstore.Version,
	events ...eventstore.Proposed,
) (eventstore.Position, error) {
	began := time.Now()
	position, err := s.Store.Append(ctx, stream, expected, events...)
	outcome, _ := outcomeOf(false, err)
	s.metrics.appendTimes[outcome].Observe(time.Since(began).Seconds())
	if err == nil {
		s.metrics.appended.Add(float64(len(events)))
	}
	if ctx.Err() == nil { // a caller who went away says nothing about the log
		s.metrics.noteFault(err)
	}
	return position, err
}

// AppendInOrder is for imports, which are not what the log's times are measured for.
func (s measured) AppendInOrder(ctx context.Context, appends []eventstore.Append) error {
	return eventstore.AppendInOrder(ctx, s.Store, appends)
}

type appendFault struct {
	at  time.Time
	err error
}

// noteFault keeps the last append's failure until one succeeds.
func (m *Metrics) noteFault(err error) {
	switch {
	case errors.Is(err, eventstore.ErrUnavailable), errors.Is(err, eventstore.ErrDamaged):
		m.fault.Store(&appendFault{time.Now(), err})
	case err == nil && m.fault.Load() != nil:
		m.fault.Store(nil)
	}
}

// AppendFault is why the last append failed, if the log was at fault and that was not longer ago than within. A log
// that is refused for so long that nobody appends any more is worth a new try.
func (m *Metrics) AppendFault(within time.Duration) error {
	if f := m.fault.Load(); f != nil && time.Since(f.at) <= within {
		return f.err
	}
	return nil
}
