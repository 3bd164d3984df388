package eventstore_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/eventstore"
)

// Whatever bytes a log has: they are read or refused by name, never a panic, and what was read and is written again
// reads as the same.
func FuzzCodec(f *testing.F) {
	samples, err := filepath.Glob("../domain/catalog/testdata/*.json")
	if err != nil || len(samples) < 50 {
		f.Fatal(len(samples), err)
	}
	for _, path := range samples {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		kind, _, _ := strings.Cut(filepath.Base(path), ".v")
		f.Add(kind, 1, data)
	}
	f.Add("account.no_such_kind", 1, []byte(`{}`))
	f.Add("account.payment_recorded", 0, []byte(`{}`))
	f.Add("account.payment_recorded", 1<<40, []byte(`{}`))
	f.Add("account.payment_recorded", 1, []byte(`{"amount":{"amount":"1e9","currency":"JPY"}}`))
	f.Add("", -1, []byte(nil))
	codec := eventstore.NewCodec(catalog.Events())
	f.Fuzz(func(t *testing.T, kind string, schema int, data []byte) {
		r := eventstore.Recorded{Stream: "s", Proposed: eventstore.Proposed{Kind: kind, Schema: schema, Data: data}}
		event, err := codec.Decode(r)
		if err != nil {
			if event != nil || !errors.Is(err, domain.ErrSchema) {
				t.Fatalf("%v, %v", event, err)
			}
			return
		}
		p, err := codec.Encode(event)
		if bytes.Contains(p.Data, []byte(`"currency":""`)) {
			return // an amount was missing that every program has written: read as none, and none can't be written
		}
		if err != nil || p.Kind != kind || p.Schema < schema {
			t.Fatalf("%+v written as %s version %d, %v", event, p.Kind, p.Schema, err)
		}
		again, err := codec.Decode(eventstore.Recorded{Proposed: p})
		if err != nil {
			t.Fatalf("%s is not read again: %v", p.Data, err)
		}
		if p2, err := codec.Encode(again); err != nil || !bytes.Equal(p.Data, p2.Data) {
			t.Fatalf("written as\n%s\nand then as\n%s, %v", p.Data, p2.Data, err)
		}
	})
}

// What Envelope.metadata writes is cut as it is parsed; what others have written never panics.
func FuzzCommandOf(f *testing.F) {
	f.Add("k1", "IssueInvoice", "5f0c7a52", "hanako", []byte(`{"command_id":"a"`))
	f.Add("", "", "", "", []byte(`[]`))
	f.Add(`a"b\`, "\u0062", "\xff", "売掛", []byte(`{"schema":1, "command_id":"a\u0062", "command":"B", "command_hash":"c"}`))
	f.Fuzz(func(t *testing.T, id, name, hash, actor string, others []byte) {
		ours, err := json.Marshal(eventstore.Metadata{CommandID: id, CommandName: name, CommandHash: hash, Actor: actor, Schema: 1})
		if err != nil {
			t.Fatal(err)
		}
		r := eventstore.Recorded{Proposed: eventstore.Proposed{Metadata: ours}}
		m, err := eventstore.ReadMetadata(r)
		if err != nil {
			t.Fatal(err)
		}
		if gotID, gotHash := eventstore.CommandOf(r); gotID != m.CommandID || gotHash != m.CommandHash {
			t.Fatalf("%s: cut %q, %q", ours, gotID, gotHash)
		}
		r.Metadata = others
		if _, err := eventstore.ReadMetadata(r); err != nil && !errors.Is(err, domain.ErrSchema) {
			t.Fatal(err)
		}
		eventstore.CommandOf(r)
	})
}
