package catalog_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/catalog"
)

// Samples are what earlier programs wrote: testdata/<kind>.v<version>.json, or .v<version>-<case>.json where one
// sample can't fill every field. They are never edited. A new version gets a new sample beside the old ones.
var sampleName = regexp.MustCompile(`^([a-z_]+\.[a-z_]+)\.v([1-9][0-9]*)(-[a-z-]+)?\.json$`)

type sample struct {
	file    string
	kind    string
	version int
	data    []byte
}

func samples(t testing.TB) (list []sample) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := sampleName.FindStringSubmatch(filepath.Base(file))
		if name == nil {
			t.Errorf("%s is not named <kind>.v<version>.json", file)
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		version, _ := strconv.Atoi(name[2])
		list = append(list, sample{file, name[1], version, data})
	}
	return list
}

// TestEventContracts: whatever any version ever wrote is read today; what is written today is the newest sample.
func TestEventContracts(t *testing.T) {
	schemas := make(map[string]domain.Schema)
	missing := make(map[string]bool)
	for _, s := range catalog.Events() {
		schemas[s.Kind] = s
		for v := 1; v <= s.Version; v++ {
			missing[fmt.Sprintf("%s.v%d", s.Kind, v)] = true
		}
	}
	filled := make(map[string]map[string]bool)
	for _, sample := range samples(t) {
		s, known := schemas[sample.kind]
		if !known {
			t.Errorf("%s: no such kind; an event that was written once stays in the catalog", sample.file)
			continue
		}
		delete(missing, fmt.Sprintf("%s.v%d", sample.kind, sample.version))
		e, err := s.Decode(sample.version, sample.data)
		if err != nil {
			t.Errorf("%s: %v", sample.file, err)
			continue
		}
		if e.Kind() != sample.kind {
			t.Errorf("%s decodes as %s", sample.file, e.Kind())
		}
		if sample.version != s.Version {
			continue
		}
		encoded, err := json.Marshal(e)
		if err != nil {
			t.Errorf("%s: %v", sample.file, err)
		}
		if diff := cmp.Diff(generic(t, sample.data), generic(t, encoded)); diff != "" {
			t.Errorf("%s is written otherwise today (-sample +today):\n%s", sample.file, diff)
		}
		if filled[sample.kind] == nil {
			filled[sample.kind] = make(map[string]bool)
		}
		fill(reflect.ValueOf(e), filled[sample.kind])
	}
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		t.Errorf("testdata/%s.json is missing", name)
	}
	for kind, fields := range filled {
		for _, field := range slices.Sorted(maps.Keys(fields)) {
			if !fields[field] {
				t.Errorf("%s: no sample fills %s", kind, field)
			}
		}
	}
}

func generic(t *testing.T, data []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// fill notes for every field of a struct, and of the structs in it, whether it says something anywhere.
func fill(v reflect.Value, filled map[string]bool) {
	switch {
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			fill(v.Index(i), filled)
		}
	case v.Kind() == reflect.Struct && !isWord(v.Type()):
		for i := range v.NumField() {
			name := v.Type().Name() + "." + v.Type().Field(i).Name
			filled[name] = filled[name] || !v.Field(i).IsZero()
			fill(v.Field(i), filled)
		}
	}
}

// isWord tells that a struct is one value in JSON.
func isWord(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]())
}

// The names that stand in the log are chosen by hand and look alike.
func TestNamesInTheLog(t *testing.T) {
	name := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	var check func(kind string, typ reflect.Type, event bool)
	check = func(kind string, typ reflect.Type, event bool) {
		for typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || isWord(typ) {
			return
		}
		seen := make(map[string]bool)
		for _, f := range catalog.Fields(typ) {
			if !name.MatchString(f.Name) || f.Doc == "" || seen[f.Name] {
				t.Errorf("%s: member %q of %s, doc %q", kind, f.Name, typ.Name(), f.Doc)
			}
			seen[f.Name] = true
			if event && (f.Type.Kind() == reflect.Float64 || f.Type.Kind() == reflect.Float32) {
				t.Errorf("%s: %s is a float", kind, f.Name)
			}
			check(kind, f.Type, event)
		}
	}
	for _, s := range catalog.Events() {
		if !sampleName.MatchString(s.Kind + ".v1.json") {
			t.Errorf("kind %q", s.Kind)
		}
		check(s.Kind, s.Type, true)
	}
	for _, c := range catalog.Commands() {
		check(c.Name(), reflect.TypeOf(c), false)
	}
}
