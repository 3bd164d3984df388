package dunning

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/urikake/urikake/domain"
	rules "github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/projections"
)

// decide decides on some debtors, each by its policy, its case and the facts.
func (r *run) decide(ctx context.Context, batch []projections.Debtor) ([]rules.RunDecision, error) {
	policies := make([]rules.Versioned, len(batch))
	err := r.Ledger.Dunning(ctx, r.Seller, func(p *rules.Policies) error {
		for i, d := range batch {
			policies[i], _ = p.For(d.Facts.Customer, d.Facts.Group)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	decisions := make([]rules.RunDecision, len(batch))
	for i, d := range batch {
		made, err := r.decideOne(ctx, d, policies[i], r.AsOf, r.As)
		if err != nil {
			return nil, err
		}
		decisions[i] = rules.Recorded(d.Facts.Key, policies[i], made)
	}
	return decisions, nil
}

// decideOne decides on a debtor. Promises and plans are settled by receipts, which the ledger knows.
func (b Books) decideOne(ctx context.Context, d projections.Debtor, p rules.Versioned, on domain.Date, as rules.Capacity) (made rules.Decision, err error) {
	if !d.HasCase {
		return rules.Decide(p, nil, d.Facts, on, as), nil
	}
	facts, promised := d.Facts, false
	err = b.Ledger.Case(ctx, facts.Key, func(s *rules.State, _ eventstore.Version) error {
		promised = s.Promise != nil || s.Plan != nil
		return nil
	})
	if err == nil && promised {
		facts, err = b.Ledger.Debtor(ctx, facts.Key, on)
		facts.Elsewhere = d.Facts.Elsewhere
	}
	if err != nil {
		return made, err
	}
	err = b.Ledger.Case(ctx, facts.Key, func(s *rules.State, _ eventstore.Version) error {
		made = rules.Decide(p, s, facts, on, as)
		return nil
	})
	return made, err
}

// carryOut gives the cases their orders, several debtors at the same time. What a case refuses, as the books have
// changed since it was decided, is noted; what can't be asked ends the run, which may be repeated.
func (r *run) carryOut(ctx context.Context, decisions []rules.RunDecision) (refusals []rules.RunRefusal, err error) {
	var group sync.WaitGroup
	var mu sync.Mutex
	free := r.free()
	for _, d := range decisions {
		if len(d.Steps) == 0 {
			continue
		}
		free <- struct{}{}
		group.Go(func() {
			defer func() { <-free }()
			refusal, failure := r.give(ctx, d)
			mu.Lock()
			defer mu.Unlock()
			if refusal != nil {
				refusals = append(refusals, *refusal)
			}
			if failure != nil {
				err = failure
			}
		})
	}
	group.Wait()
	slices.SortFunc(refusals, func(a, b rules.RunRefusal) int {
		return rules.RunDecision{Customer: a.Customer, Currency: a.Currency}.Compare(rules.RunDecision{Customer: b.Customer, Currency: b.Currency})
	})
	return refusals, err
}

// give gives a debtor's orders one after the other, until one is refused. Their ids come from the run, the debtor and the
// step, so that each is done once.
func (r *run) give(ctx context.Context, d rules.RunDecision) (*rules.RunRefusal, error) {
	for i, order := range d.Orders(r.Seller, r.AsOf, r.As, r.key.Run) {
		step := d.Steps[i]
		about := fmt.Sprint(step.Do, " ", step.Promise, step.Plan, " ", step.Instalment)
		id := derived("step", string(r.key.Run), string(d.Customer), string(d.Currency), about)
		env := eventstore.Envelope{CommandID: id, Actor: r.Actor, Correlation: string(r.key.Run), Causation: r.key.Stream()}
		_, err := r.Ledger.Execute(ctx, order, env)
		if err == nil {
			continue
		}
		rule, ok := refused(err)
		if !ok {
			return nil, err
		}
		return &rules.RunRefusal{Customer: d.Customer, Currency: d.Currency, Do: step.Do, Rule: rule}, nil
	}
	return nil, nil
}

// tally counts decisions.
type tally struct {
	whys, steps map[string]int
	debtors     int
}

func newTally() tally { return tally{make(map[string]int), make(map[string]int), 0} }

func (t *tally) add(d rules.RunDecision) {
	t.debtors++
	t.whys[string(d.Why)]++
	for _, s := range d.Steps {
		t.steps[string(s.Do)]++
	}
}

func listed(counts map[string]int) []rules.RunCount {
	list := make([]rules.RunCount, 0, len(counts))
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, rules.RunCount{Of: name, Times: counts[name]})
	}
	return list
}

// tell counts decisions and lets them be heard.
func (r *run) tell(decisions []rules.RunDecision) error {
	for _, d := range decisions {
		r.tally.add(d)
		if r.Each == nil {
			continue
		}
		if err := r.Each(d); err != nil {
			return err
		}
	}
	if r.Progress != nil {
		r.Progress(r.tally.debtors, 0)
	}
	return nil
}

func (r *run) counted() Result {
	result := r.result
	result.Debtors, result.Reminders = r.tally.debtors, r.tally.steps[string(rules.Remind)]
	result.Whys, result.Steps = listed(r.tally.whys), listed(r.tally.steps)
	return result
}
