package esdb

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/urikake/urikake/eventstore"
)

// A server keeps a type, two texts and an id of an event. The version of the kind's fields stands in the metadata, where
// the codec writes it; only where it can't be told from there it is written behind the type, as in "kind@2".

// proposed is an event as the server takes it.
func proposed(p eventstore.Proposed) esdb.EventData {
	content := esdb.ContentTypeBinary
	if len(p.Data) > 0 && p.Data[0] == '{' {
		content = esdb.ContentTypeJson
	}
	return esdb.EventData{
		EventID: p.ID, EventType: typeOf(p), ContentType: content, Data: p.Data, Metadata: p.Metadata,
	}
}

// size is what the server counts of an event.
func size(p eventstore.Proposed) int { return p.Size() + 2*(len(typeOf(p))-len(p.Kind)) }

// recorded is an event of the ledger as the server gave it.
func recorded(stream string, e *esdb.RecordedEvent) eventstore.Recorded {
	kind, schema := kindOf(e.EventType, e.UserMetadata)
	return eventstore.Recorded{
		Position: eventstore.Position(e.Position.Commit), Stream: stream, Version: eventstore.Version(e.EventNumber) + 1,
		At: e.CreatedDate.UTC().Truncate(time.Microsecond),
		Proposed: eventstore.Proposed{
			ID: e.EventID, Kind: kind, Schema: schema, Data: e.Data, Metadata: e.UserMetadata,
		},
	}
}

const schemaMark = "@"

func typeOf(p eventstore.Proposed) string {
	if _, _, marked := cutSchema(p.Kind); !marked && schemaIn(p.Metadata) == p.Schema {
		return p.Kind
	}
	return p.Kind + schemaMark + strconv.Itoa(p.Schema)
}

func kindOf(name string, metadata []byte) (kind string, schema int) {
	if kind, schema, marked := cutSchema(name); marked {
		return kind, schema
	}
	return name, schemaIn(metadata)
}

// cutSchema cuts what typeOf wrote behind a kind.
func cutSchema(name string) (kind string, schema int, marked bool) {
	at := strings.LastIndex(name, schemaMark)
	if at < 0 {
		return name, 0, false
	}
	schema, err := strconv.Atoi(name[at+1:])
	return name[:at], schema, err == nil && strconv.Itoa(schema) == name[at+1:]
}

// schemaIn is the version that the metadata tells, 1 where it tells none. It cuts what the codec writes, where it is the
// last member; other writers' metadata is parsed whole.
func schemaIn(metadata []byte) int {
	if body, ok := bytes.CutSuffix(metadata, []byte("}")); ok {
		digits := body[len(bytes.TrimRight(body, "0123456789")):]
		before := body[:len(body)-len(digits)]
		if n, err := strconv.Atoi(string(digits)); err == nil && bytes.HasSuffix(before, []byte(`,"schema":`)) {
			return n
		}
	}
	var m struct{ Schema *int }
	if len(metadata) == 0 || json.Unmarshal(metadata, &m) != nil || m.Schema == nil {
		return 1
	}
	return *m.Schema
}
