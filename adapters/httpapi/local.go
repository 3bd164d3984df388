package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// LocalURL is what a client of Local begins its addresses with; nothing of it reaches a network.
const LocalURL = "http://127.0.0.1"

// Local answers requests within this process, in the name of p. Answers are handed on as they are written, never as a
// whole; a cancelled request is cancelled in the handler, too; an answer that the handler breaks off ends in
// io.ErrUnexpectedEOF, so that a part of it never looks like the whole. When RoundTrip has failed, or the answer's body
// was closed, the handler works no more.
func Local(handler http.Handler, p Principal) http.RoundTripper { return local{handler, p} }

type local struct {
	handler   http.Handler
	principal Principal
}

func (l local) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	body, out := io.Pipe()
	w := &localAnswer{header: make(http.Header), body: out, method: r.Method, begun: make(chan struct{}), ended: make(chan struct{})}
	quiet := context.AfterFunc(r.Context(), func() { out.CloseWithError(r.Context().Err()) })
	go func() {
		defer cancel()
		defer quiet()
		defer close(w.ended)
		in := l.incoming(As(ctx, l.principal), r)
		defer in.Body.Close()
		w.serve(l.handler, in)
	}()
	stop := func() {
		cancel()
		body.Close()
		<-w.ended
	}
	if !w.begins(r.Context()) {
		stop()
		return nil, errors.Join(r.Context().Err(), w.failed)
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)), StatusCode: w.status, Header: w.sent,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1, Request: r,
		Body: &localBody{body, sync.OnceFunc(stop)},
	}, nil
}

// incoming is the request as a server would have got it.
func (l local) incoming(ctx context.Context, r *http.Request) *http.Request {
	in := r.Clone(ctx)
	in.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	in.RequestURI, in.RemoteAddr = in.URL.RequestURI(), "127.0.0.1:0"
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	return in
}

// localAnswer is the handler's side of an answer.
type localAnswer struct {
	header http.Header
	method string
	body   *io.PipeWriter
	once   sync.Once
	begun  chan struct{} // closed when status and sent are set
	status int
	sent   http.Header
	ended  chan struct{} // closed when the handler works no more
	failed error         // why there is no answer; set before ended is closed
}

// begins waits for the answer to begin; false: it won't, or nobody waits for it any more.
func (w *localAnswer) begins(ctx context.Context) bool {
	select {
	case <-w.begun:
		return true
	case <-ctx.Done():
		return false
	case <-w.ended:
		return w.status != 0
	}
}

// serve lets the handler answer; what it breaks off is broken off.
func (w *localAnswer) serve(handler http.Handler, r *http.Request) {
	defer func() {
		switch p := recover(); p {
		case nil:
			w.WriteHeader(http.StatusOK)
			w.body.CloseWithError(r.Context().Err()) // nil: the whole answer
		case http.ErrAbortHandler:
			w.breakOff(io.ErrUnexpectedEOF)
		default:
			w.breakOff(fmt.Errorf("the handler panicked: %v: %w", p, io.ErrUnexpectedEOF))
		}
	}()
	handler.ServeHTTP(w, r)
}

func (w *localAnswer) breakOff(err error) {
	w.failed = err
	w.body.CloseWithError(err)
}

// Header is what will be sent.
func (w *localAnswer) Header() http.Header { return w.header }

// WriteHeader begins the answer. Informational answers are not handed on.
func (w *localAnswer) WriteHeader(status int) {
	if status < http.StatusOK {
		return
	}
	w.once.Do(func() {
		w.status, w.sent = status, maps.Clone(w.header)
		close(w.begun)
	})
}

// Write waits until the client has taken what it is given.
func (w *localAnswer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	switch {
	case w.method == http.MethodHead:
		return len(b), nil
	case w.status == http.StatusNoContent, w.status == http.StatusNotModified:
		return 0, http.ErrBodyNotAllowed
	}
	return w.body.Write(b)
}

// FlushError begins the answer; what was written has gone already.
func (w *localAnswer) FlushError() error {
	w.WriteHeader(http.StatusOK)
	return nil
}

// Flush is FlushError for those who ask for http.Flusher.
func (w *localAnswer) Flush() { w.WriteHeader(http.StatusOK) }

// SetReadDeadline and SetWriteDeadline do nothing: there is no connection that could stall.
func (w *localAnswer) SetReadDeadline(time.Time) error  { return nil }
func (w *localAnswer) SetWriteDeadline(time.Time) error { return nil }

// localBody is the client's side of an answer.
type localBody struct {
	*io.PipeReader
	stop func()
}

// Close ends the handler and waits for it.
func (b *localBody) Close() error {
	b.stop()
	return nil
}
