package receipt

import "github.com/urikake/urikake/domain"

// audit: see domain.Decider.
func audit(s *State, stream string, e domain.Event) error {
	known, ok := e.(Event)
	if !ok {
		return domain.ErrMisplaced.With("%s is no event of receipts", e.Kind())
	}
	if err := domain.Belongs(stream, known.Of().Stream()); err != nil {
		return err
	}
	return known.audit(s)
}

// A receipt is recorded once.
func (e Recorded) audit(s *State) error {
	if _, settled := s.settled[e.Receipt]; settled || s.open[e.Receipt] != nil {
		return ErrRepeatedID.With("%s", e.Receipt)
	}
	return e.Amount.CheckPositive()
}

// A receipt that waits for its payer is assigned.
func (e Assigned) audit(s *State) error {
	_, err := s.find(e.Key)
	return err
}

// A receipt is booked as it was assigned.
func (e Booked) audit(s *State) error {
	r, err := s.waiting(e.Key)
	if err == nil {
		err = domain.Same("the customer", e.Customer, r.Customer)
	}
	if err == nil {
		err = domain.Same("the payment", e.Payment, r.Payment)
	}
	return err
}

// An assignment is released as it was made.
func (e Released) audit(s *State) error {
	r, err := s.waiting(e.Key)
	if err == nil {
		err = domain.Same("the customer", e.Customer, r.Customer)
	}
	return err
}

// waiting is the receipt while its payment is to be booked.
func (s *State) waiting(k Key) (*Receipt, error) {
	r := s.open[k.Receipt]
	if r == nil || r.Customer == "" || r.ReceivedOn != k.ReceivedOn {
		return nil, domain.ErrContradiction.With("%s of %s is assigned to nobody", k.Receipt, k.ReceivedOn)
	}
	return r, nil
}

// A receipt that waits for its payer is given back as a whole, on its day or later.
func (e Returned) audit(s *State) error {
	r, err := s.find(e.Key)
	if err == nil {
		err = domain.Same("the amount", e.Amount, r.Amount)
	}
	if err == nil && e.ReturnedOn.Before(e.ReceivedOn) {
		err = ErrBeforeReceived.With("%s, received on %s", e.ReturnedOn, e.ReceivedOn)
	}
	return err
}
