package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// A disk fills up under a server: it refuses commands, answers questions with everything that it has acknowledged, and
// takes commands again once there is room. Killed and started again on the full disk, it still has everything.
func TestFullDisk(t *testing.T) {
	t.Run("small", func(t *testing.T) { fullDisk(t, 12<<20, 8<<20) })
	t.Run("as disks are", func(t *testing.T) { fullDisk(t, 140<<20, 28<<20) })
}

// fullDisk fills a disk of so many bytes, of which a server finds a part free.
func fullDisk(t *testing.T, size, free int64) {
	dir := t.TempDir()
	disk := filepath.Join(dir, "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("none", disk, "tmpfs", 0, fmt.Sprint("size=", size)); err != nil {
		t.Skipf("a small disk can't be had here: %v", err)
	}
	defer syscall.Unmount(disk, syscall.MNT_DETACH)
	program := filepath.Join(dir, "urikake")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, program, filepath.Join(disk, "books"))
	s.post(t, "r", "/v1/sellers", `{"seller":"S","name":"S","time_zone":"Asia/Tokyo","base_currency":"JPY","language":"ja"}`)
	for c := range 3 {
		s.post(t, fmt.Sprint("c", c), "/v1/sellers/S/customers", fmt.Sprintf(`{"customer":"C%d","name":"得意先"}`, c))
	}
	fill := filepath.Join(disk, "fill")
	fillUp(t, fill, free)
	var mu sync.Mutex
	var wg sync.WaitGroup
	acknowledged, refused := 0, ""
	for client := range 8 {
		wg.Go(func() {
			for n := range 2000 {
				_, err := s.pay(fmt.Sprintf("p-%d-%d", client, n))
				mu.Lock()
				if err == nil {
					acknowledged++
				} else {
					refused = err.Error()
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	if !strings.HasPrefix(refused, "503") || !strings.Contains(refused, "the disk is full") {
		t.Fatalf("after %d payments: %s", acknowledged, refused)
	}
	t.Logf("%d payments, then %s", acknowledged, refused)
	s.expectPayments(t, acknowledged)
	s.cmd.Process.Kill()
	s.cmd.Wait()

	s = startServer(t, program, filepath.Join(disk, "books"))
	defer s.cmd.Wait()
	defer s.cmd.Process.Kill()
	s.expectPayments(t, acknowledged)
	if _, err := s.pay("still"); err == nil {
		t.Error("a full disk takes a command")
	}
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	patience := 0
	for _, err := s.pay("again"); err != nil; _, err = s.pay("again") { // the disk is asked again after some milliseconds
		if patience++; patience == 1000 {
			t.Fatalf("there is room, and: %v", err)
		}
	}
	s.expectPayments(t, acknowledged+1)
}

// fillUp makes a file that leaves so many bytes of its disk.
func fillUp(t *testing.T, path string, left int64) {
	t.Helper()
	var disk syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(path), &disk); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.Fallocate(int(f.Fd()), 0, 0, int64(disk.Bavail)*disk.Bsize-left); err != nil {
		t.Fatal(err)
	}
}
