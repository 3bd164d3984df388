package esdb

import (
	"os"
	"testing"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ramdisk"
	"github.com/urikake/urikake/eventstore/sqlite"
	"github.com/urikake/urikake/eventstore/storetest"
)

func TestMain(m *testing.M) { os.Exit(ramdisk.Tests(m).Run()) }

// TestStore runs the suite over esdbserver, with the server's end and start at each reopening.
func TestStore(t *testing.T) {
	features := storetest.Features{Durable: true, Clock: true, AppendMax: AppendMax}
	storetest.Run(t, features, func(t testing.TB, dir string, clock eventstore.Clock) (eventstore.Store, func()) {
		return openServed(t, startOpening(t, func() (eventstore.Store, func() error) {
			log, err := sqlite.Open(dir, clock)
			if err != nil {
				t.Fatal(err)
			}
			return log, log.Close
		}))
	})
}

// TestRunningStore runs the suite on the server that runs, each test in streams of its own.
func TestRunningStore(t *testing.T) {
	running(t) // or skip
	addresses := map[string]Address{}
	features := storetest.Features{Durable: true, AppendMax: AppendMax}
	storetest.Run(t, features, func(t testing.TB, dir string, _ eventstore.Clock) (eventstore.Store, func()) {
		if _, there := addresses[dir]; !there {
			addresses[dir] = running(t)
		}
		s, err := Open(addresses[dir], Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s, func() { s.Close() }
	})
}
