package seller

import "github.com/urikake/urikake/domain"

// audit: see domain.Decider. A seller is registered once, and before anything else.
func audit(s *State, stream string, e domain.Event) error {
	known, ok := e.(Event)
	if !ok {
		return domain.ErrMisplaced.With("%s is no event of a seller", e.Kind())
	}
	if err := domain.Belongs(stream, Stream(known.about())); err != nil {
		return err
	}
	switch _, registers := e.(Registered); {
	case registers && s.Registered:
		return ErrAlreadyRegistered
	case !registers && !s.Registered:
		return ErrUnknown
	}
	return nil
}

func (e Registered) about() domain.SellerID   { return e.Seller }
func (e Changed) about() domain.SellerID      { return e.Seller }
func (e PayeesSet) about() domain.SellerID    { return e.Seller }
func (e LateTermsSet) about() domain.SellerID { return e.Seller }
