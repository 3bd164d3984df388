package eventstore

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/urikake/urikake/domain"
)

// Line is the form in which one event leaves the house, over HTTP, in an export or in a proof. It is read by programs
// that we don't know: fields may be added at the end, never changed.
type Line struct {
	Position   Position        `json:"position" doc:"its place in the log"`
	Stream     string          `json:"stream" doc:"the stream that it stands in"`
	Version    Version         `json:"version" doc:"its place in the stream, from 1"`
	ID         string          `json:"id" format:"uuid" doc:"derived from the command that caused it"`
	Kind       string          `json:"kind" doc:"wire name of the event"`
	Schema     int             `json:"schema" doc:"version of its fields"`
	RecordedAt string          `json:"recorded_at" format:"date-time" doc:"when the log took it"`
	Data       json.RawMessage `json:"data" doc:"its fields, by kind and schema"`
	Metadata   json.RawMessage `json:"metadata,omitempty" doc:"who caused it, and by which command"`

	DataBytes     *[]byte `json:"data_bytes,omitempty" doc:"data as it stands in the log, in base64, where that is not what JSON shows"`
	MetadataBytes *[]byte `json:"metadata_bytes,omitempty" doc:"metadata as it stands in the log, likewise"`
}

// LineOf is the event as a line. What is no JSON, or JSON that is written otherwise than this program writes it, stands
// beside as bytes, so that nothing of the event is lost.
func LineOf(r Recorded) Line {
	l := Line{
		Position: r.Position, Stream: r.Stream, Version: r.Version, ID: r.ID.String(), Kind: r.Kind, Schema: r.Schema,
		RecordedAt: r.At.Format(time.RFC3339Nano),
	}
	l.Data, l.DataBytes = shown(r.Data, "null")
	l.Metadata, l.MetadataBytes = shown(r.Metadata, "")
	return l
}

// shown is bytes as JSON without blanks, and as they are if JSON shows them otherwise.
func shown(b []byte, none string) (json.RawMessage, *[]byte) {
	if len(b) == 0 {
		if none == "" {
			return nil, nil
		}
		return json.RawMessage(none), &[]byte{}
	}
	if !json.Valid(b) || !utf8.Valid(b) {
		own := slices.Clone(b)
		return json.RawMessage("null"), &own
	}
	if compact := compacted(b); len(compact) < len(b) {
		own := slices.Clone(b)
		return compact, &own
	}
	return b, nil
}

// compacted is JSON without blanks between its tokens; it is b itself where there are none.
func compacted(b []byte) json.RawMessage {
	text, escaped := false, false
	for _, c := range b {
		switch {
		case escaped:
			escaped = false
		case text && c == '\\':
			escaped = true
		case c == '"':
			text = !text
		case !text && (c == ' ' || c == '\n' || c == '\t' || c == '\r'):
			var compact bytes.Buffer
			_ = json.Compact(&compact, b) // it is valid
			return compact.Bytes()
		}
	}
	return b
}

// hidden is what a line shows as JSON, perhaps written over several lines, and has beside as bytes. Both must say the
// same, or people would see something else than what is hashed.
func hidden(data json.RawMessage, own *[]byte, none string) ([]byte, *domain.Error) {
	data = compacted(data)
	if own == nil {
		return data, nil
	}
	if again, beside := shown(*own, none); beside == nil || !bytes.Equal(again, data) {
		return nil, ErrBadLine.With("the bytes are not what the JSON beside them shows")
	}
	return *own, nil
}

// Recorded is the event that a line shows. Refuses log.bad_line, naming the member.
func (l Line) Recorded() (Recorded, error) {
	id, err := uuid.Parse(l.ID)
	if err != nil || id.String() != l.ID {
		return Recorded{}, ErrBadLine.With("%.50q, want a UUID", l.ID).At("/id")
	}
	at, err := time.Parse(time.RFC3339Nano, l.RecordedAt)
	if err != nil || at.Format(time.RFC3339Nano) != l.RecordedAt || !at.Truncate(time.Microsecond).Equal(at) || at.Location() != time.UTC {
		return Recorded{}, ErrBadLine.With("%.50q, want an instant in UTC to the microsecond", l.RecordedAt).At("/recorded_at")
	}
	r := Recorded{
		Position: l.Position, Stream: l.Stream, Version: l.Version, At: at,
		Proposed: Proposed{ID: id, Kind: l.Kind, Schema: l.Schema},
	}
	var refusal *domain.Error
	if r.Data, refusal = hidden(l.Data, l.DataBytes, "null"); refusal != nil {
		return Recorded{}, refusal.At("/data_bytes")
	}
	if r.Metadata, refusal = hidden(l.Metadata, l.MetadataBytes, ""); refusal != nil {
		return Recorded{}, refusal.At("/metadata_bytes")
	}
	if l.Position == 0 || l.Version == 0 || l.Stream == "" || l.Kind == "" {
		return Recorded{}, ErrBadLine.With("an event has a position, a stream, a version and a kind")
	}
	return r, nil
}

// ErrBadLine refuses a line that shows no event.
var ErrBadLine = &domain.Error{Code: domain.Invalid, Rule: "log.bad_line", Text: "this is no event of a log"}
