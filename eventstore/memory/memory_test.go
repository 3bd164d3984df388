package memory_test

import (
	"testing"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/memory"
	"github.com/urikake/urikake/eventstore/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, storetest.Features{Clock: true}, func(_ testing.TB, _ string, clock eventstore.Clock) (eventstore.Store, func()) {
		return memory.New(clock), func() {}
	})
}
