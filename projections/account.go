package projections

import (
	"context"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
)

// ErrUnknownAccount refuses a report about an account on which nothing was ever written.
var ErrUnknownAccount = &domain.Error{
	Code: domain.NotFound, Rule: "views.unknown_account",
	Text: "nothing was ever written on such an account",
}

// AccountQuery asks how one account stood.
type AccountQuery struct {
	account.Key
	AsOf    domain.Date
	KnownAt KnownAt
}

// AccountReport is the answer.
type AccountReport struct {
	AsOf    domain.Date
	KnownAt eventstore.Position
	BalanceRow
	Standing
}

// Standing is where an account stands in the log now, whatever moment was asked for. Without KnownAt it is read from
// the same state as the figures: a command that expects Version is refused if anything came after them.
type Standing struct {
	Version eventstore.Version // of the stream that takes the account's next event
	Period  string             // of that stream; empty until the first carry forward
}

// Account reports one account as of q.AsOf, as known at q.KnownAt; amounts are zero where nothing stands on it.
// O(documents of the account). Refuses views.unknown_account, and what Balances refuses.
func (v *Views) Account(ctx context.Context, q AccountQuery) (AccountReport, error) {
	at, err := v.moment(ctx, q.AsOf, q.KnownAt)
	if err != nil {
		return AccountReport{}, err
	}
	report := AccountReport{AsOf: q.AsOf}
	err = v.look(ctx, func(r *reader) error {
		if at, err = r.newest(at, q.KnownAt); err != nil {
			return err
		}
		h, err := r.holder(q.Key, at)
		if err != nil {
			return err
		}
		if report.BalanceRow, err = r.balance(h, q, at); err != nil {
			return err
		}
		report.Standing, err = r.standing(h.id)
		return err
	})
	report.KnownAt = eventstore.Position(at.position)
	return report, err
}

// newest is the moment with everything that the reader sees, unless the question limits what is known.
func (r *reader) newest(at moment, known KnownAt) (moment, error) {
	if known != (KnownAt{}) {
		return at, nil
	}
	position, _, err := r.ask("SELECT position FROM views_mark")
	at.position = position
	return at, err
}

// holder finds one account as known at a moment. Refuses views.unknown_seller, views.unknown_customer, views.unknown_account.
func (r *reader) holder(key account.Key, at moment) (holder, error) {
	list, err := r.holders(key.Seller, key.Customer, at.position)
	for _, h := range list {
		if h.currency == key.Currency {
			return h, err
		}
	}
	return holder{}, firstError(err, ErrUnknownAccount.With("customer %q in %s", string(key.Customer), key.Currency).At("/currency"))
}

func (r *reader) balance(h holder, q AccountQuery, at moment) (BalanceRow, error) {
	aged := AgingQuery{Seller: q.Seller, Customer: q.Customer, AsOf: q.AsOf}
	if err := aged.settle(); err != nil {
		return BalanceRow{}, err
	}
	a := newAging(aged, at, []holder{h})
	err := a.read(r, span{h.id, h.id + 1})
	return balanceOf(a.row(h, a.cells)), err
}

func (r *reader) standing(id int64) (s Standing, err error) {
	err = r.each("SELECT version, period FROM items_heads WHERE account = ?", []Value{Int(id)}, func(c *cursor) error {
		s = Standing{eventstore.Version(c.int(0)), c.text(1)}
		return nil
	})
	return s, err
}
