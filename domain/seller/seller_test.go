package seller_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/scenario"
	"github.com/urikake/urikake/domain/seller"
)

func settings() seller.Settings {
	return seller.Settings{
		Name: "株式会社みどり商会", NameEn: "Midori Trading", TimeZone: "Asia/Tokyo", BaseCurrency: "JPY", Language: domain.Japanese,
		Rounding: domain.RoundDown, DefaultSeries: "INV",
		Tolerance: []domain.Money{domain.NewMoney(880, "JPY"), domain.NewMoney(5_00, "USD")},
	}
}

func given(t *testing.T) *scenario.Scenario[seller.Command, *seller.State] {
	return scenario.For(t, seller.Decider, seller.Events)
}

func TestRegister(t *testing.T) {
	s := given(t).
		When(seller.RegisterSeller{Seller: "midori", Settings: settings()}).
		Then(seller.Registered{Seller: "midori", Settings: settings()}).
		When(seller.RegisterSeller{Seller: "midori", Settings: settings()}).RefusedAt(seller.ErrAlreadyRegistered, "/seller")
	state := s.State()
	if !state.Registered || state.Name != settings().Name || state.TimeZone != "Asia/Tokyo" {
		t.Errorf("%+v", state)
	}
	if state.Tolerance("JPY") != 880 || state.Tolerance("USD") != 500 || state.Tolerance("EUR") != 0 {
		t.Error("the tolerance is one amount a currency, none where none was set")
	}
}

func TestDefaults(t *testing.T) {
	brief := seller.Settings{Name: "Acme", TimeZone: "UTC", BaseCurrency: "USD", Language: domain.English, Tolerance: []domain.Money{}}
	want := brief
	want.Rounding, want.DefaultSeries, want.Tolerance = domain.RoundDown, "INV", nil
	given(t).
		When(seller.RegisterSeller{Seller: "acme", Settings: brief}).
		Then(seller.Registered{Seller: "acme", Settings: want}).
		When(seller.ChangeSeller{Seller: "acme", Settings: brief, Reason: "again"}).Refused(seller.ErrNothingNew)
}

func TestChange(t *testing.T) {
	moved := settings()
	moved.TimeZone, moved.Tolerance = "America/Argentina/Buenos_Aires", nil
	s := given(t).
		When(seller.ChangeSeller{Seller: "midori", Settings: moved, Reason: "moved"}).RefusedAt(seller.ErrUnknown, "/seller").
		Given(seller.Registered{Seller: "midori", Settings: settings()}).
		When(seller.ChangeSeller{Seller: "midori", Settings: settings(), Reason: "none"}).Refused(seller.ErrNothingNew).
		When(seller.ChangeSeller{Seller: "midori", Settings: moved}).RefusedAt(domain.ErrMissing, "/reason").
		When(seller.ChangeSeller{Seller: "midori", Settings: moved, Reason: "moved"}).
		Then(seller.Changed{Seller: "midori", Settings: moved, Reason: "moved"})
	if state := s.State(); state.TimeZone != moved.TimeZone || state.Tolerance("JPY") != 0 || !state.Registered {
		t.Errorf("%+v", state)
	}
}

func TestFields(t *testing.T) {
	for _, c := range []struct {
		field  string
		want   *domain.Error
		change func(*seller.RegisterSeller)
	}{
		{"/seller", domain.ErrBadID, func(c *seller.RegisterSeller) { c.Seller = "a.b" }},
		{"/name", domain.ErrMissing, func(c *seller.RegisterSeller) { c.Settings.Name = "" }},
		{"/name", domain.ErrTooLong, func(c *seller.RegisterSeller) { c.Settings.Name = strings.Repeat("x", seller.NameMax+1) }},
		{"/name_en", domain.ErrMalformed, func(c *seller.RegisterSeller) { c.NameEn = "Acme\nBcc: all" }},
		{"/time_zone", seller.ErrBadTimeZone, func(c *seller.RegisterSeller) { c.TimeZone = "JST" }},
		{"/base_currency", domain.ErrBadCurrency, func(c *seller.RegisterSeller) { c.BaseCurrency = "yen" }},
		{"/language", domain.ErrUnknown, func(c *seller.RegisterSeller) { c.Language = "" }},
		{"/rounding", domain.ErrUnknown, func(c *seller.RegisterSeller) { c.Rounding = "BANKERS" }},
		{"/default_series", domain.ErrBadSeries, func(c *seller.RegisterSeller) { c.DefaultSeries = "inv" }},
		{"/bank_days/calendar", domain.ErrUnknown, func(c *seller.RegisterSeller) { c.BankDays.Calendar = "US" }},
		{"/tolerance/0", domain.ErrNotPositive, func(c *seller.RegisterSeller) { c.Settings.Tolerance[0] = domain.NewMoney(0, "JPY") }},
		{"/tolerance/1", domain.ErrTwice, func(c *seller.RegisterSeller) { c.Settings.Tolerance[1] = domain.NewMoney(2, "JPY") }},
		{"/tolerance", domain.ErrTooLong, func(c *seller.RegisterSeller) {
			c.Settings.Tolerance = make([]domain.Money, seller.ToleranceMax+1)
		}},
	} {
		command := seller.RegisterSeller{Seller: "midori", Settings: settings()}
		c.change(&command)
		given(t).When(command).RefusedAt(c.want, c.field)
	}
	for _, zone := range []string{"", "/", "Asia/", "/Tokyo", "Asia//Tokyo", "Asia/Tokyo/", "../../etc/passwd\x00", "Asia/To kyo", "東/京", "Asia/" + strings.Repeat("x", 99)} {
		bad := settings()
		bad.TimeZone = zone
		given(t).When(seller.RegisterSeller{Seller: "midori", Settings: bad}).RefusedAt(seller.ErrBadTimeZone, "/time_zone")
	}
}

// The command's JSON is flat, and its names stand in every book that is ever written.
func TestWire(t *testing.T) {
	data, err := json.Marshal(seller.Registered{Seller: "midori", Settings: settings()})
	const want = `{"seller":"midori","name":"株式会社みどり商会","name_en":"Midori Trading","time_zone":"Asia/Tokyo","base_currency":"JPY",` +
		`"language":"ja","rounding":"DOWN","tolerance":[{"amount":"880","currency":"JPY"},{"amount":"5.00","currency":"USD"}],"default_series":"INV"}`
	if err != nil || string(data) != want {
		t.Errorf("%s\n%v", data, err)
	}
	for _, c := range []seller.Command{seller.RegisterSeller{Seller: "m"}, seller.ChangeSeller{Seller: "m"}} {
		if seller.Decider.Stream(c) != "seller-m" {
			t.Errorf("%s stands in %s", c.Name(), seller.Decider.Stream(c))
		}
	}
}

// A calendar that is written in two ways is one.
func TestBankDays(t *testing.T) {
	july, december := domain.NewDate(2026, 7, 3), domain.NewDate(2026, 12, 25)
	typed, want := settings(), settings()
	typed.BankDays = domain.BankDays{Calendar: domain.BanksJP, Holidays: []domain.Date{december, july, july}}
	want.BankDays = domain.BankDays{Holidays: []domain.Date{july, december}}
	given(t).
		When(seller.RegisterSeller{Seller: "midori", Settings: typed}).
		Then(seller.Registered{Seller: "midori", Settings: want}).
		When(seller.ChangeSeller{Seller: "midori", Settings: want, Reason: "x"}).Refused(seller.ErrNothingNew)
}
