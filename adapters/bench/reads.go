package bench

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/projections"
)

// reports measures what is read: the log, and reports, on a ledger of a tenth of the invoices and on one of all.
func reports(ctx context.Context, dir string, o Options) (results []Result, err error) {
	for i, invoices := range []int{o.Invoices / 10, o.Invoices} {
		goal := []string{"60", "600"}[i]
		err = filled(ctx, dir, o, o.Accounts, invoices, func(b *books) error {
			size := fmt.Sprintf("%d invoices", invoices)
			o.tell("replaying %s", size)
			rate, err := replay(ctx, b)
			if err != nil {
				return err
			}
			results = append(results, Result{Name: "replay, " + size, Value: rate, Unit: "events/s", Goal: "400000"})
			o.tell("folding %s", size)
			if rate, err = rebuild(ctx, b); err != nil {
				return err
			}
			results = append(results, Result{Name: "rebuild of all read models, " + size, Value: rate, Unit: "events/s", Goal: "100000"})
			o.tell("aging of %s", size)
			past, err := aging(ctx, b)
			if err != nil {
				return err
			}
			results = append(results, Result{Name: "aging as of a past day, " + size, Value: past, Unit: "ms", Goal: goal})
			return nil
		})
		if err != nil {
			return results, err
		}
	}
	return results, nil
}

// replay reads and decodes the whole log, in order, on all cores, and gives events a second.
func replay(ctx context.Context, b *books) (float64, error) {
	head, err := b.store.Head(ctx)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	var n int
	for _, err := range eventstore.Replay(ctx, b.store, b.codec, 0, head, nil) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return float64(n) / time.Since(start).Seconds(), nil
}

// rebuild folds everything once, then measures folding it again.
func rebuild(ctx context.Context, b *books) (float64, error) {
	head, err := b.views.CatchUp(ctx)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	err = b.views.Rebuild(ctx, nil)
	return float64(head) / time.Since(start).Seconds(), err
}

// aging asks five times for a day in the middle of the history and gives the median, in milliseconds.
func aging(ctx context.Context, b *books) (float64, error) {
	var took []time.Duration
	for range 5 {
		runtime.GC()
		start := time.Now()
		_, err := b.views.Aging(ctx, projections.AgingQuery{Seller: sellerID, AsOf: firstDay.AddDays(historyDays / 2)})
		if err != nil {
			return 0, err
		}
		took = append(took, time.Since(start))
	}
	return float64(median(took).Microseconds()) / 1000, nil
}

// sizes measures what a payment costs in a small and in a large ledger, on accounts that were used before. The payments
// stay unapplied: what they could settle differs between the ledgers.
func sizes(ctx context.Context, dir string, o Options) (results []Result, err error) {
	for _, invoices := range []int{1000, o.Invoices} {
		err = filled(ctx, dir, o, o.Accounts, invoices, func(b *books) error {
			o.tell("payments in a ledger of %d invoices", invoices)
			send := func(name string, n int) (Result, error) {
				return measure(ctx, b.ledger, name, 64, n, func(i int) interface{ Name() string } {
					c := paymentCommand(i, i%o.Accounts)
					c.Reference, c.Allocate = name, account.Nothing
					return c
				})
			}
			if _, err := send("warm-up", o.Accounts); err != nil {
				return err
			}
			r, err := send(fmt.Sprintf("RecordPayment among %d invoices", invoices), o.Commands/2)
			results = append(results, r)
			return err
		})
		if err != nil {
			return results, err
		}
	}
	results[1].Goal = "within 20 % of the one before"
	return results, nil
}

// lengths measures what a payment costs on a short and on a long account.
func lengths(ctx context.Context, dir string, o Options) (results []Result, err error) {
	for _, events := range []int{10, o.Events} {
		err = filled(ctx, dir, o, 1, events*10/19, func(b *books) error {
			o.tell("payments on an account of %d events", events)
			pay := func(i int) interface{ Name() string } {
				c := paymentCommand(i, 0)
				c.Allocate = account.OldestDue
				return c
			}
			if _, err := measure(ctx, b.ledger, "warm-up", 1, 10, pay); err != nil {
				return err
			}
			r, err := measure(ctx, b.ledger, fmt.Sprintf("RecordPayment on an account of %d events", events), 1, 2000, pay)
			results = append(results, r)
			return err
		})
		if err != nil {
			return results, err
		}
	}
	results[1].Goal = "within 20 % of the one before"
	return results, nil
}
