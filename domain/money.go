package domain

import (
	"math/bits"
	"slices"
	"strconv"

	"github.com/bojanz/currency"
)

// MinorMax bounds every amount and every balance, in minor units: 9e15. What is beyond is refused, so that
// sums of up to a thousand such amounts still fit 64 bits.
const MinorMax = 9_000_000_000_000_000

var (
	ErrBadAmount = &Error{
		Code: Invalid, Rule: "money.malformed",
		Text: `money is written {"amount":"1234.50","currency":"USD"}, the amount as a plain decimal in a string`,
	}
	ErrTooFine = &Error{
		Code: Invalid, Rule: "money.too_fine",
		Text: "the amount is finer than the currency's smallest unit",
	}
	ErrOutOfRange = &Error{
		Code: Invalid, Rule: "money.out_of_range",
		Text: "the amount is beyond 9000000000000000 minor units",
	}
	ErrBadCurrency = &Error{
		Code: Invalid, Rule: "money.unknown_currency",
		Text: "the currency is not an ISO 4217 code such as JPY or USD",
	}
)

// Currency is an ISO 4217 code.
type Currency string

type currencyFacts struct {
	code   Currency // interned, so that decoding a million amounts keeps one copy
	digits int
}

var currencies = func() map[string]currencyFacts {
	m := make(map[string]currencyFacts)
	for _, code := range currency.GetCurrencyCodes() {
		d, _ := currency.GetDigits(code)
		m[code] = currencyFacts{Currency(code), int(d)}
	}
	return m
}()

// ParseCurrency reads an ISO 4217 code. Refuses money.unknown_currency.
func ParseCurrency(code string) (Currency, error) {
	if f, ok := currencies[code]; ok {
		return f.code, nil
	}
	return "", ErrBadCurrency.With("%q", clip(code))
}

// Currencies are all that ISO 4217 knows, by code.
func Currencies() []Currency { return slices.Clone(currencyCodes) }

var currencyCodes = func() (list []Currency) {
	for _, f := range currencies {
		list = append(list, f.code)
	}
	slices.Sort(list)
	return list
}()

// Digits is the number of decimals of the currency's minor unit: JPY 0, USD 2, KWD 3.
func (c Currency) Digits() int {
	if c == "JPY" {
		return 0
	}
	return currencies[string(c)].digits
}

// Check refuses what is not an ISO 4217 code.
func (c Currency) Check() error {
	_, err := ParseCurrency(string(c))
	return err
}

// Money is an exact amount in one currency, counted in minor units (yen, cents).
// Two amounts of money are equal when == says so.
type Money struct {
	minor    int64
	currency Currency
}

// NewMoney is minor units of a currency; the caller has checked currency and range.
func NewMoney(minor int64, c Currency) Money { return Money{minor, c} }

// ParseMoney reads a plain decimal ("-1234.5") in a currency.
// Refuses money.malformed, money.too_fine, money.out_of_range, money.unknown_currency.
func ParseMoney(amount, code string) (Money, error) {
	return parseMoney(amount, code)
}

func parseMoney[T ~string | ~[]byte](amount, code T) (Money, error) {
	f, ok := currencies[string(code)]
	if !ok {
		return Money{}, ErrBadCurrency.With("%q", clip(string(code)))
	}
	minor, err := parseMinor(amount, f.digits)
	if err != nil {
		return Money{}, err.With("%q %s", clip(string(amount)), string(code))
	}
	return Money{minor, f.code}, nil
}

// parseMinor reads a plain decimal as a count of units of 10^-digits. Zeros beyond them are fine, anything else is
// too fine.
func parseMinor[T ~string | ~[]byte](s T, digits int) (minor int64, refusal *Error) {
	neg := len(s) > 0 && s[0] == '-'
	i := 0
	if neg {
		i = 1
	}
	whole := i
	frac := -1 // digits read after the point; -1 before it
	tooFine := false
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '.' && frac < 0 && i > whole:
			frac = 0
		case c < '0' || c > '9':
			return 0, ErrBadAmount
		case frac >= digits:
			frac++
			tooFine = tooFine || c != '0'
		default:
			if frac >= 0 {
				frac++
			}
			if minor <= MinorMax {
				minor = minor*10 + int64(c-'0')
			}
		}
	}
	switch {
	case i == whole || frac == 0 || s[whole] == '0' && i > whole+1 && s[whole+1] != '.':
		return 0, ErrBadAmount
	case tooFine:
		return 0, ErrTooFine
	}
	for n := max(frac, 0); n < digits && minor <= MinorMax; n++ {
		minor *= 10
	}
	if minor > MinorMax {
		return 0, ErrOutOfRange
	}
	if neg {
		minor = -minor
	}
	return minor, nil
}

func (m Money) Minor() int64       { return m.minor }
func (m Money) Currency() Currency { return m.currency }
func (m Money) IsZero() bool       { return m.minor == 0 }

// Amount is the plain decimal with all the currency's digits: "110000", "12.50", "-0.05".
func (m Money) Amount() string { return string(appendMinor(nil, m.minor, m.currency.Digits())) }

// String is "12.50 USD".
func (m Money) String() string { return m.Amount() + " " + string(m.currency) }

func appendMinor(b []byte, minor int64, digits int) []byte {
	if minor < 0 {
		b = append(b, '-')
		minor = -minor
	}
	if digits == 0 {
		return strconv.AppendInt(b, minor, 10)
	}
	unit := pow10(digits)
	b = strconv.AppendInt(b, minor/unit, 10)
	b = append(b, '.')
	frac := minor % unit
	for u := unit / 10; u > 0; u /= 10 {
		b = append(b, byte('0'+frac/u%10))
	}
	return b
}

func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

// CheckPositive refuses zero, negative and out-of-range amounts and unknown currencies.
func (m Money) CheckPositive() error {
	if err := m.currency.Check(); err != nil {
		return err
	}
	if m.minor <= 0 {
		return ErrNotPositive.With("%s", m)
	}
	if m.minor > MinorMax {
		return ErrOutOfRange.With("%s", m)
	}
	return nil
}

// ErrNotPositive refuses an amount that must be more than nothing.
var ErrNotPositive = &Error{Code: Invalid, Rule: "money.not_positive", Text: "the amount must be greater than zero"}

// MarshalJSON writes {"amount":"110000","currency":"JPY"}.
func (m Money) MarshalJSON() ([]byte, error) {
	b := append(make([]byte, 0, 48), `{"amount":"`...)
	b = appendMinor(b, m.minor, m.currency.Digits())
	b = append(b, `","currency":"`...)
	b = append(b, m.currency...)
	return append(b, `"}`...), nil
}

// Rounding says where a fraction of the smallest unit goes. Negative amounts round by magnitude, so that a
// reversal mirrors its original.
type Rounding string

const (
	RoundDown   Rounding = "DOWN"    // toward zero: the default
	RoundUp     Rounding = "UP"      // away from zero
	RoundHalfUp Rounding = "HALF_UP" // half away from zero
)

// Check refuses an unknown rounding.
func (r Rounding) Check() error {
	switch r {
	case RoundDown, RoundUp, RoundHalfUp:
		return nil
	}
	return ErrUnknown.With("rounding %q, want DOWN, UP or HALF_UP", clip(string(r)))
}

// MulDiv is a*b/c rounded once, exact in 128 bits; ok is false when the result is beyond MinorMax. c must be positive.
func (r Rounding) MulDiv(a, b, c int64) (result int64, ok bool) {
	neg := (a < 0) != (b < 0)
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	if c <= 0 || hi >= uint64(c) {
		return 0, false
	}
	q, rem := bits.Div64(hi, lo, uint64(c))
	if rem > 0 && (r == RoundUp || r == RoundHalfUp && rem >= uint64(c)-rem) {
		q++
	}
	if q > MinorMax {
		return 0, false
	}
	if neg {
		return -int64(q), true
	}
	return int64(q), true
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return uint64(-n)
	}
	return uint64(n)
}
