package account

import (
	"fmt"
	"testing"

	"github.com/urikake/urikake/domain"
)

// A command's cost must not grow with the account's past: compare the figures for 10 and for 100,000 events.
func BenchmarkRecordPayment(b *testing.B) {
	for _, past := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprintf("events=%d", past), func(b *testing.B) {
			b.ReportAllocs()
			for done := 0; done < b.N; {
				b.StopTimer()
				batch := min(past, 1000, b.N-done) // so that the past stays about as long as it says
				s, payments := payable(b, past, batch)
				b.StartTimer()
				for _, c := range payments {
					events, err := Decider.Decide(s, Request{Command: c, Parties: usual})
					if err != nil {
						b.Fatal(err)
					}
					s = Decider.Evolve(s, events[0])
				}
				done += batch
			}
		})
	}
}

// payable is an account with a past of settled invoices and n new ones, with a payment for each.
func payable(b *testing.B, past, n int) (*State, []Command) {
	s := Decider.New()
	for i := range past / 2 {
		invoice, payment := settledPair(b, i)
		s = Decider.Evolve(Decider.Evolve(s, invoice), payment)
	}
	payments := make([]Command, n)
	for i := range payments {
		id := fmt.Sprintf("NEW-%08d", i)
		s = Decider.Evolve(s, issued(domain.InvoiceID(id), "10-01", "10-31", 1000))
		payments[i] = pay(domain.PaymentID(id), "10-05", 1000)
	}
	return s, payments
}
