package export

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/projections"
)

// Aging has the columns customer, name, currency, one for each bucket, unapplied, total, disputed, oldest_due_on; per
// invoice also invoice, number, issued_on, due_on, days_overdue; per total no customer.
func Aging(r projections.AgingReport) Sheet {
	var s Sheet
	if r.GroupBy != projections.PerTotal {
		s.Columns = append(s.Columns, Column{Name: "customer"}, Column{Name: "name"})
	}
	s.Columns = append(s.Columns, Column{Name: "currency"})
	if r.GroupBy == projections.PerInvoice {
		s.Columns = append(s.Columns, Column{Name: "invoice"}, Column{Name: "number"}, Column{Name: "issued_on", Kind: Date},
			Column{Name: "due_on", Kind: Date}, Column{Name: "days_overdue", Kind: Count})
	}
	for _, bucket := range r.Columns {
		s.Columns = append(s.Columns, Column{Name: bucket, Kind: Amount, Group: "buckets"})
	}
	s.Columns = append(s.Columns, Column{Name: "unapplied", Kind: Amount}, Column{Name: "total", Kind: Amount},
		Column{Name: "disputed", Kind: Amount}, Column{Name: "oldest_due_on", Kind: Date})
	for _, row := range r.Rows {
		s.Add(AgingCells(r.GroupBy, row)...)
	}
	if r.GroupBy != projections.PerTotal {
		s.Foot = totals(r, len(s.Columns))
	}
	return s
}

// AgingCells is one row of Aging.
func AgingCells(by projections.Grouping, row projections.AgingRow) (cells []string) {
	if by != projections.PerTotal {
		cells = append(cells, string(row.Customer), row.Name)
	}
	cells = append(cells, string(row.Currency))
	if by == projections.PerInvoice {
		cells = append(cells, row.Document, row.Number, row.IssuedOn.String(), row.DueOn.String(), strconv.Itoa(row.DaysOverdue))
	}
	for _, bucket := range row.Buckets {
		cells = append(cells, bucket.Amount())
	}
	return append(cells, row.Unapplied.Amount(), row.Total.Amount(), row.Disputed.Amount(), row.OldestDueOn.String())
}

// totals sums the rows of an aging by currency.
func totals(r projections.AgingReport, width int) [][]string {
	n := len(r.Columns)
	sums := make(map[domain.Currency][]int64)
	var order []domain.Currency
	for _, row := range r.Rows {
		if sums[row.Currency] == nil {
			sums[row.Currency] = make([]int64, n+3)
			order = append(order, row.Currency)
		}
		for i, m := range append(append([]domain.Money{}, row.Buckets...), row.Unapplied, row.Total, row.Disputed) {
			sums[row.Currency][i] += m.Minor()
		}
	}
	var foot [][]string
	for _, currency := range order {
		line := make([]string, width)
		line[1], line[2] = "total", string(currency)
		for i, minor := range sums[currency] {
			line[width-n-4+i] = domain.NewMoney(minor, currency).Amount()
		}
		foot = append(foot, line)
	}
	return foot
}

var balanceColumns = []Column{
	{Name: "customer"},
	{Name: "name"},
	{Name: "currency"},
	{Name: "open", Kind: Amount},
	{Name: "unapplied", Kind: Amount},
	{Name: "balance", Kind: Amount},
	{Name: "overdue", Kind: Amount},
	{Name: "disputed", Kind: Amount},
	{Name: "oldest_due_on", Kind: Date},
}

func balanceCells(b projections.BalanceRow) []string {
	return []string{
		string(b.Customer), b.Name, string(b.Currency), b.Open.Amount(), b.Unapplied.Amount(), b.Balance.Amount(),
		b.Overdue.Amount(), b.Disputed.Amount(), b.OldestDueOn.String(),
	}
}

// Balances has one row for each account.
func Balances(r projections.BalancesReport) Sheet {
	s := Sheet{Columns: balanceColumns}
	for _, b := range r.Rows {
		s.Add(balanceCells(b)...)
	}
	return s
}

// Account has one row: a balance, and where the account stands in the log.
func Account(r projections.AccountReport) Sheet {
	s := Sheet{Columns: append(balanceColumns[:len(balanceColumns):len(balanceColumns)],
		Column{Name: "version", Kind: Count}, Column{Name: "period"})}
	s.Add(append(balanceCells(r.BalanceRow), position(uint64(r.Version)), r.Period)...)
	return s
}

// Invoice has one row for each movement of an invoice after its issue.
func Invoice(r projections.InvoiceReport) Sheet {
	s := Sheet{Columns: []Column{
		{Name: "on", Kind: Date},
		{Name: "position", Kind: Count},
		{Name: "kind", Wide: true},
		{Name: "by"},
		{Name: "document"},
		{Name: "currency"},
		{Name: "amount", Kind: Amount},
		{Name: "open", Kind: Amount},
	}}
	for _, m := range r.Settlements {
		s.Add(m.On.String(), position(uint64(m.Position)), m.Kind, string(m.Class), m.Document, string(r.Currency), m.Amount.Amount(), m.Open.Amount())
	}
	return s
}

// Invoices has one row for each invoice or late charge.
func Invoices(r projections.InvoicesReport) Sheet {
	s := Sheet{Columns: []Column{
		{Name: "customer"},
		{Name: "name"},
		{Name: "currency"},
		{Name: "invoice"},
		{Name: "number"},
		{Name: "kind"},
		{Name: "issued_on", Kind: Date},
		{Name: "due_on", Kind: Date},
		{Name: "days_overdue", Kind: Count},
		{Name: "total", Kind: Amount},
		{Name: "open", Kind: Amount},
		{Name: "disputed", Kind: Amount},
		{Name: "status"},
		{Name: "reference"},
	}}
	for _, i := range r.Rows {
		s.Add(InvoiceCells(i)...)
	}
	return s
}

// InvoiceCells is one row of Invoices.
func InvoiceCells(i projections.InvoiceRow) []string {
	return []string{
		string(i.Customer), i.Name, string(i.Currency), string(i.Invoice), i.Number, string(i.Class), i.IssuedOn.String(),
		i.DueOn.String(), strconv.Itoa(i.DaysOverdue), i.Total.Amount(), i.Open.Amount(), i.Disputed.Amount(),
		string(i.Status), i.Reference,
	}
}

// Statement has an opening line, the movements and a closing line for each account.
func Statement(r projections.StatementReport) Sheet {
	s := Sheet{Columns: []Column{
		{Name: "on", Kind: Date},
		{Name: "position", Kind: Count},
		{Name: "kind"},
		{Name: "document"},
		{Name: "number"},
		{Name: "reference"},
		{Name: "currency"},
		{Name: "amount", Kind: Amount},
		{Name: "balance", Kind: Amount},
	}}
	for _, a := range r.Accounts {
		s.Add(r.From.String(), "", "opening", "", "", "", string(a.Currency), "", a.Opening.Amount())
		for _, l := range a.Lines {
			s.Add(l.On.String(), position(uint64(l.Position)), l.Kind, l.Document, l.Number, l.Reference, string(a.Currency),
				l.Amount.Amount(), l.Balance.Amount())
		}
		s.Add(r.To.String(), "", "closing", "", "", "", string(a.Currency), "", a.Closing.Amount())
	}
	return s
}

// Unapplied has one row for each payment or credit note with something left.
func Unapplied(r projections.UnappliedReport) Sheet {
	s := Sheet{Columns: []Column{
		{Name: "customer"},
		{Name: "name"},
		{Name: "currency"},
		{Name: "kind"},
		{Name: "document"},
		{Name: "number"},
		{Name: "reference"},
		{Name: "on", Kind: Date},
		{Name: "age", Kind: Count},
		{Name: "total", Kind: Amount},
		{Name: "unapplied", Kind: Amount},
	}}
	for _, u := range r.Rows {
		s.Add(string(u.Customer), u.Name, string(u.Currency), string(u.Class), u.Document, u.Number, u.Reference, u.On.String(),
			strconv.Itoa(u.Age), u.Total.Amount(), u.Unapplied.Amount())
	}
	return s
}

// Receipts has one row for each receipt whose payer is not known. Candidates are written as customers, each with why:
// C0001 (PAYER).
func Receipts(r projections.ReceiptsReport) Sheet {
	s := Sheet{Columns: []Column{
		{Name: "receipt"},
		{Name: "received_on", Kind: Date},
		{Name: "age", Kind: Count},
		{Name: "currency"},
		{Name: "amount", Kind: Amount},
		{Name: "payer"},
		{Name: "reference"},
		{Name: "account"},
		{Name: "candidates"},
	}}
	for _, row := range r.Rows {
		candidates := make([]string, len(row.Candidates))
		for i, c := range row.Candidates {
			candidates[i] = string(c.Customer) + " (" + string(c.By) + ")"
		}
		s.Add(string(row.Key.Receipt), row.ReceivedOn.String(), strconv.Itoa(row.Age), string(row.Amount.Currency()), row.Amount.Amount(),
			cmp.Or(row.Payer, customer.ErasedName), row.Reference, row.Account, strings.Join(candidates, ", "))
	}
	return s
}

// History has one row for each event of an account and of its debtor's case, in the order in which they were recorded.
func History(entries []projections.Entry) Sheet {
	s := Sheet{Columns: []Column{
		{Name: "position", Kind: Count},
		{Name: "recorded_at"},
		{Name: "on", Kind: Date},
		{Name: "kind", Wide: true},
		{Name: "by"},
		{Name: "what"},
		{Name: "currency"},
		{Name: "amount", Kind: Amount},
		{Name: "balance", Kind: Amount},
		{Name: "stream", Wide: true},
		{Name: "event", Wide: true},
		{Name: "command", Wide: true},
		{Name: "command_id", Wide: true},
		{Name: "caused_by", Wide: true},
		{Name: "correlation_id", Wide: true},
	}}
	for _, e := range entries {
		s.Add(EntryCells(e)...)
	}
	return s
}

// EntryCells is one row of History. What is done about a debtor has no amount: it moves no balance.
func EntryCells(e projections.Entry) []string {
	effect := ""
	if e.Books {
		effect = e.Effect.Amount()
	}
	return []string{
		position(uint64(e.Position)), e.At.UTC().Format(time.RFC3339), e.On.String(), e.Kind, e.Actor, e.Text,
		string(e.Balance.Currency()), effect, e.Balance.Amount(),
		e.Stream, e.ID.String(), e.Name, e.Command, e.Cause, e.Flow,
	}
}

func position(p uint64) string { return strconv.FormatUint(p, 10) }
