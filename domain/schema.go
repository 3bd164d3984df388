package domain

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json" // twice as fast as encoding/json in decoding, which is most of a replay
)

// Schema is what the codec knows of one kind of event: its wire name, its current version, and how to read it and
// every version before it.
type Schema struct {
	Kind    string
	Version int          // the version written today; 1 unless there are upcasts
	Type    reflect.Type // the Go struct, for generated documentation

	Personal []string // members, of any version, whose fields are tagged personal

	olds   []Upcast
	decode func([]byte) (Event, error)
}

// Upcast turns one old version's fact into the next version's.
type Upcast struct {
	personal []string
	decode   func([]byte) (any, error)
	up       func(any) (any, error)
}

// ErrSchema says that the log holds something this program can't read. It is never skipped.
var ErrSchema = &Error{
	Code: Internal, Rule: "log.unreadable_event",
	Text: "the log holds an event that this version of urikake can't read",
}

// From describes the step from one old version to the next.
func From[Old, Next any](up func(Old) Next) Upcast {
	return Upcast{
		personal: personal(reflect.TypeFor[Old]()),
		decode: func(b []byte) (any, error) {
			var old Old
			err := json.Unmarshal(b, &old)
			return old, err
		},
		up: func(old any) (any, error) {
			o, ok := old.(Old)
			if !ok {
				return nil, fmt.Errorf("upcast wants %T, got %T", o, old)
			}
			return up(o), nil
		},
	}
}

// Describe declares event E with its upcasts, oldest first: with n upcasts the current version is n+1.
func Describe[E Event](upcasts ...Upcast) Schema {
	var zero E
	members := personal(reflect.TypeFor[E]())
	for _, old := range upcasts {
		members = append(members, old.personal...)
	}
	slices.Sort(members)
	return Schema{
		Kind:     zero.Kind(),
		Version:  len(upcasts) + 1,
		Type:     reflect.TypeFor[E](),
		Personal: slices.Compact(members),
		olds:     upcasts,
		decode: func(b []byte) (Event, error) {
			var e E
			if err := json.Unmarshal(b, &e); err != nil {
				return nil, err
			}
			return e, nil
		},
	}
}

// PersonalOf names the members of a command or an event that are tagged personal, by their JSON names.
func PersonalOf(v any) []string {
	t := reflect.TypeOf(v)
	if known, ok := personalOf.Load(t); ok {
		return known.([]string)
	}
	members := personal(t)
	personalOf.Store(t, members)
	return members
}

// personalOf remembers, by reflect.Type.
var personalOf sync.Map

// personal names the members of a struct, by their JSON names, that hold what is known of people.
func personal(t reflect.Type) (members []string) {
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			members = append(members, personal(f.Type)...)
		case f.Tag.Get("personal") == "true":
			members = append(members, name)
		}
	}
	return members
}

// Decode reads an event of any version up to the current one. Refuses log.unreadable_event.
func (s Schema) Decode(version int, data []byte) (Event, error) {
	if version < 1 || version > s.Version {
		return nil, ErrSchema.With("%s version %d, this program knows 1 to %d", s.Kind, version, s.Version)
	}
	if version == s.Version {
		e, err := s.decode(data)
		if err != nil {
			return nil, ErrSchema.With("%s: %v", s.Kind, err)
		}
		return e, nil
	}
	fact, err := s.olds[version-1].decode(data)
	for i := version - 1; err == nil && i < len(s.olds); i++ {
		fact, err = s.olds[i].up(fact)
	}
	if err != nil {
		return nil, ErrSchema.With("%s version %d: %v", s.Kind, version, err)
	}
	e, ok := fact.(Event)
	if !ok {
		return nil, ErrSchema.With("%s version %d: its upcasts end in %T", s.Kind, version, fact)
	}
	return e, nil
}
