package privacy

import (
	"crypto/cipher"
	"encoding/binary"
	"sync/atomic"
)

// cipherSlots is how many ciphers are kept for reading, 1 KB each.
const cipherSlots = 8192

// ciphers are those used last, each in the one slot that its key's id names: a replay opens what one person's events say
// again and again, and to make a cipher takes half a microsecond.
type ciphers [cipherSlots]atomic.Pointer[keyed]

type keyed struct {
	key  [keyBytes]byte
	aead cipher.AEAD
}

func (c *ciphers) of(h *held) cipher.AEAD {
	slot := &c[binary.LittleEndian.Uint32(h.id[:])%cipherSlots]
	if made := slot.Load(); made != nil && made.key == h.cipher {
		return made.aead
	}
	made := &keyed{h.cipher, h.aead()}
	slot.Store(made)
	return made.aead
}

// forget lets go of all of them: one is of a key that was destroyed.
func (c *ciphers) forget() {
	for i := range c {
		c[i].Store(nil)
	}
}
