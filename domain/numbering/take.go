package numbering

import (
	"slices"
	"strconv"

	"github.com/urikake/urikake/domain"
)

// TakeNumbers gives each taker a number, in one append for as many as ask at the same time. A taker that has one
// waiting keeps it, so a repeat takes nothing. Numbers that were issued meanwhile may be confirmed on the way.
// Refuses numbering.series_full, numbering.not_given, and each field by its own rule.
type TakeNumbers struct {
	Key
	For    []Taker `json:"for" doc:"the commands that need a number, up to 500"`
	Issued []int   `json:"issued,omitempty" doc:"numbers now known to stand on their documents, up to 10000"`
}

func (TakeNumbers) Name() string { return "TakeNumbers" }

func (c TakeNumbers) check(faults *domain.Faults) {
	c.Key.check(faults)
	if len(c.For) == 0 || len(c.For) > TakersMax {
		faults.Add("/for", domain.ErrTooLong.With("%d takers, want 1 to %d", len(c.For), TakersMax))
	} else {
		for i, t := range c.For {
			faults.Add("/for/"+strconv.Itoa(i), t.check())
		}
	}
	checkNumbers(c.Issued, "/issued", faults)
}

func (c TakeNumbers) decide(s *State) ([]domain.Event, error) {
	events, err := c.confirm(s, c.Issued, "/issued")
	if err != nil {
		return nil, err
	}
	var takers []Taker
	asked := make(map[Taker]bool, len(c.For))
	for _, t := range c.For {
		n, has := s.held[t]
		has = has && !slices.Contains(c.Issued, n) // confirmed just now, so it waits no longer
		if !has && !asked[t] {
			asked[t] = true
			takers = append(takers, t)
		}
	}
	if len(takers) == 0 {
		return events, nil
	}
	taken := make([]Taken, 0, len(takers))
	for n := range s.free() {
		taken = append(taken, Taken{n, takers[len(taken)]})
		if len(taken) == len(takers) {
			return append(events, NumbersTaken{c.Key, taken}), nil
		}
	}
	return nil, ErrSeriesFull.With("%s", c.Stream())
}

// NumbersTaken says which numbers were given out, and to whom.
type NumbersTaken struct {
	Key
	Taken []Taken `json:"taken" doc:"the numbers and their takers"`
}

// Taken is one number and who waits for it.
type Taken struct {
	N int `json:"n" doc:"the number within the series"`
	Taker
}

func (NumbersTaken) Kind() string { return "numbering.numbers_taken" }

func (e NumbersTaken) apply(s *State) {
	for _, t := range e.Taken {
		s.take(t.N, t.Taker)
	}
}

// ClaimNumber marks as used a number that was given by hand, wherever in the series it lies: numbers left out before
// it are still given out later. The same taker may claim it again while it waits.
// Refuses numbering.number_taken, numbering.bad_number, and each field by its own rule.
type ClaimNumber struct {
	Key
	N int `json:"n" doc:"the number within the series, 1 to 999999999"`
	Taker
}

func (ClaimNumber) Name() string { return "ClaimNumber" }

func (c ClaimNumber) check(faults *domain.Faults) {
	c.Key.check(faults)
	checkNumbers([]int{c.N}, "/n", faults)
	faults.Add("", c.Taker.check())
}

func (c ClaimNumber) decide(s *State) ([]domain.Event, error) {
	switch holds, waits := s.held[c.Taker]; {
	case waits && holds == c.N:
		return nil, nil
	case waits: // one document, one number
		return nil, ErrNumberTaken.With("%s waits for the same document", c.Number(holds)).At("/n")
	case s.taken(c.N):
		return nil, ErrNumberTaken.With("%s", c.Number(c.N)).At("/n")
	}
	return []domain.Event{NumberClaimed(c)}, nil
}

// NumberClaimed says that a number was given by hand.
type NumberClaimed struct {
	Key
	N int `json:"n" doc:"the number within the series"`
	Taker
}

func (NumberClaimed) Kind() string     { return "numbering.number_claimed" }
func (e NumberClaimed) apply(s *State) { s.take(e.N, e.Taker) }
