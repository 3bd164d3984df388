package esdb

import (
	"cmp"
	"context"
	"crypto/rand"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/esdbserver"
	"github.com/urikake/urikake/eventstore/memory"
)

// runningEnv names a server that runs, such as esdb://127.0.0.1:2113?tls=false. Tests use streams of their own there.
const runningEnv = "URIKAKE_TEST_ESDB"

// running is the address of the server that runs, with a prefix that nobody has used.
func running(t testing.TB) Address {
	text := os.Getenv(runningEnv)
	if text == "" {
		t.Skip(runningEnv + " names no EventStoreDB server")
	}
	a := mustParse(t, text)
	a.Prefix = "test." + strings.ToLower(rand.Text()) + "."
	return a
}

func mustParse(t testing.TB, text string) Address {
	t.Helper()
	a, err := ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// fresh is an empty log in memory.
func fresh() eventstore.Store { return memory.New(time.Now) }

// patience is how long a test waits for what must come.
const patience = 60 * time.Second

// quick are times for tests in which servers go away.
var quick = Times{Call: 3 * time.Second, Blip: 300 * time.Millisecond, Rest: 5 * time.Millisecond, Rests: 50 * time.Millisecond, Poll: 100 * time.Millisecond}

// server is an EventStoreDB server on loopback, in front of a log. It can be stopped and started again at the same address.
type server struct {
	t       testing.TB
	open    func() (log eventstore.Store, closeLog func() error)
	address string

	mu   sync.Mutex
	stop func()
}

// startServer starts one in front of a log that stays.
func startServer(t testing.TB, log eventstore.Store) *server {
	t.Helper()
	return startOpening(t, func() (eventstore.Store, func() error) { return log, func() error { return nil } })
}

// startOpening starts one that opens its log whenever it starts.
func startOpening(t testing.TB, open func() (eventstore.Store, func() error)) *server {
	t.Helper()
	s := &server{t: t, open: open, address: "127.0.0.1:0"}
	s.start()
	t.Cleanup(s.end)
	return s
}

func (s *server) start() {
	s.t.Helper()
	log, closeLog := s.open()
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.address = listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- esdbserver.New(esdbserver.Config{Store: log, Drain: 100 * time.Millisecond}).Serve(ctx, listener)
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop = func() {
		cancel()
		if err := cmp.Or(<-done, closeLog()); err != nil {
			s.t.Errorf("the server ended: %v", err)
		}
	}
}

// end stops the server, if it runs.
func (s *server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop != nil {
		s.stop()
		s.stop = nil
	}
}

func (s *server) url() string { return "esdb://" + s.address + "?tls=false" }

// openServed opens a server's log, and ends both.
func openServed(t testing.TB, server *server) (eventstore.Store, func()) {
	s, err := Open(mustParse(t, server.url()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s, func() {
		s.Close()
		server.end()
	}
}

// open opens a log there that is closed when the test ends.
func open(t testing.TB, address Address, options Options) *Store {
	t.Helper()
	if options.Times == (Times{}) {
		options.Times = quick
	}
	s, err := Open(address, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
