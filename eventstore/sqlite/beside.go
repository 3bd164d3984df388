package sqlite

import (
	"context"
	"iter"
	"path/filepath"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/urikake/urikake/eventstore"
)

// Beside reads a log whose directory another process, or this one, may have open: nobody who writes is held up. It is
// used by one goroutine at a time.
type Beside struct {
	path   string
	head   eventstore.Position
	reader *reader
}

// OpenBeside opens the log in a directory for reading up to its head at the call. Refuses log.damaged and log.newer for
// a file that can't be used, or that ends before what was acknowledged.
func OpenBeside(dir string) (*Beside, error) {
	known, err := readMark(dir) // before the log, which may grow in between
	if err == nil {
		err = look(dir, known)
	}
	if err != nil {
		return nil, err
	}
	return openBeside(filepath.Join(dir, fileName), known)
}

// openBeside opens a file that is a log.
func openBeside(path string, known mark) (*Beside, error) {
	conn, err := connect(path, []string{"cache_size = -8192"})
	if err != nil {
		return nil, fault(filepath.Base(path), err)
	}
	b, err := newBeside(conn, path, known)
	if err != nil {
		keep(path, err)
		conn.Close()
		return nil, fault(filepath.Base(path), err)
	}
	return b, nil
}

// newBeside looks at one state of the log: it may grow between two questions.
func newBeside(conn *sqlite.Conn, path string, known mark) (b *Beside, err error) {
	defer sqlitex.Transaction(conn)(&err)
	if err := recognize(conn); err != nil {
		return nil, err
	}
	newest, err := inspect(conn)
	if err == nil {
		err = known.reaches(conn, eventstore.Position(newest))
	}
	if err != nil {
		return nil, err
	}
	r, err := newReader(conn, new(names))
	return &Beside{path: path, head: eventstore.Position(newest), reader: r}, err
}

// recognize refuses what is no log of this format.
func recognize(conn *sqlite.Conn) error {
	application, err := ask(conn, "PRAGMA application_id")
	if err != nil {
		return err
	}
	version, err := ask(conn, "PRAGMA user_version")
	switch {
	case err != nil:
		return err
	case application != applicationID:
		return eventstore.ErrDamaged.With("it is not an urikake log (application id %#x)", application)
	case version > format:
		return ErrNewer.With("format %d, known up to %d", version, format)
	case version < format:
		return eventstore.ErrDamaged.With("it is of format %d; let this urikake open it once, such as by `urikake views status`", version)
	}
	return nil
}

// Close ends the reading.
func (b *Beside) Close() error { return b.reader.conn.Close() }

// Head is the newest event's position at the opening.
func (b *Beside) Head() eventstore.Position { return b.head }

// LastBy is the position of the last event recorded at or before an instant. O(log n).
func (b *Beside) LastBy(at time.Time) (eventstore.Position, error) {
	s, err := b.reader.conn.Prepare("SELECT at FROM events WHERE position = ?")
	if err != nil {
		return 0, fault(fileName, err)
	}
	low, high := eventstore.Position(0), b.head // low is not after at; nothing beyond high is
	for low < high {
		middle := high - (high-low)/2
		s.BindInt64(1, number(middle))
		recorded, err := oneInteger(s)
		if err != nil {
			return 0, fault(fileName, err)
		}
		if recorded > at.UnixMicro() {
			high = middle - 1
		} else {
			low = middle
		}
	}
	return low, nil
}

func oneInteger(s *sqlite.Stmt) (n int64, err error) {
	defer s.Reset()
	row, err := s.Step()
	if row {
		n = s.ColumnInt64(0)
	}
	return n, err
}

// Streams lists the streams whose names begin with a prefix.
func (b *Beside) Streams(prefix string) (list []string, err error) {
	s, err := b.reader.conn.Prepare("SELECT name FROM streams WHERE substr(name, 1, length(?1)) = ?1 ORDER BY id")
	if err != nil {
		return nil, fault(fileName, err)
	}
	defer s.Reset()
	s.BindText(1, prefix)
	for {
		row, err := s.Step()
		if err != nil {
			return nil, fault(fileName, err)
		}
		if !row {
			return list, nil
		}
		list = append(list, s.ColumnText(0))
	}
}

// Read yields a stream's events, as Store.Read does.
func (b *Beside) Read(ctx context.Context, stream string) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		h, err := find(b.reader.find, stream)
		var p page
		for more, after := true, eventstore.Version(0); more; after += eventstore.Version(len(p.events)) {
			if err == nil {
				more, err = b.reader.stream(&p, stream, h, after)
			}
			if err != nil {
				err = fault(fileName, err)
			}
			if !p.yield(ctx, err, yield) {
				return
			}
		}
	}
}
