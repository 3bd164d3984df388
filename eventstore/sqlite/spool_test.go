package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urikake/urikake/eventstore"
)

// spools are what is left of backups in a directory.
func spools(t *testing.T, dir string) []string {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, spoolPrefix+"*"))
	if err != nil {
		t.Fatal(err)
	}
	return left
}

func listed(names ...string) func() ([]string, error) {
	return func() ([]string, error) { return names, nil }
}

// TestSpool makes backups to be sent while many append: each is the log up to its position, in a file that goes away.
func TestSpool(t *testing.T) {
	set(t, "wal_autocheckpoint = 20")
	dir := t.TempDir()
	s := mustOpen(t, dir)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 3)
	for g := range cap(ended) {
		go func() {
			for v := eventstore.Version(0); ; v += 2 {
				_, list := propose(2, 1000)
				if _, err := s.Append(ctx, fmt.Sprint("stream-", g), v, list...); err != nil {
					ended <- err
					return
				}
			}
		}()
	}
	mustWrite(t, dir, "letter", []byte("拝啓"))
	read := func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, name)) }
	at := t.TempDir()
	for i := range 3 {
		acknowledged, err := s.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out, err := s.Spool(t.Context(), read, listed("letter", "gone meanwhile"), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(out)
		if err != nil || int64(len(b)) != out.Size || out.Position < acknowledged || out.Files != 1 {
			t.Errorf("%d bytes of %d, %+v, %d were acknowledged, %v", len(b), out.Size, out.Contents, acknowledged, err)
		}
		if err := out.Close(); err != nil {
			t.Error(err)
		}
		mustWrite(t, at, fmt.Sprint("b", i), b)
	}
	stop()
	for range cap(ended) {
		<-ended
	}
	if left := spools(t, dir); len(left) > 0 {
		t.Errorf("it leaves %v", left)
	}
	head, _ := s.Head(t.Context())
	all := everything(t, s, head)
	for i := range 3 {
		if got := restored(t, filepath.Join(at, fmt.Sprint("b", i))); !slices.EqualFunc(got, all[:len(got)], same) {
			t.Errorf("backup %d of %d events differs from the log", i, len(got))
		}
	}
}

// TestSpoolLeft: what a killed process has left is removed when the log is opened.
func TestSpoolLeft(t *testing.T) {
	dir, _ := soundLog(t)
	if err := os.MkdirAll(filepath.Join(dir, spoolPrefix+"123"), 0o700); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, dir, spoolPrefix+"123/backup.partial", bytes.Repeat([]byte("x"), 100_000))
	mustOpen(t, dir).Close()
	if left := spools(t, dir); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// TestSpoolGivenUp: who gives a backup up gets none, and nothing is left of it.
func TestSpoolGivenUp(t *testing.T) {
	dir, _ := soundLog(t)
	s := mustOpen(t, dir)
	ctx, stop := context.WithCancel(t.Context())
	mustWrite(t, dir, "letter", nil)
	_, err := s.Spool(ctx, func(string) ([]byte, error) { stop(); return nil, nil }, listed("letter"), time.Now())
	if !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	if left := spools(t, dir); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// TestReceive takes backups over as they come: whole, cut off, changed.
func TestReceive(t *testing.T) {
	dir, events := soundLog(t)
	mustWrite(t, dir, "letter", bytes.Repeat([]byte("letter "), 3000))
	at := t.TempDir()
	made := mustBackup(t, dir, filepath.Join(at, "local"), "letter")
	whole := mustRead(t, at, "local")
	receive := func(name string, force bool, b []byte, end error) (Contents, error) {
		return Receive(t.Context(), filepath.Join(at, name), force, func(w io.Writer) error {
			if _, err := w.Write(b); err != nil {
				return err
			}
			return end
		}, nil)
	}
	c, err := receive("whole", false, whole, nil)
	if err != nil || c != made || !bytes.Equal(mustRead(t, at, "whole"), whole) {
		t.Fatalf("%+v, want %+v, %v", c, made, err)
	}
	if got := restored(t, filepath.Join(at, "whole")); !slices.EqualFunc(got, events, same) {
		t.Error("another log is restored")
	}
	if _, err := receive("whole", false, nil, errors.New("it is asked for nevertheless")); !errors.Is(err, ErrBackupExists) {
		t.Errorf("over a file: %v", err)
	}
	broken := errors.New("broken off")
	if _, err := receive("whole", true, whole[:50_000], broken); !errors.Is(err, broken) || !bytes.Equal(mustRead(t, at, "whole"), whole) {
		t.Errorf("broken off: %v", err)
	}
	if _, err := receive("missing/b", false, whole, nil); !errors.Is(err, ErrBackupUnwritable) {
		t.Errorf("into no directory: %v", err)
	}
	if _, err := receive("", true, whole, nil); !errors.Is(err, ErrBackupUnwritable) {
		t.Errorf("over a directory: %v", err)
	}
	refused := 0
	for i := range 40 {
		harmed, what := bytes.Clone(whole), ""
		if i%2 == 0 {
			size := rand.IntN(len(harmed))
			harmed, what = harmed[:size], fmt.Sprint("cut at ", size)
		} else {
			bit := rand.IntN(8 * len(harmed))
			harmed[bit/8] ^= 1 << (bit % 8)
			what = fmt.Sprint("bit ", bit)
		}
		_, err := receive("harmed", false, harmed, nil)
		switch {
		case err == nil:
			if got := restored(t, filepath.Join(at, "harmed")); !slices.EqualFunc(got, events, same) {
				t.Errorf("%s: taken, and another log", what)
			}
			os.Remove(filepath.Join(at, "harmed"))
			continue
		case !errors.Is(err, ErrNotBackup) && !errors.Is(err, ErrNewer):
			t.Errorf("%s: %v", what, err)
		}
		refused++
		for _, name := range []string{"harmed", "harmed.partial"} {
			if _, err := os.Stat(filepath.Join(at, name)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s leaves %s", what, name)
			}
		}
	}
	if refused < 20 {
		t.Errorf("only %d of 40 were refused", refused)
	}
}

// TestBackupOfDamage writes over each page of a log: a backup is refused and says where the log is damaged, or it holds
// every event.
func TestBackupOfDamage(t *testing.T) {
	dir, events := soundLog(t)
	whole := mustRead(t, dir, fileName)
	refused := 0
	for page := range len(whole) / 8192 {
		at := t.TempDir()
		harmed := bytes.Clone(whole)
		for i := range 8192 {
			harmed[page*8192+i] = byte(rand.Uint32())
		}
		mustWrite(t, at, fileName, harmed)
		mustWrite(t, at, markName, mustRead(t, dir, markName))
		file := filepath.Join(at, "b")
		err := func() error {
			b, err := OpenBeside(at)
			if err != nil {
				return err
			}
			defer b.Close()
			_, err = b.Backup(t.Context(), file, false, nil, nil, time.Now(), nil)
			return err
		}()
		if err == nil {
			if got := restored(t, file); !slices.EqualFunc(got, events, same) {
				t.Errorf("page %d: a backup of another log", page+1)
			}
			continue
		}
		refused++
		if text := err.Error(); !errors.Is(err, eventstore.ErrDamaged) || !strings.Contains(text, fileName) || strings.Contains(text, partialEnd) {
			t.Errorf("page %d: %v", page+1, err)
		}
		if page > 1 && !strings.Contains(err.Error(), "age ") {
			t.Errorf("page %d: it is not said where: %v", page+1, err)
		}
		if left, _ := filepath.Glob(file + "*"); len(left) > 0 {
			t.Errorf("page %d: %v is left", page+1, left)
		}
	}
	t.Logf("refused for %d of %d pages", refused, len(whole)/8192)
	if refused < 3 {
		t.Error("hardly any page matters")
	}
}
