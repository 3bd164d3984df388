package ledger_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/faulty"
	"github.com/urikake/urikake/eventstore/ledger"
)

// Groups, single commands and carry forwards race on several ledgers, with answers lost and numbers that many want.
func TestGroupsRace(t *testing.T) {
	for seed := range uint64(3) {
		store := faulty.New(newStore(), seed, faulty.Faults{})
		open(t, store)
		store.Set(slowAndFaulty)
		var list [][]step
		for i := range 40 {
			c := []domain.CustomerID{"C1", "C2"}[i%2]
			group := []step{{fmt.Sprint("a", i), invoice(c, "", int64(i+1)), nil}, {fmt.Sprint("b", i), payment(c, 3), nil}, {fmt.Sprint("c", i), invoice(c, "", 2), nil}}
			switch {
			case i%5 == 1:
				group[2].command = invoice(c, fmt.Sprintf("INV-2026-%06d", 1+i/10), 2) // wanted by two, and by the series
			case i%5 == 2:
				group[0].command = invoice(c, fmt.Sprint("FREE/", i/10), 2)
			case i%5 == 3:
				group[1].command = account.VoidInvoice{Key: key(c), Invoice: "none", VoidOn: day("2026-05-01"), Reason: "x"}
			}
			list = append(list, group)
			if i%20 == 19 {
				list = append(list, []step{{fmt.Sprint("p", i), account.CarryForward{Key: key("C1"), CarryOn: day("2026-12-31"), Into: fmt.Sprint("P", i)}, nil}})
			}
		}
		var wg sync.WaitGroup
		for start := range 3 {
			o := office{t, ledger.New(store, ledger.Codec(), nil), store}
			queue := make(chan []step)
			for range 4 {
				wg.Go(func() {
					for group := range queue {
						for errors.Is(o.tried(group), eventstore.ErrUnavailable) {
						}
						if group[0].id[1]%3 == 0 { // and alone
							for errors.Is(o.tried(group[:1]), eventstore.ErrUnavailable) {
							}
						}
					}
				})
			}
			wg.Go(func() {
				defer close(queue)
				for i := range list {
					queue <- list[(i+start/2*7)%len(list)]
				}
			})
		}
		wg.Wait()
		store.Set(faulty.Faults{})
		o := office{t, ledger.New(store, ledger.Codec(), nil), store}
		for _, group := range list {
			o.tried(group)
		}
		o.sameAsFresh("C1")
		o.sameAsFresh("C2")
		audit(t, fmt.Sprintf("seed %d: ", seed), o)
	}
}

// tried fails the test if the answer is neither success nor one that makes sense.
func (o office) tried(group []step) error {
	_, err := o.tell(group)
	var e *domain.Error
	if err != nil && (!errors.As(err, &e) || e.Code == domain.Internal || e.Code == domain.Invalid || e.Code == domain.Conflict) {
		o.Errorf("%s: %v", group[0].id, err)
	}
	return err
}
