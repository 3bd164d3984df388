package access

import (
	"slices"
	"strings"
	"time"

	"github.com/urikake/urikake/domain"
)

// Commands is every order about access keys, by name. No client may send them as they are, since a hash of one's own
// would be a key of one's own: whoever makes the secret gives them.
var Commands = []Command{CreateKey{}, RevokeKey{}}

// CreateKey gives somebody access to the books.
// Refuses access.repeated_key, access.expiry_in_past, access.bad_hash, access.too_many_keys, and each field by its own
// rule.
type CreateKey struct {
	Key       domain.KeyID    `json:"key" doc:"the key's id, which is no secret"`
	Holder    string          `json:"holder" personal:"true" doc:"who holds it, up to 200 bytes: the actor of all that is done with it"`
	Role      Role            `json:"role" doc:"what it allows"`
	Seller    domain.SellerID `json:"seller,omitempty" doc:"the only seller whose books it opens; all when left out"`
	ExpiresAt time.Time       `json:"expires_at,omitzero" doc:"from when on it opens nothing; never when left out"`
	Hash      string          `json:"hash" doc:"HMAC-SHA256 of the key's id by its secret, in hex"`
	CreatedAt time.Time       `json:"created_at" doc:"when it was made"`
}

func (CreateKey) Name() string { return "CreateKey" }

func (c CreateKey) check(faults *domain.Faults) {
	faults.Add("/key", domain.CheckID(c.Key))
	faults.Add("/holder", domain.CheckLine(c.Holder, true, HolderMax))
	faults.Add("/role", c.Role.Check())
	if c.Seller != "" {
		faults.Add("/seller", domain.CheckID(c.Seller))
	}
	faults.Require(isHash(c.Hash), "/hash", ErrBadHash)
	faults.Add("/created_at", checkInstant(c.CreatedAt))
	if !c.ExpiresAt.IsZero() {
		faults.Add("/expires_at", checkInstant(c.ExpiresAt))
		faults.Require(instant(c.ExpiresAt).After(instant(c.CreatedAt)), "/expires_at", ErrExpiryInPast)
	}
}

func (c CreateKey) decide(s *State) ([]domain.Event, error) {
	if _, found := s.Find(c.Key); found {
		return nil, ErrRepeatedKey.With("%s", c.Key).At("/key")
	}
	if len(s.Keys) >= KeysMax {
		return nil, ErrTooManyKeys
	}
	return []domain.Event{KeyCreated{
		Key: c.Key, Holder: c.Holder, Role: c.Role, Seller: c.Seller,
		ExpiresAt: instant(c.ExpiresAt), Hash: c.Hash, CreatedAt: instant(c.CreatedAt),
	}}, nil
}

func isHash(text string) bool {
	return len(text) == HashLen && strings.Trim(text, "0123456789abcdef") == ""
}

// KeyCreated says that somebody was given access to the books.
type KeyCreated struct {
	Key       domain.KeyID    `json:"key" doc:"the key's id, which is no secret"`
	Holder    string          `json:"holder" personal:"true" doc:"who holds it: the actor of all that is done with it"`
	Role      Role            `json:"role" doc:"what it allows"`
	Seller    domain.SellerID `json:"seller,omitempty" doc:"the only seller whose books it opens; absent: all"`
	ExpiresAt time.Time       `json:"expires_at,omitzero" doc:"from when on it opens nothing; absent: never"`
	Hash      string          `json:"hash" doc:"HMAC-SHA256 of the key's id by its secret, in hex"`
	CreatedAt time.Time       `json:"created_at" doc:"when it was made"`
}

func (KeyCreated) Kind() string { return "access.key_created" }

func (e KeyCreated) apply(s *State) {
	at, _ := s.place(e.Key)
	s.Keys = slices.Insert(s.Keys, at, Key{
		ID: e.Key, Holder: e.Holder, Role: e.Role, Seller: e.Seller,
		Hash: e.Hash, CreatedAt: e.CreatedAt, ExpiresAt: e.ExpiresAt,
	})
}

// RevokeKey takes a key's access away, for good. A key that has expired can be revoked too.
// Refuses access.unknown_key, access.already_revoked, and each field by its own rule.
type RevokeKey struct {
	Key       domain.KeyID `json:"key" doc:"the key"`
	Reason    string       `json:"reason" doc:"why, up to 1000 bytes"`
	RevokedAt time.Time    `json:"revoked_at" doc:"when"`
}

func (RevokeKey) Name() string { return "RevokeKey" }

func (c RevokeKey) check(faults *domain.Faults) {
	faults.Add("/key", domain.CheckID(c.Key))
	faults.Add("/reason", domain.CheckText(c.Reason, true, ReasonMax))
	faults.Add("/revoked_at", checkInstant(c.RevokedAt))
}

func (c RevokeKey) decide(s *State) ([]domain.Event, error) {
	switch k, found := s.Find(c.Key); {
	case !found:
		return nil, ErrUnknownKey.With("%s", c.Key).At("/key")
	case !k.RevokedAt.IsZero():
		return nil, ErrAlreadyRevoked.With("%s, at %s", c.Key, k.RevokedAt.Format(time.RFC3339)).At("/key")
	}
	return []domain.Event{KeyRevoked{c.Key, c.Reason, instant(c.RevokedAt)}}, nil
}

// KeyRevoked says that a key opens nothing any more, and why.
type KeyRevoked struct {
	Key       domain.KeyID `json:"key" doc:"the key"`
	Reason    string       `json:"reason" doc:"why"`
	RevokedAt time.Time    `json:"revoked_at" doc:"when"`
}

func (KeyRevoked) Kind() string { return "access.key_revoked" }

func (e KeyRevoked) apply(s *State) {
	if at, found := s.place(e.Key); found {
		s.Keys[at].RevokedAt = e.RevokedAt
	}
}
