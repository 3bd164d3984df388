package esdbserver

import (
	"sync"

	"github.com/urikake/urikake/eventstore"
)

// typesMax is how many different types of events a server takes: logs keep the names of all types at hand, and each
// version of a type's fields counts.
const typesMax = 10_000

// types are those that were appended through a server.
type types struct {
	mu   sync.Mutex
	seen map[eventType]struct{}
	max  int
}

type eventType struct {
	name   string
	schema int
}

func newTypes(max int) *types { return &types{seen: make(map[eventType]struct{}), max: max} }

// note takes events' types down, or refuses what would be too many.
func (t *types) note(events []eventstore.Proposed) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range events {
		is := eventType{e.Kind, e.Schema}
		if _, known := t.seen[is]; known {
			continue
		}
		if len(t.seen) == t.max {
			return invalid("%d different types of events were appended, which is the most: a type names what happened, and not to what", t.max)
		}
		t.seen[is] = struct{}{}
	}
	return nil
}
