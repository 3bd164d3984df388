package bench

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/seller"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
)

const (
	sellerID = domain.SellerID("BENCH")
	cur      = domain.Currency("JPY")
)

func customerID(i int) domain.CustomerID { return domain.CustomerID(fmt.Sprintf("C%06d", i)) }

func keyOf(i int) account.Key {
	return account.Key{Seller: sellerID, Customer: customerID(i), Currency: cur}
}

var firstDay = domain.NewDate(2024, 1, 4)

// register opens a seller and customers.
func register(ctx context.Context, l *ledger.Ledger, customers int) error {
	_, err := l.Execute(ctx, seller.RegisterSeller{Seller: sellerID, Settings: seller.Settings{
		Name: "Bench", TimeZone: "Asia/Tokyo",
		BaseCurrency: cur, Language: domain.English,
	}}, eventstore.Envelope{CommandID: "bench-seller", Actor: "bench"})
	if err != nil {
		return err
	}
	return parallel(ctx, 256, customers, func(i int) error {
		_, err := l.Execute(ctx, customer.RegisterCustomer{
			Key:     customer.Key{Seller: sellerID, Customer: customerID(i)},
			Details: customer.Details{Name: fmt.Sprintf("Customer %d", i)},
			Terms:   domain.Terms{Kind: domain.TermsNet, NetDays: 30},
		},
			eventstore.Envelope{CommandID: fmt.Sprint("bench-customer-", i), Actor: "bench"})
		return err
	})
}

// parallel runs n calls of work on some goroutines and stops at the first error.
func parallel(ctx context.Context, clients, n int, work func(i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := work(i); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// invoiceCommand is what a finance app would send: two lines at ten percent, the number from the series.
func invoiceCommand(i, account_ int) account.IssueInvoice {
	issued := firstDay.AddDays(i % 600)
	return account.IssueInvoice{Key: keyOf(account_), IssuedOn: issued, Lines: []account.Line{
		{Description: "Monthly service", Quantity: domain.DecimalOf(1), UnitPrice: domain.DecimalOf(int64(10_000 + i%977)), Category: account.Standard, Rate: 1000},
		{Description: "Support hours", Quantity: domain.DecimalOf(int64(1 + i%5)), UnitPrice: domain.DecimalOf(4_500), Category: account.Standard, Rate: 1000},
	}}
}

func paymentCommand(i, account_ int) account.RecordPayment {
	return account.RecordPayment{
		Key: keyOf(account_), ReceivedOn: firstDay.AddDays(620 + i%100),
		Amount: domain.NewMoney(int64(9_000+i%4_001), cur), Method: "TRANSFER", Reference: fmt.Sprint("R", i), Payer: payer,
	}
}

// measure sends n commands from some clients and tells how many were durable each second, and how long they took.
func measure(ctx context.Context, l *ledger.Ledger, name string, clients, n int, command func(i int) interface{ Name() string }) (Result, error) {
	latencies := make([]time.Duration, n)
	id := strings.ReplaceAll(name, " ", "-")
	start := time.Now()
	err := parallel(ctx, clients, n, func(i int) error {
		sent := time.Now()
		_, err := l.Execute(ctx, command(i), eventstore.Envelope{CommandID: fmt.Sprintf("%s-%d-%d", id, clients, i), Actor: "bench"})
		latencies[i] = time.Since(sent)
		return err
	})
	took := time.Since(start)
	slices.Sort(latencies)
	return Result{
		Name: fmt.Sprintf("%s, %d at once", name, clients), Value: float64(n) / took.Seconds(), Unit: "commands/s",
		P50: latencies[n/2], P99: latencies[n*99/100],
	}, err
}

// writes measures the two commands that agencies send most.
func writes(ctx context.Context, l *ledger.Ledger, o Options) ([]Result, error) {
	rng := rand.New(rand.NewPCG(1, 2))
	pick := make([]int, o.Commands)
	for i := range pick {
		pick[i] = rng.IntN(o.Accounts)
	}
	invoice := func(i int) interface{ Name() string } { return invoiceCommand(i, pick[i]) }
	payment := func(i int) interface{ Name() string } { return paymentCommand(i, pick[i]) }
	var results []Result
	for _, m := range []struct {
		name    string
		clients int
		n       int
		command func(int) interface{ Name() string }
	}{
		{"IssueInvoice", 1, o.Commands / 20, invoice},
		{"IssueInvoice", 64, o.Commands, invoice},
		{"RecordPayment", 1, o.Commands / 20, payment},
		{"RecordPayment", 64, o.Commands, payment},
	} {
		o.tell("%s with %d clients", m.name, m.clients)
		r, err := measure(ctx, l, m.name, m.clients, m.n, m.command)
		if err != nil {
			return results, err
		}
		if m.name == "RecordPayment" && m.clients == 64 {
			r.Goal = "20000"
		}
		results = append(results, r)
	}
	return results, nil
}

func median[T cmp.Ordered](took []T) T {
	slices.Sort(took)
	return took[len(took)/2]
}
