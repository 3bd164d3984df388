package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/sqlite"
	"github.com/urikake/urikake/projections"
)

type replayCmd struct {
	Until string `required:"" help:"Last of what was known: a log position, an instant (2026-07-03T09:00:00+09:00), or a day, to its end in the sellers' time zone." placeholder:"POSITION|T"`
	Into  string `required:"" help:"Directory for the copy, new or empty." placeholder:"DIR"`
}

// Help is shown by `urikake replay --help`.
func (replayCmd) Help() string {
	return `The directory gets the log up to then and read models folded from it. Every report runs on it as it did then;
--known-at gives the same report without a copy. It takes no commands (log.copy).

  urikake replay --until 2026-06-30 --into ./june
  urikake --data ./june report aging --seller YAMATO --as-of 2026-06-30
  urikake replay --until 4200 --into ./before-the-import`
}

func (c *replayCmd) Run(ctx context.Context, s *session) (err error) {
	from, err := s.beside()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	until, err := c.position(ctx, from)
	if err != nil {
		return err
	}
	ended, err := s.copies("replay", until)
	if err != nil {
		return err
	}
	defer func() { err = ended(err) }()
	bar := s.progress("copy", 1)
	err = from.CutTo(ctx, c.Into, until, bar.steps)
	bar.done()
	if err != nil {
		return err
	}
	if err := s.pointKeys(c.Into); err != nil {
		return err
	}
	copied := &session{dir: c.Into, err: s.err}
	o, err := copied.open(time.Now)
	if err != nil {
		return err
	}
	bar = s.progress("fold", int64(until))
	err = o.views.Build(ctx, func(done, total eventstore.Position, _ uint64) { bar.steps(done, total) })
	bar.done()
	if err = errors.Join(err, o.close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s holds the books as they were known at position %d of %d; ask it with: urikake --data %s report ...\n",
		c.Into, until, from.Head(), filepath.Clean(c.Into))
	return err
}

// position is the last one that is replayed.
func (c *replayCmd) position(ctx context.Context, from *sqlite.Beside) (eventstore.Position, error) {
	zone := time.UTC
	if day, err := domain.ParseDate(c.Until); err == nil {
		if zone, err = zoneOf(ctx, from, day); err != nil {
			return 0, err
		}
	}
	known, err := projections.ParseKnownAt(c.Until, zone)
	if err != nil {
		return 0, errUsage.With("--until: want a log position (1 or more), an instant such as 2026-07-03T12:00:00+09:00, or a day, not %q", c.Until)
	}
	if known.Position > 0 {
		return known.Position, nil
	}
	return from.LastBy(known.At)
}

// zoneOf is the time zone of all sellers; where they differ a day ends at several instants.
func zoneOf(ctx context.Context, from *sqlite.Beside, day domain.Date) (*time.Location, error) {
	streams, err := from.Streams("seller-")
	if err != nil {
		return nil, err
	}
	codec, zones := ledger.Codec(), make(map[string]bool)
	for _, stream := range streams {
		zone := ""
		for r, err := range from.Read(ctx, stream) {
			if err != nil {
				return nil, err
			}
			event, err := codec.Decode(r)
			if err != nil {
				return nil, err
			}
			switch e := event.(type) {
			case seller.Registered:
				zone = e.TimeZone
			case seller.Changed:
				zone = e.TimeZone
			}
		}
		zones[zone] = true
	}
	if len(zones) > 1 {
		return nil, errUsage.With("--until %s: the sellers are in %d time zones, in which that day ends at different instants; name an instant", day, len(zones))
	}
	for zone := range zones {
		return time.LoadLocation(zone)
	}
	return time.UTC, nil
}
