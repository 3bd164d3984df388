package numbering

import "github.com/urikake/urikake/domain"

// audit: see domain.Decider.
func audit(s *State, stream string, e domain.Event) error {
	known, ok := e.(Event)
	if !ok {
		return domain.ErrMisplaced.With("%s is no event of a series of numbers", e.Kind())
	}
	if err := domain.Belongs(stream, known.Stream()); err != nil {
		return err
	}
	return known.audit(s)
}

// Numbers are given out without a gap: the lowest that were returned, then the next ones, one to each taker.
func (e NumbersTaken) audit(s *State) error {
	if len(e.Taken) == 0 || len(e.Taken) > TakersMax {
		return domain.ErrContradiction.With("it gives out %d numbers at once, want 1 to %d", len(e.Taken), TakersMax)
	}
	takers := make(map[Taker]bool, len(e.Taken))
	i := 0
	for n := range s.free() {
		t := e.Taken[i]
		switch held, _, waits := s.Held(t.Taker); {
		case t.N != n:
			return domain.ErrContradiction.With("it gives out %s, and the next is %s", e.Number(t.N), e.Number(n))
		case waits:
			return ErrNumberTaken.With("%s waits for %s of %s already", e.Number(held), t.Invoice, t.Account)
		case takers[t.Taker]:
			return ErrNumberTaken.With("two for %s of %s", t.Invoice, t.Account)
		}
		takers[t.Taker] = true
		if i++; i == len(e.Taken) {
			return nil
		}
	}
	return ErrSeriesFull
}

// A number that is claimed by hand is free, and its taker waits with no other.
func (e NumberClaimed) audit(s *State) error {
	switch held, _, waits := s.Held(e.Taker); {
	case e.N < 1 || e.N > NumberMax:
		return ErrBadNumber.With("%d", e.N)
	case waits:
		return ErrNumberTaken.With("%s waits for %s of %s already", e.Number(held), e.Invoice, e.Account)
	case s.taken(e.N):
		return ErrNumberTaken.With("%s", e.Number(e.N))
	}
	return nil
}

// Numbers that are confirmed have waited for their documents.
func (e NumbersConfirmed) audit(s *State) error {
	seen := make(map[int]bool, len(e.Numbers))
	for _, n := range e.Numbers {
		if _, waits := s.pending[n]; !waits || seen[n] {
			return ErrNotGiven.With("%s waits for no document", e.Number(n))
		}
		seen[n] = true
	}
	return nil
}

// A number is returned for whom it waited.
func (e NumberReturned) audit(s *State) error {
	if w, waits := s.pending[e.N]; !waits || w.Taker != e.Taker {
		return ErrNotHeld.With("%s, for %s of %s", e.Number(e.N), e.Invoice, e.Account)
	}
	return nil
}

// auditText: see domain.Decider.
func auditText(s TextState, stream string, e domain.Event) error {
	known, ok := e.(TextEvent)
	if !ok {
		return domain.ErrMisplaced.With("%s is no event of a free number", e.Kind())
	}
	if err := domain.Belongs(stream, known.Stream()); err != nil {
		return err
	}
	return known.audit(s)
}

// A free number stands on one document, and has not the form of a series.
func (e TextClaimed) audit(s TextState) error {
	if _, _, _, inSeries := Parse(e.Number); inSeries {
		return ErrInSeriesForm.With("%s", e.Number)
	}
	if s.Claimed {
		return ErrNumberTaken.With("%q stands on %s of %s", e.Number, s.By.Invoice, s.By.Account)
	}
	return nil
}

// A free number is released by whom it was claimed.
func (e TextReleased) audit(s TextState) error {
	if !s.Claimed || s.By != e.Taker {
		return ErrNotHeld.With("%q, by %s of %s", e.Number, e.Invoice, e.Account)
	}
	return nil
}
