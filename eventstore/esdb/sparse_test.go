package esdb

import (
	"context"
	"iter"
	"testing"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/memory"
	"github.com/urikake/urikake/eventstore/storetest"
)

// sparse is a log whose positions have gaps, as a server's have that counts bytes.
type sparse struct{ eventstore.Store }

const gap = 337

func spread(r eventstore.Recorded) eventstore.Recorded {
	r.Position *= gap
	return r
}

func spreadAll(events iter.Seq2[eventstore.Recorded, error]) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		for r, err := range events {
			if !yield(spread(r), err) {
				return
			}
		}
	}
}

func (s sparse) Append(ctx context.Context, stream string, expected eventstore.Version, events ...eventstore.Proposed) (eventstore.Position, error) {
	at, err := s.Store.Append(ctx, stream, expected, events...)
	return at * gap, err
}

func (s sparse) Read(ctx context.Context, stream string, after eventstore.Version) iter.Seq2[eventstore.Recorded, error] {
	return spreadAll(s.Store.Read(ctx, stream, after))
}

func (s sparse) Follow(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return spreadAll(s.Store.Follow(ctx, after/gap))
}

func (s sparse) Head(ctx context.Context) (eventstore.Position, error) {
	head, err := s.Store.Head(ctx)
	return head * gap, err
}

// TestSparseStore runs the suite where hardly any position is an event's.
func TestSparseStore(t *testing.T) {
	features := storetest.Features{Durable: true, Clock: true, AppendMax: AppendMax}
	logs := make(map[string]eventstore.Store)
	storetest.Run(t, features, func(t testing.TB, dir string, clock eventstore.Clock) (eventstore.Store, func()) {
		if logs[dir] == nil {
			logs[dir] = sparse{memory.New(clock)}
		}
		return openServed(t, startServer(t, logs[dir]))
	})
}

// TestSparseForeignStreams asks for everything from positions at which nothing stands.
func TestSparseForeignStreams(t *testing.T) {
	testForeign(t, mustParse(t, startServer(t, sparse{fresh()}).url()))
}
