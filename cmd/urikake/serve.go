package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

type serveCmd struct {
	Listen string `help:"Address and port to be asked at; port 0 takes any that is free." default:"127.0.0.1:8080" placeholder:"ADDRESS:PORT"`
	Rate   int    `help:"Requests a second that one key may send; 0: any number." default:"${rate}" placeholder:"N"`
	Every  int64  `name:"checkpoint-every" help:"Events after which the log is signed again, where there is a key for it." default:"10000" placeholder:"N"`
	Log    string `help:"How the log on standard error is written: text or json." enum:"text,json" default:"text"`
	Check  string `help:"How much of the ledger is looked at before anyone is answered: all of it, or its ends." enum:"all,ends" default:"all" placeholder:"all|ends"`

	EventStore eventStoreFlags `embed:"" prefix:"eventstore-" group:"For EventStoreDB's clients"`
}

// Help is shown by `urikake serve --help`.
func (serveCmd) Help() string {
	return `A directory without a ledger gets an empty one. Ctrl-C or SIGTERM lets requests under way finish.

Until the first key is made everyone on this machine may do everything, and nobody else is answered. The server speaks
plain HTTP: put what ends TLS in front of it before it is asked from elsewhere.

  urikake serve
  urikake --data ./books serve --listen 127.0.0.1:9000 --log json
  urikake --server http://127.0.0.1:9000 report aging --seller YAMATO
  urikake --server http://127.0.0.1:9000 keys create --holder admin --role admin

  urikake serve --eventstore-listen 127.0.0.1:2113

serves the log to clients of EventStoreDB, too, to be read: esdb://127.0.0.1:2113?tls=false. A key is the password of any
user name.

A ledger that is damaged is not served. To look at all of it takes some three seconds for a million events.

GET /healthz tells that it lives, /readyz that it is ready, /metrics how it does. OTEL_EXPORTER_OTLP_ENDPOINT gets traces.`
}

func (c *serveCmd) Run(ctx context.Context, s *session) error {
	listener, err := listen(c.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	return c.serve(ctx, s, listener)
}

var errListen = &domain.Error{
	Code: domain.Unavailable, Rule: "serve.cannot_listen",
	Text: "nobody can be answered at this address; stop what has it, or name another with --listen 127.0.0.1:PORT",
}

// listen takes the port, so that nothing is done for a server that can't be one.
func listen(address string) (net.Listener, error) { return listenOr(errListen, address) }

// listenOr refuses with a refusal of the caller's.
func listenOr(refusal *domain.Error, address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	var at *net.OpError
	if errors.As(err, &at) {
		err = at.Err
	}
	if err != nil {
		return nil, refusal.With("%s: %v", address, err)
	}
	return listener, nil
}

// lagMax is how many events the read models may be behind before the server calls itself unready.
const lagMax = 10_000

// serve answers requests about the session's ledger until ctx ends.
func (c *serveCmd) serve(ctx context.Context, s *session, listener net.Listener) (err error) {
	wire, err := c.EventStore.open()
	if err != nil {
		return err
	}
	defer wire.close()
	log, fresh := logger(s.err, c.Log), s.fresh()
	o, err := s.openServed(log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	if fresh {
		fmt.Fprintf(s.out, "an empty ledger begins in %s\n", s.dir)
	}
	if c.Check == "all" {
		if err := s.check(ctx, o); err != nil {
			return err
		}
	}
	o.shared = o.shared || c.EventStore.Writable
	var beginning beginning
	begin, err := beginning.begin(ctx, o)
	if err != nil {
		return err
	}
	tracing, flush, err := httpapi.Tracing(ctx)
	if err != nil {
		return err
	}
	defer flushTraces(log, flush)
	o.measure()

	views, feed, audit := &kept{name: "folding", work: o.views.Run}, &kept{name: "feed"}, o.signing(max(c.Every, 1))
	anchors := o.anchoring()
	health := httpapi.NewHealth(
		o.logCheck(s.dir), httpapi.TrailCheck(o.trail), httpapi.LagCheck(lagMax, o.lag), views.check(), feed.check())
	requests := httpapi.NewLogBuffer(s.err)
	defer requests.Close()
	api := o.api(httpapi.Options{Log: log, Access: logger(requests, c.Log), Tracing: tracing, Health: health, Rate: c.Rate, Begun: beginning.still})
	feed.work = api.Run

	ctx, cancel := context.WithCancel(ctx)
	var background sync.WaitGroup
	defer background.Wait() // before the log is closed
	defer cancel()
	for _, k := range []*kept{views, feed, audit, anchors} {
		background.Go(func() { k.keep(ctx, log) })
	}
	background.Go(func() {
		if begin(ctx); o.shared && ctx.Err() == nil {
			(&kept{name: "keys", work: o.ledger.FollowKeys}).keep(ctx, log)
		}
	})
	if err := greet(ctx, s, o, listener, beginning.still()); err != nil {
		return err
	}
	if err := wire.greet(s); err != nil {
		return err
	}
	return serveBoth(ctx,
		func(ctx context.Context) error {
			return httpapi.Serve(ctx, httpapi.ServeConfig{Listener: listener, Handler: api, Logger: log})
		},
		func(ctx context.Context) error {
			return wire.serve(ctx, api.EventStoreDB(wire.Writable, logger(requests, c.Log)))
		})
}

// serveBoth serves HTTP and the protocol beside it until ctx ends, HTTP does, or the protocol fails. It returns when both
// have ended.
func serveBoth(ctx context.Context, http, beside func(context.Context) error) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	ended := make(chan error, 1)
	go func() {
		err := beside(ctx)
		if err != nil {
			end()
		}
		ended <- err
	}()
	err := http(ctx)
	end()
	return errors.Join(err, <-ended)
}

// signing makes a checkpoint every so many events, and one when the server ends.
func (o *office) signing(every int64) *kept {
	return &kept{name: "signing checkpoints", work: func(ctx context.Context) error { return o.audit.Run(ctx, every, o.clock) }}
}

// flushTraces sends the last traces; whoever collects them may be away.
func flushTraces(log *slog.Logger, flush func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := flush(ctx); err != nil {
		log.Warn("the last traces were not sent", "error", err)
	}
}

func logger(w io.Writer, format string) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}

// greet says where the server is and who is answered.
func greet(ctx context.Context, s *session, o *office, listener net.Listener, still error) error {
	keys, _, err := o.ledger.Keys(ctx)
	who := "who asks needs a key"
	switch {
	case still != nil:
		who = "nobody is answered before its log can be reached"
	case err != nil:
		return err
	case len(keys) == 0:
		who = "no key was made yet, so only this machine is answered"
	}
	at := addressOf(listener)
	_, err = fmt.Fprintf(s.out, "serving %s at %s, documented at %s/docs; %s\n", s.where(), at, at, who)
	return err
}

// openServed opens the session's ledger for a server, whose log tells of the connection to a cluster.
func (s *session) openServed(log *slog.Logger) (*office, error) {
	if s.store != "" {
		return s.openAway(time.Now, log)
	}
	return s.open(time.Now)
}

// addressOf is as what the server is asked from this machine.
func addressOf(listener net.Listener) string { return "http://" + reachable(listener) }

// reachable is a listener's address for who is on this machine.
func reachable(listener net.Listener) string {
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// measure shows how the log and the read models stand among the metrics.
func (o *office) measure() {
	if o.log != nil {
		o.metrics.Log(func() (events, commits, grouped, waiting uint64) {
			stats := o.log.Stats()
			return stats.Events, stats.Commits, stats.GroupEvents, uint64(stats.QueueLen)
		})
	}
	o.metrics.Trail(o.trail.Stats, o.clock)
	o.metrics.Lag(func() uint64 {
		lag, _ := o.lag(context.Background()) // a log that can't be read shows elsewhere
		return lag
	})
}

// lag is by how many events the read models are behind the log. Where positions are no numbers of events, these are
// counted, up to one more than is let pass.
func (o *office) lag(ctx context.Context) (uint64, error) {
	position, head, err := o.views.Lag(ctx)
	if err == nil && o.away != nil {
		return eventstore.Count(ctx, o.store, position, head, lagMax+1)
	}
	return uint64(head - min(head, position)), err
}
