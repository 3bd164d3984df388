package dunning

import "github.com/urikake/urikake/domain"

// CloseReason says why a case ends.
type CloseReason string

const (
	ClosePaid       CloseReason = "PAID"        // nothing that was reminded is open
	CloseWrittenOff CloseReason = "WRITTEN_OFF" // given up
	CloseSettled    CloseReason = "SETTLED"     // agreed otherwise (和解)
	CloseInError    CloseReason = "IN_ERROR"    // it should not have begun
	CloseOther      CloseReason = "OTHER"
)

var (
	ErrNotOpen = &domain.Error{
		Code: domain.Refused, Rule: "dunning.not_open",
		Text: "the case has nothing to close",
	}
	ErrStillOpen = &domain.Error{
		Code: domain.Refused, Rule: "dunning.still_open",
		Text: "something that was reminded, promised or planned is still open",
	}
)

// CloseCase ends a case with its promise and its plan; a queued reminder is dropped, unless it was given out to be sent:
// then nothing is closed before somebody says what became of it. Holds stay until they are released.
// The next reminder begins afresh at the first level. To give up or to settle is the creditor's.
// Refuses dunning.not_open, dunning.reminder_leaving, dunning.still_open for PAID, dunning.needs_creditor.
type CloseCase struct {
	Order
	Reason CloseReason `json:"reason_code" doc:"PAID, WRITTEN_OFF, SETTLED, IN_ERROR or OTHER"`
	Note   string      `json:"note,omitzero" doc:"more about it, up to 1000 bytes; not for personal data"`
}

func (CloseCase) Name() string { return "CloseCase" }

func (c CloseCase) check(f *domain.Faults) {
	c.Order.check(f)
	oneOf(f, "/reason_code", c.Reason, ClosePaid, CloseWrittenOff, CloseSettled, CloseInError, CloseOther)
	text(f, "/note", c.Note, c.Reason == CloseInError || c.Reason == CloseOther)
}

func (c CloseCase) decide(s *State, facts Facts) ([]domain.Event, error) {
	if c.Reason == CloseWrittenOff || c.Reason == CloseSettled {
		if err := c.creditorOnly("giving up or settling a claim"); err != nil {
			return nil, err
		}
	}
	switch {
	case !s.Open():
		return nil, ErrNotOpen
	case !s.Leaving.IsZero():
		return nil, ErrLeaving.With("dispatched on %s", s.Leaving)
	case c.Reason == ClosePaid && s.later(c.On):
		return nil, ErrStillOpen.With("on %s, and a reminder came after that day", c.On).At("/on")
	case c.Reason == ClosePaid && !facts.Debtor.clears(s):
		return nil, ErrStillOpen.With("%s is open", facts.Debtor.money(facts.Debtor.sums().open)).At("/reason_code")
	}
	var events []domain.Event
	if s.Pending != nil {
		events = append(events, ReminderDropped{s.Pending.ID, c.On, DropClosed, "", c.As()})
	}
	return append(events, CaseClosed{s.Generation, c.On, c.Reason, c.Note, c.As()}), nil
}

// CaseClosed says that a case ended, and why.
type CaseClosed struct {
	Generation int         `json:"generation" doc:"how often dunning had begun"`
	ClosedOn   domain.Date `json:"on" doc:"the day"`
	Reason     CloseReason `json:"reason_code" doc:"PAID, WRITTEN_OFF, SETTLED, IN_ERROR or OTHER"`
	Note       string      `json:"note,omitzero" doc:"more about it"`
	Acting     Capacity    `json:"acting" doc:"in whose name: AGENCY or CREDITOR"`
}

func (CaseClosed) Kind() string      { return "dunning.case_closed" }
func (e CaseClosed) On() domain.Date { return e.ClosedOn }
func (e CaseClosed) apply(s *State)  { s.closed() }
