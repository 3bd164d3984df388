package domain

import (
	"strings"

	"github.com/shopspring/decimal"
)

// Decimal is an exact number finer than money may be: a quantity or a unit price.
// At most 15 digits before the point and 8 after; in JSON always a string.
type Decimal struct{ decimal.Decimal }

// ErrBadDecimal refuses a number that is not a plain decimal in a string.
var ErrBadDecimal = &Error{
	Code: Invalid, Rule: "number.malformed",
	Text: `a number is a plain decimal in a string such as "12.5", at most 15 digits before the point and 8 after`,
}

const (
	decimalWholeMax = 15
	decimalFracMax  = 8
)

// ParseDecimal reads a plain decimal. Refuses number.malformed.
func ParseDecimal(s string) (Decimal, error) { return parseDecimal(s) }

func parseDecimal[T ~string | ~[]byte](s T) (Decimal, error) {
	i, whole, frac := 0, 0, -1
	if len(s) > 0 && s[0] == '-' {
		i = 1
	}
	var n int64
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c == '.' && frac < 0:
			frac = 0
			continue
		case c < '0' || c > '9':
			return Decimal{}, ErrBadDecimal.With("%q", clip(string(s)))
		case frac >= 0:
			frac++
		default:
			whole++
		}
		if whole+max(frac, 0) <= decimalFits {
			n = n*10 + int64(s[i]-'0')
		}
	}
	if whole == 0 || whole > decimalWholeMax || frac == 0 || frac > decimalFracMax {
		return Decimal{}, ErrBadDecimal.With("%q", clip(string(s)))
	}
	if whole+max(frac, 0) > decimalFits {
		d, err := decimal.NewFromString(string(s))
		if err != nil {
			return Decimal{}, ErrBadDecimal.With("%q", clip(string(s)))
		}
		return Decimal{d}, nil
	}
	if s[0] == '-' {
		n = -n
	}
	return Decimal{decimal.New(n, -int32(max(frac, 0)))}, nil
}

// decimalFits is how many digits surely fit 64 bits.
const decimalFits = 18

// DecimalOf is a whole number.
func DecimalOf(n int64) Decimal { return Decimal{decimal.NewFromInt(n)} }

// MarshalJSON writes the number as a string.
func (d Decimal) MarshalJSON() ([]byte, error) { return []byte(`"` + d.String() + `"`), nil }

// UnmarshalJSON reads a string. Refuses number.malformed.
func (d *Decimal) UnmarshalJSON(b []byte) error {
	if len(b) < 2 || b[0] != '"' || b[len(b)-1] != '"' {
		return ErrBadDecimal.With("%s", clip(string(b)))
	}
	v, err := parseDecimal(b[1 : len(b)-1])
	if err == nil {
		*d = v
	}
	return err
}

// Minor is the number as minor units of a currency, rounded once. Refuses money.out_of_range.
func (r Rounding) Minor(d decimal.Decimal, c Currency) (int64, error) {
	d = d.Shift(int32(c.Digits()))
	switch r {
	case RoundUp:
		d = d.RoundUp(0)
	case RoundHalfUp:
		d = d.Round(0)
	default:
		d = d.RoundDown(0)
	}
	if d.Abs().GreaterThan(decimal.NewFromInt(MinorMax)) {
		return 0, ErrOutOfRange.With("%s %s", clip(d.String()), c)
	}
	return d.IntPart(), nil
}

// Rate is a percentage in hundredths of a percent: 10 % is 1000, 14.6 % is 1460. In JSON a string: "14.6".
type Rate int32

// ErrBadRate refuses a percentage outside 0 to 1000 or finer than a hundredth.
var ErrBadRate = &Error{
	Code: Invalid, Rule: "rate.malformed",
	Text: `a rate is a percentage in a string such as "10" or "14.6", from 0 to 1000, at most two decimals`,
}

// RateWhole is 100 % as a Rate.
const RateWhole = 100_00

// ParseRate reads a percentage. Refuses rate.malformed.
func ParseRate(s string) (Rate, error) { return parseRate(s) }

func parseRate[T ~string | ~[]byte](s T) (Rate, error) {
	minor, err := parseMinor(s, 2)
	if err != nil || minor < 0 || minor > 10*RateWhole {
		return 0, ErrBadRate.With("%q", clip(string(s)))
	}
	return Rate(minor), nil
}

// String is the percentage without trailing zeros: "10", "14.6".
func (r Rate) String() string {
	s := string(appendMinor(nil, int64(r), 2))
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func (r Rate) MarshalJSON() ([]byte, error) { return []byte(`"` + r.String() + `"`), nil }

// UnmarshalJSON reads a string. Refuses rate.malformed.
func (r *Rate) UnmarshalJSON(b []byte) error {
	if len(b) < 2 || b[0] != '"' || b[len(b)-1] != '"' {
		return ErrBadRate.With("%s", clip(string(b)))
	}
	v, err := parseRate(b[1 : len(b)-1])
	if err == nil {
		*r = v
	}
	return err
}

// ChargeRate is the Rate of a late charge where another holds when it is left out: 0 % is refused, and so never taken for
// left out.
type ChargeRate Rate

func (r ChargeRate) MarshalJSON() ([]byte, error) { return Rate(r).MarshalJSON() }

// UnmarshalJSON reads a string. Refuses rate.malformed, also for 0.
func (r *ChargeRate) UnmarshalJSON(b []byte) error {
	var v Rate
	if err := v.UnmarshalJSON(b); err != nil {
		return err
	}
	if v == 0 {
		return ErrBadRate.With("0 %% charges nothing; leave the rate out for the one that holds")
	}
	*r = ChargeRate(v)
	return nil
}
