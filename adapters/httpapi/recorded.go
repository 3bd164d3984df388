package httpapi

import (
	"bytes"
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"github.com/urikake/urikake/adapters/trail"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// Who read what is recorded here, in one place, for every route that only reads. Commands are not: who gave them stands
// in the events that they caused.

const (
	heldMax       = 32 << 10 // bytes of an answer that wait for its end, so that one line tells of all of it
	askedMax      = 200      // bytes of a parameter that are recorded
	parametersMax = 20       // parameters of a request that are recorded
)

// reads tells whether an operation shows the books and changes nothing: whatever can be got, and what is posted by
// those who may only read.
func (o operation) reads() bool {
	return o.method == http.MethodGet || strings.HasSuffix(string(o.permission), ":read")
}

// unrecorded are operations that read and show nobody's data: what the program is, and how the machine does.
var unrecorded = map[string]bool{"list-views": true}

// note an operation's id by its route, if it is to be recorded.
func (a *API) toRecord(o operation) {
	if o.reads() && !unrecorded[o.id] {
		a.recordedIDs[o.method+" "+o.path] = o.id
	}
}

// recorded puts a line into the access trail before an answer's first byte goes out: an answer that is short or comes at
// once has one line, that says how it ended; one that is sent as it is read has one when it begins and one when it ends.
// What can't be recorded is refused with trail.unavailable.
func (a *API) recorded(next http.Handler) http.Handler {
	if a.books.Trail == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		id, ok := a.recordedIDs[method+" "+chi.RouteContext(r.Context()).RoutePattern()]
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		r = r.WithContext(ctx)
		held := &heldAnswer{ResponseWriter: w, request: r, trail: a.books.Trail, entry: entryOf(r, id), stop: cancel}
		noteOf(ctx).asked = &held.entry
		defer held.end()
		next.ServeHTTP(held, r)
		held.whole = true
	})
}

// entryOf is what is known of a read when it is asked for.
func entryOf(r *http.Request, id string) trail.Entry {
	p, _ := principalOf(r.Context())
	e := trail.Entry{
		Event: trail.Read, Actor: p.Actor, Key: p.Key, Role: p.Role, Seller: p.Seller, Operation: id,
		Request: noteOf(r.Context()).ids[0],
	}
	route := chi.RouteContext(r.Context()).URLParams
	for i, name := range route.Keys {
		if name == "seller" {
			e.Seller = domain.SellerID(cut(route.Values[i]))
		} else if name != "*" {
			noteAsked(&e.Path, name, route.Values[i])
		}
	}
	if r.URL.RawQuery == "" {
		return e
	}
	query, _ := url.ParseQuery(r.URL.RawQuery) // what can't be read is refused
	for name, values := range query {
		switch {
		case name == "seller" && domain.CheckID(values[0]) == nil:
			e.Seller = domain.SellerID(values[0])
		case name != "cursor": // it says what the other parameters say
			noteAsked(&e.Query, cut(name), values[0])
		}
	}
	return e
}

func noteAsked(to *map[string]string, name, value string) {
	if *to == nil {
		*to = make(map[string]string)
	}
	if len(*to) < parametersMax {
		(*to)[name] = cut(value)
	}
}

// cut bounds what a client may have written into the trail.
func cut(text string) string {
	if len(text) <= askedMax {
		return text
	}
	end := askedMax
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// alsoAsked adds to the trail's line what a request asks for in its body.
func alsoAsked(ctx context.Context, pairs ...string) {
	if e := noteOf(ctx).asked; e != nil {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i+1] != "" {
				noteAsked(&e.Query, pairs[i], pairs[i+1])
			}
		}
	}
}

// heldAnswer keeps an answer back until its line stands in the trail.
type heldAnswer struct {
	http.ResponseWriter
	request *http.Request
	trail   *trail.Trail
	entry   trail.Entry
	stop    context.CancelFunc

	status  int
	held    bytes.Buffer
	begun   uint64 // the line that tells of the beginning; 0: nothing has gone out yet
	bytes   int64
	whole   bool  // the handler has answered to its end
	refused error // nothing more goes out: the answer is that it could not be recorded
}

// WriteHeader keeps the status. Informational answers pass.
func (h *heldAnswer) WriteHeader(status int) {
	switch {
	case status < http.StatusOK:
		h.ResponseWriter.WriteHeader(status)
	case h.status == 0:
		h.status = status
	}
}

func (h *heldAnswer) Write(b []byte) (int, error) {
	if h.status == 0 {
		h.status = http.StatusOK
	}
	if h.refused == nil && h.begun == 0 && h.held.Len()+len(b) <= heldMax {
		h.bytes += int64(len(b))
		return h.held.Write(b)
	}
	if err := h.begin(); err != nil {
		return 0, err
	}
	n, err := h.ResponseWriter.Write(b)
	h.bytes += int64(n)
	return n, err
}

// begin records that the answer begins, and lets go what was kept of it.
func (h *heldAnswer) begin() error {
	if h.refused != nil || h.begun > 0 {
		return h.refused
	}
	e := h.said(trail.Begun)
	e.Bytes = 0
	if err := h.record(e, &h.begun); err != nil {
		return err
	}
	return h.release()
}

// said is the line's entry with what the answer says.
func (h *heldAnswer) said(event trail.Event) trail.Entry {
	n := noteOf(h.request.Context())
	h.entry.Event, h.entry.Status, h.entry.Rule, h.entry.Bytes = event, h.status, n.rule, h.bytes
	if kind := h.Header().Get("Content-Type"); kind != "" && h.status < http.StatusBadRequest {
		h.entry.Format, _, _ = mime.ParseMediaType(kind)
	}
	h.entry.Position = n.position
	if at, err := strconv.ParseUint(h.Header().Get(positionHeader), 10, 64); err == nil {
		h.entry.Position = eventstore.Position(at)
	}
	if h.request.Method == http.MethodHead {
		h.entry.Bytes = 0
	}
	return h.entry
}

// record puts the line into the trail; if it can't be, nothing of the answer goes out and the work for it ends.
func (h *heldAnswer) record(e trail.Entry, seq *uint64) (err error) {
	if *seq, err = h.trail.Record(e); err == nil {
		return nil
	}
	h.refused = err
	for _, name := range []string{"ETag", "Link", "Vary", asOfHeader, positionHeader, "X-Accel-Buffering", "Content-Length", "Content-Disposition"} {
		h.Header().Del(name) // they were about the answer that did not come
	}
	refuse(h.ResponseWriter, h.request, err)
	h.stop()
	return err
}

func (h *heldAnswer) release() error {
	h.ResponseWriter.WriteHeader(h.status)
	if h.held.Len() == 0 {
		return nil
	}
	_, err := h.ResponseWriter.Write(h.held.Bytes())
	h.held = bytes.Buffer{}
	return err
}

// end records how the answer ended, also where the handler has broken it off.
func (h *heldAnswer) end() {
	switch {
	case h.refused != nil:
		if p := recover(); p != nil { // the refusal is a whole answer
			if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
		}
	case h.begun > 0:
		e := h.said(trail.Ended)
		e.Of, e.Broken, e.Path, e.Query = h.begun, !h.whole, nil, nil
		_, _ = h.trail.Record(e) // the answer is out; a gap in the trail will tell
	case !h.whole: // nothing went out, and nothing will but that the server failed
		e := h.said(trail.Read)
		e.Broken, e.Status, e.Bytes = true, http.StatusInternalServerError, 0
		_, _ = h.trail.Record(e)
	default:
		if h.status == 0 {
			h.status = http.StatusOK
		}
		var seq uint64
		if h.record(h.said(trail.Read), &seq) == nil {
			_ = h.release() // who has gone away gets no more
		}
	}
}

// FlushError lets the answer begin.
func (h *heldAnswer) FlushError() error {
	if h.status == 0 {
		h.status = http.StatusOK
	}
	if err := h.begin(); err != nil {
		return err
	}
	return http.NewResponseController(h.ResponseWriter).Flush()
}

// Flush is FlushError for those who ask for http.Flusher.
func (h *heldAnswer) Flush() { _ = h.FlushError() }

// Unwrap lets http.ResponseController find the connection.
func (h *heldAnswer) Unwrap() http.ResponseWriter { return h.ResponseWriter }
