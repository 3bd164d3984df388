package dunning_test

import (
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

// 2026-07-20 is a Japanese holiday and a Monday; a seller elsewhere reminds on it, and keeps his own holidays.
func TestQuietByCalendar(t *testing.T) {
	p := dunning.Policy{BusinessDaysOnly: true}
	elsewhere := p
	elsewhere.BankDays = domain.BankDays{Calendar: domain.BanksWeekdays, Holidays: []domain.Date{day("07-03")}}
	for _, c := range []struct {
		policy dunning.Policy
		day    string
		next   string
	}{
		{p, "07-20", "07-21"},
		{p, "07-03", "07-03"},
		{p, "07-18", "07-21"},
		{elsewhere, "07-20", "07-20"},
		{elsewhere, "07-03", "07-06"},
		{elsewhere, "07-18", "07-20"},
	} {
		if got := c.policy.NextAllowed(day(c.day)); got != day(c.next) {
			t.Errorf("%+v: after %s comes %s", c.policy.BankDays, c.day, got)
		}
	}
	bad := plain().Policy
	bad.BankDays.Calendar = "US"
	policies(t).When(set("default", bad)).RefusedAt(domain.ErrUnknown, "/bank_days/calendar")
}
