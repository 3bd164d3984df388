package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// mustBackup makes a backup of a directory with the files that are in its outbox.
func mustBackup(t *testing.T, dir, file string, names ...string) Contents {
	t.Helper()
	b, err := OpenBeside(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	c, err := b.Backup(t.Context(), file, false, root.ReadFile, names, time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file + partialEnd); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the backup leaves %s: %v", file+partialEnd, err)
	}
	return c
}

// restored opens what a backup was restored to and reads it.
func restored(t *testing.T, file string) []eventstore.Recorded {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "restored")
	c, err := Restore(t.Context(), file, dir, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, dir)
	defer s.Close()
	if head, _ := s.Head(t.Context()); head != c.Position {
		t.Errorf("restored to %d, the backup says %d", head, c.Position)
	}
	events := everything(t, s, c.Position)
	_, list := propose(1, 10)
	mustAppend(t, s, "goes on", 0, list...)
	return events
}

func same(a, b eventstore.Recorded) bool { return reflect.DeepEqual(a, b) }

// TestBackupWhileWriting makes backups while many append: each is the log up to its position, and what was acknowledged
// before it began is in it.
func TestBackupWhileWriting(t *testing.T) {
	set(t, "wal_autocheckpoint = 20") // so that some run while the write-ahead log is folded
	dir := t.TempDir()
	s := mustOpen(t, dir)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 4)
	for g := range cap(ended) {
		go func() {
			for v := eventstore.Version(0); ; v += 2 {
				_, list := propose(2, 3000)
				if _, err := s.Append(ctx, fmt.Sprint("stream-", g), v, list...); err != nil {
					ended <- err
					return
				}
			}
		}()
	}
	var made []Contents
	for i := range 6 {
		acknowledged, err := s.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c := mustBackup(t, dir, filepath.Join(dir, fmt.Sprint("backup-", i)))
		if c.Position < acknowledged {
			t.Errorf("backup %d ends at %d, %d had been acknowledged", i, c.Position, acknowledged)
		}
		made = append(made, c)
	}
	stop()
	for range cap(ended) {
		if err := <-ended; !errors.Is(err, context.Canceled) && !errors.Is(err, eventstore.ErrUnavailable) {
			t.Errorf("an appender beside ended with %v", err)
		}
	}
	head, _ := s.Head(t.Context())
	all := everything(t, s, head)
	if made[5].Position <= made[0].Position {
		t.Errorf("nobody wrote while backups were made: %v", made)
	}
	for i, c := range made {
		if got := restored(t, filepath.Join(dir, fmt.Sprint("backup-", i))); !slices.EqualFunc(got, all[:c.Position], same) {
			t.Errorf("backup %d of %d events differs from the log", i, c.Position)
		}
	}
}

// TestBackupFiles carries files along.
func TestBackupFiles(t *testing.T) {
	dir, events := soundLog(t)
	if err := os.MkdirAll(filepath.Join(dir, "outbox", "S1"), 0o700); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, dir, "outbox/S1/a.txt", []byte("拝啓"))
	mustWrite(t, dir, "outbox/S1/b.txt", nil)
	file := filepath.Join(t.TempDir(), "b")
	c := mustBackup(t, dir, file, "outbox/S1/a.txt", "outbox/S1/b.txt")
	if c.Files != 2 || int(c.Position) != len(events) || c.Streams != 20 {
		t.Errorf("%+v", c)
	}
	to := t.TempDir()
	if _, err := Restore(t.Context(), file, to, nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	if got := mustRead(t, to, "outbox/S1/a.txt"); string(got) != "拝啓" {
		t.Errorf("%q", got)
	}
	mustRead(t, to, "outbox/S1/b.txt")
	if _, err := Restore(t.Context(), file, to, nil, nil, nil); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("restore over a ledger: %v", err)
	}
}

// TestHarmedBackup changes and cuts backups: a restore refuses them and leaves no ledger, or gives what was backed up.
func TestHarmedBackup(t *testing.T) {
	dir, events := soundLog(t)
	mustWrite(t, dir, "letter", bytes.Repeat([]byte("letter "), 3000))
	file := filepath.Join(t.TempDir(), "b")
	mustBackup(t, dir, file, "letter")
	whole := mustRead(t, filepath.Dir(file), "b")
	refused := 0
	for i := range 90 {
		harmed, what := bytes.Clone(whole), ""
		if i%3 == 0 {
			size := rand.IntN(len(harmed))
			harmed, what = harmed[:size], fmt.Sprint("cut at ", size)
		} else {
			at, bit := rand.IntN(len(harmed)), byte(1)<<rand.IntN(8)
			harmed[at] ^= bit
			what = fmt.Sprintf("byte %d xor %#x", at, bit)
		}
		at := t.TempDir()
		mustWrite(t, at, "b", harmed)
		to := filepath.Join(at, "to")
		_, err := Restore(t.Context(), filepath.Join(at, "b"), to, nil, nil, nil)
		if err == nil {
			if found := outcome(t, what, to, events); found != nil {
				t.Errorf("%s: restored, and then %v", what, found)
			}
			if !bytes.Equal(mustRead(t, to, "letter"), mustRead(t, dir, "letter")) {
				t.Errorf("%s: the letter is another one", what)
			}
			continue
		}
		refused++
		if !errors.Is(err, ErrNotBackup) && !errors.Is(err, ErrNewer) {
			t.Errorf("%s: %v", what, err)
		}
		if left, _ := os.ReadDir(to); len(left) > 0 || Exists(to) {
			t.Errorf("%s: refused, and leaves %v", what, left)
		}
	}
	if refused < 40 {
		t.Errorf("only %d of 90 harmed backups were refused", refused)
	}
}

func TestBackupRefuses(t *testing.T) {
	dir, _ := soundLog(t)
	file := filepath.Join(t.TempDir(), "b")
	mustBackup(t, dir, file)
	b, err := OpenBeside(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	backup := func(file string, force bool) error {
		_, err := b.Backup(t.Context(), file, force, nil, nil, time.Now(), nil)
		return err
	}
	if err := backup(file, false); !errors.Is(err, ErrBackupExists) {
		t.Errorf("over a file: %v", err)
	}
	if err := backup(file, true); err != nil {
		t.Errorf("over a file with force: %v", err)
	}
	if err := backup(filepath.Join(file, "below"), false); !errors.Is(err, ErrBackupUnwritable) {
		t.Errorf("below a file: %v", err)
	}
	mustWrite(t, filepath.Dir(file), "text", []byte("not a backup"))
	db := filepath.Join(filepath.Dir(file), "log")
	mustWrite(t, filepath.Dir(file), "log", mustRead(t, dir, fileName))
	for _, name := range []string{filepath.Join(filepath.Dir(file), "text"), db, "missing"} {
		if _, err := Restore(t.Context(), name, filepath.Join(t.TempDir(), "to"), nil, nil, nil); !errors.Is(err, ErrNotBackup) {
			t.Errorf("restore %s: %v", name, err)
		}
	}
	denied := func(string) ([]byte, error) { return nil, os.ErrPermission }
	if _, err := b.Backup(t.Context(), file+"2", false, denied, []string{"letter"}, time.Now(), nil); !errors.Is(err, ErrBackupUnwritable) || !strings.Contains(err.Error(), "letter") {
		t.Errorf("a file that can't be read: %v", err)
	}
	unreadable := &domain.Error{Rule: "test.unreadable"}
	to := filepath.Join(t.TempDir(), "to")
	if _, err := Restore(t.Context(), file, to, func(eventstore.Recorded) error { return unreadable }, nil, nil); !errors.Is(err, unreadable) || Exists(to) {
		t.Errorf("an event that can't be read: %v", err)
	}
}

// TestCut makes a copy that ends earlier and takes nothing.
func TestCut(t *testing.T) {
	dir, events := soundLog(t)
	b, err := OpenBeside(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, upTo := range []eventstore.Position{0, 1, 57, b.Head()} {
		to := t.TempDir()
		if err := b.CutTo(t.Context(), to, upTo, nil); err != nil {
			t.Fatal(err)
		}
		if err := outcome(t, fmt.Sprint("up to ", upTo), to, events[:upTo]); err != nil {
			t.Error(err)
		}
		s := mustOpen(t, to)
		_, list := propose(1, 10)
		if _, err := s.Append(t.Context(), "s", 0, list...); !errors.Is(err, ErrCopy) {
			t.Errorf("append to a copy: %v", err)
		}
		s.Close()
		if err := b.CutTo(t.Context(), to, upTo, nil); !errors.Is(err, ErrNotEmpty) {
			t.Errorf("into a directory that holds one: %v", err)
		}
		copied, err := OpenBeside(to)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := copied.Backup(t.Context(), filepath.Join(t.TempDir(), "b"), false, nil, nil, time.Now(), nil); !errors.Is(err, ErrCopy) {
			t.Errorf("backup of a copy: %v", err)
		}
		copied.Close()
	}
	if err := b.CutTo(t.Context(), t.TempDir(), b.Head()+1, nil); !errors.Is(err, ErrBeyond) {
		t.Errorf("beyond the end: %v", err)
	}
}

// TestLastBy finds positions by instants.
func TestLastBy(t *testing.T) {
	dir, events := soundLog(t)
	b, err := OpenBeside(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, at := range []time.Time{time.Unix(0, 0), events[0].At, events[0].At.Add(-time.Microsecond), events[40].At, events[80].At.Add(-time.Microsecond), time.Now()} {
		want := eventstore.Position(0)
		for _, e := range events {
			if !e.At.After(at) {
				want = e.Position
			}
		}
		if got, err := b.LastBy(at); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", at, got, err, want)
		}
	}
}

// TestBesideMissing: who reads beside is told as well that acknowledged events are missing.
func TestBesideMissing(t *testing.T) {
	live, _ := running(t)
	dir := harmed(t, live, fileName+walEnd, func([]byte) []byte { return nil })
	if _, err := OpenBeside(dir); !errors.Is(err, eventstore.ErrDamaged) || !strings.Contains(err.Error(), walEnd) {
		t.Errorf("without the write-ahead log: %v", err)
	}
}
