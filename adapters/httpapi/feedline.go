package httpapi

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// eventLine is the form in which one event leaves the house, whether over HTTP or in an export. It is read by
// programs that we don't know: fields may be added at the end, never changed.
type eventLine struct {
	Position   eventstore.Position `json:"position"`
	Stream     string              `json:"stream"`
	Version    eventstore.Version  `json:"version"`
	ID         string              `json:"id"`
	Kind       string              `json:"kind"`
	Schema     int                 `json:"schema"`
	RecordedAt string              `json:"recorded_at"`
	Data       json.RawMessage     `json:"data"`
	Metadata   json.RawMessage     `json:"metadata,omitempty"`
}

// AppendEventLine appends one event as a line of JSON with its line end. Refuses log.unreadable_event when the event's
// data or metadata is no JSON; b is as it was then.
func AppendEventLine(b []byte, r eventstore.Recorded) ([]byte, error) {
	w := bytes.NewBuffer(b)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	err := enc.Encode(eventLine{
		r.Position, r.Stream, r.Version, r.ID.String(), r.Kind, r.Schema,
		r.At.Format(time.RFC3339Nano), r.Data, r.Metadata,
	})
	if err != nil {
		return b, domain.ErrSchema.With("position %d of %s: %v", r.Position, r.Stream, err)
	}
	return w.Bytes(), nil
}

// ReadEventLine reads what AppendEventLine wrote: the same event, to the byte. Refuses events.bad_line.
func ReadEventLine(line []byte) (r eventstore.Recorded, err error) {
	var l eventLine
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&l); err != nil {
		return r, ErrEventLine.With("%v", err)
	}
	r = eventstore.Recorded{Position: l.Position, Stream: l.Stream, Version: l.Version}
	r.Kind, r.Schema, r.Data, r.Metadata = l.Kind, l.Schema, l.Data, l.Metadata
	if r.ID, err = uuid.Parse(l.ID); err != nil {
		return r, ErrEventLine.With("id: %v", err)
	}
	if r.At, err = time.Parse(time.RFC3339Nano, l.RecordedAt); err != nil {
		return r, ErrEventLine.With("recorded_at: %v", err)
	}
	if r.Position == 0 || r.Version == 0 || r.Stream == "" || r.Kind == "" || len(r.Data) == 0 {
		return r, ErrEventLine.With("position, stream, version, kind and data are needed")
	}
	return r, nil
}

// ErrEventLine refuses a line that is none of the event feed.
var ErrEventLine = &domain.Error{
	Code: domain.Invalid, Rule: "events.bad_line",
	Text: "a line holds one event as `urikake events export` writes it",
}

// FeedForm is how events are written one after the other.
type FeedForm int

const (
	NDJSON FeedForm = iota // a line of JSON each; an empty line says that the server is still there
	SSE                    // server-sent events: id is the position, event the kind, data the line
	feedForms
)

var feedTypes = [feedForms]string{NDJSON: "application/x-ndjson", SSE: "text/event-stream"}

// feedBeats tell a client that nothing is new; neither is an event to it.
var feedBeats = [feedForms][]byte{NDJSON: []byte("\n"), SSE: []byte(":\n\n")}

// appendFrame appends an event whose line is made already. Neither a kind nor JSON in one line breaks a frame.
func (form FeedForm) appendFrame(b []byte, r eventstore.Recorded, line []byte) []byte {
	if form == NDJSON {
		return append(b, line...)
	}
	b = strconv.AppendUint(append(b, "id: "...), uint64(r.Position), 10)
	b = append(append(b, "\nevent: "...), r.Kind...)
	b = append(append(b, "\ndata: "...), line...)
	return append(b, '\n')
}

// FeedQuery says which events a reader of the log wants. The zero value wants all of them, from the first to the head.
type FeedQuery struct {
	After  eventstore.Position // the last event that the reader has: its own position, or an SSE client's Last-Event-ID
	Limit  int                 // the feed ends after so many events; 0: no limit
	Follow bool                // go on with new events as they are recorded
	Seller domain.SellerID     // only what belongs to this seller
	Stream string              // only this stream
	Kinds  []string            // only these kinds; one that ends in a dot ("account.") means all that begin so
	NoKeys bool                // without what says who may do what
	Sealed bool                // as they stand in the log, personal data sealed
}

// all tells whether every line is wanted.
func (q *FeedQuery) all() bool {
	return q.Limit == 0 && q.Seller == "" && q.Stream == "" && len(q.Kinds) == 0 && !q.NoKeys
}

// wants tells whether an event of this stream and kind is wanted, in O(kinds asked for).
func (q *FeedQuery) wants(stream, kind string) bool {
	return (q.Stream == "" || q.Stream == stream) &&
		!(q.NoKeys && strings.HasPrefix(stream, "access-")) &&
		(q.Seller == "" || ownedBy(stream, q.Seller)) &&
		(len(q.Kinds) == 0 || slices.ContainsFunc(q.Kinds, func(k string) bool {
			return k == kind || strings.HasSuffix(k, ".") && strings.HasPrefix(kind, k)
		}))
}

// ownedBy tells whether a stream is "<category>-<seller>" or "<category>-<seller>.…". No seller owns what says who may
// do what in the house.
func ownedBy(stream string, seller domain.SellerID) bool {
	category, rest, ok := strings.Cut(stream, "-")
	owner, _, _ := strings.Cut(rest, ".")
	return ok && category != "access" && owner == string(seller)
}
