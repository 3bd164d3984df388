package dunning

import "github.com/urikake/urikake/domain"

// DropReason says why a queued reminder is not sent.
type DropReason string

const (
	DropPaid          DropReason = "PAID"
	DropDisputed      DropReason = "DISPUTED"
	DropHeld          DropReason = "HELD"    // a hold, a promise or a plan came meanwhile
	DropChanged       DropReason = "CHANGED" // other amounts are open now
	DropUnmatched     DropReason = "UNMATCHED_RECEIPTS"
	DropNoAddress     DropReason = "NO_ADDRESS"
	DropUndeliverable DropReason = "UNDELIVERABLE"
	DropClosed        DropReason = "CASE_CLOSED"
	DropAway          DropReason = "RETURNED"       // to the creditor, or handed over
	DropPolicy        DropReason = "POLICY_CHANGED" // by the policy that holds now it would not be sent
	DropElsewhere     DropReason = "UNAPPLIED_IN_OTHER_CURRENCY"
	DropOther         DropReason = "OTHER"
)

// DropReasons are all of them.
var DropReasons = []DropReason{
	DropPaid, DropDisputed, DropHeld, DropChanged, DropUnmatched, DropNoAddress, DropUndeliverable, DropClosed, DropAway, DropPolicy,
	DropElsewhere, DropOther,
}

// DropReminder takes a queued reminder back. Its level does not count as reached; the next run may queue it again. One that
// was given out to be sent is taken back only by who says that it has not left.
// Refuses dunning.unknown_reminder, dunning.reminder_settled, dunning.before_beginning, dunning.reminder_leaving.
type DropReminder struct {
	Order
	Reminder ReminderID `json:"reminder" doc:"the reminder"`
	Reason   DropReason `json:"reason_code" doc:"PAID, DISPUTED, HELD, CHANGED, UNMATCHED_RECEIPTS, NO_ADDRESS, UNDELIVERABLE, CASE_CLOSED, RETURNED, POLICY_CHANGED, UNAPPLIED_IN_OTHER_CURRENCY or OTHER"`
	Note     string     `json:"note,omitzero" doc:"more about it, up to 1000 bytes; required for OTHER; not for personal data"`
	NotGone  bool       `json:"not_gone,omitzero" doc:"it was dispatched, and has not left: whoever says so has looked"`
}

func (DropReminder) Name() string { return "DropReminder" }

func (c DropReminder) check(f *domain.Faults) {
	c.Order.check(f)
	f.Add("/reminder", domain.CheckID(c.Reminder))
	oneOf(f, "/reason_code", c.Reason, DropReasons...)
	text(f, "/note", c.Note, c.Reason == DropOther)
}

func (c DropReminder) decide(s *State, _ Facts) ([]domain.Event, error) {
	r, err := s.pending(c.Reminder)
	switch {
	case err != nil:
		return nil, err
	case c.On.Before(r.QueuedOn):
		return nil, ErrTooEarly.With("queued as of %s", r.QueuedOn).At("/on")
	case !s.Leaving.IsZero() && !c.NotGone:
		return nil, ErrLeaving.With("dispatched on %s", s.Leaving).At("/not_gone")
	}
	return []domain.Event{ReminderDropped{c.Reminder, c.On, c.Reason, c.Note, c.As()}}, nil
}

// ReminderDropped says that a queued reminder was not sent, and why. Its level was not reached.
type ReminderDropped struct {
	Reminder  ReminderID  `json:"reminder" doc:"the reminder"`
	DroppedOn domain.Date `json:"on" doc:"the day"`
	Reason    DropReason  `json:"reason_code" doc:"PAID, DISPUTED, HELD, CHANGED, UNMATCHED_RECEIPTS, NO_ADDRESS, UNDELIVERABLE, CASE_CLOSED, RETURNED, POLICY_CHANGED, UNAPPLIED_IN_OTHER_CURRENCY or OTHER"`
	Note      string      `json:"note,omitzero" doc:"more about it"`
	Acting    Capacity    `json:"acting" doc:"in whose name: AGENCY or CREDITOR"`
}

func (ReminderDropped) Kind() string      { return "dunning.reminder_dropped" }
func (e ReminderDropped) On() domain.Date { return e.DroppedOn }
func (e ReminderDropped) apply(s *State)  { s.Pending, s.Leaving = nil, domain.Date{} }
