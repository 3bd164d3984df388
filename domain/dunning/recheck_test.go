package dunning_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

// What changed between the run and the sending keeps a reminder from going out wrongly.
func TestRecheck(t *testing.T) {
	with := func(change func(*dunning.Debtor)) dunning.Debtor {
		d := owing(item("I1", "06-30", 11000))
		change(&d)
		return d
	}
	same := with(func(*dunning.Debtor) {})
	bank, quiet := plain(), plain()
	bank.BankDataMaxAge, quiet.BusinessDaysOnly = 2, true
	warns := bank
	warns.OldBankData = dunning.WarnOnOldData
	accelerated := dunning.PlanAccelerated{Plan: "L", FoundOn: day("07-03"), EffectiveOn: day("07-03")}
	for name, c := range map[string]struct {
		policy dunning.Versioned
		since  []domain.Event
		debtor dunning.Debtor
		on     string
		want   dunning.Verdict
	}{
		"nothing happened":        {plain(), nil, same, "07-03", dunning.Verdict{Send: true, Why: dunning.WhyLevelReached}},
		"sent already":            {plain(), []domain.Event{sent("R-1", "07-03", 1, "R1")}, same, "07-03", dunning.Verdict{Why: dunning.WhySettled}},
		"paid":                    {plain(), nil, owing(), "07-03", dunning.Verdict{Why: dunning.WhyPaid, Drop: dunning.DropPaid}},
		"partly paid":             {plain(), nil, with(func(d *dunning.Debtor) { d.Items[0].Open = yen(1) }), "07-03", dunning.Verdict{Why: dunning.WhyChanged, Drop: dunning.DropChanged}},
		"more time":               {plain(), nil, with(func(d *dunning.Debtor) { d.Items[0].DueOn = day("07-31") }), "07-03", dunning.Verdict{Why: dunning.WhyChanged, Drop: dunning.DropChanged}},
		"money came, not applied": {plain(), nil, with(func(d *dunning.Debtor) { d.Unapplied = yen(11000) }), "07-03", dunning.Verdict{Why: dunning.WhyCovered, Drop: dunning.DropPaid}},
		"some money came":         {plain(), nil, with(func(d *dunning.Debtor) { d.Unapplied = yen(1) }), "07-03", dunning.Verdict{Why: dunning.WhyChanged, Drop: dunning.DropChanged}},
		"somebody's money came":   {plain(), nil, with(func(d *dunning.Debtor) { d.Unmatched = yen(1) }), "07-03", dunning.Verdict{Why: dunning.WhyUnmatched, Drop: dunning.DropUnmatched}},
		"disputed":                {plain(), nil, with(func(d *dunning.Debtor) { d.Items[0].Disputed = yen(1) }), "07-03", dunning.Verdict{Why: dunning.WhyDisputed, Drop: dunning.DropDisputed}},
		"a dispute was recorded":  {plain(), []domain.Event{held(dunning.Disputed, "07-03", "")}, same, "07-03", dunning.Verdict{Why: dunning.WhyOnHold, Drop: dunning.DropDisputed}},
		"held":                    {plain(), []domain.Event{held(dunning.Deceased, "07-03", "")}, same, "07-03", dunning.Verdict{Why: dunning.WhyOnHold, Drop: dunning.DropHeld}},
		"promised":                {plain(), []domain.Event{promised("07-03", "07-10", 1)}, same, "07-03", dunning.Verdict{Why: dunning.WhyPromise, Drop: dunning.DropHeld}},
		"a plan was agreed":       {plain(), []domain.Event{agreed()}, same, "07-03", dunning.Verdict{Why: dunning.WhyPlan, Drop: dunning.DropHeld}},
		"the plan is accelerated": {plain(), []domain.Event{agreed(), accelerated}, same, "07-03", dunning.Verdict{Send: true, Why: dunning.WhyLevelReached}},
		"returned":                {plain(), []domain.Event{dunning.ReturnedToCreditor{}}, same, "07-03", dunning.Verdict{Why: dunning.WhyReturned, Drop: dunning.DropAway}},
		"handed over":             {plain(), []domain.Event{dunning.HandedOver{To: dunning.Lawyer}}, same, "07-03", dunning.Verdict{Why: dunning.WhyHandedOver, Drop: dunning.DropAway}},
		"no address any more":     {plain(), nil, with(func(d *dunning.Debtor) { d.Addresses = nil }), "07-03", dunning.Verdict{Why: dunning.WhyNoChannel, Drop: dunning.DropNoAddress}},
		"a Saturday":              {quiet, nil, same, "07-04", dunning.Verdict{Why: dunning.WhyQuietDay, Until: day("07-06")}},
		"no bank data":            {bank, nil, same, "07-03", dunning.Verdict{Why: dunning.WhyBankDataOld, Until: day("07-04")}},
		"no bank data, a warning": {warns, nil, same, "07-03", dunning.Verdict{Send: true, Why: dunning.WhyLevelReached}},
	} {
		events := append([]domain.Event{queued()}, c.since...)
		if got := dunning.Recheck(c.policy, queued().Reminder, stateOf(events...), c.debtor, day(c.on)); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	if got := dunning.Recheck(plain(), queued().Reminder, nil, same, day("07-03")); got.Send {
		t.Error("sent without a case")
	}
	byHand := queued()
	byHand.Run, byHand.Acting = "", dunning.Creditor
	if got := dunning.Recheck(quiet, byHand.Reminder, stateOf(byHand, held(dunning.Disputed, "07-03", "")), same, day("07-04")); !got.Send {
		t.Errorf("the creditor's own, by hand: %+v", got)
	}
}

// The policy that holds when it goes out decides: what it would not remind of any more is dropped, what is a matter of days
// waits, and what it leaves as it is goes out.
func TestRecheckByAnotherPolicy(t *testing.T) {
	before := queued()
	before.ID, before.QueuedOn = "R-0", day("06-20")
	earlier := []domain.Event{before, sent("R-0", "06-20", 1, "R1"), dunning.CaseClosed{Generation: 1, ClosedOn: day("06-25")}}
	policy := dunning.Verdict{Drop: dunning.DropPolicy}
	why := func(w dunning.Why, v dunning.Verdict) dunning.Verdict { v.Why = w; return v }
	waits := func(w dunning.Why, until string) dunning.Verdict { return dunning.Verdict{Why: w, Until: day(until)} }
	for name, c := range map[string]struct {
		change func(*dunning.Versioned)
		want   dunning.Verdict
	}{
		"nothing that matters":   {func(p *dunning.Versioned) { p.Levels[2].MinimumShare = 10_00 }, dunning.Verdict{Send: true, Why: dunning.WhyLevelReached}},
		"another title":          {func(p *dunning.Versioned) { p.Levels[0].Title = "x" }, dunning.Verdict{Send: true, Why: dunning.WhyLevelReached}},
		"it is renamed":          {func(p *dunning.Versioned) { p.Levels[0].ID, p.Levels[0].Was = "A", []dunning.LevelID{"R1"} }, dunning.Verdict{Send: true, Why: dunning.WhyLevelReached}},
		"the level is gone":      {func(p *dunning.Versioned) { p.Levels = p.Levels[1:] }, why(dunning.WhyNotReached, policy)},
		"and another comes next": {func(p *dunning.Versioned) { p.Levels[0].ID = "OTHER" }, why(dunning.WhyChanged, policy)},
		"a higher minimum":       {func(p *dunning.Versioned) { p.Levels[0].MinimumAmount[0] = yen(11001) }, why(dunning.WhyBelowMinimum, policy)},
		"more days":              {func(p *dunning.Versioned) { p.Levels[0].DaysAfterDue = 9 }, why(dunning.WhyNotReached, policy)},
		"grace":                  {func(p *dunning.Versioned) { p.GraceDays = 10 }, why(dunning.WhyNothingDue, policy)},
		"a quiet weekday":        {func(p *dunning.Versioned) { p.QuietWeekdays = []dunning.Weekday{dunning.Friday} }, waits(dunning.WhyQuietDay, "07-04")},
		"one in twenty days":     {func(p *dunning.Versioned) { p.MinimumDays = 20 }, waits(dunning.WhyRecently, "07-10")},
		"another channel":        {func(p *dunning.Versioned) { p.Levels[0].Channel = dunning.Letter }, dunning.Verdict{Why: dunning.WhyNoChannel, Drop: dunning.DropNoAddress}},
		"another text":           {func(p *dunning.Versioned) { p.Levels[0].Template = "gentle" }, why(dunning.WhyChanged, policy)},
		"it is the creditor's":   {func(p *dunning.Versioned) { p.Levels[0].Who = dunning.Creditor }, why(dunning.WhyNeedsCreditor, policy)},
		"none holds any more":    {func(p *dunning.Versioned) { *p = dunning.Versioned{} }, why(dunning.WhyNoPolicy, policy)},
	} {
		p := plain()
		c.change(&p)
		if p.Version > 0 {
			p.Version++
		}
		again := queued()
		again.Generation = 2
		s := stateOf(append(slices.Clone(earlier), again)...)
		if got := dunning.Recheck(p, again.Reminder, s, owing(item("I1", "06-30", 11000)), day("07-03")); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// What a reminder has no room to list stands in its total: a payment for it is a change too.
func TestRecheckOfALongReminder(t *testing.T) {
	var items []dunning.Item
	for i := range dunning.ItemsMax + 3 {
		items = append(items, item(domain.InvoiceID(fmt.Sprintf("I%05d", i)), "06-01", 10))
	}
	r := dunning.Decide(plain(), nil, owing(items...), day("07-03"), dunning.Agency).Reminder
	r.ID, r.Run = "R-1", "RUN"
	s := stateOf(dunning.ReminderQueued{Reminder: *r})
	if v := dunning.Recheck(plain(), *r, s, owing(items...), day("07-06")); !v.Send || r.More != 3 || r.Due != yen(10*(dunning.ItemsMax+3)) {
		t.Errorf("%+v, %d more, %s", v, r.More, r.Due)
	}
	if v := dunning.Recheck(plain(), *r, s, owing(items[:len(items)-1]...), day("07-06")); v.Drop != dunning.DropChanged {
		t.Errorf("one that it does not list is paid: %+v", v)
	}
}
