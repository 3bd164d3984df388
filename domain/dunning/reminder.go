package dunning

import "github.com/urikake/urikake/domain"

// ReminderItem is one open item on a reminder.
type ReminderItem struct {
	Invoice     domain.InvoiceID `json:"invoice" doc:"the invoice or late charge"`
	Number      string           `json:"number" doc:"its document number"`
	DueOn       domain.Date      `json:"due_on" doc:"its due date"`
	Open        domain.Money     `json:"open" doc:"what is asked for: what remains open of it and is not in dispute"`
	Disputed    domain.Money     `json:"disputed,omitzero" doc:"left out, as it is in dispute"`
	LateCharge  domain.Money     `json:"late_charge,omitzero" doc:"late charge to the day that is assessed on it when the reminder is sent"`
	DaysOverdue int              `json:"days_overdue" doc:"days from the due date; below zero before it"`
}

// Reminder is what is to be sent to a debtor: one for all items. To whom is said by reference only: names and addresses
// stay in the customer's own, personal data.
type Reminder struct {
	ID            ReminderID      `json:"reminder" doc:"id within the case"`
	QueuedOn      domain.Date     `json:"on" doc:"the day as of which it was decided"`
	Generation    int             `json:"generation" doc:"how often dunning began afresh, this time included"`
	Level         int             `json:"level" doc:"number of the level in the policy, from 1"`
	LevelID       LevelID         `json:"level_name" doc:"the level"`
	Policy        PolicyID        `json:"policy" doc:"the policy that asked for it"`
	Version       int             `json:"policy_version" doc:"its version"`
	Items         []ReminderItem  `json:"items" doc:"what it lists, oldest due first, up to 2000"`
	More          int             `json:"more_items,omitzero" doc:"items beyond those, which are in the totals only"`
	Due           domain.Money    `json:"due" doc:"what is asked for on all items"`
	Disputed      domain.Money    `json:"disputed" doc:"left out of it, as it is in dispute"`
	Unapplied     domain.Money    `json:"unapplied" doc:"the debtor's money that settles nothing yet"`
	ToPay         domain.Money    `json:"to_pay" doc:"due less unapplied; late charge and fee stand beside it"`
	LateChargeUse LateChargeUse   `json:"late_charge_use" doc:"NONE, SHOWN or ASSESSED"`
	LateCharge    domain.Money    `json:"late_charge,omitzero" doc:"late charges accrued to the day: shown, or assessed when it is sent"`
	Fee           domain.Money    `json:"fee,omitzero" doc:"fee that is asked for; it is owed only once it is invoiced"`
	Channel       Channel         `json:"channel" doc:"MAIL, LETTER, PHONE, SMS or REGISTERED_LETTER"`
	Recipient     string          `json:"recipient" doc:"reference to the customer's contact, not an address"`
	Template      TemplateID      `json:"template" doc:"the text"`
	Language      domain.Language `json:"language" doc:"ja or en"`
	Tone          Tone            `json:"tone" doc:"COURTESY, FRIENDLY, POLITE, FIRM or FINAL"`
	Who           Capacity        `json:"who" doc:"who may send it: AGENCY or CREDITOR"`
	Run           RunID           `json:"run,omitempty" doc:"the run that decided it; absent: by hand"`
	Reason        string          `json:"reason,omitzero" doc:"why, by hand"`
	Warnings      []Why           `json:"warnings,omitempty" doc:"codes of what spoke against it and did not decide; by hand, what was set aside"`
	Acting        Capacity        `json:"acting" doc:"in whose name: AGENCY or CREDITOR"`
}

var (
	ErrRunOrReason = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.run_or_reason",
		Text: "a reminder is queued by a run, or by hand with a reason",
	}
	ErrPending = &domain.Error{
		Code: domain.Refused, Rule: "dunning.reminder_pending",
		Text: "a reminder is queued already; send or drop it first",
	}
	ErrNotNow = &domain.Error{
		Code: domain.Refused, Rule: "dunning.not_now",
		Text: "by policy, case and books there is nothing to remind of on that day",
	}
	ErrLastLevel = &domain.Error{
		Code: domain.Refused, Rule: "dunning.last_level_done",
		Text: "the policy's last level was sent; what follows is the creditor's decision",
	}
	ErrSettleFirst = &domain.Error{
		Code: domain.Refused, Rule: "dunning.settle_first",
		Text: "a promise or a plan came to its end, or what was reminded is paid: record that first",
	}
	ErrFactsMissing = &domain.Error{
		Code: domain.Internal, Rule: "dunning.facts_missing",
		Text: "the decision was asked for without the facts about this debtor",
	}
	ErrUnknownReminder = &domain.Error{
		Code: domain.NotFound, Rule: "dunning.unknown_reminder",
		Text: "the case has no such reminder",
	}
	ErrReminderSettled = &domain.Error{
		Code: domain.Refused, Rule: "dunning.reminder_settled",
		Text: "the reminder was sent or dropped already",
	}
	ErrBadHash = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.bad_hash",
		Text: "a text's hash is its SHA-256 in 64 small hexadecimal digits",
	}
)

// EscalateReminder queues the next reminder, by a run or by hand. What Decide finds against it refuses it; by hand, what
// only the policy's timing and thresholds say against it is set aside and noted. Every level is sent once, in order,
// one at a time.
// Refuses dunning.run_or_reason, dunning.repeated_id, dunning.not_now, dunning.reminder_pending, dunning.on_hold,
// dunning.promise_runs, dunning.plan_runs, dunning.settle_first, dunning.last_level_done, dunning.needs_creditor,
// dunning.agency_stops_in_dispute, dunning.returned_to_creditor, dunning.handed_over.
type EscalateReminder struct {
	Order
	Reminder ReminderID `json:"reminder,omitempty" doc:"id within the case; derived from the command's id when left out"`
	Run      RunID      `json:"run,omitempty" doc:"the run that asks for it; or a reason"`
	Reason   string     `json:"reason,omitzero" doc:"why by hand, up to 1000 bytes; or a run"`
}

func (EscalateReminder) Name() string { return "EscalateReminder" }

func (c EscalateReminder) check(f *domain.Faults) {
	c.Order.check(f)
	f.Add("/reminder", domain.CheckID(c.Reminder))
	if c.Run != "" {
		f.Add("/run", domain.CheckID(c.Run))
	}
	text(f, "/reason", c.Reason, false)
	f.Require((c.Run == "") != (c.Reason == ""), "/reason", ErrRunOrReason)
}

func (c EscalateReminder) decide(s *State, facts Facts) ([]domain.Event, error) {
	if err := s.fresh("reminder", string(c.Reminder)); err != nil {
		return nil, err
	}
	l := look{p: facts.Policy, d: facts.Debtor, on: c.On, as: c.As(), byHand: c.Run == ""}
	d := l.decide(s)
	if err := refusal(d, c.As()); err != nil {
		return nil, err
	}
	r := *d.Reminder
	r.ID, r.Run, r.Reason, r.Warnings = c.Reminder, c.Run, c.Reason, d.Warnings
	return []domain.Event{ReminderQueued{r}}, nil
}

// ruleOf is the rule behind what Decide finds; what has none of its own is ErrNotNow.
func ruleOf(why Why) *domain.Error {
	switch why {
	case WhyPending:
		return ErrPending
	case WhyOnHold:
		return ErrOnHold
	case WhyPromise:
		return ErrPromiseRuns
	case WhyPlan:
		return ErrPlanRuns
	case WhyLastLevel:
		return ErrLastLevel
	case WhyNeedsCreditor:
		return ErrNeedsCreditor
	case WhyReturned:
		return ErrReturned
	case WhyHandedOver:
		return ErrHandedOver
	}
	return ErrNotNow
}

func refusal(d Decision, as Capacity) error {
	if d.Reminder == nil {
		if d.Hold == Disputed && as == Agency {
			return ErrAgencyStops.With("%s", d)
		}
		return ruleOf(d.Why).With("%s", d)
	}
	if first := d.Steps[0].Do; first != Remind {
		return ErrSettleFirst.With("%s", first)
	}
	return nil
}

// ReminderQueued says that a reminder is to be sent, and what it says. It is rechecked before it goes out.
type ReminderQueued struct{ Reminder }

func (ReminderQueued) Kind() string      { return "dunning.reminder_queued" }
func (e ReminderQueued) On() domain.Date { return e.QueuedOn }

func (e ReminderQueued) apply(s *State) {
	s.took("reminder", string(e.ID))
	s.Generation, s.Begun = e.Generation, true
	r := e.Reminder
	s.Pending = &r
}

// pending is the queued reminder of that id.
func (s *State) pending(id ReminderID) (*Reminder, error) {
	switch {
	case s.Pending != nil && s.Pending.ID == id:
		return s.Pending, nil
	case s.ids["reminder"+string(id)]:
		return nil, ErrReminderSettled.With("%s", id).At("/reminder")
	}
	return nil, ErrUnknownReminder.With("%s", id).At("/reminder")
}
