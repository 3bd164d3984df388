package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/eventstore"
)

const (
	eventsPath = "/v1/events"
	typeSSE    = "text/event-stream"
)

type eventsIn struct {
	After  uint64 `query:"after" maximum:"9007199254740991" doc:"begin after this position; Last-Event-ID overrules it" example:"4200"`
	Last   string `header:"Last-Event-ID" maxLength:"20" doc:"position of the last event that the client has"`
	Follow bool   `query:"follow" doc:"go on with new events as they come"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000000000" doc:"end after so many events"`
	Seller string `query:"seller" pattern:"^[A-Za-z0-9_-]{1,64}$" doc:"events of this seller only; a key of one seller gets no others" example:"YAMATO"`
	Stream string `query:"stream" maxLength:"300" doc:"events of this stream only" example:"account-YAMATO.K101.JPY"`
	Kind   string `query:"kind" maxLength:"2000" doc:"events of these kinds only, with commas; one that ends in a dot stands for all that begin so" example:"account.payment_recorded,customer."`
	Sealed bool   `query:"sealed" doc:"as the events stand in the log, byte by byte: personal data is sealed, so that proofs fit; else it is in clear, and left out of customers who were erased"`
	Accept string `header:"Accept" doc:"application/x-ndjson, or text/event-stream"`
}

// events is the log itself, as it was and as it grows.
func (a *API) events(ctx context.Context, in *eventsIn) (*huma.StreamResponse, error) {
	form, err := feedForm(in.Accept)
	if err != nil {
		return nil, err
	}
	q := FeedQuery{
		After: eventstore.Position(in.After), Limit: in.Limit, Follow: in.Follow,
		Seller: domain.SellerID(in.Seller), Stream: in.Stream, Sealed: in.Sealed,
	}
	if q.Kinds, err = kindsIn(in.Kind); err != nil {
		return nil, err
	}
	if in.Last != "" {
		n, err := strconv.ParseUint(in.Last, 10, 53)
		if err != nil {
			return nil, ErrBadParameter.With("%.40q, want the position of an event", in.Last).At(parameterPrefix + "Last-Event-ID")
		}
		q.After = eventstore.Position(n)
	}
	p, _ := principalOf(ctx)
	if p.Seller != "" {
		if q.Seller == "" {
			q.Seller = p.Seller
		}
		if err := p.May(access.ReadEvents, q.Seller); err != nil {
			return nil, err
		}
	}
	q.NoKeys = !p.Role.May(access.ReadKeys)
	return stream(func(ctx huma.Context) {
		r, w := humachi.Unwrap(ctx)
		live, stop := a.whileLive(r.Context(), p)
		defer stop()
		err := a.feed.Serve(live, q, form, w)
		switch {
		case err == nil:
		case errors.Is(err, ErrFeedCut):
			noteProblem(r.Context(), problemOf(err), err)
			panic(http.ErrAbortHandler)
		default:
			refuse(w, r, err)
		}
	}), nil
}

// whileLive ends a follower's context when his key ends, with access.no_key as the cause.
func (a *API) whileLive(ctx context.Context, p Principal) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	stop := func() { end(nil) }
	if p.Key == "" {
		return ctx, stop
	}
	go func() {
		tick := time.NewTicker(keysEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if !a.keys.live(p.Key, a.books.Clock()) {
					end(ErrNoKey.With("it was revoked or has expired"))
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, stop
}

func feedForm(accept string) (FeedForm, error) {
	if accept == "" {
		return NDJSON, nil
	}
	switch preferred(accept, typeNDJSON, typeSSE) {
	case typeNDJSON:
		return NDJSON, nil
	case typeSSE:
		return SSE, nil
	}
	return NDJSON, ErrNotAccept.With("%.100q; there are %s and %s", accept, typeNDJSON, typeSSE).At(parameterPrefix + "Accept")
}

func (a *API) addEvents() {
	add(a, operation{
		id: "read-events", method: http.MethodGet, path: eventsPath, tag: "Events", summary: "the log itself, as it was and as it grows",
		about: "One event a line, in the log's order. A reader that keeps the position of its last event goes on after it, and misses and repeats nothing. " +
			"While following, an empty line or comment now and then shows that the connection lives.",
		permission: access.ReadEvents, describe: describeEvents,
	}, a.events)
}
