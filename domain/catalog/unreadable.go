package catalog

import (
	"errors"

	"github.com/go-json-experiment/json"
)

// Unreadable turns an error of the strict JSON reader into a refusal that points to the member, for other bodies that
// are read like commands. Refuses command.malformed and what the members' own types refuse.
func Unreadable(err error) error {
	refusal := readable(err)
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return refusal
	}
	if errors.Is(err, json.ErrUnknownName) {
		refusal = ErrBadJSON.With("there is no such member")
	}
	return refusal.At(clip(string(semantic.JSONPointer)))
}
