package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/numbering"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
)

// unsteady breaks at its nth append: before it is written, or after, so that only the answer is lost. A crash lets
// nothing pass from then on.
type unsteady struct {
	eventstore.Store
	mu                sync.Mutex
	appends, breaksAt int
	written, crashes  bool
}

func (u *unsteady) Append(ctx context.Context, stream string, expected eventstore.Version, events ...eventstore.Proposed) (eventstore.Position, error) {
	u.mu.Lock()
	u.appends++
	breaks := u.appends == u.breaksAt
	broken := breaks || u.crashes && u.breaksAt > 0 && u.appends > u.breaksAt
	u.mu.Unlock()
	switch {
	case breaks && u.written:
		if _, err := u.Store.Append(ctx, stream, expected, events...); err != nil {
			return 0, err
		}
		return 0, eventstore.ErrUnavailable
	case broken:
		return 0, eventstore.ErrUnavailable
	}
	return u.Store.Append(ctx, stream, expected, events...)
}

type step struct {
	id      string
	command interface{ Name() string }
	refused *domain.Error
}

// story takes numbers in every way there is, and goes on through two carry forwards.
func story() []step {
	c1 := key("C1")
	disputed := invoice("C1", "", 1100)
	disputed.Invoice = "D"
	given := invoice("C1", "2026/7", 700)
	late := invoice("C1", "", 10)
	late.IssuedOn = day("2027-02-01")
	return []step{
		{"s1", disputed, nil},
		{"s2", invoice("C2", "", 300), nil},
		{"s3", invoice("C2", "INV-2026-000005", 500), nil},
		{"s4", given, nil},
		{"s5", invoice("C2", "2026/7", 700), numbering.ErrNumberTaken},
		{"s6", invoice("C1", "INV-2026-000005", 700), numbering.ErrNumberTaken},
		{"s7", account.RecordPayment{Key: c1, ReceivedOn: day("2026-04-05"), Amount: jpy(200)}, nil},
		{"s8", account.OpenDispute{Key: c1, Dispute: "X", Invoice: "D", OpenedOn: day("2026-04-06"), Reason: account.Defective}, nil},
		{"s9", account.ResolveDispute{Key: c1, Dispute: "X", ResolvedOn: day("2026-04-07"), Outcome: account.DisputeUpheld}, nil},
		{"s10", account.CarryForward{Key: c1, CarryOn: day("2026-12-31"), Into: "2027"}, nil},
		{"s11", late, nil},
		{"s12", disputed, account.ErrRepeatedID},
		{"s13", account.IssueCreditNote{Key: c1, Number: "CN-2027-000002", IssuedOn: day("2027-02-02"), Reason: account.Goodwill, Total: jpy(5)}, nil},
		{"s14", account.CarryForward{Key: c1, CarryOn: day("2027-12-31"), Into: "2028"}, nil},
		{"s15", account.RecordPayment{Key: c1, ReceivedOn: day("2028-01-05"), Amount: jpy(100)}, nil},
	}
}

// Whichever append breaks, and however: once everything was sent again, each command is there once, or refused as ever,
// and the series have neither gaps nor repeats.
func TestACrashAtAnyAppend(t *testing.T) {
	for _, crashes := range []bool{false, true} {
		for _, written := range []bool{false, true} {
			for n := 1; tellStory(t, n, written, crashes); n++ {
			}
		}
	}
}

// tellStory tells whether the story had an nth append.
func tellStory(t *testing.T, n int, written, crashes bool) bool {
	t.Helper()
	name := fmt.Sprintf("append %d, written %v, crash %v: ", n, written, crashes)
	store := &unsteady{Store: newStore(), written: written, crashes: crashes}
	o := open(t, store)
	store.appends, store.breaksAt = 0, n
	for _, s := range story() {
		_, err := o.do(s.id, s.command)
		if errors.Is(err, eventstore.ErrUnavailable) && !crashes {
			_, err = o.do(s.id, s.command)
		}
		var refusal *domain.Error // what follows a crash may be refused, but for a reason
		if !isRefusal(err, s.refused) && (!crashes || !errors.As(err, &refusal) || refusal.Code == domain.Internal) {
			t.Fatal(name, s.id, " ", err)
		}
	}
	if store.appends < n {
		return false
	}
	store.breaksAt = 0
	o = office{t, ledger.New(store, ledger.Codec(), nil), store}
	if n%2 == 0 {
		o.must("between", invoice("C2", "", 1)) // somebody else comes first, and finishes what was left
	}
	for _, s := range append(story(), story()...) {
		if _, err := o.do(s.id, s.command); !isRefusal(err, s.refused) {
			t.Fatal(name, s.id, " again: ", err)
		}
	}
	audit(t, name, o)
	return true
}

func isRefusal(err error, want *domain.Error) bool {
	if want == nil {
		return err == nil
	}
	return errors.Is(err, want)
}

// audit reads the log itself. Some more documents fill what was given back before.
func audit(t *testing.T, name string, o office) {
	t.Helper()
	for i := range 40 {
		o.must(fmt.Sprint("fill", i), invoice("C2", "", 1))
	}
	numbers := map[string]string{}
	runs := map[string]string{} // of each account's commands: where they stand
	head, err := o.store.Head(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for r, err := range eventstore.Replay(context.Background(), o.store, ledger.Codec(), 0, head, nil) {
		if err != nil {
			t.Fatal(err)
		}
		key, _, ok := account.ParseStream(r.Stream)
		if !ok {
			continue
		}
		m, err := eventstore.ReadMetadata(r.Recorded)
		if err != nil {
			t.Fatal(err)
		}
		at := fmt.Sprint(r.Stream, "@", r.Version)
		number := ""
		switch e := r.Event.(type) {
		case account.InvoiceIssued:
			number = e.Number
		case account.CreditNoteIssued:
			number = e.Number
		case account.BalanceBroughtForward, account.DisputeResolved, account.NumberForfeited:
			continue // follow another event of their command, or are the ledger's own
		}
		command := string(key.Customer) + " " + m.CommandID
		if runs[command] != "" {
			t.Fatal(name, command, " stands at ", runs[command], " and at ", at)
		}
		runs[command] = at
		if number != "" && numbers[number] != "" {
			t.Fatal(name, number, " stands on ", numbers[number], " and on ", at)
		}
		numbers[number] = at
	}
	for _, series := range []string{"INV-2026-", "INV-2027-", "CN-2026-"} {
		var list []string
		for number := range numbers {
			if strings.HasPrefix(number, series) {
				list = append(list, number)
			}
		}
		slices.Sort(list)
		for i, number := range list {
			if want := fmt.Sprintf("%s%06d", series, i+1); number != want {
				t.Fatal(name, "gap at ", want, ": ", list)
			}
		}
	}
}
