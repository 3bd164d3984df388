package dunning

import "github.com/urikake/urikake/domain"

// PolicyStream is where a seller's policies stand.
func PolicyStream(id domain.SellerID) string { return "policy-" + string(id) }

// PolicyCommand is an order about a seller's policies; PolicyEvent what it records.
type (
	PolicyCommand interface {
		Name() string        // wire name
		Of() domain.SellerID // whose policies
		check(*domain.Faults)
		decide(*Policies) ([]domain.Event, error)
	}
	PolicyEvent interface {
		domain.Event
		On() domain.Date
		of() domain.SellerID
		audit(*Policies) error // why it can't stand next; nil if it can
		apply(*Policies)
	}
)

// PolicyDecider runs a seller's policies. That the seller is registered is asked by whoever gives it the command.
var PolicyDecider = domain.Decider[PolicyCommand, *Policies]{
	Stream: func(c PolicyCommand) string { return PolicyStream(c.Of()) },
	New: func() *Policies {
		return &Policies{
			byID: make(map[PolicyID]Versioned), byCustomer: make(map[domain.CustomerID]PolicyID), byGroup: make(map[string]PolicyID),
		}
	},
	Decide: func(s *Policies, c PolicyCommand) ([]domain.Event, error) {
		if err := CheckPolicy(c); err != nil {
			return nil, err
		}
		return c.decide(s)
	},
	Evolve: func(s *Policies, e domain.Event) *Policies {
		e.(PolicyEvent).apply(s)
		return s
	},
	Audit: auditPolicies,
}

// CheckPolicy refuses a command whose shape is wrong, naming every wrong field.
func CheckPolicy(c PolicyCommand) error {
	var f domain.Faults
	c.check(&f)
	return f.Err()
}

// SetDunningPolicy sets a policy of a seller, or a new version of it, in force for what is decided from then on.
// Reminders that are queued are looked at by it before they go out.
// Refuses dunning.nothing_new, dunning.too_many_policies, and each field by its own rule.
type SetDunningPolicy struct {
	Seller domain.SellerID `json:"seller" doc:"the seller"`
	ID     PolicyID        `json:"policy" doc:"id of the policy; the one called default holds where no other is assigned"`
	On     domain.Date     `json:"on" doc:"the day on which it is set"`
	Policy
	Reason string `json:"reason" doc:"why, up to 1000 bytes"`
}

func (SetDunningPolicy) Name() string { return "SetDunningPolicy" }

// Of is the seller.
func (c SetDunningPolicy) Of() domain.SellerID { return c.Seller }

func (c SetDunningPolicy) check(f *domain.Faults) {
	f.Add("/seller", domain.CheckID(c.Seller))
	f.Add("/policy", domain.CheckID(c.ID))
	date(f, "/on", c.On)
	c.Policy.check(f)
	text(f, "/reason", c.Reason, true)
}

func (c SetDunningPolicy) decide(s *Policies) ([]domain.Event, error) {
	now, known := s.byID[c.ID]
	policy := c.Policy.normal()
	switch {
	case known && now.Policy.same(policy):
		return nil, ErrNothingNew.With("policy %s version %d", c.ID, now.Version)
	case !known && len(s.byID) >= PoliciesMax:
		return nil, ErrTooManyPolicies
	}
	return []domain.Event{PolicySet{c.Seller, c.ID, now.Version + 1, c.On, policy, c.Reason}}, nil
}

// normal is p with one way to say "none".
func (p Policy) normal() Policy {
	levels := make([]Level, len(p.Levels))
	for i, l := range p.Levels {
		if len(l.MinimumAmount) == 0 {
			l.MinimumAmount = nil
		}
		if len(l.Fee) == 0 {
			l.Fee = nil
		}
		if len(l.Texts) == 0 {
			l.Texts = nil
		}
		if len(l.Was) == 0 {
			l.Was = nil
		}
		if len(l.Fallback) == 0 {
			l.Fallback = nil
		}
		l.LateCharge = l.lateCharge()
		levels[i] = l
	}
	p.Levels = levels
	p.MinimumDays = p.between()
	p.BankDays = p.BankDays.Normal()
	if p.OldBankData == "" {
		p.OldBankData = StopOnOldData
	}
	if len(p.QuietSpans) == 0 {
		p.QuietSpans = nil
	}
	if len(p.QuietWeekdays) == 0 {
		p.QuietWeekdays = nil
	}
	return p
}

// PolicySet says how debtors are reminded from then on: a version of a policy.
type PolicySet struct {
	Seller  domain.SellerID `json:"seller" doc:"the seller"`
	ID      PolicyID        `json:"policy" doc:"id of the policy"`
	Version int             `json:"version" doc:"1 for the first"`
	SetOn   domain.Date     `json:"on" doc:"the day on which it was set"`
	Policy
	Reason string `json:"reason" doc:"why"`
}

func (PolicySet) Kind() string        { return "dunning.policy_set" }
func (e PolicySet) On() domain.Date   { return e.SetOn }
func (e PolicySet) apply(s *Policies) { s.byID[e.ID] = Versioned{e.ID, e.Version, e.Policy} }

// AssignDunningPolicy gives one customer, or a group of customers, another policy than the default. Without a policy
// the assignment is taken back.
// Refuses dunning.one_target, dunning.unknown_policy, dunning.nothing_new, dunning.too_many_policies.
type AssignDunningPolicy struct {
	Seller   domain.SellerID   `json:"seller" doc:"the seller"`
	ID       PolicyID          `json:"policy,omitempty" doc:"the policy; left out, the assignment is taken back"`
	Customer domain.CustomerID `json:"customer,omitempty" doc:"the customer; or a group"`
	Group    string            `json:"group,omitzero" doc:"value of the customers' attribute group, up to 500 bytes; or a customer"`
	On       domain.Date       `json:"on" doc:"the day"`
	Reason   string            `json:"reason" doc:"why, up to 1000 bytes"`
}

func (AssignDunningPolicy) Name() string { return "AssignDunningPolicy" }

// Of is the seller.
func (c AssignDunningPolicy) Of() domain.SellerID { return c.Seller }

func (c AssignDunningPolicy) check(f *domain.Faults) {
	f.Add("/seller", domain.CheckID(c.Seller))
	if c.ID != "" {
		f.Add("/policy", domain.CheckID(c.ID))
	}
	if c.Customer != "" {
		f.Add("/customer", domain.CheckID(c.Customer))
	}
	f.Add("/group", domain.CheckText(c.Group, false, GroupMax))
	f.Require((c.Customer == "") != (c.Group == ""), "", ErrOneTarget)
	date(f, "/on", c.On)
	text(f, "/reason", c.Reason, true)
}

func (c AssignDunningPolicy) decide(s *Policies) ([]domain.Event, error) {
	now, assigned := s.byCustomer[c.Customer]
	if c.Group != "" {
		now, assigned = s.byGroup[c.Group]
	}
	_, known := s.byID[c.ID]
	switch {
	case c.ID != "" && !known:
		return nil, ErrUnknownPolicy.With("%s", c.ID).At("/policy")
	case now == c.ID:
		return nil, ErrNothingNew
	case !assigned && len(s.byCustomer)+len(s.byGroup) >= AssignmentsMax:
		return nil, ErrTooManyPolicies
	}
	return []domain.Event{PolicyAssigned{c.Seller, c.ID, c.Customer, c.Group, c.On, c.Reason}}, nil
}

// PolicyAssigned says which policy holds for a customer or a group of customers.
type PolicyAssigned struct {
	Seller     domain.SellerID   `json:"seller" doc:"the seller"`
	ID         PolicyID          `json:"policy,omitempty" doc:"the policy; absent: the assignment was taken back"`
	Customer   domain.CustomerID `json:"customer,omitempty" doc:"the customer; or a group"`
	Group      string            `json:"group,omitzero" doc:"value of the customers' attribute group; or a customer"`
	AssignedOn domain.Date       `json:"on" doc:"the day"`
	Reason     string            `json:"reason" doc:"why"`
}

func (PolicyAssigned) Kind() string      { return "dunning.policy_assigned" }
func (e PolicyAssigned) On() domain.Date { return e.AssignedOn }

func (e PolicyAssigned) apply(s *Policies) {
	if e.Group != "" {
		assign(s.byGroup, e.Group, e.ID)
		return
	}
	assign(s.byCustomer, e.Customer, e.ID)
}

func assign[K comparable](to map[K]PolicyID, key K, id PolicyID) {
	if id == "" {
		delete(to, key)
		return
	}
	to[key] = id
}
