package domain

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseDate(t *testing.T) {
	for _, text := range []string{"2026-02-28", "2028-02-29", "1900-01-01", "2999-12-31", "2000-02-29"} {
		if d, err := ParseDate(text); err != nil || d.String() != text {
			t.Errorf("%s: %s, %v", text, d, err)
		}
	}
	for _, text := range []string{
		"", "2026-02-29", "1900-02-29", "2026-00-01", "2026-13-01", "2026-01-00", "2026-01-32", "1899-12-31",
		"3000-01-01", "2026-1-1", "2026/01/01", "２026-01-01", "2026-01-01T", "-026-01-01", "2026-+1-01", "20260101",
	} {
		if d, err := ParseDate(text); !errors.Is(err, ErrBadDate) || !d.IsZero() {
			t.Errorf("%q reads as %s, %v", text, d, err)
		}
	}
}

func TestDayNumber(t *testing.T) {
	if n := DateOf(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)).DayNumber(); n != 1 {
		t.Errorf("0001-01-01 is day %d", n)
	}
	if n := NewDate(1970, 1, 1).DayNumber(); n != unixDay {
		t.Errorf("1970-01-01 is day %d", n)
	}
	// The same instant is another day in another zone.
	tokyo, instant := time.FixedZone("JST", 9*3600), time.Date(2026, 6, 30, 23, 0, 0, 0, time.UTC)
	if DateOf(instant) != NewDate(2026, 6, 30) || DateOf(instant.In(tokyo)) != NewDate(2026, 7, 1) {
		t.Error("DateOf must show the day of the time's own zone")
	}
}

// Date agrees with package time, and survives text, JSON and day numbers.
func TestDateRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(NewDate(1900, 1, 1).DayNumber(), NewDate(2999, 12, 31).DayNumber()).Draw(t, "day")
		d := DateFromDayNumber(n)
		want := time.Date(1, 1, int(n), 0, 0, 0, 0, time.UTC)
		if d.String() != want.Format(time.DateOnly) || d.Weekday() != want.Weekday() || d.DayNumber() != n || !d.Time().Equal(want) {
			t.Fatalf("day %d is %s, want %s", n, d, want)
		}
		if parsed, err := ParseDate(d.String()); err != nil || parsed != d {
			t.Fatalf("%s: %s, %v", d, parsed, err)
		}
		data, err := json.Marshal(d)
		var decoded Date
		if err != nil || json.Unmarshal(data, &decoded) != nil || decoded != d {
			t.Fatalf("%s: %s", d, data)
		}
		other := d.AddDays(rapid.IntRange(-500, 500).Draw(t, "more"))
		if days := other.DaysSince(d); d.AddDays(days) != other || (days < 0) != other.Before(d) || (days > 0) != other.After(d) ||
			(days > 0) != (d.Compare(other) < 0) || LaterOf(d, other).DaysSince(d) != max(days, 0) {
			t.Fatalf("%s and %s, %d days", d, other, days)
		}
	})
}

func TestNoDate(t *testing.T) {
	data, err := json.Marshal(Date{})
	if err != nil || string(data) != `""` {
		t.Errorf("%s, %v", data, err)
	}
	d := NewDate(2026, 1, 1)
	if err := json.Unmarshal(data, &d); err != nil || !d.IsZero() {
		t.Errorf("%s, %v", d, err)
	}
	for _, bad := range []string{`null`, `20260101`, `"x"`, `{}`} {
		if err := json.Unmarshal([]byte(bad), &d); err == nil {
			t.Errorf("%s reads as %s", bad, d)
		}
	}
}

func TestPeriod(t *testing.T) {
	a, b := NewDate(2026, 1, 1), NewDate(2026, 1, 31)
	for _, good := range []Period{{}, {a, b}, {a, a}} {
		if err := good.Check(); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []Period{{b, a}, {From: a}, {To: a}} {
		if err := bad.Check(); !errors.Is(err, ErrBadDate) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func FuzzDate(f *testing.F) {
	for _, seed := range []string{`"2026-02-28"`, `""`, `"`, `"2026-02-30"`, `null`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var d, again Date
		if d.UnmarshalJSON(data) != nil {
			return
		}
		encoded, err := json.Marshal(d)
		if err != nil || string(encoded) != string(data) || json.Unmarshal(encoded, &again) != nil || again != d {
			t.Fatalf("%q reads as %s and encodes as %s", data, d, encoded)
		}
	})
}
