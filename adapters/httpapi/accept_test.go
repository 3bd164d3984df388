package httpapi

import "testing"

func TestPreferred(t *testing.T) {
	for _, c := range []struct{ accept, want string }{
		{"", typeJSON},
		{" , ", typeJSON},
		{"*/*", typeJSON}, // curl
		{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", typeJSON}, // a browser
		{"text/*", typeCSV},
		{"text/csv;q=0.5, application/json;q=0.4", typeCSV},
		{"text/csv;q=0.5, application/json", typeJSON},
		{"TEXT/CSV", typeCSV},
		{"text/csv; charset=utf-8; Q=0.3, text/plain;q=0.2", typeCSV},
		{"application/json;q=0, */*", typeCSV},
		{"*/*, application/json;q=0", typeCSV},
		{"application/x-ndjson", typeNDJSON},
		{"image/png", ""},
		{"*/*;q=0", ""},
		{"application/json;q=NaN", ""},
		{"application/json;q=2", ""},
		{"application/json;q=", ""},
		{";;;", ""},
		{"text/csv;q=0.5;q=0.9", typeCSV},
	} {
		if got := preferred(c.accept, typeJSON, typeCSV, typeNDJSON, typeTable); got != c.want {
			t.Errorf("%q: %q, want %q", c.accept, got, c.want)
		}
	}
}
