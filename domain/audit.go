package domain

// What an audit finds of events that no Decide has stated.
var (
	ErrMisplaced = &Error{
		Code: Internal, Rule: "event.misplaced",
		Text: "the event does not belong in this stream",
	}
	ErrContradiction = &Error{
		Code: Internal, Rule: "event.contradiction",
		Text: "the event can't follow what stands before it",
	}
)

// Belongs finds an event in another stream than its own fields say. Refuses event.misplaced.
func Belongs(stream, own string) error {
	if stream == own {
		return nil
	}
	return ErrMisplaced.With("by its own fields it belongs in %s", own)
}

// Same finds a member of an event that is not what stands before it says. Refuses event.contradiction.
func Same[T comparable](member string, has, want T) error {
	if has == want {
		return nil
	}
	return ErrContradiction.With("%s is %v, and by what stands before it %v", member, has, want)
}
