package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

type dunningSendCmd struct {
	ofSeller
	acting
	Outbox string      `help:"Directory for the messages; outbox/SELLER in the ledger's directory when left out." placeholder:"DIR"`
	On     domain.Date `help:"The day on which they are sent; today, in the seller's time zone, when left out." placeholder:"DAY"`
}

// Help is shown by `urikake dunning send --help`.
func (dunningSendCmd) Help() string {
	return `Every queued reminder is looked at once more, with the books of this moment: a debtor who has paid or objected meanwhile
is not reminded, and the reminder is dropped with the reason. What is sent is written as one .eml and one .txt file, named
by the reminder; what carries mail or prints letters takes it from there. Sent twice, it is one file and one event.

A server has an outbox of its own, below its data directory, and takes no --outbox.

  urikake dunning send --seller YAMATO
  urikake dunning send --seller YAMATO --outbox ./outbox --on 2026-10-05`
}

func (c *dunningSendCmd) Run(ctx context.Context, s *session) error {
	if c.Outbox != "" {
		if s.server != "" {
			return errUsage.With("--outbox: a server writes into an outbox of its own; leave it out")
		}
		dir, err := filepath.Abs(c.Outbox)
		if err != nil {
			return err
		}
		s.outbox = dir
	}
	done, err := worked[httpapi.SendingsDone](ctx, s, "send", c.path("sendings"), httpapi.SendingsWanted{On: c.On, Acting: c.Acting})
	if err != nil {
		return err
	}
	sheet := export.Sheet{Columns: []export.Column{{Name: "reason"}, {Name: "reminders", Kind: export.Count}}}
	for _, why := range done.Whys {
		if why.Of == string(dunning.WhyLevelReached) {
			continue // those that were sent
		}
		sheet.Add(why.Of, strconv.Itoa(why.Times))
	}
	fmt.Fprintf(s.out, "%s: sent %d, dropped %d, waiting %d\n", done.On, done.Sent, done.Dropped, done.Waiting)
	if len(sheet.Rows) == 0 {
		return nil
	}
	return sheet.Write(s.out, export.Table)
}

type dunningPreviewCmd struct {
	oneCase
	acting
	AsOf   domain.Date   `help:"The day that is decided for; today, in the seller's time zone, when left out." placeholder:"DAY"`
	Format export.Format `help:"table for people, or json." enum:"table,json" default:"table"`
}

// Help is shown by `urikake dunning preview --help`.
func (dunningPreviewCmd) Help() string {
	return `Decides for one debtor as a run would, and shows the text. Nothing is recorded.

  urikake dunning preview --seller YAMATO --customer K101 --currency JPY --as-of 2026-10-05`
}

func (c *dunningPreviewCmd) Run(ctx context.Context, s *session) error {
	return s.ask(ctx, func(ctx context.Context, to *client) error {
		body, err := posted(httpapi.PreviewWanted{
			Customer: domain.CustomerID(c.Customer), Currency: domain.Currency(c.Currency), AsOf: c.AsOf, Acting: c.Acting,
		})
		if err != nil {
			return err
		}
		var answer json.RawMessage
		if _, err := to.object(ctx, request{path: c.path("preview"), body: body, header: jsonBody}, &answer); err != nil {
			return err
		}
		if c.Format == export.JSON {
			return indented(s.out, answer)
		}
		var p httpapi.Preview
		if err := json.Unmarshal(answer, &p); err != nil {
			return err
		}
		return showPreview(s.out, p)
	})
}

// showPreview shows the decision in a line, and the letter if there is one.
func showPreview(w io.Writer, p httpapi.Preview) error {
	fmt.Fprintf(w, "%s: %s\n", p.Decision.On, p.Says)
	if p.Letter == nil {
		return nil
	}
	to := strings.Join(slices.DeleteFunc([]string{p.Letter.To.Name, p.Letter.To.Email, p.Letter.To.Phone}, func(s string) bool { return s == "" }), ", ")
	_, err := fmt.Fprintf(w, "\n%s to %s\nSubject: %s\n\n%s", p.Letter.Channel, to, p.Letter.Subject, p.Letter.Text)
	return err
}
