package dunning

import (
	"slices"

	"github.com/urikake/urikake/domain"
)

// HoldKind says why reminders stop.
type HoldKind string

const (
	Disputed      HoldKind = "DISPUTED"       // the debtor objects
	PromiseHold   HoldKind = "PROMISE_TO_PAY" // without an amount; RecordPromise is the better way
	PlanHold      HoldKind = "PAYMENT_PLAN"   // agreed elsewhere; AgreePaymentPlan is the better way
	Insolvency    HoldKind = "INSOLVENCY"
	LawyerNotice  HoldKind = "LAWYER_NOTICE" // 受任通知: write to the lawyer, not to the debtor
	Deceased      HoldKind = "DECEASED"
	DoNotContact  HoldKind = "DO_NOT_CONTACT"
	CreditorsHold HoldKind = "CREDITOR_HOLD"
)

// HoldKinds are all of them.
var HoldKinds = []HoldKind{Disputed, PromiseHold, PlanHold, Insolvency, LawyerNotice, Deceased, DoNotContact, CreditorsHold}

// Hold stops reminders from a day on.
type Hold struct {
	ID    HoldID
	Kind  HoldKind
	From  domain.Date
	Until domain.Date // last day, none: until it is released
}

func (h Hold) holds(on domain.Date) bool {
	return !on.Before(h.From) && (h.Until.IsZero() || !on.After(h.Until))
}

var (
	ErrOnHold = &domain.Error{
		Code: domain.Refused, Rule: "dunning.on_hold",
		Text: "a hold stands; release it first",
	}
	ErrUnknownHold = &domain.Error{
		Code: domain.NotFound, Rule: "dunning.unknown_hold",
		Text: "the case has no such hold that is not released",
	}
	ErrHoldOver = &domain.Error{
		Code: domain.Refused, Rule: "dunning.hold_over",
		Text: "the hold ended by its own last day",
	}
	ErrBadUntil = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.bad_until",
		Text: "a hold's last day is not before its first; a PROMISE_TO_PAY has one",
	}
	ErrTooManyHolds = &domain.Error{
		Code: domain.Refused, Rule: "dunning.too_many_holds",
		Text: "a case has at most 100 holds that are neither released nor over",
	}
)

// creditorsHolds are the holds that only the creditor ends: those that he placed, and those about the claim itself.
var creditorsHolds = []HoldKind{Disputed, PlanHold, LawyerNotice, CreditorsHold}

// HoldDunning stops reminders, of all or until a day. An objection is a hold of kind DISPUTED: an agency does nothing
// more towards the debtor while it stands, and the creditor has to see to the claim.
// Refuses dunning.repeated_id, dunning.bad_until, dunning.too_many_holds, dunning.needs_creditor for the creditor's own.
type HoldDunning struct {
	Order
	Hold   HoldID      `json:"hold,omitempty" doc:"id within the case; derived from the command's id when left out"`
	Kind   HoldKind    `json:"kind" doc:"DISPUTED, PROMISE_TO_PAY, PAYMENT_PLAN, INSOLVENCY, LAWYER_NOTICE, DECEASED, DO_NOT_CONTACT or CREDITOR_HOLD"`
	Until  domain.Date `json:"until,omitzero" doc:"its last day; until it is released when left out"`
	Reason string      `json:"reason" doc:"why, up to 1000 bytes; not for personal data"`
}

func (HoldDunning) Name() string { return "HoldDunning" }

func (c HoldDunning) check(f *domain.Faults) {
	c.Order.check(f)
	f.Add("/hold", domain.CheckID(c.Hold))
	oneOf(f, "/kind", c.Kind, HoldKinds...)
	f.Require(c.Until.IsZero() || !c.Until.Before(c.On), "/until", ErrBadUntil.With("from %s until %s", c.On, c.Until))
	f.Require(!c.Until.IsZero() || c.Kind != PromiseHold, "/until", ErrBadUntil)
	text(f, "/reason", c.Reason, true)
}

func (c HoldDunning) decide(s *State, _ Facts) ([]domain.Event, error) {
	if c.Kind == CreditorsHold || c.Kind == PlanHold {
		if err := c.creditorOnly("a hold of kind " + string(c.Kind)); err != nil {
			return nil, err
		}
	}
	if len(s.Holds) >= HoldsMax {
		return nil, ErrTooManyHolds
	}
	if err := s.fresh("hold", string(c.Hold)); err != nil {
		return nil, err
	}
	return []domain.Event{Held{c.Hold, c.Kind, c.On, c.Until, c.Reason, c.As()}}, nil
}

// Held says that reminders stop, and why.
type Held struct {
	Hold   HoldID      `json:"hold" doc:"id within the case"`
	For    HoldKind    `json:"kind" doc:"DISPUTED, PROMISE_TO_PAY, PAYMENT_PLAN, INSOLVENCY, LAWYER_NOTICE, DECEASED, DO_NOT_CONTACT or CREDITOR_HOLD"`
	From   domain.Date `json:"on" doc:"the first day"`
	Until  domain.Date `json:"until,omitzero" doc:"the last day; absent: until it is released"`
	Reason string      `json:"reason" doc:"why"`
	Acting Capacity    `json:"acting" doc:"in whose name: AGENCY or CREDITOR"`
}

func (Held) Kind() string      { return "dunning.held" }
func (e Held) On() domain.Date { return e.From }

func (e Held) apply(s *State) {
	s.took("hold", string(e.Hold))
	s.Holds = slices.DeleteFunc(s.Holds, func(h Hold) bool { return !h.Until.IsZero() && h.Until.Before(e.From) })
	s.Holds = append(s.Holds, Hold{e.Hold, e.For, e.From, e.Until})
}

// ReleaseHold ends a hold. Only the creditor ends one that he placed, and one about a dispute, a plan or a lawyer.
// Refuses dunning.unknown_hold, dunning.hold_over, dunning.before_beginning, dunning.needs_creditor.
type ReleaseHold struct {
	Order
	Hold   HoldID `json:"hold" doc:"the hold"`
	Reason string `json:"reason" doc:"why, up to 1000 bytes; not for personal data"`
}

func (ReleaseHold) Name() string { return "ReleaseHold" }

func (c ReleaseHold) check(f *domain.Faults) {
	c.Order.check(f)
	f.Add("/hold", domain.CheckID(c.Hold))
	text(f, "/reason", c.Reason, true)
}

func (c ReleaseHold) decide(s *State, _ Facts) ([]domain.Event, error) {
	i := slices.IndexFunc(s.Holds, func(h Hold) bool { return h.ID == c.Hold })
	if i < 0 {
		return nil, ErrUnknownHold.With("%s", c.Hold).At("/hold")
	}
	h := s.Holds[i]
	if slices.Contains(creditorsHolds, h.Kind) {
		if err := c.creditorOnly("ending a hold of kind " + string(h.Kind)); err != nil {
			return nil, err
		}
	}
	switch {
	case c.On.Before(h.From):
		return nil, ErrTooEarly.With("held from %s", h.From).At("/on")
	case !h.holds(c.On):
		return nil, ErrHoldOver.With("until %s", h.Until).At("/on")
	}
	return []domain.Event{HoldReleased{c.Hold, h.Kind, c.On, c.Reason, c.As()}}, nil
}

// HoldReleased says that a hold ended, and why.
type HoldReleased struct {
	Hold       HoldID      `json:"hold" doc:"the hold"`
	For        HoldKind    `json:"kind" doc:"what it was for"`
	ReleasedOn domain.Date `json:"on" doc:"the first day without it"`
	Reason     string      `json:"reason" doc:"why"`
	Acting     Capacity    `json:"acting" doc:"in whose name: AGENCY or CREDITOR"`
}

func (HoldReleased) Kind() string      { return "dunning.hold_released" }
func (e HoldReleased) On() domain.Date { return e.ReleasedOn }

func (e HoldReleased) apply(s *State) {
	s.Holds = slices.DeleteFunc(s.Holds, func(h Hold) bool { return h.ID == e.Hold })
}
