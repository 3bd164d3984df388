package receivables

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/width"

	"github.com/urikake/urikake/domain"
)

var (
	grouped  = regexp.MustCompile(`^[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?$`)
	leading0 = regexp.MustCompile(`^0+([0-9])`)
)

// signs are the currency signs that may stand before or after an amount, and the currencies that use them. A backslash
// is what a yen sign becomes on its way through Shift_JIS.
var signs = []struct {
	sign       string
	currencies []domain.Currency
}{
	{"¥", []domain.Currency{"JPY", "CNY"}},
	{`\`, []domain.Currency{"JPY"}},
	{"円", []domain.Currency{"JPY"}},
	{"$", []domain.Currency{"USD", "AUD", "CAD", "HKD", "NZD", "SGD", "TWD"}},
	{"€", []domain.Currency{"EUR"}},
	{"£", []domain.Currency{"GBP"}},
}

var (
	errSign   = &domain.Error{Code: domain.Invalid, Rule: "import.other_currency", Text: "the amount is in another currency"}
	errAmount = &domain.Error{
		Code: domain.Invalid, Rule: "import.not_an_amount",
		Text: "not an amount such as 1234.50 or 1,234.50",
	}
	errNegative = &domain.Error{
		Code: domain.Invalid, Rule: "import.negative_amount",
		Text: "a negative amount is a credit note, which is not imported with the invoices",
	}
)

// parseAmount reads "1234.5", "1,234.50", "¥1,234", "１，２３４円", "USD 12.00". A comma is never a decimal point.
// Refuses what is no amount, what ParseMoney refuses, a sign of another currency, and negative amounts ("-5", "(5)", "▲5").
func parseAmount(text string, c domain.Currency) (domain.Money, error) {
	s := strings.TrimSpace(width.Narrow.String(text))
	s = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(s, string(c)), string(c)))
	s, before := cutMinus(s)
	for _, sign := range signs {
		bare := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(s, sign.sign), sign.sign))
		if bare != s && !slices.Contains(sign.currencies, c) {
			return domain.Money{}, errSign.With("%q, want %s", text, c)
		}
		s = bare
	}
	s, after := cutMinus(s)
	if grouped.MatchString(s) {
		s = strings.ReplaceAll(s, ",", "")
	}
	m, err := domain.ParseMoney(leading0.ReplaceAllString(s, "$1"), string(c))
	switch {
	case errors.Is(err, domain.ErrBadAmount):
		return domain.Money{}, errAmount.With("%q", text)
	case err != nil:
		return domain.Money{}, err
	case (before || after) && !m.IsZero():
		return domain.Money{}, errNegative.With("%q", text)
	}
	return m, nil
}

// cutMinus takes off what marks an amount as negative.
func cutMinus(s string) (rest string, negative bool) {
	for _, minus := range []string{"-", "−", "▲", "△"} {
		if rest, ok := strings.CutPrefix(s, minus); ok {
			return strings.TrimSpace(rest), true
		}
	}
	if strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")") {
		return strings.TrimSpace(s[1 : len(s)-1]), true
	}
	return s, false
}
