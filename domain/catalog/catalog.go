// Package catalog lists every event and every command of the books in one place, by wire name.
package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/numbering"
	"github.com/urikake/urikake/domain/seller"
)

// Events is every kind of event that any aggregate has ever written, with its versions.
func Events() []domain.Schema {
	return slices.Concat(seller.Events, customer.Events, numbering.Events, account.Events)
}

// Command is anything that a client may order; Name is its wire name.
type Command interface{ Name() string }

// Commands is every command that a client may send, in the order in which people meet them.
func Commands() []Command {
	var all []Command
	for _, c := range seller.Commands {
		all = append(all, c)
	}
	for _, c := range customer.Commands {
		all = append(all, c)
	}
	for _, c := range account.Commands {
		all = append(all, c)
	}
	return all
}

var (
	ErrUnknownCommand = &domain.Error{Code: domain.NotFound, Rule: "command.unknown",
		Text: "there is no such command; `urikake command --list` names them all"}
	ErrBadJSON = &domain.Error{Code: domain.Invalid, Rule: "command.malformed",
		Text: "the command can't be read"}
)

// Find gives the command of that name, empty. Refuses command.unknown.
func Find(name string) (Command, error) {
	for _, c := range Commands() {
		if c.Name() == name {
			return c, nil
		}
	}
	return nil, ErrUnknownCommand.With("%q", name)
}

// Decode reads a command strictly: unknown and repeated members, wrong types and anything after the object are
// refused, with the member named where it is known. Refuses command.unknown, command.malformed and what the fields'
// own types refuse.
func Decode(name string, data []byte) (Command, error) {
	empty, err := Find(name)
	if err != nil {
		return nil, err
	}
	if err := refuseRepeated(data); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	v := reflect.New(reflect.TypeOf(empty))
	if err := d.Decode(v.Interface()); err != nil {
		return nil, readable(err)
	}
	return v.Elem().Interface().(Command), nil
}

// readable turns a JSON error into a refusal that names the member.
func readable(err error) error {
	var known *domain.Error
	var many domain.Faults
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &many):
		return many
	case errors.As(err, &known):
		return known
	case errors.As(err, &wrongType):
		return ErrBadJSON.With("a %s stands where %s belongs", wrongType.Value, wanted(wrongType.Type)).
			At("/" + strings.ReplaceAll(wrongType.Field, ".", "/"))
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		if n, err := strconv.Unquote(name); err == nil {
			return ErrBadJSON.With("the command has no such member").At("/" + n)
		}
	}
	return ErrBadJSON.With("%s", strings.TrimPrefix(err.Error(), "json: "))
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
	return "a whole number"
}

// DepthMax bounds how deep a command's JSON may nest.
const DepthMax = 32

// refuseRepeated walks the JSON once and refuses a member that stands twice in one object, of which the decoder
// would silently take the last, and whatever follows the first value.
func refuseRepeated(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := walk(d, "", 0); err != nil {
		var known *domain.Error
		if errors.As(err, &known) {
			return known
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return ErrBadJSON.With("the JSON ends too early")
		}
		return ErrBadJSON.With("%s", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return ErrBadJSON.With("something follows the command")
	}
	return nil
}

func walk(d *json.Decoder, at string, depth int) error {
	if depth > DepthMax {
		return ErrBadJSON.With("it nests deeper than %d", DepthMax)
	}
	t, err := d.Token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('{'):
		seen := make(map[string]bool)
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return err
			}
			member := at + "/" + name.(string)
			// encoding/json matches names without regard to case, so "Amount" would stand for "amount" too.
			if folded := strings.ToLower(name.(string)); seen[folded] {
				return ErrBadJSON.With("the member stands twice").At(member)
			} else {
				seen[folded] = true
			}
			if err := walk(d, member, depth+1); err != nil {
				return err
			}
		}
	case json.Delim('['):
		for i := 0; d.More(); i++ {
			if err := walk(d, at+"/"+strconv.Itoa(i), depth+1); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	_, err = d.Token() // the closing delimiter
	return err
}
