package merkle

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"
	"sort"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/urikake/urikake/eventstore"
)

// Stored is a tree as its files have it, for an audit, which compares it with the log.
type Stored struct {
	size           int64
	hashes, places window
}

// OpenStored opens the tree in the data directory; nil where there is none.
func OpenStored(data string) (*Stored, error) {
	dir := filepath.Join(data, dirName)
	hashes, err := os.Open(filepath.Join(dir, hashesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	places, err := os.Open(filepath.Join(dir, placesFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, hashes.Close())
	}
	s := &Stored{hashes: window{file: hashes}, places: window{file: places}}
	return s, s.measure(filepath.Join(dir, markFile))
}

// measure finds the size: the mark's, as far as the hashes reach.
func (s *Stored) measure(markPath string) error {
	info, err := s.hashes.file.Stat()
	if err != nil {
		return err
	}
	whole := int64(sort.Search(int(info.Size()/tlog.HashSize)+1, func(n int) bool {
		return tlog.StoredHashCount(int64(n)+1)*tlog.HashSize > info.Size()
	}))
	s.size = whole
	var m mark
	if b, err := os.ReadFile(markPath); err == nil && json.Unmarshal(b, &m) == nil && m.Size >= 0 {
		s.size = min(whole, m.Size)
	}
	return nil
}

// Close ends the use of the files.
func (s *Stored) Close() error { return errors.Join(s.hashes.close(), s.places.close()) }

// Size is how many leaves there are.
func (s *Stored) Size() int64 { return s.size }

// Hashes are those that were stored with a leaf: its own, and of the subtrees that it completes. They are valid until
// the next call.
func (s *Stored) Hashes(index int64) ([]tlog.Hash, error) {
	n := 1 + bits.TrailingZeros64(^uint64(index))
	b, err := s.hashes.read(tlog.StoredHashIndex(0, index)*tlog.HashSize, n*tlog.HashSize)
	if err != nil {
		return nil, err
	}
	list := make([]tlog.Hash, n)
	for i := range list {
		copy(list[i][:], b[i*tlog.HashSize:])
	}
	return list, nil
}

// Position is where a leaf's event stood; 0 where that is not known.
func (s *Stored) Position(index int64) eventstore.Position {
	b, err := s.places.read(index*placeSize, placeSize)
	if err != nil {
		return 0
	}
	return eventstore.Position(binary.BigEndian.Uint64(b))
}

// window reads a file in large pieces.
type window struct {
	file *os.File // nil: there is none
	from int64
	buf  []byte
}

func (w *window) close() error {
	if w.file == nil {
		return nil
	}
	return w.file.Close()
}

func (w *window) read(at int64, n int) ([]byte, error) {
	if at < w.from || at+int64(n) > w.from+int64(len(w.buf)) {
		if w.file == nil {
			return nil, fs.ErrNotExist
		}
		if w.buf == nil {
			w.buf = make([]byte, writeBuffer)
		}
		got, err := w.file.ReadAt(w.buf[:cap(w.buf)], at)
		if w.from, w.buf = at, w.buf[:got]; got < n {
			return nil, err
		}
	}
	return w.buf[at-w.from:][:n], nil
}
