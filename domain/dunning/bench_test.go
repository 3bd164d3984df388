package dunning_test

import (
	"fmt"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/dunning"
)

// One debtor of ten open items, by the policy that is given to begin with: what a run does for each of its debtors.
func BenchmarkDecide(b *testing.B) {
	p := dunning.Versioned{ID: "default", Version: 1, Policy: dunning.DefaultPolicy(domain.Japanese)}
	var items []dunning.Item
	for i := range 10 {
		items = append(items, item(domain.InvoiceID(fmt.Sprint("I", i)), fmt.Sprintf("06-%02d", 10+i), 11000))
	}
	d := owing(items...)
	d.BankDataOn = day("07-02")
	s := stateOf(queued(), sent("R-1", "06-20", 2, "REMINDER_1"))
	for b.Loop() {
		if !dunning.Decide(p, s, d, day("07-03"), dunning.Agency).Reminds() {
			b.Fatal("nobody is reminded")
		}
	}
}
