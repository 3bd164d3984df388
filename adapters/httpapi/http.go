package httpapi

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/eventstore"
)

// Options say how the API is kept. The zero value serves within one process: no log, no limits on rates.
type Options struct {
	Log     *slog.Logger                    // of the server
	Access  *slog.Logger                    // one line a request; Log when nil
	Metrics *Metrics                        // the store should be instrumented by it
	Tracing func(http.Handler) http.Handler // nil: none
	Health  *Health                         // nil: always ready
	Rate    int                             // requests a second of one key; 0: no limit
	Begun   func() error                    // refuses until the ledger can be asked, as while its log is away from the start; nil: it can
}

// layers are what every request passes, from the outside in: it gets its ids and its line in the log, is counted and
// traced; a panic stays within it, and its answer is packed.
func (a *API) layers(o Options) chi.Middlewares {
	layers := chi.Middlewares{AccessLog(cmp.Or(o.Access, a.log)), a.metrics.Requests}
	if o.Tracing != nil {
		layers = append(layers, o.Tracing)
	}
	return append(layers, Recovered(a.log, refuse), plain, packed, middleware.GetHead)
}

// plain keeps browsers from guessing what an answer is.
func plain(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// packed compresses answers, but not feeds: an event must not wait for others to be packed with; nor backups, whose length
// tells a client how much is to come.
func packed(next http.Handler) http.Handler {
	compressed := Compress(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == eventsPath || r.URL.Path == backupPath {
			next.ServeHTTP(w, r)
			return
		}
		compressed.ServeHTTP(w, r)
	})
}

// class is a kind of request with bounds of its own, so that large bodies take no more memory than there is, and long
// lists keep no command waiting. The share is what one key may have under way: slow clients of one holder keep nobody
// else's waiting.
type class struct {
	Load
	share int
}

var classes = map[string]class{
	"commands": {CommandLoad, 128},
	"reads":    {ReadLoad, 64},
	"reports":  {Load{WorkingMax: 32, WaitingMax: 256, WaitMax: 5 * time.Second}, 8}, // whole, as a client takes them
	"batches":  {Load{WorkingMax: 16, WaitingMax: 64, WaitMax: 5 * time.Second}, 4},
	"imports":  {Load{WorkingMax: 3, WaitingMax: 4, WaitMax: 10 * time.Second}, 1},
	"dunning":  {Load{WorkingMax: 2, WaitingMax: 8, WaitMax: 10 * time.Second}, 1},  // over all debtors of a seller
	"keys":     {Load{WorkingMax: 16, WaitingMax: 64, WaitMax: 2 * time.Second}, 8}, // whatever else is going on
	"feeds":    {Load{WorkingMax: feedReadersMax, WaitMax: time.Millisecond}, 200},
}

// lists are the last words of routes that answer with many rows.
var lists = map[string]bool{
	"aging": true, "balances": true, "unapplied": true, "statement": true, "history": true, "invoices": true, "customers": true,
	"decisions": true, "reminders": true, "queue": true, "receipts": true,
}

// works are the last words of routes under which work over all debtors is asked for.
var works = map[string]bool{"runs": true, "sendings": true, "simulations": true}

// classOf says by its route of what class a request is.
func classOf(r *http.Request) string {
	route := chi.RouteContext(r.Context()).RoutePattern()
	last := route[strings.LastIndexByte(route, '/')+1:]
	switch {
	case route == eventsPath:
		return "feeds"
	case strings.HasPrefix(route, keysPath):
		return "keys"
	case r.Method != http.MethodPost && lists[last]:
		return "reports"
	case r.Method != http.MethodPost:
		return "reads"
	case route == batchPath:
		return "batches"
	case strings.HasSuffix(route, "/imports/receivables"):
		return "imports"
	case works[last]:
		return "dunning"
	}
	return "commands"
}

// guards stand before all routes of the books: whether they are open and who asks is known first, then how often he may, then whether there is
// room.
func (a *API) guards(o Options) chi.Middlewares {
	rate := NewRateLimit(o.Rate, rateKey, refuse)
	a.metrics.RateLimits(rate.Refused)
	doors, shares := make(map[string]*Admission), make(map[string]*Share)
	for name, c := range classes {
		doors[name], shares[name] = NewAdmission(name, c.Load, refuse), NewShare(c.share, rateKey, refuse)
		a.metrics.Admission(doors[name])
	}
	admit := func(next http.Handler) http.Handler { // called once for each route
		in := make(map[string]http.Handler)
		for name, door := range doors {
			in[name] = shares[name].Bound(door.Admit(next))
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { in[classOf(r)].ServeHTTP(w, r) })
	}
	return chi.Middlewares{onceBegun(o.Begun), a.identified, rate.Limit, admit, a.recorded}
}

// onceBegun refuses everything for as long as the ledger has not begun.
func onceBegun(yet func() error) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		if yet == nil {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := yet(); err != nil {
				refuse(w, r, err)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// identified finds out who asks, or refuses.
func (a *API) identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := a.identify(r)
		if err != nil {
			if ruleOf(err) == ErrNoKey.Rule {
				a.failures.Refuse(w, r, err)
			} else {
				refuse(w, r, err)
			}
			return
		}
		n := noteOf(r.Context())
		n.actor, n.keyID = p.Actor, string(p.Key)
		next.ServeHTTP(w, r.WithContext(As(r.Context(), p)))
	})
}

func rateKey(r *http.Request) string {
	p, _ := principalOf(r.Context())
	return string(p.Key)
}

// addOperations adds what operators ask. Probes are open; the metrics are not, once there are keys.
func (a *API) addOperations(o Options) {
	health := cmp.Or(o.Health, NewHealth())
	a.mux.Get("/healthz", health.Live)
	a.mux.Get("/readyz", health.Ready)
	metrics := a.metrics.Handler()
	a.mux.Get("/metrics", func(w http.ResponseWriter, r *http.Request) {
		p, err := a.identify(r)
		if err == nil {
			err = p.May(access.ReadMetrics, "")
		}
		if err != nil {
			refuse(w, r, err)
			return
		}
		metrics.ServeHTTP(w, r)
	})
}

// noteProblem leaves the rule to the log, and, of the server's own faults, what they were.
func noteProblem(ctx context.Context, p *Problem, err error) {
	n := noteOf(ctx)
	n.rule = p.Rule
	p.RequestID = n.ids[0]
	if p.Status >= http.StatusInternalServerError && err != nil {
		n.fault = err.Error()
	}
}

// counted notes what became of a command.
func (a *API) counted(ctx context.Context, name string, r eventstore.Receipt, err error, began time.Time) {
	a.metrics.Command(name, r.Repeated, err, time.Since(began))
	n := noteOf(ctx)
	n.command, n.position = name, r.Position
	n.outcome, n.rule = outcomeOf(r.Repeated, err)
}

// methods lists what a path takes, for 405. Whatever can be got can be asked for its head.
func (a *API) methods(r *http.Request) string {
	var list []string
	if a.mux.Match(chi.NewRouteContext(), http.MethodGet, r.URL.Path) {
		list = append(list, http.MethodGet, http.MethodHead)
	}
	if a.mux.Match(chi.NewRouteContext(), http.MethodPost, r.URL.Path) {
		list = append(list, http.MethodPost)
	}
	return strings.Join(list, ", ")
}
