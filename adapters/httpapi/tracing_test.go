package httpapi

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// receiver is an OTLP collector over HTTP.
func receiver(t *testing.T) (url string, got chan *collector.ExportTraceServiceRequest) {
	got = make(chan *collector.ExportTraceServiceRequest, 10)
	s := newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(body)
			if err != nil {
				t.Error(err)
				return
			}
			body = z
		}
		b, err := io.ReadAll(body)
		request := new(collector.ExportTraceServiceRequest)
		if err == nil {
			err = proto.Unmarshal(b, request)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Error(r.URL.Path, err)
		}
		got <- request
		b, _ = proto.Marshal(new(collector.ExportTraceServiceResponse))
		w.Header().Set("Content-Type", "application/x-protobuf")
		_, _ = w.Write(b)
	}))
	return s.URL, got
}

func TestTracing(t *testing.T) {
	url, got := receiver(t)
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
	t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
	middleware, shutdown, err := Tracing(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	router := chi.NewRouter()
	router.Use(AccessLog(slog.New(slog.DiscardHandler)), middleware, Recovered(slog.New(slog.DiscardHandler), plainly))
	router.Post("/v1/accounts/{account}", func(_ http.ResponseWriter, r *http.Request) {
		n := noteOf(r.Context())
		n.command, n.position = "RecordPayment", 77
	})
	router.Get("/v1/broken", func(w http.ResponseWriter, r *http.Request) { plainly(w, r, eventstore.ErrUnavailable) })
	router.Get("/v1/refused", func(w http.ResponseWriter, r *http.Request) { plainly(w, r, domain.ErrMissing) })
	s := httptest.NewServer(router)
	const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	send(t, "POST", s.URL+"/v1/accounts/SECRET", "traceparent", parent, "X-Request-Id", "req-9")
	send(t, "GET", s.URL+"/v1/broken", "traceparent", "nonsense")
	send(t, "GET", s.URL+"/v1/refused")
	s.Close() // waits for the handlers, which end their spans after their answers
	if err := shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}

	spans := map[string]*tracepb.Span{}
	for len(spans) < 3 {
		select {
		case request := <-got:
			for _, of := range request.ResourceSpans {
				if name := attr(of.Resource.Attributes, "service.name"); name != "urikake" {
					t.Error("service.name", name)
				}
				for _, scope := range of.ScopeSpans {
					for _, span := range scope.Spans {
						spans[span.Name] = span
					}
				}
			}
		case <-time.After(time.Minute):
			t.Fatal("spans are missing:", spans)
		}
	}
	payment := spans["POST /v1/accounts/{account}"]
	if payment == nil || hex.EncodeToString(payment.TraceId) != "4bf92f3577b34da6a3ce929d0e0e4736" ||
		hex.EncodeToString(payment.ParentSpanId) != "00f067aa0ba902b7" || payment.Kind != tracepb.Span_SPAN_KIND_SERVER ||
		payment.Status.GetCode() != tracepb.Status_STATUS_CODE_UNSET {
		t.Fatal(payment)
	}
	for key, want := range map[string]string{
		"http.route": "/v1/accounts/{account}", "http.request.method": "POST", "http.response.status_code": "200",
		"urikake.command": "RecordPayment", "urikake.position": "77", "urikake.request_id": "req-9", "urikake.rule": "",
	} {
		if v := attr(payment.Attributes, key); v != want {
			t.Errorf("%s is %q, want %q", key, v, want)
		}
	}
	broken, refused := spans["GET /v1/broken"], spans["GET /v1/refused"]
	if broken.Status.GetCode() != tracepb.Status_STATUS_CODE_ERROR || attr(broken.Attributes, "urikake.rule") != "log.unavailable" ||
		len(broken.ParentSpanId) != 0 {
		t.Error(broken)
	}
	if refused.Status.GetCode() != tracepb.Status_STATUS_CODE_UNSET || attr(refused.Attributes, "urikake.rule") != "input.missing" {
		t.Error("a refusal is no fault of the server:", refused)
	}
}

// TestNoTracing asks for the very handler: nothing is on the way.
func TestNoTracing(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
	middleware, shutdown, err := Tracing(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	if middleware(mux) != http.Handler(mux) {
		t.Error("something stands before the handler")
	}
	if err := shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// attr is a span's attribute as text, "" if it has none by that name.
func attr(list []*common.KeyValue, key string) string {
	for _, kv := range list {
		if kv.Key != key {
			continue
		}
		if n, ok := kv.Value.Value.(*common.AnyValue_IntValue); ok {
			return strconv.FormatInt(n.IntValue, 10)
		}
		return kv.Value.GetStringValue()
	}
	return ""
}
