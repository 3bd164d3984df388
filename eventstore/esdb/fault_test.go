package esdb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/urikake/urikake/eventstore"
)

func event(label string) eventstore.Proposed {
	return eventstore.Proposed{
		ID: uuid.NewSHA1(uuid.NameSpaceOID, []byte(label)), Kind: "test.happened", Schema: 1,
		Data: fmt.Appendf(nil, `{"text":%q}`, label), Metadata: []byte(`{"command_id":"c","schema":1}`),
	}
}

// noLeaks fails the test if it leaves a goroutine behind after everything was closed.
func noLeaks(t testing.TB) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

func limited(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// mustAppend repeats an append for as long as the log is away, as a caller would.
func mustAppend(t testing.TB, s *Store, stream string, expected eventstore.Version, events ...eventstore.Proposed) eventstore.Position {
	ctx := limited(t)
	for {
		at, err := s.Append(ctx, stream, expected, events...)
		switch {
		case err == nil:
			return at
		case !errors.Is(err, eventstore.ErrUnavailable) || ctx.Err() != nil:
			t.Errorf("append to %s at %d: %v", stream, expected, err)
			return 0
		}
	}
}

func read(t testing.TB, s *Store, stream string) (events []eventstore.Recorded) {
	t.Helper()
	for r, err := range s.Read(limited(t), stream, 0) {
		if err != nil {
			t.Fatalf("read %s: %v", stream, err)
		}
		events = append(events, r)
	}
	return events
}

// followed follows from the beginning until so many events came.
func followed(t testing.TB, s *Store, n int) (events []eventstore.Recorded) {
	for r := range live(limited(t), t, s) {
		if events = append(events, r); len(events) == n {
			break
		}
	}
	return events
}

// live follows from the beginning, also over outages that end the follower.
func live(ctx context.Context, t testing.TB, s *Store) iter.Seq[eventstore.Recorded] {
	return func(yield func(eventstore.Recorded) bool) {
		for after := eventstore.Position(0); ctx.Err() == nil; {
			for r, err := range s.Follow(ctx, after) {
				if errors.Is(err, eventstore.ErrUnavailable) {
					break
				}
				if err != nil {
					t.Errorf("follow after %d: %v", after, err)
					return
				}
				if after = r.Position; !yield(r) {
					return
				}
			}
		}
	}
}

// hammer appends on several streams for as long as trouble is made, and follows; then everything must stand there once.
func hammer(t *testing.T, s *Store, trouble func()) {
	t.Helper()
	const writers = 4
	var all, writing sync.WaitGroup
	var made atomic.Bool
	var written [writers]int
	seen := make(chan eventstore.Recorded, 1<<20)
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	all.Go(func() {
		for r := range live(ctx, t, s) {
			if seen <- r; r.Stream == "end" {
				return
			}
		}
	})
	for w := range writers {
		writing.Go(func() {
			stream := fmt.Sprint("s", w)
			for ; !made.Load() && !t.Failed(); written[w]++ {
				mustAppend(t, s, stream, eventstore.Version(written[w]), event(fmt.Sprint(stream, "-", written[w])))
			}
		})
	}
	trouble()
	made.Store(true)
	writing.Wait()
	mustAppend(t, s, "end", 0, event("end-0"))
	all.Wait()
	close(seen)
	versions, position := map[string]eventstore.Version{}, eventstore.Position(0)
	for r := range seen {
		if versions[r.Stream]++; r.Version != versions[r.Stream] || r.Position <= position {
			t.Fatalf("%s/%d at %d follows version %d, position %d", r.Stream, r.Version, r.Position, versions[r.Stream]-1, position)
		}
		if want := event(fmt.Sprint(r.Stream, "-", r.Version-1)); r.ID != want.ID || string(r.Data) != string(want.Data) {
			t.Fatalf("%s/%d is %s", r.Stream, r.Version, r.Data)
		}
		position = r.Position
	}
	for w, n := range written {
		stream := fmt.Sprint("s", w)
		if there := len(read(t, s, stream)); there != n || versions[stream] != eventstore.Version(n) {
			t.Errorf("%s has %d events, %d were followed, %d written", stream, there, versions[stream], n)
		}
	}
}

// TestServerRestarts ends the server and starts it again under load.
func TestServerRestarts(t *testing.T) {
	noLeaks(t)
	server := startServer(t, fresh())
	s := open(t, mustParse(t, server.url()), Options{})
	hammer(t, s, func() {
		for range 3 {
			waitFor(t, s, 20)
			server.end()
			server.start()
		}
	})
}

// waitFor waits until so many more events were written.
func waitFor(t testing.TB, s *Store, n eventstore.Position) {
	t.Helper()
	head := eventstore.Position(0)
	for r := range live(limited(t), t, s) {
		if head == 0 {
			head, _ = s.Head(limited(t))
		}
		if r.Position >= head+n {
			return
		}
	}
}

// TestConnectionsAreCut cuts them amid calls and subscriptions: whether an append was done is then unknown.
func TestConnectionsAreCut(t *testing.T) {
	noLeaks(t)
	server := startServer(t, fresh())
	p := startProxy(t, server.address)
	s := open(t, mustParse(t, p.url()), Options{})
	hammer(t, s, func() {
		for range 15 {
			waitFor(t, s, 5)
			p.cut()
		}
	})
}

// TestServerIsAway: callers wait for a blip, are refused at once afterwards, and go on by themselves when it is back.
func TestServerIsAway(t *testing.T) {
	noLeaks(t)
	server := startServer(t, fresh())
	s := open(t, mustParse(t, server.url()), Options{})
	mustAppend(t, s, "s", 0, event("a"))
	server.end()
	everyCallRefuses(t, s, quick.Call+quick.Blip+5*time.Second) // the first ones find out
	began := time.Now()
	const calls = 100
	for range calls {
		if _, err := s.Append(t.Context(), "s", 1, event("b")); !errors.Is(err, eventstore.ErrUnavailable) {
			t.Fatalf("append: %v", err)
		}
	}
	if took := time.Since(began); took > calls*quick.Blip/2 {
		t.Errorf("%d appends were refused in %v: they wait", calls, took)
	}
	server.start()
	mustAppend(t, s, "s", 1, event("b"))
	if n := len(read(t, s, "s")); n != 2 {
		t.Errorf("%d events, want 2", n)
	}
}

// everyCallRefuses asks for everything; each call must refuse within a time.
func everyCallRefuses(t *testing.T, s *Store, within time.Duration) {
	t.Helper()
	first := func(events func(func(eventstore.Recorded, error) bool)) (err error) {
		for _, err = range events {
			break
		}
		return err
	}
	for name, call := range map[string]func() error{
		"append": func() error { _, err := s.Append(t.Context(), "s", 1, event("b")); return err },
		"head":   func() error { _, err := s.Head(t.Context()); return err },
		"read":   func() error { return first(s.Read(t.Context(), "s", 0)) },
		"follow": func() error { return first(s.Follow(t.Context(), 0)) },
		"ready":  func() error { return s.Ready(t.Context()) },
	} {
		began := time.Now()
		if err := call(); !errors.Is(err, eventstore.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(began); took > within {
			t.Errorf("%s took %v", name, took)
		}
	}
}

// TestServerHangs: nothing comes back and nothing is closed. The caller's own deadline counts, too.
func TestServerHangs(t *testing.T) {
	noLeaks(t)
	server := startServer(t, fresh())
	p := startProxy(t, server.address)
	times := quick
	times.Call = time.Second
	s := open(t, mustParse(t, p.url()), Options{Times: times})
	mustAppend(t, s, "s", 0, event("a"))
	p.hang(true)
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := s.Append(short, "s", 1, event("b")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("append with a deadline: %v", err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("append with a deadline of 50 ms took %v", took)
	}
	everyCallRefuses(t, s, 10*times.Call)
	p.hang(false)
	mustAppend(t, s, "s", 1, event("b")) // it may have been done by the first attempt
	if n := len(read(t, s, "s")); n != 2 {
		t.Errorf("%d events, want 2", n)
	}
}

// TestUnreachableAtFirst opens a log whose server begins only later.
func TestUnreachableAtFirst(t *testing.T) {
	server := startServer(t, fresh())
	server.end()
	s := open(t, mustParse(t, server.url()), Options{})
	if err := s.Ready(t.Context()); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("ready: %v", err)
	}
	server.start()
	mustAppend(t, s, "s", 0, event("a"))
}

// follower is a node that answers everything with who leads.
type followerNode struct {
	streams.UnimplementedStreamsServer
	host string
	port int
}

func (f *followerNode) refuse(stream grpc.ServerStream) error {
	stream.SetTrailer(metadata.Pairs("exception", "not-leader", "leader-endpoint-host", f.host, "leader-endpoint-port", strconv.Itoa(f.port)))
	return status.Error(codes.NotFound, "Leader info available")
}

func (f *followerNode) Read(_ *streams.ReadReq, s streams.Streams_ReadServer) error {
	return f.refuse(s)
}
func (f *followerNode) Append(s streams.Streams_AppendServer) error { return f.refuse(s) }

// startFollower starts a node that says that the leader is at an address; "": it says that of itself.
func startFollower(t testing.TB, leader string) (url string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if leader == "" {
		leader = listener.Addr().String()
	}
	host, port, _ := net.SplitHostPort(leader)
	f := &followerNode{host: host}
	f.port, _ = strconv.Atoi(port)
	node := grpc.NewServer()
	streams.RegisterStreamsServer(node, f)
	var serving sync.WaitGroup
	serving.Go(func() { _ = node.Serve(listener) })
	t.Cleanup(func() { node.GracefulStop(); serving.Wait() })
	return "esdb://" + listener.Addr().String() + "?tls=false"
}

// TestNotLeader asks a node that doesn't lead: the work is done where it is said to be done.
func TestNotLeader(t *testing.T) {
	noLeaks(t)
	server := startServer(t, fresh())
	s := open(t, mustParse(t, startFollower(t, server.address)), Options{})
	at := mustAppend(t, s, "s", 0, event("a"))
	if head, err := s.Head(limited(t)); head != at || err != nil {
		t.Errorf("head %d, %v, want %d", head, err, at)
	}
	if seen := followed(t, s, 1); len(seen) != 1 || len(read(t, s, "s")) != 1 {
		t.Errorf("%d events are followed", len(seen))
	}
}

// TestNobodyLeads: nodes send their callers round and round.
func TestNobodyLeads(t *testing.T) {
	times := quick
	times.Call = 500 * time.Millisecond
	s := open(t, mustParse(t, startFollower(t, "")), Options{Times: times})
	if _, err := s.Append(limited(t), "s", 0, event("a")); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("append: %v", err)
	}
	if _, err := s.Head(limited(t)); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("head: %v", err)
	}
	var last error
	for _, last = range s.Follow(limited(t), 0) {
		continue
	}
	if !errors.Is(last, eventstore.ErrUnavailable) {
		t.Errorf("follow: %v", last)
	}
}
