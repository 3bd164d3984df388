package dunning

import (
	"strings"

	"github.com/urikake/urikake/domain"
)

// SendResult says how far a reminder came.
type SendResult string

const (
	Accepted  SendResult = "ACCEPTED"  // by the mail server, the post, the carrier
	Delivered SendResult = "DELIVERED" // with proof (配達証明)
	SpokenTo  SendResult = "SPOKEN_TO" // by phone
)

// SendReminder records that a queued reminder went out; its level is reached by that. What could not be sent is dropped
// instead. A second sending is refused, whoever asks for it.
// Refuses dunning.unknown_reminder, dunning.reminder_settled, dunning.before_beginning, dunning.bad_hash,
// dunning.needs_creditor, dunning.agency_stops_in_dispute, dunning.returned_to_creditor, dunning.handed_over.
type SendReminder struct {
	Order
	Reminder ReminderID `json:"reminder" doc:"the reminder"`
	TextHash string     `json:"text_hash" doc:"SHA-256 of the text as it was sent, in hexadecimal"`
	Channel  Channel    `json:"channel" doc:"how it was sent: MAIL, LETTER, PHONE, SMS or REGISTERED_LETTER"`
	Result   SendResult `json:"result" doc:"ACCEPTED, DELIVERED or SPOKEN_TO"`
}

func (SendReminder) Name() string { return "SendReminder" }

func (c SendReminder) check(f *domain.Faults) {
	c.Order.check(f)
	f.Add("/reminder", domain.CheckID(c.Reminder))
	f.Require(len(c.TextHash) == 64 && strings.Trim(c.TextHash, "0123456789abcdef") == "", "/text_hash", ErrBadHash)
	oneOf(f, "/channel", c.Channel, Mail, Letter, Phone, SMS, RegisteredLetter)
	oneOf(f, "/result", c.Result, Accepted, Delivered, SpokenTo)
}

func (c SendReminder) decide(s *State, _ Facts) ([]domain.Event, error) {
	r, err := s.pending(c.Reminder)
	if err == nil {
		err = s.outbound(c.Order, c.On)
	}
	if err == nil && r.Who == Creditor {
		err = c.creditorOnly("level " + string(r.LevelID))
	}
	switch {
	case err != nil:
		return nil, err
	case s.HandedTo != "":
		return nil, ErrHandedOver.With("%s", s.HandedTo)
	case c.On.Before(r.QueuedOn):
		return nil, ErrTooEarly.With("queued as of %s", r.QueuedOn).At("/on")
	}
	return []domain.Event{ReminderSent{c.Reminder, c.On, r.Level, r.LevelID, c.TextHash, c.Channel, c.Result, c.As()}}, nil
}

// ReminderSent says that a reminder went out: its level is reached.
type ReminderSent struct {
	Reminder ReminderID  `json:"reminder" doc:"the reminder"`
	SentOn   domain.Date `json:"on" doc:"the day"`
	Level    int         `json:"level" doc:"number of the level in the policy, from 1"`
	LevelID  LevelID     `json:"level_name" doc:"the level"`
	TextHash string      `json:"text_hash" doc:"SHA-256 of the text as it was sent, in hexadecimal"`
	Channel  Channel     `json:"channel" doc:"how: MAIL, LETTER, PHONE, SMS or REGISTERED_LETTER"`
	Result   SendResult  `json:"result" doc:"ACCEPTED, DELIVERED or SPOKEN_TO"`
	Acting   Capacity    `json:"acting" doc:"in whose name: AGENCY or CREDITOR"`
}

func (ReminderSent) Kind() string      { return "dunning.reminder_sent" }
func (e ReminderSent) On() domain.Date { return e.SentOn }

func (e ReminderSent) apply(s *State) {
	s.Reached = append(s.Reached, Reached{e.Level, e.LevelID, e.SentOn})
	s.LastSentOn = domain.LaterOf(s.LastSentOn, e.SentOn)
	for _, i := range s.Pending.Items {
		s.Listed[i.Invoice] = true
	}
	s.Pending = nil
}

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
	DropAway          DropReason = "RETURNED" // to the creditor, or handed over
	DropOther         DropReason = "OTHER"
)

// DropReasons are all of them.
var DropReasons = []DropReason{
	DropPaid, DropDisputed, DropHeld, DropChanged, DropUnmatched, DropNoAddress, DropUndeliverable, DropClosed, DropAway, DropOther,
}

// DropReminder takes a queued reminder back. Its level does not count as reached; the next run may queue it again.
// Refuses dunning.unknown_reminder, dunning.reminder_settled, dunning.before_beginning.
type DropReminder struct {
	Order
	Reminder ReminderID `json:"reminder" doc:"the reminder"`
	Reason   DropReason `json:"reason_code" doc:"PAID, DISPUTED, HELD, CHANGED, UNMATCHED_RECEIPTS, NO_ADDRESS, UNDELIVERABLE, CASE_CLOSED, RETURNED or OTHER"`
	Note     string     `json:"note,omitzero" doc:"more about it, up to 1000 bytes; required for OTHER; not for personal data"`
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
	}
	return []domain.Event{ReminderDropped{c.Reminder, c.On, c.Reason, c.Note, c.As()}}, nil
}

// ReminderDropped says that a queued reminder was not sent, and why. Its level was not reached.
type ReminderDropped struct {
	Reminder  ReminderID  `json:"reminder" doc:"the reminder"`
	DroppedOn domain.Date `json:"on" doc:"the day"`
	Reason    DropReason  `json:"reason_code" doc:"PAID, DISPUTED, HELD, CHANGED, UNMATCHED_RECEIPTS, NO_ADDRESS, UNDELIVERABLE, CASE_CLOSED, RETURNED or OTHER"`
	Note      string      `json:"note,omitzero" doc:"more about it"`
	Acting    Capacity    `json:"acting" doc:"in whose name: AGENCY or CREDITOR"`
}

func (ReminderDropped) Kind() string      { return "dunning.reminder_dropped" }
func (e ReminderDropped) On() domain.Date { return e.DroppedOn }
func (e ReminderDropped) apply(s *State)  { s.Pending = nil }
