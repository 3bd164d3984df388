package projections

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
)

// spill keeps the full batches of a rebuild in a file, each as rows in key order, until the log has been read. Then
// they are merged and each row of the tables is written once, at the end of what is there, instead of once a batch.
type spill struct {
	file *os.File
	out  *bufio.Writer
	size int64
	runs map[*Table][]run
	buf  []byte
}

// rebuildEnd ends the file's name.
const rebuildEnd = "-rebuild"

// run is where one batch's rows of one table lie.
type run struct{ from, to int64 }

const (
	spillBuffer = 1 << 20
	runBuffer   = 32 << 10 // of each run while they are merged
)

// newSpill makes the file, for its owner only.
func newSpill(path string) (*spill, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, ErrUnavailable.With("%v", err)
	}
	return &spill{file: f, out: bufio.NewWriterSize(f, spillBuffer), runs: make(map[*Table][]run)}, nil
}

// close removes the file.
func (s *spill) close() error {
	return errors.Join(s.file.Close(), os.Remove(s.file.Name()))
}

// add writes a table's rows of a batch.
func (s *spill) add(rs *rows) error {
	if len(rs.list) == 0 {
		return nil
	}
	from := s.size
	for _, r := range rs.sorted() {
		s.buf = r.encode(s.buf[:0])
		if _, err := s.out.Write(s.buf); err != nil {
			return ErrUnavailable.With("%v", err)
		}
		s.size += int64(len(s.buf))
	}
	s.runs[rs.table] = append(s.runs[rs.table], run{from, s.size})
	return nil
}

// mergeRows is how many merged rows are written at a time, while the next ones are being merged.
const mergeRows = 10_000

// merge gives a table's rows in key order, each once, to write, some at a time; they are valid until it returns.
func (s *spill) merge(t *Table, write func([]*Row) error) error {
	if err := s.out.Flush(); err != nil {
		return ErrUnavailable.With("%v", err)
	}
	heap, err := s.readers(t)
	if err != nil || len(heap) == 0 {
		return err
	}
	merged, emptied, failed := make(chan []*Row), make(chan []*Row, 2), make(chan error, 1)
	for range cap(emptied) {
		emptied <- make([]*Row, mergeRows)
	}
	stop := make(chan struct{})
	go func() {
		defer close(merged)
		failed <- mergeRuns(newRows(t, new(int)), heap, emptied, merged, stop)
	}()
	for list := range merged {
		if err == nil {
			if err = write(list); err != nil {
				close(stop)
			}
		}
		emptied <- list[:cap(list)]
	}
	return firstError(err, <-failed)
}

// readers are a table's runs, each on its first row, as a heap.
func (s *spill) readers(t *Table) (heap []*runReader, err error) {
	layout := newRows(t, new(int))
	for age, run := range s.runs[t] {
		r := &runReader{in: bufio.NewReaderSize(io.NewSectionReader(s.file, run.from, run.to-run.from), runBuffer), age: age}
		r.row = layout.blank()
		if err := r.next(); err != nil {
			return nil, unreadableSpill(err)
		}
		heap = append(heap, r)
	}
	slices.SortFunc(heap, func(a, b *runReader) int { // what is sorted is a heap
		return cmp.Or(cmp.Compare(a.row.key, b.row.key), cmp.Compare(a.age, b.age))
	})
	return heap, nil
}

func (rs *rows) blank() Row {
	return Row{of: rs, numbers: make([]int64, len(rs.table.Columns)-rs.texts), texts: make([]string, rs.texts)}
}

// mergeRuns fills lists from emptied with merged rows and sends them on.
func mergeRuns(layout *rows, heap []*runReader, emptied <-chan []*Row, merged chan<- []*Row, stop <-chan struct{}) error {
	list, n := <-emptied, 0
	for len(heap) > 0 {
		top := &heap[0].row
		if n > 0 && list[n-1].key == top.key {
			list[n-1].absorb(top)
		} else {
			if n == len(list) {
				select {
				case merged <- list:
				case <-stop:
					return nil
				}
				list, n = <-emptied, 0
			}
			if list[n] == nil {
				r := layout.blank()
				list[n] = &r
			}
			list[n].copy(top)
			n++
		}
		switch err := heap[0].next(); {
		case errors.Is(err, io.EOF):
			heap[0] = heap[len(heap)-1]
			heap = heap[:len(heap)-1]
		case err != nil:
			return unreadableSpill(err)
		}
		sink(heap)
	}
	select {
	case merged <- list[:n]:
	case <-stop:
	}
	return nil
}

func unreadableSpill(err error) error {
	return ErrUnavailable.With("the rebuild's file can't be read: %v", err)
}

// sink puts the first run where it belongs.
func sink(heap []*runReader) {
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(heap); child++ {
			if heap[child].before(heap[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		heap[i], heap[least] = heap[least], heap[i]
		i = least
	}
}

// runReader stands on a row of a run.
type runReader struct {
	in  *bufio.Reader
	age int // older runs come first among rows of one key
	row Row
}

func (r *runReader) before(o *runReader) bool {
	return r.row.key < o.row.key || r.row.key == o.row.key && r.age < o.age
}

// next reads the next row; io.EOF after the last.
func (r *runReader) next() (err error) {
	if r.row.key, err = readText(r.in); err != nil {
		return err
	}
	given, err := binary.ReadUvarint(r.in)
	r.row.given = uint32(given)
	for i, c := range r.row.of.table.Columns {
		if r.row.given&(1<<i) == 0 || err != nil {
			continue
		}
		if at := r.row.of.slot[i]; c.Type == Text {
			r.row.texts[at], err = readText(r.in)
		} else {
			r.row.numbers[at], err = binary.ReadVarint(r.in)
		}
	}
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func readText(in *bufio.Reader) (string, error) {
	n, err := binary.ReadUvarint(in)
	if err != nil {
		return "", err
	}
	if b, err := in.Peek(int(n)); err == nil {
		text := string(b)
		_, err = in.Discard(int(n))
		return text, err
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(in, b); err != nil {
		return "", io.ErrUnexpectedEOF
	}
	return string(b), nil
}

func (r *Row) encode(b []byte) []byte {
	b = append(binary.AppendUvarint(b, uint64(len(r.key))), r.key...)
	b = binary.AppendUvarint(b, uint64(r.given))
	for i, c := range r.of.table.Columns {
		if r.given&(1<<i) == 0 {
			continue
		}
		if at := r.of.slot[i]; c.Type == Text {
			b = append(binary.AppendUvarint(b, uint64(len(r.texts[at]))), r.texts[at]...)
		} else {
			b = binary.AppendVarint(b, r.numbers[at])
		}
	}
	return b
}

func (r *Row) copy(o *Row) {
	r.key, r.given = o.key, o.given
	copy(r.numbers, o.numbers)
	copy(r.texts, o.texts)
}

// absorb merges what a later batch says of the same row.
func (r *Row) absorb(o *Row) {
	for i, c := range r.of.table.Columns {
		if o.given&(1<<i) == 0 {
			continue
		}
		if at := o.of.slot[i]; c.Type == Text {
			r.PutText(i, o.texts[at])
		} else {
			r.Put(i, o.numbers[at])
		}
	}
}
