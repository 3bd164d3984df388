// Package domain holds the words that every rule of the books is written in: money, dates, ids, refusals, events.
//
// It is pure. Nothing here or below reads a clock, a file, a network or a random number: dates and ids arrive in
// commands, so the same log always gives the same books.
package domain

// Event is a fact that was recorded. Kind is its wire name ("account.payment_recorded"), written by hand and
// never derived from the Go name, so that code may be renamed and the log can't.
type Event interface{ Kind() string }

// Decider is one aggregate as a pure state machine.
//
// Decide refuses with an *Error or states facts; Evolve only records them and never refuses. Neither facts nor a
// refusal means that what was asked for is so already.
type Decider[C, S any] struct {
	Stream func(C) string // the stream that the command is about
	New    func() S       // the books before the first event
	Decide func(S, C) ([]Event, error)
	Evolve func(S, Event) S // may change S in place and return it

	// Audit says why an event can't stand next in a stream with these books, nil where Decide might have stated it: it does
	// not belong there (event.misplaced), or what stands before it rules it out (event.contradiction, or the rule by which
	// Decide refuses such a thing). It changes nothing, and asks nothing of other streams. O(what the event names).
	Audit func(s S, stream string, e Event) error
}
