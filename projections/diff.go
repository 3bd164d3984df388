package projections

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
)

// DiffQuery asks what became known between two times about one business day.
type DiffQuery struct {
	Seller   domain.SellerID
	Customer domain.CustomerID // all of them when empty
	AsOf     domain.Date
	From     KnownAt // before; the zero KnownAt: nothing was known
	To       KnownAt // after; the zero KnownAt: all that is
	Basis    Basis
	Buckets  []int // last days of the buckets; 30, 60, 90 when empty
}

// ErrBadRange refuses a range that ends before it begins.
var ErrBadRange = &domain.Error{Code: domain.Invalid, Rule: "views.bad_range", Text: "from must not be after to"}

// DiffReport is the answer without its accounts.
type DiffReport struct {
	AsOf     domain.Date
	From, To eventstore.Position
	Columns  []string // names of the buckets
}

// ChangedAccount is an account of which something is not as it was: Before and what each event did add up to After, in
// every amount.
type ChangedAccount struct {
	Customer      domain.CustomerID
	Name          string
	Currency      domain.Currency
	Before, After Amounts
	Events        []Cause // in the log's order; those that did nothing to the day are left out
}

// Amounts are the cells of an aging row, or what an event did to them.
type Amounts struct {
	Buckets   []domain.Money
	Unapplied domain.Money
	Balance   domain.Money // buckets less unapplied
	Disputed  domain.Money
}

// Change is After less Before, in every amount.
func (c ChangedAccount) Change() Amounts {
	less := func(after, before domain.Money) domain.Money {
		return domain.NewMoney(after.Minor()-before.Minor(), c.Currency)
	}
	change := Amounts{
		Unapplied: less(c.After.Unapplied, c.Before.Unapplied), Balance: less(c.After.Balance, c.Before.Balance),
		Disputed: less(c.After.Disputed, c.Before.Disputed),
	}
	for i, after := range c.After.Buckets {
		change.Buckets = append(change.Buckets, less(after, c.Before.Buckets[i]))
	}
	return change
}

// Cause is an event, and what it did to the business day. Its Balance is not set.
type Cause struct {
	Entry
	Did Amounts
}

// Range finds the positions that a diff goes between. Refuses views.bad_range, and what Known refuses.
func (v *Views) Range(ctx context.Context, from, to KnownAt) (low, high eventstore.Position, err error) {
	if high, err = v.known(ctx, to); err != nil {
		return 0, 0, beyond(err, "/to")
	}
	if from != (KnownAt{}) {
		low, err = v.known(ctx, from)
	}
	if err = beyond(err, "/from"); err == nil && low > high {
		err = ErrBadRange.With("from is position %d, to is position %d", low, high).At("/from")
	}
	return low, high, err
}

// beyond says which of two times the log has not reached.
func beyond(err error, field string) error {
	var refusal *domain.Error
	if !errors.Is(err, ErrBeyondLog) || !errors.As(err, &refusal) {
		return err
	}
	return ErrBeyondLog.With("%s", refusal.Detail).At(field)
}

// Diff compares the aging of one business day as it was known at two times, and yields each account of which a cell or
// the balance changed, by customer and currency, with the events that did it. O(events between) reads of the log, and
// of the documents of accounts that these events are about; how long the log is doesn't matter. An error of yield ends it.
// Refuses views.bad_range, and what Aging refuses.
func (v *Views) Diff(ctx context.Context, q DiffQuery, yield func(ChangedAccount) error) (DiffReport, error) {
	aged := AgingQuery{Seller: q.Seller, Customer: q.Customer, AsOf: q.AsOf, Basis: q.Basis, Buckets: q.Buckets, KnownAt: q.To}
	_, at, err := v.beginAging(ctx, &aged)
	if err != nil {
		return DiffReport{}, err
	}
	from, to, err := v.Range(ctx, q.From, KnownAt{Position: eventstore.Position(at.position)})
	if at.position == 0 {
		from, to, err = 0, 0, nil // an empty log
	}
	report := DiffReport{AsOf: q.AsOf, From: from, To: to, Columns: BucketNames(aged.Buckets)}
	if err != nil {
		return report, err
	}
	var list []holder
	err = v.look(ctx, func(r *reader) (err error) {
		list, err = r.holders(q.Seller, q.Customer, at.position)
		return err
	})
	if err != nil {
		return report, err
	}
	moved, err := v.movedBetween(ctx, q, from, to)
	if err != nil {
		return report, err
	}
	for _, h := range list {
		parts := moved[account.Key{Seller: q.Seller, Customer: h.customer, Currency: h.currency}]
		if len(parts) == 0 {
			continue
		}
		changed, err := v.changed(ctx, newAging(aged, at, []holder{h}), report, parts)
		if err != nil {
			return report, err
		}
		if changed != nil {
			if err := yield(*changed); err != nil {
				return report, err
			}
		}
	}
	return report, nil
}

// part is where events of an account begin in a stream.
type part struct {
	stream string
	after  eventstore.Version
}

// movedBetween finds the accounts that events after a position up to another are about.
func (v *Views) movedBetween(ctx context.Context, q DiffQuery, from, to eventstore.Position) (map[account.Key][]part, error) {
	moved, seen := make(map[account.Key][]part), make(map[string]bool)
	if from == to {
		return moved, nil
	}
	for r, err := range v.store.Follow(ctx, from) {
		if err != nil {
			return nil, err
		}
		if r.Position > to {
			break
		}
		if !seen[r.Stream] {
			key, _, ok := account.ParseStream(r.Stream)
			if ok && key.Seller == q.Seller && (q.Customer == "" || q.Customer == key.Customer) {
				seen[r.Stream] = true
				moved[key] = append(moved[key], part{r.Stream, r.Version - 1})
			}
		}
		if r.Position == to {
			break
		}
	}
	return moved, nil
}

// changed compares one account; nil when it is as it was.
func (v *Views) changed(ctx context.Context, a *aging, report DiffReport, parts []part) (*ChangedAccount, error) {
	h := a.holders[0]
	var papers papers
	if _, err := v.Wait(ctx, report.To); err != nil { // the file may have been made anew
		return nil, err
	}
	err := v.look(ctx, func(r *reader) (err error) {
		papers, err = r.papers(h.id)
		return err
	})
	if err != nil {
		return nil, err
	}
	before, after := papers.all(a, report.From), papers.all(a, report.To)
	if slices.Equal(before, after) {
		return nil, nil
	}
	changed := &ChangedAccount{Customer: h.customer, Name: h.name, Currency: h.currency, Before: a.amounts(before), After: a.amounts(after)}
	key := account.Key{Seller: a.q.Seller, Customer: h.customer, Currency: h.currency}
	touched := papers.touched(report.From, report.To)
	for _, p := range parts {
		for r, err := range v.store.Read(ctx, p.stream, p.after) {
			if err != nil {
				return nil, err
			}
			if r.Position > report.To {
				break
			}
			did := touched.did(a, r.Position)
			if !isAny(did) {
				continue
			}
			entry, err := v.entry(key, r)
			if err != nil {
				return nil, err
			}
			changed.Events = append(changed.Events, Cause{entry, a.amounts(did)})
		}
	}
	slices.SortFunc(changed.Events, func(x, y Cause) int { return cmp.Compare(x.Position, y.Position) })
	return changed, nil
}

// amounts makes money of cells.
func (a *aging) amounts(cells []int64) Amounts {
	row := a.row(a.holders[0], cells)
	return Amounts{Buckets: row.Buckets, Unapplied: row.Unapplied, Balance: row.Total, Disputed: row.Disputed}
}
