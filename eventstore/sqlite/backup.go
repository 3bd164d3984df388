package sqlite

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// A backup is one file: a log as SQLite keeps it, with two tables more. One says what must be in it, so that a backup
// that was changed or cut off is told from one that is whole; the other has the other files of a data directory that
// can't be made anew, each under its path, with its hash.
const backupTables = `
CREATE TABLE backup (position INTEGER NOT NULL, event BLOB NOT NULL, made_at TEXT NOT NULL, files INTEGER NOT NULL) STRICT;
CREATE TABLE backup_files (name TEXT PRIMARY KEY, sha256 BLOB NOT NULL, data BLOB NOT NULL) STRICT;
`

const partialEnd = ".partial"

var (
	ErrBackupExists = &domain.Error{
		Code: domain.Refused, Rule: "backup.exists",
		Text: "there is such a file already; name another, or replace it with --force",
	}
	ErrNotBackup = &domain.Error{
		Code: domain.Invalid, Rule: "backup.not_one",
		Text: "this is not a whole backup of an urikake ledger",
	}
	ErrBackupUnwritable = &domain.Error{
		Code: domain.Unavailable, Rule: "backup.unwritable",
		Text: "the backup can't be written; nothing stands under its name that did not stand there before",
	}
)

// Contents is what a backup holds: the log up to a position, and other files.
type Contents struct {
	Position eventstore.Position
	ID       uuid.UUID // of the event there
	Streams  int64
	MadeAt   time.Time
	Files    int64
}

// Backup writes the log up to the head at the opening, and files beside it, each as read gives it, into one new file,
// reads that again, and gives it its name only then. A file that has gone meanwhile is left out. Refuses backup.exists
// unless force, backup.unwritable, and what reading refuses; log.copy for a log that is one.
func (b *Beside) Backup(ctx context.Context, file string, force bool, read func(name string) ([]byte, error), files []string, at time.Time,
	tell func(done, total eventstore.Position),
) (c Contents, err error) {
	if is, err := isCopy(b.reader.conn); err != nil || is {
		return c, firstOf(err, ErrCopy)
	}
	return inPlace(file, force, func(partial string) (c Contents, err error) {
		if err := b.fillNew(ctx, partial, b.head, half(tell, 0, b.head)); err != nil {
			return c, err
		}
		err = change(partial, func(conn *sqlite.Conn) error { return describe(ctx, conn, read, files, at) })
		if err != nil {
			return c, err
		}
		return verifyBackup(ctx, partial, half(tell, b.head, b.head))
	})
}

// half is the half of a work on so many events of which so many are done at its begin, for who is told of the whole.
func half(tell func(done, total eventstore.Position), before, events eventstore.Position) func(done, total eventstore.Position) {
	return func(done, _ eventstore.Position) {
		if tell != nil {
			tell(before+done, 2*events)
		}
	}
}

// Receive writes a backup that fetch gets from elsewhere, reads it whole as Backup does, and gives it its name only then.
// tell is told how far the reading is. Refuses backup.exists unless force, before fetch is asked, backup.unwritable,
// backup.not_one, and what fetch refuses.
func Receive(ctx context.Context, file string, force bool, fetch func(io.Writer) error, tell func(done, total eventstore.Position)) (Contents, error) {
	var unfetched error
	c, err := inPlace(file, force, func(partial string) (c Contents, err error) {
		f, err := os.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return c, err
		}
		unfetched = fetch(disk{f})
		if err = errors.Join(unfetched, f.Sync(), f.Close()); err != nil {
			return c, err
		}
		c, err = verifyBackup(ctx, partial, tell)
		return c, notBackup(err)
	})
	return c, firstOf(unfetched, err)
}

// disk names the refusal where a file can't be written.
type disk struct{ *os.File }

func (d disk) Write(b []byte) (int, error) {
	n, err := d.File.Write(b)
	if err != nil {
		err = ErrBackupUnwritable.With("%v", err)
	}
	return n, err
}

// inPlace has a file written under another name, and gives it its own when it is whole. What is left of one that failed,
// now or before, is removed.
func inPlace(file string, force bool, write func(partial string) (Contents, error)) (c Contents, err error) {
	switch info, err := os.Stat(file); {
	case err == nil && info.IsDir():
		return c, ErrBackupUnwritable.With("%s is a directory", file)
	case err == nil && !force:
		return c, ErrBackupExists.With("%s", file)
	}
	partial := file + partialEnd
	if err := os.Remove(partial); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, ErrBackupUnwritable.With("%v", err)
	}
	if c, err = write(partial); err == nil {
		err = errors.Join(os.Rename(partial, file), syncDir(filepath.Dir(file)))
	}
	if err != nil {
		os.Remove(partial)
		return c, unwrittenBackup(err)
	}
	return c, nil
}

// verifyBackup reads a backup whole: every page, event and file, compared with what it says of itself. Refuses
// backup.not_one, log.damaged, log.newer.
func verifyBackup(ctx context.Context, file string, tell func(done, total eventstore.Position)) (c Contents, err error) {
	b, c, err := openBackup(file)
	if err != nil {
		return c, err
	}
	defer b.Close()
	if err := b.reader.check(ctx, b.head, nil, tell); err != nil {
		return c, fault(filepath.Base(file), err)
	}
	return c, b.eachFile(c, func(string, []byte) error { return ctx.Err() })
}

// openBackup opens a file that is a backup by what it says of itself.
func openBackup(file string) (b *Beside, c Contents, err error) {
	if err := uncut(file); err != nil {
		return nil, c, err
	}
	if b, err = openBeside(file, mark{}); err != nil {
		return nil, c, err
	}
	if c, err = contents(b.reader.conn); err == nil {
		if known := (mark{c.Position, c.ID}); b.head != c.Position || known.reaches(b.reader.conn, b.head) != nil {
			err = ErrNotBackup.With("it says that it ends with event %s at position %d, and ends at %d", c.ID, c.Position, b.head)
		}
	}
	if err != nil {
		return nil, c, errors.Join(fault(filepath.Base(file), err), b.Close())
	}
	return b, c, nil
}

// eachFile gives the files beside the log. Refuses backup.not_one where one is not as it was written, or missing.
func (b *Beside) eachFile(c Contents, work func(name string, data []byte) error) error {
	n := int64(0)
	err := sqlitex.Execute(b.reader.conn, "SELECT name, sha256, data FROM backup_files", &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		n++
		name, sum, data := s.ColumnText(0), make([]byte, s.ColumnLen(1)), make([]byte, s.ColumnLen(2))
		s.ColumnBytes(1, sum)
		s.ColumnBytes(2, data)
		if is := sha256.Sum256(data); string(is[:]) != string(sum) {
			return ErrNotBackup.With("%s in it is not as it was written", name)
		}
		return work(name, data)
	}})
	if err == nil && n != c.Files {
		err = ErrNotBackup.With("it says that it holds %d files beside the log, and holds %d", c.Files, n)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		return fault("the backup", err)
	}
	return err
}

// unwrittenBackup tells a backup that has no room from a ledger that has none.
func unwrittenBackup(err error) error {
	var refusal *domain.Error
	switch {
	case errors.As(err, &refusal) && refusal.Rule != eventstore.ErrUnavailable.Rule, errors.Is(err, context.Canceled):
		return err
	case refusal != nil:
		return ErrBackupUnwritable.With("%s", refusal.Detail)
	}
	return ErrBackupUnwritable.With("%v", err)
}

// describe writes what a backup has more than a log.
func describe(ctx context.Context, conn *sqlite.Conn, read func(name string) ([]byte, error), names []string, at time.Time) (err error) {
	defer sqlitex.Save(conn)(&err)
	newest, err := ask(conn, "SELECT coalesce(max(position), 0) FROM events")
	if err != nil {
		return err
	}
	m, err := markAt(conn, eventstore.Position(newest))
	if err != nil {
		return err
	}
	if err := sqlitex.ExecuteScript(conn, backupTables, nil); err != nil {
		return err
	}
	files := 0
	for _, name := range names {
		data, err := read(name)
		if errors.Is(err, fs.ErrNotExist) { // such as a letter to somebody who was erased meanwhile
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return unreadFile(name, err)
		}
		files++
		sum := sha256.Sum256(data)
		err = sqlitex.Execute(conn, "INSERT INTO backup_files (name, sha256, data) VALUES (?, ?, ?)",
			&sqlitex.ExecOptions{Args: []any{filepath.ToSlash(name), sum[:], data}})
		if err != nil {
			return err
		}
	}
	return sqlitex.Execute(conn, "INSERT INTO backup (position, event, made_at, files) VALUES (?, ?, ?, ?)",
		&sqlitex.ExecOptions{Args: []any{number(m.position), m.id[:], at.UTC().Format(time.RFC3339), files}})
}

// unreadFile refuses a backup without a file that belongs in it.
func unreadFile(name string, err error) error {
	if refusal := (*domain.Error)(nil); errors.As(err, &refusal) {
		return refusal
	}
	return ErrBackupUnwritable.With("%s can't be read: %v", name, err)
}

// contents reads what a backup says of itself. Refuses backup.not_one.
func contents(conn *sqlite.Conn) (c Contents, err error) {
	if n, err := ask(conn, "SELECT count(*) FROM sqlite_schema WHERE name IN ('backup', 'backup_files')"); err != nil || n != 2 {
		return c, firstOf(err, ErrNotBackup.With("it does not say what it holds"))
	}
	rows, made := 0, ""
	err = sqlitex.Execute(conn, "SELECT position, event, made_at, files FROM backup", &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		c.Position, made, c.Files = eventstore.Position(s.ColumnInt64(0)), s.ColumnText(2), s.ColumnInt64(3)
		s.ColumnBytes(1, c.ID[:])
		rows++
		return nil
	}})
	if err != nil {
		return c, err
	}
	if c.MadeAt, err = time.Parse(time.RFC3339, made); err != nil || rows != 1 {
		return c, ErrNotBackup.With("it does not say what it holds")
	}
	c.Streams, err = ask(conn, "SELECT count(*) FROM streams")
	return c, err
}
