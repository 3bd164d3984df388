package esdb

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"github.com/urikake/urikake/eventstore"
)

// seen is what is known of the log's end, and some places in it.
type seen struct {
	mu     sync.Mutex
	head   eventstore.Position   // of the ledger's newest event
	end    eventstore.Position   // between head and here is nothing of the ledger's
	places []eventstore.Position // about one event in placeEvery of those that were followed, in order
}

// placeEvery is how many events lie between two places that are remembered, in the mean.
const placeEvery = 512

// saw takes down that an event of the ledger stands at a position.
func (s *Store) saw(at eventstore.Position, id uuid.UUID) {
	s.bound.to(at, id)
	s.seen.advance(at, at)
}

func (s *seen) advance(head, end eventstore.Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.head, s.end = max(s.head, head), max(s.end, end)
}

func (s *seen) get() (head, end eventstore.Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.head, s.end
}

// forget is for a new connection: the server may have been restored from a backup.
func (s *seen) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.head, s.end, s.places = 0, 0, nil
}

// remember keeps an event's place. Its random id decides, so that all followers keep the same.
func (s *seen) remember(at eventstore.Position, id uuid.UUID) {
	if binary.BigEndian.Uint16(id[14:])%placeEvery != 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i, there := slices.BinarySearch(s.places, at); !there {
		s.places = slices.Insert(s.places, i, at)
	}
}

// before is the last place that is not after a position, 0 if none is known.
func (s *seen) before(at eventstore.Position) eventstore.Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, there := slices.BinarySearch(s.places, at)
	switch {
	case there:
		return at
	case i > 0:
		return s.places[i-1]
	}
	return 0
}

// headFirst is how many events are looked at first, from the end; mostly the last is the ledger's.
const headFirst = 4

// Head looks back from the end of $all, past what is not the ledger's, as far as to what it knows.
// O(foreign events since the last call).
func (s *Store) Head(ctx context.Context) (eventstore.Position, error) {
	_, known := s.seen.get()
	var from esdb.AllPosition = esdb.End{}
	var end eventstore.Position
	for count := headFirst; ; count = min(8*count, pageEvents) {
		a, err := s.page(ctx, count, func(ctx context.Context, client *esdb.Client) (*esdb.ReadStream, error) {
			return client.ReadAll(ctx, esdb.ReadAllOptions{Direction: esdb.Backwards, From: from}, uint64(count))
		})
		if err != nil {
			return 0, err
		}
		done := !a.more
		for _, e := range a.events {
			at := eventstore.Position(e.Position.Commit)
			end, from = max(end, at), e.Position
			if at <= known {
				done = true
				break
			}
			if _, own := s.own(e.StreamID); own {
				s.saw(at, e.EventID)
				done = true
				break
			}
		}
		if done {
			s.seen.advance(0, end)
			head, _ := s.seen.get()
			return head, nil
		}
	}
}
