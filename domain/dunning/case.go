package dunning

import (
	"slices"

	"github.com/urikake/urikake/domain"
)

// State is a case as it stands. The zero level of a fresh generation is the state of everybody who was never reminded.
type State struct {
	Generation int                       // how often dunning began afresh; 0 before the first reminder
	Begun      bool                      // the generation is not closed
	Reached    []Reached                 // levels sent in this generation, in order
	Pending    *Reminder                 // queued, neither sent nor dropped
	Leaving    domain.Date               // the day on which that one was given out to be sent; none while it was not
	LastSentOn domain.Date               // over all generations
	Listed     map[domain.InvoiceID]bool // items on reminders sent in this generation
	Holds      []Hold                    // those not released, in the order in which they were placed
	Promise    *Promise                  // the one that is open
	Plan       *Plan                     // the one that was agreed last, until it is completed
	Returned   bool                      // to the creditor
	HandedTo   HandOverTo                // a lawyer or a licensed servicer; "" for nobody
	Collector  string                    // who looks after the case

	ids map[string]bool // everything that ever had an id here
}

// Reached is a level that was sent.
type Reached struct {
	Level  int // its number in the policy then
	ID     LevelID
	SentOn domain.Date
}

// Size is about how many bytes the case takes. O(1).
func (s *State) Size() int {
	size := 800 + 100*(len(s.Listed)+len(s.Holds)+len(s.ids))
	if s.Pending != nil {
		size += 200 * len(s.Pending.Items)
	}
	if s.Promise != nil {
		size += 100 * len(s.Promise.Items)
	}
	if s.Plan != nil {
		size += 50*len(s.Plan.Instalments) + 100*len(s.Plan.Items)
	}
	return size
}

func newState() *State {
	return &State{Listed: make(map[domain.InvoiceID]bool), ids: make(map[string]bool)}
}

// Level is the number of the level that was sent last in this generation; 0 for none.
func (s *State) Level() int {
	if len(s.Reached) == 0 {
		return 0
	}
	return s.Reached[len(s.Reached)-1].Level
}

// Open tells that there is something to close: a generation, a promise, a plan, or somebody else who has the case.
func (s *State) Open() bool {
	return s.Begun || s.Promise != nil || s.Plan != nil || s.Returned || s.HandedTo != ""
}

// Held gives the hold that stops reminders on a day; of several, one in dispute first, then the one placed first.
func (s *State) Held(on domain.Date) (h Hold, held bool) {
	if h, held = s.hold(on, Disputed); held {
		return h, true
	}
	for _, h := range s.Holds {
		if h.holds(on) {
			return h, true
		}
	}
	return Hold{}, false
}

func (s *State) hold(on domain.Date, kind HoldKind) (Hold, bool) {
	i := slices.IndexFunc(s.Holds, func(h Hold) bool { return h.Kind == kind && h.holds(on) })
	if i < 0 {
		return Hold{}, false
	}
	return s.Holds[i], true
}

// later tells that a reminder was queued or sent for a day after this one.
func (s *State) later(on domain.Date) bool {
	return on.Before(s.LastSentOn) || s.Pending != nil && on.Before(s.Pending.QueuedOn)
}

// fresh refuses an id that something of this sort had before.
func (s *State) fresh(sort, id string) error {
	if s.ids[sort+id] {
		return ErrRepeatedID.With("%s %s", sort, id).At("/" + sort)
	}
	return nil
}

func (s *State) took(sort, id string) { s.ids[sort+id] = true }

// outbound refuses an agency's step towards the debtor where only the creditor may go on.
func (s *State) outbound(o Order, on domain.Date) error {
	if o.As() == Creditor {
		return nil
	}
	if h, disputed := s.hold(on, Disputed); disputed {
		return ErrAgencyStops.With("hold %s since %s", h.ID, h.From).At("/acting")
	}
	for _, kind := range []HoldKind{LawyerNotice, Insolvency, Deceased, DoNotContact} {
		if h, held := s.hold(on, kind); held {
			return ErrAgencyStops.With("hold %s (%s) since %s", h.ID, kind, h.From).At("/acting")
		}
	}
	switch {
	case s.Returned:
		return ErrReturned.At("/acting")
	case s.HandedTo != "":
		return ErrHandedOver.At("/acting")
	}
	return nil
}

// closed is the case after its generation: holds, the collector and the ids stay.
func (s *State) closed() {
	s.Begun, s.Reached, s.Pending, s.Promise, s.Plan = false, nil, nil, nil, nil
	s.Leaving, s.Returned, s.HandedTo = domain.Date{}, false, ""
	clear(s.Listed)
}
