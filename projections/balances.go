package projections

import (
	"context"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// BalancesQuery asks how accounts stood.
type BalancesQuery struct {
	Seller   domain.SellerID
	Customer domain.CustomerID // all of them when empty
	AsOf     domain.Date
	KnownAt  KnownAt
}

// BalancesReport is the answer.
type BalancesReport struct {
	AsOf    domain.Date
	KnownAt eventstore.Position
	Rows    []BalanceRow
}

// BalanceRow is one account.
type BalanceRow struct {
	Customer    domain.CustomerID
	Name        string
	Currency    domain.Currency
	Balance     domain.Money // open less unapplied
	Open        domain.Money // invoices and late charges
	Unapplied   domain.Money // payments and credit notes that settle nothing yet
	Overdue     domain.Money // of what is open: due before the day
	Disputed    domain.Money // of what is open
	OldestDueOn domain.Date
}

// Balances reports each account as of q.AsOf, as known at q.KnownAt, by customer and currency; accounts on which
// nothing stands are left out. It is the aging report in other columns, so the two agree. Refuses what Aging refuses.
func (v *Views) Balances(ctx context.Context, q BalancesQuery) (BalancesReport, error) {
	aged, err := v.Aging(ctx, AgingQuery{Seller: q.Seller, Customer: q.Customer, AsOf: q.AsOf, KnownAt: q.KnownAt})
	report := BalancesReport{AsOf: aged.AsOf, KnownAt: aged.KnownAt}
	for _, row := range aged.Rows {
		report.Rows = append(report.Rows, balanceOf(row))
	}
	return report, err
}

func balanceOf(row AgingRow) BalanceRow {
	var overdue int64
	for _, bucket := range row.Buckets[1:] {
		overdue += bucket.Minor()
	}
	money := func(minor int64) domain.Money { return domain.NewMoney(minor, row.Currency) }
	return BalanceRow{
		Customer: row.Customer, Name: row.Name, Currency: row.Currency,
		Balance: row.Total, Open: money(row.Total.Minor() + row.Unapplied.Minor()), Unapplied: row.Unapplied,
		Overdue: money(overdue), Disputed: row.Disputed, OldestDueOn: row.OldestDueOn,
	}
}
