package merkle

import (
	"crypto/sha256"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

func sum(b []byte) tlog.Hash { return sha256.Sum256(b) }

// Frontier is the right edge of a tree: enough to add leaves and to tell the root, in O(log n) memory.
type Frontier struct {
	size  int64
	edge  []tlog.Hash // the roots of complete subtrees, largest first: one for each bit of size
	fresh []tlog.Hash
}

// Size is how many leaves there are.
func (f *Frontier) Size() int64 { return f.size }

// Add appends a leaf and gives the hashes to store for it, in the order of tlog.StoredHashIndex; they are valid until
// the next Add. O(1) on average.
func (f *Frontier) Add(leaf tlog.Hash) []tlog.Hash {
	f.fresh = append(f.fresh[:0], leaf)
	for range bits.TrailingZeros64(^uint64(f.size)) { // subtrees that it completes
		last := len(f.edge) - 1
		leaf = tlog.NodeHash(f.edge[last], leaf)
		f.edge = f.edge[:last]
		f.fresh = append(f.fresh, leaf)
	}
	f.edge = append(f.edge, leaf)
	f.size++
	return f.fresh
}

// Root is the root of the tree.
func (f *Frontier) Root() tlog.Hash {
	if f.size == 0 {
		return sum(nil)
	}
	root := f.edge[len(f.edge)-1]
	for i := len(f.edge) - 2; i >= 0; i-- {
		root = tlog.NodeHash(f.edge[i], root)
	}
	return root
}

// frontier finds the right edge of a stored tree.
func frontier(size int64, from tlog.HashReader) (*Frontier, error) {
	f := &Frontier{size: size}
	var at []int64
	for level, done := 62, int64(0); level >= 0; level-- {
		if width := int64(1) << level; size&width != 0 {
			at = append(at, tlog.StoredHashIndex(level, done>>level))
			done += width
		}
	}
	var err error
	f.edge, err = from.ReadHashes(at)
	return f, err
}
