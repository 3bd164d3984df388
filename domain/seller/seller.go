// Package seller keeps the settings of a client company: the one whose money is owed, and for whom the billing
// agency works.
package seller

import (
	"strings"

	"github.com/urikake/urikake/domain"
)

// Limits of a seller's settings.
const (
	NameMax      = 300 // bytes, some 100 Japanese characters
	TimeZoneMax  = 64  // bytes
	ToleranceMax = 50  // currencies
	ReasonMax    = 1000
)

// Settings are what a seller may choose.
type Settings struct {
	Name          string          `json:"name" doc:"name on documents, up to 300 bytes"`
	NameEn        string          `json:"name_en,omitzero" doc:"name on English documents, up to 300 bytes"`
	TimeZone      string          `json:"time_zone" doc:"IANA time zone in which the seller's days begin, such as Asia/Tokyo"`
	BaseCurrency  domain.Currency `json:"base_currency" doc:"ISO 4217 code of the seller's own books"`
	Language      domain.Language `json:"language" doc:"language of documents where the customer has none: ja or en"`
	Rounding      domain.Rounding `json:"rounding" doc:"where fractions of the smallest unit go: DOWN (default), UP or HALF_UP"`
	Tolerance     []domain.Money  `json:"tolerance,omitempty" doc:"for each currency the largest difference on an invoice that may be settled as small (bank fees, roundings)"`
	DefaultSeries domain.Series   `json:"default_series" doc:"series that document numbers are taken from; INV by default"`
	BankDays      domain.BankDays `json:"bank_days,omitzero" doc:"on which days banks settle: due dates by terms and days that letters name are such; Japanese bank days when left out"`
}

// defaulted fills in what was left out.
func (s Settings) defaulted() Settings {
	if s.Rounding == "" {
		s.Rounding = domain.RoundDown
	}
	if s.DefaultSeries == "" {
		s.DefaultSeries = "INV"
	}
	if len(s.Tolerance) == 0 {
		s.Tolerance = nil
	}
	s.BankDays = s.BankDays.Normal()
	return s
}

func (s Settings) check(faults *domain.Faults) {
	faults.Add("/name", domain.CheckLine(s.Name, true, NameMax))
	faults.Add("/name_en", domain.CheckLine(s.NameEn, false, NameMax))
	faults.Require(isZone(s.TimeZone), "/time_zone", ErrBadTimeZone)
	faults.Add("/base_currency", s.BaseCurrency.Check())
	faults.Add("/language", s.Language.Check())
	faults.Add("/rounding", s.Rounding.Check())
	faults.Add("/default_series", s.DefaultSeries.Check())
	faults.Add("/bank_days", s.BankDays.Check())
	if len(s.Tolerance) > ToleranceMax {
		faults.Add("/tolerance", domain.ErrTooLong.With("%d currencies, at most %d", len(s.Tolerance), ToleranceMax))
	} else {
		faults.Add("/tolerance", domain.CheckPositiveList(s.Tolerance))
	}
}

// isZone looks at the form only: whether there is such a zone is asked where the zone database is read.
func isZone(name string) bool {
	area, city, ok := strings.Cut(name, "/")
	if !ok || len(name) > TimeZoneMax || area == "" || city == "" || strings.HasSuffix(city, "/") || strings.Contains(name, "//") {
		return name == "UTC"
	}
	return strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") == ""
}

var (
	ErrAlreadyRegistered = &domain.Error{
		Code: domain.Refused, Rule: "seller.already_registered",
		Text: "the seller is registered already; use ChangeSeller",
	}
	ErrUnknown = &domain.Error{
		Code: domain.NotFound, Rule: "seller.unknown",
		Text: "the seller is not registered; use RegisterSeller first",
	}
	ErrNothingNew = &domain.Error{
		Code: domain.Refused, Rule: "seller.nothing_new",
		Text: "the settings are these already",
	}
	ErrBadTimeZone = &domain.Error{
		Code: domain.Invalid, Rule: "seller.bad_time_zone",
		Text: "a time zone is UTC or an IANA name such as Asia/Tokyo",
	}
)
