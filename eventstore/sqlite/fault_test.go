package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
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
		"a newer format":          {sql("PRAGMA user_version = 2"), ErrNewer},
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

// TestDamageWhileReading overwrites pages in the middle: whoever reads gets an error, not a gap.
func TestDamageWhileReading(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	_, events := propose(2000, 1000)
	mustAppend(t, s, "s", 0, events...)
	s.Close()
	intact := mustRead(t, dir, fileName)
	found := 0
	for n := 10; n < len(intact)/8192; n += 7 {
		harmed := bytes.Clone(intact)
		clear(harmed[n*8192 : (n+1)*8192])
		mustWrite(t, dir, fileName, harmed)
		s, err := Open(dir, time.Now)
		if err != nil {
			found++
			continue
		}
		read, last := 0, error(nil)
		for r, err := range s.Read(t.Context(), "s", 0) {
			if last = err; err == nil {
				if read++; r.ID != events[read-1].ID {
					t.Fatalf("page %d: event %d is another one", n, read)
				}
			}
		}
		if read < len(events) && !errors.Is(last, eventstore.ErrDamaged) {
			t.Errorf("page %d: %d of %d events, then %v", n, read, len(events), last)
		}
		if read < len(events) {
			found++
		}
		s.Close()
	}
	if found < 10 {
		t.Errorf("only %d damaged pages were met", found)
	}
}

// TestMissingVersion takes a version out of a stream's middle; the log is still as long as it should be.
func TestMissingVersion(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	_, events := propose(300, 10)
	mustAppend(t, s, "s", 0, events...)
	s.Close()
	execute(t, dir, "UPDATE events SET version = 301 WHERE version = 150")
	s = mustOpen(t, dir)
	read, last := 0, error(nil)
	for _, err := range s.Read(t.Context(), "s", 0) {
		if last = err; err == nil {
			read++
		}
	}
	if read != 149 || !errors.Is(last, eventstore.ErrDamaged) {
		t.Errorf("%d events, then %v; want 149 and log.damaged", read, last)
	}
}

// TestMissingEnd takes the newest events away under an open log: neither a stream nor the log just ends earlier.
func TestMissingEnd(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	_, events := propose(300, 10)
	mustAppend(t, s, "s", 0, events...)
	execute(t, dir, "DELETE FROM events WHERE position > 280")
	for what, history := range map[string]iter.Seq2[eventstore.Recorded, error]{
		"the stream": s.Read(t.Context(), "s", 0), "the log": s.Follow(t.Context(), 0),
	} {
		read, last := 0, error(nil)
		for _, err := range history {
			if last = err; err == nil {
				read++
			}
		}
		if read < 256 || !errors.Is(last, eventstore.ErrDamaged) {
			t.Errorf("%s: %d events, then %v; want log.damaged", what, read, last)
		}
	}
}

// TestGroup commits appends that depend on each other in one transaction: each gets its own answer.
func TestGroup(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	_, first := propose(1, 10)
	mustAppend(t, s, "a", 0, first...)
	s.Close()
	w, err := openWriter(filepath.Join(dir, fileName), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()

	_, next := propose(2, 10)
	_, fresh := propose(1, 10)
	group := []*request{
		{stream: "a", expected: 1, events: next},
		{stream: "a", expected: 1, events: fresh}, // lost to the one before it
		{stream: "a", expected: 1, events: next},  // the same again
		{stream: "b", expected: 1, events: fresh}, // does not exist
		{stream: "b", expected: 0, events: fresh},
		{stream: "a", expected: 0, events: append(first, next...)}, // on disk and in this group
		{stream: "a", expected: 3, events: fresh},
	}
	if err := w.commit(group, newHeads(10)); err != nil {
		t.Fatal(err)
	}
	for i, want := range []eventstore.Position{3, 0, 3, 0, 4, 3, 5} {
		if r := group[i]; r.position != want || (want == 0) != errors.Is(r.err, eventstore.ErrWrongVersion) {
			t.Errorf("append %d: position %d, %v; want %d", i, r.position, r.err, want)
		}
	}
}

// TestFullDisk fills the file to a bound: what was acknowledged stays, and the log goes on once there is room.
func TestFullDisk(t *testing.T) {
	unset := set(t, "max_page_count = 100")
	dir := t.TempDir()
	s := mustOpen(t, dir)
	acks, refused := appendFromMany(t, s, 8, 200)
	if refused == nil || !errors.Is(refused, eventstore.ErrUnavailable) {
		t.Fatalf("the full disk gave %v", refused)
	}
	audit(t, s, acks)
	s.Close()
	unset()
	s = mustOpen(t, dir)
	audit(t, s, acks)
	if more, err := appendFromMany(t, s, 8, 20); err != nil {
		t.Fatal(err)
	} else {
		audit(t, s, append(acks, more...))
	}
}

// appendFromMany appends until each appender is done or refused, and tells what was acknowledged and the last refusal.
func appendFromMany(t *testing.T, s *Store, appenders, each int) (acks []acknowledged, refused error) {
	var all sync.WaitGroup
	var mu sync.Mutex
	run := time.Now().UnixNano()
	for g := range appenders {
		all.Go(func() {
			stream, version := fmt.Sprint(run, "-", g), eventstore.Version(0)
			for range each {
				b, events := propose(2, 2000)
				position, err := s.Append(t.Context(), stream, version, events...)
				mu.Lock()
				if err != nil {
					refused = err
				} else {
					acks = append(acks, acknowledged{stream, b, 2, position})
					version += 2
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return acks, refused
}

// holdUp locks the file, as somebody with an SQLite shell may, so that the writer waits.
func holdUp(t *testing.T, dir string) (release func()) {
	t.Helper()
	other, err := sqlite.OpenConn(filepath.Join(dir, fileName), sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if err := sqlitex.ExecuteTransient(other, "BEGIN IMMEDIATE", nil); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := errors.Join(sqlitex.ExecuteTransient(other, "ROLLBACK", nil), other.Close()); err != nil {
			t.Error(err)
		}
	}
}

// TestEndedWhileWaiting holds the writer up with a lock on the file. An append that waits in the queue is withdrawn at
// once and never written; of one that is being written the outcome is unknown.
func TestEndedWhileWaiting(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	release := holdUp(t, dir)

	_, first := propose(1, 10)
	_, second := propose(1, 10)
	start := func(stream string, events []eventstore.Proposed) (cancel func(), result chan error) {
		ctx, cancel := context.WithCancel(t.Context())
		result = make(chan error, 1)
		go func() {
			_, err := s.Append(ctx, stream, 0, events...)
			result <- err
		}()
		return cancel, result
	}
	await := func(what string, result chan error, want error) {
		t.Helper()
		select {
		case err := <-result:
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
		case <-time.After(2 * time.Second):
			t.Fatalf("%s: does not end", what)
		}
	}
	cancelFirst, firstResult := start("first", first)
	time.Sleep(50 * time.Millisecond) // the writer has it and waits for the lock
	cancelSecond, secondResult := start("second", second)
	time.Sleep(20 * time.Millisecond)
	cancelSecond()
	await("waiting in the queue", secondResult, context.Canceled)
	cancelFirst()
	await("being written", firstResult, eventstore.ErrUnavailable)
	release()

	if p := mustAppend(t, s, "first", 0, first...); p != 1 {
		t.Errorf("the repeat gave position %d", p)
	}
	for r := range s.Read(t.Context(), "second", 0) {
		t.Errorf("the withdrawn append was written at %d", r.Position)
	}
}

// TestLockedFile keeps the file locked for longer than the writer waits.
func TestLockedFile(t *testing.T) {
	set(t, "busy_timeout = 50")
	dir := t.TempDir()
	s := mustOpen(t, dir)
	release := holdUp(t, dir)
	_, events := propose(1, 10)
	if _, err := s.Append(t.Context(), "s", 0, events...); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("append: %v", err)
	}
	release()
	mustAppend(t, s, "s", 0, events...)
}

// TestCloseFinishesWhatWaits closes while appends stand in the queue: they were accepted, so they are written.
func TestCloseFinishesWhatWaits(t *testing.T) {
	for range 4 {
		closeFinishesWhatWaits(t)
	}
}

func closeFinishesWhatWaits(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	release := holdUp(t, dir)
	const appends = 20
	results := make(chan error, appends)
	for g := range appends {
		go func() {
			_, events := propose(1, 10)
			_, err := s.Append(t.Context(), fmt.Sprint(g), 0, events...)
			results <- err
		}()
	}
	for len(s.queue) == 0 { // the writer waits with what came first, the others behind it
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond)
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	time.Sleep(20 * time.Millisecond)
	release()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	for range appends {
		if err := <-results; err != nil {
			t.Errorf("an append that waited: %v", err)
		}
	}
	if got := mustOpen(t, dir).Stats().Events; got != appends {
		t.Errorf("%d events, want %d", got, appends)
	}
}

// TestCloseWhileAppending closes amid appends: each is either acknowledged and there, or refused and not there.
func TestCloseWhileAppending(t *testing.T) {
	for range 5 {
		dir := t.TempDir()
		s := mustOpen(t, dir)
		time.AfterFunc(30*time.Millisecond, func() { s.Close() })
		acks, refused := appendFromMany(t, s, 8, 500)
		if refused == nil {
			t.Fatal("the log was closed too late")
		}
		if !errors.Is(refused, eventstore.ErrUnavailable) {
			t.Errorf("a closed log gave %v", refused)
		}
		s.Close()
		s = mustOpen(t, dir)
		audit(t, s, acks)
		if got := s.Stats().Events; got != uint64(2*len(acks)) {
			t.Errorf("%d events, %d acknowledged", got, 2*len(acks))
		}
		s.Close()
	}
}
