package export_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/urikake/urikake/adapters/export"
)

func sheet() export.Sheet {
	s := export.Sheet{Columns: []export.Column{
		{Name: "customer"},
		{Name: "name", Title: "Name"},
		{Name: "total", Kind: export.Amount},
		{Name: "days", Kind: export.Count},
		{Name: "due_on", Kind: export.Date},
	}}
	s.Add("C1", "ヤマダ商事㈱", "1234567", "31", "2026-04-30")
	s.Add("C22", `=cmd|"x",1`, "-0.50", "-3", "")
	s.Foot = [][]string{{"", "Total", "1234566.50", "", ""}}
	return s
}

func write(t *testing.T, s export.Sheet, f export.Format) string {
	t.Helper()
	var b strings.Builder
	if err := s.Write(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTablesLineUpInJapaneseToo(t *testing.T) {
	want := strings.TrimPrefix(`
 customer  Name                 total  days  due_on
--------------------------------------------------------
 C1        ヤマダ商事㈱     1,234,567    31  2026-04-30
 C22       =cmd|"x",1           -0.50    -3
--------------------------------------------------------
           Total         1,234,566.50
`, "\n")
	if got := write(t, sheet(), export.Table); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestCSVKeepsFiguresPlainAndTextsFromRunning(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(write(t, sheet(), export.CSV))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if rows[1][2] != "1234567" || rows[2][2] != "-0.50" || rows[2][1] != `'=cmd|"x",1` {
		t.Errorf("%q", rows)
	}
}

func TestJSONHasAmountsAsStringsAndNothingAsNull(t *testing.T) {
	var rows []map[string]any
	if err := json.Unmarshal([]byte(write(t, sheet(), export.JSON)), &rows); err != nil {
		t.Fatal(err)
	}
	if rows[0]["total"] != "1234567" || rows[1]["days"] != float64(-3) || rows[1]["due_on"] != nil {
		t.Errorf("%v", rows)
	}
	if got := write(t, export.Sheet{}, export.JSON); got != "[]\n" {
		t.Errorf("%q", got)
	}
}

func TestUnknownFormat(t *testing.T) {
	if err := sheet().Write(&strings.Builder{}, "xml"); !errors.Is(err, export.ErrFormat) {
		t.Error(err)
	}
}

// Streamed or at once, a sheet is the same.
func TestRowByRow(t *testing.T) {
	for _, s := range []export.Sheet{sheet(), {Columns: sheet().Columns}, {}} {
		for _, format := range []export.Format{export.Table, export.CSV, export.JSON, export.NDJSON} {
			var b strings.Builder
			w, err := s.Begin(&b, format)
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range s.Rows {
				if err := w.Add(row...); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.End(); err != nil || b.String() != write(t, s, format) {
				t.Errorf("%s: %v, got\n%s", format, err, b.String())
			}
		}
	}
}

func TestGroupsAreObjects(t *testing.T) {
	s := export.Sheet{Columns: []export.Column{{Name: "a", Group: "g"}, {Name: "b", Group: "g"}, {Name: "c"}, {Name: "d", Group: "h", Kind: export.Count}}}
	s.Add("1", "2", "3", "4")
	s.Add("", "", "", "")
	want := `{"g": {"a": "1", "b": "2"}, "c": "3", "h": {"d": 4}}
{"g": {"a": "", "b": ""}, "c": "", "h": {"d": null}}
`
	if got := write(t, s, export.NDJSON); got != want {
		t.Errorf("got %s", got)
	}
	if got := write(t, export.Sheet{}, export.NDJSON); got != "" {
		t.Errorf("%q", got)
	}
}
