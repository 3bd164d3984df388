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

var (
	ErrLeaving = &domain.Error{
		Code: domain.Refused, Rule: "dunning.reminder_leaving",
		Text: "the reminder was given out to be sent, and nobody has said yet what became of it: send again, or say that it has not left",
	}
	ErrPaidMeanwhile = &domain.Error{
		Code: domain.Refused, Rule: "dunning.paid",
		Text: "the books say that what the reminder asks for is paid, or that the debtor's money is enough for it",
	}
	ErrDisputedMeanwhile = &domain.Error{
		Code: domain.Refused, Rule: "dunning.disputed",
		Text: "the books say that something which the reminder asks for is in dispute",
	}
	ErrChanged = &domain.Error{
		Code: domain.Refused, Rule: "dunning.changed",
		Text: "the books, or the policy that holds now, say otherwise than the reminder; drop it and let a run decide anew",
	}
	ErrUnmatched = &domain.Error{
		Code: domain.Refused, Rule: "dunning.unmatched_receipts",
		Text: "money that may be the debtor's waits for its payer",
	}
	ErrElsewhere = &domain.Error{
		Code: domain.Refused, Rule: "dunning.unapplied_in_other_currency",
		Text: "the debtor has money here in another currency that settles nothing yet",
	}
	ErrNoChannel = &domain.Error{
		Code: domain.Refused, Rule: "dunning.no_channel",
		Text: "the debtor can't be reached by the reminder's channel any more",
	}
	ErrQuiet = &domain.Error{
		Code: domain.Refused, Rule: "dunning.quiet_day",
		Text: "nobody is reminded on such a day",
	}
	ErrRecently = &domain.Error{
		Code: domain.Refused, Rule: "dunning.reminded_recently",
		Text: "the debtor was reminded too few days ago",
	}
)

// DispatchReminder gives a queued reminder out to be sent, after a last look at the account, the case and the policy as
// they are at that moment. From then on nobody takes it back unless he says that it has not left; SendReminder says that
// it has. One that was dispatched already stays so.
// Refuses what SendReminder refuses.
type DispatchReminder struct {
	Order
	Reminder ReminderID `json:"reminder" doc:"the reminder"`
}

func (DispatchReminder) Name() string { return "DispatchReminder" }

func (c DispatchReminder) check(f *domain.Faults) {
	c.Order.check(f)
	f.Add("/reminder", domain.CheckID(c.Reminder))
}

func (c DispatchReminder) decide(s *State, facts Facts) ([]domain.Event, error) {
	r, err := s.sendable(c.Order, c.Reminder)
	switch {
	case err != nil:
		return nil, err
	case !s.Leaving.IsZero():
		return nil, nil
	}
	if err := s.outbound(c.Order, c.On); err != nil {
		return nil, err
	}
	if v := facts.lastLook(*r, s, c.On); !v.Send {
		return nil, v.refusal()
	}
	return []domain.Event{ReminderDispatched{c.Reminder, c.On, c.As()}}, nil
}

// ReminderDispatched says that a reminder was given out to be sent: nothing stood against it.
type ReminderDispatched struct {
	Reminder     ReminderID  `json:"reminder" doc:"the reminder"`
	DispatchedOn domain.Date `json:"on" doc:"the day that it bears"`
	Acting       Capacity    `json:"acting" doc:"in whose name: AGENCY or CREDITOR"`
}

func (ReminderDispatched) Kind() string      { return "dunning.reminder_dispatched" }
func (e ReminderDispatched) On() domain.Date { return e.DispatchedOn }
func (e ReminderDispatched) apply(s *State)  { s.Leaving = e.DispatchedOn }

// SendReminder records that a queued reminder goes out; its level is reached by that, and late charges that it assesses
// are owed. It takes a last look at the account, the case and the policy as they are at that moment, and what stands
// against it refuses it. What has left already is recorded whatever the books say now, with the reason why it is only
// recorded: gone. What could not be sent is dropped instead. A second sending is refused, whoever asks for it.
//
// Refuses dunning.unknown_reminder, dunning.reminder_settled, dunning.before_beginning, dunning.bad_hash and
// dunning.needs_creditor; unless it is gone, dunning.agency_stops_in_dispute, dunning.returned_to_creditor,
// dunning.handed_over, dunning.on_hold, dunning.promise_runs, dunning.plan_runs, dunning.paid, dunning.disputed,
// dunning.changed, dunning.no_channel and, for a run's reminder, dunning.unmatched_receipts,
// dunning.unapplied_in_other_currency, dunning.bank_data_old, dunning.quiet_day and dunning.reminded_recently.
type SendReminder struct {
	Order
	Reminder ReminderID `json:"reminder" doc:"the reminder"`
	TextHash string     `json:"text_hash" doc:"SHA-256 of the text as it was sent, in hexadecimal"`
	Channel  Channel    `json:"channel" doc:"how it was sent: MAIL, LETTER, PHONE, SMS or REGISTERED_LETTER"`
	Result   SendResult `json:"result" doc:"ACCEPTED, DELIVERED or SPOKEN_TO"`
	Gone     bool       `json:"gone,omitzero" doc:"it has left already, on that day: it is recorded without a last look"`
	Note     string     `json:"note,omitzero" doc:"why it is recorded only now, up to 1000 bytes; required where it is gone; not for personal data"`
}

func (SendReminder) Name() string { return "SendReminder" }

func (c SendReminder) check(f *domain.Faults) {
	c.Order.check(f)
	f.Add("/reminder", domain.CheckID(c.Reminder))
	f.Require(len(c.TextHash) == 64 && strings.Trim(c.TextHash, "0123456789abcdef") == "", "/text_hash", ErrBadHash)
	oneOf(f, "/channel", c.Channel, Mail, Letter, Phone, SMS, RegisteredLetter)
	oneOf(f, "/result", c.Result, Accepted, Delivered, SpokenTo)
	text(f, "/note", c.Note, c.Gone)
}

func (c SendReminder) decide(s *State, facts Facts) ([]domain.Event, error) {
	r, err := s.sendable(c.Order, c.Reminder)
	if err != nil {
		return nil, err
	}
	e := ReminderSent{
		Reminder: c.Reminder, SentOn: c.On, Level: r.Level, LevelID: r.LevelID, TextHash: c.TextHash,
		Channel: c.Channel, Result: c.Result, Note: c.Note, Acting: c.As(),
	}
	v := facts.lastLook(*r, s, c.On)
	stops := s.outbound(c.Order, c.On)
	switch {
	case c.Gone && !v.Send:
		e.Despite = v.Why
	case c.Gone:
	case stops != nil:
		return nil, stops
	case !v.Send:
		return nil, v.refusal()
	}
	return []domain.Event{e}, nil
}

// sendable is the queued reminder of that id, which may go out on the day and in whose name it is asked.
func (s *State) sendable(o Order, id ReminderID) (*Reminder, error) {
	r, err := s.pending(id)
	if err == nil && r.Who == Creditor {
		err = o.creditorOnly("level " + string(r.LevelID))
	}
	if err == nil && o.On.Before(r.QueuedOn) {
		err = ErrTooEarly.With("queued as of %s", r.QueuedOn).At("/on")
	}
	return r, err
}

// lastLook is at the books of today, or of the letter's own day where nobody knows what day it is.
func (f Facts) lastLook(r Reminder, s *State, on domain.Date) Verdict {
	return LastLook(f.Policy, r, s, f.Debtor, domain.LaterOf(f.Today, on), on)
}

// refusal is the rule that says what stands against a reminder.
func (v Verdict) refusal() error {
	said := string(v.Why)
	if !v.Until.IsZero() {
		said += ", look again on " + v.Until.String()
	}
	return stands(v.Why).With("%s", said).At("/reminder")
}

func stands(why Why) *domain.Error {
	switch why {
	case WhyPaid, WhyCovered:
		return ErrPaidMeanwhile
	case WhyDisputed:
		return ErrDisputedMeanwhile
	case WhyUnmatched:
		return ErrUnmatched
	case WhyElsewhere:
		return ErrElsewhere
	case WhyNoChannel:
		return ErrNoChannel
	case WhyQuietDay:
		return ErrQuiet
	case WhyRecently:
		return ErrRecently
	case WhyBankDataOld:
		return ErrBankDataOld
	case WhyOnHold, WhyPromise, WhyPlan, WhyHandedOver, WhyReturned:
		return ruleOf(why)
	}
	return ErrChanged
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
	Note     string      `json:"note,omitzero" doc:"why it was recorded only after it had left"`
	Despite  Why         `json:"despite,omitempty" doc:"what stood against it when it was recorded, after it had left"`
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
	s.Pending, s.Leaving = nil, domain.Date{}
}
