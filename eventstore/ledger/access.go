package ledger

import (
	"context"
	"slices"

	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/eventstore"
)

var accessKeys = &eventstore.Aggregate[access.Command, *access.State]{Decider: access.Decider, Size: (*access.State).Size}

// Keys are all access keys that ever were, revoked ones too, in the order of their ids, and the version of their
// stream: while it is the same, so are the keys. O(n).
func (l *Ledger) Keys(ctx context.Context) (list []access.Key, version eventstore.Version, err error) {
	err = eventstore.View(ctx, l.handler, accessKeys, access.Stream, func(s *access.State, v eventstore.Version) error {
		list, version = slices.Clone(s.Keys), v
		return nil
	})
	return list, version, err
}
