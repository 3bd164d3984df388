package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// running is a server on loopback; end begins its shutdown, and ended tells what it came to.
type running struct {
	url, addr string
	end       context.CancelFunc
	ended     chan error
}

func begin(t testing.TB, c ServeConfig) *running {
	t.Helper()
	var err error
	if c.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Notice == 0 {
		c.Notice = time.Millisecond
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	s := &running{addr: c.Listener.Addr().String(), end: cancel, ended: make(chan error, 1)}
	s.url = "http://" + s.addr
	go func() { s.ended <- Serve(ctx, c) }()
	return s
}

func (s *running) dial(t testing.TB) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// client has connections of its own, which the test closes.
func client(t testing.TB) *http.Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 100}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// TestShutdown ends a server amid requests: what was accepted is answered whole, feeds are told, nobody else gets in.
func TestShutdown(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	var accepted, told atomic.Int64
	leave := make(chan struct{})
	half := strings.Repeat("half ", 20_000)
	mux := http.NewServeMux()
	mux.HandleFunc("/long", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != "payment" {
			t.Error(string(body), err)
		}
		accepted.Add(1)
		_, _ = io.WriteString(w, half)
		<-leave
		if r.Context().Err() != nil {
			t.Error("its context ended")
		}
		_, _ = io.WriteString(w, half)
	})
	mux.HandleFunc("/feed", func(w http.ResponseWriter, r *http.Request) {
		accepted.Add(1)
		fmt.Fprintln(w, "begin")
		w.(http.Flusher).Flush()
		<-Draining(r.Context())
		told.Add(1)
		fmt.Fprintln(w, "end")
	})
	s := begin(t, ServeConfig{Handler: mux})
	c := client(t)
	var clients sync.WaitGroup
	for i := range 60 {
		clients.Go(func() {
			path, want := "/long", half+half
			if i%3 == 0 {
				path, want = "/feed", "begin\nend\n"
			}
			answer, err := c.Post(s.url+path, "text/plain", strings.NewReader("payment"))
			if err != nil {
				t.Error(err)
				return
			}
			defer answer.Body.Close()
			if got, err := io.ReadAll(answer.Body); err != nil || string(got) != want {
				t.Errorf("%s: %d of %d bytes, %v", path, len(got), len(want), err)
			}
		})
	}
	await(t, func() bool { return accepted.Load() == 60 })
	s.end()
	await(t, func() bool { return told.Load() == 20 })
	await(t, func() bool {
		conn, err := net.Dial("tcp", s.addr)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	close(leave)
	clients.Wait()
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
	c.CloseIdleConnections()
}

// TestShutdownAmongBusyClients: whoever sends one request after the other is told that the connection ends, so none of
// them sends one that nobody reads.
func TestShutdownAmongBusyClients(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s := begin(t, ServeConfig{Notice: 300 * time.Millisecond, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		time.Sleep(time.Millisecond)
	})})
	var clients sync.WaitGroup
	var answered atomic.Int64
	for range 50 {
		conn := s.dial(t)
		clients.Go(func() {
			read := bufio.NewReader(conn)
			for {
				fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
				answer, err := http.ReadResponse(read, nil)
				if err != nil {
					t.Error("a request was lost:", err)
					return
				}
				answered.Add(1)
				if answer.Close {
					return
				}
			}
		})
	}
	await(t, func() bool { return answered.Load() > 200 })
	s.end()
	clients.Wait()
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
}

// TestDrainEnds has a request that would go on for ever: it is cut off, and Serve says so once it has ended.
func TestDrainEnds(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	inside, left := make(chan struct{}), make(chan struct{})
	s := begin(t, ServeConfig{Drain: 100 * time.Millisecond, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(inside)
		<-r.Context().Done()
		time.Sleep(20 * time.Millisecond) // to close its files
		close(left)
	})})
	c := client(t)
	cutOff := make(chan error, 1)
	go func() {
		answer, err := c.Post(s.url, "", nil)
		if err == nil {
			answer.Body.Close()
		}
		cutOff <- err
	}()
	<-inside
	s.end()
	err := <-s.ended
	if err == nil || !strings.Contains(err.Error(), "1 requests were still under way after 100ms and were cut off") {
		t.Error(err)
	}
	select {
	case <-left:
	default:
		t.Error("Serve returned before its handler")
	}
	if <-cutOff == nil {
		t.Error("a request that was cut off looks answered")
	}
	c.CloseIdleConnections()
}

func TestListenerFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := Serve(t.Context(), ServeConfig{Listener: l, Handler: http.NotFoundHandler(), Notice: 1}); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

// cutAfter writes piece by piece until the server hangs up, and tells how long that took and what it said.
func cutAfter(t *testing.T, conn net.Conn, first, piece string, every time.Duration) (time.Duration, string) {
	t.Helper()
	began := time.Now()
	if _, err := io.WriteString(conn, first); err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(conn) // ends when the server hangs up, also by a reset
		said <- string(b)
	}()
	for {
		select {
		case b := <-said:
			return time.Since(began), b
		case <-time.After(every):
			_, _ = io.WriteString(conn, piece)
		}
		if time.Since(began) > 10*time.Second {
			t.Fatal("it is never cut off")
		}
	}
}

// TestSlowSenders trickle what they send, to hold a connection for ever.
func TestSlowSenders(t *testing.T) {
	bodies := make(chan error, 1)
	s := begin(t, ServeConfig{
		HeaderTime: 300 * time.Millisecond, BodyTime: 400 * time.Millisecond,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			bodies <- err
			if err != nil {
				w.WriteHeader(http.StatusRequestTimeout)
			}
		}),
	})
	took, _ := cutAfter(t, s.dial(t), "GET / HTTP/1.1\r\nHost: x\r\n", "X-More: y\r\n", 20*time.Millisecond)
	if took < 250*time.Millisecond || took > 3*time.Second {
		t.Error("a header that never ends was cut off after", took)
	}
	took, said := cutAfter(t, s.dial(t), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n", "x", 20*time.Millisecond)
	if err := <-bodies; !errors.Is(err, ErrBodyTooSlow) || !strings.HasPrefix(said, "HTTP/1.1 408 ") {
		t.Error(err, said)
	}
	if took < 350*time.Millisecond || took > 3*time.Second {
		t.Error("a body that never ends was cut off after", took)
	}
}

// TestUnreadBody has a handler that answers without reading the body, which trickles: the server must not wait for it.
func TestUnreadBody(t *testing.T) {
	s := begin(t, ServeConfig{HeaderTime: time.Second, BodyTime: 300 * time.Millisecond, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
	})})
	took, said := cutAfter(t, s.dial(t), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n", "x", 20*time.Millisecond)
	if !strings.HasPrefix(said, "HTTP/1.1 401 ") || took > 3*time.Second {
		t.Error(took, said)
	}
}

// TestLongAnswers take longer than any bound on what is sent: once the body has come, no deadline is left. The bounds are
// not so short that a busy machine exceeds them.
func TestLongAnswers(t *testing.T) {
	const bound = 500 * time.Millisecond
	s := begin(t, ServeConfig{
		HeaderTime: bound, BodyTime: bound, StallTime: bound, IdleTime: bound,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			for range 4 {
				time.Sleep(bound / 2)
				_, _ = w.Write(body)
				w.(http.Flusher).Flush()
			}
			if err := r.Context().Err(); err != nil {
				t.Error("its context ended:", err)
			}
		}),
	})
	c := client(t)
	for range 2 { // the second over the same connection
		answer, err := c.Post(s.url, "", strings.NewReader("piece "))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || string(got) != "piece piece piece piece " {
			t.Error(string(got), err)
		}
	}
}

// TestSlowReaders: one reads slowly and steadily, and gets all; one stops reading, and is cut off.
func TestSlowReaders(t *testing.T) {
	const size = 3 << 20
	broke := make(chan error, 2)
	s := begin(t, ServeConfig{StallTime: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(bytes.Repeat([]byte("x"), size)) // in one piece
		broke <- err
	})})
	ask := func() *bufio.Reader {
		conn := s.dial(t)
		_ = conn.(*net.TCPConn).SetReadBuffer(16 << 10)
		fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		return bufio.NewReaderSize(conn, 16)
	}
	steady, began, got := ask(), time.Now(), 0
	answer, err := http.ReadResponse(steady, nil)
	if err != nil {
		t.Fatal(err)
	}
	for buf := make([]byte, 32<<10); ; got += len(buf) {
		if n, err := io.ReadFull(answer.Body, buf); err != nil {
			got += n
			break
		}
		time.Sleep(30 * time.Millisecond)
	}
	if took := time.Since(began); got != size || took < 2*time.Second {
		t.Errorf("a steady reader got %d of %d bytes in %s", got, size, took)
	}
	if err := <-broke; err != nil {
		t.Error(err)
	}

	began = time.Now()
	ask()
	if err := <-broke; err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("one that reads nothing was written to for %s: %v", time.Since(began), err)
	}
}

// TestIdleConnections: 2 000 do nothing, and nobody notices.
func TestIdleConnections(t *testing.T) {
	s := begin(t, ServeConfig{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const many = 2000
	var silent []net.Conn
	for i := range many {
		conn := s.dial(t)
		if i%2 == 1 {
			silent = append(silent, conn)
		}
		if i%2 == 0 { // half of them have been served once
			fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := (after.HeapInuse + after.StackInuse - before.HeapInuse - before.StackInuse) / many
	c, began := client(t), time.Now()
	for range 200 {
		answer, err := c.Get(s.url)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
	t.Logf("%d bytes for each idle connection; a request beside them takes %s", each, time.Since(began)/200)
	if each > 40<<10 || time.Since(began) > 5*time.Second {
		t.Error("idle connections do harm")
	}
	for _, conn := range silent { // net/http gives those 5 s to send something
		conn.Close()
	}
	began = time.Now()
	s.end()
	if err := <-s.ended; err != nil || time.Since(began) > 10*time.Second {
		t.Error("shutdown among them:", err, time.Since(began))
	}
}

// TestConnectionsMax: one more than allowed waits until another has gone.
func TestConnectionsMax(t *testing.T) {
	s := begin(t, ServeConfig{ConnectionsMax: 2, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})})
	ask := func(conn net.Conn, within time.Duration) error {
		fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		_ = conn.SetReadDeadline(time.Now().Add(within))
		_, err := http.ReadResponse(bufio.NewReader(conn), nil)
		return err
	}
	one, two, three := s.dial(t), s.dial(t), s.dial(t)
	if err := errors.Join(ask(one, 5*time.Second), ask(two, 5*time.Second)); err != nil {
		t.Fatal(err)
	}
	if ask(three, 100*time.Millisecond) == nil {
		t.Error("a third was let in")
	}
	one.Close()
	if err := ask(three, 5*time.Second); err != nil {
		t.Error("its turn never came:", err)
	}
}

func TestDrainingOutside(t *testing.T) {
	select {
	case <-Draining(t.Context()):
		t.Error("no server shuts down")
	default:
	}
}
