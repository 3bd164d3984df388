package projections

import (
	"slices"
	"strings"

	"github.com/urikake/urikake/eventstore"
)

// rowsMax is how many rows a batch may touch before it is written. Larger batches touch each page of the tables less
// often; a row waiting takes some 250 bytes.
const rowsMax = 50_000

// sizes bound what is held in memory.
type sizes struct {
	batch int // rows in a batch, about
	names int // accounts remembered in each of two generations
}

// Writer takes what folds say and merges it row by row in memory. A full batch is written in one transaction with
// the checkpoint while the next one is being filled.
type Writer struct {
	db     *database
	suffix string                   // of the tables' names: tables beside, while they are rebuilt
	write  func(*batch, mark) error // one transaction
	most   sizes

	filling *batch
	spare   *batch     // emptied, or being written
	written chan error // result of the batch being written; nil when none is
	names   *accountIDs
	err     error
	key     []byte
}

// mark is an event in the log, by more than its position, so that another log is told apart.
type mark struct {
	position eventstore.Position
	event    string // its id
	at       int64  // when it was recorded, in microseconds
}

func markOf(r eventstore.Recorded) mark { return mark{r.Position, r.ID.String(), r.At.UnixMicro()} }

// newWriter fills tables whose names end in suffix; empty tells that nothing stands in them yet.
func newWriter(db *database, suffix string, empty bool, most sizes, write func(*batch, mark) error) *Writer {
	return &Writer{db: db, suffix: suffix, write: write, most: most, filling: newBatch(), spare: newBatch(), names: newAccountIDs(empty, most.names)}
}

// Row gives the changes to the row with that key, which begin as none.
func (w *Writer) Row(t *Table, key ...Value) *Row {
	w.key = w.key[:0]
	for _, v := range key {
		w.key = appendKey(w.key, v)
	}
	return w.filling.rows(t).row(w.key)
}

// full tells that the batch should be written.
func (w *Writer) full() bool { return w.filling.size >= w.most.batch }

// flush begins to write the batch, up to and with the event at m, and returns when the one before is written.
func (w *Writer) flush(m mark) error {
	if err := w.settle(); err != nil {
		return err
	}
	b := w.filling
	w.filling, w.spare = w.spare, b
	done := make(chan error, 1)
	w.written = done
	go func() {
		err := w.write(b, m)
		b.reset()
		done <- err
	}()
	return nil
}

// settle waits for the batch being written. An error stays: nothing may be folded after a batch that is lost.
func (w *Writer) settle() error {
	if w.written != nil {
		if err := <-w.written; w.err == nil {
			w.err = err
		}
		w.written = nil
	}
	return w.err
}

// batch is rows by table.
type batch struct {
	tables map[*Table]*rows
	order  []*rows
	size   int
}

func newBatch() *batch { return &batch{tables: make(map[*Table]*rows)} }

func (b *batch) rows(t *Table) *rows {
	rs := b.tables[t]
	if rs == nil {
		rs = newRows(t, &b.size)
		b.tables[t] = rs
		b.order = append(b.order, rs)
	}
	return rs
}

func (b *batch) reset() {
	for _, rs := range b.order {
		rs.reset()
	}
	b.size = 0
}

// rows are one table's changes in a batch.
type rows struct {
	table *Table
	byKey map[string]*Row
	list  []*Row
	size  *int

	slot  []int // a column's place among its row's numbers or texts
	texts int   // how many columns are texts
	slab  []Row
	free  []int64
}

func newRows(t *Table, size *int) *rows {
	rs := &rows{table: t, byKey: make(map[string]*Row), size: size}
	numbers := 0
	for _, c := range t.Columns {
		if c.Type == Text {
			rs.slot = append(rs.slot, rs.texts)
			rs.texts++
		} else {
			rs.slot = append(rs.slot, numbers)
			numbers++
		}
	}
	return rs
}

const slabRows = 256

func (rs *rows) row(key []byte) *Row {
	if r := rs.byKey[string(key)]; r != nil {
		return r
	}
	if len(rs.slab) == 0 {
		rs.slab = make([]Row, slabRows)
		rs.free = make([]int64, slabRows*(len(rs.table.Columns)-rs.texts))
	}
	r, n := &rs.slab[0], len(rs.table.Columns)-rs.texts
	r.of, r.key, r.numbers = rs, string(key), rs.free[:n:n]
	rs.slab, rs.free = rs.slab[1:], rs.free[n:]
	rs.byKey[r.key] = r
	rs.list = append(rs.list, r)
	*rs.size++
	return r
}

// sorted is the rows in key order.
func (rs *rows) sorted() []*Row {
	slices.SortFunc(rs.list, func(a, b *Row) int { return strings.Compare(a.key, b.key) })
	return rs.list
}

// reset forgets the rows. The map of a large batch is dropped when small ones follow.
func (rs *rows) reset() {
	if len(rs.list) < rowsMax/16 && cap(rs.list) > rowsMax/4 {
		rs.byKey, rs.list = make(map[string]*Row), nil
		return
	}
	clear(rs.byKey)
	clear(rs.list)
	rs.list = rs.list[:0]
}

// Row is what a batch changes in one row.
type Row struct {
	of      *rows
	key     string
	given   uint32 // bit i: column i has a value
	numbers []int64
	texts   []string
}

// Put gives an integer column a value, or one more: the column's rule says what becomes of both.
func (r *Row) Put(column int, n int64) *Row {
	at, bit := r.of.slot[column], uint32(1)<<column
	switch merge := r.of.table.Columns[column].Merge; {
	case r.given&bit == 0 || merge == Set:
		r.numbers[at] = n
	case merge == Add:
		r.numbers[at] += n
	default:
		r.numbers[at] = max(r.numbers[at], n)
	}
	r.given |= bit
	return r
}

// PutText gives a text column a value.
func (r *Row) PutText(column int, s string) *Row {
	if r.texts == nil {
		r.texts = make([]string, r.of.texts)
	}
	r.texts[r.of.slot[column]] = s
	r.given |= 1 << column
	return r
}
