package catalog

import (
	"reflect"
	"slices"
	"strings"
	"sync"
)

// A required member that was left out is zero once the command is read. So is one that says zero, which is rare: only
// then the text is looked at again.

// look is a member of a struct that may be missing, or has such members in it.
type look struct {
	index    []int
	required bool
	deeper   bool // a struct, or a list of structs
}

var looks sync.Map // reflect.Type to []look

// isZeroSomewhere tells that a required member of a command, or of what is in it, is zero.
func isZeroSomewhere(v reflect.Value) bool {
	return slices.ContainsFunc(looksAt(v.Type()), func(l look) bool {
		member := v.FieldByIndex(l.index)
		switch zero := member.IsZero(); {
		case zero:
			return l.required
		case !l.deeper:
			return false
		case member.Kind() == reflect.Slice:
			for i := range member.Len() {
				if isZeroSomewhere(member.Index(i)) {
					return true
				}
			}
			return false
		}
		return isZeroSomewhere(member)
	})
}

func looksAt(t reflect.Type) []look {
	if known, ok := looks.Load(t); ok {
		return known.([]look)
	}
	var list []look
	fields := Fields(t)
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		at := slices.IndexFunc(fields, func(m Field) bool { return m.Name == name })
		if f.Anonymous || at < 0 {
			continue
		}
		l := look{index: f.Index, required: !fields[at].mayLack(), deeper: isObject(f.Type)}
		if l.required || l.deeper {
			list = append(list, l)
		}
	}
	looks.Store(t, list)
	return list
}

// isObject tells a struct with members of its own, and a list of such.
func isObject(t reflect.Type) bool {
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	_, word := words[t]
	return t.Kind() == reflect.Struct && !word
}
