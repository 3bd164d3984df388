package catalog

import (
	"reflect"
	"strings"
)

// Field is one member of a command or an event, as JSON shows it.
type Field struct {
	Name     string // in JSON
	Doc      string
	Type     reflect.Type
	Optional bool // may be left out
	Personal bool // names, addresses and contacts of people
}

// Fields lists the members of a struct in the order in which they are declared; those of embedded structs stand in
// their place, as in JSON.
func Fields(t reflect.Type) (list []Field) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			list = append(list, Fields(f.Type)...)
		case f.IsExported() && name != "-":
			list = append(list, Field{
				Name: name, Doc: f.Tag.Get("doc"), Type: f.Type,
				Optional: strings.Contains(options, "omit"), Personal: f.Tag.Get("personal") == "true",
			})
		}
	}
	return list
}

// defaulted are members that the rules fill in where a command leaves them out, though the event always has them.
var defaulted = map[string]bool{"rounding": true, "default_series": true}

// mayLack tells that a command may leave the member out.
func (f Field) mayLack() bool { return f.Optional || defaulted[f.Name] }
