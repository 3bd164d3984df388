package eventstore

import (
	"bytes"
	"testing"
	"time"
)

// What an import writes is what it was given, for every metadata that any store may hold.
func FuzzCarried(f *testing.F) {
	for _, metadata := range []string{
		"", "{}", `{"a":1}`, `{"command_id":"x","command":"y"}`, "null", " {\"a\":1}", `{"a":1`, "\x00\xff", `{"$recordedAt":"2026-01-01T00:00:00.000000Z","a":1}`,
		`{"$recordedAt":"2026-01-01T00:00:00.000000Z","$original":"AA=="}`, `{"$original":"AA=="}`, `{"$recordedAt":"x`,
	} {
		f.Add([]byte(metadata), int64(1_700_000_000_123_456))
	}
	f.Fuzz(func(t *testing.T, metadata []byte, micros int64) {
		at := time.UnixMicro(micros % 250_000_000_000_000_000).UTC()
		if at.Year() < 1 || at.Year() > 9999 {
			return
		}
		r := Unload(Recorded{At: time.Now(), Proposed: Proposed{Metadata: loadInstant(at, metadata)}})
		if !r.At.Equal(at) || !bytes.Equal(r.Metadata, metadata) {
			t.Fatalf("%q at %s came back as %q at %s, by way of %q", metadata, at, r.Metadata, r.At, loadInstant(at, metadata))
		}
	})
}

// Metadata that were not loaded are left alone.
func TestUnloadLeavesOthersAlone(t *testing.T) {
	for _, metadata := range []string{
		"", "{}", `{"command_id":"c"}`, `{"$recordedAt":"`, `{"$recordedAt":"2026-13-01T00:00:00.000000Z","a":1}`,
		`{"$recordedAt":"2026-01-01T00:00:00.000000Z"}`, `{"$recordedAt":"2026-01-01T00:00:00.000000Z","$original":"?"}`,
	} {
		at := time.Unix(1, 0)
		if r := Unload(Recorded{At: at, Proposed: Proposed{Metadata: []byte(metadata)}}); !r.At.Equal(at) || string(r.Metadata) != metadata {
			t.Errorf("%q became %q at %s", metadata, r.Metadata, r.At)
		}
	}
}
