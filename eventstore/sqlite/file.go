package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// ErrNewer refuses a log that this program is too old to understand.
var ErrNewer = &domain.Error{
	Code: domain.Refused, Rule: "log.newer",
	Text: "the log was written by a newer urikake; use that one",
}

// busyMax is how long a connection waits for somebody else who locks the file, such as an SQLite shell.
const busyMax = 5 * time.Second

const (
	applicationID = 0x7572696b // "urik": what file(1) and we know the log by
	format        = 2          // of the tables; raised when they change
)

// The log's tables. Names are interned, so that a row and the one index on it stay small; nothing is indexed by random
// keys. The view is for people with an SQLite shell.
const tables = `
CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE kinds (id INTEGER PRIMARY KEY, name TEXT NOT NULL, schema INTEGER NOT NULL, UNIQUE (name, schema)) STRICT;
CREATE TABLE events (
	position INTEGER PRIMARY KEY,
	stream   INTEGER NOT NULL,
	version  INTEGER NOT NULL,
	at       INTEGER NOT NULL, -- microseconds since 1970, UTC
	id       BLOB NOT NULL,
	kind     INTEGER NOT NULL,
	data     BLOB NOT NULL,
	metadata BLOB NOT NULL,
	sum      INTEGER NOT NULL -- checksum of the row
) STRICT;
CREATE UNIQUE INDEX events_stream ON events (stream, version);
CREATE VIEW readable AS
	SELECT position, streams.name AS stream, version, strftime('%Y-%m-%dT%H:%M:%fZ', at / 1e6, 'unixepoch') AS at,
		lower(hex(events.id)) AS id, kinds.name AS kind, schema, CAST(data AS TEXT) AS data, CAST(metadata AS TEXT) AS metadata
	FROM events JOIN streams ON streams.id = stream JOIN kinds ON kinds.id = kind;
`

// Lock makes a directory where it is missing, and keeps other processes out of it until the file is closed. It is for
// who keeps something beside a log that is elsewhere; Open does it by itself. Refuses log.locked and log.unavailable.
func Lock(dir string) (lock *os.File, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, unwritable(err)
	}
	lock, err = os.OpenFile(filepath.Join(dir, "LOCK"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, unwritable(err)
	}
	if err := flock(lock); err != nil {
		lock.Close()
		return nil, eventstore.ErrLocked.With("%s", dir)
	}
	return lock, nil
}

// prepare locks the directory and makes an empty file where there is none.
func prepare(dir string) (lock *os.File, err error) {
	if lock, err = Lock(dir); err != nil {
		return nil, err
	}
	if err := errors.Join(create(dir), removeSpools(dir)); err != nil {
		lock.Close()
		return nil, unwritable(err)
	}
	return lock, nil
}

// create makes the file before SQLite would, so that only its owner can read it, and makes its name durable.
func create(dir string) error {
	f, err := os.OpenFile(filepath.Join(dir, fileName), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return writable(filepath.Join(dir, fileName))
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), syncDir(dir))
}

// writable says early what SQLite would say at the first append.
func writable(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

func unwritable(err error) error {
	return eventstore.ErrUnavailable.With("the data directory can't be written: %v", err)
}

// connect opens the file and sets what holds for every connection.
func connect(path string, pragmas []string) (*sqlite.Conn, error) {
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

// establish makes the tables in an empty file and refuses a file that is something else.
func establish(conn *sqlite.Conn) error {
	application, err := ask(conn, "PRAGMA application_id")
	if err != nil {
		return err
	}
	version, err := ask(conn, "PRAGMA user_version")
	if err != nil {
		return err
	}
	entries, err := ask(conn, "SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return err
	}
	switch {
	case application == 0 && version == 0 && entries == 0:
		return sqlitex.ExecuteScript(conn, fmt.Sprintf("%s PRAGMA application_id = %d; PRAGMA user_version = %d;",
			tables, applicationID, format), nil)
	case application != applicationID:
		return eventstore.ErrDamaged.With("%s is not an urikake log (application id %#x)", fileName, application)
	case version > format:
		return ErrNewer.With("format %d, known up to %d", version, format)
	case version < format:
		return upgrade(conn)
	}
	return nil
}

// inspect compares the index with the rows' ends: every position from 1 to the newest must be there once. It counts
// index pages and reads no event but the last, about 20 ms for a million events.
func inspect(conn *sqlite.Conn) (newest int64, err error) {
	if newest, err = ask(conn, "SELECT coalesce(max(position), 0) FROM events"); err != nil {
		return 0, err
	}
	oldest, err := ask(conn, "SELECT coalesce(min(position), 0) FROM events")
	if err != nil {
		return 0, err
	}
	count, err := ask(conn, "SELECT count(*) FROM events")
	if err != nil {
		return 0, err
	}
	if count != newest || oldest != min(newest, 1) {
		return 0, eventstore.ErrDamaged.With("%s: positions %d to %d, but %d events", fileName, oldest, newest, count)
	}
	return newest, nil
}

// ask runs a query that gives one integer.
func ask(conn *sqlite.Conn, query string) (int64, error) {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return 0, err
	}
	return sqlitex.ResultInt64(stmt)
}
