// Package access keeps the keys with which programs and people reach the books: who holds one, what it allows, and
// from when until when it did. The keys stand in the log like everything else, so an auditor sees who could do what at
// any time, and every node on one log knows the same ones. The secrets themselves never come here.
package access

import (
	"slices"
	"strings"
	"time"

	"github.com/urikake/urikake/domain"
)

// Limits of a key, in bytes, and of all keys.
const (
	HolderMax = 200
	ReasonMax = 1000
	KeysMax   = 10_000 // revoked and expired keys count too: they stay for the auditor
)

// Stream is where all keys stand.
const Stream = "access-keys"

// Command is what may be asked of the keys; Event what it records.
type (
	Command interface {
		Name() string // wire name
		check(*domain.Faults)
		decide(*State) ([]domain.Event, error) // the input is checked
	}
	Event interface {
		domain.Event
		audit(*State) error // why it can't stand next; nil if it can
		apply(*State)
	}
)

// Decider is all keys as a state machine.
var Decider = domain.Decider[Command, *State]{
	Stream: func(Command) string { return Stream },
	New:    func() *State { return &State{} },
	Decide: decide,
	Evolve: func(s *State, e domain.Event) *State {
		e.(Event).apply(s)
		return s
	},
	Audit: audit,
}

func decide(s *State, c Command) ([]domain.Event, error) {
	var faults domain.Faults
	c.check(&faults)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return c.decide(s)
}

// Events are all that the keys' stream holds.
var Events = []domain.Schema{
	domain.Describe[KeyCreated](),
	domain.Describe[KeyRevoked](),
}

// Key is an access key as it stands.
type Key struct {
	ID        domain.KeyID
	Holder    string // the actor of all that is done with it
	Role      Role
	Seller    domain.SellerID // the only one whose books it opens; "": all
	Hash      string          // see Hash
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
	RevokedAt time.Time // zero: not revoked
}

// Live tells whether the key opens anything at an instant: it is not revoked, and not expired by then.
func (k Key) Live(at time.Time) bool {
	return k.RevokedAt.IsZero() && (k.ExpiresAt.IsZero() || at.Before(k.ExpiresAt))
}

// State is all keys that ever were, in the order of their ids.
type State struct{ Keys []Key }

// Find gives the key of that id. O(log n).
func (s *State) Find(id domain.KeyID) (Key, bool) {
	at, found := s.place(id)
	if !found {
		return Key{}, false
	}
	return s.Keys[at], true
}

// place is where a key stands, or would stand.
func (s *State) place(id domain.KeyID) (at int, found bool) {
	return slices.BinarySearchFunc(s.Keys, id, func(k Key, id domain.KeyID) int {
		return strings.Compare(string(k.ID), string(id))
	})
}

// keyBytes is about what a key takes in memory, its texts at their usual length.
const keyBytes = 400

// Size is about how many bytes the state takes. O(1).
func (s *State) Size() int { return keyBytes * (1 + cap(s.Keys)) }

// instant is a moment as it is written: in UTC, to the microsecond, as the log's own instants are.
func instant(at time.Time) time.Time { return at.UTC().Truncate(time.Microsecond) }

// checkInstant refuses no instant, and years that can't be written.
func checkInstant(at time.Time) error {
	if at.IsZero() {
		return domain.ErrMissing
	}
	if year := at.UTC().Year(); year < 1 || year > 9999 {
		return domain.ErrMalformed.With("an instant lies in the years 1 to 9999, not %d", year)
	}
	return nil
}

var (
	ErrRepeatedKey = &domain.Error{
		Code: domain.Refused, Rule: "access.repeated_key",
		Text: "there is or was a key of this id; choose another",
	}
	ErrUnknownKey = &domain.Error{
		Code: domain.NotFound, Rule: "access.unknown_key",
		Text: "there is no key of this id",
	}
	ErrAlreadyRevoked = &domain.Error{
		Code: domain.Refused, Rule: "access.already_revoked",
		Text: "the key is revoked already",
	}
	ErrExpiryInPast = &domain.Error{
		Code: domain.Invalid, Rule: "access.expiry_in_past",
		Text: "a key expires after it was created",
	}
	ErrTooManyKeys = &domain.Error{
		Code: domain.Refused, Rule: "access.too_many_keys",
		Text: "there are 10000 keys, which is the most, revoked ones included",
	}
	ErrBadHash = &domain.Error{
		Code: domain.Invalid, Rule: "access.bad_hash",
		Text: "a key's hash is 64 hex digits 0-9 a-f",
	}
)
