package trail

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A disk fills up: reads are refused and the check says why, before and after one was; and it passes when there is room.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("none", disk, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("a small disk can't be had here: %v", err)
	}
	defer syscall.Unmount(disk, syscall.MNT_DETACH)
	tr := open(disk)
	defer tr.Close()
	record(t, tr, 1)
	if err := tr.Check(time.Hour); err != nil {
		t.Fatal(err)
	}
	fill := filepath.Join(disk, "fill")
	if err := os.WriteFile(fill, make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := tr.Check(time.Hour); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("before a read: %v", err)
	}
	var err error
	for i := 0; err == nil && i < 1000; i++ { // what is left of the last page
		_, err = tr.Record(Entry{Event: Read})
	}
	if !errors.Is(err, ErrUnavailable) {
		t.Fatal(err)
	}
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	if err := tr.Check(0); err != nil {
		t.Errorf("with room again: %v", err)
	}
	record(t, tr, 2)
	if err := tr.Check(time.Hour); err != nil {
		t.Error(err)
	}
}
