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
)

type serveCmd struct {
	Listen string `help:"Address and port to be asked at; port 0 takes any that is free." default:"127.0.0.1:8080" placeholder:"ADDRESS:PORT"`
	Rate   int    `help:"Requests a second that one key may send; 0: any number." default:"${rate}" placeholder:"N"`
	Every  int64  `name:"checkpoint-every" help:"Events after which the log is signed again, where there is a key for it." default:"10000" placeholder:"N"`
	Log    string `help:"How the log on standard error is written: text or json." enum:"text,json" default:"text"`
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
func listen(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	var at *net.OpError
	if errors.As(err, &at) {
		err = at.Err
	}
	if err != nil {
		return nil, errListen.With("%s: %v", address, err)
	}
	return listener, nil
}

// lagMax is how many events the read models may be behind before the server calls itself unready.
const lagMax = 10_000

// serve answers requests about the session's ledger until ctx ends.
func (c *serveCmd) serve(ctx context.Context, s *session, listener net.Listener) (err error) {
	log, fresh := logger(s.err, c.Log), s.fresh()
	o, err := s.open(time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	if fresh {
		fmt.Fprintf(s.out, "an empty ledger begins in %s\n", s.dir)
	}
	if err := o.ledger.Remember(ctx); err != nil {
		return err
	}
	tracing, flush, err := httpapi.Tracing(ctx)
	if err != nil {
		return err
	}
	defer flushTraces(log, flush)
	o.measure()

	views, feed, audit := &kept{name: "folding", work: o.views.Run}, &kept{name: "feed"}, o.signing(max(c.Every, 1))
	health := httpapi.NewHealth(
		httpapi.LogCheck(s.dir, o.metrics.AppendFault), httpapi.LagCheck(lagMax, o.lag), views.check(), feed.check())
	requests := httpapi.NewLogBuffer(s.err)
	defer requests.Close()
	api := o.api(httpapi.Options{Log: log, Access: logger(requests, c.Log), Tracing: tracing, Health: health, Rate: c.Rate})
	feed.work = api.Run

	ctx, cancel := context.WithCancel(ctx)
	var background sync.WaitGroup
	defer background.Wait() // before the log is closed
	defer cancel()
	for _, k := range []*kept{views, feed, audit} {
		background.Go(func() { k.keep(ctx, log) })
	}
	if err := greet(ctx, s, o, listener); err != nil {
		return err
	}
	return httpapi.Serve(ctx, httpapi.ServeConfig{Listener: listener, Handler: api, Logger: log})
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
func greet(ctx context.Context, s *session, o *office, listener net.Listener) error {
	keys, _, err := o.ledger.Keys(ctx)
	if err != nil {
		return err
	}
	who := "who asks needs a key"
	if len(keys) == 0 {
		who = "no key was made yet, so only this machine is answered"
	}
	at := addressOf(listener)
	_, err = fmt.Fprintf(s.out, "serving %s at %s, documented at %s/docs; %s\n", s.dir, at, at, who)
	return err
}

// addressOf is as what the server is asked from this machine.
func addressOf(listener net.Listener) string {
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// measure shows how the log and the read models stand among the metrics.
func (o *office) measure() {
	o.metrics.Log(func() (events, commits, grouped, waiting uint64) {
		stats := o.log.Stats()
		return stats.Events, stats.Commits, stats.GroupEvents, uint64(stats.QueueLen)
	})
	o.metrics.Lag(func() uint64 {
		lag, _ := o.lag(context.Background()) // a log that can't be read shows elsewhere
		return lag
	})
}

// lag is by how many events the read models are behind the log.
func (o *office) lag(ctx context.Context) (uint64, error) {
	position, head, err := o.views.Lag(ctx)
	return uint64(head - min(head, position)), err
}
