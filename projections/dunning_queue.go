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
// What an agency would do about each comes from dunning.Decide, with the seller's policies as known then. O(documents of the seller) on two cores, and O(documents and events) of each row.
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
	report.Debtors = len(queue.waiting)
	ranked, err := queue.rank(ctx)
	if err != nil {
		return report, err
	}
	report.Rows, err = queue.rows(ctx, ranked)
	return report, err
}

// queue is a question on its way.
type queue struct {
	v  *Views
	q  QueueQuery
	at moment

	first   int64   // the lowest account number
	sums    []owing // by account number - first
	cases   map[int64]caseSignal
	waiting []candidate // all with something to be asked for
}

// owing is what an account comes to.
type owing struct {
	open, late, disputed, unapplied int64 // late: without what is disputed
	oldest                          int64 // due date of what is late; 0: nothing is
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

func (q *queue) learn(ctx context.Context) error {
	return q.v.look(ctx, func(r *reader) error {
		first, last, err := r.accountSpan(q.q.Seller)
		if err == nil && first == 0 {
			err = r.knows(q.q.Seller, "")
		}
		if err != nil || first == 0 {
			return err
		}
		q.first, q.sums = first, make([]owing, last-first+1)
		middle := first + (last-first+1)/2
		parts := []span{{first, middle}, {middle, last + 1}}
		if middle == first {
			parts = parts[1:]
		}
		if err := q.v.sweep(ctx, r, parts, q.sum); err != nil {
			return err
		}
		return q.candidates(ctx, r)
	})
}

// accountSpan is the lowest and the highest account number of a seller; 0: it has none.
func (r *reader) accountSpan(seller domain.SellerID) (first, last int64, err error) {
	one, found, err := r.ask("SELECT id FROM items_accounts WHERE seller = ? LIMIT 1", Str(seller))
	if err != nil || !found {
		return 0, 0, err
	}
	from := one / sellerStep * sellerStep
	if first, _, err = r.ask("SELECT min(id) FROM items_accounts WHERE id >= ?", Int(from)); err == nil {
		last, _, err = r.ask("SELECT max(id) FROM items_accounts WHERE id < ?", Int(from+sellerStep))
	}
	return first, last, err
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
		o.open += d.open
		if d.open == 0 || d.dueOn >= q.at.day {
			return nil
		}
		disputed, err := sheet.disputed(d)
		o.disputed += disputed
		if o.late += d.open - disputed; d.open > disputed && (o.oldest == 0 || d.dueOn < o.oldest) {
			o.oldest = d.dueOn
		}
		return err
	})
}

// candidates are the accounts with something to be asked for, and those of the collector only if one is given.
func (q *queue) candidates(ctx context.Context, r *reader) error {
	if err := q.signals(ctx, r); err != nil {
		return err
	}
	currencies, err := r.currencies(q.q.Seller)
	for i, o := range q.sums {
		if o.asked() == 0 {
			continue
		}
		c := candidate{id: q.first + int64(i), asked: o.asked()}
		c.currency = currencies.of(c.id)
		signal := q.cases[c.id]
		if q.q.Collector != "" && signal.collector != q.q.Collector || q.q.Currency != "" && c.currency != q.q.Currency {
			continue
		}
		c.waits, c.weight = signal.waits, min(q.at.day-o.oldest, 3650)*(4+min(signal.broken, 4))
		c.score = scoreOf(c.asked, c.weight*100)
		q.waiting = append(q.waiting, c)
	}
	return err
}

// rank finds the first of each currency, in order. A habit at most doubles a score: so habits are looked up only as long
// as what comes could still get ahead.
func (q *queue) rank(ctx context.Context) (ranked []candidate, _ error) {
	slices.SortFunc(q.waiting, compareCandidates)
	groups := make(map[domain.Currency][]candidate)
	for _, c := range q.waiting {
		groups[c.currency] = append(groups[c.currency], c)
	}
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
	for i := 0; len(ranked) < q.q.Limit && i < len(q.waiting); i++ {
		for _, currency := range sortedKeys(groups) {
			if list := groups[currency]; i < len(list) && len(ranked) < q.q.Limit {
				ranked = append(ranked, list[i])
			}
		}
	}
	return ranked, nil
}

// leaders are the first of one currency's candidates, which come by the scores that they have without their habits.
func (q *queue) leaders(r *reader, list []candidate) ([]candidate, error) {
	best := first[candidate]{most: q.q.Limit, compare: func(a, b *candidate) int { return compareCandidates(*a, *b) }}
	for _, c := range list {
		most := c
		most.score = scoreOf(c.asked, c.weight*200)
		if best.last == nil && len(best.rows) >= q.q.Limit {
			best.sorted()
		}
		if best.last != nil && compareCandidates(*best.last, most) < 0 {
			break
		}
		var err error
		if c.habit, err = r.habit(c.id, q.at); err != nil {
			return nil, err
		}
		c.score = scoreOf(c.asked, c.weight*(100+int64(max(0, min(c.habit.late(), 100)))))
		best.add(c)
	}
	return best.sorted(), nil
}

// compareCandidates never ties but for the same account.
func compareCandidates(a, b candidate) int {
	if a.waits != b.waits {
		if a.waits {
			return 1
		}
		return -1
	}
	return cmp.Or(b.score.compare(a.score), cmp.Compare(a.id, b.id))
}
