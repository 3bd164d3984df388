package httpapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// ask sends a request to a handler within this process.
func ask(t *testing.T, ctx context.Context, handler http.HandlerFunc, method, path, body string) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, LocalURL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: Local(handler, Principal{Actor: "mizuno"})}
	resp, err := client.Do(r)
	if err == nil {
		t.Cleanup(func() { resp.Body.Close() })
	}
	return resp, err
}

// echo tells what a handler sees of a request.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	p, _ := principalOf(r.Context())
	w.Header().Set("Seen-Encoding", r.Header.Get("Accept-Encoding"))
	w.WriteHeader(http.StatusTeapot)
	w.Header().Set("Too-Late", "yes")
	io.WriteString(w, strings.Join([]string{r.Method, r.URL.String(), r.URL.RawPath, r.RequestURI, p.Actor, string(body)}, " "))
	if !isLoopback(r.RemoteAddr) || !isLoopback(r.Host) {
		io.WriteString(w, " from elsewhere")
	}
}

func TestLocal(t *testing.T) {
	resp, err := ask(t, t.Context(), echo, http.MethodPost, "/v1/a%2Fb?c=d", "body")
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	want := "POST /v1/a%2Fb?c=d /v1/a%2Fb /v1/a%2Fb?c=d mizuno body"
	if err != nil || string(got) != want || resp.StatusCode != http.StatusTeapot || resp.Status != "418 I'm a teapot" {
		t.Errorf("%s: %q, %v; want %q", resp.Status, got, err, want)
	}
	if resp.Header.Get("Seen-Encoding") != "" || resp.Header.Get("Too-Late") != "" {
		t.Errorf("headers %v", resp.Header)
	}
}

// What is written is there at once; a header that was flushed is, too.
func TestLocalStreams(t *testing.T) {
	next := make(chan struct{})
	resp, err := ask(t, t.Context(), func(w http.ResponseWriter, r *http.Request) {
		conn := http.NewResponseController(w)
		if err := errors.Join(conn.Flush(), conn.SetWriteDeadline(time.Now()), conn.SetReadDeadline(time.Now())); err != nil {
			t.Error(err)
		}
		for _, line := range []string{"one\n", "two\n"} {
			<-next
			io.WriteString(w, line)
		}
		<-next
	}, http.MethodGet, "/", "")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
	for _, want := range []string{"one\n", "two\n"} {
		next <- struct{}{}
		line := make([]byte, len(want))
		if _, err := io.ReadFull(resp.Body, line); err != nil || string(line) != want {
			t.Fatalf("%q, %v", line, err)
		}
	}
	close(next)
	if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v", rest, err)
	}
}

// An answer that was broken off is not a whole one, and one that never began is none.
func TestLocalBreaksOff(t *testing.T) {
	for name, fault := range map[string]any{"abort": http.ErrAbortHandler, "panic": "a slip"} {
		resp, err := ask(t, t.Context(), func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "a part")
			panic(fault)
		}, http.MethodGet, "/", "")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(resp.Body); string(got) != "a part" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		_, err = ask(t, t.Context(), func(http.ResponseWriter, *http.Request) { panic(fault) }, http.MethodGet, "/", "")
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whoever cancels or closes has ended the handler, which works no more.
func TestLocalCancel(t *testing.T) {
	var working atomic.Bool
	endless := func(w http.ResponseWriter, r *http.Request) {
		working.Store(true)
		defer working.Store(false)
		if r.URL.Path == "/silent" {
			<-r.Context().Done()
			time.Sleep(20 * time.Millisecond)
			return
		}
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, "more"); err != nil {
				time.Sleep(20 * time.Millisecond)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	resp, err := ask(t, ctx, endless, http.MethodGet, "/", "")
	if err != nil {
		t.Fatal(err)
	}
	io.ReadFull(resp.Body, make([]byte, 8))
	cancel()
	if _, err := io.Copy(io.Discard, resp.Body); !errors.Is(err, context.Canceled) {
		t.Errorf("after a cancel: %v", err)
	}
	if resp.Body.Close(); working.Load() {
		t.Error("the handler works on after a cancel")
	}

	resp, err = ask(t, t.Context(), endless, http.MethodGet, "/", "")
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body.Close(); working.Load() {
		t.Error("the handler works on after a close")
	}

	ctx, cancel = context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := ask(t, ctx, endless, http.MethodGet, "/silent", ""); !errors.Is(err, context.DeadlineExceeded) || working.Load() {
		t.Errorf("before an answer: %v, works on: %v", err, working.Load())
	}
}

// Answers without bodies are as net/http makes them.
func TestLocalBodiless(t *testing.T) {
	for _, c := range []struct {
		method string
		status int
	}{{http.MethodHead, 200}, {http.MethodGet, 204}, {http.MethodGet, 304}} {
		handler := func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(c.status)
			io.WriteString(w, "text")
		}
		server := httptest.NewServer(http.HandlerFunc(handler))
		defer server.Close()
		r, _ := http.NewRequest(c.method, server.URL, nil)
		far, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer far.Body.Close()
		near, err := ask(t, t.Context(), handler, c.method, "/", "")
		if err != nil {
			t.Fatal(err)
		}
		want, _ := io.ReadAll(far.Body)
		got, err := io.ReadAll(near.Body)
		if near.StatusCode != far.StatusCode || string(got) != string(want) || err != nil {
			t.Errorf("%s %d: %s %q, %v; over the network %s %q", c.method, c.status, near.Status, got, err, far.Status, want)
		}
	}
}
