package dunning

import "github.com/urikake/urikake/domain"

// ContactBy is how somebody spoke with the debtor.
type ContactBy string

const (
	ByCall   ContactBy = "CALL"
	ByMail   ContactBy = "MAIL"
	ByLetter ContactBy = "LETTER"
	ByVisit  ContactBy = "VISIT"
)

// Direction is who sought the contact.
type Direction string

const (
	Outbound Direction = "OUT"
	Inbound  Direction = "IN"
)

// ContactOutcome says what came of a contact.
type ContactOutcome string

const (
	Spoke        ContactOutcome = "SPOKE"
	NoAnswer     ContactOutcome = "NO_ANSWER"
	LeftMessage  ContactOutcome = "LEFT_MESSAGE"
	WrongPerson  ContactOutcome = "WRONG_PERSON"
	WantsCopy    ContactOutcome = "WANTS_COPY" // of the invoice
	Promises     ContactOutcome = "PROMISES"   // to pay: RecordPromise says what
	Objects      ContactOutcome = "OBJECTS"    // to the claim: it is in dispute from then on
	RefusesToPay ContactOutcome = "REFUSES_TO_PAY"
)

// ContactOutcomes are all of them.
var ContactOutcomes = []ContactOutcome{Spoke, NoAnswer, LeftMessage, WrongPerson, WantsCopy, Promises, Objects, RefusesToPay}

// RecordContact notes that somebody spoke with the debtor. If the debtor objects or refuses to pay, the case is in
// dispute from that day on: a hold of kind DISPUTED is placed with the contact's id.
// Refuses dunning.repeated_id; dunning.agency_stops_in_dispute and dunning.returned_to_creditor for an agency's own step.
type RecordContact struct {
	Order
	Contact   ContactID      `json:"contact,omitempty" doc:"id within the case; derived from the command's id when left out"`
	By        ContactBy      `json:"by" doc:"CALL, MAIL, LETTER or VISIT"`
	Direction Direction      `json:"direction" doc:"OUT or IN: who sought it"`
	Outcome   ContactOutcome `json:"outcome" doc:"SPOKE, NO_ANSWER, LEFT_MESSAGE, WRONG_PERSON, WANTS_COPY, PROMISES, OBJECTS or REFUSES_TO_PAY"`
	Notes     string         `json:"notes,omitzero" doc:"what was said, up to 1000 bytes" personal:"true"`
}

func (RecordContact) Name() string { return "RecordContact" }

func (c RecordContact) check(f *domain.Faults) {
	c.Order.check(f)
	f.Add("/contact", domain.CheckID(c.Contact))
	oneOf(f, "/by", c.By, ByCall, ByMail, ByLetter, ByVisit)
	oneOf(f, "/direction", c.Direction, Outbound, Inbound)
	oneOf(f, "/outcome", c.Outcome, ContactOutcomes...)
	text(f, "/notes", c.Notes, false)
}

func (c RecordContact) decide(s *State, _ Facts) ([]domain.Event, error) {
	if c.Direction == Outbound {
		if err := s.outbound(c.Order, c.On); err != nil {
			return nil, err
		}
	}
	if err := s.fresh("contact", string(c.Contact)); err != nil {
		return nil, err
	}
	events := []domain.Event{ContactRecorded{c.Contact, c.On, c.By, c.Direction, c.Outcome, c.Notes, c.As()}}
	_, disputed := s.hold(c.On, Disputed)
	if objects := c.Outcome == Objects || c.Outcome == RefusesToPay; !objects || disputed {
		return events, nil
	}
	hold, err := HoldDunning{c.Order, HoldID(c.Contact), Disputed, domain.Date{}, "contact " + string(c.Contact) + ": " + string(c.Outcome)}.decide(s, Facts{})
	if err != nil {
		return nil, err
	}
	return append(events, hold...), nil
}

// ContactRecorded says that somebody spoke with the debtor, and what came of it.
type ContactRecorded struct {
	Contact     ContactID      `json:"contact" doc:"id within the case"`
	ContactedOn domain.Date    `json:"on" doc:"the day"`
	By          ContactBy      `json:"by" doc:"CALL, MAIL, LETTER or VISIT"`
	Direction   Direction      `json:"direction" doc:"OUT or IN: who sought it"`
	Outcome     ContactOutcome `json:"outcome" doc:"SPOKE, NO_ANSWER, LEFT_MESSAGE, WRONG_PERSON, WANTS_COPY, PROMISES, OBJECTS or REFUSES_TO_PAY"`
	Notes       string         `json:"notes,omitzero" doc:"what was said" personal:"true"`
	Acting      Capacity       `json:"acting" doc:"in whose name: AGENCY or CREDITOR"`
}

func (ContactRecorded) Kind() string      { return "dunning.contact_recorded" }
func (e ContactRecorded) On() domain.Date { return e.ContactedOn }
func (e ContactRecorded) apply(s *State)  { s.took("contact", string(e.Contact)) }

// AssignCollector says who looks after the case from then on; without a collector nobody does.
// Refuses dunning.nothing_new.
type AssignCollector struct {
	Order
	Collector string `json:"collector,omitzero" doc:"the collector's name or id, up to 300 bytes; nobody when left out"`
}

func (AssignCollector) Name() string { return "AssignCollector" }

func (c AssignCollector) check(f *domain.Faults) {
	c.Order.check(f)
	f.Add("/collector", domain.CheckLine(c.Collector, false, NameMax))
}

func (c AssignCollector) decide(s *State, _ Facts) ([]domain.Event, error) {
	if s.Collector == c.Collector {
		return nil, ErrNothingNew.At("/collector")
	}
	return []domain.Event{CollectorAssigned{c.On, c.Collector}}, nil
}

// CollectorAssigned says who looks after the case.
type CollectorAssigned struct {
	AssignedOn domain.Date `json:"on" doc:"the day"`
	Collector  string      `json:"collector,omitzero" doc:"the collector's name or id; absent: nobody"`
}

func (CollectorAssigned) Kind() string      { return "dunning.collector_assigned" }
func (e CollectorAssigned) On() domain.Date { return e.AssignedOn }
func (e CollectorAssigned) apply(s *State)  { s.Collector = e.Collector }
