package main

import (
	"context"
	"fmt"
	"time"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/sqlite"
)

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
