package httpapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"pgregory.net/rapid"
)

// prober makes requests from the description: such as fit it, with ids that the books know, and such as break it in one
// way. The same seed makes the same requests.
type prober struct {
	*rand.Rand
	contract *contract
	known    map[string][]string // values that the examples have under a name
	bodies   map[string][]string // bodies of the examples, by operation
	ids      []string            // of operations
	places   map[string][2]string
	n        int
}

// probe is a request, and what was done to it.
type probe struct {
	operation, method, path, query, body string
	header                               http.Header
	broken                               string
	sure                                 bool // it must be refused
}

func (p probe) String() string {
	body := p.body
	if len(body) > 600 {
		body = body[:300] + "..." + body[len(body)-200:]
	}
	return fmt.Sprintf("%s (%s)\n%s %s%s\n%v\n%q", p.operation, p.broken, p.method, p.path, p.query, p.header, body)
}

func newProber(c *contract, seed uint64) *prober {
	p := &prober{
		Rand: rand.New(rand.NewPCG(seed, 1)), contract: c,
		known: make(map[string][]string), bodies: make(map[string][]string), places: make(map[string][2]string),
	}
	for path, item := range at(c.doc, "paths") {
		for method, op := range item.(map[string]any) {
			id := op.(map[string]any)["operationId"].(string)
			p.ids = append(p.ids, id)
			p.places[id] = [2]string{path, method}
		}
	}
	slices.Sort(p.ids)
	for _, e := range examples {
		if e.body != "" {
			p.bodies[e.operation] = append(p.bodies[e.operation], e.body)
			p.learn("", parsed(e.body))
		}
		target, _, _ := strings.Cut(e.target, "?")
		parts := strings.Split(target, "/")
		for i, name := range strings.Split(p.places[e.operation][0], "/") {
			if name, ok := strings.CutPrefix(name, "{"); ok {
				p.learn(strings.TrimSuffix(name, "}"), parts[i])
			}
		}
	}
	return p
}

// parsed is a body's value; nil when it is no JSON.
func parsed(body string) (v any) {
	_ = json.Unmarshal([]byte(body), &v) // what it is when it is JSON
	return v
}

// learn notes the texts under their names.
func (p *prober) learn(name string, v any) {
	switch v := v.(type) {
	case string:
		if !slices.Contains(p.known[name], v) {
			p.known[name] = append(p.known[name], v)
		}
	case []any:
		for _, one := range v {
			p.learn(name, one)
		}
	case map[string]any:
		for _, member := range slices.Sorted(maps.Keys(v)) {
			p.learn(member, v[member])
		}
	}
}

func (p *prober) often() bool  { return p.IntN(4) > 0 }
func (p *prober) seldom() bool { return p.IntN(5) == 0 }

func pick[T any](p *prober, list []T) T { return list[p.IntN(len(list))] }

// fitting is a request that fits the description.
func (p *prober) fitting() probe {
	id := pick(p, p.ids)
	path, method := p.places[id][0], p.places[id][1]
	op := at(p.contract.doc, "paths", path, method)
	r := probe{operation: id, method: strings.ToUpper(method), path: path, header: http.Header{}}
	query := url.Values{}
	p.n++
	list, _ := op["parameters"].([]any)
	for _, one := range list {
		parameter := one.(map[string]any)
		name, required := parameter["name"].(string), parameter["required"] == true
		value := fmt.Sprint(p.value(name, at(parameter, "schema"), 0))
		switch {
		case parameter["in"] == "path":
			r.path = strings.Replace(r.path, "{"+name+"}", url.PathEscape(value), 1)
		case parameter["in"] == "query" && (required || p.seldom()):
			query.Set(name, value)
		case name == "Idempotency-Key":
			r.header.Set(name, "probe-"+strconv.Itoa(p.n))
		case parameter["in"] == "header" && p.IntN(20) == 0:
			r.header.Set(name, strings.Map(printable, value))
		}
	}
	query.Del("follow") // it has no end
	if len(query) > 0 {
		r.query = "?" + query.Encode()
	}
	p.addBody(&r, op)
	return r
}

func printable(r rune) rune {
	if r < ' ' || r > '~' {
		return '?'
	}
	return r
}

func (p *prober) addBody(r *probe, op map[string]any) {
	content := at(op, "requestBody", "content")
	for kind := range content {
		r.header.Set("Content-Type", kind)
		if bodies := p.bodies[r.operation]; len(bodies) > 0 && p.often() {
			r.body = pick(p, bodies)
		}
		if kind != typeJSON {
			continue
		}
		if r.body == "" {
			b, _ := json.Marshal(p.value("", at(content, kind, "schema"), 0))
			r.body = string(b)
		} else {
			r.body = p.varied(r.body)
		}
	}
}

// varied gives a body other values of the same kind here and there.
func (p *prober) varied(body string) string {
	v := p.swap("", parsed(body))
	b, _ := json.Marshal(v)
	return string(b)
}

func (p *prober) swap(name string, v any) any {
	switch v := v.(type) {
	case string:
		if values := p.known[name]; len(values) > 0 && p.seldom() {
			return pick(p, values)
		}
	case []any:
		for i := range v {
			v[i] = p.swap(name, v[i])
		}
	case map[string]any:
		for _, member := range slices.Sorted(maps.Keys(v)) {
			v[member] = p.swap(member, v[member])
		}
	}
	return v
}

// value is one that a schema allows.
func (p *prober) value(name string, schema map[string]any, depth int) any {
	if ref, ok := schema["$ref"].(string); ok {
		return p.value(name, at(p.contract.doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...), depth)
	}
	if list, ok := schema["anyOf"].([]any); ok {
		return p.value(name, pick(p, list).(map[string]any), depth)
	}
	if values, ok := schema["enum"].([]any); ok {
		return pick(p, values)
	}
	kind, _ := schema["type"].(string)
	if kinds, ok := schema["type"].([]any); ok {
		kind, _ = kinds[0].(string)
	}
	switch kind {
	case "object":
		return p.object(schema, depth)
	case "array":
		list := make([]any, p.IntN(4))
		for i := range list {
			list[i] = p.value(name, at(schema, "items"), depth+1)
		}
		return list
	case "boolean":
		return p.IntN(2) == 0
	case "integer":
		return p.integer(name, schema)
	}
	return p.text(name, schema)
}

func (p *prober) integer(name string, schema map[string]any) any {
	if name == "after" || p.often() {
		return 1 + p.IntN(40)
	}
	if most, ok := schema["maximum"].(json.Number); ok {
		return most
	}
	return p.Int64N(1 << 40)
}

func (p *prober) object(schema map[string]any, depth int) any {
	out := make(map[string]any)
	required, _ := schema["required"].([]any)
	properties := at(schema, "properties")
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if slices.Contains(required, any(name)) || depth < 6 && p.IntN(3) == 0 {
			out[name] = p.value(name, at(properties, name), depth+1)
		}
	}
	if more := at(schema, "additionalProperties"); more != nil {
		out["name"] = p.value("", more, depth+1)
	}
	return out
}

func (p *prober) text(name string, schema map[string]any) string {
	if values := p.known[name]; len(values) > 0 && p.often() {
		return pick(p, values)
	}
	switch pattern, _ := schema["pattern"].(string); {
	case pattern != "":
		return rapid.StringMatching(pattern).Example(p.Int())
	case schema["format"] == "date":
		year := p.IntN(100)
		if p.often() {
			year %= 26 // before the house's clock: much that is done has happened
		}
		return fmt.Sprintf("20%02d-%02d-%02d", year, 1+p.IntN(12), 1+p.IntN(28))
	case schema["format"] == "date-time":
		return fmt.Sprintf("20%02d-%02d-%02dT%02d:00:00Z", p.IntN(100), 1+p.IntN(12), 1+p.IntN(28), p.IntN(24))
	}
	most := 40
	if n, ok := schema["maxLength"].(json.Number); ok {
		if m, err := strconv.Atoi(n.String()); err == nil {
			most = min(most, m)
		}
	}
	return rapid.StringN(0, most, most).Example(p.Int())
}
