package catalog_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/urikake/urikake/domain/catalog"
)

// written is a shape as a reader of the JSON sees it.
func written(t *testing.T, v any) *jsonSchema {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "$defs") {
		t.Errorf("refers to definitions of its own: %s", data)
	}
	s := new(jsonSchema)
	d := json.NewDecoder(strings.NewReader(strings.ReplaceAll(string(data), "#/components/schemas/", "#/$defs/")))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil {
		t.Fatal(err)
	}
	return s
}

// sameJSON compares what raw JSON says.
var sameJSON = cmp.Comparer(func(a, b json.RawMessage) bool {
	return strings.Join(strings.Fields(string(a)), "") == strings.Join(strings.Fields(string(b)), "")
})

// For OpenAPI a command has the same shape, its parts elsewhere, and less is required of it.
func TestSchemaOf(t *testing.T) {
	definitions := make(map[string]*jsonSchema)
	for name, def := range catalog.Definitions() {
		definitions[name] = written(t, def)
	}
	used := make(map[string]bool)
	for _, c := range catalog.Commands() {
		shape, err := catalog.SchemaOf(c.Name(), "seller", "invoice", "color")
		if err != nil {
			t.Fatal(err)
		}
		got, want := written(t, shape), schemaOf(t, c.Name())
		for name, def := range want.Defs {
			used[name] = true
			if diff := cmp.Diff(def, definitions[name], sameJSON); diff != "" {
				t.Errorf("%s, %s (-own +OpenAPI)\n%s", c.Name(), name, diff)
			}
		}
		want.Required = slices.DeleteFunc(want.Required, func(m string) bool { return m == "seller" || m == "invoice" })
		want.Schema, want.Examples, want.Defs = "", nil, nil
		if diff := cmp.Diff(want, got, sameJSON); diff != "" {
			t.Errorf("%s (-own +OpenAPI)\n%s", c.Name(), diff)
		}
		if _, has := got.Properties["seller"]; !has {
			t.Errorf("%s: what the path names may still be said", c.Name())
		}
	}
	if len(used) != len(definitions) {
		t.Errorf("%d definitions, %d used", len(definitions), len(used))
	}
	if _, err := catalog.SchemaOf("PayMe"); !errors.Is(err, catalog.ErrUnknownCommand) {
		t.Error(err)
	}
	delete(catalog.Definitions()["Money"], "type") // a caller's own copy
	if written(t, catalog.Definitions()["Money"]).Type != "object" {
		t.Error("one caller changes what the next one gets")
	}
}

// All definitions stand side by side, so no two types of commands may have one name.
func TestDefinitionsHaveNamesOfTheirOwn(t *testing.T) {
	types := make(map[string]reflect.Type)
	var walk func(typ reflect.Type)
	walk = func(typ reflect.Type) {
		if typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
			walk(typ.Elem())
			return
		}
		if typ.PkgPath() == "" || types[typ.Name()] == typ {
			return
		}
		if other, taken := types[typ.Name()]; taken {
			t.Errorf("%v and %v", typ, other)
		}
		types[typ.Name()] = typ
		if typ.Kind() == reflect.Struct && !isWord(typ) {
			for _, f := range catalog.Fields(typ) {
				walk(f.Type)
			}
		}
	}
	for _, c := range catalog.Commands() {
		walk(reflect.TypeOf(c))
	}
	if len(types) < 20 {
		t.Errorf("only %d types were met", len(types))
	}
}

// What the rules fill in may be left out, and the schema says so.
func TestDefaultsAreNotRequired(t *testing.T) {
	for _, name := range []string{"RegisterSeller", "ChangeSeller"} {
		s := schemaOf(t, name)
		for _, member := range []string{"rounding", "default_series"} {
			if s.Properties[member] == nil || slices.Contains(s.Required, member) {
				t.Errorf("%s: %s", name, member)
			}
		}
	}
}
