package httpapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/urikake/urikake/adapters/trail"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/eventstore/esdbserver"
	"github.com/urikake/urikake/eventstore/esdbserver/certtest"
)

// wire is the house's log served over EventStoreDB's protocol.
type wire struct {
	t       testing.TB
	address string
	roots   *x509.CertPool
	out     lines
}

// serveWire serves over TLS if wanted.
func (h *house) serveWire(writable, withTLS bool) *wire {
	h.t.Helper()
	w := &wire{t: h.t}
	c := h.api.EventStoreDB(writable, slog.New(slog.NewJSONHandler(&w.out, nil)))
	if withTLS {
		c.TLS, w.roots = certificate(h.t)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	w.address = listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- esdbserver.New(c).Serve(ctx, listener) }()
	h.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			h.t.Error(err)
		}
	})
	return w
}

// certificate is one for this machine, and who trusts it.
func certificate(t testing.TB) (*tls.Config, *x509.CertPool) {
	t.Helper()
	cert, key := certtest.Files(t)
	pair := certtest.Load(t, cert, key)
	roots := x509.NewCertPool()
	roots.AddCert(pair.Leaf)
	return &tls.Config{Certificates: []tls.Certificate{pair}}, roots
}

// client asks as the holder of a key, which is the header that house.key gives; "" for none.
func (w *wire) client(header string) *esdb.Client {
	w.t.Helper()
	credentials := ""
	if _, token, ok := strings.Cut(header, "Bearer "); ok {
		credentials = "anybody:" + token + "@"
	}
	url := "esdb://" + credentials + w.address
	if w.roots == nil {
		url += "?tls=false"
	}
	config, err := esdb.ParseConnectionString(url)
	if err != nil {
		w.t.Fatal(err)
	}
	config.RootCAs, config.Logger, config.MaxDiscoverAttempts = w.roots, esdb.NoopLogging(), 2
	client, err := esdb.NewClient(config)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { client.Close() })
	return client
}

// streamsOf are the streams of which a client gets events from $all, once each, in order.
func streamsOf(t testing.TB, c *esdb.Client) ([]string, error) {
	t.Helper()
	s, err := c.ReadAll(t.Context(), esdb.ReadAllOptions{From: esdb.Start{}}, 10_000)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	names := make(map[string]bool)
	for {
		e, err := s.Recv()
		if errors.Is(err, io.EOF) {
			list := make([]string, 0, len(names))
			for name := range names {
				list = append(list, name)
			}
			slices.Sort(list)
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		names[e.OriginalEvent().StreamID] = true
	}
}

// firstOf reads one event of a stream.
func firstOf(t testing.TB, c *esdb.Client, stream string) error {
	t.Helper()
	s, err := c.ReadStream(t.Context(), stream, esdb.ReadStreamOptions{}, 1)
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = s.Recv()
	return err
}

func wireCode(err error) esdb.ErrorCode {
	var e *esdb.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return -1
}

// Until the first key is made this machine reads, and from then on nobody without one.
func TestWireWithoutKeys(t *testing.T) {
	h := open(t)
	h.furnish("S")
	w := h.serveWire(false, false)
	client := w.client("")
	names, err := streamsOf(t, client)
	if err != nil || !slices.Contains(names, "account-S.C1.JPY") {
		t.Fatalf("%v, %v", names, err)
	}
	if got := h.lines(trail.Filter{Operation: "eventstoredb-read"}); len(got) == 0 || got[0].Event != trail.Begun || got[0].Actor != "local" {
		t.Errorf("the access trail: %+v", got)
	}
	h.key(access.Admin, "")
	if _, err := streamsOf(t, client); wireCode(err) != esdb.ErrorCodeUnauthenticated {
		t.Errorf("without a key: %v", err)
	}
	if log := w.out.text(); !strings.Contains(log, `"method":"/event_store.client.streams.Streams/Read","code":"OK"`) ||
		!strings.Contains(log, `"code":"Unauthenticated"`) || !strings.Contains(log, `"actor":"local"`) || strings.Contains(log, "C1") {
		t.Errorf("%s", log)
	}
	if body := h.get("/metrics", h.key(access.Auditor, "")).body; !strings.Contains(body, `urikake_eventstore_calls_total{code="OK",method="Read"} 1`) {
		t.Error("no count of calls")
	}
}

// Elsewhere is refused while there is no key, and through a proxy.
func TestWireOnlyLoopback(t *testing.T) {
	h := open(t)
	admit := h.api.EventStoreDB(false, nil).Admit
	there := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 1}
	if _, _, err := admit(t.Context(), http.Header{}, there); !errors.Is(err, ErrOnlyLoopback) {
		t.Errorf("%v", err)
	}
	here := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}
	if _, _, err := admit(t.Context(), http.Header{"X-Forwarded-For": {"192.0.2.7"}}, here); !errors.Is(err, ErrOnlyLoopback) {
		t.Errorf("%v", err)
	}
	if _, c, err := admit(t.Context(), http.Header{}, here); err != nil || c.Appends != nil {
		t.Errorf("%v, may append: %v", err, c.Appends != nil)
	}
}

// Keys open over this protocol what they open over HTTP, and no more.
func TestWireKeys(t *testing.T) {
	h := open(t)
	admin := h.key(access.Admin, "")
	h.furnish("S", admin)
	h.furnish("T", admin)
	w := h.serveWire(true, true)
	orders := esdb.EventData{EventID: uuid.New(), EventType: "order", ContentType: esdb.ContentTypeJson, Data: []byte(`{}`)}
	if _, err := w.client(admin).AppendToStream(t.Context(), "orders-S", esdb.AppendToStreamOptions{}, orders); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"Bearer x", "Bearer urikake_AAAA_" + strings.Repeat("A", 43), strings.ToUpper(admin)} {
		if _, err := streamsOf(t, w.client(bad)); wireCode(err) != esdb.ErrorCodeUnauthenticated {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for _, role := range access.Roles {
		names, err := streamsOf(t, w.client(h.key(role, "")))
		if err != nil || !slices.Contains(names, "account-S.C1.JPY") || !slices.Contains(names, "account-T.C1.JPY") || !slices.Contains(names, "orders-S") {
			t.Errorf("%s: %v, %v", role, names, err)
		}
		if slices.Contains(names, access.Stream) != role.May(access.ReadKeys) {
			t.Errorf("%s sees who may do what: %v", role, names)
		}
		client := w.client(h.key(role, "S"))
		names, err = streamsOf(t, client)
		if err != nil || !slices.Contains(names, "account-S.C1.JPY") {
			t.Errorf("%s of S: %v, %v", role, names, err)
		}
		for _, name := range names {
			if !ownedBy(name, "S") || !catalog.Owns(name) {
				t.Errorf("%s of S sees %s", role, name)
			}
		}
		for _, other := range []string{"account-T.C1.JPY", "seller-T", "account-NOBODY.C1.JPY", "orders-S", access.Stream} {
			if err := firstOf(t, client, other); wireCode(err) != esdb.ErrorCodeAccessDenied {
				t.Errorf("%s of S reads %s: %v", role, other, err)
			}
		}
		if err := firstOf(t, client, "account-S.C1.JPY"); err != nil {
			t.Errorf("%s of S: %v", role, err)
		}
		if _, err := client.AppendToStream(t.Context(), "orders-2", esdb.AppendToStreamOptions{}, orders); wireCode(err) != esdb.ErrorCodeAccessDenied {
			t.Errorf("%s of S appends: %v", role, err)
		}
		if _, err := w.client(h.key(role, "")).AppendToStream(t.Context(), "by-"+string(role), esdb.AppendToStreamOptions{}, orders); (err == nil) != role.Writes() {
			t.Errorf("%s appends: %v", role, err)
		}
	}
}

// A subscription ends when its key is revoked.
func TestWireKeyRevoked(t *testing.T) {
	h := open(t)
	admin := h.key(access.Admin, "")
	w := h.serveWire(false, true)
	auditor := w.client(h.key(access.Auditor, ""))
	s, err := auditor.SubscribeToAll(t.Context(), esdb.SubscribeToAllOptions{From: esdb.Start{}})
	if err != nil {
		t.Fatal(err)
	}
	id, _, _ := access.ParseToken(strings.TrimPrefix(h.key(access.Auditor, ""), "Authorization: Bearer "))
	h.must("r1", "/v1/keys/"+string(id)+"/revocation", `{"reason":"left"}`, admin)
	for {
		e := s.Recv()
		if e.SubscriptionDropped == nil {
			continue
		}
		if status.Code(e.SubscriptionDropped.Error) != codes.Unauthenticated {
			t.Errorf("%v", e.SubscriptionDropped.Error)
		}
		return
	}
}

// What may be appended, and what never: the books stay readable whatever is tried.
func TestWireAppends(t *testing.T) {
	h := open(t)
	h.furnish("S")
	w := h.serveWire(true, false)
	client := w.client("")
	own := "customer-S.C1"
	e, data, metadata := "customer.deactivated", `{"reason":"x"}`, `{"command_id":"c","command":"DeactivateCustomer","command_hash":"h","schema":1}`
	event := func(kind, data, metadata string) esdb.EventData {
		return esdb.EventData{EventID: uuid.New(), EventType: kind, ContentType: esdb.ContentTypeJson, Data: []byte(data), Metadata: []byte(metadata)}
	}
	for _, c := range []struct {
		name     string
		stream   string
		expected esdb.ExpectedRevision
		event    esdb.EventData
		want     bool
	}{
		{"somebody else's", "orders-1", esdb.Any{}, event("order.placed", "\xff", "\x00"), true},
		{"somebody else's, in our words", "x-" + own, esdb.Any{}, event(e, "{}", ""), true},
		{"its settings", "$$orders-1", esdb.Any{}, event("$metadata", `{"$maxCount":1}`, ""), true},
		{"the system's", "$ce-account", esdb.Any{}, event("x", "{}", ""), false},
		{"settings of our own", "$$" + own, esdb.Any{}, event("$metadata", `{"$maxCount":1}`, ""), false},
		{"our own at any revision", own, esdb.Any{}, event(e, data, metadata), false},
		{"our own that exists", own, esdb.StreamExists{}, event(e, data, metadata), false},
		{"an unknown kind", own, esdb.Revision(0), event("customer.vanished", "{}", metadata), false},
		{"a kind of another stream", own, esdb.Revision(0), event("seller.changed", "{}", metadata), false},
		{"no JSON", own, esdb.Revision(0), event(e, "\xff", metadata), false},
		{"a newer schema", own, esdb.Revision(0), event(e, data, strings.Replace(metadata, `"schema":1`, `"schema":99`, 1)), false},
		{"no metadata", own, esdb.Revision(0), event(e, data, ""), false},
		{"no command", own, esdb.Revision(0), event(e, data, `{"schema":1}`), false},
		{"a revision that it has not", own, esdb.Revision(9), event(e, data, metadata), false},
		{"a stream of ours without name", "account-", esdb.NoStream{}, event(e, data, metadata), false},
		{"our own, as the ledger does it", own, esdb.Revision(0), event(e, data, metadata), true},
	} {
		_, err := client.AppendToStream(t.Context(), c.stream, esdb.AppendToStreamOptions{ExpectedRevision: c.expected}, c.event)
		if (err == nil) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, stream := range []string{own, "orders-1"} {
		_, err := client.DeleteStream(t.Context(), stream, esdb.DeleteStreamOptions{})
		_, err2 := client.TombstoneStream(t.Context(), stream, esdb.TombstoneStreamOptions{})
		if wireCode(err) != esdb.ErrorCodeAccessDenied || wireCode(err2) != esdb.ErrorCodeAccessDenied {
			t.Errorf("%s: %v, %v", stream, err, err2)
		}
	}
	if r := h.get("/v1/sellers/S/aging?as_of=2026-11-01"); r.status != http.StatusOK || !strings.Contains(r.body, "60000") {
		t.Errorf("the books: %d %s", r.status, r.body)
	}
	if r := h.post("/v1/sellers/S/invoices", `{"customer":"C1","currency":"JPY","invoice":"I2","issued_on":"2026-10-01","total":{"amount":"1","currency":"JPY"}}`, "Idempotency-Key: i2"); !strings.Contains(r.body, "account.customer_deactivated") {
		t.Errorf("what another node has written is not seen: %s", r.body)
	}
	for _, line := range strings.Split(h.get("/v1/events").body, "\n") {
		if strings.Contains(line, "orders") {
			t.Errorf("in the feed: %s", line)
		}
	}
	if _, err := h.serveWire(false, false).client("").AppendToStream(t.Context(), "orders-2", esdb.AppendToStreamOptions{}, event("x", "{}", "")); wireCode(err) != esdb.ErrorCodeAccessDenied {
		t.Errorf("read-only: %v", err)
	}
}
