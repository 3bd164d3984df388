package eventstore

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore/privacy"
)

// Codec turns events into bytes and back. It alone knows versions and upcasts.
type Codec struct {
	schemas map[string]domain.Schema
	owns    func(stream string) bool // nil: every stream
	keys    *privacy.Keys            // nil: nothing is sealed
	person  func(stream string, data []byte) string
	erased  func(domain.Event) (persons []string)
	trying  bool // reads what is sealed, and seals nothing
}

// NewCodec knows the given kinds; each kind once.
func NewCodec(schemas []domain.Schema) *Codec {
	c := &Codec{schemas: make(map[string]domain.Schema, len(schemas))}
	for _, s := range schemas {
		if _, twice := c.schemas[s.Kind]; twice {
			panic("eventstore: two schemas for " + s.Kind)
		}
		c.schemas[s.Kind] = s
	}
	return c
}

// For is the codec of a log that others keep streams in, too: what stands in a stream that owns does not name is theirs.
func (c *Codec) For(owns func(stream string) bool) *Codec {
	other := *c
	other.owns = owns
	return &other
}

// Foreign tells whether a stream is somebody else's: nothing in it is ever decoded.
func (c *Codec) Foreign(stream string) bool { return c.owns != nil && !c.owns(stream) }

// Encode gives an event's kind, version and JSON.
func (c *Codec) Encode(e domain.Event) (Proposed, error) {
	s, ok := c.schemas[e.Kind()]
	if !ok {
		return Proposed{}, domain.ErrSchema.With("%s is not in the catalog", e.Kind())
	}
	data, err := json.Marshal(e)
	return Proposed{Kind: s.Kind, Schema: s.Version, Data: data}, err
}

// Decode reads an event of any version. What is sealed of a person whose key was destroyed is empty; see Sealing.
// Refuses log.unreadable_event: an unknown kind is never skipped, privacy.key_missing.
func (c *Codec) Decode(r Recorded) (domain.Event, error) {
	s, ok := c.schemas[r.Kind]
	if !ok {
		return nil, domain.ErrSchema.With("kind %q at position %d of %s", r.Kind, r.Position, r.Stream)
	}
	data, err := c.unseal(s, r)
	if err != nil {
		return nil, err
	}
	e, err := s.Decode(r.Schema, data)
	var unreadable *domain.Error
	if errors.As(err, &unreadable) {
		return nil, unreadable.With("%s, at position %d of %s", unreadable.Detail, r.Position, r.Stream)
	}
	if err == nil {
		err = c.Forget(e)
	}
	return e, err
}

// Metadata tells who caused an event, and by which command. It stands beside each event as JSON; correlation and
// causation have the names that EventStoreDB's tools know.
type Metadata struct {
	CommandID   string `json:"command_id"`
	CommandName string `json:"command"`
	CommandHash string `json:"command_hash"`
	Actor       string `json:"actor,omitempty"`
	Correlation string `json:"$correlationId,omitempty"`
	Causation   string `json:"$causationId,omitempty"`
	Schema      int    `json:"schema"` // version of the event's fields, for stores that keep only JSON
}

// ReadMetadata reads what stands beside an event.
func ReadMetadata(r Recorded) (Metadata, error) {
	var m Metadata
	if len(r.Metadata) == 0 {
		return m, nil
	}
	if err := json.Unmarshal(r.Metadata, &m); err != nil {
		return m, domain.ErrSchema.With("metadata at position %d: %v", r.Position, err)
	}
	return m, nil
}

// commandSpace is the UUIDv5 namespace of event ids.
var commandSpace = uuid.MustParse("5f0c7a52-5f3e-5f6b-9a3f-7d3c1c1d9e41")

// EventID derives the id of a command's index-th event on one stream, so that a repeat is the same write. Its data
// counts too: of two commands that race under one id, the log must not take the second for a repeat of the first.
func EventID(stream, commandID string, index int, data []byte) uuid.UUID {
	name := make([]byte, 0, len(stream)+len(commandID)+4+len(data))
	name = append(append(name, stream...), 0)
	name = append(append(name, commandID...), 0, byte(index>>8), byte(index))
	return uuid.NewSHA1(commandSpace, append(name, data...))
}

// Clock gives the instants that a log records. cmd hands it in, so that a demo can run through two years.
type Clock func() time.Time
