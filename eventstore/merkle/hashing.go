package merkle

import (
	"context"
	"iter"
	"runtime"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/urikake/urikake/eventstore"
)

// Leaf is an event with its hash.
type Leaf struct {
	eventstore.Recorded
	Hash tlog.Hash
}

const (
	hashChunk = 256 // events that one goroutine hashes at a time
	hashAhead = 8   // chunks that may be read and hashed before they are wanted
)

// Hashing yields events with their hashes, in order; hashing runs ahead on all cores. The first has index first. An
// error is passed on in its place, with what stands beside it, and counts as a leaf: whatever can't be read is one.
func Hashing(events iter.Seq2[eventstore.Recorded, error], first int64) iter.Seq2[Leaf, error] {
	return func(yield func(Leaf, error) bool) {
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		chunks, work := make(chan *hashed, hashAhead), make(chan *hashed, hashAhead)
		wg.Go(func() { cut(ctx, events, first, chunks, work) })
		for range runtime.GOMAXPROCS(0) {
			wg.Go(func() {
				var buf []byte
				for chunk := range work {
					buf = chunk.hash(buf)
				}
			})
		}
		for chunk := range chunks {
			<-chunk.ready
			for i := range chunk.leaves {
				if !yield(chunk.leaves[i], chunk.errs[i]) {
					return
				}
			}
		}
	}
}

// hashed is some events on their way.
type hashed struct {
	first  int64
	leaves []Leaf
	errs   []error
	ready  chan struct{}
}

func (h *hashed) hash(buf []byte) []byte {
	defer close(h.ready)
	for i := range h.leaves {
		if h.errs[i] == nil {
			h.leaves[i].Hash, buf = LeafHash(buf, h.first+int64(i), h.leaves[i].Recorded)
		}
	}
	return buf
}

// cut hands the events on in chunks.
func cut(ctx context.Context, events iter.Seq2[eventstore.Recorded, error], first int64, chunks, work chan<- *hashed) {
	defer close(chunks)
	defer close(work)
	var chunk *hashed
	send := func() bool {
		for _, to := range []chan<- *hashed{work, chunks} {
			select {
			case to <- chunk:
			case <-ctx.Done():
				return false
			}
		}
		first += int64(len(chunk.leaves))
		chunk = nil
		return true
	}
	for r, err := range events {
		if chunk == nil {
			chunk = &hashed{first: first, leaves: make([]Leaf, 0, hashChunk), errs: make([]error, 0, hashChunk), ready: make(chan struct{})}
		}
		chunk.leaves, chunk.errs = append(chunk.leaves, Leaf{Recorded: r}), append(chunk.errs, err)
		if len(chunk.leaves) == hashChunk && !send() {
			return
		}
	}
	if chunk != nil {
		send()
	}
}
