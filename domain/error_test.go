package domain

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestError(t *testing.T) {
	err := ErrTooLong.With("%d bytes", 9).At("/name").At("/lines/0")
	if got := err.Error(); got != "input.too_long: the value is longer than allowed: 9 bytes (at /lines/0/name)" {
		t.Error(got)
	}
	if !errors.Is(err, ErrTooLong) || errors.Is(err, ErrMissing) || ErrTooLong.Field != "" || ErrTooLong.Detail != "" {
		t.Error("a copy with figures is the same rule, and leaves the rule alone")
	}
}

func TestFaults(t *testing.T) {
	var inner, faults Faults
	if faults.Err() != nil {
		t.Error("no faults are no error")
	}
	inner.Add("/rate", ErrBadRate)
	inner.Require(true, "/x", ErrMissing)
	faults.Add("/ok", nil)
	faults.Add("/lines/1", fmt.Errorf("wrapped: %w", inner.Err()))
	faults.Require(false, "/name", ErrMissing)
	faults.Add("/date", errors.New("strange"))
	err := faults.Err()
	var fields []string
	for _, f := range faults {
		fields = append(fields, f.Field+" "+f.Rule)
	}
	if got := strings.Join(fields, ","); got != "/lines/1/rate rate.malformed,/name input.missing,/date input.malformed" {
		t.Error(got)
	}
	for _, rule := range []*Error{ErrBadRate, ErrMissing, ErrMalformed} {
		if !errors.Is(err, rule) {
			t.Errorf("%s is not found", rule.Rule)
		}
	}
	if errors.Is(err, ErrTooLong) || strings.Count(err.Error(), "\n") != 2 {
		t.Error(err)
	}
}

func TestCheckID(t *testing.T) {
	for _, id := range []CustomerID{"C0001", "a", "_-9Z", CustomerID(strings.Repeat("x", IDMax))} {
		if err := CheckID(id); err != nil {
			t.Error(err)
		}
	}
	for _, id := range []CustomerID{"", "a.b", "a b", "客", "a/b", "a\x00", CustomerID(strings.Repeat("x", IDMax+1))} {
		if err := CheckID(id); !errors.Is(err, ErrBadID) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestCheckText(t *testing.T) {
	for _, c := range []struct {
		text     string
		asText   error
		asLine   error
		required bool
		most     int
	}{
		{"", nil, nil, false, 5},
		{"", ErrMissing, ErrMissing, true, 5},
		{"12345", nil, nil, true, 5},
		{"123456", ErrTooLong, ErrTooLong, true, 5},
		{"売掛", ErrTooLong, ErrTooLong, true, 5},
		{"a\nb\t", nil, ErrMalformed, true, 5},
		{"a\x00", ErrMalformed, ErrMalformed, true, 5},
		{"a\r", ErrMalformed, ErrMalformed, true, 5},
		{"\xff", ErrMalformed, ErrMalformed, true, 5},
	} {
		if err := CheckText(c.text, c.required, c.most); !errors.Is(err, c.asText) {
			t.Errorf("text %q: %v", c.text, err)
		}
		if err := CheckLine(c.text, c.required, c.most); !errors.Is(err, c.asLine) {
			t.Errorf("line %q: %v", c.text, err)
		}
	}
}

func TestWords(t *testing.T) {
	for _, good := range []error{Japanese.Check(), English.Check(), Series("INV").Check(), Series("A_1-B").Check(), RoundUp.Check(), Currency("JPY").Check()} {
		if good != nil {
			t.Error(good)
		}
	}
	for rule, bad := range map[*Error][]error{
		ErrUnknown:     {Language("").Check(), Language("JA").Check(), Rounding("").Check()},
		ErrBadSeries:   {Series("").Check(), Series("inv").Check(), Series("I.V").Check(), Series(strings.Repeat("X", SeriesMax+1)).Check()},
		ErrBadCurrency: {Currency("").Check(), Currency("YEN").Check()},
	} {
		for i, err := range bad {
			if !errors.Is(err, rule) {
				t.Errorf("%s %d: %v", rule.Rule, i, err)
			}
		}
	}
}
