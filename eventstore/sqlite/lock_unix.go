//go:build unix

package sqlite

import (
	"errors"
	"os"
	"syscall"
)

// flock takes the lock for as long as f is open; the kernel frees it when the process ends, however it ends.
func flock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
