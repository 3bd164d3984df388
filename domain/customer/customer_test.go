package customer_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/scenario"
)

var (
	key   = customer.Key{Seller: "midori", Customer: "C0001"}
	terms = domain.Terms{Kind: domain.TermsClosing, ClosingDays: []int{99}, MonthOffset: 1, PayDay: 99, HolidayRule: domain.HolidayNext}
	limit = []domain.Money{domain.NewMoney(3_000_000, "JPY"), domain.NewMoney(20_000_00, "USD")}
)

func details() customer.Details {
	return customer.Details{
		Name: "有限会社𠮷田工務店", Kana: "ﾕ)ﾖｼﾀﾞｺｳﾑﾃﾝ", Language: domain.Japanese, Country: "JP", ExternalID: "ERP/4711",
		Contacts:   []customer.Contact{{Name: "吉田 花子", Email: "hanako+ar@yoshida.example", Phone: "03-0000-0000", Role: "経理"}},
		Attributes: map[string]string{"担当": "佐藤", "area": "kanto\nnorth"},
	}
}

func given(t *testing.T, events ...domain.Event) *scenario.Scenario[customer.Command, *customer.State] {
	return scenario.For(t, customer.Decider, customer.Events).Given(events...)
}

func registered() domain.Event {
	return customer.Registered{Key: key, Details: details(), Terms: terms, CreditLimit: limit}
}

func TestRegister(t *testing.T) {
	command := customer.RegisterCustomer{Key: key, Details: details(), Terms: terms, CreditLimit: limit}
	s := given(t).
		When(command).Then(registered()).
		When(command).RefusedAt(customer.ErrAlreadyRegistered, "/customer")
	if state := s.State(); !state.Registered || !state.Active || state.Name != details().Name || !state.Terms.Equal(terms) || state.CreditLimit[1] != limit[1] {
		t.Errorf("%+v", state)
	}
	bare := customer.RegisterCustomer{Key: key, Details: customer.Details{Name: "0187-ERLSR", Country: "391"}}
	if state := given(t).When(bare).Then(customer.Registered{Key: key, Details: bare.Details}).State(); !state.Terms.IsZero() {
		t.Errorf("%+v", state)
	}
}

func TestChange(t *testing.T) {
	renamed := details()
	renamed.Name, renamed.Contacts, renamed.Attributes = "株式会社𠮷田工務店", []customer.Contact{}, nil
	want := renamed
	want.Contacts = nil
	s := given(t, registered()).
		When(customer.ChangeCustomer{Key: key, Details: details(), Reason: "none"}).Refused(customer.ErrNothingNew).
		When(customer.ChangeCustomer{Key: key, Details: renamed}).RefusedAt(domain.ErrMissing, "/reason").
		When(customer.ChangeCustomer{Key: key, Details: renamed, Reason: "incorporated"}).
		Then(customer.Changed{Key: key, Details: want, Reason: "incorporated"}).
		When(customer.ChangeCustomer{Key: key, Details: renamed, Reason: "incorporated"}).Refused(customer.ErrNothingNew)
	if state := s.State(); state.Name != renamed.Name || !state.Terms.Equal(terms) || len(state.CreditLimit) != 2 || !state.Active {
		t.Errorf("%+v", state)
	}
}

func TestTermsAndLimit(t *testing.T) {
	net := domain.Terms{Kind: domain.TermsNet, NetDays: 30}
	s := given(t, registered()).
		When(customer.SetPaymentTerms{Key: key, Terms: terms, Reason: "none"}).Refused(customer.ErrNothingNew).
		When(customer.SetPaymentTerms{Key: key, Terms: domain.Terms{NetDays: 30}, Reason: "kind forgotten"}).RefusedAt(domain.ErrUnknown, "/terms/kind").
		When(customer.SetPaymentTerms{Key: key, Terms: net}).RefusedAt(domain.ErrMissing, "/reason").
		When(customer.SetPaymentTerms{Key: key, Terms: net, Reason: "new contract"}).
		Then(customer.TermsSet{Key: key, Terms: net, Reason: "new contract"}).
		When(customer.SetPaymentTerms{Key: key, Reason: "contract ended"}).
		Then(customer.TermsSet{Key: key, Reason: "contract ended"}).
		When(customer.SetCreditLimit{Key: key, CreditLimit: limit, Reason: "none"}).Refused(customer.ErrNothingNew).
		When(customer.SetCreditLimit{Key: key, CreditLimit: append(limit, limit[0]), Reason: "twice"}).RefusedAt(domain.ErrTwice, "/credit_limit/2").
		When(customer.SetCreditLimit{Key: key, CreditLimit: make([]domain.Money, 51), Reason: "many"}).RefusedAt(domain.ErrTooLong, "/credit_limit").
		When(customer.SetCreditLimit{Key: key, CreditLimit: limit[:1], Reason: "review"}).
		Then(customer.CreditLimitSet{Key: key, CreditLimit: limit[:1], Reason: "review"})
	if state := s.State(); !state.Terms.IsZero() || len(state.CreditLimit) != 1 || state.Name != details().Name {
		t.Errorf("%+v", state)
	}
}

func TestDeactivate(t *testing.T) {
	s := given(t, registered()).
		When(customer.ReactivateCustomer{Key: key, Reason: "none"}).Refused(customer.ErrNothingNew).
		When(customer.DeactivateCustomer{Key: key}).RefusedAt(domain.ErrMissing, "/reason").
		When(customer.DeactivateCustomer{Key: key, Reason: "moved away"}).
		Then(customer.Deactivated{Key: key, Reason: "moved away"}).
		When(customer.DeactivateCustomer{Key: key, Reason: "moved away"}).Refused(customer.ErrNothingNew)
	if state := s.State(); state.Active || !state.Registered {
		t.Errorf("%+v", state)
	}
	renamed := details()
	renamed.Name = "Yoshida"
	s.When(customer.ChangeCustomer{Key: key, Details: renamed, Reason: "still owes"}).
		Then(customer.Changed{Key: key, Details: renamed, Reason: "still owes"}).
		When(customer.ReactivateCustomer{Key: key, Reason: "back"}).
		Then(customer.Reactivated{Key: key, Reason: "back"})
	if state := s.State(); !state.Active || state.Name != "Yoshida" {
		t.Errorf("%+v", state)
	}
}

func TestUnknown(t *testing.T) {
	net := domain.Terms{Kind: domain.TermsNet}
	for _, command := range []customer.Command{
		customer.ChangeCustomer{Key: key, Details: details(), Reason: "x"},
		customer.SetPaymentTerms{Key: key, Terms: net, Reason: "x"},
		customer.SetCreditLimit{Key: key, CreditLimit: limit, Reason: "x"},
		customer.DeactivateCustomer{Key: key, Reason: "x"},
		customer.ReactivateCustomer{Key: key, Reason: "x"},
	} {
		given(t).When(command).RefusedAt(customer.ErrUnknown, "/customer")
		if got := customer.Decider.Stream(command); got != "customer-midori.C0001" {
			t.Errorf("%s stands in %s", command.Name(), got)
		}
	}
}

func TestFields(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n+1) }
	for _, c := range []struct {
		field  string
		want   *domain.Error
		change func(*customer.RegisterCustomer)
	}{
		{"/seller", domain.ErrBadID, func(c *customer.RegisterCustomer) { c.Seller = "" }},
		{"/customer", domain.ErrBadID, func(c *customer.RegisterCustomer) { c.Customer = "C.1" }},
		{"/name", domain.ErrMissing, func(c *customer.RegisterCustomer) { c.Details.Name = "" }},
		{"/name", domain.ErrTooLong, func(c *customer.RegisterCustomer) { c.Details.Name = long(customer.NameMax) }},
		{"/kana", domain.ErrMalformed, func(c *customer.RegisterCustomer) { c.Kana = "a\tb" }},
		{"/language", domain.ErrUnknown, func(c *customer.RegisterCustomer) { c.Language = "fr" }},
		{"/country", domain.ErrTooLong, func(c *customer.RegisterCustomer) { c.Country = long(customer.CountryMax) }},
		{"/external_id", domain.ErrTooLong, func(c *customer.RegisterCustomer) { c.ExternalID = long(customer.ExternalIDMax) }},
		{"/contacts", domain.ErrTooLong, func(c *customer.RegisterCustomer) { c.Contacts = make([]customer.Contact, customer.ContactsMax+1) }},
		{"/contacts/0", customer.ErrEmptyContact, func(c *customer.RegisterCustomer) { c.Contacts[0] = customer.Contact{Role: "CEO"} }},
		{"/contacts/0/name", domain.ErrTooLong, func(c *customer.RegisterCustomer) { c.Contacts[0].Name = long(customer.NameMax) }},
		{"/contacts/0/phone", domain.ErrTooLong, func(c *customer.RegisterCustomer) { c.Contacts[0].Phone = long(customer.PhoneMax) }},
		{"/contacts/0/role", domain.ErrTooLong, func(c *customer.RegisterCustomer) { c.Contacts[0].Role = long(customer.RoleMax) }},
		{"/attributes/a~1b~0", domain.ErrTooLong, func(c *customer.RegisterCustomer) { c.Attributes["a/b~"] = long(customer.AttributeValueMax) }},
		{"/attributes", domain.ErrTooLong, func(c *customer.RegisterCustomer) { c.Attributes[long(customer.AttributeKeyMax)] = "x" }},
		{"/attributes", domain.ErrTooLong, func(c *customer.RegisterCustomer) {
			for i := range customer.AttributesMax {
				c.Attributes[fmt.Sprint(i)] = "x"
			}
		}},
		{"/terms/pay_day", domain.ErrBadTerms, func(c *customer.RegisterCustomer) { c.Terms.PayDay = 0 }},
		{"/credit_limit/0", domain.ErrNotPositive, func(c *customer.RegisterCustomer) { c.CreditLimit = []domain.Money{domain.NewMoney(-1, "JPY")} }},
	} {
		command := customer.RegisterCustomer{Key: key, Details: details(), Terms: terms}
		c.change(&command)
		given(t).When(command).RefusedAt(c.want, c.field)
	}
	for _, address := range []string{"x", "@x", "x@", "a@b@c", "a b@c", "a@b\nBcc: c@d", "<a@b>", "a@b,c", "\xff@x", long(250) + "@x.jp"} {
		bad := details()
		bad.Contacts[0].Email = address
		given(t).When(customer.RegisterCustomer{Key: key, Details: bad}).RefusedAt(customer.ErrBadEmail, "/contacts/0/email")
	}
}

// The names on the wire stand in every book that is ever written.
func TestWire(t *testing.T) {
	data, err := json.Marshal(customer.Registered{
		Key: key, Details: customer.Details{Name: "Acme", Contacts: []customer.Contact{{Email: "a@b"}}},
		Terms: domain.Terms{Kind: domain.TermsNet, NetDays: 30},
	})
	const want = `{"seller":"midori","customer":"C0001","name":"Acme","contacts":[{"email":"a@b"}],"terms":{"kind":"NET","net_days":30}}`
	if err != nil || string(data) != want {
		t.Errorf("%s\n%v", data, err)
	}
}

func TestAgreeLateTerms(t *testing.T) {
	agree := customer.AgreeLateTerms{Key: key, Terms: []domain.LateTerms{{From: domain.NewDate(2026, 4, 1), Rate: 5_00}}, Reason: "frame contract"}
	want := customer.LateTermsAgreed(agree)
	want.Terms = []domain.LateTerms{{From: domain.NewDate(2026, 4, 1), Rate: 5_00, DayCount: domain.Act365}}
	wrong := agree
	wrong.Terms = []domain.LateTerms{{Rate: 5_00}}
	given(t).
		When(agree).RefusedAt(customer.ErrUnknown, "/customer").
		Given(registered()).
		When(wrong).RefusedAt(domain.ErrMissing, "/terms/0/from").
		When(agree).Then(want).
		When(agree).Refused(customer.ErrNothingNew).
		When(customer.AgreeLateTerms{Key: key, Reason: "as all"}).Then(customer.LateTermsAgreed{Key: key, Reason: "as all"})
}
