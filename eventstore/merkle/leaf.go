// Package merkle makes a log of events tamper-evident: a Merkle tree over all of them (RFC 6962), and checkpoints, which
// are signed notes of how many events there were, what they hash to, and when. Whoever keeps a checkpoint elsewhere can
// tell later whether anything before it was changed, removed or slipped in, without trusting whoever has the log.
//
// docs/auditing.md describes leaves, checkpoints and proofs byte by byte, for checkers that others write.
package merkle

import (
	"encoding/binary"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/urikake/urikake/eventstore"
)

// leafFormat begins every leaf; another layout would begin with another byte.
const leafFormat = 1

// AppendLeaf appends the bytes that stand for the event which is the index-th of its log, from 0. They hold everything
// of it but its position, which another store may count otherwise. No two events have the same bytes: every part has a
// fixed length or stands after its length.
func AppendLeaf(b []byte, index int64, r eventstore.Recorded) []byte {
	b = append(b, leafFormat)
	b = binary.BigEndian.AppendUint64(b, uint64(index))
	b = appendText(b, r.Stream)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Version))
	b = append(b, r.ID[:]...)
	b = appendText(b, r.Kind)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Schema))
	b = binary.BigEndian.AppendUint64(b, uint64(r.At.UnixMicro()))
	b = appendText(b, r.Data)
	return appendText(b, r.Metadata)
}

func appendText[T string | []byte](b []byte, text T) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...)
}

// LeafHash is what stands for the event in the tree. buf is room for its bytes, or nil.
func LeafHash(buf []byte, index int64, r eventstore.Recorded) (tlog.Hash, []byte) {
	buf = AppendLeaf(append(buf[:0], 0), index, r) // 0: RFC 6962's mark of a leaf
	return sum(buf), buf
}
