package main

import (
	"context"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/adapters/trail"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/eventstore"
)

type auditTrailCmd struct {
	shown
	From      domain.Date `help:"Recorded on this day or later." placeholder:"DAY"`
	To        domain.Date `help:"Recorded on this day or earlier." placeholder:"DAY"`
	Actor     string      `help:"Read by this holder of a key, or person." placeholder:"NAME"`
	Seller    id          `help:"Lines about this seller's data only." placeholder:"ID"`
	Operation string      `help:"Lines of this operation only, such as get-history; docs/openapi.json names them." placeholder:"ID"`
	After     uint64      `help:"Lines of higher numbers only." placeholder:"N"`
	Verify    bool        `help:"Prove that no line was changed, removed, slipped in or moved." xor:"what"`
	MakeNote  bool        `name:"anchor" help:"Sign how far the trail goes, and print that to be kept elsewhere." xor:"what"`
	Note      []string    `help:"With --verify: an anchor that was kept elsewhere; may be given several times." type:"existingfile" placeholder:"FILE"`
	Key       []string    `help:"With --verify: a public key that is trusted, or a file with it; those beside the ledger when left out." sep:"none" placeholder:"KEY"`
}

// Help is shown by `urikake audit trail --help`.
func (auditTrailCmd) Help() string {
	return `Every answer that shows somebody's data has a line, also one that was refused: reports, histories, exports, the log, backups.
Reading the trail has one, too. Days are those of this machine's time zone; instants are shown in UTC.

Each line has the hash of the one before it. --verify reads all of them, tells which one was touched, and compares with
the anchors, without which a trail that ends too early, or that was made anew, is not found. Exit code 1: something was.
In the ledger's directory it works beside a server; with --server the lines, and the anchors that the server keeps, are
fetched and checked on this machine. Those are the server's own word, and counted apart from the ones that --note brings.

  urikake audit trail --from 2026-11-01 --seller YAMATO
  urikake audit trail --actor mizuno --operation get-history --format csv
  urikake audit trail --anchor > 2026-12-31.trail
  urikake audit trail --verify --key yamato.pub --note 2026-12-31.trail`
}

func (c *auditTrailCmd) Run(ctx context.Context, s *session) error {
	switch {
	case !c.Verify && len(c.Note)+len(c.Key) > 0:
		return errUsage.With("--note and --key go with --verify")
	case s.server == "" && s.fresh():
		return errNothingThere(s)
	case c.Verify:
		return c.verify(ctx, s)
	case c.MakeNote:
		return c.anchor(ctx, s)
	case s.server != "":
		return s.show(ctx, c.Format, "/v1/trail", c.query())
	}
	return s.withTrail("list-trail", pairs(c.query()), func(t *trail.Trail) error { return c.list(ctx, s.out, t) })
}

func (c *auditTrailCmd) query() (q map[string][]string) {
	after := ""
	if c.After > 0 {
		after = strconv.FormatUint(c.After, 10)
	}
	from, to := c.span()
	return query("from", instantText(from), "to", instantText(to), "actor", c.Actor, "seller", string(c.Seller), "operation", c.Operation, "after", after)
}

func instantText(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Format(time.RFC3339)
}

// span is from the first day's begin to the last day's end here.
func (c *auditTrailCmd) span() (from, to time.Time) {
	begin := func(d domain.Date) time.Time {
		at, _ := time.ParseInLocation(time.DateOnly, d.String(), time.Local) // a date is one
		return at
	}
	if !c.From.IsZero() {
		from = begin(c.From)
	}
	if !c.To.IsZero() {
		to = begin(c.To.AddDays(1))
	}
	return from, to
}

func pairs(q map[string][]string) map[string]string {
	asked := make(map[string]string, len(q))
	for name, values := range q {
		asked[name] = values[0]
	}
	return asked
}

func (c *auditTrailCmd) list(ctx context.Context, w io.Writer, t *trail.Trail) error {
	f := trail.Filter{Actor: c.Actor, Seller: domain.SellerID(c.Seller), Operation: c.Operation, After: c.After}
	f.From, f.To = c.span()
	out, err := httpapi.TrailSheet.Begin(w, c.Format)
	if err != nil {
		return err
	}
	for l, err := range t.Find(ctx, f) {
		if err != nil {
			return err
		}
		if err := out.Add(httpapi.TrailCells(l)...); err != nil {
			return err
		}
	}
	if err := out.End(); err != nil || c.Format != export.JSON {
		return err
	}
	_, err = io.WriteString(w, "\n")
	return err
}

func (c *auditTrailCmd) anchor(ctx context.Context, s *session) error {
	if s.server != "" {
		return s.ask(ctx, func(ctx context.Context, to *client) error {
			var a httpapi.TrailAnchor
			if err := to.order(ctx, "/v1/trail/anchor", struct{}{}, &a); err != nil {
				return err
			}
			_, err := io.WriteString(s.out, a.Note)
			return err
		})
	}
	return s.withTrail("anchor-trail", nil, func(t *trail.Trail) error {
		a, err := t.Anchor()
		if err == nil {
			_, err = io.WriteString(s.out, a.Note)
		}
		return err
	})
}

// withTrail works with the trail of the session's directory, whoever else writes to it, once it says so itself.
func (s *session) withTrail(operation string, asked map[string]string, work func(*trail.Trail) error) (err error) {
	t := trail.Open(s.dir, time.Now)
	defer func() { err = errors.Join(err, t.Close()) }()
	if _, err := t.Record(trail.Entry{Event: trail.Read, Actor: s.actor(), Role: access.Admin, Operation: operation, Query: asked}); err != nil {
		return err
	}
	return work(t)
}

// copies records that the whole ledger up to a position is about to be copied; ended records how that ended.
func (s *session) copies(operation string, at eventstore.Position) (ended func(error) error, err error) {
	t := trail.Open(s.dir, time.Now)
	e := trail.Entry{Event: trail.Begun, Actor: s.actor(), Role: access.Admin, Operation: operation, Position: at}
	seq, err := t.Record(e)
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return func(err error) error {
		e.Event, e.Of, e.Broken = trail.Ended, seq, err != nil
		_, failed := t.Record(e)
		return errors.Join(err, failed, t.Close())
	}, nil
}

// anchorEvery is how often a server signs how far its trail goes.
const anchorEvery = time.Hour

// anchoring signs how far the trail goes every hour, and when the server ends, where there is a key.
func (o *office) anchoring() *kept {
	return &kept{name: "anchoring the access trail", work: func(ctx context.Context) error {
		tick := time.NewTicker(anchorEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				_ = o.anchorTrail() // there is a next one
				return ctx.Err()
			}
			if err := o.anchorTrail(); err != nil {
				return err
			}
		}
	}}
}

func (o *office) anchorTrail() error {
	if !o.audit.HasKey() {
		return nil
	}
	_, err := o.trail.Anchor()
	return err
}
