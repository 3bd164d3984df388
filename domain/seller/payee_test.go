package seller_test

import (
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/seller"
)

func account() seller.Payee {
	return seller.Payee{
		Currency: "JPY", Bank: "みどり銀行", BankCode: "0001", Branch: "本店", BranchCode: "001", Kind: seller.Ordinary, Number: "0123456", Holder: "ﾐﾄﾞﾘｼﾖｳｶｲ(ｶ",
	}
}

func abroad() seller.Payee {
	return seller.Payee{Currency: "EUR", Bank: "Example Bank", Holder: "Midori Trading", IBAN: "DE89370400440532013000", BIC: "COBADEFFXXX"}
}

func set(payees ...seller.Payee) seller.SetPayees {
	return seller.SetPayees{Seller: "midori", Payees: payees, Reason: "new bank"}
}

func TestPayees(t *testing.T) {
	typed := account()
	typed.Holder = "ミドリショウカイ（カ"
	second := account()
	second.Number, second.Default = "7654321", true
	lines := seller.Payee{Currency: "USD", Lines: []string{"Example Bank, New York", "ABA 021000021"}}
	spaced := abroad()
	spaced.IBAN, spaced.BIC = "de89 3704 0044 0532 0130 00", "cobadeffxxx"
	s := given(t).
		When(set(account())).RefusedAt(seller.ErrUnknown, "/seller").
		Given(seller.Registered{Seller: "midori", Settings: settings()}).
		When(set()).Refused(seller.ErrNothingNew).
		When(set(typed, second, spaced, lines)).
		Then(seller.PayeesSet{Seller: "midori", Payees: []seller.Payee{account(), second, abroad(), lines}, Reason: "new bank"}).
		When(set(account(), second, abroad(), lines)).Refused(seller.ErrNothingNew)
	changed := settings()
	changed.Language = domain.English
	s = s.Given(seller.Changed{Seller: "midori", Settings: changed, Reason: "x"})
	for currency, want := range map[domain.Currency]string{"JPY": "7654321", "EUR": "", "USD": ""} {
		if p, ok := s.State().Payee(currency); !ok || p.Currency != currency || p.Number != want {
			t.Errorf("%s: %+v", currency, p)
		}
	}
	if _, ok := s.State().Payee("GBP"); ok {
		t.Error("an account for a currency that has none")
	}
	s.When(set(account(), account())).Then(seller.PayeesSet{Seller: "midori", Payees: []seller.Payee{account(), account()}, Reason: "new bank"}).
		When(set()).Then(seller.PayeesSet{Seller: "midori", Reason: "new bank"})
}

func TestPayeeFields(t *testing.T) {
	for name, c := range map[string]struct {
		field  string
		want   *domain.Error
		change func(*seller.Payee)
	}{
		"currency":    {"/payees/0/currency", domain.ErrBadCurrency, func(p *seller.Payee) { p.Currency = "YEN" }},
		"bank":        {"/payees/0/bank", domain.ErrMissing, func(p *seller.Payee) { p.Bank = "" }},
		"branch":      {"/payees/0/branch", domain.ErrMissing, func(p *seller.Payee) { p.Branch = "" }},
		"bank code":   {"/payees/0/bank_code", seller.ErrBadBankNumber, func(p *seller.Payee) { p.BankCode = "001" }},
		"branch code": {"/payees/0/branch_code", seller.ErrBadBankNumber, func(p *seller.Payee) { p.BranchCode = "0o1" }},
		"number":      {"/payees/0/number", seller.ErrBadBankNumber, func(p *seller.Payee) { p.Number = "123456" }},
		"wide digits": {"/payees/0/number", seller.ErrBadBankNumber, func(p *seller.Payee) { p.Number = "１２３４５６７" }},
		"kind":        {"/payees/0/kind", domain.ErrUnknown, func(p *seller.Payee) { p.Kind = "普通" }},
		"no holder":   {"/payees/0/holder", domain.ErrMissing, func(p *seller.Payee) { p.Holder = "" }},
		"kanji":       {"/payees/0/holder", domain.ErrNotZengin, func(p *seller.Payee) { p.Holder = "緑商会" }},
		"long holder": {"/payees/0/holder", domain.ErrTooLong, func(p *seller.Payee) {
			p.Holder = "ﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐﾐ"
		}},
		"both forms":    {"/payees/0", seller.ErrPayeeForm, func(p *seller.Payee) { p.IBAN = "DE89370400440532013000" }},
		"no form":       {"/payees/0", seller.ErrPayeeForm, func(p *seller.Payee) { *p = seller.Payee{Currency: "JPY"} }},
		"IBAN":          {"/payees/0/iban", seller.ErrBadIBAN, func(p *seller.Payee) { *p = abroad(); p.IBAN = "DE88370400440532013000" }},
		"IBAN's form":   {"/payees/0/iban", seller.ErrBadIBAN, func(p *seller.Payee) { *p = abroad(); p.IBAN = "D" }},
		"BIC":           {"/payees/0/bic", seller.ErrBadBIC, func(p *seller.Payee) { *p = abroad(); p.BIC = "COBADE" }},
		"IBAN's holder": {"/payees/0/holder", domain.ErrMissing, func(p *seller.Payee) { *p = abroad(); p.Holder = "" }},
		"a broken line": {"/payees/0/lines/0", domain.ErrMalformed, func(p *seller.Payee) { *p = seller.Payee{Currency: "USD", Lines: []string{"a\nb"}} }},
		"too many lines": {"/payees/0/lines", domain.ErrTooLong, func(p *seller.Payee) {
			*p = seller.Payee{Currency: "USD", Lines: make([]string, seller.PayeeLinesMax+1)}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := account()
			c.change(&p)
			given(t).When(set(p)).RefusedAt(c.want, c.field)
		})
	}
	first, second := account(), abroad()
	first.Default, second.Default = true, true
	third := first
	third.Number = "7654321"
	given(t).When(set(first, second, third)).RefusedAt(seller.ErrTwoDefaults, "/payees/2/default")
	given(t).When(set(make([]seller.Payee, seller.PayeesMax+1)...)).RefusedAt(domain.ErrTooLong, "/payees")
	none := set(account())
	none.Seller, none.Reason = "a.b", ""
	given(t).When(none).RefusedAt(domain.ErrBadID, "/seller").When(none).RefusedAt(domain.ErrMissing, "/reason")
}

func TestLateTerms(t *testing.T) {
	april, may := domain.NewDate(2026, 4, 1), domain.NewDate(2026, 5, 1)
	put := seller.SetLateTerms{Seller: "midori", Terms: []domain.LateTerms{{From: may, Statutory: true}, {From: april, Rate: 14_60}}, Reason: "new terms"}
	want := []domain.LateTerms{{From: april, Rate: 14_60, DayCount: domain.Act365}, {From: may, Statutory: true, DayCount: domain.CalendarYear}}
	wrong := put
	wrong.Terms = []domain.LateTerms{{From: april}}
	given(t).
		When(put).RefusedAt(seller.ErrUnknown, "/seller").
		Given(seller.Registered{Seller: "midori", Settings: settings()}).
		When(wrong).RefusedAt(domain.ErrBadLateTerms, "/terms/0/rate").
		When(put).Then(seller.LateTermsSet{Seller: "midori", Terms: want, Reason: "new terms"}).
		When(put).Refused(seller.ErrNothingNew).
		When(seller.SetLateTerms{Seller: "midori", Reason: "none"}).Then(seller.LateTermsSet{Seller: "midori", Reason: "none"})
}
