package sqlite

import (
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/urikake/urikake/eventstore"
)

// TestWriteError makes the kernel refuse to let the write-ahead log grow, amid groups of appends, and then relents.
func TestWriteError(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	acks, err := appendFromMany(t, s, 8, 10)
	if err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	info, err := os.Stat(filepath.Join(dir, fileName+"-wal"))
	if err != nil {
		t.Fatal(err)
	}
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	limit := syscall.Rlimit{Cur: uint64(info.Size() + 100_000), Max: before.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	more, refused := appendFromMany(t, s, 8, 50)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(refused, eventstore.ErrUnavailable) {
		t.Fatalf("a write error gave %v", refused)
	}
	t.Logf("%d appends before the limit, then %v", len(more), refused)
	acks = append(acks, more...)
	audit(t, s, acks)
	more, err = appendFromMany(t, s, 8, 50)
	if err != nil {
		t.Fatalf("after the error: %v", err)
	}
	audit(t, s, append(acks, more...))
}

// TestSpoolWithoutRoom: a backup that is to be sent is refused before the log itself would have no room.
func TestSpoolWithoutRoom(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("none", disk, "tmpfs", 0, "size=3m"); err != nil {
		t.Skipf("a small disk can't be had here: %v", err)
	}
	defer syscall.Unmount(disk, syscall.MNT_DETACH)
	s := mustOpen(t, disk)
	defer s.Close()
	_, list := propose(5, 20_000)
	mustAppend(t, s, "s", 0, list...)
	out, err := s.Spool(t.Context(), nil, listed(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, disk, "fill", make([]byte, 900_000))
	if out, err := s.Spool(t.Context(), nil, listed(), time.Now()); !errors.Is(err, ErrNoRoom) {
		t.Errorf("%+v, %v", out, err)
	}
	if left := spools(t, disk); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
	_, list = propose(1, 100)
	mustAppend(t, s, "s", 5, list...)
}
