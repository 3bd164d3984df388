package projections

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
)

// dun registers the seller and all customers and gives every third a case with a reminder; every ninth made a promise,
// which some broke, and every tenth is on hold. A log that has it stays as it is.
func (l benchLog) dun(b *testing.B) {
	write := func(stream string, events ...domain.Event) error {
		var list []eventstore.Proposed
		for i, e := range events {
			p, err := l.codec.Encode(e)
			if err != nil {
				return err
			}
			p.ID, p.Metadata = uuid.NewSHA1(uuid.Nil, fmt.Appendf(nil, "%s %d", stream, i)), []byte(benchMetadata)
			list = append(list, p)
		}
		_, err := l.store.Append(context.Background(), stream, 0, list...)
		if errors.Is(err, eventstore.ErrWrongVersion) {
			return nil
		}
		return err
	}
	settings := seller.Settings{Name: "緑商事", TimeZone: "Asia/Tokyo", BaseCurrency: "JPY", Language: domain.Japanese, Rounding: domain.RoundDown, DefaultSeries: "INV"}
	policy := dunning.PolicySet{Seller: "S1", ID: "default", Version: 1, SetOn: benchStart, Policy: dunning.DefaultPolicy(domain.Japanese), Reason: "x"}
	err := errors.Join(write("seller-S1", seller.Registered{Seller: "S1", Settings: settings}), write(dunning.PolicyStream("S1"), policy))
	var wg sync.WaitGroup
	slots := make(chan struct{}, 256)
	for a := range benchAccounts {
		slots <- struct{}{}
		wg.Go(func() {
			k := customer.Key{Seller: "S1", Customer: benchCustomer(a)}
			contacts := []customer.Contact{{Email: "x@example.jp", Role: "billing"}}
			failed := write(k.Stream(), customer.Registered{Key: k, Details: customer.Details{Name: "Customer " + string(k.Customer), Contacts: contacts}})
			if events := benchCase(a); len(events) > 0 {
				failed = errors.Join(failed, write(dunning.Key{Seller: "S1", Customer: k.Customer, Currency: "JPY"}.Stream(), events...))
			}
			if <-slots; failed != nil {
				b.Error(failed)
			}
		})
	}
	wg.Wait()
	if err != nil {
		b.Fatal(err)
	}
}

func benchCase(a int) (events []domain.Event) {
	on := benchStart.AddDays(700)
	if a%3 == 0 {
		r := dunning.Reminder{
			ID: "R1", QueuedOn: on, Generation: 1, Level: 2, LevelID: "REMINDER_1", Policy: "default", Version: 1, Due: yen(1000), Disputed: yen(0),
			Unapplied: yen(0), ToPay: yen(1000), Channel: dunning.Mail, Recipient: "contact:0", Template: "reminder-1", Run: "RUN", Acting: dunning.Agency,
		}
		events = append(events, dunning.ReminderQueued{Reminder: r}, dunning.ReminderSent{
			Reminder: "R1", SentOn: on, Level: 2, LevelID: r.LevelID, TextHash: strings.Repeat("0", 64), Channel: dunning.Mail, Result: dunning.Accepted, Acting: dunning.Agency,
		})
	}
	if a%9 == 0 {
		events = append(events, dunning.PromiseRecorded{Promise: "P1", MadeOn: on, Amount: yen(500), Day: on.AddDays(7), Acting: dunning.Agency})
		if a%18 == 0 {
			events = append(events, dunning.PromiseSettled{Promise: "P1", SettledOn: on.AddDays(12), Outcome: dunning.Broken, Amount: yen(500), Received: yen(0)})
		}
	}
	if a%10 == 0 {
		events = append(events, dunning.Held{Hold: "H1", For: dunning.DoNotContact, From: on, Reason: "x", Acting: dunning.Creditor})
	}
	return events
}

// BenchmarkDunning goes through all debtors and finds whom to see to first, among as many debtors as BENCH_ACCOUNTS and
// as many invoices as BENCH_INVOICES say.
func BenchmarkDunning(b *testing.B) {
	l := newBenchLog(b, benchInvoices(50_000))
	l.dun(b)
	v, err := Open(l.dir, l.store, l.codec)
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close()
	ctx := context.Background()
	if _, err := v.CatchUp(ctx); err != nil {
		b.Fatal(err)
	}
	asOf := benchStart.AddDays(735)
	b.Run("debtors", func(b *testing.B) {
		rows := 0
		for b.Loop() {
			if _, err := v.EachDebtor(ctx, DebtorsQuery{Seller: "S1", AsOf: asOf}, func(Debtor) error { rows++; return nil }); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(rows)/float64(b.N), "debtors")
		b.ReportMetric(peakMiB(), "peak-MiB")
	})
	b.Run("queue", func(b *testing.B) {
		found := 0
		for b.Loop() {
			report, err := v.Queue(ctx, QueueQuery{Seller: "S1", AsOf: asOf})
			if err != nil || len(report.Rows) == 0 {
				b.Fatal(err, len(report.Rows))
			}
			found = report.Debtors
		}
		b.ReportMetric(float64(found), "debtors")
	})
}
