// Package esdbserver serves a log over EventStoreDB's gRPC protocol, so that any official client of EventStoreDB (or
// KurrentDB) can read, replay and follow it, and append to it where that is allowed.
//
// There are Streams (Read with subscriptions, Append), ServerFeatures and Gossip. Deleting and tombstoning a stream is
// refused: a ledger's history is immutable. Everything else of EventStoreDB is Unimplemented.
//
// A stream's revision is its version less one, and the commit and prepare position of an event are its position in
// the log. Nobody who reads holds a writer up, and what one call takes of memory is bounded whatever the client sends.
package esdbserver

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"golang.org/x/net/netutil"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"github.com/urikake/urikake/eventstore"
)

// Config says what is served, and to whom. A zero value takes the default beside it.
type Config struct {
	Store eventstore.Store

	// Admit says what a client may do who sends these headers from this address. The context that it returns ends
	// when that does. What it refuses with is answered as Unauthenticated, except Denied and log.unavailable.
	// nil: everybody may read and append everything.
	Admit func(ctx context.Context, header http.Header, from net.Addr) (context.Context, Caller, error)

	Observe  func(ctx context.Context, c Call) // is told of every call that ended, with the context that Admit gave
	TLS      *tls.Config                       // nil: plain text
	Log      *slog.Logger                      // of what goes wrong in the server itself
	Drain    time.Duration                     // 10 s: how long calls may take to finish when the server ends
	CallsMax int                               // 2048: calls at the same time, subscriptions among them
	HeldMax  int64                             // 512 MiB: bytes of appends that have come and are not written yet
}

// Call is a call that ended.
type Call struct {
	Method string // /event_store.client.streams.Streams/Read
	Code   codes.Code
	Err    error // nil when it went well
	From   net.Addr
	Took   time.Duration
}

// Caller is what a client may do.
type Caller struct {
	// Sees tells whether he may know of a stream; nil: of all.
	Sees func(stream string) bool

	// Appends refuses what he may not append; nil: nothing may be appended.
	Appends func(ctx context.Context, stream string, expected Expected, events []eventstore.Proposed) error
}

const (
	callsMax        = 2048
	heldMax         = 512 << 20
	connectionsMax  = 1024
	streamsMax      = 512      // calls of one connection
	receiveMax      = 17 << 20 // bytes of one message: what clients themselves take at most
	window          = 64 << 10 // bytes that a client may send, or is sent, before either side has taken them
	headerMax       = 64 << 10 // bytes of a call's headers
	connectWait     = 10 * time.Second
	keepaliveLeast  = 5 * time.Second
	keepaliveEvery  = 30 * time.Second
	keepaliveAnswer = 20 * time.Second
	firstWait       = 30 * time.Second // for a call's first message
)

// Server serves one log.
type Server struct {
	config Config
	grpc   *grpc.Server
	calls  chan struct{} // filled by calls
	ending chan struct{} // closed when the server begins to end
	once   sync.Once

	held  *budget
	turns *turns
	types *types
}

// New makes a server; Serve lets it work.
func New(c Config) *Server {
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	c.Drain, c.CallsMax, c.HeldMax = cmp.Or(c.Drain, 10*time.Second), cmp.Or(c.CallsMax, callsMax), cmp.Or(c.HeldMax, heldMax)
	if c.Admit == nil {
		c.Admit = func(ctx context.Context, _ http.Header, _ net.Addr) (context.Context, Caller, error) {
			return ctx, Caller{Appends: Anything}, nil
		}
	}
	s := &Server{
		config: c, calls: make(chan struct{}, c.CallsMax),
		ending: make(chan struct{}), held: newBudget(c.HeldMax), turns: newTurns(), types: newTypes(typesMax),
	}
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(receiveMax), grpc.MaxConcurrentStreams(streamsMax),
		grpc.MaxHeaderListSize(headerMax), grpc.ConnectionTimeout(connectWait),
		grpc.InitialWindowSize(window), grpc.InitialConnWindowSize(1 << 20), // fixed: else they grow with what is sent
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: keepaliveLeast, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: keepaliveEvery, Timeout: keepaliveAnswer}),
		grpc.UnaryInterceptor(s.unary), grpc.StreamInterceptor(s.stream),
		grpc.WaitForHandlers(true),
	}
	if c.TLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(c.TLS)))
	}
	s.grpc = grpc.NewServer(options...)
	streams.RegisterStreamsServer(s.grpc, &streamsService{server: s})
	serverfeatures.RegisterServerFeaturesServer(s.grpc, features{})
	gossip.RegisterGossipServer(s.grpc, newGossip())
	return s
}

// Anything lets a caller append whatever the log takes.
func Anything(context.Context, string, Expected, []eventstore.Proposed) error { return nil }

// Serve answers until ctx ends, and closes the listener. Subscriptions then end with Unavailable, upon which clients
// connect elsewhere or again; other calls have Config.Drain to finish, and what is left is cut off. No call works any
// more when it returns. A server serves once.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- s.grpc.Serve(netutil.LimitListener(listener, connectionsMax)) }()
	var failed error
	select {
	case failed = <-served:
	case <-ctx.Done():
	}
	s.once.Do(func() { close(s.ending) })
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.grpc.GracefulStop()
	}()
	drained := time.NewTimer(s.config.Drain)
	defer drained.Stop()
	select {
	case <-done:
	case <-drained.C:
		s.grpc.Stop()
		<-done
	}
	if errors.Is(failed, grpc.ErrServerStopped) {
		return nil
	}
	return failed
}
