package projections

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
)

// parties is the names that reports print, as they are now: master data has no business day.
var parties = Model{
	Name: "parties", Version: 4,
	Kinds: []string{
		seller.Registered{}.Kind(), seller.Changed{}.Kind(), seller.PayeesSet{}.Kind(), seller.LateTermsSet{}.Kind(),
		customer.Registered{}.Kind(), customer.Changed{}.Kind(), customer.CreditLimitSet{}.Kind(),
		customer.Deactivated{}.Kind(), customer.Reactivated{}.Kind(), customer.LateTermsAgreed{}.Kind(),
		customer.Erased{}.Kind(),
	},
	Tables: []*Table{partiesSellers, partiesCustomers},
	Fold:   foldParties,
}

var partiesSellers = &Table{
	Name: "parties_sellers",
	Key:  []Column{{Name: "seller", Type: Text}},
	Columns: []Column{
		sellerName: {Name: "name", Type: Text}, sellerNameEn: {Name: "name_en", Type: Text},
		sellerCurrency: {Name: "base_currency", Type: Text}, sellerZone: {Name: "time_zone", Type: Text},
		sellerLanguage: {Name: "language", Type: Text},
		sellerPayees:   {Name: "payees", Type: Text}, sellerLate: {Name: "late_terms", Type: Text},
		sellerTolerance: {Name: "tolerance", Type: Text},
	},
}

const (
	sellerName = iota
	sellerNameEn
	sellerCurrency
	sellerZone
	sellerLanguage
	sellerPayees    // as JSON
	sellerLate      // as JSON
	sellerTolerance // amounts, as customerLimit
)

var partiesCustomers = &Table{
	Name: "parties_customers",
	Key:  []Column{{Name: "seller", Type: Text}, {Name: "customer", Type: Text}},
	Columns: []Column{
		customerName: {Name: "name", Type: Text}, customerKana: {Name: "kana", Type: Text},
		customerCountry: {Name: "country", Type: Text}, customerLanguage: {Name: "language", Type: Text},
		customerExternal: {Name: "external_id", Type: Text}, customerActive: {Name: "active"},
		customerGroup: {Name: "dunning_group", Type: Text}, customerMail: {Name: "mail_contact"}, customerPhone: {Name: "phone_contact"},
		customerLimit: {Name: "credit_limit", Type: Text}, customerLate: {Name: "late_terms", Type: Text},
		customerErased: {Name: "erased"},
	},
}

const (
	customerName = iota
	customerKana
	customerCountry
	customerLanguage
	customerExternal
	customerActive
	customerGroup
	customerMail  // number of the contact who is written to, from 1; 0: none
	customerPhone // of the one who is called
	customerLimit // amounts, such as "JPY 500000,USD 1000"
	customerLate  // as JSON
	customerErased
)

func foldParties(w *Writer, event domain.Event, _ eventstore.Recorded) {
	switch e := event.(type) {
	case seller.Registered:
		putSeller(w, e.Seller, e.Settings)
	case seller.Changed:
		putSeller(w, e.Seller, e.Settings)
	case seller.PayeesSet:
		w.Row(partiesSellers, Str(e.Seller)).PutText(sellerPayees, jsonText(e.Payees))
	case seller.LateTermsSet:
		w.Row(partiesSellers, Str(e.Seller)).PutText(sellerLate, jsonText(e.Terms))
	case customer.Registered:
		putCustomer(w, e.Key, e.Details).Put(customerActive, 1).PutText(customerLimit, limitText(e.CreditLimit))
	case customer.Changed:
		putCustomer(w, e.Key, e.Details)
	case customer.CreditLimitSet:
		customerRow(w, e.Key).PutText(customerLimit, limitText(e.CreditLimit))
	case customer.LateTermsAgreed:
		customerRow(w, e.Key).PutText(customerLate, jsonText(e.Terms))
	case customer.Deactivated:
		customerRow(w, e.Key).Put(customerActive, 0)
	case customer.Reactivated:
		customerRow(w, e.Key).Put(customerActive, 1)
	case customer.Erased:
		customerRow(w, e.Key).PutText(customerName, customer.ErasedName).PutText(customerKana, "").PutText(customerGroup, "").
			Put(customerActive, 0).Put(customerMail, 0).Put(customerPhone, 0).Put(customerErased, 1)
	}
}

func putSeller(w *Writer, id domain.SellerID, s seller.Settings) {
	w.Row(partiesSellers, Str(id)).PutText(sellerName, s.Name).PutText(sellerNameEn, s.NameEn).
		PutText(sellerCurrency, string(s.BaseCurrency)).PutText(sellerZone, s.TimeZone).PutText(sellerLanguage, string(s.Language)).PutText(sellerTolerance, limitText(s.Tolerance))
}

func customerRow(w *Writer, k customer.Key) *Row {
	return w.Row(partiesCustomers, Str(k.Seller), Str(k.Customer))
}

func putCustomer(w *Writer, k customer.Key, d customer.Details) *Row {
	return customerRow(w, k).PutText(customerName, d.Shown()).PutText(customerKana, d.Kana).PutText(customerCountry, d.Country).
		PutText(customerLanguage, string(d.Language)).PutText(customerExternal, d.ExternalID).
		PutText(customerGroup, d.Attributes[dunning.GroupAttribute]).
		Put(customerMail, contactWith(d.Contacts, func(c customer.Contact) string { return c.Email })).
		Put(customerPhone, contactWith(d.Contacts, func(c customer.Contact) string { return c.Phone }))
}

// contactWith is the number, from 1, of the first contact who has such an address, one for billing before all others;
// 0: nobody has.
func contactWith(list []customer.Contact, address func(customer.Contact) string) (n int64) {
	for i, c := range list {
		switch {
		case address(c) == "":
		case strings.EqualFold(c.Role, "billing"):
			return int64(i + 1)
		case n == 0:
			n = int64(i + 1)
		}
	}
	return n
}

// limitText writes credit limits in minor units, by currency.
func limitText(limits []domain.Money) string {
	parts := make([]string, len(limits))
	for i, m := range limits {
		parts[i] = string(m.Currency()) + " " + strconv.FormatInt(m.Minor(), 10)
	}
	return strings.Join(parts, ",")
}

// limitIn is the limit in a currency; the zero Money where there is none.
func limitIn(text string, c domain.Currency) domain.Money {
	for part := range strings.SplitSeq(text, ",") {
		currency, amount, _ := strings.Cut(part, " ")
		if minor, err := strconv.ParseInt(amount, 10, 64); err == nil && domain.Currency(currency) == c {
			return domain.NewMoney(minor, c)
		}
	}
	return domain.Money{}
}

// jsonText writes a list as JSON, "" for none; lists of these types always can be.
func jsonText[T any](list []T) string {
	if len(list) == 0 {
		return ""
	}
	b, _ := json.Marshal(list)
	return string(b)
}

// listIn reads what jsonText wrote.
func listIn[T any](text string) (list []T, err error) {
	if text != "" {
		err = json.Unmarshal([]byte(text), &list)
	}
	return list, err
}

// Seller is a client company as it is known now.
type Seller struct {
	Seller       domain.SellerID    `json:"seller"`
	Name         string             `json:"name"`
	NameEn       string             `json:"name_en,omitempty"`
	BaseCurrency domain.Currency    `json:"base_currency"`
	TimeZone     string             `json:"time_zone"`
	Language     domain.Language    `json:"language"`
	Payees       []seller.Payee     `json:"payees,omitempty" doc:"accounts to be paid to"`
	LateTerms    []domain.LateTerms `json:"late_terms,omitempty" doc:"what contracts say about late charges, by first day; a customer's own come before"`
}

// Customer is a debtor of a seller as it is known now.
type Customer struct {
	Customer   domain.CustomerID  `json:"customer"`
	Name       string             `json:"name"`
	Kana       string             `json:"kana,omitempty"`
	Country    string             `json:"country,omitempty"`
	Language   domain.Language    `json:"language,omitempty"` // empty: the seller's
	ExternalID string             `json:"external_id,omitempty"`
	Active     bool               `json:"active"`
	LateTerms  []domain.LateTerms `json:"late_terms,omitempty"` // his own
}

const sellerQuery = "SELECT seller, name, name_en, base_currency, time_zone, language, payees, late_terms FROM parties_sellers"

// Sellers lists all sellers by id.
func (v *Views) Sellers(ctx context.Context) (list []Seller, err error) {
	err = v.lookNow(ctx, func(r *reader) error {
		return r.each(sellerQuery+" ORDER BY seller", nil, func(c *cursor) error {
			s, err := sellerAt(c)
			list = append(list, s)
			return err
		})
	})
	return list, err
}

func sellerAt(c *cursor) (s Seller, err error) {
	s = Seller{
		Seller: domain.SellerID(c.text(0)), Name: c.text(1), NameEn: c.text(2), BaseCurrency: domain.Currency(c.text(3)),
		TimeZone: c.text(4), Language: domain.Language(c.text(5)),
	}
	if s.Payees, err = listIn[seller.Payee](c.text(6)); err == nil {
		s.LateTerms, err = listIn[domain.LateTerms](c.text(7))
	}
	return s, err
}

const customerQuery = "SELECT customer, name, kana, country, language, external_id, active, late_terms FROM parties_customers WHERE seller = ?"

func customerAt(c *cursor) (one Customer, err error) {
	one = Customer{
		Customer: domain.CustomerID(c.text(0)), Name: c.text(1), Kana: c.text(2), Country: c.text(3),
		Language: domain.Language(c.text(4)), ExternalID: c.text(5), Active: c.int(6) != 0,
	}
	one.LateTerms, err = listIn[domain.LateTerms](c.text(7))
	return one, err
}

// Customers lists a seller's customers by id.
func (v *Views) Customers(ctx context.Context, id domain.SellerID) (list []Customer, err error) {
	err = v.lookNow(ctx, func(r *reader) (err error) {
		list, err = r.customers(id)
		return err
	})
	return list, err
}

func (r *reader) customers(id domain.SellerID) (list []Customer, err error) {
	err = r.each(customerQuery+" ORDER BY customer", []Value{Str(id)}, func(c *cursor) error {
		one, err := customerAt(c)
		list = append(list, one)
		return err
	})
	return list, err
}

// lookNow reads when everything that was in the log at the call is folded.
func (v *Views) lookNow(ctx context.Context, work func(*reader) error) error {
	if _, err := v.CatchUp(ctx); err != nil {
		return err
	}
	return v.look(ctx, work)
}
