package sqlite

import (
	"os"

	"golang.org/x/sys/windows"
)

// flock takes the lock for as long as f is open; the system frees it when the process ends, however it ends.
func flock(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()),
		windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped))
}

// syncDir has nothing to do: NTFS journals names itself.
func syncDir(string) error { return nil }
