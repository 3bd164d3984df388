package ledger

import (
	"context"
	"math"
	"slices"

	"github.com/urikake/urikake/eventstore"
)

// Remember lets one key be one command of a seller over all its streams, not on each of them only: the same key with
// another content, also for another account or customer, is refused with command.id_reused. Commands that concern no
// seller share one realm. It reads the newest KeysMax commands of the log, from its end, once, and must be called before
// the first command. O(KeysMax, and the events of the ledger's own steps between them).
//
// Older commands are still found on their own streams. What other processes append after the reading is not seen by
// this one: see RememberShared. A command that is under way counts as sent; a refused one frees its key, as it has left
// nothing in the log; one whose outcome is unknown keeps it.
func (l *Ledger) Remember(ctx context.Context) error { return l.remember(ctx, KeysMax, false) }

// RememberShared is Remember for a log to which other nodes append: each command first learns what the log had when it
// came, so that a key whose command was answered by any node is known on all of them. It costs a question to the log for
// each command, and reading what others have written; FollowKeys spares commands the reading.
//
// Two commands under one key that are under way on two nodes at the same time are told apart on one stream, but not if
// they are for different accounts or customers: then both may be done.
func (l *Ledger) RememberShared(ctx context.Context) error { return l.remember(ctx, KeysMax, true) }

func (l *Ledger) remember(ctx context.Context, most int, shared bool) error {
	head, err := l.store.Head(ctx)
	if err != nil {
		return err
	}
	k := newKeys(most)
	k.shared = shared
	if err := k.recall(ctx, l.store, head); err != nil {
		return err
	}
	l.keys = k
	return nil
}

// recall learns the newest commands up to a position, as many as there is room for. Positions don't tell how far back
// they reach: on some logs there are gaps between them.
func (k *usedKeys) recall(ctx context.Context, store eventstore.Store, head eventstore.Position) error {
	var newest []use
	for r, err := range eventstore.Backwards(ctx, store, head) {
		if err != nil {
			return err
		}
		u, ok := k.useIn(r)
		if !ok || len(newest) > 0 && newest[len(newest)-1] == u { // another event of the same command
			continue
		}
		if newest = append(newest, u); len(newest) == cap(k.recent) {
			break
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, u := range slices.Backward(newest) {
		k.remember(u)
	}
	k.read = head
	return nil
}

// useIn is the use that an event records. Those of the ledger's own steps have no hash and are nobody's commands.
func (k *usedKeys) useIn(r eventstore.Recorded) (u use, ok bool) {
	id, hash := eventstore.CommandOf(r)
	if len(hash) == 0 {
		return use{}, false
	}
	realm, base := realmOf(r.Stream)
	return k.use(realm, base, id, hash), true
}

// FollowKeys learns keys as the log grows, after RememberShared, until ctx ends (it returns ctx's error) or the log can't
// be read. Commands that come while nobody follows read for themselves.
func (l *Ledger) FollowKeys(ctx context.Context) error {
	select {
	case l.keys.reading <- struct{}{}:
		defer func() { <-l.keys.reading }()
		return l.keys.readTo(ctx, l.store, math.MaxUint64)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// refresh returns when all keys are known that a shared log has now.
func (k *usedKeys) refresh(ctx context.Context, store eventstore.Store) error {
	if k == nil || !k.shared {
		return nil
	}
	head, err := store.Head(ctx)
	if err != nil {
		return err
	}
	for {
		known, moved := k.knows(head)
		if known {
			return nil
		}
		select {
		case k.reading <- struct{}{}:
			err := k.readTo(ctx, store, head)
			<-k.reading
			return err
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// knows tells whether the log is known up to a position, and rings when it is worth asking again.
func (k *usedKeys) knows(until eventstore.Position) (yes bool, moved <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.read >= until, k.moved
}

// readTo learns what the log has up to a position. One at a time reads.
func (k *usedKeys) readTo(ctx context.Context, store eventstore.Store, until eventstore.Position) error {
	if known, _ := k.knows(until); known {
		return nil
	}
	for r, err := range store.Follow(ctx, k.read) {
		if err != nil {
			return err
		}
		if k.learn(r); r.Position >= until {
			return nil
		}
	}
	return ctx.Err()
}

// learn takes in an event.
func (k *usedKeys) learn(r eventstore.Recorded) {
	u, ok := k.useIn(r)
	k.mu.Lock()
	defer k.mu.Unlock()
	if ok {
		k.remember(u)
	}
	k.read = r.Position
	close(k.moved)
	k.moved = make(chan struct{})
}
