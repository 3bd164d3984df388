package catalog_test

import (
	"slices"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/receipt"
	"github.com/urikake/urikake/domain/seller"
)

func TestPersons(t *testing.T) {
	key := customer.Key{Seller: "S1", Customer: "C1"}
	books := account.Key{Seller: "S1", Customer: "C1", Currency: "JPY"}
	for _, c := range []struct{ stream, data, want string }{
		{key.Stream(), `{}`, "S1.C1"},
		{books.Stream(), `{}`, "S1.C1"},
		{books.Stream() + ".2027", `{}`, "S1.C1"},
		{dunning.Key(books).Stream(), `{}`, "S1.C1"},
		{receipt.Stream("S1", 2026), `{"receipt":"R-1","payer":{"sealed":"x"}}`, "S1.2026.R-1"},
		{receipt.Stream("S1", 2026), `{"receipt":"no id"}`, ""},
		{receipt.Stream("S1", 2026), `[`, ""},
		{seller.Stream("S1"), `{}`, ""},
		{"", ``, ""},
	} {
		if got := catalog.Person(c.stream, []byte(c.data)); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.stream, c.data, got, c.want)
		}
	}
	on := domain.NewDate(2026, 8, 6)
	for _, c := range []struct {
		event domain.Event
		want  []string
	}{
		{customer.Erased{Key: key}, []string{"S1.C1"}},
		{customer.PayersErased{Key: key, Receipts: []customer.PaidReceipt{{Receipt: "R-1", ReceivedOn: on}, {Receipt: "R-2", ReceivedOn: on}}}, []string{"S1.2026.R-1", "S1.2026.R-2"}},
		{customer.Deactivated{Key: key}, nil},
	} {
		if got := catalog.Erased(c.event); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.event.Kind(), got, c.want)
		}
	}
}
