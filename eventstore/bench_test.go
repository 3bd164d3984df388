package eventstore_test

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/memory"
)

var accounts = &eventstore.Aggregate[account.Request, *account.State]{
	Decider:         account.Decider,
	SnapshotVersion: account.SnapshotVersion, Snapshot: (*account.State).Snapshot, Restore: account.Restore,
}

// BenchmarkRun records payments on hot accounts over the log in memory: what the handler itself costs.
func BenchmarkRun(b *testing.B) {
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			const many = 10_000
			h := eventstore.NewHandler(memory.New(time.Now), eventstore.NewCodec(account.Events), nil)
			for i := range many {
				invoice := account.IssueInvoice{Invoice: "I", Number: strconv.Itoa(i), Total: domain.NewMoney(1_000_000, "JPY")}
				invoice.IssuedOn, invoice.DueOn = domain.NewDate(2026, 4, 1), domain.NewDate(2026, 4, 30)
				if err := onAccount(h, i, "issue", &invoice.Key, func() account.Command { return invoice }); err != nil {
					b.Fatal(err)
				}
			}
			var next atomic.Int64
			b.SetParallelism(clients / 2) // times GOMAXPROCS
			if clients == 1 {
				b.SetParallelism(1)
			}
			b.ReportAllocs()
			b.ResetTimer()
			work := func() {
				n := int(next.Add(1))
				pay := account.RecordPayment{
					Payment: domain.PaymentID("P" + strconv.Itoa(n)), ReceivedOn: domain.NewDate(2026, 4, 20),
					Amount: domain.NewMoney(100, "JPY"), Method: "TRANSFER", Reference: "20260420-000123",
				}
				if err := onAccount(h, n%many, "pay-"+strconv.Itoa(n), &pay.Key, func() account.Command { return pay }); err != nil {
					b.Error(err)
				}
			}
			if clients == 1 {
				for range b.N {
					work()
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					work()
				}
			})
		})
	}
}

// onAccount does what the ledger does around eventstore.Run, but for looking up seller and customer.
func onAccount(h *eventstore.Handler, customer int, id string, key *account.Key, command func() account.Command) error {
	*key = account.Key{Seller: "S0001", Customer: domain.CustomerID("C" + strconv.Itoa(customer)), Currency: "JPY"}
	c := command()
	hash, err := eventstore.Hash(c.Name(), c)
	if err != nil {
		return err
	}
	r := account.Request{Command: c, Stream: key.Stream(), Parties: account.Parties{SellerKnown: true, CustomerKnown: true, CustomerActive: true}}
	_, err = eventstore.Run(context.Background(), h, accounts, r, eventstore.Envelope{CommandID: id, Name: c.Name(), Hash: hash, Actor: "bench"})
	return err
}

// BenchmarkLoad folds one account of 10 000 payments from the log, as a cold command does.
func BenchmarkLoad(b *testing.B) {
	const events = 10_000
	store := memory.New(time.Now)
	warm := eventstore.NewHandler(store, eventstore.NewCodec(account.Events), nil)
	for i := range events {
		pay := account.RecordPayment{Payment: domain.PaymentID("P" + strconv.Itoa(i)), ReceivedOn: domain.NewDate(2026, 4, 20), Amount: domain.NewMoney(100, "JPY")}
		if err := onAccount(warm, 0, "pay-"+strconv.Itoa(i), &pay.Key, func() account.Command { return pay }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		h := eventstore.NewHandler(store, eventstore.NewCodec(account.Events), nil)
		if _, _, err := eventstore.Find(context.Background(), h, accounts, "account-S0001.C0.JPY", "pay-0"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*events), "ns/event")
}
