package httpapi

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// Media types that reports are written in, the preferred one first.
const (
	typeJSON   = "application/json"
	typeCSV    = "text/csv"
	typeNDJSON = "application/x-ndjson"
	typeTable  = "text/plain"
)

var formats = map[string]export.Format{typeJSON: export.JSON, typeCSV: export.CSV, typeNDJSON: export.NDJSON, typeTable: export.Table}

// formatOf picks the best of what the client takes. Refuses request.not_acceptable.
func formatOf(accept string) (export.Format, string, error) {
	if accept == "" {
		return export.JSON, typeJSON, nil
	}
	kind := preferred(accept, typeJSON, typeCSV, typeNDJSON, typeTable)
	if kind == "" {
		return "", "", ErrNotAccept.With("%.100q; there are %s, %s, %s and %s", accept, typeJSON, typeCSV, typeNDJSON, typeTable).At(parameterPrefix + "Accept")
	}
	return formats[kind], kind, nil
}

// report is a read model's answer on its way out.
type report struct {
	title    string // stands over a table; made of what follows when empty
	what     string
	seller   string
	asOf     domain.Date
	knownAt  string              // as it was asked for
	position eventstore.Position // nothing recorded later is in it
	erased   int64               // see moment
	next     string              // cursor of the rows that follow
	sheet    export.Sheet
	rows     func(add func(cells ...string) error) error // rows beyond the sheet's, as they are read; nil: there are none
}

// LogHeader says "away" of an answer that may be older than the log, since that could not be reached.
const LogHeader = "Urikake-Log"

// Headers that say of a CSV file what members say in JSON.
const (
	positionHeader = "Urikake-Position"
	asOfHeader     = "Urikake-As-Of"
)

// reportAnswer writes a report as the client wants it. One that breaks off breaks the connection, so that it never
// looks complete.
func reportAnswer(accept string, r report) (*huma.StreamResponse, error) {
	format, kind, err := formatOf(accept)
	if err != nil {
		return nil, err
	}
	return stream(func(ctx huma.Context) {
		ctx.AppendHeader("Vary", "Accept")
		ctx.SetHeader("Cache-Control", "private, no-cache")
		if kind != typeJSON && kind != typeNDJSON {
			kind += "; charset=utf-8"
		}
		ctx.SetHeader("Content-Type", kind)
		if !r.asOf.IsZero() {
			ctx.SetHeader(asOfHeader, r.asOf.String())
		}
		if r.position > 0 {
			ctx.SetHeader(positionHeader, strconv.FormatUint(uint64(r.position), 10))
			if unchanged(ctx, fmt.Sprintf(`W/"%d.%d.%s.%s"`, r.position, r.erased, r.asOf, format)) {
				return
			}
		}
		if r.next != "" {
			u := ctx.URL()
			q := u.Query()
			q.Set("cursor", r.next)
			u.RawQuery = q.Encode()
			ctx.AppendHeader("Link", "<"+u.RequestURI()+`>; rel="next"`)
		}
		r.send(ctx, format)
	}), nil
}

// send writes the report. What is refused before anything was sent is answered as a problem; what fails later breaks the
// connection.
func (r report) send(ctx huma.Context, format export.Format) {
	sent := &begun{w: ctx.BodyWriter()}
	b := bufio.NewWriterSize(sent, 1<<16)
	err := r.write(b, format)
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		return
	}
	request, w := humachi.Unwrap(ctx)
	if !sent.yes {
		for _, name := range []string{"ETag", "Link", asOfHeader, positionHeader} {
			w.Header().Del(name)
		}
		refuse(w, request, err)
		return
	}
	noteProblem(ctx.Context(), problemOf(err), err)
	panic(http.ErrAbortHandler)
}

// begun notes whether anything was written.
type begun struct {
	w   io.Writer
	yes bool
}

func (b *begun) Write(p []byte) (int, error) {
	b.yes = true
	return b.w.Write(p)
}

func (r report) write(w io.Writer, format export.Format) error {
	switch format {
	case export.Table:
		if _, err := fmt.Fprintf(w, "%s\n\n", r.heading()); err != nil {
			return err
		}
	case export.JSON:
		if err := r.head(w); err != nil {
			return err
		}
	}
	out, err := r.sheet.Begin(w, format)
	if err != nil {
		return err
	}
	for _, row := range r.sheet.Rows {
		if err := out.Add(row...); err != nil {
			return err
		}
	}
	if r.rows != nil {
		if err := r.rows(out.Add); err != nil {
			return err
		}
	}
	if err := out.End(); err != nil || format != export.JSON {
		return err
	}
	_, err = io.WriteString(w, "}\n")
	return err
}

// head begins the object that has the rows in it.
func (r report) head(w io.Writer) error {
	head := struct {
		Seller  string              `json:"seller"`
		AsOf    *domain.Date        `json:"as_of,omitempty"`
		KnownAt eventstore.Position `json:"known_at,omitempty"`
		Next    string              `json:"next,omitempty"`
	}{Seller: r.seller, KnownAt: r.position, Next: r.next}
	if !r.asOf.IsZero() {
		head.AsOf = &r.asOf
	}
	b, err := json.Marshal(head)
	if err != nil {
		return err
	}
	_, err = w.Write(append(b[:len(b)-1], `,"rows":`...))
	return err
}

// heading stands over a table: what it shows, of which day, as known when.
func (r report) heading() string {
	if r.title != "" {
		return r.title
	}
	return fmt.Sprintf("%s of %s as of %s%s", r.what, r.seller, r.asOf, knownText(r.knownAt))
}

// knownText says when what is shown was known, as it was asked for.
func knownText(at string) string {
	if at == "" {
		return ""
	}
	return ", as known at " + at
}
