package access

import (
	"time"

	"github.com/urikake/urikake/domain"
)

// audit: see domain.Decider.
func audit(s *State, stream string, e domain.Event) error {
	known, ok := e.(Event)
	if !ok {
		return domain.ErrMisplaced.With("%s is no event of access keys", e.Kind())
	}
	if err := domain.Belongs(stream, Stream); err != nil {
		return err
	}
	return known.audit(s)
}

// A key is created once, with a role that there is, and expires after it was created if ever.
func (e KeyCreated) audit(s *State) error {
	_, found := s.Find(e.Key)
	switch {
	case found:
		return ErrRepeatedKey.With("%s", e.Key)
	case !isHash(e.Hash):
		return ErrBadHash
	case !e.ExpiresAt.IsZero() && !e.ExpiresAt.After(e.CreatedAt):
		return ErrExpiryInPast.With("%s expires at %s, created at %s", e.Key, e.ExpiresAt.Format(time.RFC3339), e.CreatedAt.Format(time.RFC3339))
	}
	return e.Role.Check()
}

// A key that there is is revoked once.
func (e KeyRevoked) audit(s *State) error {
	switch k, found := s.Find(e.Key); {
	case !found:
		return ErrUnknownKey.With("%s", e.Key)
	case !k.RevokedAt.IsZero():
		return ErrAlreadyRevoked.With("%s, at %s", e.Key, k.RevokedAt.Format(time.RFC3339))
	}
	return nil
}
