package audit

import (
	"iter"
	"sync"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/merkle"
)

// feed hands the events that the audit has decoded on to the fold of the read models, so that the log is read once.
type feed struct {
	batches chan []eventstore.Replayed
	batch   []eventstore.Replayed
	failed  error         // why no more will come; set before batches is closed
	closed  bool          // for whoever gives
	quit    chan struct{} // closed when nobody takes any more
	once    sync.Once
}

const feedBatch = 512

func newFeed() *feed {
	return &feed{batches: make(chan []eventstore.Replayed, 8), quit: make(chan struct{})}
}

// give hands an event on, or waits until it can be.
func (f *feed) give(l merkle.Leaf) {
	switch {
	case f.closed:
		return
	case l.Bad != nil:
		f.end(l.Bad)
		return
	}
	f.batch = append(f.batch, eventstore.Replayed{Recorded: l.Recorded, Event: l.Event})
	if len(f.batch) == feedBatch {
		f.send()
	}
}

func (f *feed) send() {
	select {
	case f.batches <- f.batch:
	case <-f.quit:
	}
	f.batch = nil
}

// end says that no more will come, and why if it should.
func (f *feed) end(why error) {
	if f.closed {
		return
	}
	f.send()
	f.closed, f.failed = true, why
	close(f.batches)
}

// leave says that nobody takes any more.
func (f *feed) leave() { f.once.Do(func() { close(f.quit) }) }

// replay gives the events up to a position, as Replay does.
func (f *feed) replay(upTo eventstore.Position) iter.Seq2[eventstore.Replayed, error] {
	return func(yield func(eventstore.Replayed, error) bool) {
		defer f.leave()
		for batch := range f.batches {
			for _, r := range batch {
				if r.Position > upTo || !yield(r, nil) || r.Position == upTo {
					return
				}
			}
		}
		if f.failed != nil {
			yield(eventstore.Replayed{}, f.failed)
		}
	}
}
