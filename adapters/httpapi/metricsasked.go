package httpapi

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/urikake/urikake/adapters/trail"
	"github.com/urikake/urikake/eventstore"
)

// Log asks, at each scrape, how many events the log has, how many commits this process made, and how many appends wait
// for the next one. Appended events over commits is how many callers share one wait for the disk.
func (m *Metrics) Log(stats func() (events, commits, grouped, waiting uint64)) {
	m.gauge("log_events", "Events in the log.", nil, func() float64 { events, _, _, _ := stats(); return float64(events) })
	m.counter("log_commits_total", "Commits of this process.", nil, func() float64 { _, commits, _, _ := stats(); return float64(commits) })
	m.counter("log_grouped_events_total", "Events in those commits; over commits it is the mean size of a group.", nil,
		func() float64 { _, _, grouped, _ := stats(); return float64(grouped) })
	m.gauge("log_queue_depth", "Appends that wait for the log's writer.", nil, func() float64 { _, _, _, waiting := stats(); return float64(waiting) })
}

// Lag asks, at each scrape, by how many events the read models are behind the log.
func (m *Metrics) Lag(lag func() uint64) {
	m.gauge("views_lag_events", "Events in the log that the read models have not folded yet.", nil,
		func() float64 { return float64(lag()) })
}

// Trail asks, at each scrape, how the access trail does.
func (m *Metrics) Trail(stats func() trail.Stats, clock eventstore.Clock) {
	m.counter("trail_lines_total", "Lines that this process wrote to the access trail.", nil, func() float64 { return float64(stats().Lines) })
	m.counter("trail_bytes_total", "Bytes of those lines.", nil, func() float64 { return float64(stats().Bytes) })
	m.counter("trail_refused_reads_total", "Reads that were refused since the access trail could not be written.", nil,
		func() float64 { return float64(stats().Refused) })
	m.counter("trail_faults_total", "Writes and syncs of the access trail that failed.", nil, func() float64 { return float64(stats().Faults) })
	m.gauge("trail_anchor_age_seconds", "Time since the newest anchor of the access trail was signed; NaN while there is none.", nil, func() float64 {
		if at := stats().Anchored; !at.IsZero() {
			return clock().Sub(at).Seconds()
		}
		return math.NaN()
	})
}

// Admission shows how a class of requests is let in.
func (m *Metrics) Admission(a *Admission) {
	class := prometheus.Labels{"class": a.class}
	m.gauge("http_working", "Requests let in and not yet answered.", class, func() float64 { return float64(a.Working()) })
	m.gauge("http_waiting", "Requests waiting to be let in.", class, func() float64 { return float64(a.Waiting()) })
	m.counter("http_busy_total", "Requests refused because too many were there.", class, func() float64 { return float64(a.Refused()) })
}

// RateLimits shows how often a client was told to slow down.
func (m *Metrics) RateLimits(refused func() uint64) {
	m.counter("http_rate_limited_total", "Requests refused because their client sent too many.", nil,
		func() float64 { return float64(refused()) })
}

func (m *Metrics) gauge(name, help string, labels prometheus.Labels, value func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{Namespace: "urikake", Name: name, Help: help, ConstLabels: labels}, value))
}

func (m *Metrics) counter(name, help string, labels prometheus.Labels, value func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(
		prometheus.CounterOpts{Namespace: "urikake", Name: name, Help: help, ConstLabels: labels}, value))
}
