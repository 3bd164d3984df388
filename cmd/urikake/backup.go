package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/esdb"
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
	along, err := s.besideLog()
	if err != nil {
		return err
	}
	defer along.root.Close()
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
	files, err := along.files()
	if err != nil {
		return err
	}
	bar := s.progress("backup", 1)
	made, err := from.Backup(ctx, c.File, c.Force, along.read, files, time.Now(), bar.steps)
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
	if err := s.there(); err != nil {
		return nil, err
	}
	return sqlite.OpenBeside(s.dir)
}

// there refuses a session whose directory holds no log, and never has.
func (s *session) there() error {
	at, err := esdb.Bound(s.dir)
	switch {
	case err != nil:
		return err
	case at != "":
		return errUsage.With("the log of what is in %s is on %s; %s", s.dir, at, awayInstead)
	case !sqlite.Exists(s.dir) && !sqlite.Lost(s.dir):
		return errUsage.With("there is no ledger in %s; name its directory with --data DIR", s.dir)
	}
	return nil
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
