package ledger

import (
	"hash/maphash"
	"strings"
	"sync"

	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/receipt"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
)

// A stream knows the keys of its own commands for ever. That the same key was sent to another account, or for another
// customer, no stream can tell: for that the most recent keys of all streams are remembered here.

// KeysMax is how many commands are remembered over all streams: the most recent ones, in 24 bytes each.
const KeysMax = 1 << 19

// use is one key used for one content. Both are 64-bit hashes under a seed that nobody outside knows, so nobody can
// make two keys meet.
type use struct{ key, content uint64 }

// several stands for the contents of a key that the log has with more than one: the streams tell them apart.
const several = 0

// usedKeys remembers the last uses in a ring, with a hash table of places in it.
type usedKeys struct {
	seed maphash.Seed

	mu       sync.Mutex
	recent   []use    // grows to its capacity, then the oldest makes room
	oldest   int      // once it is full
	places   []uint32 // open addressing: a place in recent + 1, 0 for none; at most half of them are taken
	underWay map[uint64]sent
	read     eventstore.Position // the log is known up to here
	moved    chan struct{}       // closed, and replaced, when read rises

	shared  bool          // others append to the log as well
	reading chan struct{} // full while somebody reads it
}

// sent is what is under way under a key.
type sent struct {
	content uint64
	times   int
}

// newKeys remembers most uses, a power of two. Memory that is not used yet is not taken from the system.
func newKeys(most int) *usedKeys {
	return &usedKeys{
		seed: maphash.MakeSeed(), recent: make([]use, 0, most), places: make([]uint32, 2*most),
		underWay: make(map[uint64]sent), moved: make(chan struct{}), reading: make(chan struct{}, 1),
	}
}

// claim notes a command as under way, until settle. Refuses command.id_reused.
func (k *usedKeys) claim(stream string, env eventstore.Envelope) (use, error) {
	if k == nil || env.Internal {
		return use{}, nil
	}
	realm, base := realmOf(stream)
	u := k.use(realm, base, env.CommandID, env.Hash)
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.underWay[u.key]
	other := now.times > 0 && now.content != u.content
	if slot, ok := k.find(u.key); ok && !other {
		was := k.recent[k.places[slot]-1].content
		other = was != u.content && was != several
	}
	if other {
		return use{}, eventstore.ErrKeyReused.With("%s was another command, or one for another account", env.CommandID).At("/command_id")
	}
	k.underWay[u.key] = sent{u.content, now.times + 1}
	return u, nil
}

// settle ends what claim began: err is what became of the command.
func (k *usedKeys) settle(u use, err error) {
	if k == nil || u == (use{}) {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := k.underWay[u.key]; now.times > 1 {
		k.underWay[u.key] = sent{now.content, now.times - 1}
	} else {
		delete(k.underWay, u.key)
	}
	if err == nil || outcomeUnknown(err) {
		k.remember(u)
	}
}

// use is only as good as its parts are apart: no id has a zero byte.
func (k *usedKeys) use(realm, base, id, hash string) use {
	var h maphash.Hash
	h.SetSeed(k.seed)
	h.WriteString(realm)
	h.WriteByte(0)
	h.WriteString(id)
	key := h.Sum64()
	h.Reset()
	h.WriteString(base)
	h.WriteByte(0)
	h.WriteString(hash)
	return use{key, max(h.Sum64(), several+1)}
}

// remember puts a use in the place of the oldest one. O(1).
func (k *usedKeys) remember(u use) {
	slot, known := k.find(u.key)
	if known {
		if was := &k.recent[k.places[slot]-1]; was.content != u.content {
			was.content = several
		}
		return
	}
	at := len(k.recent)
	if at < cap(k.recent) {
		k.recent = append(k.recent, u)
	} else {
		at = k.oldest
		k.oldest = (at + 1) % len(k.recent)
		k.forget(k.recent[at].key)
		slot, _ = k.find(u.key) // others have moved up
		k.recent[at] = u
	}
	k.places[slot] = uint32(at + 1)
}

// find gives the slot of a key, or the empty one where it belongs.
func (k *usedKeys) find(key uint64) (slot int, ok bool) {
	mask := len(k.places) - 1
	for slot = int(key) & mask; k.places[slot] != 0; slot = (slot + 1) & mask {
		if k.recent[k.places[slot]-1].key == key {
			return slot, true
		}
	}
	return slot, false
}

// forget empties a key's slot; those behind it that would no longer be found move up.
func (k *usedKeys) forget(key uint64) {
	hole, ok := k.find(key)
	if !ok {
		return
	}
	mask := len(k.places) - 1
	for slot := (hole + 1) & mask; k.places[slot] != 0; slot = (slot + 1) & mask {
		home := int(k.recent[k.places[slot]-1].key) & mask
		if (slot-home)&mask >= (slot-hole)&mask {
			k.places[hole], hole = k.places[slot], slot
		}
	}
	k.places[hole] = 0
}

// realmOf tells within what a stream's keys are unique, its seller, and the stream without the period in which an
// account stands. Other streams share one realm, and the content alone tells their commands apart.
func realmOf(stream string) (realm, base string) {
	kind, rest, _ := strings.Cut(stream, "-")
	switch kind {
	case "seller", "customer", "receipt", "policy", "dunning", "dunningrun":
		realm, _, _ = strings.Cut(rest, ".")
		return realm, stream
	case "account":
		realm, rest, _ = strings.Cut(rest, ".")
		_, rest, _ = strings.Cut(rest, ".")
		_, period, carried := strings.Cut(rest, ".")
		if carried {
			stream = stream[:len(stream)-len(period)-1]
		}
		return realm, stream
	}
	return "", ""
}

// streamOf is the first stream of what a command is about; "" where it is no seller's.
func streamOf(c interface{ Name() string }) string {
	switch c := c.(type) {
	case seller.Command:
		return seller.Decider.Stream(c)
	case customer.Command:
		return c.Of().Stream()
	case account.Command:
		return c.Account().Stream()
	case receipt.Command:
		return c.Of().Stream()
	case dunning.PolicyCommand:
		return dunning.PolicyStream(c.Of())
	case dunning.Command:
		return c.Case().Stream()
	case dunning.RunCommand:
		return c.Of().Stream()
	}
	return ""
}
