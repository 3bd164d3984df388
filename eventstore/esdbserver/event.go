package esdbserver

import (
	"encoding/binary"
	"encoding/json"
	"strconv"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"

	"github.com/urikake/urikake/eventstore"
)

// Content types, as EventStoreDB names them.
const (
	contentJSON   = "application/json"
	contentBinary = "application/octet-stream"
)

// Keys of an event's system metadata.
const (
	keyType        = "type"
	keyContentType = "content-type"
	keyCreated     = "created"
)

// recorded is an event as a client gets it.
func recorded(r *eventstore.Recorded, text bool) *streams.ReadResp_ReadEvent_RecordedEvent {
	return &streams.ReadResp_ReadEvent_RecordedEvent{
		Id:               wireID(r.ID, text),
		StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(r.Stream)},
		StreamRevision:   uint64(r.Version) - 1,
		PreparePosition:  uint64(r.Position),
		CommitPosition:   uint64(r.Position),
		Metadata: map[string]string{
			keyType: r.Kind, keyContentType: contentType(r.Data), keyCreated: strconv.FormatInt(ticks(r.At), 10),
		},
		CustomMetadata: r.Metadata,
		Data:           r.Data,
	}
}

// contentType tells what data is: the log keeps bytes and not what they were called.
func contentType(data []byte) string {
	if json.Valid(data) {
		return contentJSON
	}
	return contentBinary
}

// ticks are the 100 ns since 1970 in which EventStoreDB counts.
func ticks(at time.Time) int64 { return at.UnixMicro() * 10 }

func wireID(id uuid.UUID, text bool) *shared.UUID {
	if text {
		return &shared.UUID{Value: &shared.UUID_String_{String_: id.String()}}
	}
	return structured(id)
}

func structured(id uuid.UUID) *shared.UUID {
	return &shared.UUID{Value: &shared.UUID_Structured_{Structured: &shared.UUID_Structured{
		MostSignificantBits:  int64(binary.BigEndian.Uint64(id[:8])),
		LeastSignificantBits: int64(binary.BigEndian.Uint64(id[8:])),
	}}}
}

// idOf reads an id in either form.
func idOf(in *shared.UUID) (id uuid.UUID, err error) {
	switch v := in.GetValue().(type) {
	case *shared.UUID_Structured_:
		binary.BigEndian.PutUint64(id[:8], uint64(v.Structured.GetMostSignificantBits()))
		binary.BigEndian.PutUint64(id[8:], uint64(v.Structured.GetLeastSignificantBits()))
		return id, nil
	case *shared.UUID_String_:
		if id, err = uuid.Parse(v.String_); err != nil {
			return id, invalid("an event's id is %.50q, want a UUID", v.String_)
		}
		return id, nil
	default:
		return id, invalid("an event has no id")
	}
}
