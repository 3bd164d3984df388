package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/eventstore"
)

type viewsIn struct{ Answered }

// views tells how far each read model has come.
func (a *API) views(ctx context.Context, in *viewsIn) (*huma.StreamResponse, error) {
	list, err := a.books.Views.Status(ctx)
	if err != nil {
		return nil, err
	}
	return reportAnswer(in.Accept, report{title: "Read models", sheet: export.Views(list)})
}

// Wanted names what is to be rebuilt.
type Wanted struct {
	Models []string `json:"models,omitempty" doc:"read models to rebuild; all of them when none is named"`
}

// Rebuilt is the last line of a rebuild.
type Rebuilt struct {
	Events uint64 `json:"events" doc:"events that were folded again"`
	Millis int64  `json:"millis" doc:"how long it took, in milliseconds"`
}

func (a *API) rebuild(ctx context.Context, in *RawIn) (*huma.StreamResponse, error) {
	var wanted Wanted
	if len(in.RawBody) > 0 {
		if err := in.read(&wanted); err != nil {
			return nil, err
		}
	}
	return long(func(ctx context.Context, tell func(done, total int64)) (any, error) {
		var out Rebuilt
		start := time.Now()
		err := a.books.Views.Rebuild(ctx, func(done, total eventstore.Position, events uint64) {
			out.Events = events
			tell(int64(done), int64(total))
		}, wanted.Models...)
		out.Millis = time.Since(start).Milliseconds()
		return out, err
	}), nil
}

func (a *API) addViews() {
	add(a, operation{
		id: "list-views", method: http.MethodGet, path: "/v1/views", tag: "Operations", summary: "how far each read model has come",
		about: "head is the log's newest position, lag how many positions a model has yet to fold (on EventStoreDB positions are " +
			"bytes of its log, not events); any report folds that first.",
		permission: access.ReadMetrics, global: true, describe: describeReport("list-views", export.Views(nil)),
	}, a.views)
	add(a, operation{
		id: "rebuild-views", method: http.MethodPost, path: "/v1/views/rebuild", tag: "Operations", summary: "fold read models again from the log",
		about:      "New tables are folded beside the old ones and then take their place. No event is lost or changed by it." + longAbout,
		permission: access.ManageViews, global: true, body: smallBody, describe: describeLong[Wanted, Rebuilt](a),
	}, a.rebuild)
}
