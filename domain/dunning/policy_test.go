package dunning_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/scenario"
)

func set(id dunning.PolicyID, p dunning.Policy) dunning.SetDunningPolicy {
	return dunning.SetDunningPolicy{Seller: "midori", ID: id, On: day("06-01"), Policy: p, Reason: "agreed"}
}

func wasSet(id dunning.PolicyID, version int, p dunning.Policy) dunning.PolicySet {
	return dunning.PolicySet{Seller: "midori", ID: id, Version: version, SetOn: day("06-01"), Policy: p, Reason: "agreed"}
}

func policies(t *testing.T, events ...domain.Event) *scenario.Scenario[dunning.PolicyCommand, *dunning.Policies] {
	return scenario.For(t, dunning.PolicyDecider, dunning.Events).Given(events...)
}

func TestPoliciesHaveVersions(t *testing.T) {
	first, second := plain().Policy, plain().Policy
	second.GraceDays = 2
	s := policies(t).
		When(set("default", first)).Then(wasSet("default", 1, first)).
		When(set("default", first)).Refused(dunning.ErrNothingNew).
		When(set("default", second)).Then(wasSet("default", 2, second)).
		When(set("gentle", first)).Then(wasSet("gentle", 1, first))
	if p, ok := s.State().Get("default"); !ok || p.Version != 2 || p.GraceDays != 2 {
		t.Errorf("%+v", p)
	}
	if all := s.State().All(); len(all) != 2 || all[0].ID != "default" || all[1].ID != "gentle" {
		t.Errorf("%+v", all)
	}
	brief := first
	brief.MinimumDays, brief.OldBankData, brief.QuietSpans = 0, "", []dunning.QuietSpan{}
	brief.Levels = append([]dunning.Level(nil), first.Levels...)
	brief.Levels[0].LateCharge = ""
	filled := first
	filled.MinimumDays = 1
	policies(t).When(set("default", brief)).Then(wasSet("default", 1, filled))
}

func TestAssignments(t *testing.T) {
	assign := func(id dunning.PolicyID, customer domain.CustomerID, group string) dunning.AssignDunningPolicy {
		return dunning.AssignDunningPolicy{Seller: "midori", ID: id, Customer: customer, Group: group, On: day("06-02"), Reason: "old friends"}
	}
	assigned := func(id dunning.PolicyID, customer domain.CustomerID, group string) dunning.PolicyAssigned {
		return dunning.PolicyAssigned{Seller: "midori", ID: id, Customer: customer, Group: group, AssignedOn: day("06-02"), Reason: "old friends"}
	}
	s := policies(t, wasSet("default", 1, plain().Policy), wasSet("gentle", 1, plain().Policy), wasSet("strict", 1, plain().Policy)).
		When(assign("nice", "C1", "")).RefusedAt(dunning.ErrUnknownPolicy, "/policy").
		When(assign("gentle", "C1", "wholesale")).Refused(dunning.ErrOneTarget).
		When(assign("gentle", "", "")).Refused(dunning.ErrOneTarget).
		When(assign("gentle", "C1", "")).Then(assigned("gentle", "C1", "")).
		When(assign("gentle", "C1", "")).Refused(dunning.ErrNothingNew).
		When(assign("strict", "", "卸売")).Then(assigned("strict", "", "卸売"))
	for _, c := range []struct {
		customer domain.CustomerID
		group    string
		want     dunning.PolicyID
	}{{"C1", "卸売", "gentle"}, {"C2", "卸売", "strict"}, {"C2", "", "default"}, {"C2", "retail", "default"}} {
		if p, ok := s.State().For(c.customer, c.group); !ok || p.ID != c.want {
			t.Errorf("%s of %q: %s", c.customer, c.group, p.ID)
		}
	}
	s = s.When(assign("", "C1", "")).Then(assigned("", "C1", "")).
		When(assign("", "C1", "")).Refused(dunning.ErrNothingNew)
	if p, _ := s.State().For("C1", "卸売"); p.ID != "strict" {
		t.Errorf("%s after the assignment was taken back", p.ID)
	}
	if _, ok := policies(t).State().For("C1", ""); ok {
		t.Error("a seller without policies has one")
	}
}

func TestTooManyPolicies(t *testing.T) {
	s := policies(t)
	for i := range dunning.PoliciesMax {
		s = s.Given(wasSet(dunning.PolicyID("p"+string(rune('A'+i/26))+string(rune('A'+i%26))), 1, plain().Policy))
	}
	s.When(set("one-more", plain().Policy)).Refused(dunning.ErrTooManyPolicies)
}

func TestNonsense(t *testing.T) {
	for name, c := range map[string]struct {
		field  string
		want   *domain.Error
		change func(*dunning.SetDunningPolicy)
	}{
		"no seller":         {"/seller", domain.ErrBadID, func(c *dunning.SetDunningPolicy) { c.Seller = "" }},
		"no id":             {"/policy", domain.ErrBadID, func(c *dunning.SetDunningPolicy) { c.ID = "my policy" }},
		"no day":            {"/on", domain.ErrMissing, func(c *dunning.SetDunningPolicy) { c.On = domain.Date{} }},
		"no reason":         {"/reason", domain.ErrMissing, func(c *dunning.SetDunningPolicy) { c.Reason = "" }},
		"no level":          {"/levels", dunning.ErrNoLevel, func(c *dunning.SetDunningPolicy) { c.Levels = nil }},
		"too many levels":   {"/levels", dunning.ErrNoLevel, func(c *dunning.SetDunningPolicy) { c.Levels = make([]dunning.Level, dunning.LevelsMax+1) }},
		"levels not rising": {"/levels/2/days_after_due", dunning.ErrNotRising, func(c *dunning.SetDunningPolicy) { c.Levels[2].DaysAfterDue = 10 }},
		"one name":          {"/levels/2/level", dunning.ErrLevelTwice, func(c *dunning.SetDunningPolicy) { c.Levels[2].ID = "R1" }},
		"ahead, after the first": {"/levels/1/days_after_due", dunning.ErrBeforeDue, func(c *dunning.SetDunningPolicy) {
			c.Levels[0].DaysAfterDue, c.Levels[1].DaysAfterDue = -5, -3
		}},
		"ahead, but not courteous": {"/levels/0/tone", dunning.ErrBeforeDue, func(c *dunning.SetDunningPolicy) { c.Levels[0].DaysAfterDue = -5 }},
		"courteous, but late":      {"/levels/1/tone", dunning.ErrBeforeDue, func(c *dunning.SetDunningPolicy) { c.Levels[1].Tone = dunning.Courtesy }},
		"too far ahead":            {"/levels/0/days_after_due", dunning.ErrBadDays, func(c *dunning.SetDunningPolicy) { c.Levels[0].DaysAfterDue = -61 }},
		"a century later":          {"/levels/2/days_after_due", dunning.ErrBadDays, func(c *dunning.SetDunningPolicy) { c.Levels[2].DaysAfterDue = 36500 }},
		"level without id":         {"/levels/0/level", domain.ErrBadID, func(c *dunning.SetDunningPolicy) { c.Levels[0].ID = "" }},
		"title of two lines":       {"/levels/0/title", domain.ErrMalformed, func(c *dunning.SetDunningPolicy) { c.Levels[0].Title = "a\nb" }},
		"minimum of nothing":       {"/levels/0/minimum_amount/0", domain.ErrNotPositive, func(c *dunning.SetDunningPolicy) { c.Levels[0].MinimumAmount = []domain.Money{yen(0)} }},
		"two minimums":             {"/levels/0/minimum_amount/1", domain.ErrTwice, func(c *dunning.SetDunningPolicy) { c.Levels[0].MinimumAmount = []domain.Money{yen(1), yen(2)} }},
		"fee in no currency":       {"/levels/0/fee/0", domain.ErrBadCurrency, func(c *dunning.SetDunningPolicy) { c.Levels[0].Fee = []domain.Money{domain.NewMoney(1, "XXY")} }},
		"too many fees":            {"/levels/0/fee", domain.ErrTooLong, func(c *dunning.SetDunningPolicy) { c.Levels[0].Fee = make([]domain.Money, 51) }},
		"share of more than all":   {"/levels/0/minimum_share", dunning.ErrBadShare, func(c *dunning.SetDunningPolicy) { c.Levels[0].MinimumShare = 100_01 }},
		"by pigeon":                {"/levels/0/channel", domain.ErrUnknown, func(c *dunning.SetDunningPolicy) { c.Levels[0].Channel = "PIGEON" }},
		"no template":              {"/levels/0/template", domain.ErrBadID, func(c *dunning.SetDunningPolicy) { c.Levels[0].Template = "" }},
		"no tone":                  {"/levels/0/tone", domain.ErrUnknown, func(c *dunning.SetDunningPolicy) { c.Levels[0].Tone = "RUDE" }},
		"late charge":              {"/levels/0/late_charge", domain.ErrUnknown, func(c *dunning.SetDunningPolicy) { c.Levels[0].LateCharge = "DOUBLE" }},
		"nobody":                   {"/levels/0/who", domain.ErrUnknown, func(c *dunning.SetDunningPolicy) { c.Levels[0].Who = "" }},
		"final by an agency":       {"/levels/2/who", dunning.ErrCreditorsLevel, func(c *dunning.SetDunningPolicy) { c.Levels[2].Who = dunning.Agency }},
		"registered by an agency":  {"/levels/1/who", dunning.ErrCreditorsLevel, func(c *dunning.SetDunningPolicy) { c.Levels[1].Channel = dunning.RegisteredLetter }},
		"assessed by an agency":    {"/levels/1/who", dunning.ErrCreditorsLevel, func(c *dunning.SetDunningPolicy) { c.Levels[1].LateCharge = dunning.LateChargeAssessed }},
		"no language":              {"/language", domain.ErrUnknown, func(c *dunning.SetDunningPolicy) { c.Language = "fr" }},
		"grace for ever":           {"/grace_days", dunning.ErrBadDays, func(c *dunning.SetDunningPolicy) { c.GraceDays = 61 }},
		"negative grace":           {"/grace_days", dunning.ErrBadDays, func(c *dunning.SetDunningPolicy) { c.GraceDays = -1 }},
		"days between":             {"/minimum_days_between", dunning.ErrBadDays, func(c *dunning.SetDunningPolicy) { c.MinimumDays = 366 }},
		"age of bank data":         {"/bank_data_max_age", dunning.ErrBadDays, func(c *dunning.SetDunningPolicy) { c.BankDataMaxAge = 61 }},
		"old bank data":            {"/old_bank_data", domain.ErrUnknown, func(c *dunning.SetDunningPolicy) { c.OldBankData = "PRAY" }},
		"no such day":              {"/quiet_spans/0/to", dunning.ErrBadMonthDay, func(c *dunning.SetDunningPolicy) { c.QuietSpans = []dunning.QuietSpan{{From: "12-29", To: "02-30"}} }},
		"no such weekday":          {"/quiet_weekdays/0", domain.ErrUnknown, func(c *dunning.SetDunningPolicy) { c.QuietWeekdays = []dunning.Weekday{"MONDAY"} }},
		"quiet all year":           {"/quiet_spans", dunning.ErrAlwaysQuiet, func(c *dunning.SetDunningPolicy) { c.QuietSpans = []dunning.QuietSpan{{From: "03-01", To: "02-15"}} }},
		"quiet all week":           {"/quiet_spans", dunning.ErrAlwaysQuiet, func(c *dunning.SetDunningPolicy) { c.QuietWeekdays = dunning.Weekdays }},
		"weekends only, of banks": {"/quiet_spans", dunning.ErrAlwaysQuiet, func(c *dunning.SetDunningPolicy) {
			c.QuietWeekdays, c.BusinessDaysOnly = dunning.Weekdays[1:6], true
		}},
		"too many spans": {"/quiet_spans", domain.ErrTooLong, func(c *dunning.SetDunningPolicy) { c.QuietSpans = make([]dunning.QuietSpan, dunning.QuietSpansMax+1) }},
	} {
		command := set("default", plain().Policy)
		c.change(&command)
		t.Run(name, func(t *testing.T) { policies(t).When(command).RefusedAt(c.want, c.field) })
	}
	assign := dunning.AssignDunningPolicy{Seller: "m", ID: "a b", Customer: "c d", On: day("06-01"), Reason: "x"}
	policies(t).When(assign).RefusedAt(domain.ErrBadID, "/policy").When(assign).RefusedAt(domain.ErrBadID, "/customer")
	assign.Customer, assign.Group, assign.On, assign.Reason = "", strings.Repeat("x", dunning.GroupMax+1), domain.Date{}, ""
	policies(t).When(assign).RefusedAt(domain.ErrTooLong, "/group").When(assign).RefusedAt(domain.ErrMissing, "/on").
		When(assign).RefusedAt(domain.ErrMissing, "/reason")
}

// What is given to begin with is no nonsense, names consequences only at the end, and leaves what demands to the
// creditor.
func TestDefaultPolicies(t *testing.T) {
	for _, l := range []domain.Language{domain.Japanese, domain.English, "fr"} {
		p := dunning.DefaultPolicy(l)
		if err := p.Check(); err != nil {
			t.Errorf("%s: %v", l, err)
		}
		last := len(p.Levels) - 1
		for i, level := range p.Levels {
			if (level.Tone == dunning.Final) != (i == last) || level.Title == "" {
				t.Errorf("%s, level %d: %+v", l, i+1, level)
			}
			if level.Who == dunning.Creditor && level.DaysAfterDue < 45 || level.Who == dunning.Agency && level.Tone == dunning.Final {
				t.Errorf("%s, level %d: %+v", l, i+1, level)
			}
		}
		if p.Levels[0].Tone != dunning.Courtesy || p.Levels[1].Tone != dunning.Friendly {
			t.Errorf("%s begins %+v", l, p.Levels[:2])
		}
		policies(t).When(set("default", p)).Then(wasSet("default", 1, p))
	}
	if dunning.DefaultPolicy(domain.English).Levels[6].Title != "Final notice" || dunning.DefaultPolicy(domain.Japanese).Levels[6].Title != "最終催告" {
		t.Error("the titles are in another language")
	}
}

func TestQuietDays(t *testing.T) {
	p := dunning.Policy{
		QuietSpans: []dunning.QuietSpan{{From: "12-29", To: "01-03"}, {From: "08-13", To: "08-16"}}, QuietWeekdays: []dunning.Weekday{dunning.Friday},
	}
	banks := dunning.Policy{BusinessDaysOnly: true}
	for _, c := range []struct {
		policy   dunning.Policy
		on, next string
	}{
		{p, "2026-12-28", "2026-12-28"},
		{p, "2026-12-29", "2027-01-04"},
		{p, "2027-01-01", "2027-01-04"},
		{p, "2026-08-13", "2026-08-17"},
		{p, "2026-07-03", "2026-07-04"}, // a Friday
		{banks, "2026-05-02", "2026-05-07"},
		{banks, "2026-12-31", "2027-01-04"},
		{dunning.Policy{}, "2026-01-01", "2026-01-01"},
	} {
		on, _ := domain.ParseDate(c.on)
		if got := c.policy.NextAllowed(on); got.String() != c.next || c.policy.Quiet(on) != (c.on != c.next) {
			t.Errorf("%s: %s, want %s", c.on, got, c.next)
		}
	}
}

func TestPolicyWire(t *testing.T) {
	p := dunning.Policy{
		Language: domain.English, MinimumDays: 1, OldBankData: dunning.WarnOnOldData, QuietSpans: []dunning.QuietSpan{{From: "12-29", To: "01-03"}},
		Levels: []dunning.Level{{ID: "R1", DaysAfterDue: 3, MinimumShare: 12_50, Channel: dunning.SMS, Template: "t", Tone: dunning.Friendly, LateCharge: dunning.NoLateCharge, Who: dunning.Agency}},
	}
	data, err := json.Marshal(wasSet("default", 1, p))
	const want = `{"seller":"midori","policy":"default","version":1,"on":"2026-06-01","levels":[{"level":"R1","days_after_due":3,"minimum_share":"12.5",` +
		`"channel":"SMS","template":"t","tone":"FRIENDLY","late_charge":"NONE","who":"AGENCY"}],"language":"en",` +
		`"quiet_spans":[{"from":"12-29","to":"01-03"}],"minimum_days_between":1,"old_bank_data":"WARN","reason":"agreed"}`
	if err != nil || string(data) != want {
		t.Errorf("%s\n%v", data, err)
	}
	if got := dunning.PolicyDecider.Stream(set("x", p)); got != "policy-midori" {
		t.Error(got)
	}
	if err := dunning.CheckPolicy(dunning.SetDunningPolicy{}); !errors.Is(err, dunning.ErrNoLevel) {
		t.Error(err)
	}
}
