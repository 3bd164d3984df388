package httpapi

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/eventstore"
)

// Options say how the API is kept. The zero value serves within one process: no log, no limits on rates.
type Options struct {
	Log     *slog.Logger
	Metrics *Metrics                        // the store should be instrumented by it
	Tracing func(http.Handler) http.Handler // nil: none
	Health  *Health                         // nil: always ready
	Rate    int                             // requests a second of one key; 0: no limit
}

// layers are what every request passes, from the outside in: it gets its ids and its line in the log, is counted and
// traced; a panic stays within it, and its answer is packed.
func (a *API) layers(o Options) chi.Middlewares {
	layers := chi.Middlewares{AccessLog(a.log), a.metrics.Requests}
	if o.Tracing != nil {
		layers = append(layers, o.Tracing)
	}
	return append(layers, Recovered(a.log, refuse), packed)
}

// packed compresses answers, but not feeds: an event must not wait for others to be packed with.
func packed(next http.Handler) http.Handler {
	compressed := Compress(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == eventsPath {
			next.ServeHTTP(w, r)
			return
		}
		compressed.ServeHTTP(w, r)
	})
}

// guards stand before all routes of the books: who asks is known first, then how often he may, then whether there is
// room. Event feeds have a bound of their own.
func (a *API) guards(o Options) chi.Middlewares {
	commands, reads := NewAdmission("commands", CommandLoad, refuse), NewAdmission("reads", ReadLoad, refuse)
	rate := NewRateLimit(o.Rate, rateKey, refuse)
	a.metrics.Admission(commands)
	a.metrics.Admission(reads)
	a.metrics.RateLimits(rate.Refused)
	admit := func(next http.Handler) http.Handler {
		command, read := commands.Admit(next), reads.Admit(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodPost:
				command.ServeHTTP(w, r)
			case r.URL.Path == eventsPath:
				next.ServeHTTP(w, r)
			default:
				read.ServeHTTP(w, r)
			}
		})
	}
	return chi.Middlewares{a.identified, rate.Limit, admit}
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

// methods lists what a path takes, for 405.
func (a *API) methods(r *http.Request) string {
	var list []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		if a.mux.Match(chi.NewRouteContext(), method, r.URL.Path) {
			list = append(list, method)
		}
	}
	return strings.Join(list, ", ")
}
