package httpapi

import (
	"context"
	"encoding/base64"
	"log/slog"
	"net"
	"net/http"
	"path"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/urikake/urikake/adapters/trail"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/esdbserver"
)

// EventStoreDB says how the ledger's log is served to clients of EventStoreDB: to the same people as over HTTP, by the
// same keys, with the same bounds between sellers. A key is the password of any user name, or a bearer's token.
//
// Everybody with a key may read, as the event feed may be read: who is bound to one seller sees that seller's streams
// and no others. If writable, whoever may give commands for all sellers may append to streams that are not the
// ledger's own, and an admin of all sellers to those, too, as another node of the ledger does: see ownAppend.
func (a *API) EventStoreDB(writable bool, calls *slog.Logger) esdbserver.Config {
	return esdbserver.Config{
		Store: a.books.Store, Log: a.log,
		Admit: func(ctx context.Context, header http.Header, from net.Addr) (context.Context, esdbserver.Caller, error) {
			p, err := a.holder(header, from.String(), bearerOrPassword)
			if err != nil {
				return nil, esdbserver.Caller{}, err
			}
			if !p.Role.May(access.ReadEvents) {
				return nil, esdbserver.Caller{}, esdbserver.Denied(ErrForbidden.With("%s may not read the log", p.Role).Error())
			}
			if ctx, err = a.recordCall(As(ctx, p)); err != nil {
				return nil, esdbserver.Caller{}, err
			}
			live, _ := a.whileLive(ctx, p) // which ends with ctx
			return live, a.caller(p, writable), nil
		},
		Observe: func(ctx context.Context, c esdbserver.Call) {
			a.metrics.wire.WithLabelValues(path.Base(c.Method), c.Code.String()).Inc()
			logCall(ctx, calls, c)
			a.recordEnd(ctx, c)
		},
	}
}

// readCall is the method that shows what is in the log; the others append.
const readCall = "Read"

type begunKey struct{}

// recordCall puts a line into the access trail when a client of EventStoreDB begins to read.
func (a *API) recordCall(ctx context.Context) (context.Context, error) {
	method, _ := grpc.Method(ctx)
	if a.books.Trail == nil || path.Base(method) != readCall {
		return ctx, nil
	}
	p, _ := principalOf(ctx)
	e := trail.Entry{Event: trail.Begun, Actor: p.Actor, Key: p.Key, Role: p.Role, Seller: p.Seller, Operation: "eventstoredb-read"}
	seq, err := a.books.Trail.Record(e)
	if err != nil {
		return ctx, eventstore.ErrUnavailable.With("%v", err)
	}
	e.Event, e.Of = trail.Ended, seq
	return context.WithValue(ctx, begunKey{}, e), nil
}

// recordEnd puts a line into the access trail when such a read has ended.
func (a *API) recordEnd(ctx context.Context, c esdbserver.Call) {
	if e, ok := ctx.Value(begunKey{}).(trail.Entry); ok {
		e.Broken, e.Note = c.Code != codes.OK, c.Code.String()
		_, _ = a.books.Trail.Record(e) // what was read is out; a gap in the trail will tell
	}
}

// caller is what a principal may do over EventStoreDB's protocol.
func (a *API) caller(p Principal, writable bool) (c esdbserver.Caller) {
	if q := (FeedQuery{Seller: p.Seller, NoKeys: !p.Role.May(access.ReadKeys)}); !q.all() {
		c.Sees = func(stream string) bool {
			return q.wants(stream, "") && (p.Seller == "" || catalog.Owns(stream))
		}
	}
	if !writable || p.Seller != "" || !p.Role.Writes() {
		return c
	}
	c.Appends = func(_ context.Context, stream string, expected esdbserver.Expected, events []eventstore.Proposed) error {
		switch {
		case catalog.Owns(stream):
			return a.ownAppend(p, stream, expected, events)
		case strings.HasPrefix(stream, "$") && !strings.HasPrefix(stream, "$$"):
			return esdbserver.Denied("streams that begin with $ are the system's own")
		case catalog.Owns(strings.TrimPrefix(stream, "$$")):
			return esdbserver.Denied("the ledger's own streams have no settings: all of them is kept, for ever")
		}
		return nil
	}
	return c
}

// ownAppend refuses what would leave one of the ledger's own streams unreadable: it is written as the ledger writes
// it, from the version that the writer has read, with events that belong there and can be read. Whether they follow
// from the books is on the writer, who holds a key for everything.
func (a *API) ownAppend(p Principal, stream string, expected esdbserver.Expected, events []eventstore.Proposed) error {
	if !p.Role.May(access.ManageKeys) {
		return esdbserver.Denied("the ledger's own streams are written by its commands, or with the key of an admin by another of its nodes")
	}
	if expected.Any || expected.Exists {
		return esdbserver.Denied("the ledger's own streams are written from a revision that was read, or as new; not at any")
	}
	for _, e := range events {
		r := eventstore.Recorded{Stream: stream, Proposed: e}
		m, err := eventstore.ReadMetadata(r)
		if err == nil {
			_, err = a.books.Codec.Decode(r)
		}
		if err != nil || m.CommandID == "" || !catalog.Holds(stream, e.Kind) {
			return esdbserver.Denied("the ledger's own streams hold its own events only, as it writes them; " + e.Kind + " is not one for " + stream)
		}
	}
	return nil
}

// bearerOrPassword takes a token from an Authorization header, of a bearer or as somebody's password; "" if there is
// none. Clients of EventStoreDB send a user name and a password.
func bearerOrPassword(authorization string) string {
	scheme, rest, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return bearer(authorization)
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
	if err != nil {
		return ""
	}
	_, password, _ := strings.Cut(string(text), ":")
	return password
}

// logCall writes one line for a call, as AccessLog does for a request. No stream is named: it may name a customer.
func logCall(ctx context.Context, log *slog.Logger, c esdbserver.Call) {
	level := slog.LevelInfo
	switch c.Code {
	case codes.Internal, codes.Unknown, codes.DataLoss:
		level = slog.LevelError
	}
	if log == nil || !log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", c.Method), slog.String("code", c.Code.String()),
		slog.Float64("ms", float64(c.Took.Microseconds())/1000), slog.String("remote", c.From.String()),
	}
	if p, ok := principalOf(ctx); ok {
		attrs = append(attrs, slog.String("actor", p.Actor))
		if p.Key != "" {
			attrs = append(attrs, slog.String("key", string(p.Key)))
		}
	}
	if level == slog.LevelError {
		attrs = append(attrs, slog.String("fault", c.Err.Error()))
	}
	log.LogAttrs(ctx, level, "call", attrs...)
}
