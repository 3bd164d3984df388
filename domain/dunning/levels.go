package dunning

import (
	"slices"
	"strconv"

	"github.com/urikake/urikake/domain"
)

// LevelID names a level within a policy: REMINDER_1. A case remembers it, so that a changed policy never sends one twice.
type LevelID string

// TemplateID names the text of a reminder, in every language that it has.
type TemplateID string

// Channel is how a reminder reaches the debtor.
type Channel string

const (
	Mail             Channel = "MAIL" // e-mail
	Letter           Channel = "LETTER"
	Phone            Channel = "PHONE"
	SMS              Channel = "SMS"
	RegisteredLetter Channel = "REGISTERED_LETTER" // 内容証明郵便 with 配達証明: the proof of a demand (催告)
)

// Tone is how a reminder speaks.
type Tone string

const (
	Courtesy Tone = "COURTESY" // before anything is late
	Friendly Tone = "FRIENDLY" // perhaps our letters crossed (行き違いの節はご容赦ください)
	Polite   Tone = "POLITE"
	Firm     Tone = "FIRM"
	Final    Tone = "FINAL" // names the consequences
)

// LateChargeUse is what a level does about late charges.
type LateChargeUse string

const (
	NoLateCharge       LateChargeUse = "NONE"
	LateChargeShown    LateChargeUse = "SHOWN"    // as information; nothing is owed by it
	LateChargeAssessed LateChargeUse = "ASSESSED" // it is owed once the reminder is sent: see account.AssessLateCharge
)

// Way is how a level's reminder may go when the channel before it does not reach the debtor.
type Way struct {
	Channel  Channel    `json:"channel" doc:"MAIL, LETTER, PHONE, SMS or REGISTERED_LETTER"`
	Template TemplateID `json:"template,omitempty" doc:"the text by this channel; the level's when left out"`
}

// Level is one step of a policy.
type Level struct {
	ID            LevelID        `json:"level" doc:"name of the level within the policy, such as REMINDER_1"`
	Was           []LevelID      `json:"was,omitempty" doc:"names that it had before, up to 20: who was reminded under one of them has had this level"`
	Title         string         `json:"title,omitzero" doc:"what people call it, up to 300 bytes"`
	DaysAfterDue  int            `json:"days_after_due" doc:"days from the oldest due date on which it is reached; the first level alone may be at zero or below, as a notice before anything is late"`
	MinimumAmount []domain.Money `json:"minimum_amount,omitempty" doc:"at least so much must be overdue, one amount a currency; none for other currencies"`
	MinimumShare  domain.Rate    `json:"minimum_share,omitzero" doc:"at least so many percent of what is open must be overdue"`
	Channel       Channel        `json:"channel" doc:"MAIL, LETTER, PHONE, SMS or REGISTERED_LETTER"`
	Fallback      []Way          `json:"fallback,omitempty" doc:"other ways, tried in order where the channel does not reach the debtor, up to 4; without one the level waits for an address"`
	Template      TemplateID     `json:"template" doc:"the text; its language is the customer's"`
	Tone          Tone           `json:"tone" doc:"COURTESY, FRIENDLY, POLITE, FIRM or FINAL"`
	Fee           []domain.Money `json:"fee,omitempty" doc:"fee that is asked for, one amount a currency; it is owed only once it is invoiced"`
	LateCharge    LateChargeUse  `json:"late_charge,omitempty" doc:"NONE (when left out), SHOWN or ASSESSED"`
	Who           Capacity       `json:"who" doc:"who may do it: AGENCY (and so the creditor), or CREDITOR alone"`
	Texts         []LevelText    `json:"texts,omitempty" doc:"own words for its letters, one for each language; the program's when left out"`
}

// Limits of levels.
const (
	LevelsMax    = 20
	DaysAfterMax = 3650 // ten years
	DaysAheadMax = 60   // of a notice before the due date
	WasMax       = 20   // former names of one
	FallbackMax  = 4    // ways besides its channel
)

var (
	ErrNoLevel = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.no_level",
		Text: "a policy has 1 to 20 levels",
	}
	ErrBadDays = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.bad_days",
		Text: "the number of days is out of range",
	}
	ErrBeforeDue = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.before_due",
		Text: "only the first level may come before anything is late, with tone COURTESY; the others come a day after the due date or later",
	}
	ErrNotRising = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.levels_not_rising",
		Text: "each level comes more days after the due date than the one before it",
	}
	ErrLevelTwice = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.level_twice",
		Text: "two levels have, or had, one name",
	}
	ErrChannelTwice = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.channel_twice",
		Text: "a level tries each channel once",
	}
	ErrInternalText = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.internal_text",
		Text: "the text is for who calls the debtor, and goes by PHONE only; name another template for this channel",
	}
	ErrCreditorsLevel = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.creditors_level",
		Text: "a final notice, a registered letter and a late charge that is assessed are the creditor's demands; who must be CREDITOR (弁護士法72条)",
	}
	ErrBadShare = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.bad_share",
		Text: "a share is 0 to 100 percent",
	}
)

// ways are how its reminder may go, the first that reaches the debtor.
func (l Level) ways() []Way {
	ways := []Way{{l.Channel, l.Template}}
	for _, w := range l.Fallback {
		if w.Template == "" {
			w.Template = l.Template
		}
		ways = append(ways, w)
	}
	return ways
}

// named tells that the level has the name, or had it.
func (l Level) named(id LevelID) bool { return l.ID == id || slices.Contains(l.Was, id) }

// ahead tells a notice that comes before anything is late.
func (l Level) ahead() bool { return l.DaysAfterDue <= 0 }

func (l Level) lateCharge() LateChargeUse {
	if l.LateCharge == "" {
		return NoLateCharge
	}
	return l.LateCharge
}

// amount is a list's amount in a currency, zero where it has none.
func amount(list []domain.Money, c domain.Currency) domain.Money {
	for _, m := range list {
		if m.Currency() == c {
			return m
		}
	}
	return domain.NewMoney(0, c)
}

func checkLevels(f *domain.Faults, levels []Level) {
	if len(levels) == 0 || len(levels) > LevelsMax {
		f.Add("/levels", ErrNoLevel.With("%d levels", len(levels)))
		return
	}
	for i, l := range levels {
		at := "/levels/" + strconv.Itoa(i)
		f.Add(at, l.check())
		for n, name := range append([]LevelID{l.ID}, l.Was...) {
			twice := slices.ContainsFunc(levels[:i], func(o Level) bool { return o.named(name) }) || n > 0 && (name == l.ID || slices.Contains(l.Was[:n-1], name))
			field := at + "/level"
			if n > 0 {
				field = at + "/was/" + strconv.Itoa(n-1)
			}
			f.Require(!twice, field, ErrLevelTwice.With("%.80q", string(name)))
		}
		days := at + "/days_after_due"
		f.Require(i == 0 || !l.ahead(), days, ErrBeforeDue.With("%d", l.DaysAfterDue))
		f.Require(i == 0 || l.DaysAfterDue > levels[i-1].DaysAfterDue, days, ErrNotRising.With("%d", l.DaysAfterDue))
	}
}

func (l Level) check() error {
	var f domain.Faults
	f.Add("/level", domain.CheckID(l.ID))
	f.Add("/title", domain.CheckLine(l.Title, false, NameMax))
	f.Require(l.DaysAfterDue >= -DaysAheadMax && l.DaysAfterDue <= DaysAfterMax, "/days_after_due",
		ErrBadDays.With("%d, want -%d to %d", l.DaysAfterDue, DaysAheadMax, DaysAfterMax))
	f.Require(l.ahead() == (l.Tone == Courtesy), "/tone", ErrBeforeDue.With("%d days, tone %.80q", l.DaysAfterDue, string(l.Tone)))
	checkAmounts(&f, "/minimum_amount", l.MinimumAmount)
	f.Require(l.MinimumShare >= 0 && l.MinimumShare <= domain.RateWhole, "/minimum_share", ErrBadShare.With("%s", l.MinimumShare))
	f.Require(len(l.Was) <= WasMax, "/was", domain.ErrTooLong.With("%d names, at most %d", len(l.Was), WasMax))
	for i, id := range l.Was {
		f.Add("/was/"+strconv.Itoa(i), domain.CheckID(id))
	}
	f.Add("/template", domain.CheckID(l.Template))
	l.checkWays(&f)
	oneOf(&f, "/tone", l.Tone, Courtesy, Friendly, Polite, Firm, Final)
	checkAmounts(&f, "/fee", l.Fee)
	oneOf(&f, "/late_charge", l.lateCharge(), NoLateCharge, LateChargeShown, LateChargeAssessed)
	oneOf(&f, "/who", l.Who, Agency, Creditor)
	l.checkTexts(&f)
	demands := l.Tone == Final || l.LateCharge == LateChargeAssessed || slices.ContainsFunc(l.ways(), func(w Way) bool {
		return w.Channel == RegisteredLetter || slices.Contains(creditorsTemplates, w.Template)
	})
	f.Require(!demands || l.Who != Agency, "/who", ErrCreditorsLevel)
	return f.Err()
}

func (l Level) checkWays(f *domain.Faults) {
	f.Require(len(l.Fallback) <= FallbackMax, "/fallback", domain.ErrTooLong.With("%d ways, at most %d", len(l.Fallback), FallbackMax))
	ways := l.ways()
	for i, w := range ways {
		at := ""
		if i > 0 {
			at = "/fallback/" + strconv.Itoa(i-1)
			f.Add(at+"/template", domain.CheckID(w.Template))
		}
		oneOf(f, at+"/channel", w.Channel, Mail, Letter, Phone, SMS, RegisteredLetter)
		twice := slices.ContainsFunc(ways[:i], func(o Way) bool { return o.Channel == w.Channel })
		f.Require(!twice, at+"/channel", ErrChannelTwice.With("%s", w.Channel))
		f.Require(w.Template != internalTemplate || w.Channel == Phone, at+"/template", ErrInternalText.With("%s by %s", w.Template, w.Channel))
	}
}

// internalTemplate is no letter: it tells whoever calls what to say.
const internalTemplate = TemplateID("call")

// creditorsTemplates are texts that name what the creditor will do, which an agency may not write for him.
var creditorsTemplates = []TemplateID{"demand-2", "final"}

const currenciesMax = 50

func checkAmounts(f *domain.Faults, field string, list []domain.Money) {
	if len(list) > currenciesMax {
		f.Add(field, domain.ErrTooLong.With("%d currencies, at most %d", len(list), currenciesMax))
		return
	}
	f.Add(field, domain.CheckPositiveList(list))
}
