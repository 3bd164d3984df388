package projections

import (
	"cmp"
	"context"
	"errors"
	"sync"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
)

// LimitationOldLaw stands where nobody can tell the end: claims due before 2020-04-01 had short periods by trade.
const LimitationOldLaw domain.LimitationStatus = "OLD_LAW"

// LimitationsQuery asks for claims whose limitation (消滅時効) ends soon or has ended.
type LimitationsQuery struct {
	Seller   domain.SellerID
	Customer domain.CustomerID // all of them when empty
	AsOf     domain.Date
	KnownAt  KnownAt
}

// LimitationRow is one invoice or late charge.
type LimitationRow struct {
	Customer     domain.CustomerID
	Name         string
	Currency     domain.Currency
	Invoice      domain.InvoiceID
	Number       string
	DueOn        domain.Date // as it holds on the day
	Open         domain.Money
	LimitationOn domain.Date // last day of the period; zero under the old law
	Status       domain.LimitationStatus
}

// EachLimitation yields every invoice or late charge with something open as of q.AsOf, as known at q.KnownAt, whose
// limitation ends within twelve months of that day or has ended, the soonest first, and returns the position that they
// show. What is known of acts: a payment that settles the item in part is an acknowledgement on the day it was received,
// unless it was taken back; a reminder sent by registered letter that lists the item is a demand on that day. Claims in
// court, written acknowledgements and negotiations are not in the books. Claims under the old law come first, without
// an end. While yield runs nothing in the tables is held, so it may be slow; an error of yield ends it and is returned.
// Memory is bounded, but for the names of the seller's customers. Refuses what Aging refuses, and log.unreadable_event.
func (v *Views) EachLimitation(ctx context.Context, q LimitationsQuery, yield func(LimitationRow) error) (eventstore.Position, error) {
	at, err := v.moment(ctx, q.AsOf, q.KnownAt)
	if err != nil {
		return 0, err
	}
	err = eachPage(v.pageRows, yield, func(after *LimitationRow, most int) ([]LimitationRow, error) {
		if _, err := v.Wait(ctx, eventstore.Position(at.position)); err != nil { // the file may have been made anew
			return nil, err
		}
		l := limitations{v: v, q: q, at: at, after: after, kept: first[LimitationRow]{most: most, compare: compareLimitations}}
		err := v.survey(ctx, func(r *reader) (err error) {
			list, err := r.holders(q.Seller, q.Customer, at.position)
			if err != nil {
				return err
			}
			l.holders = make(map[int64]holder, len(list))
			for _, h := range list {
				l.holders[h.id] = h
			}
			return v.sweep(ctx, r, spans(list, q.Customer), func(r *reader, s span) error { return l.read(ctx, r, s) })
		})
		return l.kept.sorted(), err
	})
	return eventstore.Position(at.position), err
}

// compareLimitations is the order of rows: the end, then whose claim it is.
func compareLimitations(x, y *LimitationRow) int {
	return cmp.Or(x.LimitationOn.Compare(y.LimitationOn), cmp.Compare(x.Customer, y.Customer), cmp.Compare(x.Currency, y.Currency),
		cmp.Compare(x.Invoice, y.Invoice))
}

// limitations collects a page. Spans are read side by side.
type limitations struct {
	v       *Views
	q       LimitationsQuery
	at      moment
	holders map[int64]holder
	after   *LimitationRow // nil: from the first

	mu   sync.Mutex
	kept first[LimitationRow]
}

// youngest is how many days a claim is overdue at least before its end can be twelve months away: four years, less the
// leap day.
const youngest = 4 * 365

func (l *limitations) read(ctx context.Context, r *reader, s span) error {
	sheet := sheet{r: r, at: l.at}
	demands := demands{l: l, r: r, account: -1}
	where := " AND class = 1 AND (due_on <= ? OR due_changes > 0)" + onlyOpen
	args := append([]Value{Int(l.at.day - youngest)}, l.at.onlyOpen()...)
	return sheet.documents(s.from, s.to, ", number", where, args, func(d *document) error {
		if d.open == 0 || d.dueOn > l.at.day-youngest {
			return nil
		}
		acts, err := l.acts(ctx, r, &demands, d)
		if err != nil {
			return err
		}
		row, soon, err := l.row(d, acts)
		if err == nil && soon {
			l.keep(row)
		}
		return err
	})
}

func (l *limitations) keep(row LimitationRow) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if (l.after == nil || compareLimitations(&row, l.after) > 0) && l.kept.wants(&row) {
		l.kept.add(row)
	}
}

// row tells how near a claim's end is; soon is false while it runs.
func (l *limitations) row(d *document, acts []domain.LimitationAct) (row LimitationRow, soon bool, err error) {
	h := l.holders[d.account]
	row = LimitationRow{
		Customer: h.customer, Name: h.name, Currency: h.currency, Invoice: domain.InvoiceID(d.id), Number: d.row.text(detail),
		DueOn: domain.DateFromDayNumber(d.dueOn), Open: domain.NewMoney(d.open, h.currency),
	}
	row.LimitationOn, row.Status, err = domain.Limitation(row.DueOn, acts, l.q.AsOf)
	if errors.Is(err, domain.ErrOldLimitation) {
		row.LimitationOn, row.Status, err = domain.Date{}, LimitationOldLaw, nil
	}
	return row, row.Status != domain.LimitationRuns, err
}

// acts is what the books know to have been done about an item.
func (l *limitations) acts(ctx context.Context, r *reader, demands *demands, d *document) (acts []domain.LimitationAct, err error) {
	err = r.each(partPayments, []Value{
		Int(d.account), Str(string(d.id)), Int(l.at.day), Int(l.at.position),
		Int(movePaymentRecorded), Int(movePaymentApplied), Int(movePaymentUnapplied), Int(moveReversed),
	}, func(c *cursor) error {
		acts = append(acts, domain.LimitationAct{Kind: domain.Acknowledgement, On: domain.DateFromDayNumber(c.int(0))})
		return nil
	})
	if err != nil {
		return nil, err
	}
	days, err := demands.of(ctx, d)
	for _, day := range days {
		acts = append(acts, domain.LimitationAct{Kind: domain.Demand, On: day})
	}
	return acts, err
}

// partPayments are the days on which payments were received that still settle a part of an item at a moment.
const partPayments = "SELECT p.issued_on FROM items_moves m" +
	" JOIN items_documents p ON p.account = m.account AND p.class = 2 AND p.doc = m.source" +
	" WHERE m.account = ? AND m.class = 1 AND m.doc = ? AND m.on_day <= ? AND m.position <= ? AND m.kind IN (?, ?, ?, ?)" +
	" GROUP BY m.source HAVING sum(m.minor) < 0"

// demands finds registered letters. Which items one lists stands in the log alone; of one account at a time it is kept.
type demands struct {
	l       *limitations
	r       *reader
	account int64
	days    map[domain.InvoiceID][]domain.Date
}

func (s *demands) of(ctx context.Context, d *document) ([]domain.Date, error) {
	if s.account != d.account {
		h := s.l.holders[d.account]
		key := dunning.Key{Seller: s.l.q.Seller, Customer: h.customer, Currency: h.currency}
		days, err := s.letters(ctx, key)
		if err != nil {
			return nil, err
		}
		s.account, s.days = d.account, days
	}
	return s.days[domain.InvoiceID(d.id)], nil
}

const anyLetter = "SELECT 1 FROM dunning_reminders WHERE seller = ? AND customer = ? AND currency = ? AND state = 1 AND sent_by = ? LIMIT 1"

// letters reads a case from the log, if any letter was ever registered.
func (s *demands) letters(ctx context.Context, key dunning.Key) (map[domain.InvoiceID][]domain.Date, error) {
	_, any, err := s.r.ask(anyLetter, Str(key.Seller), Str(key.Customer), Str(key.Currency), Str(dunning.RegisteredLetter))
	if err != nil || !any {
		return nil, err
	}
	days := make(map[domain.InvoiceID][]domain.Date)
	var queued dunning.Reminder
	for r, err := range s.l.v.store.Read(ctx, key.Stream(), 0) {
		if err != nil || int64(r.Position) > s.l.at.position {
			return days, err
		}
		if r.Kind != (dunning.ReminderQueued{}).Kind() && r.Kind != (dunning.ReminderSent{}).Kind() {
			continue
		}
		event, err := s.l.v.codec.Decode(r)
		if err != nil {
			return nil, err
		}
		switch e := event.(type) {
		case dunning.ReminderQueued:
			queued = e.Reminder
		case dunning.ReminderSent:
			if e.Channel == dunning.RegisteredLetter && e.Reminder == queued.ID {
				for _, i := range queued.Items {
					days[i.Invoice] = append(days[i.Invoice], e.SentOn)
				}
			}
		}
	}
	return days, nil
}
