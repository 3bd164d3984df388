package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/urikake/urikake/adapters/dunning"
	"github.com/urikake/urikake/adapters/trail"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/sqlite"
	"github.com/urikake/urikake/projections"
)

// house is a ledger in a real directory behind a real server on loopback.
type house struct {
	t     testing.TB
	api   *API
	books Books
	url   string

	dir    string
	outbox string
	clock  atomic.Int64 // seconds since 1970
	keys   map[string]string
}

// firstSecond is when tests begin: 2026-11-25T09:00:00 in Tokyo.
const firstSecond = 1_795_564_800

func open(t testing.TB) *house {
	t.Helper()
	dir := t.TempDir()
	h := &house{t: t, dir: dir, keys: make(map[string]string)}
	h.clock.Store(firstSecond)
	clock := func() time.Time { return time.Unix(h.clock.Load(), 0).UTC() }
	store, err := sqlite.Open(dir, clock)
	if err != nil {
		t.Fatal(err)
	}
	codec := ledger.Codec()
	views, err := projections.Open(dir, store, codec)
	if err != nil {
		t.Fatal(err)
	}
	l := ledger.New(store, codec, eventstore.SnapshotDir(filepath.Join(dir, "snapshots"))).At(clock)
	if err := l.Remember(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.outbox = t.TempDir()
	tree := auditTree(t, dir, store)
	h.books = Books{Store: store, Codec: codec, Ledger: l, Views: views, Audit: tree, Clock: clock, Outbox: func(domain.SellerID) dunning.Outbox { return dunning.Files(h.outbox) }}
	h.books.Trail = trail.Open(dir, clock)
	h.books.Backup = func(ctx context.Context) (*Backup, error) {
		made, err := store.Spool(ctx, nil, func() ([]string, error) { return nil, nil }, clock())
		if err != nil {
			return nil, err
		}
		return &Backup{ReadCloser: made, Size: made.Size, Position: made.Position}, nil
	}
	h.api = New(h.books, Options{})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- h.api.Run(ctx) }()
	go func() { _ = views.Run(ctx); ended <- nil }()
	server := httptest.NewServer(h.api)
	h.url = server.URL
	t.Cleanup(func() {
		stop()
		<-ended
		<-ended
		server.Close()
		if err := tree.Close(); err != nil {
			t.Error(err)
		}
		if err := h.books.Trail.Close(); err != nil {
			t.Error(err)
		}
		if err := views.Close(); err != nil {
			t.Error(err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// reply is an answer that was read whole.
type reply struct {
	status int
	header http.Header
	body   string
}

// problem reads a refusal.
func (r reply) problem(t testing.TB) (p Problem) {
	t.Helper()
	if got := r.header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("%d %s: %s", r.status, got, r.body)
	}
	if err := json.Unmarshal([]byte(r.body), &p); err != nil || p.Status != r.status || p.Rule == "" || p.Type != "urn:urikake:rule:"+p.Rule || p.RequestID == "" {
		t.Fatalf("%v: %d %s", err, r.status, r.body)
	}
	return p
}

func (r reply) receipt(t testing.TB) (receipt struct {
	CommandID string `json:"command_id"`
	Stream    string
	Version   uint64
	Position  uint64
	Events    []struct {
		Kind string
		Data map[string]any
	}
},
) {
	t.Helper()
	if r.status != http.StatusOK {
		t.Fatalf("%d: %s", r.status, r.body)
	}
	if err := json.Unmarshal([]byte(r.body), &receipt); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	return receipt
}

// send makes a request; headers are "Name: value".
func (h *house) send(method, path, body string, headers ...string) reply {
	h.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, path, err)
	}
	return reply{resp.StatusCode, resp.Header, string(b)}
}

func (h *house) get(path string, headers ...string) reply {
	h.t.Helper()
	return h.send(http.MethodGet, path, "", headers...)
}

func (h *house) post(path, body string, headers ...string) reply {
	h.t.Helper()
	return h.send(http.MethodPost, path, body, headers...)
}

// must is post under a key, and it is done.
func (h *house) must(key, path, body string, headers ...string) reply {
	h.t.Helper()
	r := h.post(path, body, append(headers, "Idempotency-Key: "+key)...)
	if r.status != http.StatusOK {
		h.t.Fatalf("%s %s: %d %s", key, path, r.status, r.body)
	}
	return r
}

// key makes an access key and gives the header that shows it. The first one must be an admin of everything.
func (h *house) key(role access.Role, seller string) string {
	h.t.Helper()
	name := string(role) + " " + seller
	if h.keys[name] == "" {
		body, _ := json.Marshal(map[string]string{"holder": name, "role": string(role), "seller": seller})
		if seller == "" {
			body = bytes.Replace(body, []byte(`,"seller":""`), nil, 1)
		}
		var with []string
		if admin := h.keys["admin "]; admin != "" {
			with = append(with, admin)
		}
		r := h.post("/v1/keys", string(body), with...)
		var made AccessKey
		if err := json.Unmarshal([]byte(r.body), &made); err != nil || made.Token == "" {
			h.t.Fatalf("%d %s", r.status, r.body)
		}
		h.keys[name] = "Authorization: Bearer " + made.Token
	}
	return h.keys[name]
}

// furnish registers a seller and a customer with an invoice and a payment in part.
func (h *house) furnish(seller string, headers ...string) {
	h.t.Helper()
	h.must(seller+"-1", "/v1/sellers", `{"seller":"`+seller+`","name":"`+seller+` 商事","time_zone":"Asia/Tokyo","base_currency":"JPY","language":"ja","default_series":"INV"}`, headers...)
	base := "/v1/sellers/" + seller
	h.must(seller+"-2", base+"/customers", `{"customer":"C1","name":"テスト商店","terms":{"kind":"NET","net_days":30}}`, headers...)
	h.must(seller+"-3", base+"/invoices", `{"customer":"C1","currency":"JPY","invoice":"I1","issued_on":"2026-10-01","total":{"amount":"110000","currency":"JPY"}}`, headers...)
	h.must(seller+"-4", base+"/payments", `{"customer":"C1","currency":"JPY","payment":"P1","received_on":"2026-10-20","amount":{"amount":"50000","currency":"JPY"}}`, headers...)
}
