package dunning

import (
	"fmt"
	"strings"

	"github.com/urikake/urikake/domain"
)

// dateIn is a day as letters have it: 2026年7月3日, 3 July 2026.
func dateIn(l domain.Language, d domain.Date) string {
	if l == domain.Japanese {
		return fmt.Sprintf("%d年%d月%d日", d.Year(), d.Month(), d.Day())
	}
	return fmt.Sprintf("%d %s %d", d.Day(), d.Month(), d.Year())
}

// moneyIn is an amount as letters have it: 11,000円, JPY 11,000, USD 1,234.50.
func moneyIn(l domain.Language, m domain.Money) string {
	amount := grouped(m.Amount())
	if l == domain.Japanese && m.Currency() == "JPY" {
		return amount + "円"
	}
	return string(m.Currency()) + " " + amount
}

// grouped puts a comma before each three digits of the whole part.
func grouped(amount string) string {
	whole, fraction, _ := strings.Cut(amount, ".")
	sign := ""
	if rest, negative := strings.CutPrefix(whole, "-"); negative {
		sign, whole = "-", rest
	}
	var b strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	if fraction != "" {
		b.WriteString("." + fraction)
	}
	return sign + b.String()
}
