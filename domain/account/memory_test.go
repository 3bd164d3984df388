package account

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"

	"github.com/urikake/urikake/domain"
)

// settledPair is an invoice of one tax rate and the payment that settles it, as they come out of the log.
func settledPair(t testing.TB, i int) (domain.Event, domain.Event) {
	t.Helper()
	gross := domain.NewMoney(110_000, "JPY")
	issued, paid := domain.NewDate(2026, 1, 31), domain.NewDate(2026, 2, 28)
	id := domain.InvoiceID(fmt.Sprintf("INV-2026-%06d", i))
	invoice := InvoiceIssued{
		Invoice: id, Number: string(id), IssuedOn: issued, DueOn: paid, Total: gross,
		Taxes: []Tax{{Category: Standard, Rate: 10_00, Net: domain.NewMoney(100_000, "JPY"), Tax: domain.NewMoney(10_000, "JPY")}},
	}
	payment := PaymentRecorded{
		Payment: domain.PaymentID(fmt.Sprintf("PAY-2026-%06d", i)), ReceivedOn: paid, Amount: gross,
		Allocations: []Allocation{{id, gross}},
	}
	return read(t, invoice), read(t, payment)
}

// read passes an event through JSON, so that its strings are its own.
func read(t testing.TB, e domain.Event) domain.Event {
	t.Helper()
	e, err := throughJSON(e)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func throughJSON(e domain.Event) (domain.Event, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	for _, schema := range Events {
		if schema.Kind == e.Kind() {
			return schema.Decode(schema.Version, data)
		}
	}
	return nil, fmt.Errorf("%s is not among Events", e.Kind())
}

// A settled invoice and its payment stay in the state until the carry forward, so they must be small: an account
// with a hundred thousand of them has to fit a cache of hot aggregates.
func TestStateIsCompact(t *testing.T) {
	const pairs, most = 50_000, 400
	s := Decider.New()
	before := heap()
	for i := range pairs {
		invoice, payment := settledPair(t, i)
		s = Decider.Evolve(Decider.Evolve(s, invoice), payment)
	}
	perPair := (heap() - before) / pairs
	t.Logf("%d bytes per settled invoice and payment", perPair)
	if perPair > most {
		t.Errorf("%d bytes per settled invoice and payment, want at most %d", perPair, most)
	}
	if s.Balance() != 0 {
		t.Errorf("balance %d", s.Balance())
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
