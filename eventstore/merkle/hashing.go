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
	err   error        // what reading yielded in its place
}

const (
	hashChunk = 512 // events that one goroutine hashes at a time
	hashAhead = 16  // chunks that may be read and hashed before they are wanted
)

// Hashing yields events with their hashes, in order; hashing runs ahead on all cores. The first has index first. An
// error is passed on in its place; what is lost counts as so many leaves.
func Hashing(events iter.Seq2[eventstore.Recorded, error], first int64) iter.Seq2[Leaf, error] {
	return Ahead(events, first, func(h *Hasher, l *Leaf) { l.Hash = h.Leaf(l.Index, &l.Recorded) })
}

// Ahead is Hashing with other work. Each goroutine that works has a Hasher of its own.
func Ahead(events iter.Seq2[eventstore.Recorded, error], first int64, work func(h *Hasher, l *Leaf)) iter.Seq2[Leaf, error] {
	return func(yield func(Leaf, error) bool) {
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		c := cutter{
			next: first, chunks: make(chan *chunk, hashAhead), todo: make(chan *chunk, hashAhead),
			used: make(chan *chunk, hashAhead),
		}
		wg.Go(func() { c.cut(ctx, events) })
		for range runtime.GOMAXPROCS(0) {
			wg.Go(func() {
				h := NewHasher()
				for chunk := range c.todo {
					chunk.each(h, work)
				}
			})
		}
		for chunk := range c.chunks {
			<-chunk.ready
			for i := range chunk.leaves {
				if !yield(chunk.leaves[i], chunk.leaves[i].err) {
					return
				}
			}
			c.reuse(chunk)
		}
	}
}

// chunk is some events on their way.
type chunk struct {
	leaves []Leaf
	ready  chan struct{} // told once of each filling
}

func (c *chunk) each(h *Hasher, work func(*Hasher, *Leaf)) {
	for i := range c.leaves {
		if l := &c.leaves[i]; l.err == nil {
			work(h, l)
		}
	}
	c.ready <- struct{}{}
}

// cutter hands events on in chunks: to those who work, and in their order to whoever waits for them. Chunks come back
// and are filled again, as their memory would otherwise cost more than hashing.
type cutter struct {
	next               int64 // index
	chunks, todo, used chan *chunk
}

func (c *cutter) cut(ctx context.Context, events iter.Seq2[eventstore.Recorded, error]) {
	defer close(c.chunks)
	defer close(c.todo)
	chunk := c.fresh()
	for r, err := range events {
		chunk.leaves = append(chunk.leaves, Leaf{Recorded: r, Index: c.next, err: err})
		c.next++
		if lost, ok := errors.AsType[*eventstore.Lost](err); ok {
			c.next += lost.Count() - 1
		}
		if len(chunk.leaves) == hashChunk {
			if !c.send(ctx, chunk) {
				return
			}
			chunk = c.fresh()
		}
	}
	c.send(ctx, chunk)
}

func (c *cutter) send(ctx context.Context, full *chunk) bool {
	for _, to := range []chan<- *chunk{c.todo, c.chunks} {
		select {
		case to <- full:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

func (c *cutter) fresh() *chunk {
	select {
	case used := <-c.used:
		return used
	default:
		return &chunk{ready: make(chan struct{}, 1)}
	}
}

func (c *cutter) reuse(read *chunk) {
	clear(read.leaves) // what they held may go
	read.leaves = read.leaves[:0]
	select {
	case c.used <- read:
	default:
	}
}
