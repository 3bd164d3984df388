package dunning_test

import (
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

func reachable(channels ...dunning.Channel) dunning.Debtor {
	d := owing(item("I1", "06-30", 11000))
	d.Addresses = nil
	for _, c := range channels {
		d.Addresses = append(d.Addresses, dunning.Address{Channel: c, Recipient: "by " + string(c)})
	}
	return d
}

// Whom a level's channel does not reach is reminded by the first of its other ways that does.
func TestFallback(t *testing.T) {
	p := plain()
	p.Levels[0].Fallback = []dunning.Way{{Channel: dunning.SMS, Template: "short"}, {Channel: dunning.Letter}}
	for name, c := range map[string]struct {
		debtor   dunning.Debtor
		channel  dunning.Channel
		template dunning.TemplateID
	}{
		"its own channel": {reachable(dunning.Letter, dunning.SMS, dunning.Mail), dunning.Mail, "R1"},
		"the first other": {reachable(dunning.Letter, dunning.SMS), dunning.SMS, "short"},
		"the last":        {reachable(dunning.Letter, dunning.Phone), dunning.Letter, "R1"},
		"none":            {reachable(dunning.Phone, dunning.RegisteredLetter), "", ""},
	} {
		d := dunning.Decide(p, nil, c.debtor, day("07-03"), dunning.Agency)
		switch r := d.Reminder; {
		case c.channel == "" && d.Why == dunning.WhyNoChannel:
		case r == nil || r.Channel != c.channel || r.Template != c.template || r.Recipient != "by "+string(c.channel):
			t.Errorf("%s: %s %+v", name, d, r)
		}
	}
}

// A registered letter is the proof of a demand: it falls back to nothing less unless the policy says so.
func TestARegisteredLetterIsNothingLess(t *testing.T) {
	for _, l := range []domain.Language{domain.Japanese, domain.English} {
		p := dunning.DefaultPolicy(l)
		if err := p.Check(); err != nil {
			t.Error(err)
		}
		for _, level := range p.Levels {
			if level.Channel == dunning.RegisteredLetter && len(level.Fallback) > 0 {
				t.Errorf("%s falls back to %v", level.ID, level.Fallback)
			}
		}
	}
	p := plain()
	p.Levels[0].Channel, p.Levels[0].Who = dunning.RegisteredLetter, dunning.Creditor
	if d := dunning.Decide(p, nil, reachable(dunning.Letter, dunning.Mail), day("07-03"), dunning.Creditor); d.Why != dunning.WhyNoChannel {
		t.Errorf("%s", d)
	}
	p.Levels[0].Fallback = []dunning.Way{{Channel: dunning.Letter}}
	if d := dunning.Decide(p, nil, reachable(dunning.Letter, dunning.Mail), day("07-03"), dunning.Creditor); !d.Reminds() {
		t.Errorf("%s", d)
	}
}

// By the default policy nobody stays at a level for ever whom a letter reaches.
func TestTheDefaultPolicyReachesWhomALetterReaches(t *testing.T) {
	p := dunning.Versioned{ID: "default", Version: 1, Policy: dunning.DefaultPolicy(domain.Japanese)}
	p.BankDataMaxAge = 0
	debtor, state := reachable(dunning.Letter, dunning.RegisteredLetter), stateOf()
	var levels []dunning.LevelID
	for on := day("06-01"); on.Before(day("12-01")); on = on.AddDays(1) {
		r := dunning.Decide(p, state, debtor, on, dunning.Creditor).Reminder
		if r == nil {
			continue
		}
		r.ID = dunning.ReminderID(on.String())
		state = dunning.Decider.Evolve(state, dunning.ReminderQueued{Reminder: *r})
		state = dunning.Decider.Evolve(state, sent(r.ID, on.String()[5:], r.Level, r.LevelID))
		levels = append(levels, r.LevelID)
		if r.Channel == dunning.Letter && r.Template == "call" {
			t.Error("the sheet for who calls is sent to the debtor")
		}
	}
	if len(levels) != 6 || levels[len(levels)-1] != "FINAL" { // all but the notice ahead, which mail alone brings
		t.Errorf("%v", levels)
	}
}

func TestShapeOfWays(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*dunning.Level)
		want   *domain.Error
		field  string
	}{
		"a channel twice":          {func(l *dunning.Level) { l.Fallback = []dunning.Way{{Channel: dunning.Mail}} }, dunning.ErrChannelTwice, "/levels/0/fallback/0/channel"},
		"no channel":               {func(l *dunning.Level) { l.Fallback = []dunning.Way{{Channel: "PIGEON"}} }, domain.ErrUnknown, "/levels/0/fallback/0/channel"},
		"too many":                 {func(l *dunning.Level) { l.Fallback = make([]dunning.Way, dunning.FallbackMax+1) }, domain.ErrTooLong, "/levels/0/fallback"},
		"an internal text by mail": {func(l *dunning.Level) { l.Template = "call" }, dunning.ErrInternalText, "/levels/0/template"},
		"and as a fallback": {func(l *dunning.Level) {
			l.Channel, l.Template, l.Fallback = dunning.Phone, "call", []dunning.Way{{Channel: dunning.Letter}}
		}, dunning.ErrInternalText, "/levels/0/fallback/0/template"},
		"a registered letter is the creditor's": {func(l *dunning.Level) {
			l.Fallback = []dunning.Way{{Channel: dunning.RegisteredLetter}}
		}, dunning.ErrCreditorsLevel, "/levels/0/who"},
		"a text of the creditor's": {func(l *dunning.Level) {
			l.Fallback = []dunning.Way{{Channel: dunning.Letter, Template: "final"}}
		}, dunning.ErrCreditorsLevel, "/levels/0/who"},
		"a former name that another has": {func(l *dunning.Level) { l.Was = []dunning.LevelID{"R2"} }, dunning.ErrLevelTwice, "/levels/1/level"},
		"its own name":                   {func(l *dunning.Level) { l.Was = []dunning.LevelID{"R1"} }, dunning.ErrLevelTwice, "/levels/0/was/0"},
		"a former name twice":            {func(l *dunning.Level) { l.Was = []dunning.LevelID{"A", "A"} }, dunning.ErrLevelTwice, "/levels/0/was/1"},
	} {
		t.Run(name, func(t *testing.T) {
			p := plain().Policy
			c.change(&p.Levels[0])
			policies(t).When(set("default", p)).RefusedAt(c.want, c.field)
		})
	}
}

// A level that was renamed is the same level: nobody gets it again, whatever else of the policy changed.
func TestRenamedLevels(t *testing.T) {
	second := queued()
	second.ID, second.Level, second.LevelID = "R-2", 2, "R2"
	both := stateOf(queued(), sent("R-1", "07-03", 1, "R1"), second, sent("R-2", "07-10", 2, "R2"))
	one := stateOf(queued(), sent("R-1", "07-03", 1, "R1"))
	debtor := owing(item("I1", "06-30", 11000))
	next := func(s *dunning.State, change func(*dunning.Versioned)) dunning.LevelID {
		p := plain()
		change(&p)
		return dunning.Decide(p, s, debtor, day("12-01"), dunning.Creditor).LevelID
	}
	early := dunning.Level{ID: "EARLY", DaysAfterDue: 1, Channel: dunning.Mail, Template: "early", Tone: dunning.Friendly, Who: dunning.Agency}
	between := early
	between.ID, between.DaysAfterDue = "BETWEEN", 5
	for name, c := range map[string]struct {
		case_  *dunning.State
		change func(*dunning.Versioned)
		want   dunning.LevelID
	}{
		"renamed": {one, func(p *dunning.Versioned) { p.Levels[0].ID = "A" }, "R2"},
		"renamed, and one more before it": {one, func(p *dunning.Versioned) {
			p.Levels[0].ID, p.Levels[0].Was = "A", []dunning.LevelID{"R1"}
			p.Levels = append([]dunning.Level{early}, p.Levels...)
		}, "R2"},
		"one more behind it": {one, func(p *dunning.Versioned) {
			p.Levels[0].ID, p.Levels[0].Was = "A", []dunning.LevelID{"R1"}
			p.Levels = append([]dunning.Level{p.Levels[0], between}, p.Levels[1:]...)
		}, "BETWEEN"},
		"one more before what was reached last: never back": {both, func(p *dunning.Versioned) {
			p.Levels = append([]dunning.Level{p.Levels[0], between}, p.Levels[1:]...)
		}, "R3"},
		"renamed twice": {both, func(p *dunning.Versioned) {
			p.Levels[1].ID, p.Levels[1].Was = "C", []dunning.LevelID{"B", "R2"}
			p.Levels = append([]dunning.Level{early}, p.Levels...)
		}, "R3"},
		"what was reached is gone": {both, func(p *dunning.Versioned) { p.Levels = p.Levels[2:] }, ""},
	} {
		if got := next(c.case_, c.change); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Money in another currency may be meant for what is late: a run leaves the debtor alone, a person may go on.
func TestMoneyInAnotherCurrency(t *testing.T) {
	debtor := owing(item("I1", "06-30", 11000))
	debtor.Elsewhere = []domain.Money{domain.NewMoney(12_50, "USD")}
	d := dunning.Decide(plain(), nil, debtor, day("07-03"), dunning.Agency)
	if d.Why != dunning.WhyElsewhere || len(d.Elsewhere) != 1 || d.Elsewhere[0] != domain.NewMoney(12_50, "USD") {
		t.Errorf("%s: %+v", d, d.Finding)
	}
	given(t).When(askOf(escalate("07-03"), debtor)).Refused(dunning.ErrNotNow)
	hand := dunning.EscalateReminder{Order: at("07-03"), Reminder: "R-1", Reason: "it is a deposit"}
	want := queued()
	want.Run, want.Reason, want.Warnings = "", hand.Reason, []dunning.Why{dunning.WhyElsewhere}
	given(t).When(askOf(hand, debtor)).Then(want).When(askOf(send("07-03"), debtor)).Then(sent("R-1", "07-03", 1, "R1"))
}
