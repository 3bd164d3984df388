package main

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/esdb"
	"github.com/urikake/urikake/eventstore/esdbserver"
	"github.com/urikake/urikake/eventstore/memory"
	"github.com/urikake/urikake/eventstore/sqlite"
)

var errStore = &domain.Error{
	Code: domain.Invalid, Rule: "sim.unknown_store", Text: "the log is kept in memory, in sqlite, or in memory behind an EventStoreDB server: memory, sqlite, esdb",
}

// openLog opens an empty log of a kind: as it is, and as each node comes to it.
func openLog(kind, dir string, nodes int, clock eventstore.Clock) (log eventstore.Store, stores []eventstore.Store, closeLog func() error, err error) {
	closeLog = func() error { return nil }
	switch kind {
	case "memory":
		log = memory.New(clock)
	case "sqlite":
		file, err := sqlite.Open(dir, clock)
		if err != nil {
			return nil, nil, nil, err
		}
		log, closeLog = file, file.Close
	case "esdb":
		log = memory.New(clock)
		stores, closeLog, err = serve(log, nodes)
		return log, stores, closeLog, err
	default:
		return nil, nil, nil, errStore.With("%q", kind)
	}
	for range nodes {
		stores = append(stores, log)
	}
	return log, stores, closeLog, nil
}

// serve puts a server of EventStoreDB's protocol in front of a log, and gives each node a client of its own.
func serve(log eventstore.Store, nodes int) (clients []eventstore.Store, closeAll func() error, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- esdbserver.New(esdbserver.Config{Store: log, Drain: 100 * time.Millisecond}).Serve(ctx, listener)
	}()
	var closes []func() error
	closeAll = func() error {
		var errs []error
		for _, c := range closes {
			errs = append(errs, c())
		}
		stop()
		return errors.Join(append(errs, <-ended)...)
	}
	address, err := esdb.ParseAddress("esdb://" + listener.Addr().String() + "?tls=false")
	for range nodes {
		var client *esdb.Store
		if err == nil {
			client, err = esdb.Open(address, esdb.Options{Categories: catalog.Categories()})
		}
		if err != nil {
			return nil, nil, errors.Join(err, closeAll())
		}
		clients, closes = append(clients, client), append(closes, client.Close)
	}
	return clients, closeAll, nil
}
