package domain

// UnmarshalJSON reads {"amount":"110000","currency":"JPY"}: both members, nothing else, the amount a string.
// It scans by hand since amounts are most of what a replay decodes.
// Refuses money.malformed, money.too_fine, money.out_of_range, money.unknown_currency.
func (m *Money) UnmarshalJSON(b []byte) error {
	var amount, code []byte
	seen := 0
	s := scanner{b: b}
	if !s.take('{') {
		return ErrBadAmount.With("%s", clip(string(b)))
	}
	for {
		name, ok := s.text()
		if !ok || !s.take(':') {
			return ErrBadAmount.With("%s", clip(string(b)))
		}
		value, ok := s.text()
		if !ok {
			return ErrBadAmount.With("%s", clip(string(b)))
		}
		switch {
		case string(name) == "amount" && seen&1 == 0:
			amount, seen = value, seen|1
		case string(name) == "currency" && seen&2 == 0:
			code, seen = value, seen|2
		default:
			return ErrBadAmount.With("%s", clip(string(b)))
		}
		if !s.take(',') {
			break
		}
	}
	if !s.take('}') || !s.end() || seen != 3 {
		return ErrBadAmount.With("%s", clip(string(b)))
	}
	money, err := parseMoney(amount, code)
	if err != nil {
		return err
	}
	*m = money
	return nil
}

// scanner walks over JSON that is known to be well formed or is refused.
type scanner struct {
	b []byte
	i int
}

func (s *scanner) space() {
	for s.i < len(s.b) && (s.b[s.i] == ' ' || s.b[s.i] == '\t' || s.b[s.i] == '\n' || s.b[s.i] == '\r') {
		s.i++
	}
}

func (s *scanner) take(c byte) bool {
	s.space()
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

func (s *scanner) end() bool {
	s.space()
	return s.i == len(s.b)
}

// text reads a string without escapes: no amount and no currency code has one.
func (s *scanner) text() ([]byte, bool) {
	if !s.take('"') {
		return nil, false
	}
	for j := s.i; j < len(s.b); j++ {
		switch s.b[j] {
		case '"':
			t := s.b[s.i:j]
			s.i = j + 1
			return t, true
		case '\\':
			return nil, false
		}
	}
	return nil, false
}
