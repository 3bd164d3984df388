package eventstore

import (
	"container/list"
	"context"
	"sync"
)

// CacheBytesMax bounds the cache of hot aggregates, in bytes. A million settled invoices in ten thousand accounts
// take some 190 MB; what is used least goes first.
const CacheBytesMax = 176 << 20

// entryBytes is what an aggregate takes besides its state.
const entryBytes = 400

// cache keeps hot aggregates, so that a command needs no history. An entry is taken by one command at a time, which
// also spares commands on one stream from racing each other within this process.
type cache struct {
	mu      sync.Mutex
	entries map[string]*entry
	recent  *list.List // of *entry; front is the most recent
	bytes   int
	most    int
}

// entry is one aggregate as of a version.
type entry struct {
	stream   string
	turn     chan struct{} // full while a command works on it
	state    any           // nil: not loaded, or in the middle of it
	version  Version
	commands commandIndex
	size     int // of the state, in bytes

	snapshotAt Version // version of the newest snapshot

	element *list.Element
	users   int
	bytes   int // as counted by the cache
}

func newCache(most int) *cache {
	return &cache{entries: make(map[string]*entry), recent: list.New(), most: most}
}

// take gives the stream's entry to the caller alone, until give. It waits for its turn no longer than ctx lasts.
func (c *cache) take(ctx context.Context, stream string) (*entry, error) {
	c.mu.Lock()
	e := c.entries[stream]
	if e == nil {
		e = &entry{stream: stream, turn: make(chan struct{}, 1), bytes: entryBytes + len(stream)}
		e.element = c.recent.PushFront(e)
		c.entries[stream] = e
		c.bytes += e.bytes
	} else {
		c.recent.MoveToFront(e.element)
	}
	e.users++
	c.mu.Unlock()
	select {
	case e.turn <- struct{}{}:
		return e, nil
	case <-ctx.Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		e.users--
		c.makeRoom()
		return nil, ctx.Err()
	}
}

// give ends the caller's turn.
func (c *cache) give(e *entry) {
	bytes := entryBytes + len(e.stream) + e.size + e.commands.size()
	<-e.turn
	c.mu.Lock()
	defer c.mu.Unlock()
	e.users--
	c.bytes += bytes - e.bytes
	e.bytes = bytes
	c.makeRoom()
}

// makeRoom forgets what was used least recently while the cache is too large. What somebody waits for stays.
func (c *cache) makeRoom() {
	for el := c.recent.Back(); el != nil && c.bytes > c.most; {
		old := el.Value.(*entry)
		el = el.Prev()
		if old.users == 0 {
			c.recent.Remove(old.element)
			delete(c.entries, old.stream)
			c.bytes -= old.bytes
		}
	}
}

// reset makes it an aggregate before its first event.
func (e *entry) reset(state any) {
	e.state, e.version, e.snapshotAt, e.commands = state, 0, 0, commandIndex{}
}
