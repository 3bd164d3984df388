package httpapi

import (
	"encoding/json"
	"net/http"
	"sync"
)

// OpenAPI is the description of the API, as /openapi.json serves it.
func (a *API) OpenAPI() ([]byte, error) { return json.MarshalIndent(a.huma.OpenAPI(), "", "  ") }

func (a *API) addDocs() {
	spec := sync.OnceValues(a.OpenAPI)
	a.mux.Get("/openapi.json", func(w http.ResponseWriter, r *http.Request) {
		b, err := spec()
		if err != nil {
			refuse(w, r, err)
			return
		}
		w.Header().Set("Content-Type", typeJSON)
		_, _ = w.Write(b) // the client has gone
	})
}
