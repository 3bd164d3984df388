package sqlite

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
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

// Backup writes the log up to the head at the opening, and files beside it by their paths in root, into one new file,
// reads that again, and gives it its name only then. Refuses backup.exists unless force, backup.unwritable, and what
// reading refuses; log.copy for a log that is one.
func (b *Beside) Backup(ctx context.Context, file string, force bool, root *os.Root, files []string, at time.Time,
	tell func(done, total eventstore.Position),
) (c Contents, err error) {
	if _, err := os.Stat(file); err == nil && !force {
		return c, ErrBackupExists.With("%s", file)
	}
	if is, err := isCopy(b.reader.conn); err != nil || is {
		return c, firstOf(err, ErrCopy)
	}
	partial := file + partialEnd
	if err := os.Remove(partial); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, ErrBackupUnwritable.With("%v", err)
	}
	if err := b.copy(ctx, partial, b.head, nil, tell); err != nil {
		return c, unwrittenBackup(err)
	}
	err = change(partial, func(conn *sqlite.Conn) (err error) {
		c, err = describe(conn, root, files, at)
		return err
	})
	if err == nil {
		err = errors.Join(os.Rename(partial, file), syncDir(filepath.Dir(file)))
	}
	if err != nil {
		os.Remove(partial)
		return c, unwrittenBackup(err)
	}
	return c, nil
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
func describe(conn *sqlite.Conn, root *os.Root, files []string, at time.Time) (c Contents, err error) {
	defer sqlitex.Save(conn)(&err)
	newest, err := ask(conn, "SELECT coalesce(max(position), 0) FROM events")
	if err != nil {
		return c, err
	}
	m, err := markAt(conn, eventstore.Position(newest))
	if err != nil {
		return c, err
	}
	if err := sqlitex.ExecuteScript(conn, backupTables, nil); err != nil {
		return c, err
	}
	for _, name := range files {
		data, err := root.ReadFile(name)
		if err != nil {
			return c, err
		}
		sum := sha256.Sum256(data)
		err = sqlitex.Execute(conn, "INSERT INTO backup_files (name, sha256, data) VALUES (?, ?, ?)",
			&sqlitex.ExecOptions{Args: []any{filepath.ToSlash(name), sum[:], data}})
		if err != nil {
			return c, err
		}
	}
	err = sqlitex.Execute(conn, "INSERT INTO backup (position, event, made_at, files) VALUES (?, ?, ?, ?)",
		&sqlitex.ExecOptions{Args: []any{number(m.position), m.id[:], at.UTC().Format(time.RFC3339), len(files)}})
	if err != nil {
		return c, err
	}
	return contents(conn)
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

// restoring is where a restore works until all is verified.
const restoring = "restore.partial"

// Restore makes of a backup the ledger in dir, which must be new or empty. Everything is read and compared with what the
// backup says of itself, and each event is shown to look, before the log gets its name as the last step.
// Refuses log.not_empty, backup.not_one, log.damaged, log.unavailable, and what look refuses.
func Restore(ctx context.Context, file, dir string, look func(eventstore.Recorded) error, tell func(done, total eventstore.Position)) (c Contents, err error) {
	if _, err := os.Stat(file); err != nil {
		return c, ErrNotBackup.With("%v", err)
	}
	if err := empty(dir); err != nil {
		return c, err
	}
	if err := uncut(file); err != nil {
		return c, notBackup(err)
	}
	from, err := openBeside(file, mark{})
	if err != nil {
		return c, notBackup(err)
	}
	defer from.Close()
	if c, err = contents(from.reader.conn); err != nil {
		return c, notBackup(err)
	}
	if known := (mark{c.Position, c.ID}); from.head != c.Position || known.reaches(from.reader.conn, from.head) != nil {
		return c, ErrNotBackup.With("it says that it ends with event %s at position %d, and ends at %d", c.ID, c.Position, from.head)
	}
	work := filepath.Join(dir, restoring)
	if err := os.Mkdir(work, 0o700); err != nil {
		return c, unwritable(err)
	}
	defer os.RemoveAll(work)
	if err := from.copy(ctx, filepath.Join(work, fileName), c.Position, look, tell); errors.Is(err, eventstore.ErrDamaged) {
		return c, notBackup(err)
	} else if err != nil {
		return c, err
	}
	if err := change(filepath.Join(work, fileName), func(*sqlite.Conn) error { return nil }); err != nil {
		return c, err
	}
	if err := from.extract(work, c); err != nil {
		return c, err
	}
	return c, takeOver(work, dir, mark{c.Position, c.ID})
}

func notBackup(err error) error {
	var refusal *domain.Error
	if errors.As(err, &refusal) && refusal.Rule != ErrNewer.Rule {
		return ErrNotBackup.With("%s", refusal.Detail)
	}
	return err
}

// extract writes the files beside the log.
func (b *Beside) extract(dir string, c Contents) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return unwritable(err)
	}
	defer root.Close()
	n := int64(0)
	err = sqlitex.Execute(b.reader.conn, "SELECT name, sha256, data FROM backup_files", &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		n++
		name, sum, data := s.ColumnText(0), make([]byte, s.ColumnLen(1)), make([]byte, s.ColumnLen(2))
		s.ColumnBytes(1, sum)
		s.ColumnBytes(2, data)
		if is := sha256.Sum256(data); string(is[:]) != string(sum) {
			return ErrNotBackup.With("%s in it is not as it was written", name)
		}
		path := filepath.FromSlash(name)
		if err := root.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return unwritable(err)
		}
		f, err := root.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_SYNC, 0o600)
		if err != nil {
			return unwritable(err)
		}
		if _, err = f.Write(data); err != nil {
			f.Close()
			return unwritable(err)
		}
		return f.Close()
	}})
	if err == nil && n != c.Files {
		err = ErrNotBackup.With("it says that it holds %d files beside the log, and holds %d", c.Files, n)
	}
	if err != nil {
		return fault("the backup", err)
	}
	return nil
}

// takeOver moves what was restored to its place, the log at last: without it there is no ledger.
func takeOver(work, dir string, m mark) error {
	entries, err := os.ReadDir(work)
	if err != nil {
		return unwritable(err)
	}
	for _, e := range entries {
		if e.Name() != fileName {
			err = errors.Join(err, os.Rename(filepath.Join(work, e.Name()), filepath.Join(dir, e.Name())))
		}
	}
	if err == nil {
		err = errors.Join(os.Rename(filepath.Join(work, fileName), filepath.Join(dir, fileName)), syncDir(dir))
	}
	if err != nil {
		return unwritable(fmt.Errorf("an unfinished restore is in it, to be removed: %w", err))
	}
	f, err := openMark(dir, m)
	if err != nil {
		return unwritable(err)
	}
	return f.Close()
}
