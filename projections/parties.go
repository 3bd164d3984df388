package projections

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
)

// parties is master data: the names that reports print. It has no business day, so a report of any day shows what was
// known of a party at the report's position: see party.
var parties = Model{
	Name: "parties", Version: 5,
	Kinds: []string{
		seller.Registered{}.Kind(), seller.Changed{}.Kind(), seller.PayeesSet{}.Kind(), seller.LateTermsSet{}.Kind(),
		customer.Registered{}.Kind(), customer.Changed{}.Kind(), customer.CreditLimitSet{}.Kind(),
		customer.Deactivated{}.Kind(), customer.Reactivated{}.Kind(), customer.LateTermsAgreed{}.Kind(),
		customer.Erased{}.Kind(),
	},
	Tables: []*Table{partiesSellers, partiesCustomers, sellers.changes, customers.changes},
	Fold:   foldParties,
}

var partiesSellers = &Table{
	Name: "parties_sellers",
	Key:  []Column{{Name: "seller", Type: Text}},
	Columns: []Column{
		partyPosition: {Name: "position"},
		sellerName:    {Name: "name", Type: Text}, sellerNameEn: {Name: "name_en", Type: Text},
		sellerCurrency: {Name: "base_currency", Type: Text}, sellerZone: {Name: "time_zone", Type: Text},
		sellerLanguage: {Name: "language", Type: Text},
		sellerPayees:   {Name: "payees", Type: Text}, sellerLate: {Name: "late_terms", Type: Text},
		sellerTolerance: {Name: "tolerance", Type: Text},
	},
}

const (
	sellerName = partyPosition + 1 + iota
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
		partyPosition: {Name: "position"},
		customerName:  {Name: "name", Type: Text}, customerKana: {Name: "kana", Type: Text},
		customerCountry: {Name: "country", Type: Text}, customerLanguage: {Name: "language", Type: Text},
		customerExternal: {Name: "external_id", Type: Text}, customerActive: {Name: "active"},
		customerGroup: {Name: "dunning_group", Type: Text}, customerMail: {Name: "mail_contact"}, customerPhone: {Name: "phone_contact"},
		customerLimit: {Name: "credit_limit", Type: Text}, customerLate: {Name: "late_terms", Type: Text},
		customerErased: {Name: "erased"},
	},
	Indexes: []Index{{Columns: []string{"erased"}, Where: "erased = 1"}},
}

const (
	customerName = partyPosition + 1 + iota
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

var sellers, customers = partyOf(partiesSellers), partyOf(partiesCustomers)

func foldParties(w *Writer, event domain.Event, r eventstore.Recorded) {
	ofSeller := func(id domain.SellerID) change { return w.change(sellers, r, Str(id)) }
	ofCustomer := func(k customer.Key) change { return w.change(customers, r, Str(k.Seller), Str(k.Customer)) }
	switch e := event.(type) {
	case seller.Registered:
		ofSeller(e.Seller).settings(e.Settings)
	case seller.Changed:
		ofSeller(e.Seller).settings(e.Settings)
	case seller.PayeesSet:
		ofSeller(e.Seller).PutText(sellerPayees, jsonText(e.Payees))
	case seller.LateTermsSet:
		ofSeller(e.Seller).PutText(sellerLate, jsonText(e.Terms))
	case customer.Registered:
		ofCustomer(e.Key).details(e.Details).Put(customerActive, 1).PutText(customerLimit, limitText(e.CreditLimit))
	case customer.Changed:
		ofCustomer(e.Key).details(e.Details)
	case customer.CreditLimitSet:
		ofCustomer(e.Key).PutText(customerLimit, limitText(e.CreditLimit))
	case customer.LateTermsAgreed:
		ofCustomer(e.Key).PutText(customerLate, jsonText(e.Terms))
	case customer.Deactivated:
		ofCustomer(e.Key).Put(customerActive, 0)
	case customer.Reactivated:
		ofCustomer(e.Key).Put(customerActive, 1)
	case customer.Erased:
		ofCustomer(e.Key).PutText(customerName, customer.ErasedName).PutText(customerKana, "").PutText(customerGroup, "").
			Put(customerActive, 0).Put(customerMail, 0).Put(customerPhone, 0).Put(customerErased, 1)
		for version := eventstore.Version(1); version < r.Version; version++ { // as if it had never been known
			w.Row(customers.changes, Str(e.Seller), Str(e.Customer), Int(version)).PutText(customerName, customer.ErasedName).PutText(customerKana, "").
				PutText(customerGroup, "").Put(customerMail, 0).Put(customerPhone, 0)
		}
	}
}

func (c change) settings(s seller.Settings) change {
	return c.PutText(sellerName, s.Name).PutText(sellerNameEn, s.NameEn).PutText(sellerCurrency, string(s.BaseCurrency)).
		PutText(sellerZone, s.TimeZone).PutText(sellerLanguage, string(s.Language)).PutText(sellerTolerance, limitText(s.Tolerance))
}

func (c change) details(d customer.Details) change {
	return c.PutText(customerName, d.Shown()).PutText(customerKana, d.Kana).PutText(customerCountry, d.Country).
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

// limitsIn reads what limitText wrote.
func limitsIn(text string) (limits []domain.Money) {
	for part := range strings.SplitSeq(text, ",") {
		currency, amount, _ := strings.Cut(part, " ")
		if minor, err := strconv.ParseInt(amount, 10, 64); err == nil {
			limits = append(limits, domain.NewMoney(minor, domain.Currency(currency)))
		}
	}
	return limits
}

// limitIn is the limit in a currency; the zero Money where there is none.
func limitIn(text string, c domain.Currency) domain.Money {
	for _, m := range limitsIn(text) {
		if m.Currency() == c {
			return m
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
