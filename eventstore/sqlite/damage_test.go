package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/urikake/urikake/eventstore"
)

// soundLog makes a log of some hundred events in several streams, and closes it.
func soundLog(t *testing.T) (dir string, events []eventstore.Recorded) {
	t.Helper()
	dir = t.TempDir()
	s := mustOpen(t, dir)
	for i := range 60 {
		_, list := propose(1+i%7, 600)
		name := fmt.Sprintf("account-S1.C%02d.JPY", i%20)
		mustAppend(t, s, name, headOf(s, name), list...)
	}
	head, _ := s.Head(t.Context())
	events = everything(t, s, head)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, events
}

func headOf(s *Store, stream string) eventstore.Version {
	h, _ := s.heads.get(stream)
	return h.version
}

// running is the files of a log as they stand while a process has it open: the newest events are in the write-ahead log.
func running(t *testing.T) (files map[string][]byte, events []eventstore.Recorded) {
	t.Helper()
	set(t, "wal_autocheckpoint = 0")
	dir, _ := soundLog(t)
	s := mustOpen(t, dir)
	for i := range 30 {
		_, list := propose(1+i%3, 600)
		mustAppend(t, s, fmt.Sprint("new-", i), 0, list...)
	}
	head, _ := s.Head(t.Context())
	return filesOf(t, dir), everything(t, s, head)
}

func filesOf(t *testing.T, dir string) map[string][]byte {
	files := make(map[string][]byte)
	for _, name := range []string{fileName, fileName + walEnd, markName} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			files[name] = b
		}
	}
	return files
}

// harmed writes files into a new directory, one of them changed.
func harmed(t *testing.T, files map[string][]byte, name string, change func([]byte) []byte) (dir string) {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	for n, b := range files {
		if n == name {
			b = change(bytes.Clone(b))
		}
		if b != nil {
			mustWrite(t, dir, n, b)
		}
	}
	return dir
}

// outcome opens what may be damaged and reads it. It fails the test unless each step gives log.damaged or what was
// written, and tells whether damage was found when the log was opened and looked through, as a server does.
func outcome(t *testing.T, what, dir string, want []eventstore.Recorded) (found error) {
	t.Helper()
	s, err := Open(dir, time.Now)
	if err != nil {
		if !errors.Is(err, eventstore.ErrDamaged) {
			t.Errorf("%s: open: %v", what, err)
		}
		return err
	}
	defer s.Close()
	checked := s.Check(t.Context(), nil)
	if checked != nil && !errors.Is(checked, eventstore.ErrDamaged) {
		t.Errorf("%s: check: %v", what, checked)
	}
	if len(want) == 0 {
		return checked // to follow would be to wait
	}
	read, failed := 0, error(nil)
	for r, err := range s.Follow(t.Context(), 0) {
		if failed = err; err != nil {
			break
		}
		if !reflect.DeepEqual(r, want[read]) {
			t.Fatalf("%s: event %d is another one: %+v, want %+v", what, read+1, r, want[read])
		}
		if read++; read == len(want) {
			break
		}
	}
	switch {
	case failed != nil && !errors.Is(failed, eventstore.ErrDamaged):
		t.Errorf("%s: after %d events: %v", what, read, failed)
	case failed != nil && checked == nil:
		t.Errorf("%s: it was checked and then fails at event %d: %v", what, read+1, failed)
	case checked == nil:
		byStream(t, what, s, want)
	}
	return checked
}

// byStream reads stream by stream what was found to be sound.
func byStream(t *testing.T, what string, s *Store, want []eventstore.Recorded) {
	t.Helper()
	streams := make(map[string][]eventstore.Recorded)
	for _, e := range want {
		streams[e.Stream] = append(streams[e.Stream], e)
	}
	for name, list := range streams {
		var got []eventstore.Recorded
		for e, err := range s.Read(t.Context(), name, 0) {
			if err != nil {
				t.Fatalf("%s: %s: %v", what, name, err)
			}
			got = append(got, e)
		}
		if !reflect.DeepEqual(got, list) {
			t.Errorf("%s: %s has %d events, want %d", what, name, len(got), len(list))
		}
	}
}

// TestFlippedBits changes single bytes of a log that was closed.
func TestFlippedBits(t *testing.T) {
	dir, events := soundLog(t)
	files := filesOf(t, dir)
	found := 0
	const rounds = 120
	for range rounds {
		at, bit := rand.IntN(len(files[fileName])), byte(1)<<rand.IntN(8)
		what := fmt.Sprintf("byte %d xor %#x", at, bit)
		if outcome(t, what, harmed(t, files, fileName, func(b []byte) []byte { b[at] ^= bit; return b }), events) != nil {
			found++
		}
	}
	t.Logf("%d of %d changed bytes were found; the others hold nothing", found, rounds)
	if found < rounds/4 {
		t.Errorf("only %d changed bytes were found", found)
	}
}

// TestFlippedBitsOfRunning changes single bytes of the write-ahead log that a process left which was killed, or of what
// says how far it went. SQLite ends at the first frame that is wrong; here nothing acknowledged may be missing.
func TestFlippedBitsOfRunning(t *testing.T) {
	files, events := running(t)
	for _, name := range []string{fileName + walEnd, markName} {
		found := 0
		for range 40 {
			at, bit := rand.IntN(len(files[name])), byte(1)<<rand.IntN(8)
			what := fmt.Sprintf("%s: byte %d xor %#x", name, at, bit)
			dir := harmed(t, files, name, func(b []byte) []byte { b[at] ^= bit; return b })
			if err := outcome(t, what, dir, events); err != nil {
				found++
				if _, statErr := os.Stat(filepath.Join(dir, fileName+walEnd+".kept")); name != markName && statErr != nil {
					t.Errorf("%s: the write-ahead log is gone: %v after %v", what, statErr, err)
				}
			}
		}
		if found < 15 {
			t.Errorf("%s: only %d changed bytes were found", name, found)
		}
	}
}

// TestCutOff cuts a log off at random places: closed, and with the write-ahead log of a process that was killed.
func TestCutOff(t *testing.T) {
	dir, events := soundLog(t)
	closed := filesOf(t, dir)
	for i := range 40 {
		size := rand.IntN(len(closed[fileName]))
		if i == 0 {
			size = 0
		}
		cut := harmed(t, closed, fileName, func(b []byte) []byte { return b[:size] })
		if err := outcome(t, fmt.Sprintf("cut at %d", size), cut, events); err == nil {
			t.Errorf("cut at byte %d of %d, nothing was found", size, len(closed[fileName]))
		} else if size > 100 && !strings.Contains(err.Error(), fmt.Sprint("cut off at byte ", size)) {
			t.Errorf("cut at byte %d: %v", size, err)
		}
	}
	live, all := running(t)
	for _, name := range []string{fileName, fileName + walEnd, markName} {
		found := 0
		for range 25 {
			size := rand.IntN(len(live[name]))
			if outcome(t, fmt.Sprintf("%s cut at %d", name, size), harmed(t, live, name, func(b []byte) []byte { return b[:size] }), all) != nil {
				found++
			}
		}
		if name != fileName && found < 25 { // the write-ahead log may hold every page of the file that was cut
			t.Errorf("%s cut off 25 times, found %d times", name, found)
		}
	}
}

// TestMissingFiles takes a file away.
func TestMissingFiles(t *testing.T) {
	live, all := running(t)
	dir, events := soundLog(t)
	closed := filesOf(t, dir)
	gone := func([]byte) []byte { return nil }
	for what, test := range map[string]struct {
		dir  string
		want []eventstore.Recorded
		says string // "": sound
	}{
		"the write-ahead log":      {harmed(t, live, fileName+walEnd, gone), all, "log.db-wal, which holds the newest, is missing or damaged"},
		"the file, killed":         {harmed(t, live, fileName, gone), all, "log.db is empty or missing"},
		"the file, closed":         {harmed(t, closed, fileName, gone), events, "log.db is empty or missing"},
		"the file, never read":     {harmed(t, map[string][]byte{fileName + walEnd: live[fileName+walEnd]}, "", gone), all, "which needs it"},
		"the mark, closed":         {harmed(t, closed, markName, gone), events, ""},
		"the mark, killed":         {harmed(t, live, markName, gone), all, ""},
		"another log in its place": {harmed(t, map[string][]byte{fileName: live[fileName], fileName + walEnd: live[fileName+walEnd], markName: closed[markName]}, "", gone), all, "different logs"},
	} {
		err := outcome(t, what, test.dir, test.want)
		if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %q", what, err, test.says)
		}
	}
}

// TestGoOnWithout takes the mark away, as the refusal says, to go on with what is left.
func TestGoOnWithout(t *testing.T) {
	live, all := running(t)
	dir := harmed(t, live, fileName+walEnd, func([]byte) []byte { return nil })
	if _, err := Open(dir, time.Now); !errors.Is(err, eventstore.ErrDamaged) {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, markName)); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, dir)
	head, _ := s.Head(t.Context())
	if head == 0 || int(head) >= len(all) {
		t.Errorf("head is %d of %d", head, len(all))
	}
	_, list := propose(1, 10)
	mustAppend(t, s, "goes on", 0, list...)
}

var saysWhere = regexp.MustCompile(`[Pp]age \d+|position \d+|byte \d+|version \d+`)

// TestZeroedPages clears each page.
func TestZeroedPages(t *testing.T) {
	dir, events := soundLog(t)
	files := filesOf(t, dir)
	pages := len(files[fileName]) / 8192
	for n := range pages {
		err := outcome(t, fmt.Sprint("page ", n+1), harmed(t, files, fileName, func(b []byte) []byte { clear(b[n*8192 : (n+1)*8192]); return b }), events)
		if err == nil {
			t.Errorf("page %d of %d is cleared, nothing was found", n+1, pages)
		} else if n > 0 && !saysWhere.MatchString(err.Error()) {
			t.Errorf("page %d of %d is cleared, and it does not say where: %v", n+1, pages, err)
		}
	}
}

// TestUpgrade opens a log that was written before rows had checksums.
func TestUpgrade(t *testing.T) {
	dir, events := soundLog(t)
	execute(t, dir, "ALTER TABLE events DROP COLUMN sum; PRAGMA user_version = 1")
	if err := outcome(t, "format 1", dir, events); err != nil {
		t.Fatal(err)
	}
	execute(t, dir, "UPDATE events SET data = CAST('{}' AS BLOB) WHERE position = 17")
	if err := outcome(t, "a changed row", dir, events); err == nil || !strings.Contains(err.Error(), "position 17 ") {
		t.Errorf("a changed row gives %v", err)
	}
}
