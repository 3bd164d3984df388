package domain

import (
	"strings"
	"testing"
	"time"
)

// The national holidays of 2026 and 2027 as the Cabinet Office published them, with the banks' year end.
func TestJapanBankDays(t *testing.T) {
	published := map[int]string{
		2026: "01-01 01-02 01-03 01-12 02-11 02-23 03-20 04-29 05-03 05-04 05-05 05-06 07-20 08-11 09-21 09-22 09-23 10-12 11-03 11-23 12-31",
		2027: "01-01 01-02 01-03 01-11 02-11 02-23 03-21 03-22 04-29 05-03 05-04 05-05 07-19 08-11 09-20 09-23 10-11 11-03 11-23 12-31",
	}
	cal := JapanBankDays()
	for year, days := range published {
		for d := NewDate(year, 1, 1); d.Year() == year; d = d.AddDays(1) {
			weekend := d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
			closed := weekend || strings.Contains(days, d.String()[5:])
			if cal.BusinessDay(d) == closed {
				t.Errorf("%s: business day %v", d, !closed)
			}
			if cal.Provisional(d) {
				t.Errorf("%s is published", d)
			}
		}
	}
}

func TestProvisional(t *testing.T) {
	for day, want := range map[string]bool{"2014-12-31": true, "2015-01-01": false, "2027-12-31": false, "2028-01-01": true} {
		if got := JapanBankDays().Provisional(date(t, day)); got != want {
			t.Errorf("%s: provisional %v", day, got)
		}
	}
	if (Calendar{}).Provisional(date(t, "2040-01-01")) {
		t.Error("weekends are never provisional")
	}
	// 2032-09-21 lies between two holidays; the computed calendar knows that rule beyond the published years.
	if d := date(t, "2032-09-21"); JapanBankDays().BusinessDay(d) || !JapanBankDays().Provisional(d) {
		t.Error("2032-09-21 is, provisionally, a holiday")
	}
	if d := date(t, "2043-09-22"); JapanBankDays().BusinessDay(d) {
		t.Error("2043-09-22 lies between two holidays")
	}
}
