package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/domain"
)

// id is the id of a seller, customer, invoice or key, checked as it is typed.
type id string

// UnmarshalText refuses input.bad_id.
func (i *id) UnmarshalText(text []byte) error {
	*i = id(text)
	return domain.CheckID(*i)
}

// currency is a currency's code, checked as it is typed.
type currency string

// UnmarshalText refuses what Currency.Check refuses.
func (c *currency) UnmarshalText(text []byte) error {
	*c = currency(text)
	return domain.Currency(*c).Check()
}

// shown is the form of what is asked for.
type shown struct {
	Format export.Format `help:"table, csv, json or ndjson." enum:"table,csv,json,ndjson" default:"table"`
}

var acceptOf = map[export.Format]string{
	export.Table: "text/plain", export.CSV: "text/csv", export.JSON: "application/json", export.NDJSON: "application/x-ndjson",
}

// query makes a query of names and what was typed for them; what was left out is left out.
func query(pairs ...string) url.Values {
	q := make(url.Values, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}

// day is a date as typed; "" when it was left out.
func day(d domain.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// showOne is show for what is one object in JSON, which is then written over several lines.
func (s *session) showOne(ctx context.Context, f export.Format, path string, q url.Values) error {
	if f != export.JSON {
		return s.show(ctx, f, path, q)
	}
	return s.ask(ctx, func(ctx context.Context, c *client) error {
		var object json.RawMessage
		answer, err := c.object(ctx, request{path: path, query: q}, &object)
		if err != nil {
			return err
		}
		s.tellAge(answer)
		return indented(s.out, object)
	})
}

// indented writes JSON for people.
func indented(w io.Writer, text json.RawMessage) error {
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err := w.Write(b.Bytes())
	return err
}

// show asks for something and copies the answer as it comes.
func (s *session) show(ctx context.Context, f export.Format, path string, q url.Values) error {
	return s.ask(ctx, func(ctx context.Context, c *client) error {
		answer, err := c.send(ctx, request{path: path, query: q, accept: acceptOf[f]})
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		s.tellAge(answer.Header)
		_, err = io.Copy(s.out, answer.Body)
		return err
	})
}

// tellAge tells, beside an answer, that it may be older than the log.
func (s *session) tellAge(answer http.Header) {
	if answer.Get(httpapi.LogHeader) != "" {
		fmt.Fprintln(s.err, "the log can't be reached: this is what was known before, and what was recorded since may be missing")
	}
}
