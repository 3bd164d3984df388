package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

const walEnd = "-wal"

// look refuses, before SQLite touches anything, a file that is missing: SQLite would make an empty log of it, and throw
// the write-ahead log away.
func look(dir string, known mark) error {
	path := filepath.Join(dir, fileName)
	size, err := sizeOf(path)
	if err != nil {
		return err
	}
	wal, err := sizeOf(path + walEnd)
	if err != nil {
		return err
	}
	switch {
	case size > 0:
		return nil
	case known.position > 0:
		return eventstore.ErrDamaged.With("%s is empty or missing, but %s says that events up to position %d were acknowledged", path, markName, known.position)
	case wal > 0:
		return eventstore.ErrDamaged.With("%s is empty or missing, but there is a %s%s of %d bytes, which needs it", path, fileName, walEnd, wal)
	}
	return nil
}

func sizeOf(path string) (int64, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, unwritable(err)
	}
	return info.Size(), nil
}

// uncut compares a file's size with what its header says, if there is no write-ahead log: else the file's end may be
// younger. What is no header at all SQLite will refuse. The caller has the directory to itself, since to close a file
// gives up what SQLite has locked of it in this process.
func uncut(path string) error {
	size, err := sizeOf(path)
	wal, walErr := sizeOf(path + walEnd)
	if err = firstOf(err, walErr); err != nil || size == 0 || wal > 0 {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return unwritable(err)
	}
	defer f.Close()
	header := make([]byte, 100)
	if _, err := io.ReadFull(f, header); err != nil {
		return eventstore.ErrDamaged.With("%s is cut off at byte %d, within its header", path, size)
	}
	pages, each := int64(binary.BigEndian.Uint32(header[28:])), int64(binary.BigEndian.Uint16(header[16:]))
	if string(header[:15]) == "SQLite format 3" && each >= 512 && size < pages*each {
		return eventstore.ErrDamaged.With("%s is cut off at byte %d; it had %d pages of %d bytes", path, size, pages, each)
	}
	return nil
}

// keep saves a write-ahead log that does not fit: to close the connection would fold what can be read of it into the
// file and remove the rest.
func keep(path string, err error) {
	if errors.Is(err, eventstore.ErrDamaged) {
		_ = os.Link(path+walEnd, path+walEnd+".kept")
	}
}

// located adds to what SQLite says of damage on which page it lies, where that can be found out.
func located(conn *sqlite.Conn, err error) error {
	var damage, found *domain.Error
	if !errors.Is(err, eventstore.ErrDamaged) || !errors.As(err, &damage) {
		return err
	}
	if where := structure(conn, "quick_check"); errors.As(where, &found) {
		return eventstore.ErrDamaged.With("%s; %s", damage.Detail, found.Detail)
	}
	return err
}

// Check reads the whole log and refuses log.damaged, with the page, position or stream where, unless every page and
// index is sound, all positions and all versions of each stream are there, and each event is as it was written. tell,
// which may be nil, is told how far it is. It takes seconds for a million events.
func (s *Store) Check(ctx context.Context, tell func(done, total eventstore.Position)) error {
	head, err := s.Head(ctx)
	if err != nil {
		return err
	}
	return s.readers.with(ctx, func(r *reader) error { return r.check(ctx, head, nil, tell) })
}

// check is Check up to a position; each event is shown to look, which may be nil.
func (r *reader) check(ctx context.Context, head eventstore.Position, look func(eventstore.Recorded) error, tell func(done, total eventstore.Position)) error {
	before := r.conn.SetInterrupt(ctx.Done())
	defer r.conn.SetInterrupt(before)
	if err := structure(r.conn, "integrity_check"); err != nil {
		return firstOf(ctx.Err(), err)
	}
	if err := unbroken(r.conn); err != nil {
		return firstOf(ctx.Err(), err)
	}
	var p page
	for after := eventstore.Position(0); after < head; after += eventstore.Position(len(p.events)) {
		if err := r.log(&p, after); err != nil {
			return firstOf(ctx.Err(), err)
		}
		for i := range p.events {
			if look == nil {
				break
			}
			if err := look(p.events[i]); err != nil {
				return err
			}
		}
		if tell != nil {
			tell(min(after+eventstore.Position(len(p.events)), head), head)
		}
	}
	return nil
}

// unbroken refuses a stream in which a version is missing.
func unbroken(conn *sqlite.Conn) error {
	s, err := conn.Prepare("SELECT name, count(*), max(version) FROM events INDEXED BY events_stream LEFT JOIN streams ON streams.id = stream" +
		" GROUP BY stream HAVING count(*) <> max(version) OR min(version) <> 1 LIMIT 1")
	if err != nil {
		return err
	}
	defer s.Reset()
	row, err := s.Step()
	if row {
		err = eventstore.ErrDamaged.With("%s has %d events, the last with version %d", s.ColumnText(0), s.ColumnInt64(1), s.ColumnInt64(2))
	}
	return err
}

func firstOf(first, then error) error {
	if first != nil {
		return first
	}
	return then
}

// structure runs a check of SQLite's own and gives its first finding.
func structure(conn *sqlite.Conn, check string) error {
	finding := ""
	err := sqlitex.ExecuteTransient(conn, "PRAGMA "+check+"(1)", &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		finding = strings.Join(strings.Fields(s.ColumnText(0)), " ")
		return nil
	}})
	if err == nil && finding != "ok" {
		err = eventstore.ErrDamaged.With("%s: %s", fileName, finding)
	}
	return err
}
