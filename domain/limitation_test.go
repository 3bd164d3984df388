package domain

import (
	"errors"
	"testing"

	"pgregory.net/rapid"
)

func TestLimitation(t *testing.T) {
	due := NewDate(2026, 9, 30)
	day := func(s string) Date { return date(t, s) }
	for _, c := range []struct {
		name string
		acts []LimitationAct
		on   string
		want string
	}{
		{"nothing was done", nil, "2027-01-01", "2031-09-30"},
		{"part payment", []LimitationAct{{Kind: Acknowledgement, On: day("2028-05-15")}}, "2028-06-01", "2033-05-15"},
		{"demand near the end", []LimitationAct{{Kind: Demand, On: day("2031-08-01")}}, "2031-08-01", "2032-02-01"},
		{"demand too early to matter", []LimitationAct{{Kind: Demand, On: day("2031-01-10")}}, "2031-02-01", "2031-09-30"},
		{"a repeated demand has no effect", []LimitationAct{{Kind: Demand, On: day("2031-08-01")}, {Kind: Demand, On: day("2032-01-15")}}, "2032-01-20", "2032-02-01"},
		{"in any order", []LimitationAct{{Kind: Demand, On: day("2032-01-15")}, {Kind: Demand, On: day("2031-08-01")}}, "2032-01-20", "2032-02-01"},
		{"a demand after the end", []LimitationAct{{Kind: Demand, On: day("2031-10-01")}}, "2031-10-02", "2031-09-30"},
		{"an acknowledgement after the end", []LimitationAct{{Kind: Acknowledgement, On: day("2031-10-01")}}, "2031-10-02", "2031-09-30"},
		{"an acknowledgement while a demand holds it up", []LimitationAct{{Kind: Demand, On: day("2031-08-01")}, {Kind: Acknowledgement, On: day("2031-12-01")}}, "2032-01-01", "2036-12-01"},
		{"what is done later is not known yet", []LimitationAct{{Kind: Acknowledgement, On: day("2028-05-15")}}, "2028-05-14", "2031-09-30"},
		{"negotiations for a year", []LimitationAct{{Kind: Negotiation, On: day("2031-06-01")}}, "2031-06-01", "2032-06-01"},
		{"negotiations as long as agreed", []LimitationAct{{Kind: Negotiation, On: day("2031-06-01"), Until: day("2031-12-31")}}, "2031-06-01", "2031-12-31"},
		{"negotiations refused", []LimitationAct{{Kind: Negotiation, On: day("2031-06-01"), EndedOn: day("2031-08-10")}}, "2031-08-10", "2032-02-10"},
		{"no negotiations while a demand holds it up", []LimitationAct{{Kind: Demand, On: day("2031-08-01")}, {Kind: Negotiation, On: day("2031-09-01")}}, "2031-09-02", "2032-02-01"},
		{"no demand while negotiations hold it up", []LimitationAct{{Kind: Negotiation, On: day("2031-06-01"), Until: day("2031-12-31")}, {Kind: Demand, On: day("2031-12-01")}}, "2031-12-02", "2031-12-31"},
		{"negotiations go on for five years at most", []LimitationAct{
			{Kind: Negotiation, On: day("2031-09-01")},
			{Kind: Negotiation, On: day("2032-08-31")},
			{Kind: Negotiation, On: day("2033-08-30")},
			{Kind: Negotiation, On: day("2034-08-29")},
			{Kind: Negotiation, On: day("2035-08-28")},
			{Kind: Negotiation, On: day("2036-08-20")},
		}, "2036-09-01", "2036-09-30"},
		{"a suit is pending", []LimitationAct{{Kind: Claim, On: day("2031-09-01")}}, "2033-01-01", ""},
		{"judgment", []LimitationAct{{Kind: Claim, On: day("2031-09-01"), EndedOn: day("2032-03-10"), Success: true}}, "2032-04-01", "2042-03-10"},
		{"judgment not known yet", []LimitationAct{{Kind: Claim, On: day("2031-09-01"), EndedOn: day("2032-03-10"), Success: true}}, "2032-03-09", ""},
		{"a suit withdrawn", []LimitationAct{{Kind: Claim, On: day("2031-09-01"), EndedOn: day("2032-03-10")}}, "2032-04-01", "2032-09-10"},
		{"acknowledged after a judgment", []LimitationAct{
			{Kind: Claim, On: day("2031-09-01"), EndedOn: day("2032-03-10"), Success: true}, {Kind: Acknowledgement, On: day("2033-01-01")},
		}, "2033-02-01", "2042-03-10"},
		{"execution carried through", []LimitationAct{{Kind: Enforcement, On: day("2031-09-01"), EndedOn: day("2032-03-10"), Success: true}}, "2032-04-01", "2037-03-10"},
		{"execution withdrawn", []LimitationAct{{Kind: Enforcement, On: day("2031-09-01"), EndedOn: day("2032-03-10")}}, "2032-04-01", "2032-09-10"},
		{"provisional attachment", []LimitationAct{{Kind: Attachment, On: day("2031-09-01"), EndedOn: day("2032-03-10"), Success: true}}, "2032-04-01", "2032-09-10"},
	} {
		until, status, err := Limitation(due, c.acts, day(c.on))
		if err != nil || until.String() != c.want || (status == LimitationSuspended) != (c.want == "") {
			t.Errorf("%s: %q, %s (%v), want %q", c.name, until, status, err, c.want)
		}
	}
}

func TestLimitationWarns(t *testing.T) {
	due := NewDate(2026, 9, 30) // until 2031-09-30
	for on, want := range map[string]LimitationStatus{
		"2030-09-29": LimitationRuns, "2030-09-30": LimitationIn12, "2031-03-29": LimitationIn12, "2031-03-30": LimitationIn6,
		"2031-06-29": LimitationIn6, "2031-06-30": LimitationIn3, "2031-09-30": LimitationIn3, "2031-10-01": LimitationReached,
	} {
		if _, got, err := Limitation(due, nil, date(t, on)); err != nil || got != want {
			t.Errorf("%s: %s (%v), want %s", on, got, err, want)
		}
	}
}

// The day of the due date does not count, and a month without the day ends with its last (Civil Code 140, 143).
func TestLimitationByTheCalendar(t *testing.T) {
	for due, want := range map[string]string{"2027-02-28": "2032-02-29", "2024-02-29": "2029-02-28", "2023-02-28": "2028-02-29", "2026-12-31": "2031-12-31"} {
		if got, _, err := Limitation(date(t, due), nil, date(t, due)); err != nil || got.String() != want {
			t.Errorf("due %s: %s (%v), want %s", due, got, err, want)
		}
	}
	for from, want := range map[string]string{"2031-08-31": "2032-02-29", "2031-08-30": "2032-02-29", "2031-08-28": "2032-02-28", "2030-08-30": "2031-02-28"} {
		if got := after(date(t, from), 6); got.String() != want {
			t.Errorf("six months from %s: %s, want %s", from, got, want)
		}
	}
}

func TestLimitationRefuses(t *testing.T) {
	due := NewDate(2026, 9, 30)
	for _, c := range []struct {
		start, on Date
		acts      []LimitationAct
		want      *Error
	}{
		{Date{}, due, nil, ErrBadDate},
		{due, Date{}, nil, ErrBadDate},
		{NewDate(2020, 3, 31), due, nil, ErrOldLimitation},
		{due, due, []LimitationAct{{Kind: "PRAYER", On: due}}, ErrUnknown},
		{due, due, []LimitationAct{{Kind: Demand}}, ErrBadDate},
		{due, due, []LimitationAct{{Kind: Claim, On: due, EndedOn: due.AddDays(-1)}}, ErrBadDate},
		{due, due, []LimitationAct{{Kind: Negotiation, On: due, Until: due.AddDays(-1)}}, ErrBadDate},
	} {
		if _, _, err := Limitation(c.start, c.acts, c.on); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// Nothing that a creditor does brings the end nearer.
func TestActsNeverShortenLimitation(t *testing.T) {
	kinds := []LimitationKind{Demand, Acknowledgement, Negotiation, Claim, Enforcement, Attachment}
	rapid.Check(t, func(t *rapid.T) {
		due := NewDate(2026, 9, 30)
		on := due.AddDays(rapid.IntRange(0, 9000).Draw(t, "on"))
		acts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) LimitationAct {
			a := LimitationAct{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), On: due.AddDays(rapid.IntRange(0, 3000).Draw(t, "day"))}
			if rapid.Bool().Draw(t, "ended") {
				a.EndedOn = a.On.AddDays(rapid.IntRange(0, 500).Draw(t, "for"))
			}
			a.Success = rapid.Bool().Draw(t, "success")
			return a
		}), 0, 6).Draw(t, "acts")
		until, status, err := Limitation(due, acts, on)
		if err != nil {
			t.Fatal(err)
		}
		if status != LimitationSuspended && until.Before(NewDate(2031, 9, 30)) {
			t.Fatalf("%s", until)
		}
	})
}
