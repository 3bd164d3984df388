package httpapi

import (
	"errors"
	"sort"
	"sync"

	"github.com/urikake/urikake/eventstore"
)

// feedRing holds the newest events of the log, encoded once for everyone who follows. One goroutine adds, many look;
// nobody holds the lock while he encodes, writes or waits.
//
// Bytes in the ring never change, so a follower writes them to his client as they are, outside the lock.
type feedRing struct {
	max, chunkMax int // bytes in the ring, and of one form in a chunk

	mu        sync.Mutex
	chunks    []*feedChunk        // oldest first; the last one grows
	size      int                 // bytes that the chunks hold
	after     eventstore.Position // the ring has every event after this one
	last      eventstore.Position // up to this one
	bell      chan struct{}       // closed when there is something new
	awaited   bool                // somebody waits for the bell
	followers int
	joined    chan struct{} // rings when somebody follows
	ended     error         // why there will be nothing new

	line []byte // of the one who adds
}

// feedChunk is a run of events in both forms.
type feedChunk struct {
	after  eventstore.Position
	lines  []feedLine
	bodies [feedForms][]byte
}

// feedLine is one event in a chunk, and where it ends there.
type feedLine struct {
	position     eventstore.Position
	stream, kind string
	ends         [feedForms]int
}

const feedLineSize = 56 // bytes of memory that a feedLine takes

func newFeedRing(size, chunk int) *feedRing {
	return &feedRing{max: size, chunkMax: chunk, bell: make(chan struct{}), joined: make(chan struct{}, 1)}
}

// add puts an event at the ring's end; the oldest chunk goes when there is no more room. When nobody follows it does
// nothing and says so.
func (r *feedRing) add(e eventstore.Recorded) (followed bool, err error) {
	if r.line, err = AppendEventLine(r.line[:0], e); err != nil {
		return true, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.followers == 0 {
		return false, nil
	}
	c := r.room(len(r.line), len(e.Kind))
	l := feedLine{position: e.Position, stream: e.Stream, kind: e.Kind}
	for form := range feedForms {
		c.bodies[form] = form.appendFrame(c.bodies[form], e, r.line)
		l.ends[form] = len(c.bodies[form])
	}
	c.lines = append(c.lines, l)
	r.size += feedLineSize
	r.last = e.Position
	r.ring()
	return true, nil
}

// room gives a chunk that takes a line without moving its bytes.
func (r *feedRing) room(line, kind int) *feedChunk {
	need := line + kind + 64 // the larger form
	if n := len(r.chunks); n > 0 {
		if c := r.chunks[n-1]; cap(c.bodies[SSE])-len(c.bodies[SSE]) >= need {
			return c
		}
	}
	c := &feedChunk{after: r.last}
	for form := range feedForms {
		c.bodies[form] = make([]byte, 0, max(need, r.chunkMax))
		r.size += cap(c.bodies[form])
	}
	r.chunks = append(r.chunks, c)
	for r.size > r.max && len(r.chunks) > 1 {
		r.drop()
	}
	return c
}

func (r *feedRing) drop() {
	c := r.chunks[0]
	for _, b := range c.bodies {
		r.size -= cap(b)
	}
	r.size -= len(c.lines) * feedLineSize
	r.chunks[0] = nil
	r.chunks, r.after = r.chunks[1:], c.lines[len(c.lines)-1].position
}

// reset empties the ring; it begins anew after a position.
func (r *feedRing) reset(after eventstore.Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.empty(after)
	r.ring()
}

func (r *feedRing) empty(after eventstore.Position) {
	r.chunks, r.size, r.after, r.last = nil, 0, after, after
}

// ring wakes who waits.
func (r *feedRing) ring() {
	if r.awaited {
		close(r.bell)
		r.bell, r.awaited = make(chan struct{}), false
	}
}

// end tells every follower that there will be nothing new, and why; nil takes that back.
func (r *feedRing) end(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = why
	r.ring()
}

// join counts a follower in. Refuses feed.closed when the feed has ended, or with what it has ended for.
func (r *feedRing) join() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if errors.Is(r.ended, errFeedOver) {
		return ErrFeedClosed
	}
	if r.ended != nil {
		return r.ended
	}
	r.followers++
	select {
	case r.joined <- struct{}{}:
	default:
	}
	return nil
}

// leave counts him out; when nobody is left, the ring's memory is given back.
func (r *feedRing) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.followers--; r.followers == 0 {
		r.empty(r.last)
	}
}

func (r *feedRing) followed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.followers > 0
}

// feedSight is what a follower sees of the ring: lines, or that he has missed some, or nothing new.
type feedSight struct {
	lines  []feedLine // of one chunk
	bodies [feedForms][]byte
	starts [feedForms]int      // where the first line begins in them
	missed eventstore.Position // the ring begins after this one: what is before must be read from the log
	bell   <-chan struct{}     // closed when there is something new
}

// look gives what follows a position: lines of one chunk, in O(log lines).
func (r *feedRing) look(after eventstore.Position) (feedSight, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.ended != nil:
		return feedSight{}, r.ended
	case after < r.after:
		return feedSight{missed: r.after}, nil
	case after >= r.last:
		r.awaited = true
		return feedSight{bell: r.bell}, nil
	}
	c := r.chunks[sort.Search(len(r.chunks), func(i int) bool { return r.chunks[i].after > after })-1]
	first := sort.Search(len(c.lines), func(i int) bool { return c.lines[i].position > after })
	seen := feedSight{lines: c.lines[first:], bodies: c.bodies}
	if first > 0 {
		seen.starts = c.lines[first-1].ends
	}
	return seen, nil
}
