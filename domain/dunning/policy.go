package dunning

import (
	"cmp"
	"reflect"
	"slices"

	"github.com/urikake/urikake/domain"
)

// PolicyID names a policy of a seller.
type PolicyID string

// DefaultID is the policy of every debtor to whom no other is assigned.
const DefaultID = PolicyID("default")

// Policy says how debtors are reminded.
type Policy struct {
	Levels           []Level         `json:"levels" doc:"the steps in order, 1 to 20"`
	Language         domain.Language `json:"language" doc:"language of reminders to customers that have none: ja or en"`
	GraceDays        int             `json:"grace_days,omitzero" doc:"days after the due date on which an item does not count as late yet, 0 to 60"`
	QuietSpans       []QuietSpan     `json:"quiet_spans,omitempty" doc:"days of every year on which nobody is reminded, up to 20 spans"`
	QuietWeekdays    []Weekday       `json:"quiet_weekdays,omitempty" doc:"MON, TUE, WED, THU, FRI, SAT, SUN on which nobody is reminded"`
	BusinessDaysOnly bool            `json:"business_days_only,omitzero" doc:"remind on bank days only: see bank_days"`
	BankDays         domain.BankDays `json:"bank_days,omitzero" doc:"on which days banks settle, for business_days_only; Japanese bank days when left out"`
	MinimumDays      int             `json:"minimum_days_between,omitzero" doc:"days between two reminders to one debtor, 1 (when left out) to 365"`
	BankDataMaxAge   int             `json:"bank_data_max_age,omitzero" doc:"days that the last bank data may be old, 1 to 60; 0: nobody asks"`
	OldBankData      OldData         `json:"old_bank_data,omitempty" doc:"what a run does when it is older: STOP (when left out) or WARN"`
}

// OldData is what a run does when payments may have come in that the books don't show.
type OldData string

const (
	StopOnOldData OldData = "STOP"
	WarnOnOldData OldData = "WARN"
)

// Versioned is a policy as it was set; its id and version stand on every reminder that it led to.
type Versioned struct {
	ID      PolicyID
	Version int // 1 for the first
	Policy
}

// Limits of a seller's policies.
const (
	PoliciesMax    = 100
	AssignmentsMax = 100_000
	GroupMax       = 500 // bytes, as of a customer's attribute
	graceDaysMax   = 60
	minimumDaysMax = 365
	bankAgeMax     = 60
)

// GroupAttribute is the customer's attribute whose value is the customer's group.
const GroupAttribute = "group"

var (
	ErrUnknownPolicy = &domain.Error{
		Code: domain.NotFound, Rule: "dunning.unknown_policy",
		Text: "the seller has no such policy; use SetDunningPolicy first",
	}
	ErrTooManyPolicies = &domain.Error{
		Code: domain.Refused, Rule: "dunning.too_many_policies",
		Text: "a seller has at most 100 policies and 100000 assignments",
	}
	ErrOneTarget = &domain.Error{
		Code: domain.Invalid, Rule: "dunning.one_target",
		Text: "a policy is assigned to a customer or to a customer group",
	}
)

func (p Policy) check(f *domain.Faults) {
	checkLevels(f, p.Levels)
	f.Add("/language", p.Language.Check())
	p.checkQuiet(f)
	f.Add("/bank_days", p.BankDays.Check())
	days(f, "/grace_days", p.GraceDays, graceDaysMax)
	days(f, "/minimum_days_between", p.MinimumDays, minimumDaysMax)
	days(f, "/bank_data_max_age", p.BankDataMaxAge, bankAgeMax)
	oneOf(f, "/old_bank_data", p.OldBankData, "", StopOnOldData, WarnOnOldData)
}

func days(f *domain.Faults, field string, n, most int) {
	f.Require(n >= 0 && n <= most, field, ErrBadDays.With("%d, want 0 to %d", n, most))
}

// Check refuses every kind of nonsense, each under its field.
func (p Policy) Check() error {
	var f domain.Faults
	p.check(&f)
	return f.Err()
}

// between is the least number of days from one reminder to the next: never two on one day.
func (p Policy) between() int { return max(1, p.MinimumDays) }

// next is the number of the level after those that were sent, 0 after the last: never one that was sent or stands before
// one that was. What was sent is looked up by the name that it had, which a level that was renamed still knows as what it
// was; one that the policy does not know counts by the place that it had.
func (p Policy) next(reached []Reached) int {
	from := 0
	for _, r := range reached {
		place := r.Level
		if i := p.find(r.ID); i >= 0 {
			place = i + 1
		}
		from = max(from, place)
	}
	for n := from + 1; n <= len(p.Levels); n++ {
		if n == 1 || !p.Levels[n-1].ahead() {
			return n
		}
	}
	return 0
}

// find is the place of the level that has the name, or had it; below zero for none.
func (p Policy) find(id LevelID) int {
	return slices.IndexFunc(p.Levels, func(l Level) bool { return l.named(id) })
}

// Policies are those of one seller as they stand.
type Policies struct {
	byID       map[PolicyID]Versioned
	byCustomer map[domain.CustomerID]PolicyID
	byGroup    map[string]PolicyID
	bankDataOn domain.Date
}

// BankDataOn is the last day whose bank data is in the seller's books, none before RecordBankData.
func (s *Policies) BankDataOn() domain.Date { return s.bankDataOn }

// Size is about how many bytes the policies take. O(1).
func (s *Policies) Size() int { return 500 + 5000*len(s.byID) + 150*(len(s.byCustomer)+len(s.byGroup)) }

// For is the policy that holds for a debtor: the customer's own, else its group's, else DefaultID. ok is false where
// the seller has set none that fits. O(1).
func (s *Policies) For(customer domain.CustomerID, group string) (p Versioned, ok bool) {
	id, assigned := s.byCustomer[customer]
	if !assigned && group != "" {
		id, assigned = s.byGroup[group]
	}
	if !assigned {
		id = DefaultID
	}
	p, ok = s.byID[id]
	return p, ok
}

// Get is the policy of that id in its newest version.
func (s *Policies) Get(id PolicyID) (p Versioned, ok bool) {
	p, ok = s.byID[id]
	return p, ok
}

// All are the newest versions of all policies, by id.
func (s *Policies) All() []Versioned {
	all := make([]Versioned, 0, len(s.byID))
	for _, p := range s.byID {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Versioned) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// same tells that two policies say the same.
func (p Policy) same(o Policy) bool { return reflect.DeepEqual(p, o) }
