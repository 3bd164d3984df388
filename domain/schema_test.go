package domain

import (
	"errors"
	"testing"
)

// A price was written as a number of yen, then with a currency, and is money today.
type (
	pricedV1 struct{ Yen int64 }
	pricedV2 struct{ Amount, Currency string }
	priced   struct {
		Price Money `json:"price"`
	}
)

func (priced) Kind() string { return "test.priced" }

func fromYen(old pricedV1) pricedV2 { return pricedV2{NewMoney(old.Yen, "JPY").Amount(), "JPY"} }

func toMoney(old pricedV2) priced {
	m, _ := ParseMoney(old.Amount, old.Currency)
	return priced{m}
}

func TestSchema(t *testing.T) {
	s := Describe[priced](From(fromYen), From(toMoney))
	if s.Kind != "test.priced" || s.Version != 3 || s.Type.Name() != "priced" {
		t.Errorf("%+v", s)
	}
	for version, data := range map[int]string{1: `{"Yen":500}`, 2: `{"Amount":"500","Currency":"JPY"}`, 3: `{"price":{"amount":"500","currency":"JPY"}}`} {
		if e, err := s.Decode(version, []byte(data)); err != nil || e != (priced{NewMoney(500, "JPY")}) {
			t.Errorf("version %d: %v, %v", version, e, err)
		}
	}
	broken := Describe[priced](From(func(old pricedV1) pricedV1 { return old }))
	for name, decode := range map[string]func() (Event, error){
		"from the future":      func() (Event, error) { return s.Decode(4, []byte(`{}`)) },
		"version 0":            func() (Event, error) { return s.Decode(0, []byte(`{}`)) },
		"damaged":              func() (Event, error) { return s.Decode(3, []byte(`{"price":`)) },
		"damaged old":          func() (Event, error) { return s.Decode(1, []byte(`{"Yen":"x"}`)) },
		"an amount too fine":   func() (Event, error) { return s.Decode(3, []byte(`{"price":{"amount":"0.5","currency":"JPY"}}`)) },
		"upcasts end too soon": func() (Event, error) { return broken.Decode(1, []byte(`{}`)) },
	} {
		if e, err := decode(); !errors.Is(err, ErrSchema) || e != nil {
			t.Errorf("%s: %v, %v", name, e, err)
		}
	}
}
