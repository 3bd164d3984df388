package httpapi

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"sync"
	"time"

	"github.com/urikake/urikake/domain"
)

// The documentation: the description of the API, a page that shows it, and a page of all rules. They hold nothing of the
// books and so need no key. The browser gets everything from here and may ask nothing from elsewhere.

//go:embed docs/index.html docs/docs.js docs/docs.css docs/rules.html docs/rules.json docs/examples.json
//go:embed docs/swagger-ui-bundle.js docs/swagger-ui.css docs/swagger-ui.LICENSE docs/swagger-ui.NOTICE docs/swagger-ui-bundle.js.LICENSE.txt
var docsFiles embed.FS

// docsServed are the files that are served as they are, under /docs/.
var docsServed = map[string]string{
	"docs.js":                          "text/javascript; charset=utf-8",
	"docs.css":                         "text/css; charset=utf-8",
	"swagger-ui-bundle.js":             "text/javascript; charset=utf-8",
	"swagger-ui.css":                   "text/css; charset=utf-8",
	"swagger-ui.LICENSE":               "text/plain; charset=utf-8",
	"swagger-ui.NOTICE":                "text/plain; charset=utf-8",
	"swagger-ui-bundle.js.LICENSE.txt": "text/plain; charset=utf-8",
}

// docsPolicy is what a browser may do on these pages. The page writes styles itself, with its elements.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// OpenAPI is the description of the API, as /openapi.json serves it.
func (a *API) OpenAPI() ([]byte, error) {
	b, err := json.MarshalIndent(a.huma.OpenAPI(), "", "  ")
	return append(b, '\n'), err
}

// Rule is what may refuse a request.
type Rule struct {
	Rule   string      `json:"rule"`
	Code   domain.Code `json:"code"`
	Text   string      `json:"text"`
	Status int         `json:"-"` // of HTTP
}

// Rules are all that a problem may name, sorted. They are collected from the source, and a test compares them.
func Rules() ([]Rule, error) {
	b, err := docsFiles.ReadFile("docs/rules.json")
	if err != nil {
		return nil, err
	}
	var rules []Rule
	if err := json.Unmarshal(b, &rules); err != nil {
		return nil, err
	}
	for i, r := range rules {
		rules[i].Status = statusOf(&domain.Error{Code: r.Code, Rule: r.Rule})
	}
	return rules, nil
}

func rulesPage() ([]byte, error) {
	rules, err := Rules()
	if err != nil {
		return nil, err
	}
	t, err := template.ParseFS(docsFiles, "docs/rules.html")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, rules)
	return b.Bytes(), err
}

func (a *API) addDocs() {
	answers, err := exampleAnswers()
	if err != nil {
		panic(err) // the file is part of the program; a test writes and reads it
	}
	showExamples(a.huma.OpenAPI(), answers)
	a.page("/openapi.json", typeJSON, a.OpenAPI)
	a.page("/docs/", "text/html; charset=utf-8", docsFile("index.html"))
	a.page("/docs/rules", "text/html; charset=utf-8", rulesPage)
	for name, kind := range docsServed {
		a.page("/docs/"+name, kind, docsFile(name))
	}
	a.mux.Get("/docs", http.RedirectHandler("/docs/", http.StatusMovedPermanently).ServeHTTP)
}

func docsFile(name string) func() ([]byte, error) {
	return func() ([]byte, error) { return docsFiles.ReadFile("docs/" + name) }
}

// page serves what is the same for as long as the process runs. A client asks again each time, and is told 304 while it
// has what there is.
func (a *API) page(route, kind string, read func() ([]byte, error)) {
	type content struct {
		body []byte
		tag  string
	}
	made := sync.OnceValues(func() (content, error) {
		b, err := read()
		sum := sha256.Sum256(b)
		return content{b, fmt.Sprintf("%q", hex.EncodeToString(sum[:8]))}, err
	})
	serve := func(w http.ResponseWriter, r *http.Request) {
		c, err := made()
		if err != nil {
			refuse(w, r, err)
			return
		}
		h := w.Header()
		h.Set("Content-Type", kind)
		h.Set("Content-Security-Policy", docsPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "public, no-cache")
		h.Set("ETag", c.tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(c.body))
	}
	a.mux.Get(route, serve)
	a.mux.Head(route, serve)
}
