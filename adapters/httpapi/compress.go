package httpapi

import (
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"
)

const (
	compressMin   = 1024 // bytes; less fits in one packet either way
	compressLevel = 1    // on our CSV and JSON, higher ones save 2 % at most
)

// Compress sends answers of 1 KiB and more in gzip to clients that accept it, as they are written. A flush passes
// through, event streams and what is encoded already are left alone, and a handler that panics leaves no end behind
// that would make its answer look whole.
//
// ETags become weak: the same state has them, in whichever encoding it is sent.
func Compress(next http.Handler) http.Handler {
	inner := func(w http.ResponseWriter, r *http.Request) {
		n := noteOf(r.Context())
		whole := false
		defer func() { n.silent = !whole }() // before the compressor closes what it has
		next.ServeHTTP(&answer{ResponseWriter: w, beyond: n}, r)
		whole = true
	}
	usual, always := compressor(compressMin)(http.HandlerFunc(inner)), compressor(0)(http.HandlerFunc(inner))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, w, r = noted(w, r)
		if refusesIdentity(r) {
			always(w, r)
			return
		}
		usual(w, r)
	})
}

func compressor(least int) func(http.Handler) http.HandlerFunc {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(least), gzhttp.CompressionLevel(compressLevel), gzhttp.EnableZstd(false),
		gzhttp.ContentTypeFilter(compressible))
	if err != nil {
		panic(err) // of the options above, which no input reaches
	}
	return wrap
}

func compressible(contentType string) bool {
	return !isEventStream(contentType) && gzhttp.DefaultContentTypeFilter(contentType)
}

func isEventStream(contentType string) bool {
	return strings.HasPrefix(contentType, "text/event-stream")
}

// refusesIdentity tells whether the client wants no answer as it is, however small.
func refusesIdentity(r *http.Request) bool {
	accepted := r.Header.Get("Accept-Encoding")
	if !strings.Contains(accepted, "q=0") {
		return false
	}
	for coding := range strings.SplitSeq(strings.ReplaceAll(accepted, " ", ""), ",") {
		if name, q, _ := strings.Cut(coding, ";q="); name == "identity" && strings.Trim(q, "0.") == "" && q != "" {
			return true
		}
	}
	return false
}

// answer is what a handler writes to: the compressor, or what lies beyond it for an event stream, whose very first
// flush must go out though nothing was written yet.
type answer struct {
	http.ResponseWriter
	beyond http.ResponseWriter
	begun  bool
}

// begin looks at the header as it will be sent, and chooses the way.
func (a *answer) begin() {
	if a.begun {
		return
	}
	a.begun = true
	if tag := a.Header().Get("Etag"); strings.HasPrefix(tag, `"`) {
		a.Header().Set("Etag", "W/"+tag)
	}
	if isEventStream(a.Header().Get("Content-Type")) {
		a.ResponseWriter = a.beyond
	}
}

func (a *answer) WriteHeader(status int) {
	if status >= 200 {
		a.begin()
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	a.begin()
	return a.ResponseWriter.Write(b)
}

func (a *answer) FlushError() error {
	a.begin()
	return http.NewResponseController(a.ResponseWriter).Flush()
}

func (a *answer) Flush() { _ = a.FlushError() }

// Unwrap leads to the connection, for deadlines.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
