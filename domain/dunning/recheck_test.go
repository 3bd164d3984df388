package dunning_test

import (
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
		if got := dunning.Recheck(c.policy.Policy, queued().Reminder, stateOf(events...), c.debtor, day(c.on)); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	if got := dunning.Recheck(plain().Policy, queued().Reminder, nil, same, day("07-03")); got.Send {
		t.Error("sent without a case")
	}
	byHand := queued()
	byHand.Run, byHand.Acting = "", dunning.Creditor
	if got := dunning.Recheck(quiet.Policy, byHand.Reminder, stateOf(byHand, held(dunning.Disputed, "07-03", "")), same, day("07-04")); !got.Send {
		t.Errorf("the creditor's own, by hand: %+v", got)
	}
}
