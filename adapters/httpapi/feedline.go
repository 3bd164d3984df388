package httpapi

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// AppendEventLine appends one event as a line of JSON with its line end.
func AppendEventLine(b []byte, r eventstore.Recorded) ([]byte, error) {
	w := bytes.NewBuffer(b)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // data as it stands in the log
	if err := enc.Encode(eventstore.LineOf(r)); err != nil {
		return b, domain.ErrSchema.With("position %d of %s: %v", r.Position, r.Stream, err)
	}
	return w.Bytes(), nil
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
