package eventstore

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/urikake/urikake/domain"
)

// A log gives its events its own instants, and an EventStoreDB server lets nobody choose them. What is taken over from
// another log would so lose when it was first recorded, and with it every report as of a past knowledge and the root of
// the hash tree. Therefore the first instant travels in the event's metadata, and Carried puts it back in its place.

// carrier begins metadata that carry an instant; the rest of the metadata follows, or is beside in base64 if it is no
// JSON object with members.
const (
	carrier     = `{"$recordedAt":"`
	carrierForm = "2006-01-02T15:04:05.000000Z"
	carrierNext = `",`
	carrierBare = `","$original":"`
)

// ErrReserved refuses metadata of an append that would set an instant.
var ErrReserved = &domain.Error{
	Code: domain.Invalid, Rule: "log.reserved_metadata",
	Text: "metadata that begin with $recordedAt are kept for events taken over by `urikake events import`",
}

// Importer takes over events of another log.
type Importer interface {
	// Import appends events with the instants that they have, in their order, after what the store holds; each must fit
	// its stream by its version. What stands there already by its id is left alone, so that an import which was broken
	// off may be repeated. Refuses what Append refuses.
	Import(ctx context.Context, events []Recorded) error
}

// Queue is what a store may offer for many appends at once: they are written in the order given, in as few waits for
// the disk as can be. It returns when all are durable, or the first refusal; what comes after that may be written or not.
type Queue interface {
	AppendInOrder(ctx context.Context, appends []Append) error
}

// Append is what Store.Append is given.
type Append struct {
	Stream   string
	Expected Version
	Events   []Proposed
}

// Carried shows a log's events with the instants that they were first recorded at, wherever that was, and takes over
// events of other logs. Of events that were recorded here it changes nothing.
func Carried(s Store) Store {
	if d, ok := s.(Damaged); ok {
		return carriedDamaged{carried{s}, d}
	}
	return carried{s}
}

type carriedDamaged struct {
	carried
	damaged Damaged
}

func (c carriedDamaged) Events(ctx context.Context) iter.Seq2[Recorded, error] {
	return unloaded(c.damaged.Events(ctx))
}

type carried struct{ Store }

var _ Importer = carried{}

func (c carried) Append(ctx context.Context, stream string, expected Version, events ...Proposed) (Position, error) {
	for _, e := range events {
		if bytes.HasPrefix(e.Metadata, []byte(carrier)) {
			return 0, ErrReserved.With("%s", stream)
		}
	}
	return c.Store.Append(ctx, stream, expected, events...)
}

func (c carried) Read(ctx context.Context, stream string, after Version) iter.Seq2[Recorded, error] {
	return unloaded(c.Store.Read(ctx, stream, after))
}

func (c carried) Follow(ctx context.Context, after Position) iter.Seq2[Recorded, error] {
	return unloaded(c.Store.Follow(ctx, after))
}

func (c carried) Import(ctx context.Context, events []Recorded) error {
	var appends []Append
	for _, r := range events {
		p := r.Proposed
		p.Metadata = loadInstant(r.At, r.Metadata)
		if n := len(appends); n > 0 && appends[n-1].Stream == r.Stream {
			appends[n-1].Events = append(appends[n-1].Events, p)
		} else {
			appends = append(appends, Append{r.Stream, r.Version - 1, []Proposed{p}})
		}
	}
	return AppendInOrder(ctx, c.Store, appends)
}

// AppendInOrder writes appends one after the other, or as a store does that is a Queue.
func AppendInOrder(ctx context.Context, s Store, appends []Append) error {
	if q, ok := s.(Queue); ok {
		return q.AppendInOrder(ctx, appends)
	}
	for _, a := range appends {
		if _, err := s.Append(ctx, a.Stream, a.Expected, a.Events...); err != nil {
			return err
		}
	}
	return nil
}

// Unload puts an instant that an event's metadata carry back in its place.
func Unload(r Recorded) Recorded {
	rest, ok := bytes.CutPrefix(r.Metadata, []byte(carrier))
	if !ok || len(rest) < len(carrierForm) {
		return r
	}
	at, err := time.Parse(carrierForm, string(rest[:len(carrierForm)]))
	if err != nil {
		return r
	}
	rest = rest[len(carrierForm):]
	if bytes.HasPrefix(rest, []byte(carrierBare)) {
		var bare struct {
			Original []byte `json:"$original"`
		}
		if json.Unmarshal(r.Metadata, &bare) != nil {
			return r
		}
		if r.At, r.Metadata = at, bare.Original; len(bare.Original) == 0 {
			r.Metadata = nil
		}
		return r
	}
	if !bytes.HasPrefix(rest, []byte(carrierNext)) {
		return r
	}
	own := make([]byte, 0, 1+len(rest)-len(carrierNext))
	r.At, r.Metadata = at, append(append(own, '{'), rest[len(carrierNext):]...)
	return r
}

// loadInstant is metadata that carry an instant; Unload is its inverse for every metadata.
func loadInstant(at time.Time, metadata []byte) []byte {
	b := append([]byte(carrier), at.UTC().Format(carrierForm)...)
	if bytes.HasPrefix(metadata, []byte(`{"`)) && !bytes.HasPrefix(metadata, []byte(`{"$original"`)) && json.Valid(metadata) {
		return append(append(b, carrierNext...), metadata[1:]...)
	}
	original, _ := json.Marshal(metadata) // base64 in quotes
	if len(metadata) == 0 {
		original = []byte(`""`)
	}
	return append(append(append(b, carrierBare[:len(carrierBare)-1]...), original...), '}')
}

func unloaded(events iter.Seq2[Recorded, error]) iter.Seq2[Recorded, error] {
	return func(yield func(Recorded, error) bool) {
		for r, err := range events {
			if !yield(Unload(r), err) {
				return
			}
		}
	}
}
