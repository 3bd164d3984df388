package trail

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/urikake/urikake/eventstore/merkle"
)

// A trail that can't be written says so without a read, and after one for as long as that is worth; and then that it can.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	blocked := filepath.Join(dir, dirName)
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tr := open(dir)
	defer tr.Close()
	if err := tr.Check(time.Hour); err == nil {
		t.Error("it can be written, they say")
	}
	if _, err := tr.Record(Entry{Event: Read}); !errors.Is(err, ErrUnavailable) {
		t.Fatal(err)
	}
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	if err := tr.Check(time.Hour); err == nil {
		t.Error("the fault is forgotten")
	}
	if err := tr.Check(0); err != nil {
		t.Errorf("a new try: %v", err)
	}
	record(t, tr, 1)
	for range 3 {
		if err := tr.Check(time.Hour); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, dirName, probeName)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the probe: %v", err)
	}
	r := verified(t, dir)
	if !r.OK || r.Lines != 3 || r.Gaps != 1 { // the file's, of the gap, the read
		t.Errorf("%+v", r)
	}
	if s := tr.Stats(); s.Lines != r.Lines || s.Bytes == 0 || s.Refused != 1 || s.Faults != 1 || !s.Anchored.IsZero() {
		t.Errorf("%+v", s)
	}
}

// Lines and bytes are those of the files, over several of them; an anchor is remembered from one process to the next.
func TestStats(t *testing.T) {
	dir := t.TempDir()
	if _, err := merkle.Keygen(dir, "ledger.example"); err != nil {
		t.Fatal(err)
	}
	tr := open(dir)
	for i := range 50 {
		record(t, tr, i)
	}
	a, err := tr.Anchor()
	if err != nil {
		t.Fatal(err)
	}
	s := tr.Stats()
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	size, names := int64(0), 0
	files, err := fileNames(filepath.Join(dir, dirName))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		info, err := os.Stat(filepath.Join(dir, dirName, name))
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
		names++
	}
	if r := verified(t, dir); s.Lines != r.Lines || int64(s.Bytes) != size || names < 3 || !s.Anchored.Equal(a.Time) || s.Faults+s.Refused != 0 {
		t.Errorf("%+v; %d bytes in %d files, %+v", s, size, names, r)
	}
	next := open(dir)
	defer next.Close()
	if s := next.Stats(); !s.Anchored.Equal(a.Time) || s.Lines != 0 {
		t.Errorf("the next process: %+v", s)
	}
}
