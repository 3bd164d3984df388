package sqlite

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// set adds pragmas to every writer that a test opens.
func set(t *testing.T, pragmas ...string) (unset func()) {
	before := writerPragmas
	writerPragmas = append(before[:len(before):len(before)], pragmas...)
	unset = func() { writerPragmas = before }
	t.Cleanup(unset)
	return unset
}

func mustOpen(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func mustAppend(t *testing.T, s *Store, stream string, expected eventstore.Version, events ...eventstore.Proposed) eventstore.Position {
	t.Helper()
	position, err := s.Append(t.Context(), stream, expected, events...)
	if err != nil {
		t.Fatal(err)
	}
	return position
}

func mustRead(t *testing.T, dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustWrite(t *testing.T, dir, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// execute does to a closed log what this package never would.
func execute(t *testing.T, dir, script string) {
	t.Helper()
	conn, err := sqlite.OpenConn(filepath.Join(dir, fileName), sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := sqlitex.ExecuteScript(conn, script, nil); err != nil {
		t.Fatal(err)
	}
}

func TestOpenMakesPrivateFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	s := mustOpen(t, dir)
	_, events := propose(1, 10)
	mustAppend(t, s, "s", 0, events...)
	for name, want := range map[string]os.FileMode{
		"": 0o700, "LOCK": 0o600, fileName: 0o600, fileName + "-wal": 0o600, fileName + "-shm": 0o600,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, fileName+"-wal")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("closing leaves a write-ahead log: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	page := func(n int) func(*testing.T, string) { // a page of the file, overwritten
		return func(t *testing.T, dir string) {
			b := mustRead(t, dir, fileName)
			copy(b[n*8192:(n+1)*8192], bytes.Repeat([]byte{0xA5}, 8192))
			mustWrite(t, dir, fileName, b)
		}
	}
	sql := func(script string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { execute(t, dir, script) }
	}
	for name, test := range map[string]struct {
		harm func(*testing.T, string)
		want *domain.Error
	}{
		"no database": {func(t *testing.T, dir string) {
			mustWrite(t, dir, fileName, []byte(strings.Repeat("not a database ", 1000)))
		}, eventstore.ErrDamaged},
		"cut off": {func(t *testing.T, dir string) {
			b := mustRead(t, dir, fileName)
			mustWrite(t, dir, fileName, b[:len(b)/2])
		}, eventstore.ErrDamaged},
		"header overwritten":      {page(0), eventstore.ErrDamaged},
		"somebody else's":         {sql("PRAGMA application_id = 1"), eventstore.ErrDamaged},
		"a newer format":          {sql("PRAGMA user_version = 3"), ErrNewer},
		"an event deleted":        {sql("DELETE FROM events WHERE position = 150"), eventstore.ErrDamaged},
		"the first event deleted": {sql("DELETE FROM events WHERE position = 1"), eventstore.ErrDamaged},
		"a table dropped":         {sql("DROP VIEW readable; DROP TABLE events"), eventstore.ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := mustOpen(t, dir)
			_, events := propose(300, 1000)
			mustAppend(t, s, "s", 0, events...)
			s.Close()
			test.harm(t, dir)
			if _, err := Open(dir, time.Now); !errors.Is(err, test.want) {
				t.Fatalf("%v, want %s", err, test.want.Rule)
			} else {
				t.Log(err)
			}
			if _, err := Open(dir, time.Now); errors.Is(err, eventstore.ErrLocked) {
				t.Error("a refused open keeps the lock")
			}
		})
	}
}

func TestUnwritableDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	mustWrite(t, filepath.Dir(file), "file", nil)
	if _, err := Open(filepath.Join(file, "data"), time.Now); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("below a file: %v", err)
	}
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, time.Now); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("read-only directory: %v", err)
	}
}

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	if _, err := Open(dir, time.Now); !errors.Is(err, eventstore.ErrLocked) {
		t.Errorf("second open: %v", err)
	}
	s.Close()
	mustOpen(t, dir)
}
