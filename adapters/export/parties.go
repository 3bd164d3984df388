package export

import (
	"strconv"

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
	}}
	for _, one := range list {
		s.Add(string(one.Seller), one.Name, one.NameEn, string(one.BaseCurrency), one.TimeZone, string(one.Language))
	}
	return s
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
	}}
	for _, one := range list {
		state := "active"
		if !one.Active {
			state = "deactivated"
		}
		s.Add(string(one.Customer), one.Name, one.Kana, one.Country, string(one.Language), one.ExternalID, state)
	}
	return s
}

// feeds tells what stands on each read model.
var feeds = map[string]string{
	"items":   "report aging, balances, invoices, statement, unapplied",
	"parties": "names and time zones, everywhere",
	"dunning": "dunning: queue, cases, reminders, runs",
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
