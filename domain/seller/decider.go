package seller

import (
	"reflect"

	"github.com/urikake/urikake/domain"
)

// Stream is where a seller's settings stand.
func Stream(id domain.SellerID) string { return "seller-" + string(id) }

// Command is what may be asked of a seller; Event what it records.
type (
	Command interface {
		Name() string        // wire name
		Of() domain.SellerID // whose settings
		stream() string
		decide(*State) ([]domain.Event, error)
	}
	Event interface {
		domain.Event
		about() domain.SellerID
		apply(*State)
	}
)

// Decider is the seller as a state machine.
var Decider = domain.Decider[Command, *State]{
	Stream: func(c Command) string { return c.stream() },
	New:    func() *State { return &State{} },
	Decide: func(s *State, c Command) ([]domain.Event, error) { return c.decide(s) },
	Evolve: func(s *State, e domain.Event) *State {
		e.(Event).apply(s)
		return s
	},
	Audit: audit,
}

// Events are all that a seller's stream holds.
var Events = []domain.Schema{
	domain.Describe[Registered](),
	domain.Describe[Changed](),
	domain.Describe[PayeesSet](),
	domain.Describe[LateTermsSet](),
}

// State is a seller as it stands; the zero State is one that is not registered.
type State struct {
	Registered bool
	Settings
	Payees    []Payee            // accounts to be paid to
	LateTerms []domain.LateTerms // of contracts with everybody, by first day
}

// Tolerance is the largest difference on an invoice that may be settled as small, in minor units; 0 where none was set.
func (s *State) Tolerance(c domain.Currency) int64 {
	for _, m := range s.Settings.Tolerance {
		if m.Currency() == c {
			return m.Minor()
		}
	}
	return 0
}

// RegisterSeller takes on a client company.
// Refuses seller.already_registered, and each field by its own rule.
type RegisterSeller struct {
	Seller domain.SellerID `json:"seller" doc:"the seller's id"`
	Settings
}

func (RegisterSeller) Name() string { return "RegisterSeller" }

// Of is the seller that it registers.
func (c RegisterSeller) Of() domain.SellerID { return c.Seller }

func (c RegisterSeller) stream() string { return Stream(c.Seller) }

func (c RegisterSeller) decide(s *State) ([]domain.Event, error) {
	settings := c.Settings.defaulted()
	var faults domain.Faults
	faults.Add("/seller", domain.CheckID(c.Seller))
	settings.check(&faults)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	if s.Registered {
		return nil, ErrAlreadyRegistered.With("%s", c.Seller).At("/seller")
	}
	return []domain.Event{Registered{c.Seller, settings}}, nil
}

// Registered says that a client company was taken on with these settings.
type Registered struct {
	Seller domain.SellerID `json:"seller" doc:"the seller's id"`
	Settings
}

func (Registered) Kind() string     { return "seller.registered" }
func (e Registered) apply(s *State) { s.Registered, s.Settings = true, e.Settings }

// ChangeSeller replaces all settings; what is issued already keeps the settings it was issued under.
// Refuses seller.unknown, seller.nothing_new, and each field by its own rule.
type ChangeSeller struct {
	Seller domain.SellerID `json:"seller" doc:"the seller's id"`
	Settings
	Reason string `json:"reason" doc:"why, up to 1000 bytes"`
}

func (ChangeSeller) Name() string { return "ChangeSeller" }

// Of is the seller whose settings it changes.
func (c ChangeSeller) Of() domain.SellerID { return c.Seller }

func (c ChangeSeller) stream() string { return Stream(c.Seller) }

func (c ChangeSeller) decide(s *State) ([]domain.Event, error) {
	settings := c.Settings.defaulted()
	var faults domain.Faults
	faults.Add("/seller", domain.CheckID(c.Seller))
	settings.check(&faults)
	faults.Add("/reason", domain.CheckText(c.Reason, true, ReasonMax))
	switch err := faults.Err(); {
	case err != nil:
		return nil, err
	case !s.Registered:
		return nil, ErrUnknown.With("%s", c.Seller).At("/seller")
	case reflect.DeepEqual(settings, s.Settings):
		return nil, ErrNothingNew.With("%s", c.Seller)
	}
	return []domain.Event{Changed{c.Seller, settings, c.Reason}}, nil
}

// Changed says that all settings were replaced, and why.
type Changed struct {
	Seller domain.SellerID `json:"seller" doc:"the seller's id"`
	Settings
	Reason string `json:"reason" doc:"why"`
}

func (Changed) Kind() string     { return "seller.changed" }
func (e Changed) apply(s *State) { s.Settings = e.Settings }
