package httpapi

import (
	"cmp"
	"context"
	"net/http"
	"os"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Tracing sends a span for each request to the collector that OTEL_EXPORTER_OTLP_ENDPOINT or
// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT names, over HTTP; the other OTEL_ variables hold too. A client's traceparent is
// continued. The middleware belongs on the root router, after AccessLog. shutdown sends what is left.
//
// Spans wait in a bounded queue and are dropped when the collector can't keep up. Without an endpoint nothing is on the
// requests' way at all.
func Tracing(ctx context.Context) (middleware func(http.Handler) http.Handler, shutdown func(context.Context) error, err error) {
	if cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT")) == "" {
		return func(next http.Handler) http.Handler { return next }, func(context.Context) error { return nil }, nil
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, nil, err
	}
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "urikake")),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, nil, err
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))
	return traced(provider.Tracer("urikake/httpapi")), provider.Shutdown, nil
}

func traced(tracer trace.Tracer) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, w, r := noted(w, r)
			ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
			ctx, span := tracer.Start(ctx, r.Method, trace.WithSpanKind(trace.SpanKindServer))
			r = r.WithContext(ctx)
			whole := false
			defer func() {
				n.broken = !whole
				describe(span, n, r)
				span.End()
			}()
			next.ServeHTTP(w, r)
			whole = true
		})
	}
}

// describe writes what the request came to on its span. Only a fault of the server is an error.
func describe(span trace.Span, n *note, r *http.Request) {
	if !span.IsRecording() {
		return
	}
	route, status := n.route(r), n.answered()
	span.SetName(r.Method + " " + route)
	attrs := append(make([]attribute.KeyValue, 0, 8),
		attribute.String("http.request.method", r.Method), attribute.String("http.route", route),
		attribute.Int("http.response.status_code", status), attribute.String("urikake.request_id", n.ids[0]))
	if n.command != "" {
		attrs = append(attrs, attribute.String("urikake.command", n.command))
	}
	if n.rule != "" {
		attrs = append(attrs, attribute.String("urikake.rule", n.rule))
	}
	if n.position > 0 {
		attrs = append(attrs, attribute.Int64("urikake.position", int64(n.position)))
	}
	span.SetAttributes(attrs...)
	switch {
	case n.broken:
		span.SetStatus(codes.Error, "broken off")
	case status >= 500:
		span.SetStatus(codes.Error, n.rule)
	}
}
