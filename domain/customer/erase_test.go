package customer_test

import (
	"fmt"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/customer"
)

func TestErase(t *testing.T) {
	on := domain.NewDate(2039, 4, 1)
	erase := customer.EraseCustomer{Key: key, On: on, Reason: "asked to be forgotten"}
	with := func(b customer.Books) customer.EraseCustomer {
		c := erase
		c.Books = b
		return c
	}
	s := given(t).
		When(erase).RefusedAt(customer.ErrUnknown, "/customer").
		Given(registered()).
		When(customer.EraseCustomer{Key: key, Reason: "x"}).RefusedAt(domain.ErrMissing, "/on").
		When(customer.EraseCustomer{Key: key, On: on}).RefusedAt(domain.ErrMissing, "/reason").
		When(with(customer.Books{Today: on.AddDays(-1)})).RefusedAt(customer.ErrErasureAhead, "/on").
		When(with(customer.Books{Open: []string{"1 JPY of I1"}})).RefusedAt(customer.ErrStillOpen, "/customer").
		When(with(customer.Books{LastOn: domain.NewDate(2027, 4, 2)})).RefusedAt(customer.ErrRetained, "/on").
		When(with(customer.Books{LastOn: domain.NewDate(2027, 4, 1), Today: on})).
		Then(customer.Erased{Key: key, On: on, Reason: "asked to be forgotten"})
	if state := s.State(); !state.Erased || state.Active || state.Name != customer.ErasedName || state.Kana != "" || state.Contacts != nil {
		t.Errorf("%+v", state)
	}
	for _, c := range []customer.Command{
		erase,
		customer.RegisterCustomer{Key: key, Details: details()},
		customer.ChangeCustomer{Key: key, Details: details(), Reason: "x"},
		customer.ReactivateCustomer{Key: key, Reason: "x"},
	} {
		s.When(c).RefusedAt(customer.ErrErased, "/customer")
	}
	// The payers of receipts go too, in events that any log takes.
	paid := make([]customer.PaidReceipt, 2001)
	for i := range paid {
		paid[i] = customer.PaidReceipt{Receipt: domain.ReceiptID(fmt.Sprint("R", i)), ReceivedOn: domain.NewDate(2020, 1, 1)}
	}
	given(t, registered()).When(with(customer.Books{Receipts: paid})).Then(
		customer.PayersErased{Key: key, On: on, Receipts: paid[:1000]},
		customer.PayersErased{Key: key, On: on, Receipts: paid[1000:2000]},
		customer.PayersErased{Key: key, On: on, Receipts: paid[2000:]},
		customer.Erased{Key: key, On: on, Reason: "asked to be forgotten"})
	// Nothing was ever booked: there is nothing to keep.
	given(t, registered()).When(erase).Then(customer.Erased{Key: key, On: on, Reason: "asked to be forgotten"})
}
