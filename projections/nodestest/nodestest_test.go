package nodestest_test

import (
	"os"
	"testing"
	"time"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/faulty"
	"github.com/urikake/urikake/eventstore/memory"
	"github.com/urikake/urikake/eventstore/ramdisk"
	"github.com/urikake/urikake/eventstore/sqlite"
	"github.com/urikake/urikake/projections/nodestest"
)

func TestMain(m *testing.M) { os.Exit(ramdisk.Tests(m).Run()) }

func nodes(n int, store eventstore.Store) (list []eventstore.Store) {
	for range n {
		list = append(list, store)
	}
	return list
}

func TestTwoNodesOnSQLite(t *testing.T) {
	store, err := sqlite.Open(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	nodestest.Run(t, nodes(2, store), nodestest.Race{})
}

func TestThreeNodesInMemory(t *testing.T) {
	nodestest.Run(t, nodes(3, memory.New(time.Now)), nodestest.Race{Clients: 9})
}

// Each node has a connection of its own that fails on its own.
func TestNodesWithFaults(t *testing.T) {
	for seed := range uint64(3) {
		base := memory.New(time.Now)
		faults := faulty.Usual
		faults.Slow, faults.SlowMax = 0.2, time.Millisecond
		var stores []eventstore.Store
		var heal []func()
		for n := range uint64(3) {
			s := faulty.New(base, seed*10+n, faults)
			stores, heal = append(stores, s), append(heal, func() { s.Set(faulty.Faults{}) })
		}
		nodestest.Run(t, stores, nodestest.Race{Heal: func() {
			for _, h := range heal {
				h()
			}
		}})
	}
}
