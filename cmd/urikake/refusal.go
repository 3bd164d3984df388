package main

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/urikake/urikake/adapters/httpapi"
	"github.com/urikake/urikake/domain"
)

var errNoLedger = &domain.Error{
	Code: domain.Unavailable, Rule: "client.no_ledger",
	Text: "what answers there is no ledger; see --server URL",
}

// problemMax is the longest problem that is read, in bytes.
const problemMax = 16 << 20

// refused makes a refusal again of the problem that a ledger answered with.
func refused(answer *http.Response, base string) error {
	var p httpapi.Problem
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	err := json.NewDecoder(io.LimitReader(answer.Body, problemMax)).Decode(&p)
	if kind != p.ContentType("") || err != nil || p.Rule == "" {
		detail := answer.Status
		if to := answer.Header.Get("Location"); to != "" {
			detail += ", go to " + to
		}
		return errNoLedger.With("%s answers %s", base, detail)
	}
	return refusalOf(&p)
}

// refusalOf is a problem as the ledger's rules stated it. What can't be read of a query was typed wrong; what a header
// says may be well typed and yet be refused, such as an id that was used for another command.
func refusalOf(p *httpapi.Problem) error {
	one := &domain.Error{Rule: p.Rule, Text: p.Title, Detail: p.Detail}
	if p.Status >= http.StatusInternalServerError && p.Detail == "" && p.RequestID != "" {
		one.Detail = "request " + p.RequestID
	}
	var all domain.Faults
	for _, f := range p.Errors {
		e := &domain.Error{Rule: f.Rule, Text: f.Title, Detail: f.Detail, Field: f.Pointer}
		header := f.Parameter != strings.ToLower(f.Parameter)
		switch flag := flagOf(f.Parameter); {
		case f.Parameter == "":
		case header, p.Status != http.StatusUnprocessableEntity:
			e.Field = flag
		case f.Rule == httpapi.ErrBadParameter.Rule && f.Detail != "":
			e = errUsage.With("%s: %s", flag, f.Detail)
		default:
			e = errUsage.With("%s: %s", flag, explain(e))
		}
		all = append(all, e)
	}
	switch len(all) {
	case 0:
		return one
	case 1:
		return all[0]
	}
	return all
}

// typedAs is what parameters are typed as that are no flags of the same name.
var typedAs = map[string]string{
	"Idempotency-Key": "--id", "If-Match": "--expect", httpapi.ActorHeader: "--actor", "Accept": "--format",
	"name": "NAME", "invoice": "INVOICE", "key": "KEY",
}

// flagOf is as what a parameter was typed: as_of as --as-of.
func flagOf(parameter string) string {
	if typed, ok := typedAs[parameter]; ok {
		return typed
	}
	return "--" + strings.ReplaceAll(parameter, "_", "-")
}
