package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"sync/atomic"
	"time"

	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/privacy"
)

type eventsImportCmd struct {
	File string `arg:"" help:"What events export wrote, whole." type:"existingfile"`
}

// Help is shown by `urikake events import --help`.
func (eventsImportCmd) Help() string {
	return `It moves a ledger from one log to another: every event with its id, its bytes and its place in the order. The whole file is
checked first. An import that was cut off is repeated, and goes on where it stood; a log that holds anything else is left
as it is.

A directory keeps the instants at which the events were recorded first. EventStoreDB records its own: what was known at an
instant before the import can't be asked there, what was known at a position can.

  urikake --data ./books events export > log.ndjson
  urikake --data ./node1 --store 'esdb://127.0.0.1:2113?tls=false' events import log.ndjson`
}

var errOtherEvents = &domain.Error{
	Code: domain.Refused, Rule: "events.other_log",
	Text: "the log holds events that the file does not begin with; import into an empty one",
}

func (c *eventsImportCmd) Run(ctx context.Context, s *session) error {
	if s.server != "" {
		return errUsage.With("events are imported where the log is kept: name that with --data or --store, and leave --server out")
	}
	keys, err := s.privacy()
	if err != nil {
		return err
	}
	total, err := c.check(keys)
	if err != nil {
		return err
	}
	var clock atomic.Pointer[time.Time]
	clock.Store(&time.Time{})
	o, err := s.open(func() time.Time { return *clock.Load() })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	bar := s.progress("import", int64(total))
	start := time.Now()
	there := 0
	err = c.write(ctx, o.store, &clock, func(written, found int) {
		there += found
		bar.add(int64(written + found))
	})
	bar.done()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "imported %s, %d were there already (%.1f s)\n", count(total-there, "event"), there, time.Since(start).Seconds())
	return err
}

// check reads the whole file: every event must be one that this program knows, next in its stream.
func (c *eventsImportCmd) check(keys *privacy.Keys) (events int, err error) {
	codec := ledger.Sealing(keys)
	versions, position := map[string]eventstore.Version{}, eventstore.Position(0)
	err = c.each(func(r eventstore.Recorded) error {
		events++
		versions[r.Stream]++
		switch {
		case !catalog.Owns(r.Stream):
			return httpapi.ErrEventLine.With("line %d: %s is no stream of a ledger", events, r.Stream)
		case r.Version != versions[r.Stream]:
			return httpapi.ErrEventLine.With("line %d: version %d of %s, want %d; the file has to hold all events", events, r.Version, r.Stream, versions[r.Stream])
		case r.Position <= position:
			return httpapi.ErrEventLine.With("line %d: position %d after %d", events, r.Position, position)
		}
		position = r.Position
		_, err := codec.Decode(r)
		return err
	})
	return events, err
}

// each yields the file's events.
func (c *eventsImportCmd) each(yield func(eventstore.Recorded) error) error {
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewReaderSize(file, 1<<20)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if len(bytes.TrimSpace(line)) > 0 {
			r, bad := httpapi.ReadEventLine(line)
			if refusal := (*domain.Error)(nil); errors.As(bad, &refusal) {
				return refusal.With("line %d: %s", n, refusal.Detail)
			}
			if err := yield(r); err != nil {
				return err
			}
		}
		if err != nil {
			return nil
		}
	}
}

// write compares the file with what is in the log, and appends the rest: what was written at one instant on one stream
// together.
func (c *eventsImportCmd) write(ctx context.Context, store eventstore.Store, clock *atomic.Pointer[time.Time], tell func(written, found int)) error {
	head, err := store.Head(ctx)
	if err != nil {
		return err
	}
	there, stop := follow(ctx, store, head)
	defer stop()
	var group []eventstore.Recorded
	flush := func() error {
		if len(group) == 0 {
			return nil
		}
		first := group[0]
		clock.Store(&first.At)
		proposed := make([]eventstore.Proposed, len(group))
		for i, r := range group {
			proposed[i] = r.Proposed
		}
		_, err := store.Append(ctx, first.Stream, first.Version-1, proposed...)
		tell(len(group), 0)
		group = group[:0]
		return err
	}
	size := 0
	err = c.each(func(r eventstore.Recorded) error {
		old, found, err := there()
		switch {
		case err != nil:
			return err
		case found && (old.ID != r.ID || old.Stream != r.Stream || old.Version != r.Version):
			return errOtherEvents.With("%s/%d stands at position %d, the file has %s/%d there", old.Stream, old.Version, old.Position, r.Stream, r.Version)
		case found:
			tell(0, 1)
			return nil
		}
		if size += r.Size(); len(group) > 0 && (r.Stream != group[0].Stream || !r.At.Equal(group[0].At) || size > importBytesMax) {
			err, size = flush(), r.Size()
		}
		group = append(group, r)
		return err
	})
	if err != nil {
		return err
	}
	if more, found, err := there(); found || err != nil {
		return errors.Join(err, errOtherEvents.With("%s/%d at position %d comes after the file's last", more.Stream, more.Version, more.Position))
	}
	return flush()
}

// importBytesMax is how much is written together.
const importBytesMax = 512 << 10

// follow pulls the events of a log up to a position, one by one.
func follow(ctx context.Context, store eventstore.Store, head eventstore.Position) (next func() (eventstore.Recorded, bool, error), stop func()) {
	pull, stop := iter.Pull2(store.Follow(ctx, 0))
	at := eventstore.Position(0)
	return func() (eventstore.Recorded, bool, error) {
		if at >= head {
			return eventstore.Recorded{}, false, nil
		}
		r, err, _ := pull()
		at = r.Position
		return r, err == nil, err
	}, stop
}
