package eventstore

import (
	"errors"
	"strconv"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore/privacy"
)

// Sealing is a codec that seals members tagged personal under a key for each person. person tells whose data an event
// of a stream holds, "" nobody's, from the members that are not; erased tells of whom an event says that they were
// erased. Whoever reads that a person was erased destroys that person's key: so a crash between the event and
// the key, another node, and keys that were brought back from a copy all come to the same end.
func (c *Codec) Sealing(keys *privacy.Keys, person func(stream string, data []byte) string, erased func(domain.Event) []string) *Codec {
	other := *c
	other.keys, other.person, other.erased = keys, person, erased
	return &other
}

// Trying is a codec for what is only tried and never written: it makes no keys of persons, and destroys none.
func (c *Codec) Trying() *Codec {
	other := *c
	other.trying = true
	return &other
}

// Seal gives an event's data as the log keeps it.
func (c *Codec) Seal(stream, commandID string, index int, p Proposed) ([]byte, error) {
	members := c.schemas[p.Kind].Personal
	if c.keys == nil || c.trying || len(members) == 0 {
		return p.Data, nil
	}
	person := c.person(stream, p.Data)
	if person == "" {
		return p.Data, nil
	}
	return c.keys.Seal(p.Data, members, privacy.Place{Person: person, Stream: stream, Salt: commandID + "\x00" + strconv.Itoa(index)})
}

// unseal is the inverse.
func (c *Codec) unseal(s domain.Schema, r Recorded) ([]byte, error) {
	if len(s.Personal) == 0 || !privacy.Sealed(r.Data) {
		return r.Data, nil
	}
	at := privacy.Place{Stream: r.Stream}
	if c.person != nil {
		at.Person = c.person(r.Stream, r.Data)
	}
	return c.keys.Open(r.Data, s.Personal, at)
}

// Clear is an event with its data as it was before it was sealed, without what was erased. Refuses privacy.key_missing.
func (c *Codec) Clear(r Recorded) (_ Recorded, err error) {
	r.Data, err = c.unseal(c.schemas[r.Kind], r)
	return r, err
}

// HashOf is Hash, which of a command with personal members can't be found by guessing them.
func (c *Codec) HashOf(hash string, command any) (string, error) {
	if c.keys == nil || len(domain.PersonalOf(command)) == 0 {
		return hash, nil
	}
	return c.keys.Hash(hash)
}

// Forget destroys the keys of those of whom an event says that they were erased, for good.
func (c *Codec) Forget(e domain.Event) (err error) {
	if c.keys == nil || c.trying {
		return nil
	}
	for _, person := range c.erased(e) {
		err = errors.Join(err, c.keys.Destroy(person))
	}
	return err
}
