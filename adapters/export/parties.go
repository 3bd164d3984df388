package export

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/projections"
)

// Sellers has one row for each seller.
func Sellers(list []projections.Seller) Sheet {
	s := Sheet{Columns: []Column{
		{Name: "seller"},
		{Name: "name"},
		{Name: "name_en"},
		{Name: "base_currency"},
		{Name: "time_zone"},
		{Name: "language"},
		{Name: "payees"},
		{Name: "late_terms"},
	}}
	for _, one := range list {
		payees := make([]string, len(one.Payees))
		for i, p := range one.Payees {
			payees[i] = payeeText(p)
		}
		s.Add(string(one.Seller), one.Name, one.NameEn, string(one.BaseCurrency), one.TimeZone, string(one.Language),
			strings.Join(payees, "; "), lateTermsText(one.LateTerms))
	}
	return s
}

// payeeText is an account in a cell.
func payeeText(p seller.Payee) string {
	words := []string{string(p.Currency), p.Bank, p.BankCode, p.Branch, p.BranchCode, string(p.Kind), p.Number, p.IBAN, p.BIC, p.Holder, strings.Join(p.Lines, ", ")}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

// lateTermsText is terms of late charges in a cell: from which day, how much, how days are counted, which law caps it.
func lateTermsText(list []domain.LateTerms) string {
	parts := make([]string, len(list))
	for i, l := range list {
		rate := l.Rate.String() + " %"
		if l.Statutory {
			rate = "statutory"
		}
		parts[i] = strings.TrimSpace(fmt.Sprintf("%s: %s %s %s", l.From, rate, l.DayCount, l.Cap))
	}
	return strings.Join(parts, "; ")
}

// limitsText is credit limits in a cell.
func limitsText(list []domain.Money) string {
	parts := make([]string, len(list))
	for i, m := range list {
		parts[i] = m.String()
	}
	return strings.Join(parts, "; ")
}

// Customers has one row for each customer of a seller.
func Customers(list []projections.Customer) Sheet {
	s := Sheet{Columns: []Column{
		{Name: "customer"},
		{Name: "name"},
		{Name: "kana"},
		{Name: "country"},
		{Name: "language"},
		{Name: "external_id"},
		{Name: "state"},
		{Name: "credit_limit"},
		{Name: "late_terms"},
	}}
	for _, one := range list {
		state := "active"
		if !one.Active {
			state = "deactivated"
		}
		s.Add(string(one.Customer), one.Name, one.Kana, one.Country, string(one.Language), one.ExternalID, state,
			limitsText(one.Limits), lateTermsText(one.LateTerms))
	}
	return s
}

// feeds tells what stands on each read model.
var feeds = map[string]string{
	"items":    "report aging, balances, invoices, statement, unapplied",
	"parties":  "names and time zones, everywhere",
	"receipts": "report receipts",
	"dunning":  "dunning: queue, cases, reminders, runs",
}

// Views has one row for each read model: how far it has come.
func Views(list []projections.Status) Sheet {
	s := Sheet{Columns: []Column{
		{Name: "model"},
		{Name: "version", Kind: Count},
		{Name: "position", Kind: Count},
		{Name: "head", Kind: Count},
		{Name: "lag", Kind: Count},
		{Name: "rows", Kind: Count},
		{Name: "feeds"},
	}}
	number := func(n eventstore.Position) string { return strconv.FormatUint(uint64(n), 10) }
	for _, m := range list {
		s.Add(m.Name, strconv.Itoa(m.Version), number(m.Position), number(m.Head), number(m.Lag), strconv.FormatInt(m.Rows, 10), feeds[m.Name])
	}
	return s
}
