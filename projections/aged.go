package projections

import (
	"cmp"
	"context"
)

// EachAged is Aging per invoice for an answer of any length: it yields row by row, in the same order, and returns the
// report without rows. While yield runs nothing in the tables is held, so it may be slow. An error of yield ends it and
// is returned. BucketNames tells the columns beforehand. Memory is bounded, but for the names of the seller's
// customers. Refuses what Aging refuses.
func (v *Views) EachAged(ctx context.Context, q AgingQuery, yield func(AgingRow) error) (AgingReport, error) {
	q.GroupBy = PerInvoice
	report, at, err := v.beginAging(ctx, &q)
	if err != nil {
		return AgingReport{}, err
	}
	var a *aging
	count := func(row AgingRow) error {
		if row.Class == Invoice || row.Class == LateCharge {
			report.Invoices++
		}
		return yield(row)
	}
	err = eachPage(v.pageRows, count, func(after *AgingRow, most int) ([]AgingRow, error) {
		if _, err := v.Wait(ctx, report.KnownAt); err != nil { // the file may have been made anew
			return nil, err
		}
		err := v.survey(ctx, func(r *reader) error {
			if a == nil {
				list, err := r.holders(q.Seller, q.Customer, at.position)
				if err != nil {
					return err
				}
				a = newAging(q, at, list)
			}
			return a.page(r, after, most)
		})
		if err != nil {
			return nil, err
		}
		return a.kept.sorted(), nil
	})
	return report, err
}

// page reads account after account until it has as many rows as said.
func (a *aging) page(r *reader, after *AgingRow, most int) error {
	a.after, a.kept = after, first[AgingRow]{most: most, compare: compareAged}
	for _, h := range a.holders {
		if after != nil && cmp.Or(cmp.Compare(h.customer, after.Customer), cmp.Compare(h.currency, after.Currency)) < 0 {
			continue
		}
		if err := a.read(r, span{h.id, h.id + 1}); err != nil {
			return err
		}
		if len(a.kept.rows) >= most {
			break
		}
	}
	return nil
}
