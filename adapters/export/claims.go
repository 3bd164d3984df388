package export

import (
	"fmt"
	"strconv"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/projections"
)

// Limitations has one row for each claim whose limitation ends soon or has ended.
func Limitations(rows []projections.LimitationRow) Sheet {
	s := Sheet{Columns: []Column{
		{Name: "customer"},
		{Name: "name"},
		{Name: "currency"},
		{Name: "invoice"},
		{Name: "number"},
		{Name: "due_on", Kind: Date},
		{Name: "open", Kind: Amount},
		{Name: "limitation_on", Kind: Date},
		{Name: "status"},
	}}
	for _, row := range rows {
		s.Add(LimitationCells(row)...)
	}
	return s
}

// LimitationCells is one row of Limitations.
func LimitationCells(row projections.LimitationRow) []string {
	return []string{
		string(row.Customer), row.Name, string(row.Currency), string(row.Invoice), row.Number, row.DueOn.String(), row.Open.Amount(),
		row.LimitationOn.String(), string(row.Status),
	}
}

// LateCharges has one row for each overdue invoice, and under a table the sum of each currency.
func LateCharges(list []account.Accrual) Sheet {
	s := Sheet{Columns: []Column{
		{Name: "invoice"},
		{Name: "number"},
		{Name: "due_on", Kind: Date},
		{Name: "days_late", Kind: Count},
		{Name: "rate"},
		{Name: "day_count"},
		{Name: "terms"},
		{Name: "capped_by"},
		{Name: "assessed_to", Kind: Date},
		{Name: "currency"},
		{Name: "open", Kind: Amount},
		{Name: "accrued", Kind: Amount},
	}}
	for _, a := range list {
		s.Add(string(a.Invoice), a.Number, a.DueOn.String(), strconv.Itoa(a.Days), a.Rule.Rate.String(), string(a.Rule.DayCount), string(a.Rule.Source),
			capText(a.Rule), a.AssessedTo.String(),
			string(a.Open.Currency()), a.Open.Amount(), a.Accrued.Amount())
	}
	for _, sum := range Accrued(list) {
		line := make([]string, len(s.Columns))
		line[0], line[len(line)-3], line[len(line)-1] = "total", string(sum.Currency()), sum.Amount()
		s.Foot = append(s.Foot, line)
	}
	return s
}

// capText names the law that makes the rate smaller than the contract's, with the contract's.
func capText(r domain.LateRule) string {
	if r.CappedBy == domain.CapNone {
		return ""
	}
	return fmt.Sprintf("%s, agreed %s", r.CappedBy, r.Agreed)
}

// Accrued sums late charges up by currency, in the order in which they come.
func Accrued(list []account.Accrual) (sums []domain.Money) {
	for _, a := range list {
		last := len(sums) - 1
		if last < 0 || sums[last].Currency() != a.Accrued.Currency() {
			sums = append(sums, a.Accrued)
			continue
		}
		sums[last] = domain.NewMoney(sums[last].Minor()+a.Accrued.Minor(), a.Accrued.Currency())
	}
	return sums
}
