package esdbserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/esdbserver"
	"github.com/urikake/urikake/eventstore/memory"
)

// patience is how long a test waits for what must come.
const patience = 3 * time.Minute

// serve runs a server on loopback for as long as the test runs, and returns its address.
func serve(t testing.TB, c esdbserver.Config) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop := serveOn(t, listener, c)
	t.Cleanup(stop)
	return listener.Addr().String()
}

// serveOn runs a server until stop is called.
func serveOn(t testing.TB, listener net.Listener, c esdbserver.Config) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- esdbserver.New(c).Serve(ctx, listener) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	}
}

// dial is a client of the server at an address.
func dial(t testing.TB, address string) *esdb.Client {
	t.Helper()
	return connect(t, "esdb://"+address+"?tls=false")
}

func connect(t testing.TB, url string) *esdb.Client {
	t.Helper()
	config, err := esdb.ParseConnectionString(url)
	if err != nil {
		t.Fatal(err)
	}
	config.Logger = esdb.NoopLogging()
	config.MaxDiscoverAttempts, config.KeepAliveTimeout = 3, patience // the machine may be busy
	client, err := esdb.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// open is an empty log in memory and a client of it.
func open(t testing.TB) (eventstore.Store, *esdb.Client) {
	store := memory.New(time.Now)
	return store, dial(t, serve(t, esdbserver.Config{Store: store}))
}

func limited(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// idOf gives every name an id of its own.
func idOf(name string) uuid.UUID { return uuid.NewSHA1(uuid.Nil, []byte(name)) }

// propose makes n events that are named name0, name1, ...
func propose(name string, n int) []eventstore.Proposed {
	var events []eventstore.Proposed
	for i := range n {
		named := fmt.Sprint(name, i)
		events = append(events, eventstore.Proposed{
			ID: idOf(named), Kind: "test." + name, Schema: 1,
			Data: fmt.Appendf(nil, `{"name":%q}`, named), Metadata: []byte(`{"schema":1}`),
		})
	}
	return events
}

// data is propose for a client.
func data(name string, n int) []esdb.EventData {
	var events []esdb.EventData
	for _, e := range propose(name, n) {
		events = append(events, esdb.EventData{
			EventID: e.ID, EventType: e.Kind, ContentType: esdb.ContentTypeJson, Data: e.Data, Metadata: e.Metadata,
		})
	}
	return events
}

// write appends to the log itself.
func write(t testing.TB, s eventstore.Store, stream string, expected eventstore.Version, events ...eventstore.Proposed) eventstore.Position {
	t.Helper()
	position, err := s.Append(limited(t), stream, expected, events...)
	if err != nil {
		t.Fatalf("append to %s at %d: %v", stream, expected, err)
	}
	return position
}

// readAll reads to the end.
func collect(t testing.TB, stream *esdb.ReadStream, err error) ([]*esdb.RecordedEvent, error) {
	t.Helper()
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	var events []*esdb.RecordedEvent
	for {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return events, err
		}
		events = append(events, e.OriginalEvent())
	}
}

// streamRead reads from a stream.
func streamRead(t testing.TB, c *esdb.Client, stream string, o esdb.ReadStreamOptions, count uint64) ([]*esdb.RecordedEvent, error) {
	t.Helper()
	s, err := c.ReadStream(limited(t), stream, o, count)
	return collect(t, s, err)
}

// allRead reads from $all.
func allRead(t testing.TB, c *esdb.Client, o esdb.ReadAllOptions, count uint64) []*esdb.RecordedEvent {
	t.Helper()
	s, err := c.ReadAll(limited(t), o, count)
	events, err := collect(t, s, err)
	if err != nil {
		t.Fatalf("read all from %v: %v", o.From, err)
	}
	return events
}

// codeOf is the client's code of an error; -1 for none.
func codeOf(err error) esdb.ErrorCode {
	if err == nil {
		return -1
	}
	var e *esdb.Error
	if !errors.As(err, &e) {
		return esdb.ErrorCodeUnknown
	}
	return e.Code()
}

// wantCode fails unless an error has a code.
func wantCode(t testing.TB, what string, err error, want esdb.ErrorCode) {
	t.Helper()
	if got := codeOf(err); got != want {
		t.Errorf("%s: code %d (%v), want %d", what, got, err, want)
	}
}

// revisions are the events as "stream@revision", with spaces.
func revisions(events []*esdb.RecordedEvent) string {
	var all []string
	for _, e := range events {
		all = append(all, fmt.Sprintf("%s@%d", e.StreamID, e.EventNumber))
	}
	return strings.Join(all, " ")
}

// readReq reads a stream forwards from its start.
func readReq(stream string, change ...func(*streams.ReadReq_Options)) *streams.ReadReq {
	none := &shared.Empty{}
	o := &streams.ReadReq_Options{
		StreamOption: &streams.ReadReq_Options_Stream{Stream: &streams.ReadReq_Options_StreamOptions{
			StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(stream)},
			RevisionOption:   &streams.ReadReq_Options_StreamOptions_Start{Start: none},
		}},
		CountOption:  &streams.ReadReq_Options_Count{Count: 1000},
		FilterOption: &streams.ReadReq_Options_NoFilter{NoFilter: none},
		UuidOption:   &streams.ReadReq_Options_UUIDOption{Content: &streams.ReadReq_Options_UUIDOption_Structured{Structured: none}},
	}
	for _, c := range change {
		c(o)
	}
	return &streams.ReadReq{Options: o}
}

// listenAt takes a port; one that has just been given free may take a moment.
func listenAt(t testing.TB, address string) net.Listener {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		listener, err := net.Listen("tcp", address)
		if err == nil {
			return listener
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}
