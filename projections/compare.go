package projections

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urikake/urikake/eventstore"
)

// Comparison is what came of comparing read models, row by row, with what the log gives.
type Comparison struct {
	Position    eventstore.Position // up to where they are folded; 0: they are not there
	Rows        int64               // that were compared
	Stale       []string            // models that were not compared: they will be folded again by themselves
	Found       int64               // rows that differ
	Differences []RowDifference     // the first of them
}

// RowDifference is a row that is not what the log gives.
type RowDifference struct {
	Table string
	Key   string
	Want  string // by the log, the columns that differ; "": no such row
	Have  string // in the file, the same; "": no such row
}

// differencesMax is how many differences are told of; the others are counted.
const differencesMax = 100

// Log is where a comparison gets its events.
type Log struct {
	Store  eventstore.Store
	Codec  *eventstore.Codec
	Replay func(upTo eventstore.Position) iter.Seq2[eventstore.Replayed, error] // every event, decoded; nil: read from Store
}

// Compare folds the log again, aside in a scratch directory, up to where the read models in dir stand, and compares
// every row. It reads the live tables as they are at the call, whoever else uses them, and changes nothing; damage of
// theirs is a difference, too. Refuses what reading and decoding the log refuse, and views.unavailable.
// O(events + rows); memory is bounded.
func Compare(ctx context.Context, dir, scratch string, log Log, tell func(done, total eventstore.Position)) (c Comparison, err error) {
	path := filepath.Join(dir, fileName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	aside, err := Open(scratch, log.Store, log.Codec)
	if err != nil {
		return c, err
	}
	defer func() { err = firstError(err, aside.Close()) }()
	live := &database{path: path, readers: newReaders()}
	defer live.readers.close()
	k := &comparing{Comparison: &c, aside: aside, replay: log.Replay, tell: tell}
	_, err = live.look(ctx, false, func(r *reader) error { return k.all(ctx, r) })
	if isDamage(err) && ctx.Err() == nil {
		k.differ("", "", "", "the file is damaged: "+err.Error())
		err = nil
	}
	return c, err
}

// Compare is Compare for read models that are in use, in a scratch directory of its own.
func (v *Views) Compare(ctx context.Context, tell func(done, total eventstore.Position)) (c Comparison, err error) {
	scratch, err := os.MkdirTemp("", "urikake-compare-")
	if err != nil {
		return c, ErrUnavailable.With("%v", err)
	}
	defer os.RemoveAll(scratch)
	return Compare(ctx, v.dir(), scratch, Log{Store: v.store, Codec: v.codec}, tell)
}

type comparing struct {
	*Comparison
	aside  *Views
	replay func(upTo eventstore.Position) iter.Seq2[eventstore.Replayed, error]
	tell   func(done, total eventstore.Position)
}

func (c *comparing) differ(table, key, want, have string) {
	if c.Found++; len(c.Differences) < differencesMax {
		c.Differences = append(c.Differences, RowDifference{table, key, want, have})
	}
}

func (c *comparing) all(ctx context.Context, live *reader) error {
	at, models, err := c.standing(live)
	if err != nil || at.position == 0 {
		return err
	}
	c.Position = at.position
	fits, err := c.aside.fits(ctx, at)
	if err != nil {
		return err
	}
	if !fits {
		c.differ("views_mark", "", "an event of the log", fmt.Sprintf("event %s at position %d", at.event, at.position))
		return nil
	}
	db := c.aside.db
	if err := db.script(besideTables(models)...); err != nil {
		return err
	}
	s, err := newSpill(db.path + rebuildEnd)
	if err != nil {
		return err
	}
	defer s.close()
	told := func(done eventstore.Position, _ uint64) {
		if c.tell != nil {
			c.tell(done, at.position)
		}
	}
	events := c.aside.replay(ctx, models, 0, at.position)
	if c.replay != nil {
		events = c.replay(at.position)
	}
	if _, err := c.aside.foldInto(s, db, models, events, told); err != nil {
		return err
	}
	for _, m := range models {
		for _, t := range m.Tables {
			if err := c.table(s, t, live); err != nil {
				return err
			}
		}
	}
	return nil
}

// standing is up to where the live tables are folded, and the models that can be compared.
func (c *comparing) standing(live *reader) (at mark, models []Model, err error) {
	if at, err = readMark(live); err != nil {
		return at, nil, err
	}
	versions, err := live.models()
	for _, m := range c.aside.models {
		if versions[m.Name] == (version{m.Version, m.tables()}) {
			models = append(models, m)
		} else {
			c.Stale = append(c.Stale, m.Name)
		}
	}
	return at, models, err
}

// table walks through both sides of one table in the order of its key.
func (c *comparing) table(s *spill, t *Table, live *reader) error {
	have := &liveRows{table: t, cursor: live.rows("SELECT " + columnList(append(append([]Column(nil), t.Key...), t.Columns...)) + " FROM " + t.Name + " ORDER BY " + columnList(t.Key))}
	defer have.cursor.close()
	have.next()
	err := s.merge(t, func(wanted []*Row) error {
		for _, want := range wanted {
			for !have.ended && have.key < want.key {
				c.differ(t.Name, showKey(t, have.key), "", have.show(nil))
				have.next()
			}
			c.Rows++
			switch {
			case have.ended || have.key > want.key:
				c.differ(t.Name, showKey(t, want.key), want.show(nil), "")
			default:
				if columns := have.differences(want); len(columns) > 0 {
					c.differ(t.Name, showKey(t, want.key), want.show(columns), have.show(columns))
				}
				have.next()
			}
		}
		return have.cursor.err
	})
	for ; err == nil && !have.ended; have.next() {
		c.differ(t.Name, showKey(t, have.key), "", have.show(nil))
	}
	return firstError(err, have.cursor.err)
}

// liveRows stands on a row of a live table.
type liveRows struct {
	table  *Table
	cursor *cursor
	buf    []byte
	key    string
	ended  bool
}

func (l *liveRows) next() {
	if l.ended = !l.cursor.next(); l.ended {
		return
	}
	l.buf = l.buf[:0]
	for i, column := range l.table.Key {
		if column.Type == Text {
			l.buf = appendKey(l.buf, Str(l.cursor.text(i)))
		} else {
			l.buf = appendKey(l.buf, Int(l.cursor.int(i)))
		}
	}
	l.key = string(l.buf)
}

// differences are the columns in which it is not as it should be.
func (l *liveRows) differences(want *Row) (columns []int) {
	for i, column := range l.table.Columns {
		at := len(l.table.Key) + i
		if column.Type == Text && l.cursor.text(at) != want.textOf(i) || column.Type == Integer && l.cursor.int(at) != want.numberOf(i) {
			columns = append(columns, i)
		}
	}
	return columns
}

func (l *liveRows) show(columns []int) string {
	return showColumns(l.table, columns, func(i int) string { return l.cursor.text(len(l.table.Key) + i) })
}

// textOf and numberOf are what a row has in a column: what was never given is empty or 0.
func (r *Row) textOf(column int) string {
	if r.given&(1<<column) == 0 {
		return ""
	}
	return r.texts[r.of.slot[column]]
}

func (r *Row) numberOf(column int) int64 {
	if r.given&(1<<column) == 0 {
		return 0
	}
	return r.numbers[r.of.slot[column]]
}

func (r *Row) show(columns []int) string {
	return showColumns(r.of.table, columns, func(i int) string {
		if r.of.table.Columns[i].Type == Text {
			return r.textOf(i)
		}
		return fmt.Sprint(r.numberOf(i))
	})
}

// showColumns shows some columns of a row; nil: all of them.
func showColumns(t *Table, columns []int, value func(int) string) string {
	if len(t.Columns) == 0 {
		return "a row"
	}
	var parts []string
	for i, c := range t.Columns {
		if columns == nil || slices.Contains(columns, i) {
			parts = append(parts, c.Name+"="+value(i))
		}
	}
	return strings.Join(parts, " ")
}

func showKey(t *Table, key string) string {
	parts := make([]string, len(t.Key))
	for i, c := range t.Key {
		var v Value
		if v, key = cutKey(key, c.Type); v.isText {
			parts[i] = c.Name + "=" + v.text
		} else {
			parts[i] = fmt.Sprintf("%s=%d", c.Name, v.number)
		}
	}
	return strings.Join(parts, " ")
}
