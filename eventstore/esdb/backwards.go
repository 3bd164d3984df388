package esdb

import (
	"context"
	"iter"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/urikake/urikake/eventstore"
)

var _ eventstore.Backwarder = (*Store)(nil)

// Backwards asks for pages of $all from a position down, each by itself, and passes over what is not the ledger's.
// O(events yielded and what others have written between them).
func (s *Store) Backwards(ctx context.Context, from eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		if from == 0 {
			return
		}
		first, err := s.lookAt(ctx, from) // a page begins before the position that it names
		next := esdb.AllPosition(esdb.Position{Commit: uint64(from), Prepare: uint64(from)})
		if first == nil { // no event stands there
			next = esdb.End{}
		} else if stream, own := s.own(first.StreamID); own && !yield(recorded(stream, first), nil) {
			return
		}
		for more := true; more && err == nil; {
			var a answer
			a, err = s.page(ctx, pageEvents, func(ctx context.Context, client *esdb.Client) (*esdb.ReadStream, error) {
				return client.ReadAll(ctx, esdb.ReadAllOptions{Direction: esdb.Backwards, From: next}, pageEvents)
			})
			more = a.more
			for _, e := range a.events {
				next = e.Position
				stream, own := s.own(e.StreamID)
				if own && e.Position.Commit <= uint64(from) && !yield(recorded(stream, e), nil) {
					return
				}
			}
			if err == nil {
				err = ctx.Err()
			}
		}
		if err != nil {
			yield(eventstore.Recorded{}, err)
		}
	}
}
