package projections

import (
	"context"
	"runtime"
	"sync"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

const (
	chunkMax    = 512 // events that are decoded at a time
	chunksAhead = 32  // chunks read and decoded before they are folded
)

// CatchUp folds everything that is in the log at the call, and returns up to where all is folded. Where nothing is
// new it costs no disk. Refuses what reading and decoding the log refuse (log.unreadable_event: an event of an unknown
// kind stops it and is never skipped), views.unavailable and views.damaged.
func (v *Views) CatchUp(ctx context.Context) (eventstore.Position, error) {
	head, err := v.store.Head(ctx)
	if err != nil {
		return 0, err
	}
	return v.Wait(ctx, head)
}

// Wait returns when everything up to a position is folded; it folds itself unless Run does.
// Refuses what CatchUp refuses, and views.beyond_log.
func (v *Views) Wait(ctx context.Context, until eventstore.Position) (eventstore.Position, error) {
	for {
		position, reached, moved := v.reached(until)
		if reached {
			return position, nil
		}
		select {
		case v.folding <- struct{}{}:
			position, err := v.catchUp(ctx)
			<-v.folding
			if err == nil && position < until {
				err = ErrBeyondLog.With("position %d, the log ends at %d", until, position)
			}
			return position, err
		case <-moved:
		case <-ctx.Done():
			return position, ctx.Err()
		}
	}
}

// catchUp folds to the log's head. The caller holds folding.
func (v *Views) catchUp(ctx context.Context) (eventstore.Position, error) {
	if err := v.prepare(ctx); err != nil {
		return 0, err
	}
	head, err := v.store.Head(ctx)
	if err != nil {
		return 0, err
	}
	if after := v.Position(); after < head {
		err = v.fold(ctx, v.live(), v.models, after, head, nil)
	}
	return v.Position(), err
}

// Run folds events as they come, until ctx ends (it returns ctx's error) or an event can't be folded (see CatchUp).
// Damage of the file is mended on the way.
func (v *Views) Run(ctx context.Context) error {
	select {
	case v.folding <- struct{}{}:
		defer func() { <-v.folding }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		err := v.run(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !v.damaged.Load() {
			return err
		}
	}
}

func (v *Views) run(ctx context.Context) error {
	if err := v.prepare(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	v.mu.Lock()
	v.stopRun = cancel
	v.mu.Unlock()
	return v.fold(ctx, v.live(), v.models, v.Position(), forEver, nil)
}

// live writes to the live tables.
func (v *Views) live() *Writer {
	v.open.RLock()
	db := v.db
	v.open.RUnlock()
	return newWriter(db, "", false, v.sizes, func(b *batch, m mark) error {
		v.gate.Lock()
		defer v.gate.Unlock()
		err := db.write(b.order, "", m)
		v.note(err)
		if err == nil {
			v.advance(m.position, true)
		}
		return err
	})
}

// chunk is some events on their way from the log to the folds.
type chunk struct {
	events  []eventstore.Recorded
	facts   []domain.Event // nil: no fold asks for it
	newest  bool           // the log had no more when it was read
	err     error          // of reading after these events, or of decoding them
	decoded chan struct{}
}

// forEver is beyond every position: fold then waits for events to come.
const forEver = ^eventstore.Position(0)

// fold folds the events after a position up to another, batch by batch: one goroutine reads,
// some decode, this one folds, and one writes.
func (v *Views) fold(ctx context.Context, w *Writer, models []Model, after, to eventstore.Position, progress func(eventstore.Position)) error {
	if after >= to {
		return nil
	}
	var group sync.WaitGroup
	defer group.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	folds := byKind(models)
	ordered, work := make(chan *chunk, chunksAhead), make(chan *chunk, chunksAhead)
	group.Go(func() {
		defer close(ordered)
		defer close(work)
		v.read(ctx, after, to, folds, func(c *chunk) bool { return send(ctx, work, c) && send(ctx, ordered, c) })
	})
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for c := range work {
				v.decode(c)
			}
		})
	}
	err := w.foldAll(ctx, ordered, folds, progress)
	return firstError(err, w.settle())
}

func send(ctx context.Context, to chan<- *chunk, c *chunk) bool {
	select {
	case to <- c:
		return true
	case <-ctx.Done():
		return false
	}
}

// byKind lists the models that fold each kind.
func byKind(models []Model) map[string][]Model {
	folds := make(map[string][]Model)
	for _, m := range models {
		for _, kind := range m.Kinds {
			folds[kind] = append(folds[kind], m)
		}
	}
	return folds
}

// read cuts the log into chunks.
func (v *Views) read(ctx context.Context, after, to eventstore.Position, folds map[string][]Model, out func(*chunk) bool) {
	head := to
	if to == forEver {
		head = 0
	}
	known := make(map[string]int) // kinds that nobody folds: decoded once a version, to know that they can be read
	c := newChunk()
	for r, err := range v.store.Follow(ctx, after) {
		if err == nil && r.Position >= head && to == forEver {
			head, err = v.store.Head(ctx)
		}
		if err != nil {
			c.err = err
			out(c)
			return
		}
		c.events = append(c.events, r)
		var unread domain.Event
		if len(folds[r.Kind]) == 0 && known[r.Kind] == r.Schema {
			unread = skipped{}
		}
		known[r.Kind] = r.Schema
		c.facts = append(c.facts, unread)
		c.newest = r.Position >= head
		if c.newest || len(c.events) >= v.sizes.chunk {
			if !out(c) || r.Position >= to {
				return
			}
			c = newChunk()
		}
	}
}

// skipped stands for an event that needs no decoding.
type skipped struct{}

func (skipped) Kind() string { return "" }

func newChunk() *chunk { return &chunk{decoded: make(chan struct{})} }

func (v *Views) decode(c *chunk) {
	defer close(c.decoded)
	for i := range c.events {
		if c.facts[i] != nil {
			continue
		}
		fact, err := v.codec.Decode(c.events[i])
		if err != nil {
			c.err = unreadable(c.events[i], err)
			c.events = c.events[:i]
			return
		}
		c.facts[i] = fact
		c.events[i].Data, c.events[i].Metadata = nil, nil
	}
}

// foldAll folds chunk after chunk and writes when a batch is full or when nothing more is waiting.
func (w *Writer) foldAll(ctx context.Context, ordered <-chan *chunk, folds map[string][]Model, progress func(eventstore.Position)) error {
	for {
		var c *chunk
		select {
		case c = <-ordered:
		case <-ctx.Done():
			return ctx.Err()
		}
		if c == nil {
			return ctx.Err()
		}
		<-c.decoded
		for i, r := range c.events {
			for _, m := range folds[r.Kind] {
				m.Fold(w, c.facts[i], r)
			}
		}
		if w.err != nil {
			return w.err
		}
		if n := len(c.events); n > 0 && (w.full() || c.err != nil || c.newest && len(ordered) == 0) {
			if err := w.flush(markOf(c.events[n-1])); err != nil {
				return err
			}
		}
		if c.err != nil {
			return c.err
		}
		if n := len(c.events); n > 0 && progress != nil {
			progress(c.events[n-1].Position)
		}
	}
}

// unreadable says which event can't be decoded.
func unreadable(r eventstore.Recorded, err error) error {
	return domain.ErrSchema.With("%s at position %d of %s: %v", r.Kind, r.Position, r.Stream, err)
}
