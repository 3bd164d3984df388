package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/adapters/trail"
	"github.com/urikake/urikake/eventstore/merkle"
)

// verify checks the lines here, wherever they come from. Anchors are read before the lines: what comes in between has none.
func (c *auditTrailCmd) verify(ctx context.Context, s *session) error {
	keys, err := publicKeys(c.Key)
	if err != nil {
		return err
	}
	var given []trail.Note
	for _, name := range c.Note {
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		given = append(given, trail.Note{Name: filepath.Base(name), Text: string(b)})
	}
	if s.server != "" {
		return s.ask(ctx, func(ctx context.Context, to *client) error { return c.remote(ctx, s, to, given, keys) })
	}
	return s.withTrail("get-trail-lines", nil, func(t *trail.Trail) error {
		kept, err := t.Notes()
		if err != nil {
			return err
		}
		own, err := t.Keys()
		if err != nil {
			return err
		}
		return c.check(s.out, t.Lines(ctx), append(given, kept...), keys, own)
	})
}

// remote fetches what a server keeps.
func (c *auditTrailCmd) remote(ctx context.Context, s *session, to *client, notes []trail.Note, keys []string) error {
	var kept httpapi.TrailAnchorList
	if _, err := to.object(ctx, request{path: "/v1/trail/anchors"}, &kept); err != nil {
		return err
	}
	for _, a := range kept.Anchors {
		notes = append(notes, trail.Note{Name: "the server's " + a.File, Text: a.Note, Own: true})
	}
	answer, err := to.send(ctx, request{path: "/v1/trail/lines", accept: ndjson})
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	return c.check(s.out, trail.ReadLines(ctx, answer.Body, ""), notes, keys, kept.Keys)
}

// check verifies, and shows what came of it. own are the keys that stand beside the trail, for want of others.
func (c *auditTrailCmd) check(w io.Writer, lines iter.Seq2[trail.Raw, error], notes []trail.Note, keys, own []string) error {
	trusted := len(keys) > 0
	if !trusted {
		keys = own
	}
	verifiers, err := merkle.Verifiers(keys...)
	if err != nil {
		return err
	}
	r, err := trail.Verify(lines, notes, verifiers)
	if err != nil {
		return err
	}
	switch {
	case r.Anchors == 0:
		r.Notes = append(r.Notes, "without an anchor, an end that was taken away is not seen, nor a trail that was made anew; bring one with --note")
	case r.Own == r.Anchors:
		r.Notes = append(r.Notes, "every anchor was kept beside the trail, by whoever could have written both; bring one that was kept elsewhere with --note")
	}
	switch {
	case r.Anchors > 0 && len(keys) == 0:
		r.Notes = append(r.Notes, "the anchors' signatures were not looked at, as there is no public key; bring it with --key")
	case r.Anchors > 0 && !trusted:
		r.Notes = append(r.Notes, "the public key is the ledger's own word; bring yours with --key")
	}
	if c.Format == export.JSON || c.Format == export.NDJSON {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		err = enc.Encode(r)
	} else {
		err = showVerified(w, r)
	}
	if err == nil && !r.OK {
		err = errFound.With("findings: %d", r.Found)
	}
	return err
}

func showVerified(w io.Writer, r *trail.Report) error {
	var b strings.Builder
	if r.OK {
		b.WriteString("OK: no line was changed, removed, slipped in or moved\n")
	}
	b.WriteString(counted(int64(r.Lines), "line"))
	if r.Lines > 0 {
		fmt.Fprintf(&b, " from %s to %s; the last is %d, %s", instant(r.FirstAt), instant(r.LastAt), r.Head.Seq, r.Head.Hash)
	}
	fmt.Fprintf(&b, "\n%s compared: %d brought along, %d kept beside the trail", counted(int64(r.Anchors), "anchor"), r.Anchors-r.Own, r.Own)
	fmt.Fprintf(&b, "\n%s of the end after a crash; %s\n", counted(int64(r.Repairs), "repair"), counted(int64(r.Gaps), "gap"))
	for _, text := range r.Notes {
		fmt.Fprintf(&b, "note: %s\n", text)
	}
	for _, f := range r.Findings {
		at := f.At
		if at != "" {
			at += ": "
		}
		fmt.Fprintf(&b, "FOUND %s%s\n", at, f.Text)
	}
	if more := r.Found - len(r.Findings); more > 0 {
		fmt.Fprintf(&b, "and %d more\n", more)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
