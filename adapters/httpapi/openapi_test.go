package httpapi

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestGeneratedOpenAPI compares the committed description with the one that is served.
func TestGeneratedOpenAPI(t *testing.T) {
	b, err := open(t).api.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "../../docs/openapi.json", b)
}

// Two ledgers may be opened at once: the race detector looks at what they share.
func TestAPIsBeginTogether(t *testing.T) {
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() { New(Books{}, Options{}) })
	}
	all.Wait()
}

// TestDescriptionIsOpenAPI holds the description against the OpenAPI Initiative's own schema of 3.1.
func TestDescriptionIsOpenAPI(t *testing.T) {
	f, err := os.Open("testdata/openapi-3.1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	schema, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("openapi.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(any(newContract(t, open(t).api).doc)); err != nil {
		t.Error(err)
	}
}

// linter walks the description and says what a reader or a generator of clients would miss.
type linter struct {
	*contract
	t        *testing.T
	referred map[string]bool
}

var (
	kebabCase = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	snakeCase = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
)

func TestDescriptionIsWhole(t *testing.T) {
	l := linter{newContract(t, open(t).api), t, make(map[string]bool)}
	var tags []string
	for _, tag := range l.doc["tags"].([]any) {
		tags = append(tags, tag.(map[string]any)["name"].(string))
	}
	ids := make(map[string]bool)
	for path, item := range at(l.doc, "paths") {
		for method, op := range item.(map[string]any) {
			id := l.operation(method+" "+path, op.(map[string]any), tags)
			if ids[id] {
				t.Errorf("two operations are called %s", id)
			}
			ids[id] = true
		}
	}
	for status, r := range at(l.doc, "components", "responses") {
		l.response("components", status, r.(map[string]any))
	}
	l.references(l.doc)
	for name, schema := range at(l.doc, "components", "schemas") {
		l.schemaIn(name, schema)
		if !l.referred["schemas/"+name] {
			t.Errorf("nothing refers to the schema %s", name)
		}
	}
}

func (l linter) operation(where string, op map[string]any, tags []string) string {
	id, _ := op["operationId"].(string)
	for _, name := range []string{"summary", "description"} {
		if text, _ := op[name].(string); len(text) < 5 {
			l.t.Errorf("%s (%s) has no %s", id, where, name)
		}
	}
	if !kebabCase.MatchString(id) {
		l.t.Errorf("%s is called %q", where, id)
	}
	if own, _ := op["tags"].([]any); len(own) != 1 || !slices.Contains(tags, own[0].(string)) {
		l.t.Errorf("%s stands under %v", id, own)
	}
	parameters, _ := op["parameters"].([]any)
	for _, p := range parameters {
		p := p.(map[string]any)
		if text, _ := p["description"].(string); text == "" {
			l.t.Errorf("%s: the parameter %s is not described", id, p["name"])
		}
		if p["in"] == "path" && p["example"] == nil {
			l.t.Errorf("%s: the parameter %s has no example", id, p["name"])
		}
		l.schemaIn(fmt.Sprintf("%s %s", id, p["name"]), p["schema"])
	}
	for _, content := range at(op, "requestBody", "content") {
		content := content.(map[string]any)
		l.schemaIn(id, content["schema"])
		if len(at(content, "examples")) == 0 {
			l.t.Errorf("%s: its body has no example", id)
		}
	}
	if len(at(op, "responses", "200", "content")) == 0 {
		l.t.Errorf("%s has no answer", id)
	}
	shown := false
	for status, r := range at(op, "responses") {
		l.response(id, status, r.(map[string]any))
		for _, content := range at(r.(map[string]any), "content") {
			shown = shown || status == "200" && len(at(content.(map[string]any), "examples")) > 0
		}
	}
	if !shown {
		l.t.Errorf("%s: its answer has no example", id)
	}
	return id
}

func (l linter) response(id, status string, r map[string]any) {
	if r["$ref"] != nil {
		return
	}
	if text, _ := r["description"].(string); text == "" {
		l.t.Errorf("%s: %s is not described", id, status)
	}
	if status != "304" && len(at(r, "content")) == 0 {
		l.t.Errorf("%s: %s has no body", id, status)
	}
	for kind, content := range at(r, "content") {
		l.schemaIn(id+" "+kind, content.(map[string]any)["schema"])
	}
}

// schemaIn wants every schema to say what it allows, and its members' names to be written in one way.
func (l linter) schemaIn(where string, v any) {
	schema, _ := v.(map[string]any)
	if schema["type"] == nil && schema["$ref"] == nil && schema["anyOf"] == nil && schema["enum"] == nil {
		l.t.Errorf("%s allows anything", where)
	}
	for name, member := range at(schema, "properties") {
		if !snakeCase.MatchString(name) {
			l.t.Errorf("%s: the member %s is not in snake case", where, name)
		}
		l.schemaIn(where+"."+name, member)
	}
	if items := schema["items"]; items != nil {
		l.schemaIn(where+"[]", items)
	} else if schema["type"] == "array" {
		l.t.Errorf("%s is a list of anything", where)
	}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if at(schema, "properties", name.(string)) == nil {
			l.t.Errorf("%s requires %s, which it does not have", where, name)
		}
	}
}

// references notes what is referred to, and finds what is not there.
func (l linter) references(v any) {
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			l.references(one)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			ref, ok := v["$ref"].(string)
			if ok && name == "$ref" {
				kept := strings.TrimPrefix(ref, "#/components/")
				l.referred[kept] = true
				if at(l.doc, append([]string{"components"}, strings.Split(kept, "/")...)...) == nil {
					l.t.Errorf("%s is not there", ref)
				}
			}
			l.references(v[name])
		}
	}
}
