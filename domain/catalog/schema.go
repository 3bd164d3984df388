package catalog

import (
	"embed"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/seller"
)

//go:embed testdata/commands/*.json
var examples embed.FS

// Example is a realistic command of that name as JSON. Refuses command.unknown.
func Example(name string) ([]byte, error) {
	if _, err := Find(name); err != nil {
		return nil, err
	}
	return examples.ReadFile("testdata/commands/" + name + ".json")
}

// Schema is the JSON Schema (2020-12) of a command's shape, with an example. What depends on other members or on the
// books is said by the commands' rules only. Refuses command.unknown.
func Schema(name string) ([]byte, error) {
	empty, err := Find(name)
	if err != nil {
		return nil, err
	}
	example, err := Example(name)
	if err != nil {
		return nil, err
	}
	w := writer{refs: "#/$defs/", shapes: make(map[string]shape)}
	s := w.object(reflect.TypeOf(empty))
	s["$schema"], s["title"], s["description"] = "https://json-schema.org/draft/2020-12/schema", name, About(name)
	s["examples"] = []json.RawMessage{example}
	s["$defs"] = w.shapes
	return json.MarshalIndent(s, "", "  ")
}

// components is where OpenAPI keeps what is referred to.
const components = "#/components/schemas/"

// SchemaOf is the shape of a command as OpenAPI 3.1 says it: what it refers to stands in Definitions. Members named in
// without may be left out, since the request's path names them (see DecodeWith). Refuses command.unknown.
func SchemaOf(name string, without ...string) (map[string]any, error) {
	empty, err := Find(name)
	if err != nil {
		return nil, err
	}
	w := writer{refs: components, shapes: make(map[string]shape)}
	s := w.object(reflect.TypeOf(empty))
	s["title"], s["description"] = name, About(name)
	s["required"] = slices.DeleteFunc(s["required"].([]string), func(member string) bool { return slices.Contains(without, member) })
	return s, nil
}

// Definitions are the shapes of all types that any command names, by name, as SchemaOf refers to them.
func Definitions() map[string]map[string]any {
	w := writer{refs: components, shapes: make(map[string]shape)}
	for _, c := range Commands() {
		w.object(reflect.TypeOf(c))
	}
	all := make(map[string]map[string]any, len(w.shapes))
	for name, s := range w.shapes {
		all[name] = s
	}
	return all
}

// shape is a JSON Schema.
type shape map[string]any

// words are the types that JSON shows as a string of a certain form, or as one of a few values.
var words = map[reflect.Type]shape{
	reflect.TypeFor[domain.Date]():       {"type": "string", "format": "date", "examples": []string{"2026-06-30"}},
	reflect.TypeFor[time.Time]():         {"type": "string", "format": "date-time", "examples": []string{"2026-07-03T12:00:00Z"}},
	reflect.TypeFor[domain.Decimal]():    {"type": "string", "pattern": `^-?[0-9]{1,15}(\.[0-9]{1,8})?$`, "examples": []string{"12.5"}},
	reflect.TypeFor[domain.Rate]():       {"type": "string", "pattern": `^[0-9]{1,4}(\.[0-9]{1,2}0*)?$`, "examples": []string{"10"}},
	reflect.TypeFor[domain.ChargeRate](): {"type": "string", "pattern": `^[0-9]{1,4}(\.[0-9]{1,2}0*)?$`, "examples": []string{"14.6"}},
	reflect.TypeFor[domain.Currency]():   {"type": "string", "pattern": `^[A-Z]{3}$`, "examples": []string{"JPY"}},
	reflect.TypeFor[domain.Series]():     {"type": "string", "pattern": `^[A-Z0-9_-]{1,32}$`, "examples": []string{"INV"}},
	reflect.TypeFor[domain.Money](): {
		"type": "object", "required": []string{"amount", "currency"}, "additionalProperties": false,
		"properties": shape{
			"amount":   shape{"type": "string", "pattern": `^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`, "description": "plain decimal, no finer than the currency"},
			"currency": shape{"type": "string", "pattern": `^[A-Z]{3}$`, "description": "ISO 4217 code"},
		},
		"examples": []shape{{"amount": "110000", "currency": "JPY"}},
	},

	reflect.TypeFor[domain.SellerID]():   id,
	reflect.TypeFor[domain.CustomerID](): id,
	reflect.TypeFor[domain.InvoiceID]():  id,
	reflect.TypeFor[domain.PaymentID]():  id,
	reflect.TypeFor[domain.ReceiptID]():  id,
	reflect.TypeFor[domain.CreditID]():   id,
	reflect.TypeFor[domain.RefundID]():   id,
	reflect.TypeFor[domain.DisputeID]():  id,
	reflect.TypeFor[domain.WriteOffID](): id,
	reflect.TypeFor[domain.RecoveryID](): id,
	reflect.TypeFor[domain.KeyID]():      id,

	reflect.TypeFor[domain.Language]():     oneOf(domain.Japanese, domain.English),
	reflect.TypeFor[domain.Rounding]():     oneOf(domain.RoundDown, domain.RoundUp, domain.RoundHalfUp),
	reflect.TypeFor[domain.TermsKind]():    oneOf(domain.TermsNet, domain.TermsClosing),
	reflect.TypeFor[domain.HolidayRule]():  oneOf(domain.HolidayNone, domain.HolidayPrevious, domain.HolidayNext, domain.HolidayModifiedNext),
	reflect.TypeFor[domain.DayCount]():     oneOf(domain.Act365, domain.CalendarYear, domain.CalendarYearFloored),
	reflect.TypeFor[domain.RateCap]():      oneOf(domain.CapConsumer, domain.CapInstalment, domain.CapDirectSale),
	reflect.TypeFor[domain.BankCalendar](): oneOf(domain.BanksJP, domain.BanksWeekdays),
	reflect.TypeFor[seller.AccountKind]():  oneOf(seller.Ordinary, seller.Current, seller.Savings),
	reflect.TypeFor[account.TaxCategory](): oneOf(account.Standard, account.Reduced, account.Old8, account.Old5, account.ExportZero,
		account.NonTaxable, account.OutOfScope),
	reflect.TypeFor[account.CreditReason](): oneOf(account.Return, account.Discount, account.Correction, account.Upheld, account.Goodwill,
		account.OtherCause),
	reflect.TypeFor[account.Allocate](): oneOf(account.OldestDue, account.Nothing),
	reflect.TypeFor[account.Basis]():    oneOf(account.ByAgreement, account.ByDebtor, account.ByCreditor, account.ByStatute),
	reflect.TypeFor[account.DisputeReason](): oneOf(account.NotDelivered, account.Defective, account.WrongPrice, account.WrongAmount,
		account.AlreadyPaid, account.NotOrdered, account.OtherDispute),
	reflect.TypeFor[account.Outcome]():          oneOf(account.DisputeUpheld, account.DisputeRejected, account.DisputeWithdrawn),
	reflect.TypeFor[account.DifferenceReason](): oneOf(account.BankFee, account.RoundingError),
	reflect.TypeFor[dunning.PolicyID]():         id,
	reflect.TypeFor[dunning.LevelID]():          id,
	reflect.TypeFor[dunning.TemplateID]():       id,
	reflect.TypeFor[dunning.ReminderID]():       id,
	reflect.TypeFor[dunning.HoldID]():           id,
	reflect.TypeFor[dunning.PromiseID]():        id,
	reflect.TypeFor[dunning.PlanID]():           id,
	reflect.TypeFor[dunning.ContactID]():        id,
	reflect.TypeFor[dunning.RunID]():            id,

	reflect.TypeFor[dunning.MonthDay]():       {"type": "string", "pattern": `^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$`, "examples": []string{"12-29"}},
	reflect.TypeFor[dunning.Weekday]():        oneOf(dunning.Weekdays...),
	reflect.TypeFor[dunning.Capacity]():       oneOf(dunning.Agency, dunning.Creditor),
	reflect.TypeFor[dunning.Channel]():        oneOf(dunning.Mail, dunning.Letter, dunning.Phone, dunning.SMS, dunning.RegisteredLetter),
	reflect.TypeFor[dunning.Tone]():           oneOf(dunning.Courtesy, dunning.Friendly, dunning.Polite, dunning.Firm, dunning.Final),
	reflect.TypeFor[dunning.LateChargeUse]():  oneOf(dunning.NoLateCharge, dunning.LateChargeShown, dunning.LateChargeAssessed),
	reflect.TypeFor[dunning.OldData]():        oneOf(dunning.StopOnOldData, dunning.WarnOnOldData),
	reflect.TypeFor[dunning.SendResult]():     oneOf(dunning.Accepted, dunning.Delivered, dunning.SpokenTo),
	reflect.TypeFor[dunning.DropReason]():     oneOf(dunning.DropReasons...),
	reflect.TypeFor[dunning.HoldKind]():       oneOf(dunning.HoldKinds...),
	reflect.TypeFor[dunning.PromiseOutcome](): oneOf(dunning.Kept, dunning.PartlyKept, dunning.Broken),
	reflect.TypeFor[dunning.Trigger]():        oneOf(dunning.MissedInstalments, dunning.OnInsolvency, dunning.OnNotice),
	reflect.TypeFor[dunning.ContactBy]():      oneOf(dunning.ByCall, dunning.ByMail, dunning.ByLetter, dunning.ByVisit),
	reflect.TypeFor[dunning.Direction]():      oneOf(dunning.Outbound, dunning.Inbound),
	reflect.TypeFor[dunning.ContactOutcome](): oneOf(dunning.ContactOutcomes...),
	reflect.TypeFor[dunning.HandOverTo]():     oneOf(dunning.Lawyer, dunning.LicensedServicer),
	reflect.TypeFor[dunning.CloseReason]():    oneOf(dunning.ClosePaid, dunning.CloseWrittenOff, dunning.CloseSettled, dunning.CloseInError, dunning.CloseOther),

	reflect.TypeFor[access.Role](): oneOf(access.Roles...),
}

var id = shape{"type": "string", "pattern": `^[A-Za-z0-9_-]{1,64}$`}

func oneOf[T ~string](values ...T) shape {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	return shape{"type": "string", "enum": texts}
}

// Values are the words that a type allows, nil where it is not a choice between a few.
func Values(t reflect.Type) []string {
	values, _ := words[t]["enum"].([]string)
	return values
}

// writer collects the shapes of the types that a command names.
type writer struct {
	refs   string // where they stand
	shapes map[string]shape
}

func (w writer) object(t reflect.Type) shape {
	properties, required := shape{}, []string{}
	for _, f := range Fields(t) {
		p := w.of(f.Type)
		p["description"] = f.Doc
		properties[f.Name] = p
		if !f.mayLack() {
			required = append(required, f.Name)
		}
	}
	return shape{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

// of is a type's shape; a named type stands once among the definitions and is referred to.
func (w writer) of(t reflect.Type) shape {
	word, isWord := words[t]
	switch {
	case isWord:
		w.shapes[t.Name()] = maps.Clone(word)
	case t.Kind() == reflect.String:
		return shape{"type": "string"}
	case t.Kind() == reflect.Bool:
		return shape{"type": "boolean"}
	case t.Kind() == reflect.Slice:
		return shape{"type": "array", "items": w.of(t.Elem())}
	case t.Kind() == reflect.Map:
		return shape{"type": "object", "additionalProperties": w.of(t.Elem())}
	case t.Kind() == reflect.Struct:
		w.shapes[t.Name()] = w.object(t)
	default:
		return shape{"type": "integer"}
	}
	return shape{"$ref": w.refs + t.Name()}
}
