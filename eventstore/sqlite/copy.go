package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// ErrCopy refuses to change what only shows how the books once were.
var ErrCopy = &domain.Error{
	Code: domain.Refused, Rule: "log.copy",
	Text: "this is a copy of the books as they were known at an earlier position, for reports only; give commands to the ledger itself",
}

// copyChunk is how many events are copied in one transaction of either file.
const copyChunk = 10_000

// copied marks a log that ends before the one that it was made of.
const copied = "CREATE TABLE copied (position INTEGER NOT NULL) STRICT; INSERT INTO copied SELECT coalesce(max(position), 0) FROM events;"

// CutTo makes a log in an empty directory that holds the events up to a position. It takes no commands (log.copy).
// Refuses what reading refuses, and log.unavailable where the directory can't be written.
func (b *Beside) CutTo(ctx context.Context, dir string, upTo eventstore.Position, tell func(done, total eventstore.Position)) error {
	path := filepath.Join(dir, fileName)
	if upTo > b.head {
		return ErrBeyond.With("position %d, the log ends at %d", upTo, b.head)
	}
	if err := empty(dir); err != nil {
		return err
	}
	if err := b.copy(ctx, path, upTo, nil, tell); err != nil {
		return err
	}
	return change(path, func(conn *sqlite.Conn) error {
		return sqlitex.ExecuteScript(conn, copied, nil)
	})
}

// copy writes the events up to a position, as they are, into a new file, reads that whole, and shows each event to look,
// which may be nil. What is left of a copy that failed is removed.
func (b *Beside) copy(ctx context.Context, path string, upTo eventstore.Position, look func(eventstore.Recorded) error, tell func(done, total eventstore.Position)) error {
	if err := b.fillNew(ctx, path, upTo, half(tell, 0, upTo)); err != nil {
		return err
	}
	if err := verify(ctx, path, upTo, look, half(tell, upTo, upTo)); err != nil {
		os.Remove(path)
		return firstOf(ctx.Err(), fault(filepath.Base(path), err))
	}
	return nil
}

// fillNew writes the events up to a position, as they are, into a new file; what is left of one that failed is removed.
// Short transactions let a writer beside go on, and its write-ahead log end.
func (b *Beside) fillNew(ctx context.Context, path string, upTo eventstore.Position, tell func(done, total eventstore.Position)) error {
	if err := makeLog(path); err != nil {
		return err
	}
	err := b.fill(ctx, path, upTo, func(done eventstore.Position) { tell(done, upTo) })
	if err == nil {
		return nil
	}
	os.Remove(path)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err = fault(filepath.Base(path), err); errors.Is(err, eventstore.ErrDamaged) { // nobody else writes what was made
		err = located(b.reader.conn, eventstore.ErrDamaged.With("%s can't be read", filepath.Base(b.path)))
	}
	return err
}

// makeLog makes an empty log in a file that must not exist.
func makeLog(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return eventstore.ErrUnavailable.With("%v", err)
	}
	f.Close()
	conn, err := connect(path, []string{"page_size = 8192", "journal_mode = MEMORY", "synchronous = OFF"})
	if err != nil {
		return fault(filepath.Base(path), err)
	}
	if err := errors.Join(establish(conn), conn.Close()); err != nil {
		os.Remove(path)
		return fault(filepath.Base(path), err)
	}
	return nil
}

// fill copies rows as they are, numbers of streams and kinds included.
func (b *Beside) fill(ctx context.Context, path string, upTo eventstore.Position, tell func(eventstore.Position)) (err error) {
	conn := b.reader.conn
	before := conn.SetInterrupt(ctx.Done())
	defer conn.SetInterrupt(before)
	if err := sqlitex.ExecuteTransient(conn, "ATTACH ? AS made", &sqlitex.ExecOptions{Args: []any{path}}); err != nil {
		return err
	}
	defer func() {
		conn.SetInterrupt(nil)
		err = errors.Join(err, sqlitex.ExecuteTransient(conn, "DETACH made", nil))
	}()
	for _, pragma := range []string{"journal_mode = OFF", "synchronous = OFF", "cache_size = -16384"} {
		if err := sqlitex.ExecuteTransient(conn, "PRAGMA made."+pragma, nil); err != nil {
			return err
		}
	}
	const columns = "position, stream, version, at, id, kind, data, metadata, sum"
	for after := eventstore.Position(0); after < upTo; after += copyChunk {
		to := min(after+copyChunk, upTo)
		err := sqlitex.ExecuteTransient(conn, "INSERT INTO made.events ("+columns+") SELECT "+columns+" FROM main.events WHERE position > ? AND position <= ? ORDER BY position",
			&sqlitex.ExecOptions{Args: []any{number(after), number(to)}})
		if err != nil {
			return err
		}
		tell(to)
	}
	for _, statement := range []string{ // each by itself: without a journal what fails can't be taken back
		"INSERT INTO made.streams (id, name) SELECT id, name FROM main.streams WHERE id <= (SELECT coalesce(max(stream), 0) FROM made.events)",
		"INSERT INTO made.kinds (id, name, schema) SELECT id, name, schema FROM main.kinds WHERE id <= (SELECT coalesce(max(kind), 0) FROM made.events)",
	} {
		if err := sqlitex.ExecuteTransient(conn, statement, nil); err != nil {
			return err
		}
	}
	return nil
}

// verify reads a log whole, which must end at a position.
func verify(ctx context.Context, path string, upTo eventstore.Position, look func(eventstore.Recorded) error, tell func(done, total eventstore.Position)) error {
	made, err := openBeside(path, mark{})
	if err != nil {
		return err
	}
	defer made.Close()
	if made.head != upTo {
		return eventstore.ErrDamaged.With("it ends at position %d, not %d", made.head, upTo)
	}
	return made.reader.check(ctx, upTo, look, tell)
}

// change works on a file that nobody has open, and brings it to the disk.
func change(path string, work func(*sqlite.Conn) error) error {
	conn, err := connect(path, nil)
	if err != nil {
		return fault(filepath.Base(path), err)
	}
	if err := errors.Join(work(conn), conn.Close()); errors.Is(err, context.Canceled) {
		return err
	} else if err != nil {
		return fault(filepath.Base(path), err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err == nil {
		err = errors.Join(f.Sync(), f.Close(), syncDir(filepath.Dir(path)))
	}
	if err != nil {
		return unwritable(err)
	}
	return nil
}

// isCopy tells that a log takes no commands.
func isCopy(conn *sqlite.Conn) (bool, error) {
	n, err := ask(conn, "SELECT count(*) FROM sqlite_schema WHERE name = 'copied'")
	return n > 0, err
}

// empty makes a directory, if need be, that holds nothing. Refuses log.not_empty.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = os.MkdirAll(dir, 0o700)
	case err == nil && len(entries) > 0:
		return ErrNotEmpty.With("%s holds %s", dir, entries[0].Name())
	}
	if err != nil {
		return unwritable(err)
	}
	return nil
}

// ErrBeyond refuses a position that the log has not reached.
var ErrBeyond = &domain.Error{Code: domain.Invalid, Rule: "log.beyond", Text: "the log does not reach that position yet"}

// ErrNotEmpty refuses to write into a directory that holds something.
var ErrNotEmpty = &domain.Error{
	Code: domain.Refused, Rule: "log.not_empty",
	Text: "a new or empty directory is needed",
}
