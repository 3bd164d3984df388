package dunning

import (
	"maps"
	"slices"

	"github.com/urikake/urikake/domain"
	rules "github.com/urikake/urikake/domain/dunning"
)

// Comparison is what a policy would have done, beside what the policies of today would have, and what was done.
type Comparison struct {
	From    domain.Date     `json:"from" doc:"first day"`
	To      domain.Date     `json:"to" doc:"last day"`
	Days    int             `json:"days" doc:"days from the one to the other"`
	Debtors int             `json:"debtors" doc:"debtors who owed something on one of the days, by currency"`
	Within  int             `json:"within" doc:"days within which a payment counts as one that would have come anyway"`
	All     ComparedLevel   `json:"all" doc:"all levels together; a debtor counts once"`
	Levels  []ComparedLevel `json:"levels" doc:"by level, in the policy's order; then those that it does not have"`
}

// ComparedLevel is a level on every side.
type ComparedLevel struct {
	Level  rules.LevelID    `json:"level_name,omitempty" doc:"the level; absent for all of them"`
	Policy SimulatedCounts  `json:"policy" doc:"by the policy that is tried"`
	Today  *SimulatedCounts `json:"today,omitempty" doc:"by the policies that the seller has today, over the same days; absent: it has none"`
	Actual SimulatedCounts  `json:"actual" doc:"what in fact went out"`
	Change SimulatedChange  `json:"change" doc:"policy less today, or less actual where the seller has no policy"`
}

// SimulatedCounts are reminders and what came of them, in the past as it was.
type SimulatedCounts struct {
	Reminders   int            `json:"reminders" doc:"reminders"`
	Unreachable int            `json:"unreachable,omitzero" doc:"of these, to debtors for whom there is no address for their channel: see assume_reachable"`
	Debtors     int            `json:"debtors" doc:"debtors reminded, each once"`
	Cases       int            `json:"cases" doc:"cases in which they were, each once: a debtor who is dunned afresh has another"`
	Asked       []domain.Money `json:"asked,omitempty" doc:"what the reminders asked for, one amount a currency"`
	PaidDebtors int            `json:"paid_debtors" doc:"debtors who paid all that a reminder listed within so many days of it, each once: many of them would have without it"`
	PaidCases   int            `json:"paid_cases" doc:"cases in which that was so, each once"`
	Settled     int            `json:"settled" doc:"reminders whose items were all paid by the last day"`
	MedianDays  int            `json:"median_days" doc:"whole days from a reminder until that: the middle one of the settled, of two the smaller"`
	MeanDays    int            `json:"mean_days" doc:"their mean, half a day rounded up"`
}

// SimulatedChange is one side's figures less another's.
type SimulatedChange struct {
	Reminders   int `json:"reminders" doc:"reminders"`
	Debtors     int `json:"debtors" doc:"debtors reminded"`
	Cases       int `json:"cases" doc:"cases"`
	PaidDebtors int `json:"paid_debtors" doc:"debtors who paid within the days"`
	PaidCases   int `json:"paid_cases" doc:"cases in which that was so"`
}

func (c SimulatedCounts) less(o SimulatedCounts) SimulatedChange {
	return SimulatedChange{c.Reminders - o.Reminders, c.Debtors - o.Debtors, c.Cases - o.Cases, c.PaidDebtors - o.PaidDebtors, c.PaidCases - o.PaidCases}
}

// tallied is what is counted of a level.
type tallied struct {
	reminders, unreachable int
	asked                  []domain.Money
	debtors, paidDebtors   map[rules.Key]bool
	cases, paidCases       map[caseOf]bool
	took                   []int // days until a reminder was paid
}

// caseOf is one time that a debtor is dunned.
type caseOf struct {
	rules.Key
	generation int
}

// side counts the reminders of one side by level, and under "" all of them.
type side struct {
	within int
	levels map[rules.LevelID]*tallied
	open   map[rules.Key][]outstanding
}

// outstanding is a reminder of which something is still open.
type outstanding struct {
	on    domain.Date
	level rules.LevelID
	of    caseOf
	items map[domain.InvoiceID]bool
}

func newSide(within int) *side {
	return &side{within, make(map[rules.LevelID]*tallied), make(map[rules.Key][]outstanding)}
}

func (t *side) level(id rules.LevelID) *tallied {
	l := t.levels[id]
	if l == nil {
		l = &tallied{
			debtors: make(map[rules.Key]bool), paidDebtors: make(map[rules.Key]bool),
			cases: make(map[caseOf]bool), paidCases: make(map[caseOf]bool),
		}
		t.levels[id] = l
	}
	return l
}

// waits tells that a debtor's payment of some reminder is still to come.
func (t *side) waits(key rules.Key) bool { return len(t.open[key]) > 0 }

// add counts a reminder that goes out on a day.
func (t *side) add(key rules.Key, r rules.Reminder, on domain.Date, reached bool) {
	o := outstanding{on, r.LevelID, caseOf{key, r.Generation}, make(map[domain.InvoiceID]bool, len(r.Items))}
	for _, i := range r.Items {
		o.items[i.Invoice] = true
	}
	t.open[key] = append(t.open[key], o)
	for _, id := range []rules.LevelID{r.LevelID, ""} {
		l := t.level(id)
		l.reminders++
		if !reached {
			l.unreachable++
		}
		l.debtors[key], l.cases[o.of] = true, true
		l.ask(r.ToPay)
	}
}

func (l *tallied) ask(m domain.Money) {
	at := slices.IndexFunc(l.asked, func(a domain.Money) bool { return a.Currency() == m.Currency() })
	if at < 0 {
		l.asked = append(l.asked, m)
		return
	}
	l.asked[at] = domain.NewMoney(l.asked[at].Minor()+m.Minor(), m.Currency())
}

// paid takes the debtor's reminders of which nothing is open any more off the list.
func (t *side) paid(d rules.Debtor, on domain.Date) {
	if len(t.open[d.Key]) == 0 {
		return
	}
	left := slices.DeleteFunc(t.open[d.Key], func(o outstanding) bool {
		if slices.ContainsFunc(d.Items, func(i rules.Item) bool { return o.items[i.ID] && i.Open.Minor() > 0 }) {
			return false
		}
		for _, id := range []rules.LevelID{o.level, ""} {
			t.level(id).settle(d.Key, o, on.DaysSince(o.on), t.within)
		}
		return true
	})
	t.open[d.Key] = left
}

func (l *tallied) settle(key rules.Key, o outstanding, days, within int) {
	l.took = append(l.took, days)
	if days <= within {
		l.paidDebtors[key], l.paidCases[o.of] = true, true
	}
}

func (l *tallied) counts() SimulatedCounts {
	c := SimulatedCounts{
		Reminders: l.reminders, Unreachable: l.unreachable, Debtors: len(l.debtors), Cases: len(l.cases), Asked: l.asked,
		PaidDebtors: len(l.paidDebtors), PaidCases: len(l.paidCases), Settled: len(l.took),
	}
	if n := len(l.took); n > 0 {
		slices.Sort(l.took)
		sum := 0
		for _, days := range l.took {
			sum += days
		}
		c.MedianDays, c.MeanDays = l.took[(n-1)/2], (2*sum+n)/(2*n)
	}
	return c
}

// compared puts the sides together.
func (s *simulation) compared(days int) Comparison {
	out := Comparison{From: s.From, To: s.To, Days: days, Debtors: s.owing, Within: s.Within, All: s.comparedOn("")}
	var listed []rules.LevelID
	for _, l := range s.Policy.Levels {
		listed = append(listed, l.ID)
	}
	others := make(map[rules.LevelID]bool)
	for _, t := range s.tracks() {
		for id := range t.levels {
			others[id] = true
		}
	}
	for id := range s.actual.levels {
		others[id] = true
	}
	for _, id := range slices.Sorted(maps.Keys(others)) {
		if id != "" && !slices.Contains(listed, id) {
			listed = append(listed, id)
		}
	}
	for _, id := range listed {
		out.Levels = append(out.Levels, s.comparedOn(id))
	}
	return out
}

func (s *simulation) comparedOn(id rules.LevelID) ComparedLevel {
	l := ComparedLevel{Level: id, Policy: s.tried.level(id).counts(), Actual: s.actual.level(id).counts()}
	against := l.Actual
	if s.today != nil {
		against = s.today.level(id).counts()
		l.Today = &against
	}
	l.Change = l.Policy.less(against)
	return l
}
