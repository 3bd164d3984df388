package sqlite

import (
	"sync"
	"sync/atomic"

	"github.com/urikake/urikake/eventstore"
)

// head is where a stream stands on disk. Id 0: the stream does not exist.
type head struct {
	id      int64
	version eventstore.Version
}

// heads remembers where the streams stand that were used last. Only the writer puts, and only what is durable, so what
// stands here is never older than the disk.
type heads struct {
	mu         sync.Mutex
	max        int
	young, old map[string]head // a full young generation becomes the old one, and the old one is forgotten
}

func newHeads(max int) *heads { return &heads{max: max, young: map[string]head{}} }

func (c *heads) get(stream string) (head, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h, ok := c.young[stream]; ok {
		return h, true
	}
	h, ok := c.old[stream]
	if ok {
		c.keep(stream, h)
	}
	return h, ok
}

// put takes everything that one commit has moved.
func (c *heads) put(moved map[string]head) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for stream, h := range moved {
		c.keep(stream, h)
	}
}

func (c *heads) keep(stream string, h head) {
	if len(c.young) >= c.max {
		c.young, c.old = make(map[string]head, c.max), c.young
	}
	c.young[stream] = h
}

func (c *heads) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.young, c.old = map[string]head{}, nil
}

// names remembers stream names by id, so that a reader neither joins nor allocates. A slot holds the newest of its ids.
type names [1 << 16]atomic.Pointer[name]

type name struct {
	id   int64
	text string
}

func (n *names) get(id int64) (string, bool) {
	if have := n[uint64(id)%uint64(len(n))].Load(); have != nil && have.id == id {
		return have.text, true
	}
	return "", false
}

func (n *names) put(id int64, text string) { n[uint64(id)%uint64(len(n))].Store(&name{id, text}) }
