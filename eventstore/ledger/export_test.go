package ledger

import (
	"context"
	"fmt"

	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
)

// RememberFew is Remember with room for few commands, a power of two.
func (l *Ledger) RememberFew(ctx context.Context, most int) error {
	return l.remember(ctx, most, false)
}

// UnderWay is how many keys are claimed and not settled.
func (l *Ledger) UnderWay() int {
	l.keys.mu.Lock()
	defer l.keys.mu.Unlock()
	return len(l.keys.underWay)
}

// Books tells where an account stands: stream, version, balance, and the snapshot of its state.
func (l *Ledger) Books(ctx context.Context, key account.Key) (stream string, version eventstore.Version, books string, err error) {
	stream, _, err = l.live(ctx, key)
	if err != nil {
		return stream, 0, "", err
	}
	err = eventstore.View(ctx, l.handler, accounts, stream, func(s *account.State, v eventstore.Version) error {
		snapshot, err := s.Snapshot()
		version, books = v, fmt.Sprint(s.Balance(), " ", string(snapshot))
		return err
	})
	return stream, version, books, err
}
