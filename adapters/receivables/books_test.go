package receivables_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/urikake/urikake/adapters/receivables"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/memory"
	"github.com/urikake/urikake/eventstore/overlay"
)

// books is a ledger in memory, and what-if copies of it.
type books struct {
	testing.TB
	store eventstore.Store
	live  *ledger.Ledger
}

func open(t testing.TB) books {
	store := memory.New(time.Now)
	return books{t, store, ledger.New(store, ledger.Codec(), nil)}
}

var usd = receivables.Options{Seller: "ACME", Currency: "USD", Actor: "test"}

func (b books) read(text string, o receivables.Options) *receivables.Plan {
	b.Helper()
	plan, err := receivables.Read([]byte(text), o)
	if err != nil {
		b.Fatal(err)
	}
	return plan
}

func (b books) try(plan *receivables.Plan) (receivables.Result, error) {
	dry := ledger.New(overlay.New(b.store), ledger.Codec(), nil)
	return plan.Run(b.Context(), dry.Execute, b.live.Execute, nil)
}

func (b books) run(text string, o receivables.Options) receivables.Result {
	b.Helper()
	result, err := b.try(b.read(text, o))
	if err != nil {
		b.Fatalf("%v: %+v", err, result)
	}
	return result
}

func (b books) want(result, want receivables.Result) {
	b.Helper()
	if fmt.Sprintf("%+v", result) != fmt.Sprintf("%+v", want) {
		b.Errorf("\n got %+v\nwant %+v", result, want)
	}
}

// each hands over all events in the log's order.
func (b books) each(look func(stream string, e domain.Event)) {
	b.Helper()
	codec := ledger.Codec()
	head, err := b.store.Head(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if head == 0 {
		return
	}
	for r, err := range b.store.Follow(b.Context(), 0) {
		if err != nil {
			b.Fatal(err)
		}
		e, err := codec.Decode(r)
		if err != nil {
			b.Fatal(err)
		}
		if look(r.Stream, e); r.Position == head {
			return
		}
	}
}

// log is all events of the streams that begin so.
func (b books) log(streams string) (events []domain.Event) {
	b.Helper()
	b.each(func(stream string, e domain.Event) {
		if strings.HasPrefix(stream, streams) {
			events = append(events, e)
		}
	})
	return events
}

func (b books) balance(customer string) (minor int64) {
	b.Helper()
	for _, e := range b.log("account-ACME." + customer + ".") {
		minor += e.(account.Event).Effect()
	}
	return minor
}

func (b books) must(id string, c interface{ Name() string }) {
	b.Helper()
	if _, err := b.live.Execute(b.Context(), c, eventstore.Envelope{CommandID: id}); err != nil {
		b.Fatal(err)
	}
}
