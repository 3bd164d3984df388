package domain

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseMoney(t *testing.T) {
	for _, c := range []struct {
		amount, currency string
		minor            int64
		want             *Error
	}{
		{"110000", "JPY", 110000, nil},
		{"1.00", "JPY", 1, nil},
		{"12.5", "USD", 1250, nil},
		{"-0.05", "USD", -5, nil},
		{"-0", "USD", 0, nil},
		{"1.234", "KWD", 1234, nil},
		{"9000000000000000", "JPY", MinorMax, nil},
		{"1.5", "JPY", 0, ErrTooFine},
		{"0.001", "USD", 0, ErrTooFine},
		{"9000000000000001", "JPY", 0, ErrOutOfRange},
		{"90000000000000.01", "USD", 0, ErrOutOfRange},
		{strings.Repeat("9", 400), "JPY", 0, ErrOutOfRange},
		{"1", "jpy", 0, ErrBadCurrency},
		{"1", "", 0, ErrBadCurrency},
		{"", "JPY", 0, ErrBadAmount},
		{"-", "JPY", 0, ErrBadAmount},
		{"1.", "USD", 0, ErrBadAmount},
		{".5", "USD", 0, ErrBadAmount},
		{"01", "JPY", 0, ErrBadAmount},
		{"+1", "JPY", 0, ErrBadAmount},
		{"--1", "JPY", 0, ErrBadAmount},
		{"1e3", "JPY", 0, ErrBadAmount},
		{"1,000", "JPY", 0, ErrBadAmount},
		{" 1", "JPY", 0, ErrBadAmount},
		{"１", "JPY", 0, ErrBadAmount},
		{"1.x00", "USD", 0, ErrBadAmount},
		{"NaN", "USD", 0, ErrBadAmount},
	} {
		m, err := ParseMoney(c.amount, c.currency)
		if c.want != nil && !errors.Is(err, c.want) || c.want == nil && (err != nil || m.Minor() != c.minor) {
			t.Errorf("%q %s: %d, %v", c.amount, c.currency, m.Minor(), err)
		}
	}
}

func anyMoney() *rapid.Generator[Money] {
	return rapid.Custom(func(t *rapid.T) Money {
		c := rapid.SampledFrom([]Currency{"JPY", "USD", "KWD", "CLF"}).Draw(t, "currency")
		return NewMoney(rapid.Int64Range(-MinorMax, MinorMax).Draw(t, "minor"), c)
	})
}

func TestMoneyRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMoney().Draw(t, "money")
		if parsed, err := ParseMoney(m.Amount(), string(m.Currency())); err != nil || parsed != m {
			t.Fatalf("%s parses as %s, %v", m, parsed, err)
		}
		data, err := json.Marshal(m)
		var decoded Money
		if err != nil || json.Unmarshal(data, &decoded) != nil || decoded != m {
			t.Fatalf("%s: %s, %v", m, data, decoded)
		}
	})
}

func TestMoneyJSONRefused(t *testing.T) {
	for _, text := range []string{
		`null`, `1`, `"1"`, `[]`, `{}`, `{"amount":"1"}`, `{"currency":"JPY"}`, `{"amount":1,"currency":"JPY"}`,
		`{"amount":"1","currency":"JPY","amount":"2"}`, `{"amount":"1","currency":"JPY","note":"x"}`,
		`{"amount":"1","currency":"J\u0050Y"}`, `{"amount":null,"currency":"JPY"}`,
	} {
		var m Money
		if err := json.Unmarshal([]byte(text), &m); err == nil {
			t.Errorf("%s reads as %s", text, m)
		}
	}
	var m Money
	if err := json.Unmarshal([]byte(" { \"currency\" : \"USD\" ,\n\t\"amount\" : \"-1.5\" } "), &m); err != nil || m != NewMoney(-150, "USD") {
		t.Errorf("%s, %v", m, err)
	}
}

func FuzzMoneyJSON(f *testing.F) {
	for _, seed := range []string{`{"amount":"110000","currency":"JPY"}`, `{"currency":"USD","amount":"-0.05"}`, `{"amount":"1`, `{}`, `{"amount":"1","currency":"JPY",}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var m, again Money
		if m.UnmarshalJSON(data) != nil { // without json's own check of the syntax before it
			return
		}
		if m.Minor() > MinorMax || m.Minor() < -MinorMax || m.Currency().Check() != nil {
			t.Fatalf("%q reads as %s", data, m)
		}
		if encoded, err := json.Marshal(m); err != nil || json.Unmarshal(encoded, &again) != nil || again != m {
			t.Fatalf("%s encodes as %s, which reads as %s", m, encoded, again)
		}
	})
}

// TX3 to TX6: one rounding per rate; a negative amount mirrors its positive.
func TestRounding(t *testing.T) {
	for _, c := range []struct {
		name             string
		a, b, c          int64
		down, up, halfUp int64
	}{
		{"TX3 inclusive 10 %", 87_123, 10, 110, 7_920, 7_921, 7_920},
		{"TX4 inclusive 8 %", 46_532, 8, 108, 3_446, 3_447, 3_447},
		{"TX5 exclusive 10 %", 105, 10, 100, 10, 11, 11},
		{"TX6 return", -1_005, 10, 100, -100, -101, -101},
		{"nothing to round", 100, 10, 100, 10, 10, 10},
		{"zero", 0, -10, 100, 0, 0, 0},
		{"128 bits", MinorMax, MinorMax, MinorMax, MinorMax, MinorMax, MinorMax},
	} {
		for rounding, want := range map[Rounding]int64{RoundDown: c.down, RoundUp: c.up, RoundHalfUp: c.halfUp} {
			if got, ok := rounding.MulDiv(c.a, c.b, c.c); !ok || got != want {
				t.Errorf("%s %s: %d, %v; want %d", c.name, rounding, got, ok, want)
			}
		}
	}
	for _, c := range [][3]int64{{1, 1, 0}, {1, 1, -1}, {MinorMax, 2, 1}, {math.MaxInt64, math.MaxInt64, 1}, {math.MinInt64, 1, 1}} {
		if got, ok := RoundDown.MulDiv(c[0], c[1], c[2]); ok {
			t.Errorf("%v: %d", c, got)
		}
	}
}

// MulDiv against arbitrary precision.
func TestMulDiv(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64Range(-200_00, 200_00).Draw(t, "b")
		c := rapid.Int64Range(1, math.MaxInt64).Draw(t, "c")
		r := rapid.SampledFrom([]Rounding{RoundDown, RoundUp, RoundHalfUp}).Draw(t, "rounding")
		product := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
		want, rest := new(big.Int).QuoRem(product, big.NewInt(c), new(big.Int))
		twice := new(big.Int).Abs(new(big.Int).Lsh(rest, 1))
		if rest.Sign() != 0 && r == RoundUp || r == RoundHalfUp && twice.Cmp(big.NewInt(c)) >= 0 {
			want.Add(want, big.NewInt(int64(product.Sign())))
		}
		fits := want.CmpAbs(big.NewInt(MinorMax)) <= 0
		got, ok := r.MulDiv(a, b, c)
		if ok != fits || ok && want.Cmp(big.NewInt(got)) != 0 {
			t.Fatalf("%d*%d/%d %s = %d %v, want %s", a, b, c, r, got, ok, want)
		}
	})
}

func TestCheckPositive(t *testing.T) {
	for _, c := range []struct {
		m    Money
		want *Error
	}{
		{NewMoney(0, "JPY"), ErrNotPositive},
		{NewMoney(-1, "JPY"), ErrNotPositive},
		{NewMoney(MinorMax+1, "JPY"), ErrOutOfRange},
		{Money{}, ErrBadCurrency},
	} {
		if err := c.m.CheckPositive(); !errors.Is(err, c.want) {
			t.Errorf("%d: %v", c.m.Minor(), err)
		}
	}
	if err := NewMoney(1, "JPY").CheckPositive(); err != nil {
		t.Error(err)
	}
	list := []Money{NewMoney(1, "JPY"), NewMoney(1, "USD"), NewMoney(2, "JPY")}
	var faults Faults
	if err := CheckPositiveList(list); !errors.As(err, &faults) || len(faults) != 1 || faults[0].Field != "/2" || !errors.Is(err, ErrTwice) {
		t.Errorf("two amounts in one currency: %v", err)
	}
	if err := CheckPositiveList(list[:2]); err != nil {
		t.Error(err)
	}
}
