package sqlite

import (
	"testing"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, storetest.Features{Durable: true, Clock: true}, func(t testing.TB, dir string, clock eventstore.Clock) (eventstore.Store, func()) {
		s, err := Open(dir, clock)
		if err != nil {
			t.Fatal(err)
		}
		return s, func() {
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}
	})
}
