package projections

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/urikake/urikake/domain"
)

// This file and sql_read.go are all that know SQLite. Queries elsewhere keep to SQL that PostgreSQL reads too.

var (
	ErrUnavailable = &domain.Error{
		Code: domain.Unavailable, Rule: "views.unavailable",
		Text: "the read models can't be read or written now",
	}
	ErrDamaged = &domain.Error{
		Code: domain.Unavailable, Rule: "views.damaged",
		Text: "the read models are damaged and will be folded again from the log; ask again",
	}
)

const (
	applicationID = 0x75726b76 // "urkv"
	format        = 2          // of the tables that are no model's; raised when they change
	readersMax    = 6          // connections that read at the same time
	busyMax       = 10 * time.Second
)

// The tables beside the models': which model stands in which version, up to which event all are folded, and of how many
// erased customers nothing is left in the file.
const ownTables = `
CREATE TABLE views_models (name TEXT PRIMARY KEY, version INTEGER NOT NULL, tables TEXT NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE views_mark (position INTEGER NOT NULL, event TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
INSERT INTO views_mark VALUES (0, '', 0);
CREATE TABLE views_scrubbed (erased INTEGER NOT NULL) STRICT;
INSERT INTO views_scrubbed VALUES (0);
`

// unscrubbed says that somebody who was erased may stand in the file's free room.
const unscrubbed = "UPDATE views_scrubbed SET erased = -1"

// database is a file with one connection that writes and some that read.
type database struct {
	path    string
	mu      sync.Mutex // of the writing connection
	conn    *sqlite.Conn
	closed  bool // then conn must not be touched
	upserts map[upsertKey]*sqlite.Stmt
	readers *readers
}

type upsertKey struct {
	table  *Table
	suffix string
	given  uint32
}

// openDatabase opens the file, or makes it; one that is not ours, or is too damaged to be opened, is made anew.
func openDatabase(path string) (*database, error) {
	d, err := tryOpen(path)
	if err != nil && (isDamage(err) || errors.Is(err, errForeign)) {
		if err = removeDatabase(path); err == nil {
			d, err = tryOpen(path)
		}
	}
	if err != nil {
		return nil, ErrUnavailable.With("%s: %v", path, err)
	}
	return d, nil
}

var errForeign = errors.New("the file is not a views.db of this format")

func tryOpen(path string) (*database, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) // before SQLite does, which would let others read it
	if err != nil {
		return nil, err
	}
	file.Close()
	os.Remove(path + rebuildEnd) // of a process that was killed
	conn, err := connect(path, "page_size = 8192", "journal_mode = WAL", "synchronous = NORMAL", "cache_size = -16384", "wal_autocheckpoint = 4096", "journal_size_limit = 67108864")
	if err != nil {
		return nil, err
	}
	if err := establish(conn); err != nil {
		conn.Close()
		return nil, err
	}
	d := &database{path: path, conn: conn, upserts: make(map[upsertKey]*sqlite.Stmt), readers: newReaders()}
	return d, nil
}

func connect(path string, pragmas ...string) (*sqlite.Conn, error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(busyMax)
	for _, pragma := range pragmas {
		if err := sqlitex.ExecuteTransient(conn, "PRAGMA "+pragma, nil); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

func establish(conn *sqlite.Conn) error {
	var facts [3]int64
	for i, query := range []string{"PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_schema"} {
		var err error
		if facts[i], _, err = askOn(conn, query); err != nil {
			return err
		}
	}
	switch facts {
	case [3]int64{}:
		return sqlitex.ExecuteScript(conn, fmt.Sprintf("%s PRAGMA application_id = %d; PRAGMA user_version = %d;",
			ownTables, applicationID, format), nil)
	case [3]int64{applicationID, format, facts[2]}:
		return nil
	}
	return errForeign
}

func removeDatabase(path string) (err error) {
	for _, end := range []string{"", "-wal", "-shm", rebuildEnd} {
		if e := os.Remove(path + end); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// close waits for whoever reads.
func (d *database) close() error {
	err := d.readers.close()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	return errors.Join(err, d.conn.Close())
}

func isDamage(err error) bool {
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultCorrupt, sqlite.ResultNotADB:
		return true
	}
	return errors.Is(err, ErrDamaged)
}

// fault makes a refusal of what SQLite says.
func fault(ctx context.Context, err error) error {
	var refusal *domain.Error
	switch {
	case err == nil || errors.As(err, &refusal):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case isDamage(err):
		return ErrDamaged.With("%v", err)
	}
	return ErrUnavailable.With("%v", err)
}

// tables is what a model's tables look like, as text; a model is folded again when it changes.
func (m Model) tables() string {
	var b strings.Builder
	for _, t := range m.Tables {
		b.WriteString(createTable(t, "") + ";\n")
		for _, index := range t.Indexes {
			b.WriteString(createIndex(t, index) + ";\n")
		}
	}
	return b.String()
}

func createTable(t *Table, suffix string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (", t.Name+suffix)
	for _, c := range t.Key {
		fmt.Fprintf(&b, "%s %s NOT NULL, ", c.Name, [...]string{"INTEGER", "TEXT"}[c.Type])
	}
	for _, c := range t.Columns {
		fmt.Fprintf(&b, "%s %s, ", c.Name, [...]string{"INTEGER NOT NULL DEFAULT 0", "TEXT NOT NULL DEFAULT ''"}[c.Type])
	}
	fmt.Fprintf(&b, "PRIMARY KEY (%s)) WITHOUT ROWID, STRICT", columnList(t.Key))
	return b.String()
}

func createIndex(t *Table, i Index) string {
	where := ""
	if i.Where != "" {
		where = " WHERE " + i.Where
	}
	return fmt.Sprintf("CREATE INDEX %s_by_%s ON %s (%s)%s", t.Name, strings.Join(i.Columns, "_"), t.Name, strings.Join(i.Columns, ", "), where)
}

func columnList(columns []Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// upsert writes one row's given columns: a new row, or each column merged with what is there by its rule.
func upsert(k upsertKey) string {
	columns, marks := columnList(k.table.Key), strings.Repeat(", ?", len(k.table.Key))
	var updates []string
	for i, c := range k.table.Columns {
		if k.given&(1<<i) == 0 {
			continue
		}
		columns, marks = columns+", "+c.Name, marks+", ?"
		old := k.table.Name + k.suffix + "." + c.Name
		updates = append(updates, c.Name+" = "+[...]string{
			Set: "excluded." + c.Name,
			Add: old + " + excluded." + c.Name,
			Max: "max(" + old + ", excluded." + c.Name + ")",
		}[c.Merge])
	}
	then := "NOTHING"
	if len(updates) > 0 {
		then = "UPDATE SET " + strings.Join(updates, ", ")
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) ON CONFLICT (%s) DO %s",
		k.table.Name+k.suffix, columns, marks[2:], columnList(k.table.Key), then)
}

// transact runs work on the writing connection, all or nothing.
func (d *database) transact(work func(conn *sqlite.Conn) error) (err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return errClosed
	}
	end, err := sqlitex.ImmediateTransaction(d.conn)
	if err == nil {
		err = work(d.conn)
		end(&err)
	}
	return fault(context.Background(), err)
}

// script runs statements as one transaction.
func (d *database) script(statements ...string) error {
	return d.transact(func(conn *sqlite.Conn) error {
		for _, s := range statements {
			if err := sqlitex.ExecuteTransient(conn, s, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// takePlace puts the tables beside in the place of the live ones, in one transaction, and moves the mark to m unless m
// is zero. Indexes are made now, which is faster than to keep them while rows come in.
func (d *database) takePlace(models []Model, m mark) error {
	defer d.checkpoint()
	return d.transact(func(conn *sqlite.Conn) error {
		for _, model := range models {
			for _, t := range model.Tables {
				statements := []string{
					"DROP TABLE IF EXISTS " + t.Name,
					fmt.Sprintf("ALTER TABLE %s RENAME TO %s", t.Name+besideSuffix, t.Name),
				}
				for _, index := range t.Indexes {
					statements = append(statements, createIndex(t, index))
				}
				for _, s := range statements {
					if err := sqlitex.ExecuteTransient(conn, s, nil); err != nil {
						return err
					}
				}
			}
			if err := sqlitex.Execute(conn, "REPLACE INTO views_models (name, version, tables) VALUES (?, ?, ?)",
				&sqlitex.ExecOptions{Args: []any{model.Name, model.Version, model.tables()}}); err != nil {
				return err
			}
		}
		if err := sqlitex.ExecuteTransient(conn, unscrubbed, nil); err != nil {
			return err
		}
		return setMark(conn, m)
	})
}

// checkpoint moves what a rebuild wrote from the write-ahead log into the file, where it is read faster. Somebody who
// reads just then keeps some of it back, which does no harm.
func (d *database) checkpoint() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		_ = sqlitex.ExecuteTransient(d.conn, "PRAGMA wal_checkpoint(PASSIVE)", nil)
	}
}

// write writes a batch, each row once and in key order; m, unless it is zero, becomes the mark in the same transaction.
func (d *database) write(batch []*rows, suffix string, m mark) error {
	return d.transact(func(conn *sqlite.Conn) error {
		for _, rs := range batch {
			if err := d.writeRows(rs.sorted(), suffix); err != nil {
				return err
			}
		}
		return setMark(conn, m)
	})
}

// merge writes what a spill has of a table, in several transactions, so that others come in between.
func (d *database) merge(s *spill, t *Table, suffix string) error {
	return s.merge(t, func(list []*Row) error {
		return d.transact(func(*sqlite.Conn) error { return d.writeRows(list, suffix) })
	})
}

// writeRows writes rows of one table, one a statement: SQLite keeps a journal of its own for statements that write more.
func (d *database) writeRows(list []*Row, suffix string) error {
	for _, r := range list {
		if err := d.writeRow(r, suffix); err != nil {
			return fmt.Errorf("%s: %w", r.of.table.Name, err)
		}
	}
	return nil
}

func (d *database) writeRow(r *Row, suffix string) error {
	k := upsertKey{r.of.table, suffix, r.given}
	s := d.upserts[k]
	if s == nil {
		var err error
		if s, err = d.conn.Prepare(upsert(k)); err != nil {
			return err
		}
		d.upserts[k] = s
	}
	n, rest := 0, r.key
	for _, c := range k.table.Key {
		var v Value
		v, rest = cutKey(rest, c.Type)
		n++
		bind(s, n, v)
	}
	for i, c := range k.table.Columns {
		if k.given&(1<<i) == 0 {
			continue
		}
		n++
		if c.Type == Text {
			s.BindText(n, r.texts[r.of.slot[i]])
		} else {
			s.BindInt64(n, r.numbers[r.of.slot[i]])
		}
	}
	if _, err := s.Step(); err != nil {
		return err
	}
	return s.Reset()
}

func bind(s *sqlite.Stmt, at int, v Value) {
	if v.isText {
		s.BindText(at, v.text)
	} else {
		s.BindInt64(at, v.number)
	}
}

func setMark(conn *sqlite.Conn, m mark) error {
	if m.position == 0 {
		return nil
	}
	return sqlitex.Execute(conn, "UPDATE views_mark SET position = ?, event = ?, at = ?",
		&sqlitex.ExecOptions{Args: []any{int64(m.position), m.event, m.at}})
}

// ask gives the integer that a query has as its only answer, seen by the writing connection.
func (d *database) ask(query string, args ...Value) (n int64, found bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return 0, false, errClosed
	}
	n, found, err = askOn(d.conn, query, args...)
	return n, found, fault(context.Background(), err)
}

func askOn(conn *sqlite.Conn, query string, args ...Value) (n int64, found bool, err error) {
	c := &cursor{conn: conn, query: query, args: args}
	defer c.close()
	if found = c.next(); found {
		n = c.int(0)
	}
	return n, found, c.err
}
