package dunning

import (
	"fmt"
	"strings"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/seller"
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

// payeeIn is an account to pay to, as letters have it.
func payeeIn(l domain.Language, p seller.Payee) string {
	lines := []string{p.Bank}
	holder := p.Holder
	switch {
	case len(p.Lines) > 0:
		return strings.Join(p.Lines, "\n")
	case p.IBAN != "":
		lines = append(lines, "IBAN "+inFours(p.IBAN))
		if p.BIC != "" {
			lines = append(lines, "BIC "+p.BIC)
		}
	case l == domain.Japanese:
		lines[0] = fmt.Sprintf("%s（%s）　%s（%s）　%s　%s", p.Bank, p.BankCode, p.Branch, p.BranchCode, kindJa[p.Kind], p.Number)
		holder = domain.ZenginWide(holder)
	default:
		lines[0] = fmt.Sprintf("%s (%s), %s (%s), %s account %s", p.Bank, p.BankCode, p.Branch, p.BranchCode, kindEn[p.Kind], p.Number)
		holder = domain.ZenginWide(holder)
	}
	if l == domain.Japanese {
		lines = append(lines, "口座名義　"+holder)
	} else {
		lines = append(lines, "Account holder: "+holder)
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

var (
	kindJa = map[seller.AccountKind]string{seller.Ordinary: "普通", seller.Current: "当座", seller.Savings: "貯蓄"}
	kindEn = map[seller.AccountKind]string{seller.Ordinary: "ordinary", seller.Current: "current", seller.Savings: "savings"}
)

// inFours is an IBAN as people read it.
func inFours(iban string) string {
	var parts []string
	for len(iban) > 4 {
		parts, iban = append(parts, iban[:4]), iban[4:]
	}
	return strings.Join(append(parts, iban), " ")
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
