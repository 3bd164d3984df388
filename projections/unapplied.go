package projections

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// UnappliedQuery asks which payments and credit notes had something that settles nothing.
type UnappliedQuery struct {
	Seller   domain.SellerID
	Customer domain.CustomerID // all of them when empty
	AsOf     domain.Date
	KnownAt  KnownAt
}

// UnappliedReport is the answer.
type UnappliedReport struct {
	AsOf    domain.Date
	KnownAt eventstore.Position
	Rows    []UnappliedRow
}

// UnappliedRow is one payment or credit note.
type UnappliedRow struct {
	Customer  domain.CustomerID
	Name      string
	Currency  domain.Currency
	Class     Class // payment or credit_note
	Document  string
	Number    string // of a credit note
	Reference string // the bank's, of a payment; the corrected invoice, of a credit note
	On        domain.Date
	Total     domain.Money
	Unapplied domain.Money
	Age       int // days since On
}

// Unapplied lists payments and credit notes with something unapplied as of q.AsOf, as known at q.KnownAt, by customer,
// currency, day and id. Their sum per account is the unapplied column of Aging. Refuses what Aging refuses.
func (v *Views) Unapplied(ctx context.Context, q UnappliedQuery) (UnappliedReport, error) {
	at, err := v.moment(ctx, q.AsOf, q.KnownAt)
	if err != nil {
		return UnappliedReport{}, err
	}
	report := UnappliedReport{AsOf: q.AsOf, KnownAt: eventstore.Position(at.position)}
	var mu sync.Mutex
	err = v.survey(ctx, func(r *reader) error {
		list, err := r.holders(q.Seller, q.Customer, at.position)
		if err != nil {
			return err
		}
		byID := make(map[int64]holder, len(list))
		for _, h := range list {
			byID[h.id] = h
		}
		return v.sweep(ctx, r, spans(list, q.Customer), func(r *reader, s span) error {
			sheet := sheet{r: r, at: at}
			return sheet.documents(s.from, s.to, ", total_minor, number, reference", " AND class > 1"+onlyOpen, at.onlyOpen(), func(d *document) error {
				if d.open == 0 {
					return nil
				}
				mu.Lock()
				defer mu.Unlock()
				report.Rows = append(report.Rows, unappliedRow(byID[d.account], d, q.AsOf))
				return nil
			})
		})
	})
	slices.SortFunc(report.Rows, func(x, y UnappliedRow) int {
		return cmp.Or(cmp.Compare(x.Customer, y.Customer), cmp.Compare(x.Currency, y.Currency), x.On.Compare(y.On),
			cmp.Compare(x.Document, y.Document), cmp.Compare(x.Class, y.Class))
	})
	return report, err
}

func unappliedRow(h holder, d *document, asOf domain.Date) UnappliedRow {
	on := domain.DateFromDayNumber(d.issuedOn)
	return UnappliedRow{
		Customer: h.customer, Name: h.name, Currency: h.currency, Class: classOf(d.class, false),
		Document: string(d.id), Number: d.row.text(detail + 1), Reference: d.row.text(detail + 2), On: on,
		Total: domain.NewMoney(d.row.int(detail), h.currency), Unapplied: domain.NewMoney(d.open, h.currency), Age: asOf.DaysSince(on),
	}
}
