package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/sqlite"
)

// fetch asks a server and gives the status and the text.
func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// A log with an event that the read models can't fold: the server says so and that it is not ready, goes on with what it
// can, and ends in peace.
func TestServeGoesOn(t *testing.T) {
	dir := t.TempDir()
	log, err := sqlite.Open(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	stranger := eventstore.Proposed{ID: uuid.New(), Kind: "account.from_the_future", Schema: 1, Data: []byte("{}"), Metadata: []byte("{}")}
	if _, err := log.Append(t.Context(), "account-S.C.JPY", 0, stranger); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	listener, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	var out, told shared
	ended := make(chan error, 1)
	go func() {
		c := serveCmd{Log: "json"}
		ended <- c.serve(ctx, &session{dir: dir, out: &out, err: &told}, listener)
	}()
	at := addressOf(listener)
	var status int
	var body string
	for start := time.Now(); time.Since(start) < time.Minute; time.Sleep(50 * time.Millisecond) {
		if status, body = fetch(t, at+"/readyz"); strings.Contains(body, "log.unreadable_event") {
			break
		}
	}
	if status != http.StatusServiceUnavailable || !strings.Contains(body, `"folding"`) || !strings.Contains(body, "from_the_future") {
		t.Errorf("readyz: %d %s", status, body)
	}
	if status, body := fetch(t, at+"/v1/events"); status != http.StatusOK || !strings.Contains(body, "from_the_future") {
		t.Errorf("events: %d %s", status, body)
	}
	end()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	if text := told.String(); !strings.Contains(text, `"work":"folding"`) || !strings.Contains(text, "log.unreadable_event") {
		t.Errorf("the log: %s", text)
	}
	if !strings.Contains(out.String(), "serving "+dir+" at "+at) {
		t.Error(out.String())
	}
}

// shared is a buffer that a test reads while a server writes it.
type shared struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shared) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// Work that fails is begun again, and what it left running is ended; while it rests the server is not ready.
func TestKept(t *testing.T) {
	var begun, leftOver atomic.Int32
	goesOn := make(chan struct{})
	k := &kept{name: "folding", work: func(ctx context.Context) error {
		leftOver.Add(1)
		context.AfterFunc(ctx, func() { leftOver.Add(-1) })
		if begun.Add(1) < 3 {
			return errors.New("no luck")
		}
		close(goesOn)
		<-ctx.Done()
		return ctx.Err()
	}}
	health := httptest.NewServer(http.HandlerFunc(httpapi.NewHealth(k.check()).Ready))
	defer health.Close()
	ctx, end := context.WithCancel(t.Context())
	var told shared
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.keep(ctx, slog.New(slog.NewTextHandler(&told, nil)))
	}()
	<-goesOn
	if status, body := fetch(t, health.URL); status != http.StatusServiceUnavailable || !strings.Contains(body, "no luck") {
		t.Errorf("right after: %d %s", status, body)
	}
	if n := leftOver.Load(); n > 1 {
		t.Errorf("%d of %d go on", n, begun.Load())
	}
	end()
	<-done
	if n := strings.Count(told.String(), "no luck"); n != 2 {
		t.Errorf("told %d times: %s", n, told.String())
	}
	k.began = time.Now().Add(-keptLong)
	if detail, err := k.check().Probe(t.Context()); err != nil {
		t.Errorf("after a while: %s, %v", detail, err)
	}
}

// A command that was sent to a server and then again under the same key, to another account, is told: the server
// remembers keys over all accounts, also those of before its start.
func TestServeRemembersKeys(t *testing.T) {
	dir := t.TempDir()
	s := &session{dir: dir, out: io.Discard, err: io.Discard}
	o, err := s.open(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	setup := append([]interface{ Name() string }{seller.RegisterSeller{Seller: "S", Settings: crashSettings()}}, crashCustomers()...)
	id, first := crashCommand(0, 0, 0)
	for i, c := range setup {
		if _, err := o.ledger.Execute(t.Context(), c, eventstore.Envelope{CommandID: "setup-" + string(rune('a'+i))}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := o.ledger.Execute(t.Context(), first, eventstore.Envelope{CommandID: id}); err != nil {
		t.Fatal(err)
	}
	if err := o.close(); err != nil {
		t.Fatal(err)
	}
	listener, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- (&serveCmd{Log: "text"}).serve(ctx, s, listener) }()
	other := first.(account.IssueInvoice)
	other.Customer = crashCustomer(4)
	body, err := json.Marshal(other)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{http: http.DefaultClient, base: addressOf(listener)}
	var receipt json.RawMessage
	_, err = c.object(t.Context(), request{
		path: "/v1/commands/IssueInvoice", body: bytes.NewReader(body),
		header: map[string]string{keyHeader: id, "Content-Type": "application/json"},
	}, &receipt)
	if !errors.Is(err, eventstore.ErrKeyReused) {
		t.Errorf("%s, %v", receipt, err)
	}
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
