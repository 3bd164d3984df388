package catalog

import (
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/receipt"
)

// Person tells whose personal data an event of a stream holds: a customer's, as "seller.customer", or the unknown payer's
// of a receipt, as "seller.year.receipt"; "" nobody's. data is the event's JSON, sealed or not.
func Person(stream string, data []byte) string {
	category, rest, _ := strings.Cut(stream, "-")
	switch category {
	case "customer", "account", "dunning":
		seller, rest, _ := strings.Cut(rest, ".")
		customer, _, _ := strings.Cut(rest, ".")
		return seller + "." + customer
	case "receipt":
		var of struct {
			Receipt domain.ReceiptID `json:"receipt"`
		}
		if err := json.Unmarshal(data, &of); err == nil && domain.CheckID(of.Receipt) == nil {
			return payer(stream, of.Receipt)
		}
	}
	return ""
}

func payer(stream string, id domain.ReceiptID) string {
	return strings.TrimPrefix(stream, "receipt-") + "." + string(id)
}

// Erased names the persons of whom an event says that they were erased, as Person does.
func Erased(e domain.Event) (persons []string) {
	switch e := e.(type) {
	case customer.Erased:
		return []string{Person(e.Stream(), nil)}
	case customer.PayersErased:
		for _, r := range e.Receipts {
			persons = append(persons, payer(receipt.Stream(e.Seller, r.ReceivedOn.Year()), r.Receipt))
		}
	}
	return persons
}
