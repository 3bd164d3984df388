package customer

import "github.com/urikake/urikake/domain"

// audit: see domain.Decider. A customer is registered once and before anything else, stands either active or not, and
// nothing is recorded of it after it was erased.
func audit(s *State, stream string, e domain.Event) error {
	known, ok := e.(Event)
	if !ok {
		return domain.ErrMisplaced.With("%s is no event of a customer", e.Kind())
	}
	if err := domain.Belongs(stream, known.Of().Stream()); err != nil {
		return err
	}
	_, registers := e.(Registered)
	_, deactivates := e.(Deactivated)
	_, reactivates := e.(Reactivated)
	switch {
	case registers && s.Registered:
		return ErrAlreadyRegistered
	case !registers && !s.Registered:
		return ErrUnknown
	case s.Erased:
		return ErrErased
	case deactivates && !s.Active, reactivates && s.Active:
		return ErrNothingNew
	}
	return nil
}
