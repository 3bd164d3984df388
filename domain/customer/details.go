// Package customer keeps master data: who owes a seller, under which terms, up to which limit.
//
// Names and contacts of people stand here and nowhere else in the books; every other fact points to the customer by
// id. Fields marked personal may be encrypted in the log, so that a person can be forgotten and the amounts stay.
package customer

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/urikake/urikake/domain"
)

// Limits of a customer's data; lengths in bytes.
const (
	NameMax           = 300 // some 100 Japanese characters
	AddressMax        = 500
	CountryMax        = 8
	ExternalIDMax     = 128
	ContactsMax       = 20
	EmailMax          = 254
	PhoneMax          = 32
	RoleMax           = 64
	AttributesMax     = 50
	AttributeKeyMax   = 64
	AttributeValueMax = 500
	CreditLimitsMax   = 50 // currencies
	ReasonMax         = 1000
)

// Details are what a customer is known by.
type Details struct {
	Name       string            `json:"name" doc:"name, up to 300 bytes" personal:"true"`
	Kana       string            `json:"kana,omitzero" doc:"reading of the name, as remitters write it on transfers" personal:"true"`
	Contacts   []Contact         `json:"contacts,omitempty" doc:"people to write to, up to 20" personal:"true"`
	Address    string            `json:"address,omitzero" doc:"postal address, as it stands on letters: up to 500 bytes, in lines" personal:"true"`
	Language   domain.Language   `json:"language,omitzero" doc:"language of documents, ja or en; empty: the seller's"`
	Country    string            `json:"country,omitzero" doc:"ISO 3166 code such as JP, or the code of an older system, up to 8 bytes"`
	ExternalID string            `json:"external_id,omitzero" doc:"the customer's id in another system, up to 128 bytes"`
	Attributes map[string]string `json:"attributes,omitempty" doc:"free facts by name, up to 50" personal:"true"`
}

// Contact is a person, or a desk, at the customer; all of it is personal.
type Contact struct {
	Name  string `json:"name,omitzero" doc:"the person's name"`
	Email string `json:"email,omitzero" doc:"e-mail address"`
	Phone string `json:"phone,omitzero" doc:"telephone number"`
	Role  string `json:"role,omitzero" doc:"what the contact is for, such as billing"`
}

var (
	ErrBadEmail = &domain.Error{
		Code: domain.Invalid, Rule: "customer.bad_email",
		Text: "an e-mail address is written local@domain",
	}
	ErrEmptyContact = &domain.Error{
		Code: domain.Invalid, Rule: "customer.empty_contact",
		Text: "a contact has a name, an e-mail address or a telephone number",
	}
)

// Shown is the name for reports and letters. None can be empty but one whose key was destroyed.
func (d Details) Shown() string {
	if d.Name == "" {
		return ErasedName
	}
	return d.Name
}

// normal is d with one way to say "none".
func (d Details) normal() Details {
	if len(d.Contacts) == 0 {
		d.Contacts = nil
	}
	if len(d.Attributes) == 0 {
		d.Attributes = nil
	}
	return d
}

func (d Details) check(faults *domain.Faults) {
	faults.Add("/name", domain.CheckLine(d.Name, true, NameMax))
	faults.Add("/kana", domain.CheckLine(d.Kana, false, NameMax))
	faults.Add("/address", domain.CheckText(d.Address, false, AddressMax))
	faults.Add("/country", domain.CheckLine(d.Country, false, CountryMax))
	faults.Add("/external_id", domain.CheckLine(d.ExternalID, false, ExternalIDMax))
	if d.Language != "" {
		faults.Add("/language", d.Language.Check())
	}
	if len(d.Contacts) > ContactsMax {
		faults.Add("/contacts", domain.ErrTooLong.With("%d contacts, at most %d", len(d.Contacts), ContactsMax))
	} else {
		for i, contact := range d.Contacts {
			faults.Add("/contacts/"+strconv.Itoa(i), contact.check())
		}
	}
	d.checkAttributes(faults)
}

func (d Details) checkAttributes(faults *domain.Faults) {
	if len(d.Attributes) > AttributesMax {
		faults.Add("/attributes", domain.ErrTooLong.With("%d attributes, at most %d", len(d.Attributes), AttributesMax))
		return
	}
	for _, key := range slices.Sorted(maps.Keys(d.Attributes)) {
		if err := domain.CheckLine(key, true, AttributeKeyMax); err != nil {
			faults.Add("/attributes", err)
			continue
		}
		at := "/attributes/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
		faults.Add(at, domain.CheckText(d.Attributes[key], false, AttributeValueMax))
	}
}

func (c Contact) check() error {
	var faults domain.Faults
	faults.Require(c.Name != "" || c.Email != "" || c.Phone != "", "", ErrEmptyContact)
	faults.Add("/name", domain.CheckLine(c.Name, false, NameMax))
	faults.Add("/phone", domain.CheckLine(c.Phone, false, PhoneMax))
	faults.Add("/role", domain.CheckLine(c.Role, false, RoleMax))
	faults.Require(c.Email == "" || isEmail(c.Email), "/email", ErrBadEmail)
	return faults.Err()
}

// isEmail asks for no more than what keeps an address from breaking a mail header; whether mail arrives only shows
// when it is sent.
func isEmail(address string) bool {
	at := strings.LastIndexByte(address, '@')
	return at > 0 && at < len(address)-1 && len(address) <= EmailMax && utf8.ValidString(address) &&
		!strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`<>,;:"()[]\`, r) }) &&
		strings.Count(address, "@") == 1
}
