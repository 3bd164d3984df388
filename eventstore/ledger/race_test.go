package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/numbering"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/faulty"
	"github.com/urikake/urikake/eventstore/ledger"
)

// slowAndFaulty lets others come between, and loses answers.
var slowAndFaulty = func() faulty.Faults {
	f := faulty.Usual
	f.Slow, f.SlowMax = 1, 200*time.Microsecond
	return f
}()

// Several ledgers on one store, each command sent to two of them at once and again, with answers lost, carry forwards
// and numbers that many want: no number twice, no gap, no command twice.
func TestLedgersRace(t *testing.T) {
	for seed := range uint64(4) {
		store := faulty.New(newStore(), seed, faulty.Faults{})
		open(t, store)
		store.Set(slowAndFaulty)
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
		store.Set(faulty.Faults{})
		o := office{t, ledger.New(store, ledger.Codec(), nil), store}
		for _, s := range commands {
			o.try(s)
		}
		audit(t, fmt.Sprintf("seed %d: ", seed), o)
	}
}

// Nodes that begin all the time take for left behind what is under way on others: those get other numbers, and no
// command is refused.
func TestNodesThatBeginHoldNobodyUp(t *testing.T) {
	store := faulty.New(newStore(), 1, faulty.Faults{Slow: 1, SlowMax: 300 * time.Microsecond})
	steady := open(t, store)
	var clients sync.WaitGroup
	for client := range 8 {
		clients.Go(func() {
			for i := range 15 {
				c := invoice([]domain.CustomerID{"C1", "C2"}[i%2], "", 1)
				if client == 0 && i%2 == 1 {
					c.Number = fmt.Sprint("FREE/", i)
				}
				if _, err := steady.do(fmt.Sprint("k", client, "-", i), c); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	var beginners sync.WaitGroup
	for n := range 2 {
		beginners.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				o := office{t, ledger.New(store, ledger.Codec(), nil), store}
				if _, err := o.do(fmt.Sprint("begin", n, "-", i), invoice("C2", "", 1)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	clients.Wait()
	close(done)
	beginners.Wait()
	audit(t, "", office{t, ledger.New(store, ledger.Codec(), nil), store})
}

// try fails the test if the answer is neither success nor one that makes sense.
func (o office) try(s step) error {
	_, err := o.do(s.id, s.command)
	var e *domain.Error
	if err != nil && (!errors.As(err, &e) || e.Code != domain.Refused && e.Code != domain.Unavailable) {
		o.Errorf("%s: %v", s.id, err)
	}
	return err
}

// interrupted does something once, just before an append.
type interrupted struct {
	eventstore.Store
	before func(stream string) bool
	do     func()
}

func (s *interrupted) Append(ctx context.Context, stream string, expected eventstore.Version, events ...eventstore.Proposed) (eventstore.Position, error) {
	if s.before != nil && s.before(stream) {
		s.before = nil
		s.do()
	}
	return s.Store.Append(context.WithoutCancel(ctx), stream, expected, events...)
}

func isSeries(stream string) bool { return strings.HasPrefix(stream, "numbering-") }

// A command under way twice may take two numbers, or come too late for the one that it names; it is answered as a
// repeat, and what it took is given to the next.
func TestATwinTakesNoNumber(t *testing.T) {
	for _, given := range []string{"", "INV-2026-000001"} {
		store := &interrupted{Store: newStore()}
		o := open(t, store)
		other := office{t, ledger.New(store.Store, ledger.Codec(), nil), store}
		store.before, store.do = isSeries, func() {
			other.must("k", invoice("C1", given, 1))
			other.must("k2", invoice("C2", "", 1)) // confirms the number of k, so that k holds none
		}
		if r := o.must("k", invoice("C1", given, 1)); !r.Repeated || numberOf(r) != "INV-2026-000001" {
			t.Fatalf("%+v", r)
		}
		if n := numberOf(o.must("k3", invoice("C2", "", 1))); n != "INV-2026-000003" {
			t.Fatal(n)
		}
		audit(t, "", o)
	}
}

// unnumbered refuses appends to series.
type unnumbered struct{ eventstore.Store }

func (s unnumbered) Append(ctx context.Context, stream string, expected eventstore.Version, events ...eventstore.Proposed) (eventstore.Position, error) {
	if isSeries(stream) {
		return 0, eventstore.ErrUnavailable
	}
	return s.Store.Append(ctx, stream, expected, events...)
}

// A command whose number another process takes for stale gets one anew, also if that process stops halfway.
func TestAForfeitedNumberIsTakenAnew(t *testing.T) {
	store := &interrupted{Store: newStore()}
	o := open(t, store)
	store.before = func(stream string) bool { return stream == key("C1").Stream() }
	store.do = func() {
		other := office{t, ledger.New(unnumbered{store.Store}, ledger.Codec(), nil), store}
		other.refused("other", invoice("C2", "", 1), eventstore.ErrUnavailable)
	}
	if n := numberOf(o.must("k", invoice("C1", "", 1))); n != "INV-2026-000001" {
		t.Fatal(n)
	}
	audit(t, "", o)
}

// A number taken for somebody who went away while he queued for it is given to another, without a restart.
func TestANumberIsNotLostWithItsClient(t *testing.T) {
	store := &interrupted{Store: newStore()}
	o := open(t, store)
	next := make(chan error)
	store.before, store.do = isSeries, func() { // the first client's number is being written
		ctx, cancel := context.WithCancel(context.Background())
		gone := make(chan error)
		go func() {
			_, err := o.Execute(ctx, invoice("C2", "", 1), eventstore.Envelope{CommandID: "gone"})
			gone <- err
		}()
		time.Sleep(5 * time.Millisecond)
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		go func() {
			_, err := o.do("next", invoice("C2", "", 1))
			next <- err
		}()
		time.Sleep(5 * time.Millisecond)
	}
	o.must("first", invoice("C1", "", 1))
	if err := <-next; err != nil {
		t.Fatal(err)
	}
	for i := range 50 { // in the same process
		time.Sleep(time.Millisecond)
		o.must(fmt.Sprint("k", i), invoice("C1", "", 1))
	}
	audit(t, "", o)
}

// Thousands of numbers given by hand are confirmed as they come, and a restart does not choke on them.
func TestManyNumbersGivenByHand(t *testing.T) {
	o := open(t, newStore())
	const n = 2500
	for i := range n {
		o.must(fmt.Sprint("k", i), invoice("C1", numbering.Format("INV", 2026, i+1), 1))
	}
	s := numbering.Decider.New()
	for r, err := range o.store.Read(context.Background(), "numbering-S1.INV.2026", 0) {
		if err != nil {
			t.Fatal(err)
		}
		event, err := ledger.Codec().Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		s = numbering.Decider.Evolve(s, event)
	}
	waiting := 0
	for range s.Pending() {
		waiting++
	}
	if waiting > 1000 {
		t.Errorf("%d numbers wait to be confirmed", waiting)
	}
	o = office{t, ledger.New(o.store, ledger.Codec(), nil), o.store}
	if got := numberOf(o.must("next", invoice("C2", "", 1))); got != numbering.Format("INV", 2026, n+1) {
		t.Error(got)
	}
}

// held lets appends to account streams wait while gate is there.
type held struct {
	eventstore.Store
	mu      sync.Mutex
	gate    chan struct{}
	waiting chan struct{}
}

func (s *held) Append(ctx context.Context, stream string, expected eventstore.Version, events ...eventstore.Proposed) (eventstore.Position, error) {
	s.mu.Lock()
	gate := s.gate
	s.mu.Unlock()
	if _, _, ok := account.ParseStream(stream); ok && gate != nil {
		s.waiting <- struct{}{}
		<-gate
	}
	return s.Store.Append(ctx, stream, expected, events...)
}

// While one client sees to what a crash has left in a series, others wait no longer than they want to.
func TestNobodyWaitsLongerThanHeWants(t *testing.T) {
	crashed := &failing{Store: newStore()}
	o := open(t, crashed)
	crashed.broken = true
	o.refused("left", invoice("C1", "", 1), eventstore.ErrUnavailable)
	store := &held{Store: crashed.Store, gate: make(chan struct{}), waiting: make(chan struct{}, 9)}
	o = office{t, ledger.New(store, ledger.Codec(), nil), store}
	if err := o.Remember(t.Context()); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		_, err := o.do("slow", invoice("C2", "", 1))
		done <- err
	}()
	<-store.waiting // it forfeits the number of the one that crashed
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := o.Execute(ctx, invoice("C2", "", 2), eventstore.Envelope{CommandID: "hasty"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	orders := ordersOf(step{"hasty1", invoice("C2", "", 2), nil}, step{"hasty2", payment("C2", 2), nil})
	if _, err := o.ExecuteTogether(ctx, orders); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("waited %s", took)
	}
	store.mu.Lock()
	close(store.gate)
	store.gate = nil
	store.mu.Unlock()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := o.UnderWay(); n != 0 {
		t.Errorf("%d keys under way", n)
	}
	o.refused("hasty", invoice("C1", "", 2), eventstore.ErrKeyReused) // it might have been done
	o.must("hasty", invoice("C2", "", 2))
	audit(t, "", o)
}
