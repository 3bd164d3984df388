package catalog_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/receipt"
	"github.com/urikake/urikake/domain/seller"
)

// shapeFault is what the aggregate's own check says of a command's shape.
func shapeFault(c catalog.Command) (err error) {
	switch c := c.(type) {
	case account.Command:
		return account.Check(account.WithID(c, "DERIVED"))
	case customer.Command:
		_, registers := c.(customer.RegisterCustomer)
		state := &customer.State{Registered: !registers, Active: c.Name() == "DeactivateCustomer"}
		_, err = customer.Decider.Decide(state, c)
	case seller.Command:
		_, registers := c.(seller.RegisterSeller)
		_, err = seller.Decider.Decide(&seller.State{Registered: !registers}, c)
	case dunning.Command:
		return dunning.Check(dunning.WithID(c, "DERIVED"))
	case receipt.Command:
		return receipt.Check(c)
	case dunning.PolicyCommand:
		return dunning.CheckPolicy(c)
	default:
		err = fmt.Errorf("%T belongs to no aggregate", c)
	}
	return err
}

// jsonSchema is as much of JSON Schema as catalog.Schema writes; anything else fails to decode.
type jsonSchema struct {
	Schema      string                 `json:"$schema"`
	Title       string                 `json:"title"`
	Description string                 `json:"description"`
	Type        string                 `json:"type"`
	Properties  map[string]*jsonSchema `json:"properties"`
	Required    []string               `json:"required"`
	Additional  json.RawMessage        `json:"additionalProperties"`
	Items       *jsonSchema            `json:"items"`
	Pattern     string                 `json:"pattern"`
	Format      string                 `json:"format"`
	Enum        []string               `json:"enum"`
	Examples    []any                  `json:"examples"`
	Ref         string                 `json:"$ref"`
	Defs        map[string]*jsonSchema `json:"$defs"`
}

func schemaOf(t *testing.T, name string) *jsonSchema {
	t.Helper()
	data, err := catalog.Schema(name)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.DisallowUnknownFields()
	s := new(jsonSchema)
	if err := d.Decode(s); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, data)
	}
	return s
}

// validate says what is wrong with a value by the schema.
func (s *jsonSchema) validate(root *jsonSchema, at string, v any) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, at+": "+fmt.Sprintf(format, args...)) }
	if s.Ref != "" {
		def := root.Defs[strings.TrimPrefix(s.Ref, "#/$defs/")]
		if def == nil {
			return []string{at + ": nothing stands at " + s.Ref}
		}
		return def.validate(root, at, v)
	}
	switch v := v.(type) {
	case map[string]any:
		if s.Type != "object" {
			fault("an object, want %s", s.Type)
		}
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				fault("%s is missing", name)
			}
		}
		for name, member := range v {
			switch p := s.Properties[name]; {
			case p != nil:
				faults = append(faults, p.validate(root, at+"/"+name, member)...)
			case string(s.Additional) == "false":
				fault("%s is unknown", name)
			default:
				other := new(jsonSchema)
				if err := json.Unmarshal(s.Additional, other); err != nil {
					fault("%v", err)
				}
				faults = append(faults, other.validate(root, at+"/"+name, member)...)
			}
		}
	case []any:
		if s.Type != "array" {
			fault("a list, want %s", s.Type)
		}
		for i, e := range v {
			faults = append(faults, s.Items.validate(root, at+"/"+strconv.Itoa(i), e)...)
		}
	case string:
		if s.Type != "string" || s.Enum != nil && !slices.Contains(s.Enum, v) || s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(v) {
			fault("%q, want %s %s %v", v, s.Type, s.Pattern, s.Enum)
		}
		if _, err := domain.ParseDate(v); s.Format == "date" && err != nil {
			fault("%v", err)
		}
	case bool:
		if s.Type != "boolean" {
			fault("%v, want %s", v, s.Type)
		}
	case float64:
		if s.Type != "integer" || v != float64(int64(v)) {
			fault("%v, want %s", v, s.Type)
		}
	default:
		fault("%v", v)
	}
	return faults
}

func TestSchemas(t *testing.T) {
	for _, c := range catalog.Commands() {
		s := schemaOf(t, c.Name())
		if s.Schema != "https://json-schema.org/draft/2020-12/schema" || s.Title != c.Name() || s.Description == "" || len(s.Examples) != 1 {
			t.Errorf("%s: %+v", c.Name(), s)
			continue
		}
		for _, fault := range s.validate(s, c.Name(), s.Examples[0]) {
			t.Error(fault)
		}
		// Every member that is spoiled, and every required one that is left out, is a fault.
		example := s.Examples[0].(map[string]any)
		for name, was := range example {
			example[name] = 1.5
			if s.validate(s, "", example) == nil {
				t.Errorf("%s: %s may be anything", c.Name(), name)
			}
			delete(example, name)
			if missing := s.validate(s, "", example) != nil; missing != slices.Contains(s.Required, name) {
				t.Errorf("%s without %s: %v", c.Name(), name, missing)
			}
			example[name] = was
		}
		for name, p := range s.Properties {
			if p.Description == "" {
				t.Errorf("%s: %s has no description", c.Name(), name)
			}
		}
		for name, def := range s.Defs {
			for _, example := range def.Examples {
				for _, fault := range def.validate(s, name, example) {
					t.Error(fault)
				}
			}
		}
	}
	if _, err := catalog.Schema("PayMe"); !errors.Is(err, catalog.ErrUnknownCommand) {
		t.Error(err)
	}
}

// A command may name no string type whose form the schema does not tell.
func TestSchemasTellEveryWord(t *testing.T) {
	var check func(typ reflect.Type)
	seen := make(map[string]bool)
	check = func(typ reflect.Type) {
		for typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
			typ = typ.Elem()
		}
		switch {
		case typ.Kind() == reflect.Struct && !isWord(typ):
			for _, f := range catalog.Fields(typ) {
				check(f.Type)
			}
		case typ.PkgPath() != "":
			seen[typ.Name()] = true
		}
	}
	told := make(map[string]*jsonSchema)
	for _, c := range catalog.Commands() {
		check(reflect.TypeOf(c))
		for name, def := range schemaOf(t, c.Name()).Defs {
			told[name] = def
		}
	}
	constants := enumerations(t)
	for name := range seen {
		def := told[name]
		if def == nil || def.Enum == nil && def.Pattern == "" && def.Properties == nil && def.Format == "" {
			t.Errorf("no form for %s", name)
			continue
		}
		if values := constants[name]; len(values) > 0 && !slices.Equal(values, slices.Sorted(slices.Values(def.Enum))) {
			t.Errorf("%s: the code knows %v, the schema %v", name, values, def.Enum)
		}
	}
}

// enumerations are the constants of each string type, read from the source.
func enumerations(t *testing.T) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			typ, named := spec.Type.(*ast.Ident)
			value, literal := spec.Values[0].(*ast.BasicLit)
			if named && literal && value.Kind == token.STRING && value.Value != `""` {
				text, _ := strconv.Unquote(value.Value)
				found[typ.Name] = append(found[typ.Name], text)
			}
			return true
		})
		return nil
	})
	if err != nil || len(found["Rounding"]) != 3 {
		t.Fatalf("%v, %v", found, err)
	}
	for _, values := range found {
		slices.Sort(values)
	}
	return found
}
