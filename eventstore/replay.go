package eventstore

import (
	"context"
	"iter"
	"runtime"
	"sync"

	"github.com/urikake/urikake/domain"
)

// Replayed is an event with the fact that it holds.
type Replayed struct {
	Recorded
	Event domain.Event
}

const (
	replayChunk = 512 // events that one goroutine decodes at a time
	replayAhead = 16  // chunks that may be read and decoded before they are wanted
)

// Replay yields the events after a position up to another, decoded, in the log's order. Reading and decoding run ahead
// on all cores. Kinds that are not wanted (nil: all are) come without Event; the first of each version is decoded all
// the same, to know that it can be. Events of streams that are somebody else's (see Codec.Foreign) come without Event
// and are never decoded. An error ends it, as the last pair: what reading refuses, or log.unreadable_event.
func Replay(ctx context.Context, s Store, c *Codec, after, upTo Position, wanted func(kind string) bool) iter.Seq2[Replayed, error] {
	return func(yield func(Replayed, error) bool) {
		asked := ctx
		ctx, cancel := context.WithCancel(asked)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		chunks := make(chan *replayed, replayAhead)
		work := make(chan *replayed, replayAhead)
		wg.Go(func() { readAhead(ctx, s, c, after, upTo, wanted, chunks, work) })
		for range runtime.GOMAXPROCS(0) {
			wg.Go(func() {
				for chunk := range work {
					chunk.decode(c)
				}
			})
		}
		for chunk := range chunks {
			<-chunk.ready
			for _, r := range chunk.events {
				if !yield(r, nil) {
					return
				}
			}
			if chunk.err != nil {
				yield(Replayed{}, chunk.err)
				return
			}
		}
		if err := asked.Err(); err != nil {
			yield(Replayed{}, err) // not a shorter history
		}
	}
}

// Count counts the events after a position up to another, most of them at most. O(events counted).
func Count(ctx context.Context, s Store, after, upTo Position, most uint64) (events uint64, err error) {
	if after >= upTo {
		return 0, nil
	}
	for r, err := range s.Follow(ctx, after) {
		if err != nil {
			return events, err
		}
		if r.Position <= upTo {
			events++
		}
		if r.Position >= upTo || events >= most {
			return events, nil
		}
	}
	return events, ctx.Err()
}

// replayed is some events on their way; err comes after them.
type replayed struct {
	events []Replayed
	passed []bool // not to be decoded
	err    error
	ready  chan struct{}
}

// decode reads the facts; the first that can't be read ends the chunk.
func (r *replayed) decode(c *Codec) {
	defer close(r.ready)
	for i := range r.events {
		if r.passed[i] {
			continue
		}
		event, err := c.Decode(r.events[i].Recorded)
		if err != nil {
			r.events, r.err = r.events[:i], err
			return
		}
		r.events[i].Event = event
	}
}

func readAhead(ctx context.Context, s Store, c *Codec, after, upTo Position, wanted func(string) bool, chunks, work chan<- *replayed) {
	defer close(chunks)
	defer close(work)
	send := func(chunk *replayed) bool {
		for _, to := range []chan<- *replayed{work, chunks} {
			select {
			case to <- chunk:
			case <-ctx.Done():
				return false
			}
		}
		return true
	}
	if after >= upTo {
		return
	}
	room := int(min(upTo-after, replayChunk)) // often a few events are all
	fresh := func() *replayed {
		return &replayed{events: make([]Replayed, 0, room), passed: make([]bool, 0, room), ready: make(chan struct{})}
	}
	known := make(map[string]int) // versions of unwanted kinds that were decoded
	chunk := fresh()
	for r, err := range s.Follow(ctx, after) {
		if err != nil {
			chunk.err = err
			break
		}
		if r.Position > upTo {
			break
		}
		foreign, unwanted := c.Foreign(r.Stream), wanted != nil && !wanted(r.Kind)
		chunk.events = append(chunk.events, Replayed{Recorded: r})
		chunk.passed = append(chunk.passed, foreign || unwanted && known[r.Kind] == r.Schema)
		if unwanted && !foreign {
			known[r.Kind] = r.Schema
		}
		if r.Position == upTo {
			break
		}
		if len(chunk.events) == replayChunk {
			if !send(chunk) {
				return
			}
			chunk = fresh()
		}
	}
	send(chunk)
}
