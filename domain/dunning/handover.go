package dunning

import "github.com/urikake/urikake/domain"

// HandOverTo is who takes a case over.
type HandOverTo string

const (
	Lawyer           HandOverTo = "LAWYER"
	LicensedServicer HandOverTo = "LICENSED_SERVICER" // サービサー: for the claims that its licence covers (特定金銭債権)
)

var ErrNotAway = &domain.Error{
	Code: domain.Refused, Rule: "dunning.not_away",
	Text: "the case was neither returned to the creditor nor handed over",
}

// ReturnToCreditor gives the case back: an agency does nothing more towards the debtor until the creditor resumes it.
// Refuses dunning.nothing_new, dunning.handed_over.
type ReturnToCreditor struct {
	Order
	Reason string `json:"reason" doc:"why, up to 1000 bytes; not for personal data"`
}

func (ReturnToCreditor) Name() string { return "ReturnToCreditor" }

func (c ReturnToCreditor) check(f *domain.Faults) {
	c.Order.check(f)
	text(f, "/reason", c.Reason, true)
}

func (c ReturnToCreditor) decide(s *State, _ Facts) ([]domain.Event, error) {
	switch {
	case s.HandedTo != "":
		return nil, ErrHandedOver.With("%s", s.HandedTo)
	case s.Returned:
		return nil, ErrNothingNew
	}
	return []domain.Event{ReturnedToCreditor{c.On, c.Reason, c.As()}}, nil
}

// ReturnedToCreditor says that the agency gave the case back, and why.
type ReturnedToCreditor struct {
	ReturnedOn domain.Date `json:"on" doc:"the day"`
	Reason     string      `json:"reason" doc:"why"`
	Acting     Capacity    `json:"acting" doc:"in whose name: AGENCY or CREDITOR"`
}

func (ReturnedToCreditor) Kind() string      { return "dunning.returned_to_creditor" }
func (e ReturnedToCreditor) On() domain.Date { return e.ReturnedOn }
func (e ReturnedToCreditor) apply(s *State)  { s.Returned = true }

// HandOver gives the case to a lawyer or a licensed servicer, by the creditor's decision. Nobody else reminds any more.
// Refuses dunning.needs_creditor, dunning.handed_over.
type HandOver struct {
	Order
	To        HandOverTo `json:"to" doc:"LAWYER or LICENSED_SERVICER"`
	TakerName string     `json:"name" doc:"the firm's name, up to 300 bytes"`
	Reason    string     `json:"reason" doc:"why, up to 1000 bytes; not for personal data"`
}

func (HandOver) Name() string { return "HandOver" }

func (c HandOver) check(f *domain.Faults) {
	c.Order.check(f)
	oneOf(f, "/to", c.To, Lawyer, LicensedServicer)
	f.Add("/name", domain.CheckLine(c.TakerName, true, NameMax))
	text(f, "/reason", c.Reason, true)
}

func (c HandOver) decide(s *State, _ Facts) ([]domain.Event, error) {
	if err := c.creditorOnly("handing a claim over"); err != nil {
		return nil, err
	}
	if s.HandedTo != "" {
		return nil, ErrHandedOver.With("%s", s.HandedTo)
	}
	return []domain.Event{HandedOver{c.On, c.To, c.TakerName, c.Reason, c.As()}}, nil
}

// HandedOver says that a lawyer or a licensed servicer has the case.
type HandedOver struct {
	HandedOn  domain.Date `json:"on" doc:"the day"`
	To        HandOverTo  `json:"to" doc:"LAWYER or LICENSED_SERVICER"`
	TakerName string      `json:"name" doc:"the firm's name"`
	Reason    string      `json:"reason" doc:"why"`
	Acting    Capacity    `json:"acting" doc:"in whose name: CREDITOR"`
}

func (HandedOver) Kind() string      { return "dunning.handed_over" }
func (e HandedOver) On() domain.Date { return e.HandedOn }
func (e HandedOver) apply(s *State)  { s.HandedTo = e.To }

// ResumeCase takes a case back that was returned or handed over; it goes on at the level that it had.
// Refuses dunning.needs_creditor, dunning.not_away.
type ResumeCase struct {
	Order
	Reason string `json:"reason" doc:"why, up to 1000 bytes; not for personal data"`
}

func (ResumeCase) Name() string { return "ResumeCase" }

func (c ResumeCase) check(f *domain.Faults) {
	c.Order.check(f)
	text(f, "/reason", c.Reason, true)
}

func (c ResumeCase) decide(s *State, _ Facts) ([]domain.Event, error) {
	if err := c.creditorOnly("giving a case back to the agency"); err != nil {
		return nil, err
	}
	if !s.Returned && s.HandedTo == "" {
		return nil, ErrNotAway
	}
	return []domain.Event{CaseResumed{c.On, c.Reason, c.As()}}, nil
}

// CaseResumed says that a case that was returned or handed over goes on, and why.
type CaseResumed struct {
	ResumedOn domain.Date `json:"on" doc:"the day"`
	Reason    string      `json:"reason" doc:"why"`
	Acting    Capacity    `json:"acting" doc:"in whose name: CREDITOR"`
}

func (CaseResumed) Kind() string      { return "dunning.case_resumed" }
func (e CaseResumed) On() domain.Date { return e.ResumedOn }
func (e CaseResumed) apply(s *State)  { s.Returned, s.HandedTo = false, "" }
