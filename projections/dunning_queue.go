package projections

import (
	"cmp"
	"context"
	"slices"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
)

// QueueQuery asks whom to see to first.
type QueueQuery struct {
	Seller    domain.SellerID
	Collector string          // only whose cases this one looks after; all of them when empty
	Currency  domain.Currency // all of them when empty
	AsOf      domain.Date
	KnownAt   KnownAt
	Limit     int // 100 when left out
}

// QueueReport is the answer.
type QueueReport struct {
	AsOf    domain.Date
	KnownAt eventstore.Position
	Debtors int // with something to be asked for, whether or not they are among the rows
	Rows    []QueueRow
}

// QueueRow is one debtor, with what a collector wants to know before he picks up the phone.
type QueueRow struct {
	Rank       int // within the currency
	Waits      bool
	Undisputed domain.Money // late, not in dispute, and not covered by unapplied money: what is asked for
	Disputed   domain.Money // of what is late
	Open       domain.Money
	Unapplied  domain.Money
	Limit      domain.Money // agreed credit limit; the zero Money where there is none
	LimitUse   int          // percent of it: open less unapplied, rounded up
	Overdue    int          // days since the oldest due date of what is asked for
	Late       int          // payment habit: days late on average, of the invoices that are settled
	Settled    int          // how many those are
	CaseRow                 // the zero case where nothing was ever recorded
	Policy     dunning.PolicyID
	Decision   dunning.Decision // the next level, its day, and why not today
}

// Queue lists debtors who owe something late that is not in dispute, as of q.AsOf and as known at q.KnownAt, the most
// pressing first: by amount times days overdue, more by a quarter for each broken promise up to four, and more by one
// percent for each day that they pay late on average, up to 100. Those for whom one has to wait (a hold, a promise, a
// plan, or somebody else has the case) come after all others. Amounts of two currencies are never compared: the firsts
// of all currencies come first, then the seconds.
// What an agency would do about each comes from dunning.Decide, with the seller's policies as known then.
// What is open is asked of the seller's openBook: O(accounts, open items and cases that matter), O(documents) of each account
// that moved since the question before or after the moment, and O(documents and events) of each row. The first question
// about a seller, and one about a moment after which many accounts moved, is O(documents of the seller) on two cores.
// Refuses views.bad_limit, and what Aging refuses.
func (v *Views) Queue(ctx context.Context, q QueueQuery) (QueueReport, error) {
	q.Limit = cmp.Or(q.Limit, LimitDefault)
	if q.Limit < 0 || q.Limit > LimitMax {
		return QueueReport{}, ErrBadLimit.With("%d", q.Limit).At("/limit")
	}
	at, err := v.moment(ctx, q.AsOf, q.KnownAt)
	if err != nil {
		return QueueReport{}, err
	}
	queue := &queue{v: v, q: q, at: at}
	report := QueueReport{AsOf: q.AsOf, KnownAt: eventstore.Position(at.position)}
	if err := queue.learn(ctx); err != nil {
		return report, err
	}
	ranked, err := queue.rank(ctx)
	if err != nil {
		return report, err
	}
	report.Debtors = queue.debtors
	report.Rows, err = queue.rows(ctx, ranked)
	return report, err
}

// queue is a question on its way.
type queue struct {
	v  *Views
	q  QueueQuery
	at moment

	book       *openBook
	first      int64   // the lowest account number
	sums       []owing // by account number - first
	cases      map[int64]caseSignal
	currencies currencies
	debtors    int // with something to be asked for
}

// owing is what an account comes to.
type owing struct {
	open, late, disputed, unapplied int64 // late: without what is disputed
	oldest                          int64 // due date of what is late; 0: nothing is
}

// add counts an item, as of a day.
func (o *owing) add(due, open, disputed, day int64) {
	o.open += open
	if open == 0 || due >= day {
		return
	}
	o.disputed += disputed
	if o.late += open - disputed; open > disputed && (o.oldest == 0 || due < o.oldest) {
		o.oldest = due
	}
}

// asked is what is asked for.
func (o owing) asked() int64 { return max(0, o.late-o.unapplied) }

// candidate is an account with something to be asked for.
type candidate struct {
	id       int64
	currency domain.Currency
	waits    bool
	asked    int64
	weight   int64 // days overdue times broken promises
	score    score
	habit    habit
}

// learn finds what every account comes to, and what matters of the cases, side by side.
func (q *queue) learn(ctx context.Context) error {
	var all span
	err := q.v.look(ctx, func(r *reader) (err error) {
		if all, err = r.accountSpan(q.q.Seller, q.at); err == nil && all.from == 0 {
			err = r.knows(q.q.Seller, "", q.at.position)
		}
		return err
	})
	if err != nil || all.from == 0 {
		return err
	}
	q.first, q.sums = all.from, make([]owing, all.to-all.from)
	q.book = q.v.books.of(all.from)
	return q.v.survey(ctx, func(r *reader) error {
		return q.v.both(ctx, r, func(r *reader) (err error) {
			if err = q.sumAll(ctx, r, all); err == nil {
				q.currencies, err = q.book.currencyOf(r, q.q.Seller, all)
			}
			return err
		}, func(r *reader) error { return q.signals(ctx, r) })
	})
}

// accountSpan is a seller's account numbers; from is 0 where it had none at the moment.
func (r *reader) accountSpan(seller domain.SellerID, at moment) (all span, err error) {
	one, found, err := r.ask("SELECT id FROM items_accounts WHERE seller = ? AND first_position <= ? LIMIT 1", Str(seller), Int(at.position))
	if err != nil || !found {
		return all, err
	}
	from := one / sellerStep * sellerStep
	if all.from, _, err = r.ask("SELECT min(id) FROM items_accounts WHERE id >= ?", Int(from)); err == nil {
		all.to, _, err = r.ask("SELECT max(id) + 1 FROM items_accounts WHERE id < ?", Int(from+sellerStep))
	}
	return all, err
}

// sumAll takes from the book what it has, and reads the rest.
func (q *queue) sumAll(ctx context.Context, r *reader, all span) error {
	rest, err := q.v.eachOpen(ctx, r, q.book, all, q.at, q.take)
	if err != nil {
		return err
	}
	return q.v.sweep(ctx, r, rest, q.sum)
}

// take sums an account as the book has it.
func (q *queue) take(id int64, a *openAccount) {
	o := &q.sums[id-q.first]
	o.unapplied = a.unapplied
	a.items(func(due, open, disputed int64) { o.add(due, open, disputed, q.at.day) })
}

// sum reads what is open on a span of accounts, which nobody else reads.
func (q *queue) sum(r *reader, s span) error {
	sheet := sheet{r: r, at: q.at}
	return sheet.documents(s.from, s.to, "", onlyOpen, q.at.onlyOpen(), func(d *document) error {
		o := &q.sums[d.account-q.first]
		if d.class != classItem {
			o.unapplied += d.open
			return nil
		}
		disputed, err := sheet.disputed(d)
		o.add(d.dueOn, d.open, disputed, q.at.day)
		return err
	})
}

// each visits the accounts that the question is about and on which something is to be asked for. What it gives is valid
// until the next one.
func (q *queue) each(visit func(*candidate)) {
	var c candidate
	for i := range q.sums {
		o, id := &q.sums[i], q.first+int64(i)
		if o.asked() == 0 {
			continue
		}
		currency, signal := q.currencies.of(id), q.cases[id]
		if q.q.Collector != "" && signal.collector != q.q.Collector || q.q.Currency != "" && currency != q.q.Currency {
			continue
		}
		c = candidate{id: id, currency: currency, asked: o.asked(), waits: signal.waits}
		c.weight = min(q.at.day-o.oldest, 3650) * (4 + min(signal.broken, 4))
		c.score = scoreOf(c.asked, c.weight*100)
		visit(&c)
	}
}

// rank finds the first of each currency, in order.
func (q *queue) rank(ctx context.Context) (ranked []candidate, _ error) {
	groups := q.contenders()
	err := q.v.look(ctx, func(r *reader) (err error) {
		for currency, list := range groups {
			if groups[currency], err = q.leaders(r, list); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range q.q.Limit {
		for _, currency := range sortedKeys(groups) {
			if list := groups[currency]; i < len(list) && len(ranked) < q.q.Limit {
				ranked = append(ranked, list[i])
			}
		}
	}
	return ranked, nil
}

// contenders are those of each currency who may be among the first, by the scores that they have without their habits,
// and counts all: a habit at most doubles a score, so whoever comes after the last of the first even then does not.
func (q *queue) contenders() map[domain.Currency][]candidate {
	best := make(map[domain.Currency]*first[candidate])
	q.each(func(c *candidate) {
		q.debtors++
		f := best[c.currency]
		if f == nil {
			f = &first[candidate]{most: q.q.Limit, compare: compareCandidates}
			best[c.currency] = f
		}
		if f.wants(c) {
			f.add(*c)
		}
	})
	for _, f := range best {
		f.sorted()
	}
	groups := make(map[domain.Currency][]candidate)
	var most candidate
	q.each(func(c *candidate) {
		if most = c.atMost(); best[c.currency].wants(&most) {
			groups[c.currency] = append(groups[c.currency], *c)
		}
	})
	for _, list := range groups {
		slices.SortFunc(list, func(a, b candidate) int { return compareCandidates(&a, &b) })
	}
	return groups
}

// atMost is a candidate with the worst habit.
func (c *candidate) atMost() candidate {
	most := *c
	most.score = scoreOf(c.asked, c.weight*200)
	return most
}

// leaders are the first of one currency's contenders, which come by the scores that they have without their habits.
// Habits are looked up only as long as what comes could still get ahead.
func (q *queue) leaders(r *reader, list []candidate) ([]candidate, error) {
	best := first[candidate]{most: q.q.Limit, compare: compareCandidates}
	for _, c := range list {
		if best.last == nil && len(best.rows) >= q.q.Limit {
			best.sorted()
		}
		if most := c.atMost(); best.last != nil && compareCandidates(best.last, &most) < 0 {
			break
		}
		var err error
		if c.habit, err = q.v.habit(r, q.book, c.id, q.at); err != nil {
			return nil, err
		}
		c.score = scoreOf(c.asked, c.weight*(100+int64(max(0, min(c.habit.late(), 100)))))
		best.add(c)
	}
	return best.sorted(), nil
}

// compareCandidates never ties but for the same account.
func compareCandidates(a, b *candidate) int {
	if a.waits != b.waits {
		if a.waits {
			return 1
		}
		return -1
	}
	return cmp.Or(b.score.compare(a.score), cmp.Compare(a.id, b.id))
}
