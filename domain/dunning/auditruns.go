package dunning

import (
	"slices"

	"github.com/urikake/urikake/domain"
)

// auditPolicies: see domain.Decider.
func auditPolicies(s *Policies, stream string, e domain.Event) error {
	known, ok := e.(PolicyEvent)
	if !ok {
		return domain.ErrMisplaced.With("%s is no event of policies", e.Kind())
	}
	if err := domain.Belongs(stream, PolicyStream(known.of())); err != nil {
		return err
	}
	return known.audit(s)
}

func (e PolicySet) of() domain.SellerID        { return e.Seller }
func (e PolicyAssigned) of() domain.SellerID   { return e.Seller }
func (e BankDataRecorded) of() domain.SellerID { return e.Seller }

// A policy's versions follow each other.
func (e PolicySet) audit(s *Policies) error {
	return domain.Same("the version of "+string(e.ID), e.Version, s.byID[e.ID].Version+1)
}

// A policy that there is is assigned, to a customer or a group that has another.
func (e PolicyAssigned) audit(s *Policies) error {
	now := s.byCustomer[e.Customer]
	if e.Group != "" {
		now = s.byGroup[e.Group]
	}
	_, known := s.byID[e.ID]
	switch {
	case (e.Customer == "") == (e.Group == ""):
		return ErrOneTarget
	case e.ID != "" && !known:
		return ErrUnknownPolicy.With("%s", e.ID)
	case now == e.ID:
		return ErrNothingNew.With("it is %q already", e.ID)
	}
	return nil
}

// Bank data goes on, and never beyond the day on which it is recorded.
func (e BankDataRecorded) audit(s *Policies) error {
	switch {
	case e.Through.After(e.RecordedOn):
		return ErrBankDataAhead.With("through %s, recorded on %s", e.Through, e.RecordedOn)
	case !e.Through.After(s.bankDataOn):
		return ErrBankDataBack.With("through %s, and %s", e.Through, through(s.bankDataOn))
	}
	return nil
}

// auditRun: see domain.Decider.
func auditRun(s *RunState, stream string, e domain.Event) error {
	known, ok := e.(RunEvent)
	if !ok {
		return domain.ErrMisplaced.With("%s is no event of a run", e.Kind())
	}
	if err := domain.Belongs(stream, known.Of().Stream()); err != nil {
		return err
	}
	if _, begins := e.(RunBegun); !begins && !s.Begun {
		return ErrUnknownRun
	}
	if s.Ended {
		return ErrRunEnded.With("with %d parts", s.Parts)
	}
	return known.audit(s)
}

// A run begins once.
func (e RunBegun) audit(s *RunState) error {
	if s.Begun {
		return ErrOtherRun.With("begun on %s already", s.BegunOn)
	}
	return nil
}

// A run's parts follow each other, and so do the debtors in them.
func (e RunDecided) audit(s *RunState) error {
	switch {
	case e.Part != s.Parts+1:
		return ErrPartMissing.With("%d, want %d", e.Part, s.Parts+1)
	case e.DecidedOn != s.BegunOn:
		return domain.Same("the day", e.DecidedOn, s.BegunOn)
	case len(e.Decisions) == 0:
		return ErrPartSize.With("none")
	}
	last, follows := s.Through()
	for _, d := range e.Decisions {
		if follows && last.Compare(d) >= 0 {
			return ErrPartOrder.With("%s %s after %s %s", d.Customer, d.Currency, last.Customer, last.Currency)
		}
		last, follows = d, true
	}
	return nil
}

// A run's end counts what its parts hold.
func (e RunEnded) audit(s *RunState) error {
	whys, steps := s.Counts()
	switch {
	case e.EndedOn != s.BegunOn:
		return domain.Same("the day", e.EndedOn, s.BegunOn)
	case e.Parts != s.Parts:
		return domain.Same("the number of parts", e.Parts, s.Parts)
	case e.Debtors != s.Debtors:
		return domain.Same("the number of debtors", e.Debtors, s.Debtors)
	case e.Refusals != s.Refusals+len(e.Refused):
		return domain.Same("the number of refusals", e.Refusals, s.Refusals+len(e.Refused))
	case !slices.Equal(e.Whys, whys):
		return domain.ErrContradiction.With("it counts %v, and its parts hold %v", e.Whys, whys)
	case !slices.Equal(e.Steps, steps):
		return domain.ErrContradiction.With("it counts %v, and its parts hold %v", e.Steps, steps)
	}
	return nil
}
