package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/urikake/urikake/eventstore"
)

// failer is what testing.T and rapid.T have in common.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// same fails unless got are the events as proposed, at the versions after a version, on rising positions.
func same(t failer, stream string, after eventstore.Version, want []eventstore.Proposed, got []eventstore.Recorded) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s after %d: %d events, want %d", stream, after, len(got), len(want))
	}
	var position eventstore.Position
	for i, r := range got {
		switch w := want[i]; {
		case r.Stream != stream:
			t.Errorf("stream %q, want %q", r.Stream, stream)
		case r.Version != after+eventstore.Version(i)+1:
			t.Errorf("%s: version %d, want %d", stream, r.Version, after+eventstore.Version(i)+1)
		case r.Position <= position:
			t.Errorf("%s/%d: position %d after %d", stream, r.Version, r.Position, position)
		case r.ID != w.ID || r.Kind != w.Kind || r.Schema != w.Schema:
			t.Errorf("%s/%d: %s %s v%d, want %s %s v%d", stream, r.Version, r.ID, r.Kind, r.Schema, w.ID, w.Kind, w.Schema)
		case !bytes.Equal(r.Data, w.Data) || !bytes.Equal(r.Metadata, w.Metadata):
			t.Errorf("%s/%d: bytes differ: data %.60q, want %.60q; metadata %.60q, want %.60q",
				stream, r.Version, r.Data, w.Data, r.Metadata, w.Metadata)
		}
		position = r.Position
	}
}

func missing(t *testing.T, l *log) {
	same(t, "none", 0, nil, l.read(t, "none", 0))
	same(t, "none", 7, nil, l.read(t, "none", 7))
	l.mustAppend(t, "some", 0, propose("a", 1)...)
	same(t, "none", 0, nil, l.read(t, "none", 0))
	same(t, "som", 0, nil, l.read(t, "som", 0))
	same(t, "SOME", 0, nil, l.read(t, "SOME", 0))
}

func bytesInBytesOut(t *testing.T, l *log) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	quoted := fmt.Appendf(nil, `{"text":%q}`, "髙島屋 𠮷野家 ﾀﾅｶ \u2028 \x00 é é")
	var events []eventstore.Proposed
	for i, b := range [][]byte{nil, []byte(`{}`), []byte(` { "spaced" : 1.0 } `), quoted, []byte(`{"n":100000000000000000000.10}`), every} {
		e := propose(fmt.Sprint(i), 2)
		e[0].Data, e[0].Metadata = b, []byte(`{}`)
		e[1].Data, e[1].Metadata = []byte(`{}`), b
		events = append(events, e...)
	}
	events[0].ID, events[1].ID = uuid.UUID{15: 1}, uuid.Max // no id is nil: EventStoreDB takes none
	events[2].Kind, events[3].Schema = "account.入金_recorded", 1<<20
	for _, stream := range []string{"s", "account-S001.C0001.JPY", "売掛-1", strings.Repeat("n", 300), "a b'\"%_;--"} {
		l.mustAppend(t, stream, 0, events...)
		same(t, stream, 0, events, l.read(t, stream, 0))
	}
	if l.Durable {
		l.stop()
		l.start(t)
		same(t, "売掛-1", 0, events, l.read(t, "売掛-1", 0))
	}
	for i, r := range l.mustFollow(t, 0, l.head(t)) {
		r.Position = 1
		same(t, r.Stream, r.Version-1, events[i%len(events):][:1], []eventstore.Recorded{r})
	}
}

// ownBytes scribbles over everything that passes by: the log must not change.
func ownBytes(t *testing.T, l *log) {
	mine := propose("a", 3)
	l.mustAppend(t, "s", 0, mine...)
	for _, e := range mine {
		clear(e.Data)
		clear(e.Metadata)
	}
	for range 2 {
		got := l.read(t, "s", 0)
		same(t, "s", 0, propose("a", 3), got)
		for _, r := range got {
			_ = append(r.Data, "overrun"...)
			_ = append(r.Metadata, "overrun"...)
		}
		same(t, "s", 0, propose("a", 3), got)
		for _, r := range got {
			clear(r.Data)
			clear(r.Metadata)
		}
	}
}

func sizeLimit(t *testing.T, l *log) {
	largest := propose("a", 3)
	for i := range largest {
		e := &largest[i]
		e.Data = bytes.Repeat([]byte{'x'}, eventstore.EventMax-len(e.Metadata)-2*len(e.Kind))
		e.Data[0], e.Data[len(e.Data)-1] = '"', '"'
	}
	if l.AppendMax == 0 {
		l.mustAppend(t, "s", 0, largest...)
	} else {
		for i := range largest {
			l.mustAppend(t, "s", eventstore.Version(i), largest[i])
		}
	}
	same(t, "s", 0, largest, l.read(t, "s", 0))

	head := l.head(t)
	over := propose("b", 3)
	over[2].Metadata = append(over[2].Metadata, bytes.Repeat([]byte{' '}, eventstore.EventMax-over[2].Size()+1)...)
	if _, err := l.Append(t.Context(), "s", 3, over...); !errors.Is(err, eventstore.ErrTooLarge) {
		t.Errorf("one byte over the limit: %v", err)
	}
	if _, err := l.Append(t.Context(), "new", 0, over...); !errors.Is(err, eventstore.ErrTooLarge) {
		t.Errorf("one byte over the limit on a new stream: %v", err)
	}
	same(t, "s", 3, nil, l.read(t, "s", 3))
	same(t, "new", 0, nil, l.read(t, "new", 0))
	if l.head(t) != head {
		t.Errorf("head moved")
	}
}

func longStream(t *testing.T, l *log) {
	var events []eventstore.Proposed
	for i, n := range []int{1, 255, 256, 257, 1000} {
		more := propose(fmt.Sprint(i), n)
		l.mustAppend(t, "s", eventstore.Version(len(events)), more...)
		l.mustAppend(t, "other", eventstore.Version(i), propose(fmt.Sprint("other", i), 1)...)
		events = append(events, more...)
	}
	for _, after := range []int{0, 1, 255, 256, 257, 512, 1024, len(events) - 257, len(events) - 256, len(events) - 1, len(events)} {
		same(t, "s", eventstore.Version(after), events[after:], l.read(t, "s", eventstore.Version(after)))
	}
}
