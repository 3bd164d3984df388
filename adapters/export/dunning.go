package export

import (
	"strconv"
	"strings"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/projections"
)

// amount is empty where there is none at all, which is not the same as 0.
func amount(m domain.Money) string {
	if m.Currency() == "" {
		return ""
	}
	return m.Amount()
}

// count is empty for none.
func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

var queueColumns = []Column{
	{Name: "rank", Kind: Count},
	{Name: "customer"},
	{Name: "name"},
	{Name: "currency"},
	{Name: "undisputed", Kind: Amount},
	{Name: "disputed", Kind: Amount},
	{Name: "days_overdue", Kind: Count},
	{Name: "level", Kind: Count},
	{Name: "level_name"},
	{Name: "last_sent_on", Kind: Date},
	{Name: "next_level"},
	{Name: "next_from", Title: "from", Kind: Date},
	{Name: "why"},
	{Name: "waits"},
	{Name: "hold"},
	{Name: "hold_until", Kind: Date},
	{Name: "hold_reason", Wide: true},
	{Name: "promise_amount", Title: "promised", Kind: Amount},
	{Name: "promise_day", Title: "by", Kind: Date},
	{Name: "promise_state"},
	{Name: "promises_broken", Title: "broken", Kind: Count},
	{Name: "days_late_on_average", Title: "pays late", Kind: Count},
	{Name: "settled", Kind: Count, Wide: true},
	{Name: "last_contact_on", Title: "contact", Kind: Date},
	{Name: "last_contact_outcome", Title: "outcome"},
	{Name: "collector"},
	{Name: "open", Kind: Amount},
	{Name: "unapplied", Kind: Amount},
	{Name: "credit_limit", Kind: Amount, Wide: true},
	{Name: "limit_use_percent", Title: "limit %", Kind: Count},
	{Name: "policy", Wide: true},
}

// Queue has one row for each debtor, the most pressing first.
func Queue(r projections.QueueReport) Sheet {
	s := Sheet{Columns: queueColumns}
	for _, row := range r.Rows {
		s.Add(QueueCells(row)...)
	}
	return s
}

// QueueCells is one row of Queue.
func QueueCells(q projections.QueueRow) []string {
	waits := ""
	if q.Waits {
		waits = "waits"
	}
	return []string{
		strconv.Itoa(q.Rank), string(q.Customer), q.Name, string(q.Currency), q.Undisputed.Amount(), q.Disputed.Amount(), strconv.Itoa(q.Overdue),
		count(q.Level), string(q.LevelID), q.LastSentOn.String(), string(q.Decision.LevelID), q.Decision.AllowedFrom.String(), string(q.Decision.Why),
		waits, string(q.HoldKind), q.HoldUntil.String(), q.HoldReason, amount(q.PromiseAmount), q.PromiseDay.String(), string(q.PromiseState),
		count(q.PromisesBroken), strconv.Itoa(q.Late), strconv.Itoa(q.Settled), q.LastContactOn.String(), string(q.LastContactOutcome), q.Collector,
		q.Open.Amount(), q.Unapplied.Amount(), amount(q.Limit), count(q.LimitUse), string(q.Policy),
	}
}

var reminderColumns = []Column{
	{Name: "customer"},
	{Name: "name"},
	{Name: "currency"},
	{Name: "reminder"},
	{Name: "state"},
	{Name: "queued_on", Kind: Date},
	{Name: "sent_on", Kind: Date},
	{Name: "dropped_on", Kind: Date},
	{Name: "drop_reason"},
	{Name: "drop_note", Wide: true},
	{Name: "level", Kind: Count},
	{Name: "level_name"},
	{Name: "channel"},
	{Name: "recipient", Wide: true},
	{Name: "items", Kind: Count},
	{Name: "due", Kind: Amount},
	{Name: "disputed", Kind: Amount},
	{Name: "unapplied", Kind: Amount},
	{Name: "to_pay", Kind: Amount},
	{Name: "late_charge", Kind: Amount},
	{Name: "fee", Kind: Amount},
	{Name: "policy"},
	{Name: "policy_version", Kind: Count},
	{Name: "generation", Kind: Count, Wide: true},
	{Name: "template", Wide: true},
	{Name: "tone", Wide: true},
	{Name: "who", Wide: true},
	{Name: "acting", Wide: true},
	{Name: "run", Wide: true},
	{Name: "reason", Wide: true},
	{Name: "result", Wide: true},
	{Name: "text_hash", Wide: true},
}

// Reminders has one row for each reminder.
func Reminders(r projections.RemindersReport) Sheet {
	s := Sheet{Columns: reminderColumns}
	for _, row := range r.Rows {
		s.Add(ReminderCells(row)...)
	}
	return s
}

// ReminderCells is one row of Reminders.
func ReminderCells(r projections.ReminderRow) []string {
	return []string{
		string(r.Customer), r.Name, string(r.Currency), string(r.Reminder), string(r.State), r.QueuedOn.String(), r.SentOn.String(), r.DroppedOn.String(),
		string(r.DropReason), r.DropNote, strconv.Itoa(r.Level), string(r.LevelID), string(r.Channel), r.Recipient, strconv.Itoa(r.Items),
		r.Due.Amount(), r.Disputed.Amount(), r.Unapplied.Amount(), r.ToPay.Amount(), r.LateCharge.Amount(), r.Fee.Amount(), string(r.Policy),
		strconv.Itoa(r.Version), strconv.Itoa(r.Generation), string(r.Template), string(r.Tone), string(r.Who), string(r.Acting), string(r.Run),
		r.Reason, string(r.Result), r.TextHash,
	}
}

// DunningRuns has one row for each run, the newest first.
func DunningRuns(list []projections.RunRow) Sheet {
	s := Sheet{Columns: []Column{
		{Name: "run"},
		{Name: "on", Kind: Date},
		{Name: "acting"},
		{Name: "state"},
		{Name: "bank_data_on", Kind: Date},
		{Name: "debtors", Kind: Count},
		{Name: "reminders", Kind: Count},
		{Name: "refused", Kind: Count},
		{Name: "whys"},
		{Name: "steps"},
		{Name: "position", Kind: Count, Wide: true},
	}}
	for _, r := range list {
		state := "unfinished"
		if r.Ended {
			state = "ended"
		}
		s.Add(string(r.Run), r.On.String(), string(r.Acting), state, r.BankDataOn.String(), strconv.Itoa(r.Debtors), strconv.Itoa(r.Reminders),
			strconv.Itoa(r.Refused), counts(r.Whys), counts(r.Steps), position(uint64(r.Begun)))
	}
	return s
}

// counts writes "nothing_due 12, level_reached 3".
func counts(list []dunning.RunCount) string {
	parts := make([]string, len(list))
	for i, c := range list {
		parts[i] = c.Of + " " + strconv.Itoa(c.Times)
	}
	return strings.Join(parts, ", ")
}

// RunDecisionColumns are those of what a run decided, one row for each debtor: see RunDecisionCells.
var RunDecisionColumns = []Column{
	{Name: "customer"},
	{Name: "name"},
	{Name: "currency"},
	{Name: "why"},
	{Name: "steps"},
	{Name: "refused"},
	{Name: "warnings"},
	{Name: "reached", Kind: Count},
	{Name: "level", Kind: Count},
	{Name: "level_name"},
	{Name: "open", Kind: Amount},
	{Name: "due", Kind: Amount},
	{Name: "disputed", Kind: Amount},
	{Name: "unapplied", Kind: Amount},
	{Name: "minimum", Kind: Amount},
	{Name: "oldest_due_on", Kind: Date},
	{Name: "days_overdue", Kind: Count},
	{Name: "allowed_from", Kind: Date},
	{Name: "days_ago", Kind: Count},
	{Name: "hold"},
	{Name: "until", Kind: Date},
	{Name: "missed", Kind: Count},
	{Name: "unmatched", Kind: Amount, Wide: true},
	{Name: "unapplied_elsewhere", Wide: true},
	{Name: "bank_data_on", Kind: Date, Wide: true},
	{Name: "policy", Wide: true},
	{Name: "policy_version", Kind: Count, Wide: true},
}

// RunDecisionCells is one row under RunDecisionColumns.
func RunDecisionCells(d projections.RunDecisionRow) []string {
	steps := make([]string, len(d.Steps))
	for i, s := range d.Steps {
		steps[i] = string(s.Do)
	}
	warnings := make([]string, len(d.Warnings))
	for i, w := range d.Warnings {
		warnings[i] = string(w)
	}
	return []string{
		string(d.Customer), d.Name, string(d.Currency), string(d.Why), strings.Join(steps, " "), d.Refused, strings.Join(warnings, " "),
		count(d.Reached), count(d.Level), string(d.LevelID), amount(d.Open), amount(d.Due), amount(d.Disputed), amount(d.Unapplied), amount(d.Minimum),
		d.OldestDueOn.String(), count(d.DaysOverdue), d.AllowedFrom.String(), count(d.DaysAgo), string(d.Hold), d.Until.String(), count(d.Missed),
		amount(d.Unmatched), Amounts(d.Elsewhere), d.BankDataOn.String(), string(d.Policy), count(d.Version),
	}
}

// CaseColumns are those of how cases stand, one row for each: see CaseCells.
var CaseColumns = []Column{
	{Name: "customer"},
	{Name: "name"},
	{Name: "currency"},
	{Name: "state"},
	{Name: "generation", Kind: Count},
	{Name: "level", Kind: Count},
	{Name: "level_name"},
	{Name: "last_sent_on", Kind: Date},
	{Name: "reminders", Kind: Count},
	{Name: "pending"},
	{Name: "hold"},
	{Name: "hold_from", Kind: Date},
	{Name: "hold_until", Kind: Date},
	{Name: "hold_reason", Wide: true},
	{Name: "promise", Wide: true},
	{Name: "promise_amount", Kind: Amount},
	{Name: "promise_made_on", Kind: Date, Wide: true},
	{Name: "promise_day", Kind: Date},
	{Name: "promise_state"},
	{Name: "promises_kept", Kind: Count},
	{Name: "promises_broken", Kind: Count},
	{Name: "plan"},
	{Name: "plan_amount", Kind: Amount},
	{Name: "plan_agreed_on", Kind: Date, Wide: true},
	{Name: "plan_ends_on", Kind: Date},
	{Name: "plan_instalments", Kind: Count},
	{Name: "plan_missed", Kind: Count},
	{Name: "plan_effective_on", Kind: Date},
	{Name: "handed_to"},
	{Name: "taker", Wide: true},
	{Name: "collector"},
	{Name: "last_contact_on", Kind: Date},
	{Name: "last_contact_by", Wide: true},
	{Name: "last_contact_outcome"},
	{Name: "closed_on", Kind: Date},
	{Name: "closed_for"},
	{Name: "version", Kind: Count, Wide: true},
}

// Cases has one row for each case.
func Cases(list []projections.CaseRow) Sheet {
	s := Sheet{Columns: CaseColumns}
	for _, c := range list {
		s.Add(CaseCells(c)...)
	}
	return s
}

// CaseCells is one row under CaseColumns.
func CaseCells(c projections.CaseRow) []string {
	return []string{
		string(c.Customer), c.Name, string(c.Currency), caseState(c), count(c.Generation), count(c.Level), string(c.LevelID), c.LastSentOn.String(),
		count(c.Reminders), string(c.Pending), string(c.HoldKind), c.HoldFrom.String(), c.HoldUntil.String(), c.HoldReason,
		string(c.Promise), amount(c.PromiseAmount), c.PromiseMadeOn.String(), c.PromiseDay.String(), string(c.PromiseState),
		count(c.PromisesKept), count(c.PromisesBroken), string(c.Plan), amount(c.PlanAmount), c.PlanAgreedOn.String(), c.PlanEndsOn.String(),
		count(c.PlanInstalments), count(c.PlanMissed), c.PlanEffectiveOn.String(), string(c.HandedTo), c.Taker, c.Collector,
		c.LastContactOn.String(), string(c.LastContactBy), string(c.LastContactOutcome), c.ClosedOn.String(), string(c.ClosedFor),
		position(uint64(c.Version)),
	}
}

// caseState is one word on a case.
func caseState(c projections.CaseRow) string {
	switch {
	case c.HandedTo != "":
		return "handed over"
	case c.Returned:
		return "returned"
	case c.Open:
		return "open"
	}
	return "closed"
}
