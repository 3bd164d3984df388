package audit

import (
	"fmt"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore/merkle"
)

// What streams of one customer say of each other: they are replayed together, so each sees where the others stand at that
// place of the log.

// carried is what an account's stream goes on from.
type carried struct {
	closed []*account.State                // newest first
	given  []account.BalanceBroughtForward // what the newest of them gave, until all of it is there
}

// link looks at what an event says of other streams, right before it is folded. Beyond what is lost nothing is asked.
func (p *replays) link(s *replayed, l merkle.Leaf) {
	if p.across.blind(l.Position) {
		return
	}
	switch e := l.Event.(type) {
	case account.BalanceBroughtForward:
		p.brought(s, l, e)
	case dunning.ReminderQueued:
		p.reminds(s, l, e.Reminder)
	case dunning.PromiseRecorded:
		p.covers(l, e.Items)
	case dunning.PaymentPlanAgreed:
		p.covers(l, e.Items)
	default:
		if s.carried != nil {
			if err := account.Repeats(l.Event, s.closed); err != nil {
				p.find(l.Recorded, Contradiction, "%s: %s", l.Kind, told(err))
			}
		}
	}
}

// stateOf is an account's state, nil where it can't be told.
func stateOf(s *replayed) *account.State {
	if s == nil {
		return nil
	}
	a, ok := s.state.(*aggregate[account.Request, *account.State])
	if !ok {
		return nil
	}
	return a.state
}

// accounts are an account's streams, newest first, with the name of the newest; whole is false where the books of one
// can't be told. until, if it is not empty, names the period of a stream that does not count, nor those after it.
func (p *replays) accounts(key account.Key, until string) (states []*account.State, newest string, whole bool) {
	for next := key.Stream(); ; {
		s := p.streams[next]
		if s == nil {
			return states, newest, true
		}
		state := stateOf(s)
		if state == nil {
			return states, newest, false
		}
		states, newest = append([]*account.State{state}, states...), next
		into := state.CarriedInto()
		if into == "" || into == until {
			return states, newest, true
		}
		next = key.Stream() + "." + into
	}
}

// brought compares a part of a balance that was brought forward with what the closed stream gave.
func (p *replays) brought(s *replayed, l merkle.Leaf, e account.BalanceBroughtForward) {
	key, period, ok := account.ParseStream(l.Stream)
	if !ok {
		return
	}
	if s.carried == nil {
		closed, newest, whole := p.accounts(key, period)
		if !whole {
			return
		}
		if len(closed) == 0 || closed[0].CarriedInto() != period {
			p.find(l.Recorded, WrongCarry, "no stream of the account was carried forward into period %s", period)
			return
		}
		if newest != e.From {
			p.find(l.Recorded, WrongCarry, "it comes from %s, and %s was carried forward", e.From, newest)
			return
		}
		s.carried = &carried{closed, account.BroughtForward(closed[0], newest)}
	}
	if e.Parts != len(s.given) || e.Part < 1 || e.Part > len(s.given) {
		p.find(l.Recorded, WrongCarry, "part %d of %d, and the closed stream gives %d", e.Part, e.Parts, len(s.given))
		return
	}
	if err := e.Carries(s.given[e.Part-1]); err != nil {
		p.find(l.Recorded, WrongCarry, "%s", told(err))
	}
}

// reminds compares a reminder with its policy and with what the account knows.
func (p *replays) reminds(s *replayed, l merkle.Leaf, r dunning.Reminder) {
	key, ok := dunning.ParseStream(l.Stream)
	if !ok {
		return
	}
	policy, known := p.across.policies[policyOf{key.Seller, r.Policy, r.Version}]
	c, _ := s.state.(*aggregate[dunning.Request, *dunning.State])
	switch {
	case !known || policy.at > l.Position:
		p.find(l.Recorded, WrongClaim, "the seller has no policy %s version %d", r.Policy, r.Version)
	case c != nil:
		if err := c.state.Follows(policy.Policy, r); err != nil {
			p.find(l.Recorded, WrongClaim, "%s", told(err))
		}
	}
	items := make([]dunning.Covered, len(r.Items))
	for i, item := range r.Items {
		items[i] = dunning.Covered{Invoice: item.Invoice, Open: item.Open}
	}
	p.covers(l, items)
}

// covers asks whether an account has what a reminder, promise or plan is about, and was ever owed so much by it. How
// much was open at that moment is not asked: account and case are two streams, and one may have changed while the other was
// written.
func (p *replays) covers(l merkle.Leaf, items []dunning.Covered) {
	key, ok := dunning.ParseStream(l.Stream)
	if !ok || len(items) == 0 {
		return
	}
	states, _, whole := p.accounts(account.Key(key), "")
	if !whole {
		return
	}
	for _, item := range items {
		if wrong := owes(states, item); wrong != "" {
			p.find(l.Recorded, WrongClaim, "it is about %s of %s: %s", item.Open, item.Invoice, wrong)
		}
	}
}

func owes(states []*account.State, item dunning.Covered) (wrong string) {
	for _, s := range states {
		total, ok := s.Owed(item.Invoice)
		switch {
		case !ok:
		case item.Open.Minor() > total:
			return fmt.Sprintf("the account was never owed more than %s by it", domain.NewMoney(total, item.Open.Currency()))
		default:
			return ""
		}
	}
	return "the account has no such invoice or late charge"
}
