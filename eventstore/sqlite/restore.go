package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"zombiezen.com/go/sqlite"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// restoring is where a restore works until all is verified.
const restoring = "restore.partial"

// Restore makes of a backup the ledger in dir, which must be new or empty. Everything is read and compared with what the
// backup says of itself, and each event is shown to look, before the log gets its name as the last step. Files beside
// the log are written as open gives them, unless that leaves them out; open may be nil.
// Refuses log.not_empty, backup.not_one, log.damaged, log.unavailable, and what look refuses.
func Restore(ctx context.Context, file, dir string, look func(eventstore.Recorded) error,
	open func(name string, data []byte) (plain []byte, keep bool, err error), tell func(done, total eventstore.Position),
) (c Contents, err error) {
	if _, err := os.Stat(file); err != nil {
		return c, ErrNotBackup.With("%v", err)
	}
	if err := empty(dir); err != nil {
		return c, err
	}
	from, c, err := openBackup(file)
	if err != nil {
		return c, notBackup(err)
	}
	defer from.Close()
	work := filepath.Join(dir, restoring)
	if err := os.Mkdir(work, 0o700); err != nil {
		return c, unwritable(err)
	}
	defer os.RemoveAll(work)
	if err := from.copy(ctx, filepath.Join(work, fileName), c.Position, look, tell); errors.Is(err, eventstore.ErrDamaged) {
		return c, notBackup(err)
	} else if err != nil {
		return c, err
	}
	if err := change(filepath.Join(work, fileName), func(*sqlite.Conn) error { return nil }); err != nil {
		return c, err
	}
	if err := from.extract(work, c, open); err != nil {
		return c, err
	}
	return c, takeOver(work, dir, mark{c.Position, c.ID})
}

func notBackup(err error) error {
	var refusal *domain.Error
	if errors.As(err, &refusal) && refusal.Rule != ErrNewer.Rule {
		return ErrNotBackup.With("%s", refusal.Detail)
	}
	return err
}

// extract writes the files beside the log.
func (b *Beside) extract(dir string, c Contents, open func(string, []byte) ([]byte, bool, error)) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return unwritable(err)
	}
	defer root.Close()
	return b.eachFile(c, func(name string, data []byte) error {
		if open != nil {
			plain, keep, err := open(name, data)
			if err != nil || !keep {
				return err
			}
			data = plain
		}
		path := filepath.FromSlash(name)
		if err := root.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return unwritable(err)
		}
		f, err := root.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_SYNC, 0o600)
		if err != nil {
			return unwritable(err)
		}
		if _, err = f.Write(data); err != nil {
			f.Close()
			return unwritable(err)
		}
		return f.Close()
	})
}

// takeOver moves what was restored to its place, the log at last: without it there is no ledger.
func takeOver(work, dir string, m mark) error {
	entries, err := os.ReadDir(work)
	if err != nil {
		return unwritable(err)
	}
	for _, e := range entries {
		if e.Name() != fileName {
			err = errors.Join(err, os.Rename(filepath.Join(work, e.Name()), filepath.Join(dir, e.Name())))
		}
	}
	if err == nil {
		err = errors.Join(os.Rename(filepath.Join(work, fileName), filepath.Join(dir, fileName)), syncDir(dir))
	}
	if err != nil {
		return unwritable(fmt.Errorf("an unfinished restore is in it, to be removed: %w", err))
	}
	f, err := openMark(dir, m)
	if err != nil {
		return unwritable(err)
	}
	return f.Close()
}
