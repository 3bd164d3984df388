package httpapi

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what is generated again")

// secondsApart is how much time passes between two examples.
const secondsApart = 60

// runExamples sends all examples, or the first so many, to a fresh ledger.
func runExamples(t testing.TB, h *house, list []example, see func(example, *http.Request, reply)) []exampleAnswer {
	t.Helper()
	operations, paths := operationsOf(h.api.huma.OpenAPI())
	var made []AccessKey
	var answers []exampleAnswer
	for i, e := range list {
		if operations[e.operation] == nil {
			t.Fatalf("there is no operation %s", e.operation)
		}
		h.clock.Add(secondsApart)
		method := http.MethodGet
		if h.api.huma.OpenAPI().Paths[paths[e.operation]].Post == operations[e.operation] {
			method = http.MethodPost
		}
		real := strings.NewReplacer(standIns(made, false)...)
		r, err := http.NewRequest(method, h.url+real.Replace(e.target), strings.NewReader(e.body))
		if err != nil {
			t.Fatal(err)
		}
		for name, values := range e.header() {
			r.Header.Set(name, real.Replace(values[0]))
		}
		r.Header.Set("X-Request-Id", "example-"+slug(e.operation))
		got := h.do(r)
		if e.operation == "create-key" {
			var key AccessKey
			if err := json.Unmarshal([]byte(got.body), &key); err != nil || key.Token == "" {
				t.Fatalf("%v: %s", err, got.body)
			}
			made = append(made, key)
		}
		if want := strings.HasPrefix(e.about, "refused"); want != (got.status >= 400) && e.operation != "import-receivables" {
			t.Errorf("example %d, %s, %s: %d %s", i, e.operation, e.about, got.status, got.body)
		}
		if see != nil {
			see(e, r, got)
		}
		answers = append(answers, normal(e, got, made))
	}
	return answers
}

// shownHeaders are those that the description shows.
var shownHeaders = []string{"Content-Type", "ETag", "Link", "Retry-After", ReplayedHeader, positionHeader, asOfHeader, "WWW-Authenticate"}

// progress is told as time goes by.
var progress = regexp.MustCompile(`(?m)^\{"progress":.*\}\n`)

// hashes and signatures are others each time: random command ids are in what is hashed.
var (
	hashes     = regexp.MustCompile(`(["\\n])[A-Za-z0-9+/]{43}=`)
	signatures = regexp.MustCompile(`— ledger.example [A-Za-z0-9+/]+=*`)
)

var hexHashes = regexp.MustCompile(`[0-9a-f]{64}`)

var millis = regexp.MustCompile(`"millis":\d+`)

// standIns are pairs of what stands for a key in the examples and of what it is; shown turns them round.
func standIns(made []AccessKey, shown bool) (pairs []string) {
	for i, k := range made {
		stand := [][2]string{{exampleToken, exampleKey}, {secondToken, secondKey}}[i]
		for j, real := range [2]string{k.Token, string(k.Key)} {
			if shown {
				pairs = append(pairs, real, stand[j])
			} else {
				pairs = append(pairs, stand[j], real)
			}
		}
	}
	return pairs
}

// normal is an answer without what is by chance.
func normal(e example, r reply, made []AccessKey) exampleAnswer {
	shown := strings.NewReplacer(standIns(made, true)...).Replace
	a := exampleAnswer{Operation: e.operation, About: e.about, Status: r.status, Headers: make(map[string]string)}
	for _, name := range shownHeaders {
		if v := r.header.Get(name); v != "" {
			a.Headers[name] = v
		}
	}
	if r.body != "" {
		body := millis.ReplaceAllString(progress.ReplaceAllString(shown(r.body), ""), `"millis":1`)
		if strings.HasSuffix(e.operation, "-checkpoint") || strings.HasSuffix(e.operation, "-checkpoints") || e.operation == "get-proof" || e.operation == "get-consistency" {
			body = hashes.ReplaceAllString(body, "${1}47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
			body = signatures.ReplaceAllString(body, "— ledger.example t8/L8WzIkFxUfQ0W")
		}
		switch e.operation {
		case "anchor-trail", "list-trail-anchors":
			body = signatures.ReplaceAllString(hexHashes.ReplaceAllString(body, strings.Repeat("0", 64)), "— ledger.example t8/L8WzIkFxUfQ0W")
		case "get-backup": // its begin stands for all
			body = body[:15]
		case "get-trail-lines": // the first two stand for all
			body = strings.Join(strings.SplitAfter(body, "\n")[:2], "")
		}
		a.Body = shownBody(strings.TrimSuffix(body, "\n"))
	}
	return a
}

// TestGeneratedExamples sends every example over loopback, and compares the answers with those that the description shows.
func TestGeneratedExamples(t *testing.T) {
	h := open(t)
	c := newContract(t, h.api)
	answers := runExamples(t, h, examples, func(e example, r *http.Request, got reply) {
		if err := c.check(r, got); err != nil {
			t.Errorf("%s, %s: %v", e.operation, e.about, err)
		}
		if err := c.checkRequest(r, e.body); err != nil && !strings.HasPrefix(e.about, "refused") {
			t.Errorf("%s, %s, the request: %v", e.operation, e.about, err)
		}
	})
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(answers); err != nil {
		t.Fatal(err)
	}
	golden(t, "docs/examples.json", b.Bytes())
	if *update {
		exampleAnswers = func() (answers []exampleAnswer, err error) { return answers, json.Unmarshal(b.Bytes(), &answers) }
	}
}

// golden compares a generated file with what the code makes, or writes it.
func golden(t *testing.T, file string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(got), "\n"), strings.Split(string(want), "\n")); diff != "" {
		t.Errorf("%s is stale; `make docs` writes it again (-file +code):\n%s", file, diff)
	}
}

func TestEveryOperationHasAnExample(t *testing.T) {
	seen := make(map[string]bool)
	names := make(map[string]bool)
	for _, e := range examples {
		seen[e.operation] = true
		if name := e.operation + " " + slug(e.about); names[name] || slug(e.about) == "" {
			t.Errorf("two examples are called %s", name)
		} else {
			names[name] = true
		}
	}
	operations, _ := operationsOf(open(t).api.huma.OpenAPI())
	for id := range operations {
		if !seen[id] {
			t.Errorf("%s has no example", id)
		}
	}
}
