package seller

import (
	"math/big"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/urikake/urikake/domain"
)

// AccountKind is what kind of account a Japanese bank keeps (預金種目).
type AccountKind string

const (
	Ordinary AccountKind = "ORDINARY" // 普通
	Current  AccountKind = "CURRENT"  // 当座
	Savings  AccountKind = "SAVINGS"  // 貯蓄
)

// Limits of payee accounts.
const (
	PayeesMax     = 50
	HolderMax     = 40 // characters of a Zengin name (口座名)
	PayeeLinesMax = 10
	PayeeLineMax  = 200 // bytes
)

// Payee is an account to be paid to (振込先), in one of three forms: a Japanese one with bank, branch, kind, number and
// holder; one with an IBAN; or plain lines, for all others.
type Payee struct {
	Currency   domain.Currency `json:"currency" doc:"ISO 4217 code of what is paid to it"`
	Default    bool            `json:"default,omitzero" doc:"letters name it where there are several in the currency; else the first"`
	Bank       string          `json:"bank,omitzero" doc:"name of the bank, up to 300 bytes"`
	BankCode   string          `json:"bank_code,omitzero" doc:"Zengin code of the bank, 4 digits"`
	Branch     string          `json:"branch,omitzero" doc:"name of the branch, up to 300 bytes"`
	BranchCode string          `json:"branch_code,omitzero" doc:"code of the branch, 3 digits"`
	Kind       AccountKind     `json:"kind,omitzero" doc:"ORDINARY (普通), CURRENT (当座) or SAVINGS (貯蓄)"`
	Number     string          `json:"number,omitzero" doc:"account number, 7 digits"`
	Holder     string          `json:"holder,omitzero" doc:"name of the account; on a Japanese one in kana, as banks write it, up to 40 characters"`
	IBAN       string          `json:"iban,omitzero" doc:"IBAN without spaces"`
	BIC        string          `json:"bic,omitzero" doc:"BIC of the bank (SWIFT code)"`
	Lines      []string        `json:"lines,omitempty" doc:"the account as plain text, up to 10 lines"`
}

var (
	ErrPayeeForm = &domain.Error{
		Code: domain.Invalid, Rule: "seller.payee_form",
		Text: "an account to be paid to is a Japanese one (bank, bank_code, branch, branch_code, kind, number, holder), or has an iban with holder, or lines",
	}
	ErrBadBankNumber = &domain.Error{
		Code: domain.Invalid, Rule: "bank.malformed_number",
		Text: "a bank code has 4 digits, a branch code 3, an account number 7 with its leading zeros",
	}
	ErrBadIBAN = &domain.Error{
		Code: domain.Invalid, Rule: "bank.malformed_iban",
		Text: "an IBAN has two letters, two check digits and up to 30 capitals and digits, without spaces; its check digits must be right (ISO 13616)",
	}
	ErrBadBIC = &domain.Error{
		Code: domain.Invalid, Rule: "bank.malformed_bic",
		Text: "a BIC has 8 or 11 capitals and digits such as BOTKJPJT (ISO 9362)",
	}
	ErrTwoDefaults = &domain.Error{
		Code: domain.Invalid, Rule: "seller.two_default_payees",
		Text: "one account of a currency may be the default",
	}
)

// japanese tells that any member of a Japanese account is given.
func (p Payee) japanese() bool {
	return p.BankCode != "" || p.Branch != "" || p.BranchCode != "" || p.Kind != "" || p.Number != ""
}

// normal is p with its names as banks write them.
func (p Payee) normal() Payee {
	if p.japanese() {
		p.Holder = domain.Zengin(p.Holder)
	}
	p.IBAN, p.BIC = strings.ToUpper(strings.ReplaceAll(p.IBAN, " ", "")), strings.ToUpper(p.BIC)
	if len(p.Lines) == 0 {
		p.Lines = nil
	}
	return p
}

func (p Payee) check() error {
	var f domain.Faults
	f.Add("/currency", p.Currency.Check())
	switch {
	case p.japanese():
		f.Require(p.IBAN == "" && p.BIC == "" && len(p.Lines) == 0, "", ErrPayeeForm)
		p.checkJapanese(&f)
	case p.IBAN != "":
		f.Require(len(p.Lines) == 0, "", ErrPayeeForm)
		f.Require(isIBAN(p.IBAN), "/iban", ErrBadIBAN.With("%.40q", p.IBAN))
		f.Require(p.BIC == "" || isBIC.MatchString(p.BIC), "/bic", ErrBadBIC.With("%.20q", p.BIC))
		f.Add("/bank", domain.CheckLine(p.Bank, false, NameMax))
		f.Add("/holder", domain.CheckLine(p.Holder, true, NameMax))
	default:
		f.Require(len(p.Lines) > 0 && p.Bank == "" && p.Holder == "" && p.BIC == "", "", ErrPayeeForm)
		p.checkLines(&f)
	}
	return f.Err()
}

func (p Payee) checkJapanese(f *domain.Faults) {
	f.Add("/bank", domain.CheckLine(p.Bank, true, NameMax))
	f.Add("/branch", domain.CheckLine(p.Branch, true, NameMax))
	digits(f, "/bank_code", p.BankCode, 4)
	digits(f, "/branch_code", p.BranchCode, 3)
	digits(f, "/number", p.Number, 7)
	switch p.Kind {
	case Ordinary, Current, Savings:
	default:
		f.Add("/kind", domain.ErrUnknown.With("kind %.40q, want ORDINARY, CURRENT or SAVINGS", string(p.Kind)))
	}
	if f.Require(p.Holder != "", "/holder", domain.ErrMissing); p.Holder != "" {
		f.Add("/holder", domain.CheckZengin(p.Holder, HolderMax))
	}
}

func (p Payee) checkLines(f *domain.Faults) {
	if len(p.Lines) > PayeeLinesMax {
		f.Add("/lines", domain.ErrTooLong.With("%d lines, at most %d", len(p.Lines), PayeeLinesMax))
		return
	}
	for i, line := range p.Lines {
		f.Add("/lines/"+strconv.Itoa(i), domain.CheckLine(line, true, PayeeLineMax))
	}
}

func digits(f *domain.Faults, field, s string, n int) {
	good := len(s) == n && strings.Trim(s, "0123456789") == ""
	f.Require(good, field, ErrBadBankNumber.With("%.20q, want %d digits", s, n))
}

var (
	isBIC   = regexp.MustCompile(`^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$`)
	ibanFor = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$`)
)

// isIBAN checks form and check digits: the number, letters as 10 to 35 and the first four characters last, is 1 modulo 97.
func isIBAN(s string) bool {
	if !ibanFor.MatchString(s) {
		return false
	}
	var b strings.Builder
	for _, r := range s[4:] + s[:4] {
		if r >= 'A' {
			b.WriteString(strconv.Itoa(int(r - 'A' + 10)))
			continue
		}
		b.WriteRune(r)
	}
	n, _ := new(big.Int).SetString(b.String(), 10)
	return new(big.Int).Mod(n, big.NewInt(97)).Int64() == 1
}

// Payee is the account that letters name for what is owed in a currency: the default one, else the first; ok is false
// where there is none.
func (s *State) Payee(c domain.Currency) (payee Payee, ok bool) {
	for _, p := range s.Payees {
		if p.Currency == c && (p.Default || !ok) {
			payee, ok = p, true
			if p.Default {
				break
			}
		}
	}
	return payee, ok
}

// SetPayees replaces the accounts that a seller is paid to; letters name one of them from then on, whatever the day they
// bear. It is a command of its own, so that no change of other settings touches an account, and each change says why.
// Refuses seller.unknown, seller.nothing_new, seller.payee_form, seller.two_default_payees, and each field by its own rule.
type SetPayees struct {
	Seller domain.SellerID `json:"seller" doc:"the seller's id"`
	Payees []Payee         `json:"payees,omitempty" doc:"all accounts, up to 50; absent: none, letters refer to the invoices"`
	Reason string          `json:"reason" doc:"why, up to 1000 bytes"`
}

func (SetPayees) Name() string { return "SetPayees" }

// Of is the seller whose accounts they are.
func (c SetPayees) Of() domain.SellerID { return c.Seller }

func (c SetPayees) stream() string { return Stream(c.Seller) }

func (c SetPayees) decide(s *State) ([]domain.Event, error) {
	var payees []Payee
	for _, p := range c.Payees {
		payees = append(payees, p.normal())
	}
	if err := c.check(payees); err != nil {
		return nil, err
	}
	switch {
	case !s.Registered:
		return nil, ErrUnknown.With("%s", c.Seller).At("/seller")
	case reflect.DeepEqual(payees, s.Payees):
		return nil, ErrNothingNew.With("%s", c.Seller)
	}
	return []domain.Event{PayeesSet{c.Seller, payees, c.Reason}}, nil
}

func (c SetPayees) check(payees []Payee) error {
	var f domain.Faults
	f.Add("/seller", domain.CheckID(c.Seller))
	f.Add("/reason", domain.CheckText(c.Reason, true, ReasonMax))
	if len(payees) > PayeesMax {
		f.Add("/payees", domain.ErrTooLong.With("%d accounts, at most %d", len(payees), PayeesMax))
		return f.Err()
	}
	defaults := make(map[domain.Currency]bool)
	for i, p := range payees {
		at := "/payees/" + strconv.Itoa(i)
		f.Add(at, p.check())
		f.Require(!p.Default || !defaults[p.Currency], at+"/default", ErrTwoDefaults.With("%.10q", string(p.Currency)))
		defaults[p.Currency] = defaults[p.Currency] || p.Default
	}
	return f.Err()
}

// PayeesSet says to which accounts a seller is paid, and why they were changed.
type PayeesSet struct {
	Seller domain.SellerID `json:"seller" doc:"the seller's id"`
	Payees []Payee         `json:"payees,omitempty" doc:"all accounts; absent: none"`
	Reason string          `json:"reason" doc:"why"`
}

func (PayeesSet) Kind() string     { return "seller.payees_set" }
func (e PayeesSet) apply(s *State) { s.Payees = e.Payees }
