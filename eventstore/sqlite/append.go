package sqlite

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/urikake/urikake/eventstore"
)

// request is one append on its way through the writer.
type request struct {
	stream   string
	expected eventstore.Version
	events   []eventstore.Proposed
	state    atomic.Int32
	position eventstore.Position // with err: the answer, once done has rung
	err      error
	done     chan struct{}
}

const (
	waiting   int32 = iota
	taken           // by the writer: it will be answered
	withdrawn       // by its caller: the writer drops it
)

var requests = sync.Pool{New: func() any { return &request{done: make(chan struct{}, 1)} }}

// Append waits for the disk together with whoever appends at the same time. When ctx ends first it returns ctx's error
// if nothing was written, and log.unavailable if the events are being written just then: the caller must leave their
// bytes alone in that case. Refuses log.copy besides.
func (s *Store) Append(ctx context.Context, stream string, expected eventstore.Version,
	events ...eventstore.Proposed,
) (eventstore.Position, error) {
	if err := eventstore.CheckAppend(ctx, stream, events); err != nil {
		return 0, err
	}
	if s.copied {
		return 0, ErrCopy
	}

	r := requests.Get().(*request)
	r.stream, r.expected, r.events = stream, expected, events
	r.state.Store(waiting)
	if err := s.enqueue(ctx, r); err != nil {
		return 0, err
	}
	return s.await(ctx, r)
}

func (s *Store) enqueue(ctx context.Context, r *request) error {
	select {
	case <-s.quit:
		return errClosed
	default:
	}
	select {
	case s.queue <- r:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.quit:
		return errClosed
	}
}

func (s *Store) await(ctx context.Context, r *request) (eventstore.Position, error) {
	select {
	case <-r.done:
		return r.answer()
	case <-ctx.Done():
		if r.state.CompareAndSwap(waiting, withdrawn) {
			return 0, ctx.Err()
		}
		return 0, eventstore.ErrUnavailable.With("%s: %v while its events were being written", r.stream, ctx.Err())
	case <-s.stopped:
	}
	select {
	case <-r.done:
		return r.answer()
	default:
		return 0, errClosed // it came into the queue after the writer's last look
	}
}

// answer hands the request back for the next append; nobody else knows it any more.
func (r *request) answer() (eventstore.Position, error) {
	position, err := r.position, r.err
	r.events, r.position, r.err = nil, 0, nil
	requests.Put(r)
	return position, err
}

// write is the one goroutine that changes the log.
func (s *Store) write(w *writer) {
	defer close(s.stopped)
	var group []*request
	for {
		select {
		case r := <-s.queue:
			group = s.gather(group[:0], r)
			s.commit(w, group)
			clear(group)
		case <-s.quit:
			for len(s.queue) > 0 {
				s.commit(w, s.gather(nil, <-s.queue))
			}
			s.closed = s.release(w)
			return
		}
	}
}

// gather takes what waits, up to a group's bounds.
func (s *Store) gather(group []*request, r *request) []*request {
	size := 0
	for {
		if r.state.CompareAndSwap(waiting, taken) {
			group = append(group, r)
			for _, e := range r.events {
				size += e.Size()
			}
		}
		if len(group) == groupMax || size >= groupSize {
			return group
		}
		select {
		case r = <-s.queue:
		default:
			return group
		}
	}
}

// commit writes a group and answers it. Heads and tail move before anyone is answered, so a caller reads what it wrote.
func (s *Store) commit(w *writer, group []*request) {
	before, _ := s.tail.get()
	err := w.commit(group, s.heads)
	if err == nil && len(w.moved) > 0 {
		w.note()
		s.heads.put(w.moved)
		s.commits.Add(1)
		s.grouped.Add(uint64(w.position - before))
	}
	if err != nil {
		s.heads.forget()
	} else {
		s.tail.advance(w.position)
	}
	for _, r := range group {
		if err != nil {
			r.position, r.err = 0, err
		}
		r.done <- struct{}{}
	}
}
