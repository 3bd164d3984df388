package catalog

// Unreadable turns an error of the strict JSON reader into a refusal that points to the member, for other bodies that
// are read like commands. Refuses command.malformed and what the members' own types refuse.
func Unreadable(err error) error { return readable(err) }
