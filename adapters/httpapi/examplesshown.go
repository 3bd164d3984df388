package httpapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// exampleAnswer is what an example was answered, as docs/examples.json has it.
type exampleAnswer struct {
	Operation string            `json:"operation"`
	About     string            `json:"about"`
	Status    int               `json:"status"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body,omitempty"` // anything but JSON as a text
}

var exampleAnswers = sync.OnceValues(func() (answers []exampleAnswer, err error) {
	b, err := docsFiles.ReadFile("docs/examples.json")
	if err == nil {
		err = json.Unmarshal(b, &answers)
	}
	return answers, err
})

// showExamples puts requests and their answers into the description.
func showExamples(api *huma.OpenAPI, answers []exampleAnswer) {
	answered := make(map[string]exampleAnswer, len(answers))
	for _, a := range answers {
		answered[a.Operation+" "+a.About] = a
	}
	operations, paths := operationsOf(api)
	for _, e := range examples {
		op := operations[e.operation]
		e.showRequest(op, paths[e.operation])
		if a, ok := answered[e.operation+" "+e.about]; ok {
			e.showAnswer(api, op, a)
		}
	}
}

// operationsOf are all operations and their paths, by id.
func operationsOf(api *huma.OpenAPI) (operations map[string]*huma.Operation, paths map[string]string) {
	operations, paths = make(map[string]*huma.Operation), make(map[string]string)
	for path, item := range api.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post} {
			if op != nil {
				operations[op.OperationID], paths[op.OperationID] = op, path
			}
		}
	}
	return operations, paths
}

// header are the example's headers.
func (e example) header() http.Header {
	h := http.Header{}
	for line := range strings.SplitSeq(e.headers, "\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			h.Add(name, value)
		}
	}
	if e.body != "" && h.Get("Content-Type") == "" {
		h.Set("Content-Type", typeJSON)
	}
	return h
}

func (e example) showRequest(op *huma.Operation, path string) {
	target, _, _ := strings.Cut(e.target, "?")
	parts, names := strings.Split(target, "/"), strings.Split(path, "/")
	for i, name := range names {
		if name, ok := strings.CutPrefix(name, "{"); ok {
			showParameter(op, "path", strings.TrimSuffix(name, "}"), parts[i])
		}
	}
	if key := e.header().Get("Idempotency-Key"); key != "" {
		showParameter(op, "header", "Idempotency-Key", key)
	}
	if u, err := url.Parse(e.target); err == nil {
		for _, p := range op.Parameters {
			if v := u.Query().Get(p.Name); p.In == "query" && p.Required && v != "" {
				showParameter(op, "query", p.Name, v)
			}
		}
	}
	if e.body == "" {
		return
	}
	content := op.RequestBody.Content[e.header().Get("Content-Type")]
	content.Example = nil
	show(content, e, shownBody(e.body))
}

// showParameter gives a parameter the value of its operation's first example.
func showParameter(op *huma.Operation, in, name, value string) {
	for _, p := range op.Parameters {
		if p.In == in && p.Name == name && p.Example == nil {
			p.Example = value
		}
	}
}

func (e example) showAnswer(api *huma.OpenAPI, op *huma.Operation, a exampleAnswer) {
	status := strconv.Itoa(a.Status)
	response := op.Responses[status]
	if response == nil {
		return // a test finds answers that are not described
	}
	if response.Ref != "" {
		response = ownResponse(*api.Components.Responses[status])
		op.Responses[status] = response
	}
	kind, _, _ := strings.Cut(a.Headers["Content-Type"], ";")
	if content := response.Content[kind]; content != nil {
		show(content, e, a.Body)
	}
}

// ownResponse is a shared response that may be given examples.
func ownResponse(r huma.Response) *huma.Response {
	shared := r.Content
	r.Content = make(map[string]*huma.MediaType, len(shared))
	for kind, content := range shared {
		own := *content
		r.Content[kind] = &own
	}
	return &r
}

func show(content *huma.MediaType, e example, value any) {
	if content.Examples == nil {
		content.Examples = make(map[string]*huma.Example)
	}
	content.Examples[slug(e.about)] = &huma.Example{Summary: e.about, Value: value}
}

// shownBody is a body as the description shows it: JSON as it is, its members in their order, and else as a text.
func shownBody(text string) json.RawMessage {
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	b, err := json.Marshal(text)
	if err != nil {
		panic(err) // a text can always be written
	}
	return b
}

// slug writes words as one: "refused: no key" as refused-no-key.
func slug(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}), "-")
}
