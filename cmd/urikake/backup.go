package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/sqlite"
)

type backupCmd struct {
	File  string `arg:"" help:"The file to be written."`
	Force bool   `help:"Replace the file if there is one."`
}

// Help is shown by `urikake backup --help`.
func (backupCmd) Help() string {
	return `Works beside a server that writes to the same directory, without holding it up: the backup is the ledger at the position
that is shown. It is read again before it gets its name. In it are the log, the outbox and signed
checkpoints; read models, snapshots and the hash tree are made anew from the log. Names and letters in it are sealed, and the
keys are not in it: keep one copy of them apart, the newest, so that a customer who is erased does not come back with an old
backup. Files of other names, such as a private key, are named and left out.

  urikake --data ./books backup /backup/books-2026-07-03
  urikake --data ./restored restore /backup/books-2026-07-03`
}

func (c *backupCmd) Run(ctx context.Context, s *session) (err error) {
	from, err := s.beside()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	ended, err := s.copies("backup", from.Head())
	if err != nil {
		return err
	}
	defer func() { err = ended(err) }()
	files, others, err := besideLog(s.dir) // a letter is put away before the event that says so
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	keys, err := s.privacy()
	if err != nil {
		return err
	}
	sealed := func(name string) ([]byte, error) {
		data, err := root.ReadFile(name)
		if person := addressee(name); err == nil && person != "" {
			data, err = keys.SealFile(person, filepath.ToSlash(name), data)
		}
		return data, err
	}
	bar := s.progress("backup", 1)
	made, err := from.Backup(ctx, c.File, c.Force, sealed, files, time.Now(), bar.steps)
	bar.done()
	if err != nil {
		return err
	}
	if dir, err := s.keysDir(); err == nil {
		fmt.Fprintf(s.err, "urikake: the names in it are sealed; keep a copy of the keys in %s apart, and only the newest\n", dir)
	}
	if len(others) > 0 {
		fmt.Fprintf(s.err, "urikake: not in the backup: %s\n", strings.Join(others, ", "))
	}
	_, err = fmt.Fprintf(s.out, "%s holds the ledger at position %d%s\n", c.File, made.Position, alsoFiles(made))
	return err
}

func alsoFiles(c sqlite.Contents) string {
	text := fmt.Sprintf(": %s in %s", counted(int64(c.Position), "event"), counted(c.Streams, "stream"))
	if c.Files > 0 {
		text += fmt.Sprintf("; %s beside it", counted(c.Files, "file"))
	}
	return text
}

func counted(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// steps is set for work on events.
func (p *progress) steps(done, total eventstore.Position) { p.set(int64(done), int64(total)) }

// beside opens the log of the session's directory for reading, whoever else has it open.
func (s *session) beside() (*sqlite.Beside, error) {
	if s.fresh() {
		if _, err := os.Stat(s.dir); err != nil {
			return nil, errUsage.With("there is no ledger in %s; name its directory with --data DIR", s.dir)
		}
	}
	return sqlite.OpenBeside(s.dir)
}

// Of what lies beside the log a backup keeps what can't be made anew, and says nothing of what can.
var (
	besideKept  = []string{"outbox", "audit", "audit.pub", "trail"}
	besideAnew  = []string{keysName, "LOCK", "log.*", "views.db*", "snapshots", "ready.probe", ".*", "audit/hashes", "audit/positions", "audit/mark", "trail/LOCK"}
	errNotPlain = errors.New("it is no plain file")
)

func madeAnew(name string) bool {
	return slices.ContainsFunc(besideAnew, func(pattern string) bool {
		match, _ := path.Match(pattern, filepath.ToSlash(name))
		return match
	})
}

// besideLog lists the files that a backup keeps, and names what it leaves out that is nobody's.
func besideLog(dir string) (files, others []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		switch {
		case madeAnew(e.Name()):
		case !slices.Contains(besideKept, e.Name()):
			others = append(others, e.Name())
		default:
			err = errors.Join(err, filepath.WalkDir(filepath.Join(dir, e.Name()), func(path string, e fs.DirEntry, err error) error {
				if err != nil || e.IsDir() {
					return err
				}
				if !e.Type().IsRegular() {
					return fmt.Errorf("%s: %w", path, errNotPlain)
				}
				name, err := filepath.Rel(dir, path)
				if err == nil && !madeAnew(name) {
					files = append(files, name)
				}
				return err
			}))
		}
	}
	return files, others, err
}

type restoreCmd struct {
	File     string `arg:"" help:"The backup." type:"existingfile"`
	WithKeys string `help:"The newest copy of the keys of personal data, to be copied to the ledger." placeholder:"DIR" type:"existingdir"`
}

// Help is shown by `urikake restore --help`.
func (restoreCmd) Help() string {
	return `The directory must be new or empty. Every page, position and version, each event and its checksum are read, and the end is
compared with what the backup says of itself, before the ledger stands in its place. Read models are folded at the first
question. Names and letters are sealed under keys that are not in the backup. With those of a ledger as it is now, who was
erased after the backup stays erased; a key of somebody whom the backup itself calls erased is destroyed.

  urikake --data ./restored restore /backup/books-2026-07-03 --with-keys /backup/keys`
}

func (c *restoreCmd) Run(ctx context.Context, s *session) error {
	keys, err := s.keysFrom(c.WithKeys)
	if err != nil {
		return err
	}
	codec := ledger.Sealing(keys)
	bar := s.progress("restore", 1)
	made, err := sqlite.Restore(ctx, c.File, s.dir, func(e eventstore.Recorded) error {
		if codec.Foreign(e.Stream) {
			return nil
		}
		_, err := codec.Decode(e)
		return err
	}, func(name string, data []byte) ([]byte, bool, error) {
		if person := addressee(name); person != "" {
			return keys.OpenFile(person, name, data)
		}
		return data, true, nil
	}, bar.steps)
	bar.done()
	if err != nil {
		return named(err)
	}
	if err := s.takeKeys(c.WithKeys, keys); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "urikake: the backup was made at %s\n", made.MadeAt.Format(time.RFC3339))
	_, err = fmt.Fprintf(s.out, "%s holds the ledger at position %d%s\n", s.dir, made.Position, alsoFiles(made))
	return err
}

// check looks at the whole log of a directory, and refuses one that is damaged.
func (s *session) check(ctx context.Context, o *office) error {
	if o.log == nil {
		return nil
	}
	bar := s.progress("looking at the ledger", 1)
	defer bar.done()
	return o.log.Check(ctx, bar.steps)
}
