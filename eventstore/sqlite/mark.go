package sqlite

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/uuid"
	"zombiezen.com/go/sqlite"

	"github.com/urikake/urikake/eventstore"
)

// markName is a file of one line beside the log that says up to where events have been acknowledged. SQLite takes a
// write-ahead log that is missing or damaged for one that ends earlier: only what stands outside of it can tell.
//
// The line is written over after every commit, before anyone is answered, and not synced: after a crash of the process
// it is exact, after a power failure it may be some seconds old. It is never ahead of what was durable.
const markName = "log.head"

// mark is the newest event of which somebody may know.
type mark struct {
	position eventstore.Position
	id       uuid.UUID
}

const markFields = "position %020d event %s"

// line is as long for every mark, so that one write replaces another.
func (m mark) line() []byte {
	fields := fmt.Sprintf(markFields, m.position, m.id)
	return fmt.Appendf(nil, "%s sum %08x\n", fields, crc32.Checksum([]byte(fields), castagnoli))
}

// readMark gives the zero mark where there is none. Refuses log.damaged for a file that is none.
func readMark(dir string) (m mark, err error) {
	b, err := os.ReadFile(filepath.Join(dir, markName))
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, unwritable(err)
	}
	var id string
	if _, err := fmt.Sscanf(string(b), markFields, &m.position, &id); err == nil {
		m.id, err = uuid.Parse(id)
		if err == nil && string(m.line()) == string(b) {
			return m, nil
		}
	}
	return m, eventstore.ErrDamaged.With("%s, which says up to where events were acknowledged, can't be read; once you know that %s is whole, "+
		"take %s away", markName, fileName, markName)
}

// openMark makes the file new, durably, and keeps it open to be written over.
func openMark(dir string, m mark) (*os.File, error) {
	path := filepath.Join(dir, markName)
	if err := writeDurably(path+".new", m.line()); err != nil {
		return nil, err
	}
	if err := errors.Join(os.Rename(path+".new", path), syncDir(dir)); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_WRONLY, 0)
}

func writeDurably(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// reaches refuses a log that does not hold what was acknowledged.
func (m mark) reaches(conn *sqlite.Conn, newest eventstore.Position) error {
	if m.position > newest {
		return eventstore.ErrDamaged.With("%s ends at position %d, but %s says that events up to position %d were acknowledged; %s-wal, which holds "+
			"the newest, is missing or damaged. To go on without positions %d to %d, take %s away",
			fileName, newest, markName, m.position, fileName, newest+1, m.position, markName)
	}
	if m.position == 0 {
		return nil
	}
	at, err := markAt(conn, m.position)
	if err == nil && at != m {
		err = eventstore.ErrDamaged.With("position %d of %s holds event %s, but %s says that event %s was acknowledged there: they belong to "+
			"different logs", m.position, fileName, at.id, markName, m.id)
	}
	return err
}

// markAt is the mark of an event, the zero one of none.
func markAt(conn *sqlite.Conn, position eventstore.Position) (m mark, err error) {
	s, err := conn.Prepare("SELECT position, id FROM events WHERE position = ?")
	if err != nil {
		return m, err
	}
	defer s.Reset()
	s.BindInt64(1, number(position))
	row, err := s.Step()
	if row {
		m.position = eventstore.Position(s.ColumnInt64(0))
		s.ColumnBytes(1, m.id[:])
	}
	return m, err
}

// note writes the mark of the newest event, which is durable. It takes a microsecond, and an error takes nothing from
// what is acknowledged: the mark then only stays where it was.
func (w *writer) note() { _, _ = w.mark.WriteAt(mark{w.position, w.id}.line(), 0) }
