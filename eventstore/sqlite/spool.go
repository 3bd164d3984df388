package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// ErrNoRoom refuses a copy for which the server's disk has no room.
var ErrNoRoom = &domain.Error{
	Code: domain.Unavailable, Rule: "backup.no_room",
	Text: "there is no room for the copy that the server makes beside its log; free some, or run `urikake --data DIR backup FILE` on the server's machine, to another disk",
}

// spoolPrefix begins the names of directories in which backups wait to be sent.
const spoolPrefix = ".backup-"

// Spooled is a backup that waits in the data directory to be sent. To close it removes it.
type Spooled struct {
	Contents
	*os.File
	Size int64 // bytes
	dir  string
}

// Close gives the room free.
func (s *Spooled) Close() error { return errors.Join(s.File.Close(), os.RemoveAll(s.dir)) }

// Spool makes a backup in the data directory, as Beside.Backup does, to be sent elsewhere; the caller closes it. Which
// files go along is asked once it is known up to where the log does. What a process that is killed leaves of it is removed
// when the log is opened next. Refuses backup.no_room before the log itself would have no room, and what Backup refuses.
func (s *Store) Spool(ctx context.Context, read func(name string) ([]byte, error), list func() ([]string, error), at time.Time) (out *Spooled, err error) {
	home := filepath.Dir(s.lock.Name())
	from, err := OpenBeside(home)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	files, err := list()
	if err != nil {
		return nil, unwrittenBackup(err)
	}
	if err := roomToSpool(home, files); err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp(home, spoolPrefix+"*")
	if err != nil {
		return nil, unwrittenBackup(err)
	}
	defer func() {
		if err != nil {
			os.RemoveAll(work)
		}
	}()
	watched, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	file := filepath.Join(work, "backup")
	made, err := from.Backup(watched, file, false, read, files, at, func(_, _ eventstore.Position) {
		if full := roomFor(home, 0); full != nil {
			stop(full)
		}
	})
	if full := context.Cause(watched); err != nil && errors.Is(full, ErrNoRoom) {
		err = full
	}
	if err != nil {
		return nil, err
	}
	return opened(made, file)
}

// opened is a backup that was made, to be read once.
func opened(made Contents, file string) (*Spooled, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, unwrittenBackup(err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(unwrittenBackup(err), f.Close())
	}
	return &Spooled{Contents: made, File: f, Size: info.Size(), dir: filepath.Dir(file)}, nil
}

// roomToSpool refuses backup.no_room for a copy of the log and of files beside it.
func roomToSpool(dir string, files []string) error {
	need := int64(0)
	for _, name := range append([]string{fileName, fileName + walEnd}, files...) {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return unwritable(err)
		}
		if err == nil {
			need += info.Size()
		}
	}
	return roomFor(dir, uint64(need))
}

// roomFor refuses backup.no_room where so many bytes more would bring the log near to taking nothing any more.
func roomFor(dir string, need uint64) error {
	free, all, known := room(dir)
	if keep := min(roomMin, all/roomPart) + min(roomMin, all/8); known && free < need+keep {
		return ErrNoRoom.With("it takes %d KiB, of %d KiB that are free %d stay with the log", need>>10, free>>10, keep>>10)
	}
	return nil
}

// removeSpools removes what a process that was killed left. Only who has the directory to himself makes any.
func removeSpools(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), spoolPrefix) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return err
}
