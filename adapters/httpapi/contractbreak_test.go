package httpapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// breaks spoil a request in one way each. They say what they did, "" when the request has nothing to be spoiled so, and
// whether it must be refused for it.
var breaks = []func(*prober, *probe) (did string, sure bool){
	func(p *prober, r *probe) (string, bool) {
		return p.splice(r, `{"no_such_member":1,`, "an unknown member")
	},
	func(p *prober, r *probe) (string, bool) {
		var members map[string]json.RawMessage
		if json.Unmarshal([]byte(r.body), &members) != nil || len(members) == 0 {
			return "", false
		}
		name := pick(p, slices.Sorted(maps.Keys(members)))
		return p.splice(r, fmt.Sprintf(`{%q:%s,`, name, members[name]), name+" twice")
	},
	func(p *prober, r *probe) (string, bool) { return p.replace(r, 12345.5, "a number") },
	func(p *prober, r *probe) (string, bool) { return p.replace(r, true, "a truth") },
	func(p *prober, r *probe) (string, bool) { return p.replace(r, nil, "null") },
	func(p *prober, r *probe) (string, bool) {
		return p.replace(r, json.RawMessage("1e400"), "a number beyond any")
	},
	func(p *prober, r *probe) (string, bool) {
		return p.replace(r, json.RawMessage("-0"), "a number below nothing")
	},
	func(p *prober, r *probe) (string, bool) { return p.replace(r, map[string]any{"a": 1}, "an object") },
	func(p *prober, r *probe) (string, bool) { return p.replace(r, []any{"a"}, "a list") },
	func(p *prober, r *probe) (string, bool) {
		did, _ := p.replace(r, strings.Repeat("あ", 5000), "a long text")
		return did, false
	},
	func(p *prober, r *probe) (string, bool) {
		did, _ := p.replace(r, pick(p, []string{"", " ", "\u0000", "\u202e", "=1+1", "'; DROP TABLE", "NaN", "1e5", "-0", "+1", "１２", "2026-02-30"}), "an odd text")
		return did, false
	},
	func(p *prober, r *probe) (string, bool) {
		at := strings.LastIndex(r.body, `":"`)
		if at < 0 {
			return "", false
		}
		r.body = r.body[:at+3] + "\xff\xfe" + r.body[at+3:]
		return "bytes that are no UTF-8", true
	},
	func(p *prober, r *probe) (string, bool) {
		if len(r.body) < 2 || r.body[0] != '{' {
			return "", false
		}
		r.body = r.body[:1+p.IntN(len(r.body)-1)]
		return "cut off", true
	},
	func(p *prober, r *probe) (string, bool) {
		if r.body == "" || r.body[0] != '{' {
			return "", false
		}
		r.body += pick(p, []string{"{}", "x", "]", "\x00"})
		return "something after it", true
	},
	func(p *prober, r *probe) (string, bool) {
		return p.splice(r, `{"note":`+strings.Repeat("[", 20000)+strings.Repeat("]", 20000)+`,`, "deeply nested")
	},
	func(p *prober, r *probe) (string, bool) {
		return p.without(r)
	},
	func(p *prober, r *probe) (string, bool) {
		if r.method == "GET" || p.IntN(8) > 0 || r.operation == "import-receivables" {
			return "", false
		}
		r.body = `{"note":"` + strings.Repeat("x", batchBytesMax+100) + `"}`
		return "longer than any body", true
	},
	func(p *prober, r *probe) (string, bool) { return p.ask(r, "no_such_parameter", "1"), true },
	func(p *prober, r *probe) (string, bool) {
		if r.query == "" {
			return "", false
		}
		one, _, _ := strings.Cut(r.query[1:], "&")
		r.query += "&" + one
		return "a parameter twice", true
	},
	func(p *prober, r *probe) (string, bool) { return p.ask(r, p.parameter(r), ""), false },
	func(p *prober, r *probe) (string, bool) {
		return p.ask(r, p.parameter(r), strings.Repeat("9", 5000)), false
	},
	func(p *prober, r *probe) (string, bool) {
		return p.ask(r, p.parameter(r), pick(p, []string{"\x00", "\xff", "null", "-1", "0", "%", "2026-13-01", "1;2", "ＪＰＹ", "../..", "1e3", " "})), false
	},
	func(p *prober, r *probe) (string, bool) {
		r.query += pick(p, []string{"?;", "?%zz=1", "?=", "?&&", "?a"})
		return "an odd query", false
	},
	func(p *prober, r *probe) (string, bool) {
		r.header.Set("Accept", pick(p, []string{"image/png", "*/*", "text/*;q=0.1", ";;;", "application/json;q=0", strings.Repeat("a/b,", 500), "text/csv, application/json;q=0.5"}))
		return "an odd Accept", false
	},
	func(p *prober, r *probe) (string, bool) {
		if r.method == "GET" {
			return "", false
		}
		r.header.Set("Content-Type", pick(p, []string{"text/plain", "application/xml", "multipart/form-data; boundary=x", "application/json+x"}))
		return "another Content-Type", r.body != ""
	},
	func(p *prober, r *probe) (string, bool) {
		if r.header.Get("Idempotency-Key") == "" {
			return "", false
		}
		r.header.Set("If-Match", pick(p, []string{"12", `"x"`, `*`, `"12`, `"-1"`, `"99999999999"`, `"1", "2"`, `W/`, `"2027@"`}))
		return "an If-Match that nobody gave", !slices.Contains([]string{"send-commands", "create-key", "revoke-key"}, r.operation) // these are on no account
	},
	func(p *prober, r *probe) (string, bool) {
		if r.header.Get("Idempotency-Key") == "" {
			return "", false
		}
		r.header.Set("Idempotency-Key", pick(p, []string{strings.Repeat("k", 201), "schlüssel", "\x80\xff", strings.Repeat("k", 5000)}))
		return "an odd Idempotency-Key", r.operation != "send-commands"
	},
	func(p *prober, r *probe) (string, bool) {
		r.header.Set("Idempotency-Key", pick(p, []string{"", " ", "bank-20260731-17", "invoice-0630"}))
		return "another's Idempotency-Key", false
	},
	func(p *prober, r *probe) (string, bool) {
		parts := strings.Split(r.path, "/")
		names := strings.Split(p.places[r.operation][0], "/")
		for i, name := range names {
			if strings.HasPrefix(name, "{") {
				parts[i] = pick(p, []string{"..", "%2e%2e", "..%2f..", "a%2Fb", "%00", "%ff", "a%20b", ".", "%E5%A3%B2", strings.Repeat("a", 2000), "a.b", "%25"})
				r.path = strings.Join(parts, "/")
				return "a path that names nothing", true
			}
		}
		return "", false
	},
	func(p *prober, r *probe) (string, bool) {
		r.method = pick(p, []string{"PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO"})
		return "another method", true
	},
	func(p *prober, r *probe) (string, bool) {
		r.path += pick(p, []string{"/", "//", "/..", "/x", "%2F", "%"})
		return "a longer path", false
	},
	func(p *prober, r *probe) (string, bool) {
		r.header.Set("Authorization", pick(p, []string{"Basic dTpw", "Bearer", "Bearer x", "Bearer " + exampleToken, "bearer  ", strings.Repeat("B", 3000)}))
		return "no key", true
	},
}

// splice puts something at the beginning of a JSON object.
func (p *prober) splice(r *probe, begin, did string) (string, bool) {
	if len(r.body) < 3 || r.body[0] != '{' {
		return "", false
	}
	r.body = begin + strings.TrimSpace(r.body[1:])
	return did, true
}

// replace puts another value in the place of one of the body's texts. What a batch has in its commands refuses those
// only.
func (p *prober) replace(r *probe, by any, did string) (string, bool) {
	v, isObject := parsed(r.body).(map[string]any)
	if !isObject || r.body[0] != '{' {
		return "", false
	}
	places := texts(v, nil)
	if len(places) == 0 {
		return "", false
	}
	place := pick(p, places)
	place.set(by)
	b, _ := json.Marshal(v)
	r.body = string(b)
	return did + " at " + place.name, r.operation != "send-commands"
}

// place is where a text stands in a body.
type place struct {
	name string
	set  func(any)
}

func texts(v any, list []place) []place {
	switch v := v.(type) {
	case []any:
		for i := range v {
			if _, ok := v[i].(string); ok {
				list = append(list, place{fmt.Sprint(i), func(by any) { v[i] = by }})
			}
			list = texts(v[i], list)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if _, ok := v[name].(string); ok {
				list = append(list, place{name, func(by any) { v[name] = by }})
			}
			list = texts(v[name], list)
		}
	}
	return list
}

// without leaves a required member out.
func (p *prober) without(r *probe) (string, bool) {
	v, isObject := parsed(r.body).(map[string]any)
	path, method := p.places[r.operation][0], p.places[r.operation][1]
	schema := at(p.contract.doc, "paths", path, method, "requestBody", "content", typeJSON, "schema")
	if ref, ok := schema["$ref"].(string); ok {
		schema = at(p.contract.doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	}
	required, _ := schema["required"].([]any)
	if !isObject || len(required) == 0 {
		return "", false
	}
	name := pick(p, required).(string)
	delete(v, name)
	b, _ := json.Marshal(v)
	r.body = string(b)
	return "without " + name, true
}

// parameter is the name of a query parameter that the operation knows.
func (p *prober) parameter(r *probe) string {
	var names []string
	list, _ := at(p.contract.doc, "paths", p.places[r.operation][0], p.places[r.operation][1])["parameters"].([]any)
	for _, one := range list {
		parameter := one.(map[string]any)
		if name := parameter["name"].(string); parameter["in"] == "query" && name != "follow" && name != "after" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return pick(p, names)
}

// ask sets a query parameter.
func (p *prober) ask(r *probe, name, value string) string {
	if name == "" {
		return ""
	}
	query, _ := url.ParseQuery(strings.TrimPrefix(r.query, "?"))
	query.Set(name, value)
	r.query = "?" + query.Encode()
	return fmt.Sprintf("%s=%.20q", name, value)
}

// request is one to be sent, broken half of the time.
func (p *prober) request() probe {
	r := p.fitting()
	if p.IntN(2) == 0 {
		return r
	}
	for r.broken == "" {
		r.broken, r.sure = pick(p, breaks)(p, &r)
	}
	return r
}
