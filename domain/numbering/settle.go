package numbering

import (
	"strconv"

	"github.com/urikake/urikake/domain"
)

// ConfirmNumbers says that numbers stand on their documents. Numbers confirmed before are passed over.
// Refuses numbering.not_given, numbering.bad_number, and each field by its own rule.
type ConfirmNumbers struct {
	Key
	Numbers []int `json:"numbers" doc:"numbers within the series, up to 10000"`
}

func (ConfirmNumbers) Name() string { return "ConfirmNumbers" }

func (c ConfirmNumbers) check(faults *domain.Faults) {
	c.Key.check(faults)
	faults.Require(len(c.Numbers) > 0, "/numbers", domain.ErrMissing)
	checkNumbers(c.Numbers, "/numbers", faults)
}

func (c ConfirmNumbers) decide(s *State) ([]domain.Event, error) {
	return c.confirm(s, c.Numbers, "/numbers")
}

func checkNumbers(numbers []int, field string, faults *domain.Faults) {
	if len(numbers) > IssuedMax {
		faults.Add(field, domain.ErrTooLong.With("%d numbers, at most %d", len(numbers), IssuedMax))
		return
	}
	for _, n := range numbers {
		faults.Require(n >= 1 && n <= NumberMax, field, ErrBadNumber.With("%d", n))
	}
}

func (k Key) confirm(s *State, numbers []int, field string) ([]domain.Event, error) {
	var fresh []int
	seen := make(map[int]bool, len(numbers))
	for i, n := range numbers {
		if !s.taken(n) {
			return nil, ErrNotGiven.With("%s", k.Number(n)).At(field + "/" + strconv.Itoa(i))
		}
		if _, waits := s.pending[n]; waits && !seen[n] {
			seen[n] = true
			fresh = append(fresh, n)
		}
	}
	if len(fresh) == 0 {
		return nil, nil
	}
	return []domain.Event{NumbersConfirmed{k, fresh}}, nil
}

// NumbersConfirmed says that numbers stand on their documents for good.
type NumbersConfirmed struct {
	Key
	Numbers []int `json:"numbers" doc:"numbers within the series"`
}

func (NumbersConfirmed) Kind() string { return "numbering.numbers_confirmed" }

func (e NumbersConfirmed) apply(s *State) {
	for _, n := range e.Numbers {
		s.forget(n)
	}
}

// ReturnNumber gives back a number whose document was refused. It names the taker and the taking, so that a late repeat
// can't return a number that meanwhile waits for another document, or for the same one anew.
// Refuses numbering.not_held, numbering.bad_number, and each field by its own rule.
type ReturnNumber struct {
	Key
	N int `json:"n" doc:"the number within the series"`
	Taker
	Token  uint64 `json:"token" doc:"version of the series' stream when the number was taken"`
	Reason string `json:"reason" doc:"why, such as the rule by which the document was refused; up to 1000 bytes"`
}

func (ReturnNumber) Name() string { return "ReturnNumber" }

func (c ReturnNumber) check(faults *domain.Faults) {
	c.Key.check(faults)
	checkNumbers([]int{c.N}, "/n", faults)
	faults.Add("", c.Taker.check())
	faults.Add("/reason", domain.CheckText(c.Reason, true, ReasonMax))
}

func (c ReturnNumber) decide(s *State) ([]domain.Event, error) {
	if w, waits := s.pending[c.N]; !waits || w != (Waiting{c.Taker, c.Token}) {
		return nil, ErrNotHeld.With("%s", c.Number(c.N)).At("/n")
	}
	return []domain.Event{NumberReturned{c.Key, c.N, c.Taker, c.Reason}}, nil
}

// NumberReturned says that a number is free again, and why.
type NumberReturned struct {
	Key
	N int `json:"n" doc:"the number within the series"`
	Taker
	Reason string `json:"reason" doc:"why"`
}

func (NumberReturned) Kind() string     { return "numbering.number_returned" }
func (e NumberReturned) apply(s *State) { s.putBack(e.N) }
