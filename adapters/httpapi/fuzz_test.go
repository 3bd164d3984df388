package httpapi

import (
	"flag"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/eventstore"
)

var (
	probes    = flag.Int("probes", 7500, "how many requests TestProbes sends")
	probeSeed = flag.Uint64("probe-seed", 1, "which requests TestProbes sends")
)

// probed is a ledger with some history behind a server whose answers are held against the description.
type probed struct {
	*house
	contract *contract
	key      string
}

func openProbed(t testing.TB) *probed {
	t.Helper()
	h := open(t)
	before := 0
	for i, e := range examples {
		if e.operation == "create-key" {
			before = i
			break
		}
	}
	runExamples(t, h, examples[:before], nil)
	return &probed{h, newContract(t, h.api), h.key(access.Admin, "")}
}

func (h *probed) head(t testing.TB) eventstore.Position {
	t.Helper()
	head, err := h.books.Store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return head
}

// hold sends a request and tells how its answer breaks what was promised: a status, type or body that the description
// has not, a fault of the server's own, a refusal that has changed the books.
func (h *probed) hold(t testing.TB, r *http.Request) (reply, bool) {
	t.Helper()
	before := h.head(t)
	got, err := h.try(r)
	if err != nil {
		t.Errorf("it broke off: %v", err)
		return got, false
	}
	ok := true
	if err := h.contract.check(r, got); err != nil {
		t.Errorf("%v", err)
		ok = false
	}
	if got.status >= 500 && got.status != http.StatusServiceUnavailable {
		t.Errorf("the server is at fault: %d %s", got.status, got.body)
		ok = false
	}
	if after := h.head(t); got.status >= 400 && after != before {
		t.Errorf("it was refused (%d %.300s), and the log has gone from %d to %d", got.status, got.body, before, after)
		ok = false
	}
	return got, ok
}

// TestProbes sends requests that are made from the description, half of them broken in one way.
func TestProbes(t *testing.T) {
	h := openProbed(t)
	p := newProber(h.contract, *probeSeed)
	statuses := make(map[int]int)
	done := make(map[string]int)
	for i := range *probes {
		h.clock.Add(1)
		r := p.request()
		u, err := url.ParseRequestURI(r.path + r.query)
		if err != nil {
			continue // net/http itself refuses what is no URL, before any handler
		}
		request, err := http.NewRequest(r.method, h.url, strings.NewReader(r.body))
		if err != nil {
			t.Fatal(err)
		}
		request.URL.Path, request.URL.RawPath, request.URL.RawQuery = u.Path, u.RawPath, u.RawQuery
		request.Header = r.header
		if r.header.Get("Authorization") == "" {
			name, value, _ := strings.Cut(h.key, ": ")
			request.Header.Set(name, value)
		}
		got, ok := h.hold(t, request)
		if r.sure && got.status < 400 {
			t.Errorf("it is broken, and was done: %d %.300s", got.status, got.body)
			ok = false
		}
		if !ok {
			t.Fatalf("probe %d of seed %d: %s", i, *probeSeed, r)
		}
		statuses[got.status]++
		if r.broken == "" && got.status < 400 {
			done[r.operation]++
		}
	}
	t.Logf("answers by status %v; operations that were done: %d of %d", statuses, len(done), len(p.ids))
	if *probes >= 4000 && len(done) < len(p.ids)*3/4 {
		t.Errorf("the requests that fit are too poor: only %v were done", done)
	}
}

// FuzzRequest sends any request whatever: go test -fuzz FuzzRequest ./adapters/httpapi
func FuzzRequest(f *testing.F) {
	h := openProbed(f)
	for _, e := range examples {
		method := http.MethodGet
		if e.body != "" {
			method = http.MethodPost
		}
		f.Add(method, e.target, e.headers, e.body)
	}
	f.Fuzz(func(t *testing.T, method, target, headers, body string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || u.Host != "" || u.Query().Has("follow") || u.Query().Has("after") {
			return // a feed that is followed has no end, and a position that never comes is waited for
		}
		r, err := http.NewRequest(method, h.url, strings.NewReader(body))
		if err != nil {
			return
		}
		r.URL.Path, r.URL.RawPath, r.URL.RawQuery = u.Path, u.RawPath, u.RawQuery
		r.Header = example{headers: headers, body: body}.header()
		for name, values := range r.Header {
			if strings.Map(printable, name+values[0]) != name+values[0] || strings.ContainsAny(name, " ()<>@,;:\\\"/[]?={}") {
				return
			}
		}
		name, value, _ := strings.Cut(h.key, ": ")
		r.Header.Set(name, value)
		h.hold(t, r)
	})
}
