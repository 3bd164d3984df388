package merkle

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/urikake/urikake/eventstore"
)

// Below the data directory: hashes in the order of tlog.StoredHashIndex, 32 bytes each; the positions of the leaves,
// 8 bytes each; up to where both are whole; and the checkpoints, a file each.
const (
	dirName      = "audit"
	hashesFile   = "hashes"
	placesFile   = "positions"
	markFile     = "mark"
	checkpoints  = "checkpoints"
	noteEnd      = ".note"
	placeSize    = 8
	writeBuffer  = 1 << 18
	directories  = 0o700
	ownerOnly    = 0o600
	everyoneRead = 0o644
)

// mark is up to where the files are whole: it is written when they are synced.
type mark struct {
	Size     int64               `json:"size"`
	Position eventstore.Position `json:"position"`
	Root     tlog.Hash           `json:"root"`
}

// files are a stored tree. What is appended is buffered until flush.
type files struct {
	dir            string
	hashes, places *os.File
	hashesOut      *bufio.Writer
	placesOut      *bufio.Writer
}

func openFiles(dir string) (f *files, err error) {
	if err := os.MkdirAll(filepath.Join(dir, checkpoints), directories); err != nil {
		return nil, err
	}
	f = &files{dir: dir}
	for _, part := range []struct {
		file **os.File
		out  **bufio.Writer
		name string
	}{{&f.hashes, &f.hashesOut, hashesFile}, {&f.places, &f.placesOut, placesFile}} {
		if *part.file, err = os.OpenFile(filepath.Join(dir, part.name), os.O_RDWR|os.O_CREATE, ownerOnly); err != nil {
			return nil, errors.Join(err, f.close())
		}
		*part.out = bufio.NewWriterSize(*part.file, writeBuffer)
	}
	return f, nil
}

func (f *files) close() (err error) {
	for _, file := range []*os.File{f.hashes, f.places} {
		if file != nil {
			err = errors.Join(err, file.Close())
		}
	}
	return err
}

// resume finds the tree up to the mark, and forgets what was written after it and perhaps not whole. A tree that does
// not have the root which the mark says is none.
func (f *files) resume() (m mark, edge *Frontier, err error) {
	b, err := os.ReadFile(filepath.Join(f.dir, markFile))
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err == nil && m.Size >= 0 {
		if edge, err = frontier(m.Size, f); err == nil && edge.Root() == m.Root {
			return m, edge, f.truncate(m.Size)
		}
	}
	return mark{}, &Frontier{}, f.truncate(0)
}

func (f *files) truncate(size int64) error {
	for file, length := range map[*os.File]int64{f.hashes: tlog.StoredHashCount(size) * tlog.HashSize, f.places: size * placeSize} {
		if err := file.Truncate(length); err != nil {
			return err
		}
		if _, err := file.Seek(length, io.SeekStart); err != nil {
			return err
		}
	}
	f.hashesOut.Reset(f.hashes)
	f.placesOut.Reset(f.places)
	return nil
}

func (f *files) add(hashes []tlog.Hash, at eventstore.Position) error {
	for i := range hashes {
		if _, err := f.hashesOut.Write(hashes[i][:]); err != nil {
			return err
		}
	}
	var place [placeSize]byte
	binary.BigEndian.PutUint64(place[:], uint64(at))
	_, err := f.placesOut.Write(place[:])
	return err
}

func (f *files) flush() error { return errors.Join(f.hashesOut.Flush(), f.placesOut.Flush()) }

// keep makes everything up to m durable.
func (f *files) keep(m mark) error {
	if err := errors.Join(f.flush(), f.hashes.Sync(), f.places.Sync()); err != nil {
		return err
	}
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return replace(filepath.Join(f.dir, markFile), b, ownerOnly)
}

// ReadHashes gives stored hashes.
func (f *files) ReadHashes(at []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(at))
	for i, index := range at {
		if _, err := f.hashes.ReadAt(list[i][:], index*tlog.HashSize); err != nil {
			return nil, fmt.Errorf("%s, hash %d: %w", f.hashes.Name(), index, err)
		}
	}
	return list, nil
}

// place is the position of a leaf's event.
func (f *files) place(index int64) (eventstore.Position, error) {
	var b [placeSize]byte
	_, err := f.places.ReadAt(b[:], index*placeSize)
	return eventstore.Position(binary.BigEndian.Uint64(b[:])), err
}

// saveCheckpoint keeps a note under its size and its key.
func (f *files) saveCheckpoint(c Checkpoint) error {
	name := fmt.Sprintf("%012d.%s%s", c.Size, keyOf(c.Note), noteEnd)
	return replace(filepath.Join(f.dir, checkpoints, name), []byte(c.Note), everyoneRead)
}

// StoredNotes are the checkpoints that stand beside the ledger in dir: what their files hold, by the files' names.
func StoredNotes(dir string) (names []string, notes map[string]string, err error) {
	at := filepath.Join(dir, dirName, checkpoints)
	entries, err := os.ReadDir(at)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	notes = make(map[string]string)
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), noteEnd) || err != nil {
			continue
		}
		var b []byte
		b, err = os.ReadFile(filepath.Join(at, e.Name()))
		names, notes[e.Name()] = append(names, e.Name()), string(b)
	}
	slices.Sort(names)
	return names, notes, err
}

// replace writes a file as a whole: after a crash the old one stands there or the new one.
func replace(path string, b []byte, mode fs.FileMode) error {
	temporary := path + ".new"
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	_ = d.Sync() // Windows can't
	return d.Close()
}
