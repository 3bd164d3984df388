package nodestest_test

import (
	"context"
	"crypto/rand"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/esdb"
	"github.com/urikake/urikake/eventstore/esdbserver"
	"github.com/urikake/urikake/eventstore/sqlite"
	"github.com/urikake/urikake/projections/nodestest"
)

// clusterNodes are nodes with a client of their own each.
func clusterNodes(t *testing.T, n int, address esdb.Address) (list []eventstore.Store) {
	for range n {
		s, err := esdb.Open(address, esdb.Options{Categories: catalog.Categories()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		list = append(list, s)
	}
	return list
}

// serveLog serves a log to EventStoreDB's clients, on a port of its own or at an address, until stop.
func serveLog(t *testing.T, log eventstore.Store, at string) (address string, stop func()) {
	listener, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- esdbserver.New(esdbserver.Config{Store: log, Drain: 100 * time.Millisecond}).Serve(ctx, listener)
	}()
	return listener.Addr().String(), func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func parsed(t *testing.T, text string) esdb.Address {
	address, err := esdb.ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// Two nodes with clients of their own, and the server ends and begins again amid the race.
func TestTwoNodesOnEventStoreDB(t *testing.T) {
	log, err := sqlite.Open(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	at, stop := serveLog(t, log, "127.0.0.1:0")
	ctx, cancel := context.WithCancel(t.Context())
	trouble, restarts := make(chan struct{}), 0
	t.Cleanup(func() {
		cancel()
		<-trouble
		stop()
	})
	go func() {
		defer close(trouble)
		events := 0
		for _, err := range log.Follow(ctx, 0) {
			if events++; err != nil {
				return
			}
			if events%150 == 0 {
				stop()
				_, stop = serveLog(t, log, at)
				restarts++
			}
		}
	}()
	nodestest.Run(t, clusterNodes(t, 2, parsed(t, "esdb://"+at+"?tls=false")), nodestest.Race{Heal: func() {
		cancel()
		<-trouble
	}})
	if restarts == 0 {
		t.Error("the server went on all the time")
	}
}

// The same on a server that runs, in streams of the test's own.
func TestTwoNodesOnRunningEventStoreDB(t *testing.T) {
	text := os.Getenv("URIKAKE_TEST_ESDB")
	if text == "" {
		t.Skip("URIKAKE_TEST_ESDB names no EventStoreDB server")
	}
	address := parsed(t, text)
	address.Prefix = "test." + strings.ToLower(rand.Text()) + "."
	nodestest.Run(t, clusterNodes(t, 2, address), nodestest.Race{})
}
