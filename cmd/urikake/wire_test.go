package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"github.com/urikake/urikake/eventstore/esdbserver/certtest"
)

// wired is a server of an empty ledger whose log is served, too.
type wired struct {
	t         *testing.T
	out, told shared
	http, url string
	end       func() error
}

func serveWired(t *testing.T, flags eventStoreFlags) *wired {
	t.Helper()
	listener, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wired{t: t, http: addressOf(listener)}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	flags.Listen = "127.0.0.1:0"
	go func() {
		c := serveCmd{Log: "json", EventStore: flags}
		ended <- c.serve(ctx, &session{dir: t.TempDir(), out: &w.out, err: &w.told}, listener)
	}()
	w.end = sync.OnceValue(func() error { end(); return <-ended })
	t.Cleanup(func() { w.end() })
	greeting := regexp.MustCompile(`the log is at (esdb://127\.0\.0\.1:\d+\S*), to be `)
	for deadline := time.Now().Add(time.Minute); w.url == ""; time.Sleep(10 * time.Millisecond) {
		if m := greeting.FindStringSubmatch(w.out.String()); m != nil {
			w.url = m[1]
		} else if time.Now().After(deadline) {
			t.Fatalf("no greeting: %s", w.out.String())
		}
	}
	return w
}

// post gives a command under a key.
func (w *wired) post(path, key, body string) (status int, answer string) {
	w.t.Helper()
	req, err := http.NewRequest(http.MethodPost, w.http+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// seller registers one.
func (w *wired) seller() {
	w.t.Helper()
	status, body := w.post("/v1/sellers", "1",
		`{"seller":"S","name":"S","time_zone":"Asia/Tokyo","base_currency":"JPY","language":"ja","default_series":"INV"}`)
	if status != http.StatusOK {
		w.t.Fatalf("%d %s", status, body)
	}
}

func (w *wired) client(url string) *esdb.Client {
	w.t.Helper()
	config, err := esdb.ParseConnectionString(url)
	if err != nil {
		w.t.Fatal(err)
	}
	config.Logger = esdb.NoopLogging()
	client, err := esdb.NewClient(config)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { client.Close() })
	return client
}

// The log of a served ledger, through the official client: over TLS, from a certificate in files, until the server ends.
func TestServeEventStoreDB(t *testing.T) {
	cert, key := certtest.Files(t)
	w := serveWired(t, eventStoreFlags{Cert: cert, Key: key})
	w.seller()
	client := w.client(w.url + "?tlsCAFile=" + cert)
	sub, err := client.SubscribeToAll(t.Context(), esdb.SubscribeToAllOptions{From: esdb.Start{}})
	if err != nil {
		t.Fatal(err)
	}
	if e := sub.Recv(); e.EventAppeared == nil || e.EventAppeared.OriginalEvent().EventType != "seller.registered" {
		t.Errorf("%+v", e)
	}
	_, err = client.AppendToStream(t.Context(), "orders", esdb.AppendToStreamOptions{}, esdb.EventData{EventType: "x"})
	if err == nil || !strings.Contains(err.Error(), "may only be read") {
		t.Errorf("append: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- w.end() }()
	for e := sub.Recv(); e.SubscriptionDropped == nil; {
		e = sub.Recv()
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if log := w.told.String(); !strings.Contains(log, `"method":"/event_store.client.streams.Streams/Read"`) {
		t.Errorf("no line for the call: %s", log)
	}
}

// Where others may append, another node of the ledger may: what it has done is known at once, and under which key.
func TestServeEventStoreDBWritable(t *testing.T) {
	w := serveWired(t, eventStoreFlags{Writable: true})
	w.seller()
	client := w.client(w.url)
	_, err := client.AppendToStream(t.Context(), "customer-S.C1", esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}, esdb.EventData{
		EventID: uuid.New(), EventType: "customer.registered", ContentType: esdb.ContentTypeJson,
		Data:     []byte(`{"seller":"S","customer":"C1","name":"Acme","language":"en","terms":{"kind":"NET","net_days":30}}`),
		Metadata: []byte(`{"command_id":"k","command":"RegisterCustomer","command_hash":"h","schema":1}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	const customer = `{"customer":"%s","name":"Acme","terms":{"kind":"NET","net_days":30}}`
	for _, c := range []struct{ key, customer, want string }{
		{"k", "C2", "command.id_reused"},
		{"k2", "C1", "customer.already_registered"},
		{"k2", "C2", "customer.registered"},
	} {
		if _, body := w.post("/v1/sellers/S/customers", c.key, fmt.Sprintf(customer, c.customer)); !strings.Contains(body, c.want) {
			t.Errorf("%s for %s: %s, want %s", c.key, c.customer, body, c.want)
		}
	}
}
