package account

import (
	"fmt"
	"sort"

	"github.com/urikake/urikake/domain"
)

// TaxCategory says how a line stands to consumption tax. REDUCED and OLD_8 have the same rate and are never merged,
// since their national parts differ.
type TaxCategory string

const (
	Standard   TaxCategory = "STANDARD"
	Reduced    TaxCategory = "REDUCED"
	Old8       TaxCategory = "OLD_8"
	Old5       TaxCategory = "OLD_5"
	ExportZero TaxCategory = "EXPORT_ZERO"
	NonTaxable TaxCategory = "NON_TAXABLE"
	OutOfScope TaxCategory = "OUT_OF_SCOPE"
)

var untaxed = map[TaxCategory]bool{ExportZero: true, NonTaxable: true, OutOfScope: true}

// Line is one position of a document.
type Line struct {
	Description string         `json:"description" doc:"what was supplied"`
	Quantity    domain.Decimal `json:"quantity" doc:"how many; may be negative for a return on the same document"`
	UnitPrice   domain.Decimal `json:"unit_price" doc:"price of one, in whole currency units; may be finer than the currency"`
	Discount    domain.Decimal `json:"discount,omitzero" doc:"taken off the line, in whole currency units"`
	Category    TaxCategory    `json:"tax_category" doc:"STANDARD, REDUCED, OLD_8, OLD_5, EXPORT_ZERO, NON_TAXABLE or OUT_OF_SCOPE"`
	Rate        domain.Rate    `json:"tax_rate" doc:"tax rate in percent by the day of supply"`
	TaxIncluded bool           `json:"tax_included,omitempty" doc:"the price contains the tax"`
	Period      domain.Period  `json:"service_period,omitzero" doc:"the days in which it was supplied"`
}

// Tax is a document's total of one category and rate. It is computed once, when the document is issued, and stored;
// nothing ever derives it again from the total (Consumption Tax Act art. 57-4; one rounding per rate and document).
type Tax struct {
	Category TaxCategory  `json:"category" doc:"tax category"`
	Rate     domain.Rate  `json:"rate" doc:"tax rate in percent"`
	Included bool         `json:"included,omitempty" doc:"the lines' prices contained the tax"`
	Net      domain.Money `json:"net" doc:"without tax"`
	Tax      domain.Money `json:"tax" doc:"the tax"`
}

func (t Tax) gross() int64 { return t.Net.Minor() + t.Tax.Minor() }

// rateKey is what taxes are summed by.
type rateKey struct {
	category TaxCategory
	rate     domain.Rate
}

func (t Tax) key() rateKey { return rateKey{t.Category, t.Rate} }

var (
	ErrNoLines = &domain.Error{
		Code: domain.Invalid, Rule: "account.no_lines",
		Text: "a document has lines, or a plain total, and not both",
	}
	ErrTaxedUntaxed = &domain.Error{
		Code: domain.Invalid, Rule: "account.rate_on_untaxed",
		Text: "this tax category bears no tax: its rate is 0",
	}
	ErrNegativeTotal = &domain.Error{
		Code: domain.Invalid, Rule: "account.negative_total",
		Text: "the total is negative: issue a credit note instead",
	}
)

func checkLines(f *domain.Faults, lines []Line) {
	f.Require(len(lines) <= LinesMax, "/lines", domain.ErrTooLong.With("%d lines, at most %d", len(lines), LinesMax))
	for i, l := range lines {
		at := fmt.Sprintf("/lines/%d", i)
		text(f, at+"/description", l.Description, true)
		oneOf(f, at+"/tax_category", l.Category, Standard, Reduced, Old8, Old5, ExportZero, NonTaxable, OutOfScope)
		f.Require(!untaxed[l.Category] || l.Rate == 0, at+"/tax_rate", ErrTaxedUntaxed)
		f.Require(l.Rate >= 0 && l.Rate <= domain.RateWhole, at+"/tax_rate", domain.ErrBadRate.With("%s %%", l.Rate))
		f.Require(!l.Discount.IsNegative(), at+"/discount", domain.ErrBadDecimal.With("a discount is not negative"))
		f.Add(at+"/service_period", l.Period.Check())
	}
}

// amount is quantity x price less discount, rounded once to the currency's unit.
func (l Line) amount(r domain.Rounding, c domain.Currency) (int64, error) {
	return r.Minor(l.Quantity.Mul(l.UnitPrice.Decimal).Sub(l.Discount.Decimal), c)
}

// taxes sums lines by category and rate and rounds the tax of each once with the seller's rounding.
// Where one rate has lines of both bases, the inclusive ones are converted first.
// Complexity O(lines). Refuses money.out_of_range.
func taxes(lines []Line, r domain.Rounding, c domain.Currency) ([]Tax, error) {
	type sums struct{ exclusive, inclusive int64 }
	byRate := make(map[rateKey]*sums)
	var order []rateKey
	amounts := make([]int64, len(lines))
	for i, l := range lines {
		amount, err := l.amount(r, c)
		if err != nil {
			return nil, err
		}
		amounts[i] = amount
		k := rateKey{l.Category, l.Rate}
		if byRate[k] == nil {
			byRate[k] = &sums{}
			order = append(order, k)
		}
		if l.TaxIncluded {
			byRate[k].inclusive += amount
		} else {
			byRate[k].exclusive += amount
		}
	}
	mixed := func(k rateKey) bool {
		var in, out bool
		for _, l := range lines {
			if (rateKey{l.Category, l.Rate}) == k {
				in, out = in || l.TaxIncluded, out || !l.TaxIncluded
			}
		}
		return in && out
	}
	sort.SliceStable(order, func(i, j int) bool { return order[i].rate > order[j].rate })
	rows := make([]Tax, 0, len(order))
	for _, k := range order {
		s := byRate[k]
		row := Tax{Category: k.category, Rate: k.rate}
		var net, tax int64
		ok := true
		switch {
		case mixed(k):
			net = s.exclusive
			for i, l := range lines {
				if l.TaxIncluded && (rateKey{l.Category, l.Rate}) == k {
					part, fits := r.MulDiv(amounts[i], domain.RateWhole, domain.RateWhole+int64(k.rate))
					net, ok = net+part, ok && fits
				}
			}
			var fits bool
			tax, fits = r.MulDiv(net, int64(k.rate), domain.RateWhole)
			ok = ok && fits
		case s.inclusive != 0:
			row.Included = true
			tax, ok = r.MulDiv(s.inclusive, int64(k.rate), domain.RateWhole+int64(k.rate))
			net = s.inclusive - tax
		default:
			net = s.exclusive
			tax, ok = r.MulDiv(net, int64(k.rate), domain.RateWhole)
		}
		if !ok || net > domain.MinorMax || net < -domain.MinorMax {
			return nil, domain.ErrOutOfRange.With("the lines at %s %%", k.rate)
		}
		row.Net, row.Tax = domain.NewMoney(net, c), domain.NewMoney(tax, c)
		rows = append(rows, row)
	}
	return rows, nil
}

// total sums the rows. Refuses money.out_of_range.
func total(rows []Tax) (int64, error) {
	var sum int64
	for _, t := range rows {
		if sum += t.gross(); sum > domain.MinorMax || sum < -domain.MinorMax {
			return 0, domain.ErrOutOfRange.With("the document's total")
		}
	}
	return sum, nil
}
