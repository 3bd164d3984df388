package dunning_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/scenario"
)

// stateOf folds a case.
func stateOf(events ...domain.Event) *dunning.State {
	s := dunning.Decider.New()
	for _, e := range events {
		s = dunning.Decider.Evolve(s, e)
	}
	return s
}

// Every reason there is, each with the facts that explain it.
func TestWhy(t *testing.T) {
	one := func(open int64) dunning.Debtor { return owing(item("I1", "06-30", open)) }
	with := func(d dunning.Debtor, change func(*dunning.Debtor)) dunning.Debtor {
		change(&d)
		return d
	}
	second := queued()
	second.ID, second.Level, second.LevelID = "R-2", 2, "R2"
	upTo2 := []domain.Event{queued(), sent("R-1", "07-03", 1, "R1"), second, sent("R-2", "07-10", 2, "R2")}
	third := queued()
	third.ID, third.Level, third.LevelID = "R-3", 3, "R3"
	upTo3 := append(slices.Clone(upTo2), third, sent("R-3", "07-30", 3, "R3"))
	bank := plain()
	bank.BankDataMaxAge = 2
	warns := bank
	warns.OldBankData = dunning.WarnOnOldData
	quiet := plain()
	quiet.BusinessDaysOnly = true
	share := plain()
	share.Levels[0].MinimumShare = 50_00
	graced := plain()
	graced.GraceDays = 5
	ahead := plain()
	ahead.Levels = append([]dunning.Level{{ID: "PRE", DaysAfterDue: -5, Channel: dunning.Mail, Template: "pre", Tone: dunning.Courtesy, Who: dunning.Agency}}, ahead.Levels...)

	type facts = func(dunning.Decision) bool
	for name, c := range map[string]struct {
		policy dunning.Versioned
		case_  []domain.Event
		debtor dunning.Debtor
		on     string
		want   dunning.Why
		facts  facts
	}{
		"a level is reached on its day": {plain(), nil, one(11000), "07-03", dunning.WhyLevelReached, func(d dunning.Decision) bool {
			return d.Level == 1 && d.LevelID == "R1" && d.Due == yen(11000) && d.DaysOverdue == 3 && d.Reminds()
		}},
		"a day that was missed is made good": {plain(), nil, one(11000), "07-09", dunning.WhyLevelReached, func(d dunning.Decision) bool { return d.Level == 1 }},
		"one level at a time after a long pause": {plain(), nil, one(11000), "12-31", dunning.WhyLevelReached, func(d dunning.Decision) bool {
			return d.Level == 1 && len(d.Steps) == 1
		}},
		"not due yet": {plain(), nil, owing(item("I1", "07-31", 11000)), "07-03", dunning.WhyNothingDue, func(d dunning.Decision) bool {
			return d.AllowedFrom == day("08-03") && d.Open == yen(11000)
		}},
		"due today is not late":    {plain(), nil, one(11000), "06-30", dunning.WhyNothingDue, nil},
		"owes nothing":             {plain(), nil, owing(), "07-03", dunning.WhyNothingDue, func(d dunning.Decision) bool { return d.Steps == nil && d.AllowedFrom.IsZero() }},
		"in grace":                 {graced, nil, one(11000), "07-05", dunning.WhyNothingDue, func(d dunning.Decision) bool { return d.AllowedFrom == day("07-06") }},
		"out of grace":             {graced, nil, one(11000), "07-06", dunning.WhyLevelReached, nil},
		"no policy":                {dunning.Versioned{}, nil, one(11000), "07-03", dunning.WhyNoPolicy, nil},
		"the level's day is later": {plain(), nil, one(11000), "07-02", dunning.WhyNotReached, func(d dunning.Decision) bool { return d.Level == 1 && d.AllowedFrom == day("07-03") }},
		"below the minimum": {plain(), nil, one(999), "07-03", dunning.WhyBelowMinimum, func(d dunning.Decision) bool {
			return d.Minimum == yen(1000) && d.Due == yen(999)
		}},
		"below the share": {share, nil, owing(item("I1", "06-30", 4999), item("I2", "08-31", 5001)), "07-03", dunning.WhyBelowShare, func(d dunning.Decision) bool {
			return d.Minimum == yen(5000)
		}},
		"just the share": {share, nil, owing(item("I1", "06-30", 5000), item("I2", "08-31", 5000)), "07-03", dunning.WhyLevelReached, nil},
		"all in dispute": {plain(), nil, with(one(11000), func(d *dunning.Debtor) { d.Items[0].Disputed = yen(11000) }), "07-03", dunning.WhyDisputed, func(d dunning.Decision) bool {
			return d.Disputed == yen(11000) && d.Due == yen(0)
		}},
		"on hold": {plain(), []domain.Event{held(dunning.LawyerNotice, "07-01", "07-31")}, one(11000), "07-03", dunning.WhyOnHold, func(d dunning.Decision) bool {
			return d.Hold == dunning.LawyerNotice && d.Until == day("07-31") && d.AllowedFrom == day("08-01")
		}},
		"a hold that is over":         {plain(), []domain.Event{held(dunning.LawyerNotice, "07-01", "07-02")}, one(11000), "07-03", dunning.WhyLevelReached, nil},
		"a hold that has not begun":   {plain(), []domain.Event{held(dunning.LawyerNotice, "07-04", "")}, one(11000), "07-03", dunning.WhyLevelReached, nil},
		"a reminder waits":            {plain(), []domain.Event{queued()}, one(11000), "07-04", dunning.WhyPending, nil},
		"promised":                    {plain(), []domain.Event{promised("07-01", "07-31", 11000)}, one(11000), "07-03", dunning.WhyPromise, func(d dunning.Decision) bool { return d.Until == day("07-31") && d.AllowedFrom == day("08-01") }},
		"a promise on a bank holiday": {plain(), []domain.Event{promised("07-01", "07-20", 11000)}, one(11000), "07-21", dunning.WhyPromise, nil},
		"a plan runs":                 {plain(), []domain.Event{agreed()}, one(11000), "07-03", dunning.WhyPlan, func(d dunning.Decision) bool { return d.Until == day("09-30") }},
		"covered": {plain(), nil, with(one(11000), func(d *dunning.Debtor) { d.Unapplied = yen(11000) }), "07-03", dunning.WhyCovered, func(d dunning.Decision) bool {
			return d.Unapplied == yen(11000)
		}},
		"not quite covered": {plain(), nil, with(one(11000), func(d *dunning.Debtor) { d.Unapplied = yen(9000) }), "07-03", dunning.WhyLevelReached, func(d dunning.Decision) bool {
			return d.Reminder.ToPay == yen(2000) && d.Reminder.Due == yen(11000)
		}},
		"covered but for a trifle": {plain(), nil, with(one(11000), func(d *dunning.Debtor) { d.Unapplied = yen(10001) }), "07-03", dunning.WhyBelowMinimum, nil},
		"money of nobody known": {plain(), nil, with(one(11000), func(d *dunning.Debtor) { d.Unmatched = yen(1) }), "07-03", dunning.WhyUnmatched, func(d dunning.Decision) bool {
			return d.Unmatched == yen(1)
		}},
		"no address":      {plain(), nil, with(one(11000), func(d *dunning.Debtor) { d.Addresses[0].Channel = dunning.Letter }), "07-03", dunning.WhyNoChannel, nil},
		"a bank holiday":  {quiet, nil, one(11000), "07-04", dunning.WhyQuietDay, func(d dunning.Decision) bool { return d.AllowedFrom == day("07-06") }},
		"a business day":  {quiet, nil, one(11000), "07-06", dunning.WhyLevelReached, func(d dunning.Decision) bool { return d.Warnings == nil }},
		"old bank data":   {bank, nil, with(one(11000), func(d *dunning.Debtor) { d.BankDataOn = day("06-30") }), "07-03", dunning.WhyBankDataOld, func(d dunning.Decision) bool { return d.BankDataOn == day("06-30") }},
		"no bank data":    {bank, nil, one(11000), "07-03", dunning.WhyBankDataOld, nil},
		"fresh bank data": {bank, nil, with(one(11000), func(d *dunning.Debtor) { d.BankDataOn = day("07-01") }), "07-03", dunning.WhyLevelReached, nil},
		"a warning only": {warns, nil, one(11000), "07-03", dunning.WhyLevelReached, func(d dunning.Decision) bool {
			return slices.Equal(d.Warnings, []dunning.Why{dunning.WhyBankDataOld})
		}},
		"reminded recently": {plain(), []domain.Event{queued(), sent("R-1", "07-09", 1, "R1")}, one(11000), "07-11", dunning.WhyRecently, func(d dunning.Decision) bool {
			return d.DaysAgo == 2 && d.AllowedFrom == day("07-12") && d.Level == 2 && d.Reached == 1
		}},
		"a run as of an earlier day": {plain(), []domain.Event{queued(), sent("R-1", "07-20", 1, "R1")}, one(11000), "07-15", dunning.WhyEarlierDay, nil},
		"the creditor's level":       {plain(), upTo2, one(11000), "07-30", dunning.WhyNeedsCreditor, func(d dunning.Decision) bool { return d.LevelID == "R3" }},
		"the last level":             {plain(), upTo3, one(11000), "12-31", dunning.WhyLastLevel, nil},
		"returned":                   {plain(), []domain.Event{dunning.ReturnedToCreditor{ReturnedOn: day("07-01"), Reason: "x"}}, one(11000), "07-03", dunning.WhyReturned, nil},
		"handed over":                {plain(), []domain.Event{dunning.HandedOver{HandedOn: day("07-01"), To: dunning.Lawyer}}, one(11000), "07-03", dunning.WhyHandedOver, nil},
		"a notice ahead": {ahead, nil, owing(item("I1", "07-08", 500)), "07-03", dunning.WhyLevelReached, func(d dunning.Decision) bool {
			return d.LevelID == "PRE" && d.Reminder.Items[0].DaysOverdue == -5
		}},
		"60 days before it is due nobody is reminded": {ahead, nil, owing(item("I1", "08-31", 11000)), "07-02", dunning.WhyNothingDue, func(d dunning.Decision) bool { return d.AllowedFrom == day("08-26") }},
		"too late for a notice ahead":                 {ahead, nil, one(11000), "07-03", dunning.WhyLevelReached, func(d dunning.Decision) bool { return d.LevelID == "R1" && d.Level == 2 }},
	} {
		d := dunning.Decide(c.policy, stateOf(c.case_...), c.debtor, day(c.on), dunning.Agency)
		if d.Why != c.want || c.facts != nil && !c.facts(d) || d.Reminds() != (c.want == dunning.WhyLevelReached) {
			t.Errorf("%s: %s, %+v", name, d, d)
		}
		if !strings.HasPrefix(d.String(), string(d.Why)) {
			t.Errorf("%s: %s", name, d)
		}
	}
	if d := dunning.Decide(plain(), nil, one(11000), day("07-03"), dunning.Agency); !d.Reminds() {
		t.Errorf("without a case: %s", d)
	}
}

// One reminder lists everything that is late, each with what remains of it; what is in dispute is left out, and told.
func TestWhatAReminderSays(t *testing.T) {
	p := plain()
	p.Levels[0].LateCharge, p.Levels[0].Fee = dunning.LateChargeShown, []domain.Money{domain.NewMoney(1, "USD"), yen(300)}
	part, whole, soon := item("I2", "06-15", 4000), item("I3", "06-20", 7000), item("I4", "07-31", 9000)
	part.Disputed, part.LateCharge, whole.Disputed = yen(1500), yen(40), yen(7000)
	partlyPaid := item("I1", "06-30", 100) // of 110,000
	partlyPaid.LateCharge = yen(2)
	d := owing(soon, partlyPaid, whole, part)
	d.Unapplied, d.Language = yen(50), domain.English
	r := dunning.Decide(p, nil, d, day("07-03"), dunning.Agency).Reminder
	want := &dunning.Reminder{
		QueuedOn: day("07-03"), Generation: 1, Level: 1, LevelID: "R1", Policy: "default", Version: 3,
		Items: []dunning.ReminderItem{
			{Invoice: "I2", Number: "N-I2", DueOn: day("06-15"), Open: yen(2500), Disputed: yen(1500), DaysOverdue: 18},
			{Invoice: "I1", Number: "N-I1", DueOn: day("06-30"), Open: yen(100), DaysOverdue: 3},
		},
		Due: yen(2600), Disputed: yen(8500), Unapplied: yen(50), ToPay: yen(2550), LateChargeUse: dunning.LateChargeShown,
		LateCharge: yen(27), Fee: yen(300), Channel: dunning.Mail, Recipient: "contact:0", Template: "R1", Language: domain.English,
		Tone: dunning.Friendly, Who: dunning.Agency, Acting: dunning.Agency,
	}
	if diff := cmp.Diff(want, r, scenario.Options); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// A long list stays bounded; its totals don't.
func TestALongReminder(t *testing.T) {
	var items []dunning.Item
	for i := range dunning.ItemsMax + 7 {
		items = append(items, item(domain.InvoiceID("I"+strings.Repeat("x", i%60)+string(rune('a'+i%26))), "06-01", 10))
	}
	r := dunning.Decide(plain(), nil, owing(items...), day("07-03"), dunning.Agency).Reminder
	if len(r.Items) != dunning.ItemsMax || r.More != 7 || r.Due != yen(10*(dunning.ItemsMax+7)) {
		t.Errorf("%d items, %d more, %s", len(r.Items), r.More, r.Due)
	}
}

// What came of promises, plans and payments is found before anybody is reminded, and told step by step.
func TestSteps(t *testing.T) {
	paidOn := func(d dunning.Debtor, on string, amount int64) dunning.Debtor {
		d.Receipts = append(d.Receipts, dunning.Receipt{On: day(on), Amount: yen(amount)})
		return d
	}
	one := owing(item("I1", "06-30", 11000))
	listed := []domain.Event{queued(), sent("R-1", "07-03", 1, "R1")}
	bank := plain()
	bank.BankDataMaxAge = 30
	withBank := func(d dunning.Debtor, on string) dunning.Debtor { d.BankDataOn = day(on); return d }
	oneMissed := []domain.Event{agreed(), missed(1, "08-03", "07-31", 4000)}
	sale := agreed()
	sale.InstalmentSale = true
	for name, c := range map[string]struct {
		policy dunning.Versioned
		case_  []domain.Event
		debtor dunning.Debtor
		on     string
		want   string
		why    dunning.Why
	}{
		"kept":             {plain(), []domain.Event{promised("07-01", "07-31", 5000)}, paidOn(one, "07-10", 5000), "07-10", "SETTLE_PROMISE KEPT, REMIND", dunning.WhyLevelReached},
		"kept on the day":  {plain(), []domain.Event{promised("07-01", "07-10", 5000)}, paidOn(one, "07-10", 5000), "07-15", "SETTLE_PROMISE KEPT, REMIND", dunning.WhyLevelReached},
		"kept late":        {plain(), []domain.Event{promised("07-01", "07-10", 5000)}, paidOn(one, "07-13", 5000), "07-15", "SETTLE_PROMISE BROKEN, REMIND", dunning.WhyLevelReached},
		"partly":           {plain(), []domain.Event{promised("07-01", "07-10", 5000)}, paidOn(one, "07-05", 4999), "07-11", "SETTLE_PROMISE PARTLY_KEPT, REMIND", dunning.WhyLevelReached},
		"broken":           {plain(), []domain.Event{promised("07-01", "07-10", 5000)}, paidOn(one, "06-30", 5000), "07-11", "SETTLE_PROMISE BROKEN, REMIND", dunning.WhyLevelReached},
		"not over":         {plain(), []domain.Event{promised("07-01", "07-10", 5000)}, one, "07-10", "", dunning.WhyPromise},
		"not known yet":    {bank, []domain.Event{promised("07-01", "07-10", 5000)}, withBank(one, "07-09"), "07-11", "", dunning.WhyBankDataOld},
		"known now":        {bank, []domain.Event{promised("07-01", "07-10", 5000)}, withBank(one, "07-10"), "07-11", "SETTLE_PROMISE BROKEN, REMIND", dunning.WhyLevelReached},
		"broken, but held": {plain(), []domain.Event{promised("07-01", "07-10", 5000), held(dunning.Deceased, "07-02", "")}, one, "07-11", "SETTLE_PROMISE BROKEN", dunning.WhyOnHold},

		"paid":                          {plain(), listed, owing(), "07-10", "CLOSE_CASE", dunning.WhyNothingDue},
		"paid, with a promise":          {plain(), append(slices.Clone(listed), promised("07-04", "07-31", 11000)), paidOn(owing(), "07-05", 11000), "07-05", "SETTLE_PROMISE KEPT, CLOSE_CASE", dunning.WhyNothingDue},
		"credited, with a promise":      {plain(), append(slices.Clone(listed), promised("07-04", "07-31", 11000)), owing(), "07-05", "CLOSE_CASE", dunning.WhyNothingDue},
		"what was reminded is paid":     {plain(), listed, owing(item("I2", "07-01", 5000)), "07-10", "CLOSE_CASE, REMIND", dunning.WhyLevelReached},
		"paid, something else not due":  {plain(), listed, owing(item("I2", "08-31", 5000)), "07-10", "CLOSE_CASE", dunning.WhyNothingDue},
		"paid while a reminder waits":   {plain(), []domain.Event{queued()}, owing(), "07-10", "CLOSE_CASE", dunning.WhyNothingDue},
		"partly paid":                   {plain(), listed, owing(item("I1", "06-30", 10999)), "07-10", "REMIND", dunning.WhyLevelReached},
		"one of two is paid":            {plain(), listed, owing(item("I1", "06-30", 11000), item("I2", "07-01", 5000)), "07-10", "REMIND", dunning.WhyLevelReached},
		"paid after it was handed over": {plain(), append(slices.Clone(listed), dunning.HandedOver{HandedOn: day("07-04"), To: dunning.Lawyer}), owing(), "07-10", "CLOSE_CASE", dunning.WhyNothingDue},

		"an instalment is missed":     {plain(), []domain.Event{agreed()}, paidOn(one, "07-31", 3999), "08-03", "MISS_INSTALMENT 1", dunning.WhyPlan},
		"07-31 is a Friday":           {plain(), []domain.Event{agreed()}, one, "07-31", "", dunning.WhyPlan},
		"paid in time":                {plain(), []domain.Event{agreed()}, paidOn(one, "07-31", 4000), "08-03", "", dunning.WhyPlan},
		"missed once is missed once":  {plain(), oneMissed, one, "08-04", "", dunning.WhyPlan},
		"the second makes it all due": {plain(), oneMissed, one, "09-01", "MISS_INSTALMENT 2, ACCELERATE_PLAN MISSED_INSTALMENTS, REMIND", dunning.WhyLevelReached},
		"both found at once":          {plain(), []domain.Event{agreed()}, one, "09-01", "MISS_INSTALMENT 1, MISS_INSTALMENT 2, ACCELERATE_PLAN MISSED_INSTALMENTS, REMIND", dunning.WhyLevelReached},
		"late, but made good":         {plain(), oneMissed, paidOn(one, "08-20", 4000), "09-01", "MISS_INSTALMENT 2", dunning.WhyPlan},
		"a sale is called in by hand": {plain(), []domain.Event{sale}, one, "09-01", "MISS_INSTALMENT 1, MISS_INSTALMENT 2", dunning.WhyPlan},
		"insolvent":                   {plain(), []domain.Event{agreed(), held(dunning.Insolvency, "07-10", "")}, one, "07-10", "ACCELERATE_PLAN INSOLVENCY", dunning.WhyOnHold},
		"the plan is paid":            {plain(), []domain.Event{agreed()}, paidOn(owing(item("I9", "07-01", 5000)), "07-10", 11000), "07-10", "COMPLETE_PLAN, REMIND", dunning.WhyLevelReached},
		"the plan is over, not paid":  {plain(), []domain.Event{sale, missed(1, "08-03", "07-31", 4000), missed(2, "09-01", "08-31", 4000)}, one, "10-01", "MISS_INSTALMENT 3, REMIND", dunning.WhyLevelReached},
		"its bank data is not in yet": {bank, []domain.Event{agreed()}, withBank(one, "07-30"), "08-03", "", dunning.WhyPlan},
		"nor at the end of the plan":  {bank, []domain.Event{sale, missed(1, "08-03", "07-31", 4000), missed(2, "09-01", "08-31", 4000)}, withBank(one, "09-29"), "10-01", "", dunning.WhyBankDataOld},
	} {
		d := dunning.Decide(c.policy, stateOf(c.case_...), c.debtor, day(c.on), dunning.Agency)
		var steps []string
		for _, s := range d.Steps {
			words := []string{string(s.Do), string(s.Outcome), string(s.Trigger)}
			if s.Instalment > 0 {
				words = append(words, string(rune('0'+s.Instalment)))
			}
			steps = append(steps, strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " "))
		}
		if got := strings.Join(steps, ", "); got != c.want || d.Why != c.why {
			t.Errorf("%s: %s (%s), want %s (%s)", name, got, d, c.want, c.why)
		}
		carryOut(t, stateOf(c.case_...), c.policy, c.debtor, d, "again")
	}
}

// carryOut records a decision's steps by its own commands; once they are recorded nothing is left to do on that day.
func carryOut(t interface {
	Fatalf(string, ...any)
	Helper()
}, s *dunning.State, p dunning.Versioned, debtor dunning.Debtor, d dunning.Decision, id string,
) []domain.Event {
	t.Helper()
	var all []domain.Event
	for _, c := range d.Orders(dunning.Order{Key: debtor.Key}, "RUN") {
		r := dunning.Request{Command: dunning.WithID(c, id), Facts: facts(debtor)}
		r.Facts.Policy = p
		events, err := dunning.Decider.Decide(s, r)
		if err != nil {
			t.Fatalf("%s after %s: %v", c.Name(), d, err)
		}
		for _, e := range events {
			s = dunning.Decider.Evolve(s, e)
		}
		all = append(all, events...)
	}
	if again := dunning.Decide(p, s, debtor, d.On, dunning.Agency); len(again.Steps) > 0 {
		t.Fatalf("%s, and again %+v", d, again.Steps)
	}
	return all
}

// A policy that is changed while a case runs goes on where the other stood: nothing twice, nothing back.
func TestAnotherPolicyMeanwhile(t *testing.T) {
	debtor := owing(item("I1", "06-30", 11000))
	reached := stateOf(queued(), sent("R-1", "07-03", 1, "R1"))
	next := func(p dunning.Versioned, s *dunning.State) dunning.LevelID {
		return dunning.Decide(p, s, debtor, day("12-01"), dunning.Creditor).LevelID
	}
	ahead, shuffled, other := plain(), plain(), plain()
	ahead.Levels = append([]dunning.Level{{ID: "PRE", DaysAfterDue: -5, Tone: dunning.Courtesy}}, ahead.Levels...)
	shuffled.Levels[0].ID, shuffled.Levels[1].ID = "R2", "R1"
	for i, id := range []dunning.LevelID{"A", "B", "C"} {
		other.Levels[i].ID = id
	}
	third := queued()
	third.ID, third.Level, third.LevelID = "R-3", 2, "R2"
	both := stateOf(queued(), sent("R-1", "07-03", 1, "R1"), third, sent("R-3", "07-10", 2, "R2"))
	if got := next(ahead, reached); got != "R2" {
		t.Errorf("one level more before: %s", got)
	}
	if got := next(shuffled, both); got != "R3" {
		t.Errorf("levels in another order: %s", got)
	}
	if got := next(other, reached); got != "B" {
		t.Errorf("levels by other names: %s", got)
	}
}

func TestDecisionAsJSON(t *testing.T) {
	d := dunning.Decide(plain(), stateOf(held(dunning.Disputed, "07-01", "07-31")), owing(item("I1", "06-30", 11000)), day("07-03"), dunning.Agency)
	got, err := json.Marshal(d)
	const want = `{"on":"2026-07-03","why":"on_hold","level":1,"level_name":"R1","open":{"amount":"11000","currency":"JPY"},` +
		`"due":{"amount":"11000","currency":"JPY"},"oldest_due_on":"2026-06-30","days_overdue":3,` +
		`"allowed_from":"2026-08-01","hold":"DISPUTED","until":"2026-07-31"}`
	if err != nil || string(got) != want || d.String() != "on_hold DISPUTED level R1 until 2026-07-31 from 2026-08-01" {
		t.Errorf("%s\n%s\n%v", got, d, err)
	}
}

func TestRareCases(t *testing.T) {
	only := plain()
	only.Levels = []dunning.Level{{ID: "PRE", DaysAfterDue: -5, Channel: dunning.Mail, Template: "pre", Tone: dunning.Courtesy, Who: dunning.Agency}}
	debtor := owing(item("I1", "06-30", 11000))
	if d := dunning.Decide(only, nil, debtor, day("07-03"), dunning.Agency); d.Why != dunning.WhyLastLevel {
		t.Errorf("a policy of one notice ahead, and the day is past: %s", d)
	}
	banks := plain()
	banks.BusinessDaysOnly = true
	beyond := domain.NewDate(2028, 7, 3) // whose holidays nobody has published
	if d := dunning.Decide(banks, nil, debtor, beyond, dunning.Agency); !slices.Equal(d.Warnings, []dunning.Why{dunning.WhyProvisional}) || !d.Reminds() {
		t.Errorf("%s: %v", d, d.Warnings)
	}
	two := stateOf(held(dunning.Deceased, "07-01", ""), held(dunning.Disputed, "07-02", ""))
	if h, _ := two.Held(day("07-03")); h.Kind != dunning.Disputed {
		t.Errorf("%+v", h)
	}
	if d := dunning.Decide(plain(), two, debtor, day("07-03"), dunning.Agency); d.Hold != dunning.Disputed {
		t.Errorf("%s", d)
	}
}
