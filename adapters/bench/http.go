package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/adapters/trail"
	"github.com/urikake/urikake/eventstore/ledger"
)

// What finance apps see: the same ledger through the HTTP API, served and loaded in this one process, so that both share
// the machine's cores.

const httpClients = 64

// served measures the API on a fresh ledger, on one of a tenth of the invoices and on one of all.
func served(ctx context.Context, dir string, o Options) (results []Result, err error) {
	note := func(more []Result, err error) error {
		results = append(results, more...)
		return err
	}
	err = within(dir, "http", func(b *books) error {
		if err := register(ctx, b.ledger, o.Accounts); err != nil {
			return err
		}
		return serving(ctx, b, func(s *site) error {
			if err := note(s.payments(ctx, o)); err != nil {
				return err
			}
			return note(s.followers(ctx, o))
		})
	})
	if err != nil {
		return results, err
	}
	err = filled(ctx, dir, o, o.Accounts, o.Invoices/10, func(b *books) error {
		return serving(ctx, b, func(s *site) error {
			if err := note(s.reads(ctx, o, o.Invoices/10)); err != nil {
				return err
			}
			return note(s.csv(ctx, o, o.Invoices/10))
		})
	})
	if err != nil {
		return results, err
	}
	err = filled(ctx, dir, o, o.Accounts, o.Invoices, func(b *books) error {
		if _, err := b.views.CatchUp(ctx); err != nil {
			return err
		}
		return serving(ctx, b, func(s *site) error { return note(s.memory(ctx, o)) })
	})
	return results, err
}

// site is a ledger that is served.
type site struct {
	address string
}

// serving serves a ledger while work runs.
func serving(ctx context.Context, b *books, work func(*site) error) (err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	metrics := httpapi.NewMetrics()
	store := metrics.Instrument(b.store)
	l := ledger.New(store, b.codec, nil)
	if err := l.Remember(ctx); err != nil {
		return err
	}
	reads := trail.Open(b.dir, time.Now)
	defer func() { err = errors.Join(err, reads.Close()) }()
	api := httpapi.New(httpapi.Books{Store: store, Codec: b.codec, Ledger: l, Views: b.views, Clock: time.Now, Trail: reads}, httpapi.Options{Metrics: metrics})
	ctx, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer func() {
		stop()
		group.Wait()
	}()
	failed := make(chan error, 1)
	group.Go(func() { _ = b.views.Run(ctx) })
	group.Go(func() { _ = api.Run(ctx) })
	group.Go(func() {
		failed <- httpapi.Serve(ctx, httpapi.ServeConfig{Listener: listener, Handler: api, Notice: time.Millisecond})
	})
	err = work(&site{listener.Addr().String()})
	stop()
	return errors.Join(err, <-failed)
}

// caller is one connection: as little client as will do, since it shares the cores with the server.
type caller struct {
	conn net.Conn
	in   *bufio.Reader
	out  bytes.Buffer
}

func (s *site) call(ctx context.Context) (*caller, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", s.address)
	if err != nil {
		return nil, err
	}
	return &caller{conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}, nil
}

// send makes a request and hands its answer's body to read, which may be nil.
func (c *caller) send(method, path string, headers, body []byte, read func(io.Reader) error) error {
	c.out.Reset()
	fmt.Fprintf(&c.out, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n", method, path)
	c.out.Write(headers)
	if body != nil {
		fmt.Fprintf(&c.out, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	c.out.WriteString("\r\n")
	c.out.Write(body)
	if _, err := c.conn.Write(c.out.Bytes()); err != nil {
		return err
	}
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 2000))
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	if read != nil {
		return read(resp.Body)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// load sends n requests over some connections, and tells how many were answered a second and how long each took.
func (s *site) load(ctx context.Context, clients, n int, request func(c *caller, i int) error) (rate float64, took []time.Duration, err error) {
	took = make([]time.Duration, n)
	var next atomic.Int64
	start := time.Now()
	err = parallel(ctx, clients, clients, func(int) error {
		c, err := s.call(ctx)
		if err != nil {
			return err
		}
		defer c.conn.Close()
		for ctx.Err() == nil {
			i := int(next.Add(1)) - 1
			if i >= n {
				return nil
			}
			sent := time.Now()
			if err := request(c, i); err != nil {
				return err
			}
			took[i] = time.Since(sent)
		}
		return ctx.Err()
	})
	rate = float64(n) / time.Since(start).Seconds()
	slices.Sort(took)
	return rate, took, err
}

func (s *site) pay(run string, accounts int) func(c *caller, i int) error {
	return func(c *caller, i int) error {
		body, err := json.Marshal(paymentCommand(i, i%accounts))
		if err != nil {
			return err
		}
		return c.send(http.MethodPost, "/v1/sellers/"+string(sellerID)+"/payments", fmt.Appendf(nil, "Idempotency-Key: %s-%d\r\n", run, i), body, nil)
	}
}

func (s *site) payments(ctx context.Context, o Options) ([]Result, error) {
	o.tell("payments over HTTP")
	if _, _, err := s.load(ctx, httpClients, o.Commands/10, s.pay("warm", o.Accounts)); err != nil {
		return nil, err
	}
	rate, took, err := s.load(ctx, httpClients, o.Commands, s.pay("pay", o.Accounts))
	n := len(took)
	return []Result{{
		Name: fmt.Sprintf("HTTP: payments, %d connections", httpClients), Value: rate, Unit: "commands/s",
		P50: took[n/2], P99: took[n*99/100], Goal: "8000, p99 25 ms",
	}}, err
}

const (
	followersMany = 200
	followersRate = 1000 // events a second
)

// followers measures paced payments alone, and again while many follow the event feed. Each follower gets every event.
func (s *site) followers(ctx context.Context, o Options) (results []Result, err error) {
	n := min(o.Commands/10, 10*followersRate)
	o.tell("%d payments a second, and %d followers", followersRate, followersMany)
	alone, err := s.paced(ctx, "alone", n, o.Accounts)
	if err != nil {
		return nil, err
	}
	following, cancel := context.WithCancel(ctx)
	defer cancel()
	var got atomic.Int64
	var group sync.WaitGroup
	ready := make(chan error, followersMany)
	for range followersMany {
		group.Go(func() { s.follow(following, &got, ready) })
	}
	for range followersMany {
		if err := <-ready; err != nil {
			return nil, err
		}
	}
	among, err := s.paced(ctx, "among", n, o.Accounts)
	for end := time.Now().Add(5 * time.Second); got.Load() < int64(n*followersMany) && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	group.Wait()
	if missing := int64(n*followersMany) - got.Load(); err == nil && missing != 0 {
		err = fmt.Errorf("followers got %d events, want %d", got.Load(), n*followersMany)
	}
	among.Goal = fmt.Sprintf("%.0f: 20 %% below the one before", alone.Value*0.8)
	alone.Name = fmt.Sprintf("HTTP: payments paced at %d/s, nobody follows", followersRate)
	among.Name = fmt.Sprintf("HTTP: payments paced at %d/s, %d follow", followersRate, followersMany)
	return []Result{alone, among}, err
}

// paced sends payments at a steady rate, over enough connections that one slow answer holds up no other.
func (s *site) paced(ctx context.Context, run string, n, accounts int) (Result, error) {
	start := time.Now()
	pay := s.pay(run, accounts)
	late := make([]time.Duration, n)
	rate, _, err := s.load(ctx, httpClients, n, func(c *caller, i int) error {
		due := start.Add(time.Duration(i) * time.Second / followersRate)
		time.Sleep(time.Until(due))
		err := pay(c, i)
		late[i] = time.Since(due) // as its sender sees it, waiting for a connection included
		return err
	})
	slices.Sort(late)
	return Result{Value: rate, Unit: "commands/s", P50: late[n/2], P99: late[n*99/100]}, err
}

// follow counts the events that one follower gets.
func (s *site) follow(ctx context.Context, got *atomic.Int64, ready chan<- error) {
	c, err := s.call(ctx)
	if err == nil {
		context.AfterFunc(ctx, func() { c.conn.Close() })
		var after int64
		after, err = s.head(c)
		if err == nil {
			ready <- nil
			_ = c.send(http.MethodGet, fmt.Sprintf("/v1/events?follow=true&after=%d", after), nil, nil, func(body io.Reader) error {
				lines := bufio.NewReaderSize(body, 64<<10)
				for {
					line, err := lines.ReadSlice('\n')
					if len(line) > 1 {
						got.Add(1)
					}
					if err != nil {
						return err
					}
				}
			})
			return
		}
	}
	ready <- err
}

// head is the position of the newest event.
func (s *site) head(c *caller) (position int64, err error) {
	err = c.send(http.MethodGet, "/v1/views", nil, nil, func(body io.Reader) error {
		var status struct{ Rows []struct{ Head int64 } }
		err := json.NewDecoder(body).Decode(&status)
		if err == nil {
			position = status.Rows[0].Head
		}
		_, _ = io.Copy(io.Discard, body)
		return err
	})
	return position, err
}

// reads asks for one invoice after the other, each with what settled it.
func (s *site) reads(ctx context.Context, o Options, invoices int) ([]Result, error) {
	o.tell("single invoices over HTTP")
	each := max(1, invoices/o.Accounts)
	path := func(i int) string {
		account := (i * 7919) % o.Accounts
		return fmt.Sprintf("/v1/sellers/%s/invoices/%s-%06d?as_of=2026-01-31", sellerID, customerID(account), (i/3)%each)
	}
	read := func(c *caller, i int) error { return c.send(http.MethodGet, path(i), nil, nil, nil) }
	if _, _, err := s.load(ctx, httpClients, o.Commands/10, read); err != nil {
		return nil, err
	}
	rate, took, err := s.load(ctx, httpClients, o.Commands, read)
	n := len(took)
	return []Result{{
		Name: fmt.Sprintf("HTTP: single invoices of %d, %d connections", invoices, httpClients), Value: rate, Unit: "reads/s",
		P50: took[n/2], P99: took[n*99/100], Goal: "15000",
	}}, err
}

// csv asks for an aging as CSV and reads it to its end, five times.
func (s *site) csv(ctx context.Context, o Options, invoices int) ([]Result, error) {
	o.tell("aging as CSV over HTTP")
	c, err := s.call(ctx)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	var took []time.Duration
	for range 6 {
		start := time.Now()
		path := fmt.Sprintf("/v1/sellers/%s/aging?as_of=%s", sellerID, firstDay.AddDays(historyDays/2))
		if err := c.send(http.MethodGet, path, []byte("Accept: text/csv\r\n"), nil, nil); err != nil {
			return nil, err
		}
		took = append(took, time.Since(start))
	}
	return []Result{{
		Name: fmt.Sprintf("HTTP: aging of %d invoices as CSV", invoices), Value: float64(median(took[1:]).Microseconds()) / 1000, Unit: "ms", Goal: "150",
	}}, nil
}

// memory loads the largest ledger with payments, reads and whole lists, and tells the most memory meanwhile.
func (s *site) memory(ctx context.Context, o Options) ([]Result, error) {
	o.tell("serving %d invoices", o.Invoices)
	if !resetPeak() {
		return nil, nil
	}
	if _, _, err := s.load(ctx, httpClients, o.Commands/2, s.pay("memory", o.Accounts)); err != nil {
		return nil, err
	}
	if _, err := s.reads(ctx, o, o.Invoices); err != nil {
		return nil, err
	}
	c, err := s.call(ctx)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	start := time.Now()
	for _, path := range []string{"aging?as_of=2025-06-30", "aging?as_of=2025-06-30&group_by=invoice", "invoices?sort=customer"} {
		if err := c.send(http.MethodGet, "/v1/sellers/"+string(sellerID)+"/"+path, []byte("Accept: text/csv\r\nAccept-Encoding: gzip\r\n"), nil, nil); err != nil {
			return nil, err
		}
	}
	took := time.Since(start)
	peak, _ := peakMemory()
	return []Result{
		{Name: fmt.Sprintf("HTTP: aging, open items and all %d invoices as CSV, one after the other", o.Invoices), Value: float64(took.Milliseconds()), Unit: "ms"},
		{Name: fmt.Sprintf("HTTP: peak memory while serving %d invoices", o.Invoices), Value: peak, Unit: "MiB", Goal: "400"},
	}, nil
}
