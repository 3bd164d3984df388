package projections

import (
	"context"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
)

// rows fills in what a collector wants to know of the accounts that were ranked.
func (q *queue) rows(ctx context.Context, ranked []candidate) (rows []QueueRow, err error) {
	rows = make([]QueueRow, len(ranked))
	facts := make([]dunning.Debtor, len(ranked))
	hasCase := make([]bool, len(ranked))
	ranks := make(map[domain.Currency]int)
	err = q.v.look(ctx, func(r *reader) error {
		for i, c := range ranked {
			a, err := q.account(r, c)
			if err != nil {
				return err
			}
			ranks[c.currency]++
			rows[i] = q.row(c, a.Limit)
			rows[i].Rank, rows[i].Key, rows[i].Name = ranks[c.currency], a.Facts.Key, a.Name
			facts[i], hasCase[i] = a.Facts, a.HasCase
		}
		return nil
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	policies, err := q.policies(ctx)
	for i := range rows {
		if err != nil {
			return nil, err
		}
		err = q.decide(ctx, &rows[i], facts[i], hasCase[i], policies)
	}
	return rows, err
}

// account reads one account with what is open on it and what was received.
func (q *queue) account(r *reader, c candidate) (a debtorAccount, err error) {
	d := debtors{v: q.v, q: DebtorsQuery{Seller: q.q.Seller}, at: q.at}
	page := make([]debtorAccount, 0, 1)
	err = r.each(debtorColumns+" WHERE a.id = ?", []Value{Int(c.id)}, func(at *cursor) error {
		one, err := d.account(r, at)
		page = append(page, one)
		return err
	})
	if err != nil || len(page) == 0 {
		return a, err
	}
	if err = d.read(r, page); err == nil {
		page[0].Facts.Receipts, err = r.receipts(c.id, c.currency, q.at)
	}
	return page[0], err
}

func (q *queue) row(c candidate, limit domain.Money) QueueRow {
	o, money := q.sums[c.id-q.first], func(minor int64) domain.Money { return domain.NewMoney(minor, c.currency) }
	row := QueueRow{
		Waits: c.waits, Undisputed: money(o.asked()), Disputed: money(o.disputed), Open: money(o.open), Unapplied: money(o.unapplied),
		Overdue: int(q.at.day - o.oldest), Late: c.habit.late(), Settled: int(c.habit.invoices), Limit: limit,
	}
	if used := o.open - o.unapplied; used > 0 && limit.Minor() > 0 {
		percent, fits := domain.RoundUp.MulDiv(used, 100, limit.Minor())
		if row.LimitUse = int(percent); !fits {
			row.LimitUse = domain.MinorMax
		}
	}
	return row
}

// policies are the seller's as known at the moment.
func (q *queue) policies(ctx context.Context) (*dunning.Policies, error) {
	p := dunning.PolicyDecider.New()
	err := q.v.eachKnown(ctx, dunning.PolicyStream(q.q.Seller), q.at, func(e domain.Event, _ eventstore.Recorded) {
		p = dunning.PolicyDecider.Evolve(p, e)
	})
	return p, err
}

// decide says what would be done about a debtor on the day, and how the case stands.
func (q *queue) decide(ctx context.Context, row *QueueRow, d dunning.Debtor, hasCase bool, policies *dunning.Policies) error {
	var state *dunning.State
	if hasCase {
		name, f := row.Name, newCaseFolder(row.Key)
		err := q.v.eachKnown(ctx, row.Stream(), q.at, func(e domain.Event, r eventstore.Recorded) {
			if state == nil {
				state = dunning.Decider.New()
			}
			state = dunning.Decider.Evolve(state, e)
			f.add(e, r)
		})
		if err != nil {
			return err
		}
		if file := f.file(); file != nil {
			row.CaseRow, row.CaseRow.Name = file.row(q.at), name
		}
	}
	d.BankDataOn = policies.BankDataOn()
	policy, _ := policies.For(d.Customer, d.Group)
	row.Policy = policy.ID
	row.Decision = dunning.Decide(policy, state, d, q.q.AsOf, dunning.Agency)
	return nil
}

// eachKnown yields a stream's events up to a moment's position.
func (v *Views) eachKnown(ctx context.Context, stream string, at moment, event func(domain.Event, eventstore.Recorded)) error {
	for r, err := range v.store.Read(ctx, stream, 0) {
		if err != nil {
			return err
		}
		if int64(r.Position) > at.position {
			break
		}
		e, err := v.codec.Decode(r)
		if err != nil {
			return err
		}
		event(e, r)
	}
	return nil
}
