package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/domain"
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

With --server it is fetched from a server, by an admin's key of all sellers, and read whole on this machine before it gets its
name. The server makes one at a time, on its own disk, which needs room for it meanwhile.

  urikake --data ./books backup /backup/books-2026-07-03
  urikake --server https://ledger.example backup /backup/books-2026-07-03
  urikake --data ./restored restore /backup/books-2026-07-03`
}

func (c *backupCmd) Run(ctx context.Context, s *session) error {
	work := c.make
	if s.server != "" {
		work = c.fetch
	}
	err := work(ctx, s)
	if errors.Is(err, context.Canceled) {
		fmt.Fprintf(s.err, "urikake: %s was not written\n", c.File)
	}
	return err
}

func (c *backupCmd) make(ctx context.Context, s *session) (err error) {
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
	along, err := s.besideLog() // a letter is put away before the event that says so
	if err != nil {
		return err
	}
	defer along.root.Close()
	bar := s.progress("backup", 1)
	made, err := from.Backup(ctx, c.File, c.Force, along.read, along.files, time.Now(), bar.steps)
	bar.done()
	if err != nil {
		return err
	}
	if dir, err := s.keysDir(); err == nil {
		fmt.Fprintf(s.err, "urikake: the names in it are sealed; keep a copy of the keys in %s apart, and only the newest\n", dir)
	}
	if len(along.others) > 0 {
		fmt.Fprintf(s.err, "urikake: not in the backup: %s\n", strings.Join(along.others, ", "))
	}
	return c.told(s, made)
}

// fetch gets a backup from a server.
func (c *backupCmd) fetch(ctx context.Context, s *session) error {
	to, err := s.far()
	if err != nil {
		return err
	}
	received, read := s.progress("receive", 0), (*progress)(nil)
	ended := sync.OnceFunc(received.done)
	defer ended()
	made, err := sqlite.Receive(ctx, c.File, c.Force, func(w io.Writer) error {
		answer, err := to.send(ctx, request{path: "/v1/backup", accept: httpapi.TypeBackup})
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		received.set(0, max(answer.ContentLength, 0))
		_, err = io.Copy(io.MultiWriter(w, byteCounter{received}), answer.Body)
		return err
	}, func(done, total eventstore.Position) {
		if ended(); read == nil {
			read = s.progress("read again", 1)
		}
		read.steps(done, total)
	})
	if read != nil {
		read.done()
	}
	if err != nil {
		return unfetched(c.File, err)
	}
	fmt.Fprintln(s.err, "urikake: the names in it are sealed; keep a copy of the server's keys apart, and only the newest")
	return c.told(s, made)
}

// unfetched says of what broke off that the file was not written.
func unfetched(file string, err error) error {
	var refusal *domain.Error
	if errors.As(err, &refusal) && refusal.Rule == errBrokenOff.Rule {
		return errBrokenOff.With("%s was not written: %s", file, refusal.Detail)
	}
	return err
}

// byteCounter counts the bytes that are written to it.
type byteCounter struct{ bar *progress }

func (c byteCounter) Write(b []byte) (int, error) {
	c.bar.add(int64(len(b)))
	return len(b), nil
}

// told says what was made.
func (c *backupCmd) told(s *session, made sqlite.Contents) error {
	_, err := fmt.Fprintf(s.out, "%s holds the ledger at position %d%s\n", c.File, made.Position, alsoFiles(made))
	return err
}

// spool makes backups of a served ledger, on their way to a client.
func (s *session) spool(log *sqlite.Store, clock eventstore.Clock) func(context.Context) (*httpapi.Backup, error) {
	return func(ctx context.Context) (*httpapi.Backup, error) {
		along, err := s.besideLog()
		if err != nil {
			return nil, err
		}
		defer along.root.Close()
		made, err := log.Spool(ctx, along.read, along.files, clock())
		if err != nil {
			return nil, err
		}
		return &httpapi.Backup{ReadCloser: made, Size: made.Size, Position: made.Position, LeftOut: along.others}, nil
	}
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
	besideAnew  = []string{keysName, "LOCK", "log.*", "views.db*", "snapshots", "ready.probe", ".*", "audit/hashes", "audit/positions", "audit/mark", "trail/LOCK", "trail/ready.probe"}
	errNotPlain = errors.New("it is no plain file")
)

func madeAnew(name string) bool {
	return slices.ContainsFunc(besideAnew, func(pattern string) bool {
		match, _ := path.Match(pattern, filepath.ToSlash(name))
		return match
	})
}

// along is what a backup takes along beside the log.
type along struct {
	files, others []string // others are left out, and nobody's
	root          *os.Root // of the directory, for the caller to close
	read          func(name string) ([]byte, error)
}

// besideLog lists the files that a backup keeps; letters are read sealed.
func (s *session) besideLog() (a along, err error) {
	keys, err := s.privacy()
	if err != nil {
		return a, err
	}
	if a.files, a.others, err = filesBeside(s.dir); err != nil {
		return a, err
	}
	if a.root, err = os.OpenRoot(s.dir); err != nil {
		return a, err
	}
	a.read = func(name string) ([]byte, error) {
		data, err := a.root.ReadFile(name)
		if person := addressee(name); err == nil && person != "" {
			data, err = keys.SealFile(person, filepath.ToSlash(name), data)
		}
		return data, err
	}
	return a, nil
}

// filesBeside lists the files that a backup keeps, and names what it leaves out that is nobody's. What is not yet, or no
// more, under its own name is not there.
func filesBeside(dir string) (files, others []string, err error) {
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
				switch {
				case errors.Is(err, fs.ErrNotExist):
					return nil
				case err != nil:
					return err
				case e.IsDir() && underWay(e.Name()):
					return fs.SkipDir
				case e.IsDir(), underWay(e.Name()):
					return nil
				case !e.Type().IsRegular():
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

// underWay tells of names that files and folders have until they are whole.
func underWay(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".new")
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
