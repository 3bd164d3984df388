package catalog

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/urikake/urikake/domain"
)

// FaultsMax is how many faults of one command are told; the rest is counted.
const FaultsMax = 100

var (
	repeats = jsontext.AllowDuplicateNames(true) // a member that stands twice is one fault among others
	slow    = json.JoinOptions(strict, repeats)
)

// finder walks over a command that was refused and notes every fault of it. The text is known to be JSON, so reading
// on never fails.
type finder struct {
	text   *jsontext.Decoder
	known  map[string]string
	fields map[reflect.Type][]Field
	faults domain.Faults
	more   int
}

// findFaults reads a command of type t once more, slowly, for all its faults in the order of the text.
func findFaults(t reflect.Type, data []byte, known map[string]string) domain.Faults {
	var whole jsontext.Value
	if err := json.Unmarshal(data, &whole, repeats); err != nil {
		return domain.Faults{readable(err)}
	}
	f := finder{
		text:  jsontext.NewDecoder(bytes.NewReader(whole), repeats),
		known: known, fields: make(map[reflect.Type][]Field),
	}
	f.value("", t)
	if f.more > 0 {
		f.faults = append(f.faults, ErrBadJSON.With("%d more faults", f.more))
	}
	return f.faults
}

// note adds a fault; once there are many, it is only counted.
func (f *finder) note(at jsontext.Pointer, rule *domain.Error, format string, args ...any) {
	if len(f.faults) == FaultsMax {
		f.more++
		return
	}
	fault := rule.At(string(at))
	if format != "" {
		fault = fault.With(format, args...)
	}
	fault.Field = clip(fault.Field)
	f.faults = append(f.faults, fault)
}

// value reads what stands where a t belongs.
func (f *finder) value(at jsontext.Pointer, t reflect.Type) {
	_, word := words[t]
	switch kind := f.text.PeekKind(); {
	case kind == 'n':
		f.skip()
		f.note(at, errNull, "")
	case word || t.Kind() != reflect.Struct && t.Kind() != reflect.Slice && t.Kind() != reflect.Map:
		f.leaf(at, t)
	case t.Kind() == reflect.Slice && kind == '[':
		f.list(at, t.Elem())
	case t.Kind() == reflect.Map && kind == '{':
		f.members(at, func(string) reflect.Type { return t.Elem() })
	case t.Kind() == reflect.Struct && kind == '{':
		f.object(at, t)
	default:
		raw, _ := f.text.ReadValue()
		f.note(at, ErrBadJSON, "%s stands where %s belongs", stands(kind, raw), wanted(t))
	}
}

func (f *finder) skip() { _ = f.text.SkipValue() }

// before tells that more stands before the end of a list or an object.
func (f *finder) before(end jsontext.Kind) bool {
	kind := f.text.PeekKind()
	return kind != end && kind != 0
}

func (f *finder) list(at jsontext.Pointer, t reflect.Type) {
	_, _ = f.text.ReadToken()
	for i := 0; f.before(']'); i++ {
		f.value(at+jsontext.Pointer("/"+strconv.Itoa(i)), t)
	}
	_, _ = f.text.ReadToken()
}

// object reads the members of a struct; those that are missing come after the others.
func (f *finder) object(at jsontext.Pointer, t reflect.Type) {
	fields := f.fields[t]
	if fields == nil {
		fields = Fields(t)
		f.fields[t] = fields
	}
	seen := f.members(at, func(name string) reflect.Type {
		if i := slices.IndexFunc(fields, func(m Field) bool { return m.Name == name }); i >= 0 {
			return fields[i].Type
		}
		return nil
	})
	for _, m := range fields {
		_, known := f.known[m.Name]
		if !seen[m.Name] && !m.mayLack() && !(known && at == "") {
			f.note(at.AppendToken(m.Name), domain.ErrMissing, "")
		}
	}
}

// members reads an object whose members are of these types, nil for one that does not belong there.
func (f *finder) members(at jsontext.Pointer, typeOf func(name string) reflect.Type) (seen map[string]bool) {
	seen = make(map[string]bool)
	_, _ = f.text.ReadToken()
	for f.before('}') {
		token, _ := f.text.ReadToken()
		name := token.String()
		at, t := at.AppendToken(name), typeOf(name)
		switch {
		case t == nil:
			f.skip()
			f.note(at, ErrBadJSON, "the command has no such member")
		case seen[name]:
			f.skip()
			f.note(at, ErrBadJSON, "the member stands twice")
		default:
			seen[name] = true
			f.value(at, t)
		}
	}
	_, _ = f.text.ReadToken()
	return seen
}

// leaf reads one value by its own type, and by the request's path.
func (f *finder) leaf(at jsontext.Pointer, t reflect.Type) {
	raw, _ := f.text.ReadValue()
	v := reflect.New(t)
	if err := json.Unmarshal(raw, v.Interface(), slow); err != nil {
		f.refused(at, t, raw, err)
		return
	}
	text, known := f.known[strings.TrimPrefix(string(at), "/")]
	if known && t.Kind() == reflect.String && v.Elem().String() != text {
		f.note(at, ErrPathDiffers, "%.80q, in the path %.80q", v.Elem().String(), text)
	}
}

// refused notes what a type says against a value, or better: which part of an amount of money is at fault, and that a
// number is written as a string.
func (f *finder) refused(at jsontext.Pointer, t reflect.Type, raw jsontext.Value, err error) {
	example, isNumber := quoted(t, raw)
	switch {
	case t == reflect.TypeFor[domain.Money]() && raw.Kind() == '{' && f.parts(at, raw):
	case isNumber:
		f.note(at, readable(err), "%s stands here; write it as a string, such as %s", stands('0', raw), example)
	default:
		f.note(at, readable(err), "")
	}
}

// parts looks at the parts of an amount of money, and tells whether it noted anything.
func (f *finder) parts(at jsontext.Pointer, raw jsontext.Value) bool {
	inner := finder{text: jsontext.NewDecoder(bytes.NewReader(raw), repeats)}
	inner.members(at, func(name string) reflect.Type { return moneyParts[name] })
	for _, fault := range inner.faults {
		f.note("", fault, "")
	}
	f.more += inner.more
	return len(inner.faults) > 0
}

var moneyParts = map[string]reflect.Type{"amount": reflect.TypeFor[string](), "currency": reflect.TypeFor[string]()}

// quoted is how a number is written where a string belongs: the number itself, unless the type takes other words.
func quoted(t reflect.Type, raw jsontext.Value) (example string, ok bool) {
	if raw.Kind() != '0' || t.Kind() != reflect.String && words[t]["type"] != "string" {
		return "", false
	}
	example = `"` + string(raw) + `"`
	examples, _ := words[t]["examples"].([]string)
	if len(examples) > 0 && (t.Kind() == reflect.String || json.Unmarshal([]byte(example), reflect.New(t).Interface()) != nil) {
		example = strconv.Quote(examples[0])
	}
	return example, len(example) <= 40
}

// readable turns a JSON error into a refusal that points to the member.
func readable(err error) *domain.Error {
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		return ErrBadJSON.With("%v, at byte %d", syntactic.Err, syntactic.ByteOffset).At(clip(string(syntactic.JSONPointer)))
	}
	var semantic *json.SemanticError
	var own *domain.Error
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &semantic) && semantic.GoType != nil:
		return ErrBadJSON.With("%s stands where %s belongs", stands(semantic.JSONKind, semantic.JSONValue), wanted(semantic.GoType))
	}
	return ErrBadJSON.With("%v", err)
}

// clip keeps a pointer readable that leads deep into something that should not be there.
func clip(pointer string) string {
	if len(pointer) > 200 {
		return strings.ToValidUTF8(pointer[:200], "") + "..."
	}
	return pointer
}

func stands(kind jsontext.Kind, raw jsontext.Value) string {
	switch kind {
	case 'n':
		return "null"
	case 't', 'f':
		return "true or false"
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "a list"
	}
	if len(raw) == 0 || len(raw) > 40 {
		return "a number"
	}
	return "the number " + string(raw)
}

func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "a whole number of at most " + strconv.Itoa(t.Bits()) + " bits"
}
