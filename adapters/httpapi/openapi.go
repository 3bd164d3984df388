package httpapi

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/seller"
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
		{Name: "Commands", Description: "Any command by its name, and many at once."},
		{Name: "Reports", Description: "Read models, as of any day, as known at any time."},
		{Name: "Events", Description: "The log itself."},
		{Name: "Access", Description: "Keys and what they allow."},
		{Name: "Operations", Description: "Imports and read models."},
	}
	api.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"key": {Type: "http", Scheme: "bearer", Description: "A key made with `urikake keys create` or POST /v1/keys. Before the first key is made, this machine alone is answered, without one."},
	}
	huma.DefaultArrayNullable = false // a list that has nothing in it is empty
	r := api.Components.Schemas
	for t, alias := range map[reflect.Type]reflect.Type{
		reflect.TypeFor[domain.Money]():   reflect.TypeFor[moneyForm](),
		reflect.TypeFor[domain.Date]():    reflect.TypeFor[dateForm](),
		reflect.TypeFor[domain.Event]():   reflect.TypeFor[eventForm](),
		reflect.TypeFor[jsontext.Value](): reflect.TypeFor[commandForm](),
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
	eventForm   struct{}
	commandForm struct{}
)

// Schema refers to the form that commands use.
func (moneyForm) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Ref: schemas + "Money"} }

// Schema is a civil date.
func (dateForm) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date"}
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

// refusals are the answers that many routes have in common.
func refusals(api *huma.OpenAPI) map[string]*huma.Response {
	problem := api.Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	all := make(map[string]*huma.Response)
	for status, about := range map[string]string{
		"401": "no valid key",
		"403": "the key's role may not, or it is for another seller",
		"404": "what the request names does not exist",
		"406": "none of the types in Accept can be had",
		"408": "the body came too slowly",
		"409": "the books as they stand forbid it",
		"412": "the account has changed since the version in If-Match",
		"413": "the body is too long",
		"415": "the body is of another type",
		"422": "the request breaks a rule; errors names every fault",
		"429": "too many requests from this key",
		"500": "the server failed; its log has the request by request_id",
		"503": "not now: the same request may pass later",
	} {
		all[status] = &huma.Response{Description: about, Content: map[string]*huma.MediaType{"application/problem+json": {Schema: problem}}}
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

// describeCommand documents a command under its noun: the members that the path names may be left out.
func describeCommand(name string, members []string) func(*API, *huma.Operation) {
	return func(a *API, op *huma.Operation) {
		shape, err := catalog.SchemaOf(name, members...)
		if err != nil {
			panic(err) // nouns name commands of the catalog; a test sees to it
		}
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			typeJSON: {Schema: schemaOf(shape), Example: without(exampleOf(name), members)},
		}}
		for _, member := range members {
			op.Parameters = append(op.Parameters, &huma.Param{
				Name: member, In: "path", Required: true, Description: "the command's member " + member,
				Schema: &huma.Schema{Type: huma.TypeString, Pattern: "^[A-Za-z0-9_-]{1,64}$"}, Example: exampleOf(name)[member],
			})
		}
		requireKey(op, name)
		answersReceipt(a, op)
	}
}

// requireKey says in the description that a command on an account needs a key of its own.
func requireKey(op *huma.Operation, name string) {
	c, err := catalog.Find(name)
	if err != nil || !movesMoney(c) {
		return
	}
	for i, p := range op.Parameters {
		if p.Name == "Idempotency-Key" {
			needed := *p
			needed.Required = true
			op.Parameters[i] = &needed
		}
	}
}

func answersReceipt(a *API, op *huma.Operation) {
	r := succeeds(op, map[string]*huma.MediaType{typeJSON: {Schema: a.schema(reflect.TypeFor[Receipt]())}})
	r.Headers["ETag"] = header("the account's version: send it as If-Match with the next command", huma.TypeString)
	r.Headers[ReplayedHeader] = header("true when the command had been done before; the answer is its first one", huma.TypeString)
}

func (a *API) schema(t reflect.Type) *huma.Schema {
	return a.huma.OpenAPI().Components.Schemas.Schema(t, true, "")
}

func exampleOf(name string) map[string]any {
	b, err := catalog.Example(name)
	if err != nil {
		panic(err) // the catalog's tests ask for every example
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		panic(err)
	}
	return m
}

func without(example map[string]any, members []string) map[string]any {
	for _, member := range members {
		delete(example, member)
	}
	return example
}

func describeAnyCommand(a *API, op *huma.Operation) {
	var names []any
	for _, c := range catalog.Commands() {
		shape, err := catalog.SchemaOf(c.Name())
		if err != nil {
			panic(err)
		}
		a.huma.OpenAPI().Components.Schemas.Map()[c.Name()] = schemaOf(shape)
		names = append(names, c.Name())
	}
	op.Parameters = append(op.Parameters, &huma.Param{
		Name: "name", In: "path", Required: true, Description: "the command's name", Example: "RecordPayment",
		Schema: &huma.Schema{Type: huma.TypeString, Enum: names},
	})
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		typeJSON: {Schema: commandForm{}.Schema(nil), Example: exampleOf("RecordPayment")},
	}}
	answersReceipt(a, op)
}

func describeBatch(a *API, op *huma.Operation) {
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{typeJSON: {
		Schema: a.schema(reflect.TypeFor[Batch]()),
		Example: map[string]any{"together": "account", "commands": []any{
			map[string]any{"name": "RecordPayment", "idempotency_key": "bank-17", "command": exampleOf("RecordPayment")},
		}},
	}}}
	succeeds(op, map[string]*huma.MediaType{typeJSON: {Schema: a.schema(reflect.TypeFor[BatchAnswer]())}})
}

// describeReport documents an answer in rows, by the sheets that it may be written as: a row has what all of them have,
// and may have what some of them have.
func describeReport(id string, sheets ...export.Sheet) func(*API, *huma.Operation) {
	return func(a *API, op *huma.Operation) {
		name := strings.TrimPrefix(strings.TrimPrefix(id, "get-"), "list-")
		row := a.rowsOf(strings.ToUpper(name[:1])+name[1:]+"Row", sheets...)
		whole := &huma.Schema{Type: huma.TypeObject, Required: []string{"seller", "rows"}, AdditionalProperties: false, Properties: map[string]*huma.Schema{
			"seller":   {Type: huma.TypeString, Description: "whose books; empty for what is not one seller's"},
			"as_of":    {Type: huma.TypeString, Format: "date", Description: "the business day that is reported"},
			"known_at": {Type: huma.TypeInteger, Description: "log position: nothing recorded later is in it"},
			"next":     {Type: huma.TypeString, Description: "pass it as cursor for the rows that follow; absent at the end"},
			"rows":     {Type: huma.TypeArray, Items: row, Description: "in the order of the report"},
		}}
		answersSheet(op, whole, row)
	}
}

// rowsOf notes what a row of the sheets is, under a name, and refers to it.
func (a *API) rowsOf(name string, sheets ...export.Sheet) *huma.Schema {
	row := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}, AdditionalProperties: false}
	for i, sheet := range sheets {
		properties := columnsOf(sheet)
		maps.Copy(row.Properties, properties)
		if i == 0 {
			row.Required = slices.Sorted(maps.Keys(properties))
		}
		row.Required = slices.DeleteFunc(row.Required, func(name string) bool { return properties[name] == nil })
	}
	a.huma.OpenAPI().Components.Schemas.Map()[name] = row
	return &huma.Schema{Ref: schemas + name}
}

// describeReading documents an answer of one object, which those who want a sheet get as rows.
func describeReading[T any](a *API, id string, sheet export.Sheet) func(*API, *huma.Operation) {
	return func(a *API, op *huma.Operation) {
		name := strings.TrimPrefix(id, "get-")
		answersSheet(op, a.schema(reflect.TypeFor[T]()), a.rowsOf(strings.ToUpper(name[:1])+name[1:]+"Row", sheet))
	}
}

func answersSheet(op *huma.Operation, whole, row *huma.Schema) {
	text := &huma.Schema{Type: huma.TypeString}
	r := succeeds(op, map[string]*huma.MediaType{typeJSON: {Schema: whole}, typeNDJSON: {Schema: row}, typeCSV: {Schema: text}, typeTable: {Schema: text}})
	r.Headers["ETag"] = header("of the answer; for one account it begins with the account's version", huma.TypeString)
	r.Headers[positionHeader] = header("log position: nothing recorded later is in it", huma.TypeInteger)
	r.Headers[asOfHeader] = header("the business day that is reported", huma.TypeString)
	r.Headers["Link"] = header(`rel="next": the rows that follow`, huma.TypeString)
	op.Responses["304"] = &huma.Response{Description: "what If-None-Match names still holds"}
	op.Responses["406"] = &huma.Response{Ref: responses + "406"}
}

// columnsOf are the members of a row: its columns, those of a group in one object.
func columnsOf(sheet export.Sheet) map[string]*huma.Schema {
	properties := make(map[string]*huma.Schema)
	for _, c := range sheet.Columns {
		if c.Group == "" {
			properties[c.Name] = columnSchema(c)
			continue
		}
		properties[c.Group] = &huma.Schema{
			Type: huma.TypeObject, AdditionalProperties: columnSchema(c),
			Description: "by name of the bucket: current, 1-30, ... as the question asked for them",
		}
	}
	return properties
}

func columnSchema(c export.Column) *huma.Schema {
	switch c.Kind {
	case export.Amount:
		return &huma.Schema{Type: huma.TypeString, Nullable: true, Pattern: `^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`, Description: "plain decimal with the currency's digits"}
	case export.Count:
		return &huma.Schema{Type: huma.TypeInteger, Nullable: true}
	case export.Date:
		return &huma.Schema{Type: huma.TypeString, Format: "date", Nullable: true}
	}
	return &huma.Schema{Type: huma.TypeString}
}

func describeObject[T any](*API) func(*API, *huma.Operation) {
	return func(a *API, op *huma.Operation) {
		succeeds(op, map[string]*huma.MediaType{typeJSON: {Schema: a.schema(reflect.TypeFor[T]())}})
	}
}

func describeExchange[In, Out any](*API) func(*API, *huma.Operation) {
	return func(a *API, op *huma.Operation) {
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{typeJSON: {Schema: a.schema(reflect.TypeFor[In]())}}}
		succeeds(op, map[string]*huma.MediaType{typeJSON: {Schema: a.schema(reflect.TypeFor[Out]())}})
	}
}

// describeLong documents work that answers in lines.
func describeLong[In, Out any](*API) func(*API, *huma.Operation) {
	return func(a *API, op *huma.Operation) {
		op.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{typeJSON: {Schema: a.schema(reflect.TypeFor[In]())}}}
		succeeds(op, map[string]*huma.MediaType{typeNDJSON: {Schema: a.schema(reflect.TypeFor[Line[Out]]())}})
	}
}

func describeImport(a *API, op *huma.Operation) {
	op.RequestBody = &huma.RequestBody{Required: true, Description: "UTF-8 or Shift_JIS, with commas, semicolons or tabs", Content: map[string]*huma.MediaType{
		typeCSV: {Schema: &huma.Schema{Type: huma.TypeString}, Example: "customer,invoice,issued,due,amount\nC1,A-1,2026-05-01,2026-05-31,120.00\n"},
	}}
	succeeds(op, map[string]*huma.MediaType{typeNDJSON: {Schema: a.schema(reflect.TypeFor[Line[Imported]]())}})
}

func describeEvents(a *API, op *huma.Operation) {
	event := a.schema(reflect.TypeFor[Event]())
	succeeds(op, map[string]*huma.MediaType{typeNDJSON: {Schema: event}, typeSSE: {Schema: &huma.Schema{Type: huma.TypeString}}})
	op.Responses["406"] = &huma.Response{Ref: responses + "406"}
}

// Event is one event as the feed writes it.
type Event struct {
	Position   uint64         `json:"position" doc:"its place in the log"`
	Stream     string         `json:"stream" doc:"the stream that it stands in"`
	Version    uint64         `json:"version" doc:"its place in the stream, from 1"`
	ID         string         `json:"id" format:"uuid" doc:"derived from the command that caused it"`
	Kind       string         `json:"kind" doc:"its wire name, such as account.payment_recorded"`
	Schema     int            `json:"schema" doc:"version of the members of data"`
	RecordedAt time.Time      `json:"recorded_at" doc:"when the log recorded it"`
	Data       domain.Event   `json:"data" doc:"its members, as docs/events.md lists them"`
	Metadata   map[string]any `json:"metadata,omitempty" doc:"who caused it, by which command"`
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
	case account.RecordPayment, account.ApplyPayment, account.UnapplyPayment, account.ReversePayment, account.IssueRefund:
		return "Payments"
	case account.OpenDispute, account.ResolveDispute:
		return "Disputes"
	case account.IssueCreditNote, account.ApplyCredit, account.UnapplyCredit, account.WriteOff, account.RecoverWriteOff, account.SettleDifference:
		return "Credits"
	}
	return "Invoices"
}
