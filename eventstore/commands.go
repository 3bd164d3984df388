package eventstore

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
)

// commandIndex finds the commands that a stream has seen, by 64-bit hashes of their ids. Whoever finds one asks the log
// itself, so that two ids of one hash are told apart. It takes 12 bytes a command, since all hot aggregates have one;
// only long streams have a map besides.
type commandIndex struct {
	keys   []uint64
	firsts []uint32       // versions of the commands' first events
	places map[uint64]int // of keys; nil while there are few
}

// commandsScanned is how many keys are looked through one by one, which for so few is as fast as a map.
const commandsScanned = 512

func commandKey(id string) uint64 {
	sum := sha256.Sum256([]byte(id))
	return binary.BigEndian.Uint64(sum[:8])
}

// find gives the version of the command's first event.
func (c *commandIndex) find(id string) (Version, bool) {
	at, ok := c.place(commandKey(id))
	if !ok {
		return 0, false
	}
	return Version(c.firsts[at]), true
}

func (c *commandIndex) place(key uint64) (int, bool) {
	if c.places != nil {
		at, ok := c.places[key]
		return at, ok
	}
	for at, k := range c.keys {
		if k == key {
			return at, true
		}
	}
	return 0, false
}

// note remembers a command by its first event.
func (c *commandIndex) note(id string, first Version) {
	if !strings.HasPrefix(id, internalPrefix) {
		c.add(commandKey(id), first)
	}
}

func (c *commandIndex) add(key uint64, first Version) {
	if n := len(c.keys); n > 0 && c.keys[n-1] == key {
		return // a later event of the same command
	}
	if _, seen := c.place(key); seen {
		return
	}
	c.keys, c.firsts = append(room(c.keys), key), append(room(c.firsts), uint32(first))
	switch {
	case c.places != nil:
		c.places[key] = len(c.keys) - 1
	case len(c.keys) > commandsScanned:
		c.places = make(map[uint64]int, 2*len(c.keys))
		for at, k := range c.keys {
			c.places[k] = at
		}
	}
}

// room makes place for one more with little to spare: there are many lists, and most of them grow seldom.
func room[T any](list []T) []T {
	if len(list) < cap(list) {
		return list
	}
	larger := make([]T, len(list), len(list)+4+len(list)/8)
	copy(larger, list)
	return larger
}

// size is about how many bytes it takes.
func (c *commandIndex) size() int { return 12*cap(c.keys) + 36*len(c.places) }
