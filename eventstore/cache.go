package eventstore

import (
	"container/list"
	"context"
	"sync"
)

// CacheEventsMax bounds the cache of hot aggregates by the events that they were folded from; entryWeight counts for
// each aggregate besides. A million events' worth of accounts is some 150 MB.
const CacheEventsMax = 600_000

// entryWeight is what an aggregate counts besides its events.
const entryWeight = 8

// cache keeps hot aggregates, so that a command needs no history. An entry is taken by one command at a time, which
// also spares commands on one stream from racing each other within this process.
type cache struct {
	mu      sync.Mutex
	entries map[string]*entry
	recent  *list.List // of *entry; front is the most recent
	weight  int
	most    int
}

// entry is one aggregate as of a version.
type entry struct {
	stream   string
	turn     chan struct{} // full while a command works on it
	state    any           // nil: not loaded, or in the middle of it
	version  Version
	commands map[uint64]Version // hash of a command's id -> version of its first event

	snapshotAt Version // version of the newest snapshot

	element *list.Element
	users   int
	weight  int
}

func newCache(most int) *cache {
	return &cache{entries: make(map[string]*entry), recent: list.New(), most: most}
}

// take gives the stream's entry to the caller alone, until give. It waits for its turn no longer than ctx lasts.
func (c *cache) take(ctx context.Context, stream string) (*entry, error) {
	c.mu.Lock()
	e := c.entries[stream]
	if e == nil {
		e = &entry{stream: stream, turn: make(chan struct{}, 1), weight: entryWeight}
		e.element = c.recent.PushFront(e)
		c.entries[stream] = e
		c.weight += entryWeight
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
	weight := int(e.version) + entryWeight
	<-e.turn
	c.mu.Lock()
	defer c.mu.Unlock()
	e.users--
	c.weight += weight - e.weight
	e.weight = weight
	c.makeRoom()
}

// makeRoom forgets what was used least recently while the cache is too large. What somebody waits for stays.
func (c *cache) makeRoom() {
	for el := c.recent.Back(); el != nil && c.weight > c.most; {
		old := el.Value.(*entry)
		el = el.Prev()
		if old.users == 0 {
			c.recent.Remove(old.element)
			delete(c.entries, old.stream)
			c.weight -= old.weight
		}
	}
}

// reset makes it an aggregate before its first event.
func (e *entry) reset(state any) {
	e.state, e.version, e.snapshotAt = state, 0, 0
	e.commands = make(map[uint64]Version)
}

// note remembers a command by its first event.
func (e *entry) note(commandID string, first Version) {
	key := commandKey(commandID)
	if _, seen := e.commands[key]; !seen {
		e.commands[key] = first
	}
}
