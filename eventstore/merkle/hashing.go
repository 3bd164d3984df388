package merkle

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// Leaf is an event with its hash, and what else was made of it on the way.
type Leaf struct {
	eventstore.Recorded
	Index int64
	Hash  tlog.Hash
	Event domain.Event // nil unless it was decoded
	Bad   error        // why it could not be
}

const (
	hashChunk = 256 // events that one goroutine hashes at a time
	hashAhead = 8   // chunks that may be read and hashed before they are wanted
)

// Hashing yields events with their hashes, in order; hashing runs ahead on all cores. The first has index first. An
// error is passed on in its place; what is lost counts as so many leaves.
func Hashing(events iter.Seq2[eventstore.Recorded, error], first int64) iter.Seq2[Leaf, error] {
	return Ahead(events, first, func(buf []byte, l *Leaf) []byte {
		l.Hash, buf = LeafHash(buf, l.Index, l.Recorded)
		return buf
	})
}

// Ahead is Hashing with other work. Each goroutine that works has its own buf, which it gives back.
func Ahead(events iter.Seq2[eventstore.Recorded, error], first int64, work func(buf []byte, l *Leaf) []byte) iter.Seq2[Leaf, error] {
	return func(yield func(Leaf, error) bool) {
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		chunks, todo := make(chan *hashed, hashAhead), make(chan *hashed, hashAhead)
		wg.Go(func() { cut(ctx, events, first, chunks, todo) })
		for range runtime.GOMAXPROCS(0) {
			wg.Go(func() {
				var buf []byte
				for chunk := range todo {
					buf = chunk.each(buf, work)
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
	leaves []Leaf
	errs   []error
	ready  chan struct{}
}

func (h *hashed) each(buf []byte, work func([]byte, *Leaf) []byte) []byte {
	defer close(h.ready)
	for i := range h.leaves {
		if h.errs[i] == nil {
			buf = work(buf, &h.leaves[i])
		}
	}
	return buf
}

// cut hands the events on in chunks.
func cut(ctx context.Context, events iter.Seq2[eventstore.Recorded, error], index int64, chunks, work chan<- *hashed) {
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
		chunk = nil
		return true
	}
	for r, err := range events {
		if chunk == nil {
			chunk = &hashed{leaves: make([]Leaf, 0, hashChunk), errs: make([]error, 0, hashChunk), ready: make(chan struct{})}
		}
		chunk.leaves, chunk.errs = append(chunk.leaves, Leaf{Recorded: r, Index: index}), append(chunk.errs, err)
		index++
		if lost := (*eventstore.Lost)(nil); err != nil && errors.As(err, &lost) {
			index += lost.Count() - 1
		}
		if len(chunk.leaves) == hashChunk && !send() {
			return
		}
	}
	if chunk != nil {
		send()
	}
}
