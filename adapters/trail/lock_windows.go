package trail

import (
	"os"

	"golang.org/x/sys/windows"
)

// flock waits for the lock between processes; unlock gives it back, as the system does when a process ends.
func flock(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, new(windows.Overlapped))
}

func unlock(f *os.File) error {
	return windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, new(windows.Overlapped))
}

// syncDir has nothing to do: NTFS journals names itself.
func syncDir(string) error { return nil }
