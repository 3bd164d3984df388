// Package httpapi is the ledger over HTTP: every command and every read model, for finance apps, for people with curl,
// and for the command line, which calls the same router within its own process.
//
// A request's way: the outer layers (http.go) count, log and bound it; principal.go says who asks; huma reads and
// checks parameters; admit, the one place that knows roles and sellers, lets it in or not; then a command goes to the
// ledger (commands.go) or a question to the read models (reports.go). Whatever is refused is a problem (problem.go)
// with the rule that refused it.
package httpapi

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"github.com/urikake/urikake/adapters/dunning"
	"github.com/urikake/urikake/adapters/trail"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/merkle"
	"github.com/urikake/urikake/projections"
)

// Books is an open ledger: what is served.
type Books struct {
	Store  eventstore.Store
	Codec  *eventstore.Codec
	Ledger *ledger.Ledger
	Views  *projections.Views
	Audit  *merkle.Log  // the hash tree; nil: there is none
	Trail  *trail.Trail // where reads are recorded; nil: they are not
	Clock  eventstore.Clock
	Outbox func(domain.SellerID) dunning.Outbox   // where a seller's reminders are written to; nil: they can't be sent
	Backup func(context.Context) (*Backup, error) // makes one; nil: the log is elsewhere
}

// API answers requests about one ledger.
type API struct {
	books Books
	keys  *keyring
	feed  *Feed
	log   *slog.Logger
	huma  huma.API
	mux   *chi.Mux

	backups chan struct{} // who makes or sends one has a place

	recordedIDs map[string]string // of the operations that the access trail tells of, by method and path

	metrics  *Metrics
	failures *Failures
	zones    sync.Map // time zones by name: to load one takes as long as to read an invoice
}

// Version is the version of the API, which stands in every path.
const Version = "1"

// New serves the books. Run must run beside it for followers of the event feed.
func New(books Books, options Options) *API {
	a := &API{
		books: books, keys: newKeyring(books.Ledger.Keys), feed: NewFeed(books.Store).PassOver(books.Codec.Foreign).Clear(books.Codec.Clear), log: cmp.Or(options.Log, slog.New(slog.DiscardHandler)),
		mux: chi.NewMux(), metrics: cmp.Or(options.Metrics, NewMetrics()), failures: NewFailures(FailuresMax, refuse),
		recordedIDs: make(map[string]string), backups: make(chan struct{}, 1),
	}
	a.mux.Use(a.layers(options)...)
	a.mux.NotFound(func(w http.ResponseWriter, r *http.Request) { refuse(w, r, ErrNoRoute.With("%.200q", r.URL.Path)) })
	a.mux.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", a.methods(r))
		refuse(w, r, ErrNoMethod.With("%.20q", r.Method))
	})
	a.addOperations(options)
	a.huma = newHuma(a.mux.With(a.guards(options)...))
	a.addCommands()
	a.addBatch()
	a.addReports()
	a.addDiff()
	a.addClaims()
	a.addInvoice()
	a.addParties()
	a.addEvents()
	a.addImports()
	a.addKeys()
	a.addViews()
	a.addAudit()
	a.addTrail()
	a.addBackup()
	a.addPolicies()
	a.addRuns()
	a.addSendings()
	a.addSimulations()
	a.addCases()
	a.addDocs()
	return a
}

// newHuma describes the API; what is added to it is documented in /openapi.json.
func newHuma(router chi.Router) huma.API {
	config := huma.DefaultConfig("urikake", Version)
	config.CreateHooks, config.DocsPath, config.OpenAPIPath, config.SchemasPath = nil, "", "", ""
	config.RejectUnknownQueryParameters = true
	config.Transformers = nil
	setHuma()
	introduce(config.OpenAPI)
	return humachi.New(router, config)
}

// setHuma sets what huma keeps for the whole process, in which several ledgers may be opened at once.
var setHuma = sync.OnceFunc(func() {
	huma.NewErrorWithContext = humaProblem
	huma.NewError = func(status int, text string, errs ...error) huma.StatusError {
		return humaProblem(nil, status, text, errs...)
	}
	huma.DefaultArrayNullable = false // a list that has nothing in it is empty
})

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// Run feeds followers and keeps keys fresh until ctx ends.
func (a *API) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go a.keys.run(ctx)
	return a.feed.Run(ctx)
}

// operation is what every route says of itself.
type operation struct {
	id, method, path string
	tag              string
	summary          string
	about            string
	permission       access.Permission           // "": whoever is let in at all
	writes           bool                        // of any command: closed to roles that may give none
	global           bool                        // of the whole ledger: closed to keys of one seller
	body             int64                       // most bytes of a body
	bodyTime         time.Duration               // in which it must come; bodyTime when 0
	describe         func(*API, *huma.Operation) // completes its description
}

// add registers a route. Everything that huma routes goes through admit.
func add[I any](a *API, o operation, handle func(context.Context, *I) (*huma.StreamResponse, error)) {
	op := huma.Operation{
		OperationID: o.id, Method: o.method, Path: o.path, Summary: o.summary, Description: o.about, Tags: []string{o.tag},
		MaxBodyBytes: o.body, BodyReadTimeout: cmp.Or(o.bodyTime, bodyTime), SkipValidateBody: true,
		Middlewares: huma.Middlewares{a.admitted(o), once},
	}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		lift(ctx)
		asking, asked := projections.Asking(ctx)
		out, err := handle(asking, in)
		if w := noteOf(ctx).ResponseWriter; w != nil && asked.LogAway() {
			w.Header().Set(LogHeader, "away")
		}
		if err != nil {
			p := problemOf(err)
			noteProblem(ctx, p, err)
			return nil, p
		}
		return out, nil
	})
	a.toRecord(o)
	documented := a.documented(o)
	document(a.huma.OpenAPI(), documented, o)
	if o.describe != nil {
		o.describe(a, documented)
	}
}

// documented is a route's description: a copy, since huma would refuse by it what the routes refuse better.
func (a *API) documented(o operation) *huma.Operation {
	item := a.huma.OpenAPI().Paths[o.path]
	op := &item.Get
	if o.method == http.MethodPost {
		op = &item.Post
	}
	if (*op).RequestBody != nil {
		(*op).RequestBody.Required = false
	}
	described := **op
	*op = &described
	return *op
}

// lift takes the deadline for the body back once that has come: it would end a long answer.
func lift(ctx context.Context) {
	if w := noteOf(ctx).ResponseWriter; w != nil {
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	}
}

// bodyTime is how long a body may take to come.
const bodyTime = 30 * time.Second

// once refuses a parameter that is given twice, or that can't be read: which value counts is nobody's guess.
func once(ctx huma.Context, next func(huma.Context)) {
	r, w := humachi.Unwrap(ctx)
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		refuse(w, r, ErrBadParameter.With("the query is not well formed: %v", err))
		return
	}
	var faults domain.Faults
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if values := query[name]; len(values) > 1 {
			faults.Add(parameterPrefix+name, ErrBadParameter.With("it is given %d times", len(values)))
		} else if values[0] == "" {
			faults.Add(parameterPrefix+name, ErrBadParameter.With("it is empty; leave it out"))
		}
	}
	for _, name := range []string{"Idempotency-Key", "If-Match", "X-Causation-Id", ActorHeader} {
		if n := len(r.Header.Values(name)); n > 1 {
			faults.Add(parameterPrefix+name, ErrBadParameter.With("it is given %d times", n))
		}
	}
	if err := faults.Err(); err != nil {
		refuse(w, r, err)
		return
	}
	next(ctx)
}

// stream makes an answer of a function that writes it.
func stream(write func(ctx huma.Context)) *huma.StreamResponse {
	return &huma.StreamResponse{Body: write}
}
