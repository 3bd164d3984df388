package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"zombiezen.com/go/sqlite"

	"github.com/urikake/urikake/eventstore"
)

// writer owns the connection that writes. Its counters run ahead of the disk within a group; when a commit fails they
// are read from the disk again before the next one.
type writer struct {
	conn  *sqlite.Conn
	mark  *os.File
	clock eventstore.Clock
	stmts struct{ begin, commit, rollback, find, intern, describe, insert, ids *sqlite.Stmt }

	position eventstore.Position // of the newest event
	id       uuid.UUID           // its id
	at       int64               // its instant
	streams  int64               // the highest stream id
	kinds    map[kind]int64
	moved    map[string]head // streams this group has appended to
	open     bool            // a transaction is open
	lost     bool            // the counters may be wrong
	copied   bool            // the log is a copy for reports
	dir      string
	asked    time.Time // when the disk was asked how much room it has
	full     error     // what came of it
}

// kind is what is interned of an event.
type kind struct {
	name   string
	schema int
}

// The write-ahead log may take 2000 pages before the writer folds it into the file, in one go, after a commit.
var writerPragmas = []string{
	"page_size = 8192", // of a new file
	"journal_mode = WAL",
	"synchronous = FULL",
	"wal_autocheckpoint = 2000",
	"journal_size_limit = 67108864",
	"cache_size = -16384",
}

// openWriter checks the log in a directory and stands at its end.
func openWriter(dir string, clock eventstore.Clock) (*writer, error) {
	known, err := readMark(dir)
	if err == nil {
		err = look(dir, known)
	}
	path := filepath.Join(dir, fileName)
	if err == nil {
		err = uncut(path)
	}
	if err != nil {
		return nil, err
	}
	conn, err := connect(path, writerPragmas)
	if err != nil {
		return nil, fault(path, err)
	}
	w := &writer{conn: conn, clock: clock, moved: map[string]head{}, dir: dir}
	if err := w.start(known); err != nil {
		err = located(conn, fault(path, err))
		keep(path, err)
		conn.Close()
		return nil, err
	}
	if w.mark, err = openMark(dir, mark{w.position, w.id}); err != nil {
		conn.Close()
		return nil, unwritable(err)
	}
	return w, nil
}

func (w *writer) start(known mark) error {
	if err := establish(w.conn); err != nil {
		return err
	}
	newest, err := inspect(w.conn)
	if err == nil {
		err = known.reaches(w.conn, eventstore.Position(newest))
	}
	if err == nil {
		w.copied, err = isCopy(w.conn)
	}
	if err != nil {
		return err
	}
	for _, s := range []struct {
		stmt **sqlite.Stmt
		text string
	}{
		{&w.stmts.begin, "BEGIN IMMEDIATE"},
		{&w.stmts.commit, "COMMIT"},
		{&w.stmts.rollback, "ROLLBACK"},
		{&w.stmts.find, findStream},
		{&w.stmts.intern, "INSERT INTO streams (id, name) VALUES (?, ?)"},
		{&w.stmts.describe, "INSERT INTO kinds (id, name, schema) VALUES (?, ?, ?)"},
		{&w.stmts.ids, "SELECT position, id FROM events WHERE stream = ? AND version > ? ORDER BY version LIMIT ?"},
		{&w.stmts.insert, "INSERT INTO events (position, stream, version, at, id, kind, data, metadata, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"},
	} {
		stmt, err := w.conn.Prepare(s.text)
		if err != nil {
			return err
		}
		*s.stmt = stmt
	}
	return w.resume()
}

// resume sets the counters from the disk.
func (w *writer) resume() error {
	position, err := ask(w.conn, "SELECT coalesce(max(position), 0) FROM events")
	if err != nil {
		return err
	}
	newest, err := markAt(w.conn, eventstore.Position(position))
	if err != nil {
		return err
	}
	if w.at, err = ask(w.conn, "SELECT coalesce((SELECT at FROM events ORDER BY position DESC LIMIT 1), 0)"); err != nil {
		return err
	}
	if w.streams, err = ask(w.conn, "SELECT coalesce(max(id), 0) FROM streams"); err != nil {
		return err
	}
	list, err := readKinds(w.conn)
	if err != nil {
		return err
	}
	w.kinds = make(map[kind]int64, len(list))
	for id, k := range list {
		w.kinds[k] = id
	}
	w.position, w.id, w.lost = newest.position, newest.id, false
	return nil
}

// commit writes the requests that may be written and gives each its position or refusal. An error means that of none
// of them it is known what became of it: no answer counts.
func (w *writer) commit(group []*request, cached *heads) error {
	clear(w.moved)
	if err := w.hasRoom(); err != nil {
		return err
	}
	if w.lost {
		if err := w.resume(); err != nil {
			return fault(fileName, err)
		}
	}
	err := w.stage(group, cached)
	if err == nil && w.open {
		err = run(w.stmts.commit)
	}
	if err != nil {
		w.lost = true
		err = errors.Join(err, w.undo())
	}
	w.open = false
	if err != nil {
		return fault(fileName, err)
	}
	return nil
}

// undo leaves no transaction open; some failures have ended it already.
func (w *writer) undo() error {
	if w.conn.AutocommitEnabled() {
		return nil
	}
	return run(w.stmts.rollback)
}

func (w *writer) stage(group []*request, cached *heads) error {
	for _, r := range group {
		at, err := w.head(r.stream, cached)
		if err != nil {
			return err
		}
		if at.version == r.expected {
			err = w.append(r, at)
		} else {
			err = w.repeat(r, at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// head says where a stream stands for the next append of this group.
func (w *writer) head(stream string, cached *heads) (head, error) {
	if h, ok := w.moved[stream]; ok {
		return h, nil
	}
	if h, ok := cached.get(stream); ok {
		return h, nil
	}
	return find(w.stmts.find, stream)
}

func (w *writer) append(r *request, h head) error {
	if err := w.begin(); err != nil {
		return err
	}
	if h.id == 0 {
		w.streams++
		h.id = w.streams
		w.stmts.intern.BindInt64(1, h.id)
		w.stmts.intern.BindText(2, r.stream)
		if err := run(w.stmts.intern); err != nil {
			return err
		}
	}
	at := max(w.at, w.clock().UnixMicro())
	for i := range r.events {
		h.version++
		e := eventstore.Recorded{Stream: r.stream, Version: h.version, At: time.UnixMicro(at), Proposed: r.events[i]}
		if err := w.insert(&e, h.id); err != nil {
			return err
		}
	}
	w.at, w.moved[r.stream], r.position = at, h, w.position
	return nil
}

// insert writes an event after the newest.
func (w *writer) insert(e *eventstore.Recorded, stream int64) error {
	k, err := w.kind(kind{e.Kind, e.Schema})
	if err != nil {
		return err
	}
	w.position++
	w.id, e.Position = e.ID, w.position
	s := w.stmts.insert
	s.BindInt64(1, number(w.position))
	s.BindInt64(2, stream)
	s.BindInt64(3, number(e.Version))
	s.BindInt64(4, e.At.UnixMicro())
	s.BindBytes(5, e.ID[:])
	s.BindInt64(6, k)
	s.BindBytes(7, e.Data)
	s.BindBytes(8, e.Metadata)
	s.BindInt64(9, checksum(e))
	return run(s)
}

func (w *writer) kind(k kind) (int64, error) {
	if id, ok := w.kinds[k]; ok {
		return id, nil
	}
	id := int64(len(w.kinds) + 1)
	w.stmts.describe.BindInt64(1, id)
	w.stmts.describe.BindText(2, k.name)
	w.stmts.describe.BindInt64(3, int64(k.schema))
	w.kinds[k] = id
	return id, run(w.stmts.describe)
}

// repeat answers an append that does not fit: success when these very events stand there already, else a refusal.
func (w *writer) repeat(r *request, h head) error {
	r.err = eventstore.ErrWrongVersion.With("%s stands at %d, expected %d", r.stream, h.version, r.expected)
	s := w.stmts.ids
	defer s.Reset()
	s.BindInt64(1, h.id)
	s.BindInt64(2, number(r.expected))
	s.BindInt64(3, int64(len(r.events)))
	var position int64
	for _, e := range r.events {
		if row, err := s.Step(); err != nil || !row {
			return err
		}
		var id uuid.UUID
		if s.ColumnBytes(1, id[:]); id != e.ID {
			return nil
		}
		position = s.ColumnInt64(0)
	}
	r.position, r.err = eventstore.Position(position), nil
	return nil
}

func (w *writer) begin() error {
	if w.open {
		return nil
	}
	err := run(w.stmts.begin)
	w.open = err == nil
	return err
}

// close folds the write-ahead log into the file.
func (w *writer) close() error {
	_, err := ask(w.conn, "PRAGMA wal_checkpoint(TRUNCATE)")
	if err != nil {
		err = fault("checkpoint", err)
	}
	return errors.Join(err, w.mark.Sync(), w.mark.Close(), w.conn.Close())
}

// run steps a statement that gives no rows.
func run(s *sqlite.Stmt) error {
	_, err := s.Step()
	return errors.Join(err, s.Reset())
}

const findStream = "SELECT id, coalesce((SELECT max(version) FROM events WHERE stream = streams.id), 0) FROM streams WHERE name = ?"

// find looks a stream up on disk, in O(log n).
func find(s *sqlite.Stmt, stream string) (h head, err error) {
	defer s.Reset()
	s.BindText(1, stream)
	row, err := s.Step()
	if row {
		h = head{s.ColumnInt64(0), eventstore.Version(s.ColumnInt64(1))}
	}
	return h, err
}

// readKinds lists the interned kinds by id.
func readKinds(conn *sqlite.Conn) (map[int64]kind, error) {
	s, err := conn.Prepare("SELECT id, name, schema FROM kinds")
	if err != nil {
		return nil, err
	}
	defer s.Reset()
	list := map[int64]kind{}
	for {
		row, err := s.Step()
		if err != nil || !row {
			return list, err
		}
		list[s.ColumnInt64(0)] = kind{s.ColumnText(1), s.ColumnInt(2)}
	}
}
