package domain

import (
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

func TestParseDecimal(t *testing.T) {
	for text, want := range map[string]string{
		"12.5": "12.5", "-0.00000001": "-0.00000001", "1.50": "1.5", "007": "7", "-0": "0",
		"999999999999999.99999999": "999999999999999.99999999",
	} {
		if d, err := ParseDecimal(text); err != nil || d.String() != want {
			t.Errorf("%s: %s, %v", text, d, err)
		}
	}
	for _, text := range []string{
		"", "-", ".", "1.", ".5", "+1", "1e9", "1E9", "0x1", "1_000", "1,5", " 1", "--1", "NaN", "Inf", "1.2.3",
		"1000000000000000", "0.000000001", strings.Repeat("1", 1000),
	} {
		if d, err := ParseDecimal(text); !errors.Is(err, ErrBadDecimal) {
			t.Errorf("%q reads as %s, %v", text, d, err)
		}
	}
	for _, text := range []string{`1`, `null`, `"1`, `"`, `{}`, `"\u0031"`, `"12`} {
		var d Decimal
		if err := d.UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("%s reads as %s", text, d)
		}
		var r Rate
		if err := r.UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("%s reads as rate %s", text, r)
		}
	}
	if data, err := json.Marshal(Decimal{}); err != nil || string(data) != `"0"` {
		t.Errorf("%s, %v", data, err)
	}
}

func anyDecimal() *rapid.Generator[Decimal] {
	return rapid.Custom(func(t *rapid.T) Decimal {
		places := rapid.Int32Range(0, decimalFracMax).Draw(t, "places")
		return Decimal{decimal.New(rapid.Int64Range(-999_999_999_999_999, 999_999_999_999_999).Draw(t, "digits"), -places)}
	})
}

func TestDecimalRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyDecimal().Draw(t, "number")
		data, err := json.Marshal(d)
		var decoded Decimal
		if err != nil || json.Unmarshal(data, &decoded) != nil || !decoded.Equal(d.Decimal) {
			t.Fatalf("%s: %s reads as %s", d, data, decoded)
		}
	})
}

// Rounding.Minor against arbitrary precision, in currencies of zero to four digits.
func TestMinor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyDecimal().Draw(t, "number")
		c := rapid.SampledFrom([]Currency{"JPY", "USD", "KWD", "CLF"}).Draw(t, "currency")
		r := rapid.SampledFrom([]Rounding{RoundDown, RoundUp, RoundHalfUp}).Draw(t, "rounding")
		exact := new(big.Rat).Mul(d.Rat(), new(big.Rat).SetInt64(pow10(c.Digits())))
		want, rest := new(big.Int).QuoRem(exact.Num(), exact.Denom(), new(big.Int))
		twice := new(big.Int).Abs(new(big.Int).Lsh(rest, 1))
		if rest.Sign() != 0 && r == RoundUp || r == RoundHalfUp && twice.Cmp(exact.Denom()) >= 0 {
			want.Add(want, big.NewInt(int64(exact.Sign())))
		}
		got, err := r.Minor(d.Decimal, c)
		if want.CmpAbs(big.NewInt(MinorMax)) > 0 {
			if !errors.Is(err, ErrOutOfRange) {
				t.Fatalf("%s %s: %d, %v", d, c, got, err)
			}
		} else if err != nil || want.Cmp(big.NewInt(got)) != 0 {
			t.Fatalf("%s %s %s: %d (%v), want %s", d, c, r, got, err, want)
		}
	})
}

func TestRate(t *testing.T) {
	for text, want := range map[string]Rate{"10": 1000, "14.6": 1460, "14.60": 1460, "0": 0, "1000": 100000, "0.01": 1} {
		if got, err := ParseRate(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-1", "1000.01", "0.001", "10%", "1e1", "０"} {
		if got, err := ParseRate(text); !errors.Is(err, ErrBadRate) {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for r := Rate(0); r <= 10*RateWhole; r++ {
		if parsed, err := ParseRate(r.String()); err != nil || parsed != r {
			t.Fatalf("%d: %q reads as %d, %v", r, r.String(), parsed, err)
		}
	}
}

func FuzzDecimal(f *testing.F) {
	for _, seed := range []string{`"12.5"`, `"-0.00000001"`, `"1e99999999"`, `"`, `""`, `null`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var d, again Decimal
		if d.UnmarshalJSON(data) == nil {
			if encoded, err := json.Marshal(d); err != nil || json.Unmarshal(encoded, &again) != nil || !again.Equal(d.Decimal) {
				t.Fatalf("%q reads as %s and encodes as %s", data, d, encoded)
			}
		}
		var r, same Rate
		if r.UnmarshalJSON(data) == nil {
			if encoded, err := json.Marshal(r); err != nil || json.Unmarshal(encoded, &same) != nil || same != r {
				t.Fatalf("%q reads as rate %s and encodes as %s", data, r, encoded)
			}
		}
	})
}
