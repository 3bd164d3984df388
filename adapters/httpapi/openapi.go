package httpapi

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/receipt"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
)

// The description of the API: made from the same routes, catalog and sheets that answer, so that it can't differ.

const schemas = "#/components/schemas/"

// introduce begins the description.
func introduce(api *huma.OpenAPI) {
	api.Info.Description = "The receivables ledger over HTTP. Commands append immutable events; questions read what they add up to, " +
		"as of any day, as known at any other time. Amounts are decimal strings and dates civil dates, never floats and never instants."
	api.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	api.Servers = []*huma.Server{{URL: "/", Description: "this server"}}
	api.Tags = []*huma.Tag{
		{Name: "Parties", Description: "Sellers, the client companies whose money is owed, and their customers."},
		{Name: "Invoices", Description: "What is owed: invoices, due dates, late charges, carry forward."},
		{Name: "Payments", Description: "Money received and paid back, and what it settles."},
		{Name: "Credits", Description: "Credit notes, write-offs, recoveries and small differences."},
		{Name: "Disputes", Description: "A customer's objections."},
		{Name: "Dunning", Description: "Reminding debtors step by step: policies, runs, reminders, and what was done about each debtor."},
		{Name: "Commands", Description: "Any command by its name, and many at once."},
		{Name: "Reports", Description: "Read models, as of any day, as known at any time."},
		{Name: "Events", Description: "The log itself."},
		{Name: "Access", Description: "Keys and what they allow."},
		{Name: "Audit", Description: "Proofs that nothing was changed, removed or slipped in."},
		{Name: "Operations", Description: "Imports, backups and read models."},
	}
	api.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"key": {Type: "http", Scheme: "bearer", Description: "A key made with `urikake keys create` or POST /v1/keys. Before the first key is made, this machine alone is answered, without one."},
	}
	r := api.Components.Schemas
	for t, alias := range map[reflect.Type]reflect.Type{
		reflect.TypeFor[domain.Money]():   reflect.TypeFor[moneyForm](),
		reflect.TypeFor[domain.Date]():    reflect.TypeFor[dateForm](),
		reflect.TypeFor[domain.Rate]():    reflect.TypeFor[rateForm](),
		reflect.TypeFor[domain.Event]():   reflect.TypeFor[eventForm](),
		reflect.TypeFor[jsontext.Value](): reflect.TypeFor[commandForm](),

		reflect.TypeFor[dunning.Level]():     reflect.TypeFor[levelForm](),
		reflect.TypeFor[dunning.QuietSpan](): reflect.TypeFor[quietSpanForm](),
		reflect.TypeFor[seller.Payee]():      reflect.TypeFor[payeeForm](),
		reflect.TypeFor[domain.LateTerms]():  reflect.TypeFor[lateTermsForm](),
		reflect.TypeFor[domain.BankDays]():   reflect.TypeFor[bankDaysForm](),
	} {
		r.RegisterTypeAlias(t, alias)
	}
	for name, shape := range catalog.Definitions() {
		r.Map()[name] = schemaOf(shape)
	}
	api.Components.Responses = refusals(api)
}

type (
	moneyForm   struct{}
	dateForm    struct{}
	rateForm    struct{}
	eventForm   struct{}
	commandForm struct{}

	levelForm     struct{}
	quietSpanForm struct{}
	payeeForm     struct{}
	lateTermsForm struct{}
	bankDaysForm  struct{}
)

// Schema refers to the form that commands use.
func (moneyForm) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Ref: schemas + "Money"} }

// Schema refers to the form that commands use.
func (levelForm) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Ref: schemas + "Level"} }

// Schema refers to the form that commands use.
func (quietSpanForm) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Ref: schemas + "QuietSpan"}
}

// Schema refers to the form that commands use.
func (payeeForm) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Ref: schemas + "Payee"} }

// Schema refers to the form that commands use.
func (lateTermsForm) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Ref: schemas + "LateTerms"}
}

// Schema refers to the form that commands use.
func (bankDaysForm) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Ref: schemas + "BankDays"}
}

// Schema is a civil date.
func (dateForm) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date"}
}

// Schema is a percentage as the books write it.
func (rateForm) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: `^[0-9]{1,4}(\.[0-9]{1,2})?$`}
}

// Schema is an object; docs/events.md lists the members of each kind.
func (eventForm) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// Schema is any command, by reference.
func (commandForm) Schema(huma.Registry) *huma.Schema {
	any := &huma.Schema{}
	for _, c := range catalog.Commands() {
		any.AnyOf = append(any.AnyOf, &huma.Schema{Ref: schemas + c.Name()})
	}
	return any
}

// schemaOf turns a schema of the catalog into huma's.
func schemaOf(shape any) *huma.Schema {
	b, err := json.Marshal(shape)
	if err != nil {
		panic(err) // a shape is made of maps and texts
	}
	var s struct {
		Type        string                     `json:"type"`
		Description string                     `json:"description"`
		Ref         string                     `json:"$ref"`
		Format      string                     `json:"format"`
		Pattern     string                     `json:"pattern"`
		Enum        []any                      `json:"enum"`
		Examples    []any                      `json:"examples"`
		Required    []string                   `json:"required"`
		Items       json.RawMessage            `json:"items"`
		Properties  map[string]json.RawMessage `json:"properties"`
		Additional  json.RawMessage            `json:"additionalProperties"`
	}
	if err := json.Unmarshal(b, &s); err != nil {
		panic(err)
	}
	out := &huma.Schema{
		Type: s.Type, Description: s.Description, Ref: s.Ref, Format: s.Format, Pattern: s.Pattern,
		Enum: s.Enum, Examples: s.Examples, Required: s.Required,
	}
	if s.Items != nil {
		out.Items = schemaOf(s.Items)
	}
	for name, p := range s.Properties {
		if out.Properties == nil {
			out.Properties = make(map[string]*huma.Schema)
		}
		out.Properties[name] = schemaOf(p)
	}
	switch {
	case string(s.Additional) == "false":
		out.AdditionalProperties = false
	case s.Additional != nil:
		out.AdditionalProperties = schemaOf(s.Additional)
	}
	return out
}

// document completes a route's description with what all have: who may, and how it refuses.
func document(api *huma.OpenAPI, op *huma.Operation, o operation) {
	op.Security = []map[string][]string{{"key": {}}, {}}
	op.Parameters = slices.DeleteFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == "Accept" }) // the responses tell the types
	if o.permission != "" {
		op.Description = strings.TrimSpace(op.Description + "\n\nNeeds a role that may `" + string(o.permission) + "`.")
	}
	delete(op.Responses, "default") // every status is described
	answers := []string{"401", "403", "422", "429", "500", "503"}
	if o.method == http.MethodPost {
		answers = append(answers, "408", "409", "412", "413", "415")
	}
	if strings.Contains(o.path, "{") {
		answers = append(answers, "404")
	}
	for _, status := range answers {
		op.Responses[status] = &huma.Response{Ref: responses + status}
	}
}

const responses = "#/components/responses/"

// refusals are the answers that many routes have in common, each with one that is typical.
func refusals(api *huma.OpenAPI) map[string]*huma.Response {
	schema := api.Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	all := make(map[string]*huma.Response)
	for _, r := range []struct {
		about   string
		typical *domain.Error
	}{
		{"no valid key", ErrNoKey},
		{"the key's role may not, or it is for another seller", ErrForbidden.With("clerk needs a role that may writeoffs:write")},
		{"what the request names does not exist", account.ErrUnknownCustomer.With("K999 of seller YAMATO").At("/customer")},
		{"none of the types in Accept can be had", ErrNotAccept.With(`"image/png"; there are application/json and text/csv`).At(parameterPrefix + "Accept")},
		{"the body came too slowly", ErrBodyTooSlow},
		{"the books as they stand forbid it", account.ErrExceedsOpen.With("90000 JPY to I-0630, open from 2026-08-01 on: 43132 JPY").At("/allocations/0/amount")},
		{"the account has changed since the version in If-Match", eventstore.ErrWrongVersion},
		{"the body is too long", ErrTooLarge.With("at most 2097152 bytes")},
		{"the body is of another type", ErrMediaType.With(`"text/plain", want application/json`)},
		{"the request breaks a rule; errors names every fault", domain.ErrMissing.At("/reason")},
		{"too many requests from this key", ErrRateLimited},
		{"the server failed; its log has the request by request_id", ErrFault},
		{"not now: the same request may pass later", ErrBusy},
	} {
		p := problemOf(r.typical)
		p.RequestID = "01992b2f-5c1e-7d3a-9c55-0a7b8e4f6d21"
		all[strconv.Itoa(p.Status)] = &huma.Response{
			Description: r.about, Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schema, Example: p}},
		}
	}
	retry := map[string]*huma.Param{"Retry-After": header("seconds to wait", huma.TypeInteger)}
	all["429"].Headers, all["503"].Headers = retry, retry
	all["401"].Headers = map[string]*huma.Param{"WWW-Authenticate": header("how to say who one is", huma.TypeString)}
	return all
}

func succeeds(op *huma.Operation, content map[string]*huma.MediaType) *huma.Response {
	op.Responses["200"] = &huma.Response{Description: "done", Headers: map[string]*huma.Param{}, Content: content}
	return op.Responses["200"]
}

func header(about string, t string) *huma.Param {
	return &huma.Param{Description: about, Schema: &huma.Schema{Type: t}}
}

// tagOf says under which heading a command stands.
func tagOf(name string) string {
	c, err := catalog.Find(name)
	if err != nil {
		return "Commands"
	}
	switch c.(type) {
	case seller.Command, customer.Command:
		return "Parties"
	case account.RecordPayment, account.ApplyPayment, account.UnapplyPayment, account.ReversePayment, account.IssueRefund,
		receipt.Command:
		return "Payments"
	case account.OpenDispute, account.ResolveDispute:
		return "Disputes"
	case dunning.PolicyCommand, dunning.Command:
		return "Dunning"
	case account.IssueCreditNote, account.ApplyCredit, account.UnapplyCredit, account.WriteOff, account.RecoverWriteOff, account.SettleDifference:
		return "Credits"
	}
	return "Invoices"
}
