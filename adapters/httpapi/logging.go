package httpapi

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"

	"github.com/urikake/urikake/adapters/trail"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// ErrPanicked answers for a fault in the program itself.
var ErrPanicked = &domain.Error{
	Code: domain.Internal, Rule: "server.panicked",
	Text: "the server is at fault; its log tells more under the request's id",
}

// refuseFunc answers a request with a problem.
type refuseFunc func(w http.ResponseWriter, r *http.Request, err error)

// note is what is known of one request. Whoever learns something writes it down, and the log, the metrics and the trace
// read it when the answer is out. It is the answer's writer too, so that status and bytes are counted in one place.
type note struct {
	http.ResponseWriter
	ids            [2]string // the request's own and the correlation's
	actor, keyID   string
	command        string
	outcome        string
	rule           string // of the refusal
	fault          string // what the server's own fault was, which no client is told
	position       eventstore.Position
	asked          *trail.Entry // what the access trail will say of it; nil: nothing
	status         int          // 0: nothing was answered yet
	bytes          int64
	started        time.Time
	pattern        string
	broken, silent bool // the handler panicked; nothing may be written any more
}

type noteKey struct{}

// noteOf gives the request's note, and an empty one that nobody reads if it has none.
func noteOf(ctx context.Context) *note {
	if n, ok := ctx.Value(noteKey{}).(*note); ok {
		return n
	}
	return new(note)
}

// correlationOf is what larger piece of work a request belongs to, for the events' metadata.
func correlationOf(ctx context.Context) string { return noteOf(ctx).ids[1] }

// noted gives the request's note, and begins one in the outermost middleware.
func noted(w http.ResponseWriter, r *http.Request) (*note, http.ResponseWriter, *http.Request) {
	if n, ok := r.Context().Value(noteKey{}).(*note); ok {
		return n, w, r
	}
	n := &note{ResponseWriter: w, started: time.Now()}
	n.ids[0] = r.Header.Get("X-Request-Id")
	if !safeID(n.ids[0]) {
		n.ids[0] = newID()
	}
	n.ids[1] = r.Header.Get("X-Correlation-Id")
	if !safeID(n.ids[1]) {
		n.ids[1] = n.ids[0]
	}
	w.Header()["X-Request-Id"] = n.ids[0:1:1] // slices of the note itself, which spares two allocations
	w.Header()["X-Correlation-Id"] = n.ids[1:2:2]
	return n, n, r.WithContext(context.WithValue(r.Context(), noteKey{}, n))
}

// requestIDMax is the longest id, in bytes, that a client may give its request.
const requestIDMax = 64

// safeID tells whether an id may stand in logs and events as it came.
func safeID(id string) bool {
	if len(id) == 0 || len(id) > requestIDMax {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.', c == ':':
		default:
			return false
		}
	}
	return true
}

func newID() string {
	id, err := uuid.NewV7()
	if err != nil { // only without the system's random numbers, and then any id will do
		return "unnamed"
	}
	return id.String()
}

// WriteHeader notes the status. Informational answers come before it.
func (n *note) WriteHeader(status int) {
	if n.silent {
		return
	}
	if n.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		n.status = status
	}
	n.ResponseWriter.WriteHeader(status)
}

func (n *note) Write(b []byte) (int, error) {
	if n.silent {
		return 0, http.ErrAbortHandler
	}
	if n.status == 0 {
		n.status = http.StatusOK
	}
	written, err := n.ResponseWriter.Write(b)
	n.bytes += int64(written)
	return written, err
}

// FlushError sends what was written so far.
func (n *note) FlushError() error {
	if n.silent {
		return http.ErrAbortHandler
	}
	if n.status == 0 {
		n.status = http.StatusOK
	}
	return http.NewResponseController(n.ResponseWriter).Flush()
}

func (n *note) Flush() { _ = n.FlushError() }

// Unwrap lets http.ResponseController find the connection.
func (n *note) Unwrap() http.ResponseWriter { return n.ResponseWriter }

// route is the pattern that the request matched, "none" before and without. Patterns are few; paths are without end.
func (n *note) route(r *http.Request) string {
	if n.pattern == "" {
		if n.pattern = chi.RouteContext(r.Context()).RoutePattern(); n.pattern == "" {
			n.pattern = "none"
		}
	}
	return n.pattern
}

// AccessLog writes one line for each request, and gives it its ids: X-Request-Id and X-Correlation-Id as they came if
// they have 1 to 64 letters, digits and - _ . : and made otherwise. Both are in the answer. It belongs on the root
// router, before all others.
//
// Neither headers nor bodies nor query values are logged, nor the path: it may name a customer.
func AccessLog(logger *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, w, r := noted(w, r)
			whole := false
			defer func() {
				n.broken = !whole
				n.log(logger, r)
			}()
			next.ServeHTTP(w, r)
			whole = true
		})
	}
}

func (n *note) log(logger *slog.Logger, r *http.Request) {
	level := n.level(r)
	if !logger.Enabled(r.Context(), level) {
		return
	}
	attrs := make([]slog.Attr, 0, 16)
	attrs = append(
		attrs,
		slog.String("method", r.Method), slog.String("route", n.route(r)), slog.Int("status", n.answered()),
		slog.Int64("bytes", n.bytes), slog.Float64("ms", float64(time.Since(n.started).Microseconds())/1000),
		slog.String("request_id", n.ids[0]), slog.String("correlation_id", n.ids[1]), slog.String("remote", r.RemoteAddr),
	)
	for _, a := range [...]slog.Attr{
		slog.String("actor", n.actor), slog.String("key", n.keyID), slog.String("command", n.command),
		slog.String("outcome", n.outcome), slog.String("rule", n.rule), slog.String("fault", n.fault),
	} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	if n.position > 0 {
		attrs = append(attrs, slog.Uint64("position", uint64(n.position)))
	}
	if n.broken {
		attrs = append(attrs, slog.Bool("broken_off", true))
	}
	logger.LogAttrs(r.Context(), level, "request", attrs...)
}

// answered is the status that the client sees: net/http says 200 for a handler that said nothing.
func (n *note) answered() int {
	if n.status == 0 && !n.broken {
		return http.StatusOK
	}
	return n.status
}

// level keeps what probes and scrapes ask all day out of the log.
func (n *note) level(r *http.Request) slog.Level {
	switch n.route(r) {
	case "/healthz", "/readyz", "/metrics":
		return slog.LevelDebug
	}
	if n.status >= 500 {
		return slog.LevelError
	}
	return slog.LevelInfo
}

// Recovered logs a panic with its stack, once, and refuses the request with server.panicked. An answer that has begun
// is broken off, so that it can't pass for a whole one. http.ErrAbortHandler passes through: it is how a handler breaks
// off itself.
func Recovered(logger *slog.Logger, refuse func(http.ResponseWriter, *http.Request, error)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, w, r := noted(w, r)
			defer func() {
				p := recover()
				if p == nil {
					return
				}
				if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(http.ErrAbortHandler)
				}
				logger.LogAttrs(
					r.Context(), slog.LevelError, "panic", slog.Any("panic", p), slog.String("stack", string(debug.Stack())),
					slog.String("request_id", n.ids[0]), slog.String("route", n.route(r)),
				)
				if n.status != 0 {
					panic(http.ErrAbortHandler)
				}
				n.silent, n.rule = false, ErrPanicked.Rule
				for _, name := range [...]string{"Content-Length", "Content-Encoding", "Etag", "Last-Modified", "Cache-Control"} {
					w.Header().Del(name) // they were about the answer that did not come
				}
				refuse(w, r, ErrPanicked)
			}()
			next.ServeHTTP(w, r)
		})
	}
}

// LogBuffer gathers the lines of an access log and writes them on every half second, or sooner when there are many: a
// system call for each request costs more than all the rest of its line. A crash loses what was not written, so
// what tells of faults goes past it. It holds 64 KiB.
type LogBuffer struct {
	w    io.Writer
	mu   sync.Mutex
	out  *bufio.Writer
	quit chan struct{}
	done chan struct{}
}

const (
	logBufferBytes = 64 << 10
	logBufferTime  = 500 * time.Millisecond
)

// NewLogBuffer writes to w until Close.
func NewLogBuffer(w io.Writer) *LogBuffer {
	b := &LogBuffer{w: w, out: bufio.NewWriterSize(w, logBufferBytes), quit: make(chan struct{}), done: make(chan struct{})}
	go b.run()
	return b
}

func (b *LogBuffer) run() {
	defer close(b.done)
	tick := time.NewTicker(logBufferTime)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = b.flush() // the next line's Write tells of it
		case <-b.quit:
			return
		}
	}
}

func (b *LogBuffer) flush() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.Flush()
}

// Write takes one or more whole lines. A line is never torn apart between two of the buffer's writes.
func (b *LogBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(line) > b.out.Available() {
		if err := b.out.Flush(); err != nil {
			b.out.Reset(b.w) // the lines in it are lost, but not those to come
			return 0, err
		}
	}
	return b.out.Write(line)
}

// Close writes what is left. Nothing may be written any more.
func (b *LogBuffer) Close() error {
	close(b.quit)
	<-b.done
	return b.flush()
}
