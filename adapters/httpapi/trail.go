package httpapi

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/adapters/trail"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
)

// ErrNoTrail refuses where reads are not recorded.
var ErrNoTrail = &domain.Error{
	Code: domain.Unavailable, Rule: "trail.none",
	Text: "this server keeps no access trail",
}

// TrailAnchor is how far the access trail went at an instant, signed.
type TrailAnchor struct {
	Origin   string    `json:"origin" doc:"whose trail it is: the signing key's name"`
	Line     uint64    `json:"line" doc:"number of its last line"`
	Hash     string    `json:"hash" doc:"of that line, in hex"`
	SignedAt time.Time `json:"signed_at" doc:"when it was signed"`
	Note     string    `json:"note" doc:"the signed note: keep it where nobody who can write the trail can"`
}

// TrailAnchorList is every anchor that is kept beside the access trail.
type TrailAnchorList struct {
	Keys    []string     `json:"keys" doc:"public keys, as the ledger says: an auditor trusts the one that he was given"`
	Anchors []KeptAnchor `json:"anchors" doc:"by the line that was the last"`
}

// KeptAnchor is a signed note as it stands in its file.
type KeptAnchor struct {
	File string `json:"file" doc:"its name, which has the line's number"`
	Note string `json:"note" doc:"the signed note"`
}

func (a *API) trailed() (*trail.Trail, error) {
	if a.books.Trail == nil {
		return nil, ErrNoTrail
	}
	return a.books.Trail, nil
}

type trailIn struct {
	Answered
	From      string `query:"from" maxLength:"40" doc:"recorded on this day (UTC) or at this instant, or later" example:"2026-11-25"`
	To        string `query:"to" maxLength:"40" doc:"recorded on this day (UTC) or earlier, or before this instant" example:"2026-11-30"`
	Actor     string `query:"actor" maxLength:"700" doc:"read by this holder of a key, or person"`
	Seller    string `query:"seller" pattern:"^[A-Za-z0-9_-]{1,64}$" doc:"lines about this seller's data only; a key of one seller gets no others" example:"YAMATO"`
	Operation string `query:"operation" maxLength:"100" doc:"lines of this operation only, by its id" example:"get-history"`
	After     uint64 `query:"after" maximum:"9007199254740991" doc:"lines of higher numbers only"`
}

// trail is who read what. It is written as it is read.
func (a *API) trail(ctx context.Context, in *trailIn) (*huma.StreamResponse, error) {
	t, err := a.trailed()
	if err != nil {
		return nil, err
	}
	f := trail.Filter{Actor: in.Actor, Seller: domain.SellerID(in.Seller), Operation: in.Operation, After: in.After}
	if p, _ := principalOf(ctx); p.Seller != "" {
		if f.Seller == "" {
			f.Seller = p.Seller
		}
		if err := p.May(access.ReadAudit, f.Seller); err != nil {
			return nil, err
		}
	}
	if f.From, _, err = instantOrDay(in.From); err != nil {
		return nil, named("from", err)
	}
	if _, f.To, err = instantOrDay(in.To); err != nil {
		return nil, named("to", err)
	}
	return reportAnswer(in.Accept, report{title: "Access trail", seller: string(f.Seller), sheet: TrailSheet, rows: func(add func(...string) error) error {
		for l, err := range t.Find(ctx, f) {
			if err != nil {
				return err
			}
			if err := add(TrailCells(l)...); err != nil {
				return err
			}
		}
		return nil
	}})
}

// instantOrDay reads when something begins and ends: both are an instant, or the begin and the end of a day in UTC.
func instantOrDay(text string) (from, to time.Time, err error) {
	if text == "" {
		return from, to, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, at, nil
	}
	day, err := domain.ParseDate(text)
	if err != nil {
		return from, to, ErrBadParameter.With("%.40q, want a day (2026-11-25) or an instant (2026-11-25T09:00:00+09:00)", text)
	}
	from, err = time.Parse(time.DateOnly, day.String())
	return from, from.AddDate(0, 0, 1), err
}

// TrailSheet are the columns of the access trail.
var TrailSheet = export.Sheet{Columns: []export.Column{
	{Name: "line", Kind: export.Count},
	{Name: "at"},
	{Name: "event"},
	{Name: "actor"},
	{Name: "key", Wide: true},
	{Name: "role"},
	{Name: "seller"},
	{Name: "operation"},
	{Name: "asked"},
	{Name: "format", Wide: true},
	{Name: "status", Kind: export.Count},
	{Name: "rule"},
	{Name: "bytes", Kind: export.Count},
	{Name: "position", Kind: export.Count},
	{Name: "request", Wide: true},
	{Name: "begun", Kind: export.Count},
	{Name: "note"},
}}

// TrailCells is a line as a row.
func TrailCells(l trail.Line) []string {
	note := l.Note
	if l.Refused > 0 {
		note = strings.TrimSpace("reads refused: " + strconv.Itoa(l.Refused) + " " + note)
	}
	if l.Broken {
		note = strings.TrimSpace("broken off " + note)
	}
	return []string{
		count(l.Seq), l.At.UTC().Format(time.RFC3339), string(l.Event), l.Actor, string(l.Key), string(l.Role), string(l.Seller), l.Operation,
		asked(l.Path, l.Query), l.Format, count(uint64(l.Status)), l.Rule, count(uint64(l.Bytes)), count(uint64(l.Position)), l.Request, count(l.Of), note,
	}
}

func count(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

// asked writes what was asked for in one cell: customer=K101 as_of=2026-03-31.
func asked(lists ...map[string]string) string {
	var parts []string
	for _, list := range lists {
		for _, name := range slices.Sorted(maps.Keys(list)) {
			parts = append(parts, name+"="+list[name])
		}
	}
	return strings.Join(parts, " ")
}

// trailLines is the trail as it stands in its files, to be verified elsewhere.
func (a *API) trailLines(ctx context.Context, _ *nothingIn) (*huma.StreamResponse, error) {
	t, err := a.trailed()
	if err != nil {
		return nil, err
	}
	return stream(func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", typeNDJSON)
		ctx.SetHeader("Cache-Control", "no-store")
		for raw, err := range t.Lines(ctx.Context()) {
			if err == nil {
				_, err = ctx.BodyWriter().Write(raw.Bytes)
			}
			if err != nil {
				noteProblem(ctx.Context(), problemOf(err), err)
				panic(http.ErrAbortHandler)
			}
		}
	}), nil
}

func (a *API) anchorTrail(ctx context.Context, in *RawIn) (*huma.StreamResponse, error) {
	if len(in.RawBody) > 0 {
		if err := in.read(&nothing{}); err != nil {
			return nil, err
		}
	}
	t, err := a.trailed()
	if err != nil {
		return nil, err
	}
	anchor, err := t.Anchor()
	return answered(TrailAnchor{anchor.Origin, anchor.Seq, anchor.Hash, anchor.Time, anchor.Note}, err)
}

// trailAnchors are the anchors that the server keeps: its own word, and so no proof against whoever has its directory.
func (a *API) trailAnchors(_ context.Context, _ *nothingIn) (*huma.StreamResponse, error) {
	t, err := a.trailed()
	if err != nil {
		return nil, err
	}
	list := TrailAnchorList{Keys: []string{}, Anchors: []KeptAnchor{}}
	notes, err := t.Notes()
	if err != nil {
		return nil, err
	}
	for _, n := range notes {
		list.Anchors = append(list.Anchors, KeptAnchor{n.Name, n.Text})
	}
	keys, err := t.Keys()
	if err != nil {
		return nil, err
	}
	list.Keys = append(list.Keys, keys...)
	return answered(list, nil)
}

func (a *API) addTrail() {
	add(a, operation{
		id: "list-trail", method: http.MethodGet, path: "/v1/trail", tag: "Audit", summary: "who read what, and when",
		about: "A line for each answer that shows somebody's data, also for those that were refused; in the order in which they were recorded. " +
			"A key of one seller gets the lines about that seller.",
		permission: access.ReadAudit, describe: describeReport("list-trail", TrailSheet),
	}, a.trail)
	add(a, operation{
		id: "get-trail-lines", method: http.MethodGet, path: "/v1/trail/lines", tag: "Audit", summary: "the access trail as it stands in its files",
		about:      "`urikake audit trail --verify` checks the chain of hashes; docs/access-trail.md has the format byte by byte.",
		permission: access.ReadAudit, global: true, describe: describeTrailLines,
	}, a.trailLines)
	add(a, operation{
		id: "anchor-trail", method: http.MethodPost, path: "/v1/trail/anchor", tag: "Audit", summary: "sign how far the access trail goes",
		about:      "Kept elsewhere, the note shows later that no line up to it was exchanged and the end was not taken away.",
		permission: access.ReadAudit, global: true, body: smallBody, describe: also("404", also("409", describeExchange[nothing, TrailAnchor](a))),
	}, a.anchorTrail)
	add(a, operation{
		id: "list-trail-anchors", method: http.MethodGet, path: "/v1/trail/anchors", tag: "Audit", summary: "every anchor that is kept beside the access trail",
		about: "They are the server's own word: `urikake audit trail --verify` compares them, too, and says so. Get them before the lines, so that " +
			"none is of a line that is not there yet.",
		permission: access.ReadAudit, global: true, describe: describeObject[TrailAnchorList](a),
	}, a.trailAnchors)
}

func describeTrailLines(_ *API, op *huma.Operation) {
	line := &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: true, Required: []string{"seq", "at", "event", "prev", "hash"},
		Description: "a line of the trail; its hash is of its very bytes, so keep them as they come",
		Properties: map[string]*huma.Schema{
			"seq":   {Type: huma.TypeInteger, Description: "its number, from 1"},
			"at":    {Type: huma.TypeString, Format: "date-time", Description: "when it was recorded"},
			"event": {Type: huma.TypeString, Description: "read, begun, ended; file, closed, repair, gap"},
			"prev":  {Type: huma.TypeString, Description: "hash of the line before"},
			"hash":  {Type: huma.TypeString, Description: "SHA-256 of its bytes up to the comma before this member"},
		},
	}
	succeeds(op, map[string]*huma.MediaType{typeNDJSON: {Schema: line}})
}
