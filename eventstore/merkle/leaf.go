// Package merkle makes a log of events tamper-evident: a Merkle tree over all of them (RFC 6962), and checkpoints, which
// are signed notes of how many events there were, what they hash to, and when. Whoever keeps a checkpoint elsewhere can
// tell later whether anything before it was changed, removed or slipped in, without trusting whoever has the log.
//
// docs/auditing.md describes leaves, checkpoints and proofs byte by byte, for checkers that others write.
package merkle

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/urikake/urikake/eventstore"
)

// leafFormat begins every leaf; another layout would begin with another byte.
const leafFormat = 1

// Hasher hashes leaves, one after the other.
type Hasher struct {
	digest hash.Hash
	buf    []byte
	leaf   tlog.Hash
}

// NewHasher makes a Hasher.
func NewHasher() *Hasher { return &Hasher{digest: sha256.New()} }

// Leaf is what stands in the tree for the event which is the index-th of its log, from 0: the hash of everything of it
// but its position, which another store may count otherwise. No two events give the same bytes: every part has a fixed
// length or stands after its length. The large parts are hashed where they are.
func (h *Hasher) Leaf(index int64, r *eventstore.Recorded) tlog.Hash {
	h.digest.Reset()
	b := append(h.buf[:0], 0, leafFormat) // 0: RFC 6962's mark of a leaf
	b = binary.BigEndian.AppendUint64(b, uint64(index))
	b = append(appendLength(b, len(r.Stream)), r.Stream...)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Version))
	b = append(b, r.ID[:]...)
	b = append(appendLength(b, len(r.Kind)), r.Kind...)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Schema))
	b = binary.BigEndian.AppendUint64(b, uint64(r.At.UnixMicro()))
	h.digest.Write(appendLength(b, len(r.Data)))
	h.digest.Write(r.Data)
	h.digest.Write(appendLength(b[:0], len(r.Metadata)))
	h.digest.Write(r.Metadata)
	h.digest.Sum(h.leaf[:0])
	h.buf = b
	return h.leaf
}

func appendLength(b []byte, n int) []byte { return binary.BigEndian.AppendUint32(b, uint32(n)) }

// LeafHash is what a Hasher gives, for one event.
func LeafHash(index int64, r eventstore.Recorded) tlog.Hash { return NewHasher().Leaf(index, &r) }
