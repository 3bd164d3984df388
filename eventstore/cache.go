package eventstore

import (
	"context"
	"math/rand/v2"
	"sync"
)

// CacheBytesMax bounds the cache of hot aggregates, in bytes. A million settled invoices in ten thousand accounts
// take some 190 MB; what is used least goes first.
const CacheBytesMax = 168 << 20

// entryBytes is what an aggregate takes besides its state.
const entryBytes = 400

// cache keeps hot aggregates, so that a command needs no history. An entry is taken by one command at a time, which
// also spares commands on one stream from racing each other within this process.
type cache struct {
	mu      sync.Mutex
	entries map[string]*entry
	all     []*entry // the same, in no order
	clock   uint64   // counts takings
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

	place int    // in all
	used  uint64 // when it was taken last
	users int
	bytes int // as counted by the cache
}

func newCache(most int) *cache {
	return &cache{entries: make(map[string]*entry), most: most}
}

// take gives the stream's entry to the caller alone, until give. It waits for its turn no longer than ctx lasts.
func (c *cache) take(ctx context.Context, stream string) (*entry, error) {
	c.mu.Lock()
	e := c.entries[stream]
	if e == nil {
		e = &entry{stream: stream, turn: make(chan struct{}, 1), bytes: entryBytes + len(stream), place: len(c.all)}
		c.entries[stream], c.all = e, append(c.all, e)
		c.bytes += e.bytes
	}
	c.clock++
	e.used = c.clock
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

// makeRoom forgets aggregates while the cache is too large. What somebody waits for stays.
func (c *cache) makeRoom() {
	for c.bytes > c.most {
		e := c.stale()
		if e == nil {
			return
		}
		last := c.all[len(c.all)-1]
		c.all[e.place], last.place = last, e.place
		c.all[len(c.all)-1] = nil
		c.all = c.all[:len(c.all)-1]
		delete(c.entries, e.stream)
		c.bytes -= e.bytes
	}
}

// staleOf is how many aggregates are looked at for one to be forgotten.
const staleOf = 3

// stale is the least recently used of some that nobody uses, taken by chance. The least recently used of all would be
// the very next one to be wanted whenever work goes through more accounts than fit, one after the other, as at the end
// of a month; of some by chance, most of what fits stays.
func (c *cache) stale() (stale *entry) {
	for range staleOf {
		e := c.idle(rand.IntN(len(c.all)))
		if e != nil && (stale == nil || e.used < stale.used) {
			stale = e
		}
	}
	return stale
}

// idle is the first from a place on that nobody uses.
func (c *cache) idle(from int) *entry {
	for i := range c.all {
		if e := c.all[(from+i)%len(c.all)]; e.users == 0 {
			return e
		}
	}
	return nil
}

// reset makes it an aggregate before its first event.
func (e *entry) reset(state any) {
	e.state, e.version, e.snapshotAt, e.commands = state, 0, 0, commandIndex{}
}
