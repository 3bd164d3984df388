package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
)

// slow lets others come between, and now and then loses an answer.
type slow struct {
	eventstore.Store
	mu    sync.Mutex
	rng   *rand.Rand
	loses float64
}

func (s *slow) draw() (wait time.Duration, loses bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Duration(s.rng.IntN(200)) * time.Microsecond, s.rng.Float64() < s.loses
}

func (s *slow) Append(ctx context.Context, stream string, expected eventstore.Version, events ...eventstore.Proposed) (eventstore.Position, error) {
	wait, loses := s.draw()
	time.Sleep(wait)
	if loses && wait%2 == 0 {
		return 0, eventstore.ErrUnavailable
	}
	position, err := s.Store.Append(ctx, stream, expected, events...)
	if loses && err == nil {
		return 0, eventstore.ErrUnavailable
	}
	return position, err
}

// Several ledgers on one store, each command sent to two of them at once and again, with answers lost, carry forwards
// and numbers that many want: no number twice, no gap, no command twice.
func TestLedgersRace(t *testing.T) {
	for seed := range uint64(4) {
		store := &slow{Store: newStore(), rng: rand.New(rand.NewPCG(seed, 1))}
		open(t, store)
		store.loses = 0.02
		var commands []step
		for i := range 120 {
			c := invoice([]domain.CustomerID{"C1", "C2"}[i%2], "", int64(i+1))
			switch {
			case i%5 == 1:
				c.Number = fmt.Sprintf("INV-2026-%06d", 1+i/10) // wanted by two, and by the series
			case i%5 == 2:
				c.Number = fmt.Sprint("FREE/", i/10)
			}
			commands = append(commands, step{id: fmt.Sprint("k", i), command: c})
			if i%30 == 29 {
				commands = append(commands, step{id: fmt.Sprint("c", i), command: account.CarryForward{
					Key: key("C1"), CarryOn: day("2026-12-31"), Into: fmt.Sprint("P", i),
				}})
			}
		}
		var wg sync.WaitGroup
		for start := range 4 {
			o := office{t, ledger.New(store, ledger.Codec(), nil), store}
			queue := make(chan step)
			for range 6 {
				wg.Go(func() {
					for s := range queue {
						for errors.Is(o.try(s), eventstore.ErrUnavailable) {
						}
					}
				})
			}
			wg.Go(func() {
				defer close(queue)
				for i := range commands {
					queue <- commands[(i+start/2*20)%len(commands)]
				}
			})
		}
		wg.Wait()
		store.loses = 0
		o := office{t, ledger.New(store, ledger.Codec(), nil), store}
		for _, s := range commands {
			o.try(s)
		}
		audit(t, fmt.Sprintf("seed %d: ", seed), o)
	}
}

// try fails the test if the answer is neither success nor one that makes sense.
func (o office) try(s step) error {
	_, err := o.do(s.id, s.command)
	var e *domain.Error
	if err != nil && (!errors.As(err, &e) || e.Code == domain.Internal || e.Code == domain.Invalid || e.Code == domain.NotFound) {
		o.Errorf("%s: %v", s.id, err)
	}
	return err
}
