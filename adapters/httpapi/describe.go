package httpapi

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/catalog"
)

// What each kind of route says of its bodies and answers.

// describeCommand documents a command under its noun: the members that the path names may be left out.
func describeCommand(name string, members []string) func(*API, *huma.Operation) {
	return func(a *API, op *huma.Operation) {
		shape, err := catalog.SchemaOf(name, members...)
		if err != nil {
			panic(err) // nouns name commands of the catalog; a test sees to it
		}
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			typeJSON: {Schema: schemaOf(shape)},
		}}
		for _, member := range members {
			op.Parameters = append(op.Parameters, &huma.Param{
				Name: member, In: "path", Required: true, Description: "the command's member " + member,
				Schema: &huma.Schema{Type: huma.TypeString, Pattern: "^[A-Za-z0-9_-]{1,64}$"},
			})
		}
		requireKey(op, name)
		answersReceipt(a, op)
	}
}

// requireKey says in the description that a command on an account or a case needs a key of its own.
func requireKey(op *huma.Operation, name string) {
	c, err := catalog.Find(name)
	if err != nil || !needsKey(c) {
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
		Name: "name", In: "path", Required: true, Description: "the command's name",
		Schema: &huma.Schema{Type: huma.TypeString, Enum: names},
	})
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		typeJSON: {Schema: commandForm{}.Schema(nil)},
	}}
	answersReceipt(a, op)
}

func describeBatch(a *API, op *huma.Operation) {
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{typeJSON: {Schema: a.schema(reflect.TypeFor[Batch]())}}}
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

// also adds a refusal that other routes of the kind don't have.
func also(status string, describe func(*API, *huma.Operation)) func(*API, *huma.Operation) {
	return func(a *API, op *huma.Operation) {
		op.Responses[status] = &huma.Response{Ref: responses + status}
		describe(a, op)
	}
}

func answersSheet(op *huma.Operation, whole, row *huma.Schema) {
	text := &huma.Schema{Type: huma.TypeString}
	r := succeeds(op, map[string]*huma.MediaType{typeJSON: {Schema: whole}, typeNDJSON: {Schema: row}, typeCSV: {Schema: text}, typeTable: {Schema: text}})
	r.Headers["ETag"] = header("of the answer; for one account it begins with the account's version", huma.TypeString)
	r.Headers[positionHeader] = header("log position: nothing recorded later is in it", huma.TypeInteger)
	r.Headers[asOfHeader] = header("the business day that is reported", huma.TypeString)
	r.Headers[LogHeader] = header("away: the log could not be reached, and what was recorded lately may be missing; absent otherwise", huma.TypeString)
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
		typeCSV: {Schema: &huma.Schema{Type: huma.TypeString}},
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

	DataBytes     []byte `json:"data_bytes,omitempty" doc:"data as the log has it, where that is not what JSON shows"`
	MetadataBytes []byte `json:"metadata_bytes,omitempty" doc:"metadata as the log has it, likewise"`
}
