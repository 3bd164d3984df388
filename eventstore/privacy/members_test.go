package privacy

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzMembers compares with a whole parser: of every JSON object all members are seen as they are, in their order, and
// from what is none nothing worse comes than that it is called whole.
func FuzzMembers(f *testing.F) {
	for _, text := range []string{
		`{}`, ` { } `, `{"a":1}`, `{"a":"}","b":{"c":[1,"]",{}]},"d":null}`, "{\n\"a\" : -1.5e3 ,\t\"\\\"b\":\" : [ ] }", `{"a":"\\","b":"\\\""}`,
		``, `[]`, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{"a" 1}`, `{a:1}`, `{"a":1}x`, `{"a":,"b":1}`, `{"a":"\`, `{"a":}`, `{"a":]}`, `nul`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var got []string
		whole := eachMember(text, func(_ int, name, value []byte) bool {
			got = append(got, string(name), string(bytes.TrimSpace(value)))
			return true
		})
		want, object := parsed(text)
		if !object {
			return
		}
		if !whole || len(got) != len(want) {
			t.Fatalf("%q: %q, want %q", text, got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%q: %q, want %q", text, got[i], want[i])
			}
		}
	})
}

// parsed are names and values by a parser, false of what is no object. Names are compared as they are written.
func parsed(text []byte) (list []string, ok bool) {
	if !json.Valid(text) || bytes.TrimSpace(text)[0] != '{' {
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	if _, err := dec.Token(); err != nil {
		return nil, false
	}
	for dec.More() {
		begin := dec.InputOffset()
		if _, err := dec.Token(); err != nil {
			return nil, false
		}
		name := bytes.TrimLeft(text[begin:dec.InputOffset()], ", \t\r\n")
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, false
		}
		list = append(list, string(name[1:len(name)-1]), string(value))
	}
	return list, true
}

// What a clear member says is never taken for something sealed, unless it is written exactly so.
func TestClearMembersStayClear(t *testing.T) {
	keys := InMemory()
	for _, text := range []string{
		`{"attributes":{"sealed":"yes"}}`, `{"attributes":{"sealed":""}}`, `{"attributes":{"sealed":"\"}"}}`,
		`{"attributes":{"sealed":"0123456789012345678901234567890123456789+","a":"b"}}`,
	} {
		if got, err := keys.Open([]byte(text), []string{"attributes"}, Place{Person: "S1.C1", Stream: "s"}); err != nil || string(got) != text {
			t.Errorf("%s: %s, %v", text, got, err)
		}
		at := Place{Person: "S1.C1", Stream: "s", Salt: "1"}
		sealed, err := keys.Seal([]byte(text), []string{"attributes"}, at)
		if err != nil || bytes.Contains(sealed, []byte("yes")) {
			t.Fatalf("%s: %s, %v", text, sealed, err)
		}
		if got, err := keys.Open(sealed, []string{"attributes"}, at); err != nil || string(got) != text {
			t.Errorf("%s came back as %s, %v", text, got, err)
		}
	}
}
