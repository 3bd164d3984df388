package bench

import (
	"context"
	"fmt"
	"time"

	reminding "github.com/urikake/urikake/adapters/dunning"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/projections"
)

// debtorsShare is how many invoices there are for each debtor whom a run looks at.
const debtorsShare = 10

// duns measures a dry run over all debtors, the queue, and a run that queues reminders, on a ledger in which one invoice
// of ten was never paid.
func duns(ctx context.Context, dir string, o Options) (results []Result, err error) {
	accounts := max(1, o.Invoices/debtorsShare)
	err = filled(ctx, dir, o, accounts, o.Invoices, func(b *books) error {
		if err := setPolicy(ctx, b); err != nil {
			return err
		}
		o.tell("folding")
		if _, err := b.views.CatchUp(ctx); err != nil {
			return err
		}
		size := fmt.Sprintf("%d accounts, %d invoices", accounts, o.Invoices)
		o.tell("a dry run over %s", size)
		dry, took, err := b.run(ctx, true)
		if err != nil {
			return err
		}
		results = append(results, Result{Name: "dunning, dry run over " + size, Value: took.Seconds(), Unit: "s", Goal: "20"})
		if most, ok := peakMemory(); ok {
			results = append(results, Result{Name: "most memory until then", Value: most, Unit: "MiB", Goal: "500"})
		}
		o.tell("the queue of %d debtors", dry.Debtors)
		queue, err := b.queue(ctx)
		if err != nil {
			return err
		}
		results = append(results, Result{Name: fmt.Sprintf("dunning queue, %d debtors", dry.Debtors), Value: queue, Unit: "ms", Goal: "100"})
		o.tell("a run that queues %d reminders", dry.Reminders)
		done, took, err := b.run(ctx, false)
		if err != nil {
			return err
		}
		results = append(results, Result{
			Name: fmt.Sprintf("dunning, run that queues %d reminders", done.Reminders), Value: float64(done.Debtors) / took.Seconds(), Unit: "debtors/s",
		})
		return nil
	})
	return results, err
}

// dunningDay is a business day after the history.
var dunningDay = domain.JapanBankDays().Next(firstDay.AddDays(historyDays + 60))

// setPolicy is one that writes letters, which reach everybody.
func setPolicy(ctx context.Context, b *books) error {
	p := dunning.DefaultPolicy(domain.English)
	p.BankDataMaxAge = 0
	for i := range p.Levels {
		if p.Levels[i].Channel != dunning.Phone {
			p.Levels[i].Channel = dunning.Letter
			p.Levels[i].Fallback = nil
		}
	}
	c := dunning.SetDunningPolicy{Seller: sellerID, ID: dunning.DefaultID, On: firstDay, Policy: p, Reason: "bench"}
	_, err := b.ledger.Execute(ctx, c, eventstore.Envelope{CommandID: "policy", Actor: "bench"})
	return err
}

func (b *books) run(ctx context.Context, dry bool) (reminding.Result, time.Duration, error) {
	start := time.Now()
	r, err := reminding.Run(ctx, reminding.Books{Ledger: b.ledger, Views: b.views, Clock: time.Now}, reminding.Request{
		Seller: sellerID, AsOf: dunningDay, DryRun: dry, Actor: "bench",
	})
	return r, time.Since(start), err
}

// queue asks five times and gives the median, in milliseconds.
func (b *books) queue(ctx context.Context) (float64, error) {
	var took []time.Duration
	for range 5 {
		start := time.Now()
		if _, err := b.views.Queue(ctx, projections.QueueQuery{Seller: sellerID, AsOf: dunningDay}); err != nil {
			return 0, err
		}
		took = append(took, time.Since(start))
	}
	return float64(median(took).Microseconds()) / 1000, nil
}
