package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
)

// Work that takes long answers with lines of JSON: progress now and then, and at last the result or the problem. The
// status is 200 as soon as the work begins; a last line with neither means that the server went away.

// Line is one line of such an answer.
type Line[R any] struct {
	Progress *Progress `json:"progress,omitempty" doc:"how far the work has come"`
	Result   *R        `json:"result,omitempty" doc:"the last line of work that was done"`
	Problem  *Problem  `json:"problem,omitempty" doc:"the last line of work that failed"`
}

// Progress is how far long work has come.
type Progress struct {
	Done  int64 `json:"done" doc:"steps done"`
	Total int64 `json:"total" doc:"steps in all, as far as is known"`
}

const longAbout = " The answer is NDJSON: lines of progress, then one with the result or the problem."

// tellEvery is how often progress is told.
const tellEvery = 200 * time.Millisecond

// long answers with the work's progress and its end. The work ends with the request.
func long(work func(ctx context.Context, tell func(done, total int64)) (any, error)) *huma.StreamResponse {
	return stream(func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", typeNDJSON)
		ctx.SetHeader("Cache-Control", "no-store")
		_, w := humachi.Unwrap(ctx)
		var mu sync.Mutex
		write := func(line map[string]any) {
			mu.Lock()
			defer mu.Unlock()
			b, err := json.Marshal(line)
			if err == nil {
				_, _ = w.Write(append(b, '\n')) // who has gone away ends ctx
			}
			_ = http.NewResponseController(w).Flush()
		}
		var last time.Time
		result, err := work(ctx.Context(), func(done, total int64) {
			if now := time.Now(); now.Sub(last) >= tellEvery {
				last = now
				write(map[string]any{"progress": Progress{done, total}})
			}
		})
		if err != nil {
			p := problemOf(err)
			noteProblem(ctx.Context(), p, err)
			line := map[string]any{"problem": p}
			if result != nil {
				line["result"] = result
			}
			write(line)
			return
		}
		write(map[string]any{"result": result})
	})
}
