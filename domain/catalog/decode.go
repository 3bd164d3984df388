package catalog

import (
	"errors"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/urikake/urikake/domain"
)

// SizeMax is the longest command, in bytes of JSON.
const SizeMax = 2 << 20

// ErrBadJSON refuses a command that is not the JSON of its members.
var ErrBadJSON = &domain.Error{
	Code: domain.Invalid, Rule: "command.malformed",
	Text: "the command can't be read; `urikake command --schema NAME` shows how it is written",
}

// Decode reads a command strictly: unknown and repeated members, names in another case, wrong types and anything
// after the object are refused, so that a slip of the pen never becomes a default. Refuses command.unknown,
// command.malformed, input.too_long and what the members' own types refuse, with a JSON pointer to the member.
func Decode(name string, data []byte) (Command, error) {
	empty, err := Find(name)
	if err != nil {
		return nil, err
	}
	if len(data) > SizeMax {
		return nil, domain.ErrTooLong.With("a command of %d bytes, at most %d", len(data), SizeMax)
	}
	v := reflect.New(reflect.TypeOf(empty))
	if err := json.Unmarshal(data, v.Interface(), strict); err != nil {
		return nil, readable(err)
	}
	return v.Elem().Interface().(Command), nil
}

// strict reads names to the letter. null is refused too: left out is the one way to give nothing.
var strict = json.JoinOptions(json.RejectUnknownMembers(true),
	json.WithUnmarshalers(json.UnmarshalFromFunc(func(d *jsontext.Decoder, _ any) error {
		if d.PeekKind() == 'n' {
			return ErrBadJSON.With("null stands here; leave the member out")
		}
		return json.SkipFunc
	})))

// readable turns a JSON error into a refusal that points to the member.
func readable(err error) error {
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		refusal := ErrBadJSON.With("%v, at byte %d", syntactic.Err, syntactic.ByteOffset)
		if errors.Is(err, jsontext.ErrDuplicateName) {
			refusal = ErrBadJSON.With("the member stands twice")
		}
		return refusal.At(clip(syntactic.JSONPointer))
	}
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return ErrBadJSON.With("%v", err)
	}
	at := clip(semantic.JSONPointer)
	var own *domain.Error
	switch {
	case errors.As(err, &own):
		return own.At(at)
	case errors.Is(err, json.ErrUnknownName):
		return ErrBadJSON.With("the command has no such member").At(at)
	case semantic.GoType == nil:
		return ErrBadJSON.With("%v", semantic.Err).At(at)
	}
	return ErrBadJSON.With("%s stands where %s belongs", stands(semantic), wanted(semantic.GoType)).At(at)
}

// clip keeps a pointer readable that leads deep into something that should not be there.
func clip(p jsontext.Pointer) string {
	if len(p) > 200 {
		return strings.ToValidUTF8(string(p[:200]), "") + "..."
	}
	return string(p)
}

func stands(err *json.SemanticError) string {
	switch err.JSONKind {
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
	if len(err.JSONValue) == 0 || len(err.JSONValue) > 40 {
		return "a number"
	}
	return "the number " + string(err.JSONValue)
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
