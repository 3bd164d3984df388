package httpapi

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/eventstore"
)

// keyring knows the keys that were made, so that a request asks no disk. It is read again after each change in this
// process, and now and then for changes that another process on the same log has made.
type keyring struct {
	list  func(context.Context) ([]access.Key, eventstore.Version, error)
	mu    sync.Mutex
	known atomic.Pointer[map[domain.KeyID]access.Key]
}

const keysEvery = 2 * time.Second

func newKeyring(list func(context.Context) ([]access.Key, eventstore.Version, error)) *keyring {
	return &keyring{list: list}
}

// refresh reads the keys again.
func (k *keyring) refresh(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	list, _, err := k.list(ctx)
	if err != nil {
		return err
	}
	known := make(map[domain.KeyID]access.Key, len(list))
	for _, key := range list {
		known[key.ID] = key
	}
	k.known.Store(&known)
	return nil
}

func (k *keyring) run(ctx context.Context) {
	tick := time.NewTicker(keysEvery)
	defer tick.Stop()
	for {
		_ = k.refresh(ctx) // a log that can't be read shows elsewhere; the keys that are known go on to hold
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// keys are all keys; while they can't be read nobody is let in by them, and nobody without.
func (k *keyring) keys() (map[domain.KeyID]access.Key, error) {
	if known := k.known.Load(); known != nil {
		return *known, nil
	}
	if err := k.refresh(context.Background()); err != nil {
		return nil, err
	}
	return *k.known.Load(), nil
}

// any tells whether a key was ever made; from then on nobody is answered without one.
func (k *keyring) any() (bool, error) {
	known, err := k.keys()
	return len(known) > 0, err
}

// live tells whether a key still opens anything.
func (k *keyring) live(id domain.KeyID, now time.Time) bool {
	known, err := k.keys()
	key, found := known[id]
	return err != nil || found && key.Live(now)
}

// principal is who holds a key, by its token. Whether a key is unknown, revoked or expired is not told.
// Refuses access.no_key.
func (k *keyring) principal(token string, now time.Time) (Principal, error) {
	id, secret, ok := access.ParseToken(token)
	if !ok {
		return Principal{}, ErrNoKey
	}
	known, err := k.keys()
	if err != nil {
		return Principal{}, err
	}
	key, found := known[id]
	if !key.Matches(secret) || !found || !key.Live(now) {
		return Principal{}, ErrNoKey
	}
	return Principal{Actor: key.Holder, Key: key.ID, Role: key.Role, Seller: key.Seller}, nil
}
