package catalog

import (
	"cmp"
	"iter"
	"reflect"
	"strings"
	"sync"

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

// ErrPathDiffers refuses a member that says otherwise than the path of the request in which the command came.
var ErrPathDiffers = &domain.Error{
	Code: domain.Invalid, Rule: "command.path_differs",
	Text: "the member names another than the request's path; leave it out, or send the command there",
}

// Decode reads a command strictly: unknown and repeated members, names in another case, wrong types and anything
// after the object are refused, so that a slip of the pen never becomes a default. Refuses command.unknown,
// input.too_long, command.malformed, input.missing and what the members' own types refuse: every fault at once, in the
// order of the text, each with a JSON pointer to the member. Text that is no JSON is one fault, which tells the byte.
func Decode(name string, data []byte) (Command, error) { return DecodeWith(name, data, nil) }

// DecodeWith is Decode where the request's path has named some members already, by their names in JSON: left out of
// the command, they are filled in. A name that is not a text member of the command fills nothing.
// Refuses besides command.path_differs for a member that says otherwise.
func DecodeWith(name string, data []byte, known map[string]string) (Command, error) {
	empty, err := Find(name)
	if err != nil {
		return nil, err
	}
	if len(data) > SizeMax {
		return nil, domain.ErrTooLong.With("a command of %d bytes, at most %d", len(data), SizeMax)
	}
	t := reflect.TypeOf(empty)
	v := reflect.New(t)
	for member, text := range named(v.Elem(), known) {
		member.SetString(text) // and what the command says is written over it
	}
	err = json.Unmarshal(data, v.Interface(), strict)
	for member, text := range named(v.Elem(), known) {
		if err == nil && member.String() != text {
			err = ErrPathDiffers
		}
	}
	switch {
	case err != nil:
		return nil, cmp.Or(findFaults(t, data, known).Err(), error(readable(err)))
	case isZeroSomewhere(v.Elem()):
		if err := findFaults(t, data, known).Err(); err != nil {
			return nil, err
		}
	}
	return v.Elem().Interface().(Command), nil
}

// named yields the text members of a command that are known already, each with what it must say.
func named(v reflect.Value, known map[string]string) iter.Seq2[reflect.Value, string] {
	return func(yield func(reflect.Value, string) bool) {
		if len(known) == 0 {
			return
		}
		members := textsOf(v.Type())
		for name, text := range known {
			if at, ok := members[name]; ok && !yield(v.FieldByIndex(at), text) {
				return
			}
		}
	}
}

var texts sync.Map // reflect.Type to map[string][]int: where a struct's text members are

func textsOf(t reflect.Type) map[string][]int {
	if known, ok := texts.Load(t); ok {
		return known.(map[string][]int)
	}
	members := make(map[string][]int)
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && !f.Anonymous && f.Type.Kind() == reflect.String {
			members[name] = f.Index
		}
	}
	texts.Store(t, members)
	return members
}

// strict reads names to the letter. null is refused too: left out is the one way to give nothing.
var strict = json.JoinOptions(json.RejectUnknownMembers(true),
	json.WithUnmarshalers(json.UnmarshalFromFunc(func(d *jsontext.Decoder, _ any) error {
		if d.PeekKind() == 'n' {
			return errNull
		}
		return json.SkipFunc
	})))

var errNull = ErrBadJSON.With("null stands here; leave the member out")
