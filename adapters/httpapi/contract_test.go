package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/urikake/urikake/domain/catalog"
)

// contract holds answers against the description: their status and type are documented, their bodies fit.
type contract struct {
	doc      map[string]any
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema
	rules    map[string]int // statuses
	routes   map[string][]string
}

const describedAt = "https://urikake.example/openapi.json"

func newContract(t testing.TB, a *API) *contract {
	t.Helper()
	b, err := a.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := &contract{
		doc: doc.(map[string]any), compiler: jsonschema.NewCompiler(),
		schemas: make(map[string]*jsonschema.Schema), rules: make(map[string]int), routes: make(map[string][]string),
	}
	c.compiler.DefaultDraft(jsonschema.Draft2020)
	c.compiler.AssertFormat()
	if err := c.compiler.AddResource(describedAt, doc); err != nil {
		t.Fatal(err)
	}
	rules, err := Rules()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		c.rules[r.Rule] = r.Status
	}
	for path := range at(c.doc, "paths") {
		c.routes[path] = strings.Split(path, "/")
	}
	return c
}

// at follows names into an object; nil where they lead nowhere.
func at(object map[string]any, names ...string) map[string]any {
	for _, name := range names {
		object, _ = object[name].(map[string]any)
	}
	return object
}

// route is the described path that a request matches. A path without braces goes before one with.
func (c *contract) route(path string) string {
	parts := strings.Split(path, "/")
	best, braces := "", len(parts)+1
	for route, names := range c.routes {
		if n := bracesMatched(names, parts); n >= 0 && n < braces {
			best, braces = route, n
		}
	}
	return best
}

func bracesMatched(names, parts []string) int {
	if len(names) != len(parts) {
		return -1
	}
	n := 0
	for i, name := range names {
		switch {
		case strings.HasPrefix(name, "{"):
			n++
		case name != parts[i]:
			return -1
		}
	}
	return n
}

// pointer is the JSON pointer in a fragment.
func pointer(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(name))
	}
	return b.String()
}

// schema compiles what stands under a pointer.
func (c *contract) schema(names ...string) (*jsonschema.Schema, error) {
	p := pointer(names...)
	if s := c.schemas[p]; s != nil {
		return s, nil
	}
	s, err := c.compiler.Compile(describedAt + "#" + p)
	if err == nil {
		c.schemas[p] = s
	}
	return s, err
}

// check says how an answer breaks the description.
func (c *contract) check(r *http.Request, got reply) error {
	kind, _, err := mime.ParseMediaType(got.header.Get("Content-Type"))
	if err != nil && got.body != "" {
		return fmt.Errorf("%d with the type %q", got.status, got.header.Get("Content-Type"))
	}
	if got.status >= 400 {
		if err := c.checkProblem(got, kind); err != nil {
			return err
		}
	}
	method := strings.ToLower(r.Method)
	route := c.route(r.URL.EscapedPath())
	op := at(c.doc, "paths", route, method)
	if op == nil {
		if got.status == http.StatusNotFound || got.status == http.StatusMethodNotAllowed || got.status == http.StatusUnauthorized {
			return nil // what is not described is not there
		}
		return fmt.Errorf("%s %s is not described, and is answered with %d", r.Method, r.URL.Path, got.status)
	}
	names := []string{"paths", route, method, "responses", strconv.Itoa(got.status)}
	response := at(c.doc, names...)
	if ref, ok := response["$ref"].(string); ok {
		names = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
		response = at(c.doc, names...)
	}
	if response == nil {
		return fmt.Errorf("%s %s: the status %d is not described", r.Method, route, got.status)
	}
	if got.status == http.StatusNotModified {
		return nil
	}
	if at(response, "content", kind) == nil {
		return fmt.Errorf("%s %s: the type %q of a %d is not described", r.Method, route, kind, got.status)
	}
	for name := range at(response, "headers") {
		if err := c.checkHeader(got.header.Get(name), append(names, "headers", name, "schema")...); err != nil {
			return fmt.Errorf("header %s: %w", name, err)
		}
	}
	return c.checkBody(kind, got.body, append(names, "content", kind, "schema")...)
}

// checkRequest says how a request's body breaks the description.
func (c *contract) checkRequest(r *http.Request, body string) error {
	if body == "" {
		return nil
	}
	kind := r.Header.Get("Content-Type")
	names := []string{"paths", c.route(r.URL.EscapedPath()), strings.ToLower(r.Method), "requestBody", "content", kind}
	if at(c.doc, names...) == nil {
		return fmt.Errorf("a body of the type %s is not described", kind)
	}
	return c.checkBody(kind, body, append(names, "schema")...)
}

func (c *contract) checkHeader(value string, names ...string) error {
	if value == "" {
		return nil
	}
	s, err := c.schema(names...)
	if err != nil {
		return err
	}
	if n, err := strconv.ParseUint(value, 10, 64); err == nil && s.Validate(json.Number(strconv.FormatUint(n, 10))) == nil {
		return nil
	}
	return s.Validate(value)
}

func (c *contract) checkBody(kind, body string, names ...string) error {
	s, err := c.schema(names...)
	if err != nil {
		return err
	}
	if kind != TypeBackup && !utf8.ValidString(body) {
		return fmt.Errorf("it is not UTF-8")
	}
	lines := []string{body}
	switch kind {
	case typeNDJSON:
		lines = strings.Split(strings.TrimSuffix(body, "\n"), "\n")
	case typeJSON, "application/problem+json":
	default:
		return s.Validate(body)
	}
	for _, line := range lines {
		if line == "" && kind == typeNDJSON {
			continue
		}
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err != nil {
			return fmt.Errorf("%w: %q", err, line)
		}
		if err := s.Validate(v); err != nil {
			return fmt.Errorf("%w\n%s", err, line)
		}
	}
	return nil
}

// checkProblem sees to it that a refusal names rules that the page of rules has, under their statuses.
func (c *contract) checkProblem(got reply, kind string) error {
	if kind != "application/problem+json" {
		return fmt.Errorf("a %d has the type %q: %.200s", got.status, kind, got.body)
	}
	var p Problem
	if err := json.Unmarshal([]byte(got.body), &p); err != nil {
		return err
	}
	if status, ok := c.rules[p.Rule]; !ok || status != got.status || p.Status != got.status {
		return fmt.Errorf("a %d names the rule %q, which is known %v with status %d", got.status, p.Rule, ok, status)
	}
	for _, f := range p.Errors {
		if _, ok := c.rules[f.Rule]; !ok {
			return fmt.Errorf("the rule %q is not known", f.Rule)
		}
	}
	return nil
}

// do sends a request and reads the whole answer. A connection that breaks off is a fault of the server.
func (h *house) do(r *http.Request) reply {
	h.t.Helper()
	got, err := h.try(r)
	if err != nil {
		h.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	return got
}

func (h *house) try(r *http.Request) (reply, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return reply{}, err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	return reply{answer.StatusCode, answer.Header, string(b)}, err
}

// exampleOf is the catalog's example of a command.
func exampleOf(name string) map[string]any {
	b, err := catalog.Example(name)
	if err != nil {
		panic(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		panic(err)
	}
	return m
}

// without takes members away.
func without(example map[string]any, members []string) map[string]any {
	for _, member := range members {
		delete(example, member)
	}
	return example
}

// A key for "no seller" would be one for all of them.
func TestNullIsRefused(t *testing.T) {
	h := open(t)
	for path, bodies := range map[string][]string{
		"/v1/keys":          {`{"holder":"x","role":"admin","seller":null}`, `{"holder":"x","role":"admin","expires_at":null}`, `null`},
		"/v1/views/rebuild": {`{"models":null}`, `{"models":[null]}`, `null`},
		"/v1/commands":      {`{"together":null,"commands":[]}`, `{"commands":[{"name":"RecordPayment","command":null}]}`, `null`},
	} {
		for _, body := range bodies {
			if r := h.post(path, body); r.status != http.StatusUnprocessableEntity || r.problem(t).Rule != catalog.ErrBadJSON.Rule {
				t.Errorf("%s %s: %d %s", path, body, r.status, r.body)
			}
		}
	}
}
