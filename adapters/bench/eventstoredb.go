package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/esdb"
	"github.com/urikake/urikake/eventstore/esdbserver"
	"github.com/urikake/urikake/eventstore/sqlite"
)

// EventStoreDB measures one log twice: embedded, and through the EventStoreDB client over loopback, with a server in this
// process in front of the same kind of log. The difference is what client, protocol and server cost.
func EventStoreDB(ctx context.Context, dir string, o Options) (results []Result, err error) {
	log, err := sqlite.Open(filepath.Join(dir, "embedded"), time.Now)
	if err != nil {
		return nil, err
	}
	results, err = logged(ctx, log, "embedded", o)
	if err = errors.Join(err, log.Close()); err != nil {
		return results, err
	}
	served, err := sqlite.Open(filepath.Join(dir, "served"), time.Now)
	if err != nil {
		return results, err
	}
	defer func() { err = errors.Join(err, served.Close()) }()
	err = throughClient(ctx, served, func(store eventstore.Store) error {
		more, err := logged(ctx, store, "EventStoreDB client", o)
		results = append(results, more...)
		return err
	})
	return results, err
}

// throughClient serves a log to EventStoreDB's client for some work.
func throughClient(ctx context.Context, log eventstore.Store, work func(eventstore.Store) error) (err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	serving, end := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- esdbserver.New(esdbserver.Config{Store: log}).Serve(serving, listener) }()
	defer func() {
		end()
		err = errors.Join(err, <-served)
	}()
	address, err := esdb.ParseAddress("esdb://" + listener.Addr().String() + "?tls=false")
	if err != nil {
		return err
	}
	store, err := esdb.Open(address, esdb.Options{Categories: catalog.Categories()})
	if err != nil {
		return err
	}
	return errors.Join(work(store), store.Close())
}

// logged measures a log's appends and reading all of it.
func logged(ctx context.Context, store eventstore.Store, where string, o Options) (results []Result, err error) {
	for clients, n := range map[int]int{1: o.Commands / 20, 64: o.Commands} {
		o.tell("%s: appends by %d clients", where, clients)
		r, err := appends(ctx, store, fmt.Sprintf("append, %d at once, %s", clients, where), clients, n)
		if err != nil {
			return results, err
		}
		results = append(results, r)
	}
	slices.SortFunc(results, func(a, b Result) int { return strings.Compare(a.Name, b.Name) })
	o.tell("%s: reading all", where)
	head, err := store.Head(ctx)
	if err != nil {
		return results, err
	}
	start := time.Now()
	events, err := eventstore.Count(ctx, store, 0, head, ^uint64(0))
	return append(results, Result{
		Name: fmt.Sprintf("read all, %d events, %s", events, where), Value: float64(events) / time.Since(start).Seconds(), Unit: "events/s",
	}), err
}

// appends lets clients append one event after the other, each to a stream of its own.
func appends(ctx context.Context, store eventstore.Store, name string, clients, n int) (Result, error) {
	each := max(1, n/clients)
	took := make([]time.Duration, clients*each)
	data := fmt.Appendf(nil, `{"text":%q}`, strings.Repeat("x", 330))
	metadata := fmt.Appendf(nil, `{"command_id":%q,"schema":1}`, strings.Repeat("x", 160))
	start := time.Now()
	err := parallel(ctx, clients, clients, func(c int) error {
		stream := fmt.Sprintf("account-BENCH.%d-%d.JPY", clients, c)
		for i := range each {
			e := eventstore.Proposed{
				ID: uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, stream, i)), Kind: "account.payment_recorded", Schema: 1, Data: data, Metadata: metadata,
			}
			sent := time.Now()
			if _, err := store.Append(ctx, stream, eventstore.Version(i), e); err != nil {
				return err
			}
			took[c*each+i] = time.Since(sent)
		}
		return ctx.Err()
	})
	rate := float64(len(took)) / time.Since(start).Seconds()
	slices.Sort(took)
	return Result{Name: name, Value: rate, Unit: "events/s", P50: took[len(took)/2], P99: took[len(took)*99/100]}, err
}
