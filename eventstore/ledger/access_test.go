package ledger_test

import (
	"context"
	"testing"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/sqlite"
)

// Two nodes on one log know the same keys, and so does one that starts later.
func TestKeys(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	store, err := sqlite.Open(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	node := office{t, ledger.New(store, ledger.Codec(), nil), store}
	other := office{t, ledger.New(store, ledger.Codec(), nil), store}
	at := time.Date(2026, 7, 3, 12, 0, 0, 0, time.UTC)
	key := func(id domain.KeyID) access.CreateKey {
		return access.CreateKey{Key: id, Holder: "佐藤", Role: access.Clerk, Hash: access.Hash(id, "secret"), CreatedAt: at}
	}
	if keys, version, err := node.Keys(ctx); len(keys) != 0 || version != 0 || err != nil {
		t.Fatalf("%v, %d, %v", keys, version, err)
	}
	node.must("create-K2", key("K2"))
	other.must("create-K1", key("K1"))
	if again := other.must("create-K2", key("K2")); !again.Repeated || again.Stream != access.Stream {
		t.Errorf("%+v", again)
	}
	node.refused("K1-once-more", key("K1"), access.ErrRepeatedKey)
	before, version, err := node.Keys(ctx)
	if err != nil || version != 2 || len(before) != 2 || before[0].ID != "K1" || !before[0].Matches("secret") || !before[0].Live(at) {
		t.Fatalf("%+v, %d, %v", before, version, err)
	}
	other.must("revoke-K1", access.RevokeKey{Key: "K1", Reason: "lost", RevokedAt: at})
	if !before[0].Live(at) {
		t.Error("the list changed in the caller's hands")
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if store, err = sqlite.Open(dir, time.Now); err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	keys, version, err := ledger.New(store, ledger.Codec(), eventstore.SnapshotDir(t.TempDir())).Keys(ctx)
	if err != nil || version != 3 || len(keys) != 2 || keys[0].Live(at) || !keys[0].RevokedAt.Equal(at) || !keys[1].Live(at) {
		t.Errorf("%+v, %d, %v", keys, version, err)
	}
}
