package export

import (
	"strconv"
	"time"

	"github.com/urikake/urikake/projections"
)

// Diff has rows in groups, one for each account: before, what each event did, change (their sum), and after.
func Diff(r projections.DiffReport) Sheet {
	s := Sheet{Columns: []Column{
		{Name: "customer"},
		{Name: "name"},
		{Name: "currency"},
		{Name: "row"},
		{Name: "position", Kind: Count},
		{Name: "recorded_at"},
		{Name: "on", Kind: Date},
		{Name: "kind", Wide: true},
		{Name: "by"},
		{Name: "what"},
	}}
	for _, bucket := range r.Columns {
		s.Columns = append(s.Columns, Column{Name: bucket, Kind: Amount, Group: "buckets"})
	}
	s.Columns = append(s.Columns, Column{Name: "unapplied", Kind: Amount}, Column{Name: "balance", Kind: Amount}, Column{Name: "disputed", Kind: Amount})
	return s
}

// DiffRows are the rows of one account.
func DiffRows(r projections.DiffReport, c projections.ChangedAccount) (rows [][]string) {
	row := func(cells []string, a projections.Amounts) {
		cells = append([]string{string(c.Customer), c.Name, string(c.Currency)}, cells...)
		for _, m := range a.Buckets {
			cells = append(cells, m.Amount())
		}
		rows = append(rows, append(cells, a.Unapplied.Amount(), a.Balance.Amount(), a.Disputed.Amount()))
	}
	row([]string{"before", position(uint64(r.From)), "", "", "", "", ""}, c.Before)
	for _, e := range c.Events {
		row([]string{"event", position(uint64(e.Position)), e.At.UTC().Format(time.RFC3339), e.On.String(), e.Kind, e.Actor, e.Text}, e.Did)
	}
	row([]string{"change", "", "", "", "", "", events(len(c.Events))}, c.Change())
	row([]string{"after", position(uint64(r.To)), "", "", "", "", ""}, c.After)
	return rows
}

func events(n int) string {
	if n == 1 {
		return "1 event"
	}
	return strconv.Itoa(n) + " events"
}
