package dunning

import (
	"fmt"
	"strings"

	"github.com/urikake/urikake/domain"
)

// Why is the stable code of what a decision comes from.
type Why string

const (
	WhyLevelReached  Why = "level_reached"               // a reminder is due
	WhyNothingDue    Why = "nothing_due"                 // nothing is late; AllowedFrom: the first day on which something may be
	WhyNoPolicy      Why = "no_policy"                   // no policy holds for the debtor
	WhyHandedOver    Why = "handed_over"                 // a lawyer or a servicer has the case
	WhyReturned      Why = "returned_to_creditor"        // the agency gave it back
	WhyOnHold        Why = "on_hold"                     // Hold, Until
	WhyPending       Why = "reminder_pending"            // a reminder is queued
	WhyPlan          Why = "plan_running"                // Until, Missed
	WhyPromise       Why = "promise_until"               // Until
	WhyDisputed      Why = "disputed"                    // all that is late is in dispute
	WhyCovered       Why = "covered_by_unapplied"        // money that settles nothing yet is enough for what is late
	WhyLastLevel     Why = "last_level_done"             // what follows is the creditor's decision
	WhyBankDataOld   Why = "bank_data_old"               // BankDataOn
	WhyUnmatched     Why = "unmatched_receipts"          // Unmatched: money that may be the debtor's waits for its payer
	WhyElsewhere     Why = "unapplied_in_other_currency" // Elsewhere: the debtor has money here, in another currency
	WhyNotReached    Why = "level_not_reached"           // Level, AllowedFrom
	WhyBelowMinimum  Why = "below_minimum"               // Minimum
	WhyBelowShare    Why = "below_share"                 // Minimum
	WhyEarlierDay    Why = "earlier_day"                 // a reminder was queued or sent for a later day: what is decided now would be out of order
	WhyRecently      Why = "reminded_recently"           // DaysAgo, AllowedFrom
	WhyNeedsCreditor Why = "needs_creditor"              // the level is the creditor's
	WhyNoChannel     Why = "no_channel"                  // the debtor can't be reached by the level's channels
	WhyQuietDay      Why = "quiet_day"                   // AllowedFrom
	WhyProvisional   Why = "calendar_provisional"        // a warning: the day's holidays are not published yet
	WhySettled       Why = "reminder_settled"            // Recheck: it was sent or dropped
	WhyPaid          Why = "paid"                        // Recheck
	WhyChanged       Why = "changed"                     // Recheck
)

// Action is a step that a decision takes.
type Action string

const (
	DoSettle     Action = "SETTLE_PROMISE"
	DoMiss       Action = "MISS_INSTALMENT"
	DoComplete   Action = "COMPLETE_PLAN"
	DoAccelerate Action = "ACCELERATE_PLAN"
	DoClose      Action = "CLOSE_CASE"
	Remind       Action = "REMIND"
)

// Step is one thing to do, with what it is about.
type Step struct {
	Do         Action         `json:"do" doc:"SETTLE_PROMISE, MISS_INSTALMENT, COMPLETE_PLAN, ACCELERATE_PLAN, CLOSE_CASE or REMIND"`
	Promise    PromiseID      `json:"promise,omitempty" doc:"the promise that is settled"`
	Outcome    PromiseOutcome `json:"outcome,omitempty" doc:"KEPT, PARTLY_KEPT or BROKEN"`
	Plan       PlanID         `json:"plan,omitempty" doc:"the plan"`
	Instalment int            `json:"instalment,omitzero" doc:"number of the instalment that was missed"`
	Trigger    Trigger        `json:"trigger,omitempty" doc:"MISSED_INSTALMENTS or INSOLVENCY"`
	Received   domain.Money   `json:"received,omitzero" doc:"money that decided it"`
}

// Finding is what was found about a debtor: why a reminder is due or none is, what to do, and the facts that it was found
// by. Those that did not matter are zero.
type Finding struct {
	Why         Why            `json:"why" doc:"stable code: why a reminder is due, or why none is"`
	Steps       []Step         `json:"steps,omitempty" doc:"what to do, in order; nothing when absent"`
	Warnings    []Why          `json:"warnings,omitempty" doc:"what spoke against it and did not decide"`
	Reached     int            `json:"reached,omitzero" doc:"number of the level that was sent last"`
	Level       int            `json:"level,omitzero" doc:"number of the next level"`
	LevelID     LevelID        `json:"level_name,omitempty" doc:"the next level"`
	Open        domain.Money   `json:"open,omitzero" doc:"all that is open"`
	Due         domain.Money   `json:"due,omitzero" doc:"what is late (or, for a notice ahead, soon due) and not in dispute"`
	Disputed    domain.Money   `json:"disputed,omitzero" doc:"what of it is in dispute"`
	Unapplied   domain.Money   `json:"unapplied,omitzero" doc:"the debtor's money that settles nothing yet"`
	Unmatched   domain.Money   `json:"unmatched,omitzero" doc:"receipts that may be the debtor's"`
	Elsewhere   []domain.Money `json:"unapplied_elsewhere,omitempty" doc:"the debtor's money in other currencies that settles nothing yet"`
	Minimum     domain.Money   `json:"minimum,omitzero" doc:"least amount for the level"`
	OldestDueOn domain.Date    `json:"oldest_due_on,omitzero" doc:"oldest due date that counts"`
	DaysOverdue int            `json:"days_overdue,omitzero" doc:"days from it"`
	AllowedFrom domain.Date    `json:"allowed_from,omitzero" doc:"first day on which this reason no longer stands"`
	DaysAgo     int            `json:"days_ago,omitzero" doc:"days since the last reminder"`
	Hold        HoldKind       `json:"hold,omitempty" doc:"the hold that stands"`
	Until       domain.Date    `json:"until,omitzero" doc:"last day of the hold, the promise or the plan"`
	Missed      int            `json:"missed,omitzero" doc:"instalments missed"`
	BankDataOn  domain.Date    `json:"bank_data_on,omitzero" doc:"last day whose bank data is in the books"`
}

// Decision is what to do about a debtor on a day, and why.
type Decision struct {
	On domain.Date `json:"on" doc:"the day"`
	Finding
	Reminder *Reminder `json:"reminder,omitempty" doc:"what would be sent; its id comes with the command"`
}

// Reminds tells that a reminder is due.
func (d Decision) Reminds() bool { return d.Reminder != nil }

// Orders are the commands that carry the decision out, to be given in this order, in the name of o. Ids that they leave
// out are derived: see WithID.
func (d Decision) Orders(o Order, run RunID) (orders []Command) {
	o.On = d.On
	for _, s := range d.Steps {
		switch s.Do {
		case DoSettle:
			orders = append(orders, SettlePromise{o, s.Promise, s.Outcome, s.Received})
		case DoMiss:
			orders = append(orders, MissInstalment{o, s.Plan, s.Instalment, s.Received})
		case DoComplete:
			orders = append(orders, CompletePlan{o, s.Plan, s.Received})
		case DoAccelerate:
			orders = append(orders, AcceleratePlan{Order: o, Plan: s.Plan, Trigger: s.Trigger, EffectiveOn: d.On})
		case DoClose:
			orders = append(orders, CloseCase{Order: o, Reason: ClosePaid})
		case Remind:
			orders = append(orders, EscalateReminder{Order: o, Run: run})
		}
	}
	return orders
}

// String is the code with the facts that matter most: "on_hold DISPUTED until 2026-08-31".
func (d Decision) String() string {
	var b strings.Builder
	b.WriteString(string(d.Why))
	say := func(format string, says bool, args ...any) {
		if says {
			fmt.Fprintf(&b, format, args...)
		}
	}
	say(" %s", d.Hold != "", d.Hold)
	say(" level %s", d.LevelID != "", d.LevelID)
	say(" minimum %s", !d.Minimum.IsZero(), d.Minimum)
	say(" %d days ago", d.Why == WhyRecently, d.DaysAgo)
	say(" until %s", !d.Until.IsZero(), d.Until)
	say(" from %s", !d.AllowedFrom.IsZero(), d.AllowedFrom)
	return b.String()
}
