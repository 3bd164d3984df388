package account

import (
	"testing"

	"github.com/urikake/urikake/domain"
)

type sale struct {
	category TaxCategory
	rate     domain.Rate
	amount   string
	included bool
}

func lines(sales ...sale) (list []Line) {
	for _, s := range sales {
		list = append(list, Line{Description: "sale", Quantity: number("1"), UnitPrice: number(s.amount), Category: s.category, Rate: s.rate, TaxIncluded: s.included})
	}
	return list
}

func std(amount string) sale { return sale{Standard, 10_00, amount, false} }
func red(amount string) sale { return sale{Reduced, 8_00, amount, false} }

// in makes a sale tax-inclusive.
func in(s sale) sale {
	s.included = true
	return s
}

// One rounding for each rate and document, in the seller's mode; never line by line.
func TestTaxPerRate(t *testing.T) {
	type taxes = [3]int64 // DOWN, UP, HALF_UP
	for name, is := range map[string]struct {
		lines []Line
		tax   []taxes
		total taxes
	}{
		"exclusive 10 %":   {lines(std("1234"), std("1234"), std("1234"), std("5678")), []taxes{{938, 938, 938}}, taxes{10_318, 10_318, 10_318}},
		"exclusive 8 %":    {lines(red("333"), red("333"), red("333")), []taxes{{79, 80, 80}}, taxes{1078, 1079, 1079}},
		"inclusive 10 %":   {lines(in(std("87123"))), []taxes{{7920, 7921, 7920}}, taxes{87_123, 87_123, 87_123}},
		"inclusive 8 %":    {lines(in(red("46532"))), []taxes{{3446, 3447, 3447}}, taxes{46_532, 46_532, 46_532}},
		"half a yen":       {lines(std("105")), []taxes{{10, 11, 11}}, taxes{115, 116, 116}},
		"two rates":        {lines(red("999"), std("9380")), []taxes{{938, 938, 938}, {79, 80, 80}}, taxes{11_396, 11_397, 11_397}},
		"return beside it": {lines(std("-1005"), std("50000"), red("1")), []taxes{{4899, 4900, 4900}, {0, 1, 0}}, taxes{53_895, 53_897, 53_896}},
		"net of a return":  {lines(std("50000"), std("-3000"), red("12345"), red("-5555")), []taxes{{4700, 4700, 4700}, {543, 544, 543}}, taxes{59_033, 59_034, 59_033}},
		"mixed bases":      {lines(in(std("1100")), std("105")), []taxes{{110, 111, 111}}, taxes{1215, 1216, 1216}},
		"mixed, converted": {lines(in(std("1000")), std("0")), []taxes{{90, 91, 91}}, taxes{999, 1001, 1000}},
		"untaxed":          {lines(sale{NonTaxable, 0, "500", false}, sale{OutOfScope, 0, "7", true}, std("10")), []taxes{{1, 1, 1}, {0, 0, 0}, {0, 0, 0}}, taxes{518, 518, 518}},
		"same percent":     {lines(red("105"), sale{Old8, 8_00, "105", false}), []taxes{{8, 9, 8}, {8, 9, 8}}, taxes{226, 228, 226}},
	} {
		for i, rounding := range []domain.Rounding{domain.RoundDown, domain.RoundUp, domain.RoundHalfUp} {
			t.Run(name+" "+string(rounding), func(t *testing.T) {
				b := books(t)
				b.parties.Rounding = rounding
				events, err := Decider.Decide(b.State(), b.request(IssueInvoice{Key: acme, Invoice: "A", IssuedOn: on("10-01"), Lines: is.lines}))
				if err != nil {
					t.Fatal(err)
				}
				e := events[0].(InvoiceIssued)
				b.want(t, "total", e.Total.Minor(), is.total[i])
				if len(e.Taxes) != len(is.tax) || e.Rounding != rounding {
					t.Fatalf("%+v", e)
				}
				var sum int64
				for j, row := range e.Taxes {
					b.want(t, "tax at "+row.Rate.String(), row.Tax.Minor(), is.tax[j][i])
					sum += row.gross()
				}
				b.want(t, "rows together", sum, e.Total.Minor())
			})
		}
	}
}

// A return that stands alone mirrors the sale: 1,005 at 10 % is 100 or 101 of tax, whichever sign it has.
func TestReturnMirrorsSale(t *testing.T) {
	for rounding, want := range map[domain.Rounding]int64{domain.RoundDown: 100, domain.RoundUp: 101, domain.RoundHalfUp: 101} {
		for _, sign := range []string{"", "-"} {
			rows, err := taxes(lines(std(sign+"1005")), rounding, "JPY")
			if err != nil || max(rows[0].Tax.Minor(), -rows[0].Tax.Minor()) != want {
				t.Errorf("%s %s1005: %+v, %v", rounding, sign, rows, err)
			}
		}
	}
}

// A discount without a rate is split by gross per rate: 1,000 over 8,800 and 3,240 is 731 and 269.
func TestShareByGross(t *testing.T) {
	rows := share([]Tax{included(Standard, 10_00, 8_000, 800), included(Reduced, 8_00, 3_000, 240)}, 1000, "JPY")
	if len(rows) != 2 || rows[0].gross() != 731 || rows[1].gross() != 269 || rows[0].Tax.Minor() != 66 || rows[1].Tax.Minor() != 19 {
		t.Errorf("%+v", rows)
	}
}
