package eventstore

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func recordedWith(data, metadata []byte) Recorded {
	return Recorded{
		Position: 7, Stream: "account-S1.C1.JPY", Version: 2, At: time.Date(2026, 7, 3, 9, 0, 0, 120_000, time.UTC),
		Proposed: Proposed{ID: uuid.MustParse("5f0c7a52-5f3e-5f6b-9a3f-7d3c1c1d9e41"), Kind: "k", Schema: 1, Data: data, Metadata: metadata},
	}
}

// A line brings back every byte, also when somebody has written it over several lines.
func FuzzLine(f *testing.F) {
	for _, s := range []string{"", "{}", "null", `{"a": 1}`, "\xff", `{"half":`, `{"a":"<&>\u2028 \" x\\"}`, "[1, 2]\n", "\"\xff\"", `"`, `{"a":"\\"}`} {
		f.Add([]byte(s), []byte(`{"command_id":"c"}`), false)
		f.Add([]byte(`{}`), []byte(s), true)
	}
	f.Fuzz(func(t *testing.T, data, metadata []byte, indent bool) {
		r := recordedWith(data, metadata)
		var out strings.Builder
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false)
		if indent {
			enc.SetIndent("", "  ")
		}
		if err := enc.Encode(LineOf(r)); err != nil {
			t.Fatal(err)
		}
		var l Line
		if err := json.Unmarshal([]byte(out.String()), &l); err != nil {
			t.Fatal(err)
		}
		back, err := l.Recorded()
		if err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
		if string(back.Data) != string(data) || string(back.Metadata) != string(metadata) {
			t.Errorf("%q and %q came back as %q and %q", data, metadata, back.Data, back.Metadata)
		}
		back.Data, back.Metadata, r.Data, r.Metadata = nil, nil, nil, nil
		if diff := cmp.Diff(r, back); diff != "" {
			t.Error(diff)
		}
	})
}

// A line that shows people something else than what it hands to programs is refused, as is one that lacks something.
func TestBadLines(t *testing.T) {
	fine := func() Line { return LineOf(recordedWith([]byte(`{"a":1}`), nil)) }
	bytesOf := func(s string) *[]byte { b := []byte(s); return &b }
	for name, change := range map[string]func(*Line){
		"other bytes":      func(l *Line) { l.DataBytes = bytesOf(`{"a": 2}`) },
		"needless bytes":   func(l *Line) { l.DataBytes = bytesOf(`{"a":1}`) },
		"hidden metadata":  func(l *Line) { l.MetadataBytes = bytesOf(`{"a":1}`) },
		"no id":            func(l *Line) { l.ID = "" },
		"id in capitals":   func(l *Line) { l.ID = strings.ToUpper(l.ID) },
		"no instant":       func(l *Line) { l.RecordedAt = "" },
		"nanoseconds":      func(l *Line) { l.RecordedAt = "2026-07-03T09:00:00.123456789Z" },
		"other zone":       func(l *Line) { l.RecordedAt = "2026-07-03T09:00:00+09:00" },
		"other way to say": func(l *Line) { l.RecordedAt = "2026-07-03T09:00:00.100Z" },
		"no position":      func(l *Line) { l.Position = 0 },
		"no version":       func(l *Line) { l.Version = 0 },
		"no stream":        func(l *Line) { l.Stream = "" },
		"no kind":          func(l *Line) { l.Kind = "" },
	} {
		l := fine()
		change(&l)
		if _, err := l.Recorded(); !errors.Is(err, ErrBadLine) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := fine().Recorded(); err != nil {
		t.Error(err)
	}
}
