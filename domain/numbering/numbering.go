package numbering

import (
	"encoding/json"
	"iter"
	"maps"
	"slices"

	"github.com/urikake/urikake/domain"
)

// Command is what may be asked of a series; Event what it records.
type (
	Command interface {
		Name() string // wire name
		stream() string
		check(*domain.Faults)
		decide(*State) ([]domain.Event, error) // the input is checked
	}
	Event interface {
		domain.Event
		Stream() string     // by its own fields
		audit(*State) error // why it can't stand next; nil if it can
		apply(*State)
	}
)

// Decider is a series as a state machine. Neither event nor refusal means that the taker has its number already, or
// that the numbers are confirmed; State says which.
var Decider = domain.Decider[Command, *State]{
	Stream: func(c Command) string { return c.stream() },
	New:    newState,
	Decide: func(s *State, c Command) ([]domain.Event, error) {
		var faults domain.Faults
		c.check(&faults)
		if err := faults.Err(); err != nil {
			return nil, err
		}
		return c.decide(s)
	},
	Evolve: func(s *State, e domain.Event) *State {
		s.version++
		e.(Event).apply(s)
		return s
	},
	Audit: audit,
}

// Events are all that the numbering streams hold: those of series, and those of free numbers.
var Events = []domain.Schema{
	domain.Describe[NumbersTaken](),
	domain.Describe[NumberClaimed](),
	domain.Describe[NumberReturned](),
	domain.Describe[NumbersConfirmed](),
	domain.Describe[TextClaimed](),
	domain.Describe[TextReleased](),
}

// State is one series as it stands. What is confirmed is forgotten: it is below next, or in ahead.
type State struct {
	version  uint64 // of the stream
	next     int    // all numbers from here on are unused, but for those in ahead
	returned spans  // below next, and to be given out again
	ahead    spans  // from next on, used because claimed by hand
	pending  map[int]Waiting
	held     map[Taker]int // pending, the other way round
}

// Waiting is who waits with a number, and since when. The token tells one taking from another, since a taker may lose
// a number and get the same one again.
type Waiting struct {
	Taker
	Token uint64 `json:"token"` // version of the series' stream when the number was taken
}

func newState() *State {
	return &State{next: 1, pending: make(map[int]Waiting), held: make(map[Taker]int)}
}

// Held is the number that waits for a taker's document, and the token of its taking.
func (s *State) Held(t Taker) (n int, token uint64, ok bool) {
	n, ok = s.held[t]
	return n, s.pending[n].Token, ok
}

// Waits tells who waits with a number.
func (s *State) Waits(n int) (w Waiting, ok bool) {
	w, ok = s.pending[n]
	return w, ok
}

// Pending yields the numbers whose documents are not known to be issued, lowest first, with those they wait for.
// After a crash they are what has to be finished.
func (s *State) Pending() iter.Seq2[int, Waiting] {
	return func(yield func(int, Waiting) bool) {
		for _, n := range slices.Sorted(maps.Keys(s.pending)) {
			if !yield(n, s.pending[n]) {
				return
			}
		}
	}
}

// Size is about how many bytes the state takes.
func (s *State) Size() int { return 500 + 400*len(s.pending) + 16*(len(s.returned)+len(s.ahead)) }

// free yields the numbers to give out: returned ones first, lowest first, then the next ones.
func (s *State) free() iter.Seq[int] {
	return func(yield func(int) bool) {
		for n := range s.returned.all() {
			if !yield(n) {
				return
			}
		}
		n := s.next
		for i := 0; i <= len(s.ahead); i++ {
			stop := span{NumberMax + 1, NumberMax + 1}
			if i < len(s.ahead) {
				stop = s.ahead[i]
			}
			for ; n < stop[0]; n++ {
				if !yield(n) {
					return
				}
			}
			n = stop[1] + 1
		}
	}
}

// taken tells that a number stands on a document or waits for one.
func (s *State) taken(n int) bool {
	if n < s.next {
		return !s.returned.has(n)
	}
	return s.ahead.has(n)
}

// take notes that n now waits for t's document.
func (s *State) take(n int, t Taker) {
	s.pending[n], s.held[t] = Waiting{t, s.version}, n
	if n < s.next {
		s.returned.remove(n)
		return
	}
	s.ahead.add(n)
	if s.ahead[0][0] == s.next {
		s.next = s.ahead[0][1] + 1
		s.ahead = slices.Delete(s.ahead, 0, 1)
	}
}

func (s *State) forget(n int) {
	delete(s.held, s.pending[n].Taker)
	delete(s.pending, n)
}

// putBack makes a pending number free again.
func (s *State) putBack(n int) {
	s.forget(n)
	if n < s.next {
		s.returned.add(n)
	} else {
		s.ahead.remove(n)
	}
}

// snapshot is State as JSON, so that a long stream need not be read from its beginning.
type snapshot struct {
	Version  uint64          `json:"version"`
	Next     int             `json:"next"`
	Returned spans           `json:"returned"`
	Ahead    spans           `json:"ahead"`
	Pending  map[int]Waiting `json:"pending"`
}

// MarshalJSON writes a snapshot of the state.
func (s *State) MarshalJSON() ([]byte, error) {
	return json.Marshal(snapshot{s.version, s.next, s.returned, s.ahead, s.pending})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *State) UnmarshalJSON(b []byte) error {
	var read snapshot
	if err := json.Unmarshal(b, &read); err != nil {
		return err
	}
	*s = *newState()
	s.version, s.next, s.returned, s.ahead = read.Version, read.Next, read.Returned, read.Ahead
	for n, w := range read.Pending {
		s.pending[n], s.held[w.Taker] = w, n
	}
	return nil
}
