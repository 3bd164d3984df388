package access_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/scenario"
)

var (
	noon  = time.Date(2026, 7, 3, 12, 0, 0, 123_456_000, time.UTC)
	later = noon.AddDate(1, 0, 0)
	hash  = access.Hash("K1", "secret")
)

func given(t *testing.T) *scenario.Scenario[access.Command, *access.State] {
	return scenario.For(t, access.Decider, access.Events)
}

func create(id domain.KeyID) access.CreateKey {
	return access.CreateKey{
		Key: id, Holder: "佐藤", Role: access.Clerk, Seller: "midori",
		ExpiresAt: later, Hash: hash, CreatedAt: noon,
	}
}

func created(id domain.KeyID) access.KeyCreated { return access.KeyCreated(create(id)) }

func TestCreate(t *testing.T) {
	state := given(t).
		When(create("K2")).Then(created("K2")).
		When(create("K1")).Then(created("K1")).
		When(create("K2")).RefusedAt(access.ErrRepeatedKey, "/key").
		Given(access.KeyRevoked{Key: "K2", Reason: "lost", RevokedAt: noon}).
		When(create("K2")).RefusedAt(access.ErrRepeatedKey, "/key"). // an id never means another key
		State()
	if len(state.Keys) != 2 || state.Keys[0].ID != "K1" || state.Keys[1].ID != "K2" {
		t.Errorf("not in the order of their ids: %+v", state.Keys)
	}
	want := access.Key{ID: "K1", Holder: "佐藤", Role: access.Clerk, Seller: "midori", Hash: hash, CreatedAt: noon, ExpiresAt: later}
	if k, found := state.Find("K1"); !found || k != want {
		t.Errorf("%+v", k)
	}
	if k, found := state.Find("K3"); found || k != (access.Key{}) {
		t.Errorf("%+v", k)
	}
}

// Instants are written in UTC to the microsecond, whatever clock they come from.
func TestInstants(t *testing.T) {
	tokyo := time.FixedZone("JST", 9*60*60)
	c := create("K1")
	c.CreatedAt, c.ExpiresAt = noon.In(tokyo).Add(789), time.Time{}
	want := created("K1")
	want.ExpiresAt = time.Time{}
	outcome := given(t).When(c)
	outcome.Then(want)
	data, err := json.Marshal(want)
	if err != nil || strings.Contains(string(data), "expires_at") || !strings.Contains(string(data), `"created_at":"2026-07-03T12:00:00.123456Z"`) {
		t.Errorf("%s, %v", data, err)
	}
}

func TestRevoke(t *testing.T) {
	revoke := access.RevokeKey{Key: "K1", Reason: "left", RevokedAt: later}
	state := given(t).
		When(revoke).RefusedAt(access.ErrUnknownKey, "/key").
		Given(created("K1"), created("K2")).
		When(revoke).Then(access.KeyRevoked{Key: "K1", Reason: "left", RevokedAt: later}).
		When(revoke).RefusedAt(access.ErrAlreadyRevoked, "/key").
		When(access.RevokeKey{Key: "K 2"}).RefusedAt(domain.ErrBadID, "/key").
		When(access.RevokeKey{Key: "K2"}).RefusedAt(domain.ErrMissing, "/reason").
		When(access.RevokeKey{Key: "K2"}).RefusedAt(domain.ErrMissing, "/revoked_at").
		State()
	first, _ := state.Find("K1")
	second, _ := state.Find("K2")
	if !first.RevokedAt.Equal(later) || !second.RevokedAt.IsZero() {
		t.Errorf("%+v", state.Keys)
	}
}

func TestLive(t *testing.T) {
	for _, c := range []struct {
		name string
		key  access.Key
		at   time.Time
		want bool
	}{
		{"for ever", access.Key{}, later, true},
		{"not expired", access.Key{ExpiresAt: later}, later.Add(-1), true},
		{"expired on the instant", access.Key{ExpiresAt: later}, later, false},
		{"expired", access.Key{ExpiresAt: later}, later.Add(1), false},
		{"revoked", access.Key{RevokedAt: noon}, later, false},
		{"revoked, by a clock that is ahead", access.Key{RevokedAt: later}, noon, false},
	} {
		if c.key.Live(c.at) != c.want {
			t.Errorf("%s: %v", c.name, !c.want)
		}
	}
}

func TestFields(t *testing.T) {
	for _, c := range []struct {
		field  string
		want   *domain.Error
		change func(*access.CreateKey)
	}{
		{"/key", domain.ErrBadID, func(c *access.CreateKey) { c.Key = "" }},
		{"/holder", domain.ErrMissing, func(c *access.CreateKey) { c.Holder = "" }},
		{"/holder", domain.ErrMalformed, func(c *access.CreateKey) { c.Holder = "a\nb" }},
		{"/holder", domain.ErrTooLong, func(c *access.CreateKey) { c.Holder = strings.Repeat("x", access.HolderMax+1) }},
		{"/role", domain.ErrUnknown, func(c *access.CreateKey) { c.Role = "" }},
		{"/role", domain.ErrUnknown, func(c *access.CreateKey) { c.Role = "Admin" }},
		{"/seller", domain.ErrBadID, func(c *access.CreateKey) { c.Seller = "a b" }},
		{"/hash", access.ErrBadHash, func(c *access.CreateKey) { c.Hash = "" }},
		{"/hash", access.ErrBadHash, func(c *access.CreateKey) { c.Hash = hash[1:] }},
		{"/hash", access.ErrBadHash, func(c *access.CreateKey) { c.Hash = strings.ToUpper(hash) }},
		{"/hash", access.ErrBadHash, func(c *access.CreateKey) { c.Hash = hash[:63] + "g" }},
		{"/created_at", domain.ErrMissing, func(c *access.CreateKey) { c.CreatedAt = time.Time{} }},
		{"/expires_at", access.ErrExpiryInPast, func(c *access.CreateKey) { c.ExpiresAt = c.CreatedAt }},
		{"/expires_at", access.ErrExpiryInPast, func(c *access.CreateKey) { c.ExpiresAt = c.CreatedAt.Add(999) }}, // within the same microsecond
		{"/expires_at", access.ErrExpiryInPast, func(c *access.CreateKey) { c.ExpiresAt = c.CreatedAt.AddDate(-1, 0, 0) }},
		{"/expires_at", domain.ErrMalformed, func(c *access.CreateKey) { c.ExpiresAt = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) }},
	} {
		command := create("K1")
		c.change(&command)
		given(t).When(command).RefusedAt(c.want, c.field)
	}
}

func TestTooManyKeys(t *testing.T) {
	s := access.Decider.New()
	for i := range access.KeysMax {
		s = access.Decider.Evolve(s, created(domain.KeyID(fmt.Sprintf("K%05d", i))))
	}
	if _, err := access.Decider.Decide(s, create("K99999")); err == nil || err.(*domain.Error).Rule != access.ErrTooManyKeys.Rule {
		t.Error(err)
	}
	if _, err := access.Decider.Decide(s, access.RevokeKey{Key: "K00001", Reason: "x", RevokedAt: noon}); err != nil {
		t.Error("a key must stay revocable:", err)
	}
	if size := s.Size(); size < 100*access.KeysMax || size > 1000*access.KeysMax {
		t.Errorf("%d bytes for %d keys", size, access.KeysMax)
	}
}

func TestNames(t *testing.T) {
	for _, c := range access.Commands {
		if access.Decider.Stream(c) != "access-keys" {
			t.Errorf("%s stands in %s", c.Name(), access.Decider.Stream(c))
		}
		if access.PermissionOf(c.Name()) != access.ManageKeys {
			t.Errorf("%s takes %q", c.Name(), access.PermissionOf(c.Name()))
		}
	}
}
