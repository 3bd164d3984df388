package ledger

import (
	"context"
	"sync"

	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/numbering"
	"github.com/urikake/urikake/eventstore"
)

// dispenser takes numbers for all who ask at the same time in one append, so that a series is no bottleneck though
// each number is durable before it is used.
type dispenser struct {
	handler *eventstore.Handler
	mu      sync.Mutex
	counter map[numbering.Key]*counter
	inside  map[numbering.Taker]int // commands under way in this process: what they hold is not stale
}

// counter is where people queue for one series.
type counter struct {
	settle  chan struct{} // full while somebody looks what was left pending
	doubts  int           // how often that became doubtful
	settled int           // doubts when it was last seen to

	waiting []*asker
	serving bool
	issued  []int // to be confirmed by the next taking
}

type asker struct {
	taker numbering.Taker
	held  held
	err   error
	done  chan struct{}
}

func newDispenser(h *eventstore.Handler) *dispenser {
	return &dispenser{handler: h, counter: make(map[numbering.Key]*counter), inside: make(map[numbering.Taker]int)}
}

func (d *dispenser) at(key numbering.Key) *counter {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.counter[key] == nil {
		d.counter[key] = &counter{settle: make(chan struct{}, 1), doubts: 1}
	}
	return d.counter[key]
}

// once runs settle for a series until it succeeds once, and again after each doubt. It waits for others no longer than
// ctx lasts.
func (d *dispenser) once(ctx context.Context, key numbering.Key, settle func() error) error {
	c := d.at(key)
	select {
	case c.settle <- struct{}{}:
		defer func() { <-c.settle }()
	case <-ctx.Done():
		return ctx.Err()
	}
	d.mu.Lock()
	doubts, settled := c.doubts, c.settled == c.doubts
	d.mu.Unlock()
	if settled {
		return nil
	}
	if err := settle(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	c.settled = doubts
	return nil
}

// doubt makes the next taking look first what was left pending.
func (d *dispenser) doubt(key numbering.Key) {
	c := d.at(key)
	d.mu.Lock()
	defer d.mu.Unlock()
	c.doubts++
}

// enter notes a command as under way until the function that it gives is called.
func (d *dispenser) enter(t numbering.Taker) (leave func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inside[t]++
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.inside[t]--; d.inside[t] == 0 {
			delete(d.inside, t)
		}
	}
}

func (d *dispenser) busy(t numbering.Taker) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.inside[t] > 0
}

// unconfirmedMax bounds how many issued numbers wait for a taking that confirms them: numbers given by hand may come
// in thousands, with no taking after them.
const unconfirmedMax = 1000

// issued notes that a number stands on its document; the next taking confirms it. many are to be confirmed now.
func (d *dispenser) issued(h held) (many []int) {
	if h.n == 0 {
		return nil
	}
	c := d.at(h.key)
	d.mu.Lock()
	defer d.mu.Unlock()
	c.issued = append(c.issued, h.n)
	if len(c.issued) < unconfirmedMax {
		return nil
	}
	many, c.issued = c.issued, nil
	return many
}

// take waits in the queue of a series, with one place for each taker. Whoever finds nobody serving has all who wait
// served, again and again. It gives all numbers or, as Failed, says who could not get one; the others' stay pending.
func (d *dispenser) take(ctx context.Context, key numbering.Key, takers []numbering.Taker) ([]held, error) {
	askers := make([]*asker, len(takers))
	for i, taker := range takers {
		askers[i] = &asker{taker: taker, done: make(chan struct{})}
	}
	c := d.at(key)
	d.mu.Lock()
	c.waiting = append(c.waiting, askers...)
	serve := !c.serving
	c.serving = true
	d.mu.Unlock()
	if serve {
		// detached: those who wait must not fail because the one who serves went away
		go d.serve(context.WithoutCancel(ctx), key, c)
	}
	if err := d.await(ctx, key, askers); err != nil {
		return nil, err
	}
	numbers := make([]held, len(askers))
	for i, a := range askers {
		if a.err != nil {
			return nil, &Failed{Index: i, Err: a.err}
		}
		numbers[i] = a.held
	}
	return numbers, nil
}

// await waits until all are served, unless ctx ends.
func (d *dispenser) await(ctx context.Context, key numbering.Key, askers []*asker) error {
	for i, a := range askers {
		select {
		case <-a.done:
		case <-ctx.Done():
			go func() { // their numbers stay pending until a repeat or a clean-up
				for _, a := range askers[i:] {
					<-a.done
				}
				d.doubt(key)
			}()
			return ctx.Err()
		}
	}
	return nil
}

func (d *dispenser) serve(ctx context.Context, key numbering.Key, c *counter) {
	for {
		d.mu.Lock()
		n := min(len(c.waiting), numbering.TakersMax)
		group := c.waiting[:n:n]
		c.waiting = c.waiting[n:]
		confirm := c.issued[:min(len(c.issued), numbering.IssuedMax)]
		c.issued = c.issued[len(confirm):]
		if n == 0 {
			c.serving = false
			c.issued = append(confirm, c.issued...)
			d.mu.Unlock()
			return
		}
		d.mu.Unlock()
		if err := d.takeAll(ctx, key, group, confirm); err != nil {
			d.mu.Lock()
			c.issued = append(c.issued, confirm...)
			d.mu.Unlock()
			for _, a := range group {
				a.err = err
			}
		}
		for _, a := range group {
			close(a.done)
		}
	}
}

func (d *dispenser) takeAll(ctx context.Context, key numbering.Key, group []*asker, confirm []int) error {
	c := numbering.TakeNumbers{Key: key, Issued: confirm}
	for _, a := range group {
		c.For = append(c.For, a.taker)
	}
	if _, err := eventstore.Run(ctx, d.handler, serieses, numbering.Command(c), internal("take numbers")); err != nil {
		return err
	}
	return eventstore.View(ctx, d.handler, serieses, key.Stream(), func(s *numbering.State, _ eventstore.Version) error {
		for _, a := range group {
			n, token, ok := s.Held(a.taker)
			if !ok { // another process took it for stale already
				a.err = account.ErrNumberForfeited.With("for %s in %s", a.taker.Invoice, key.Stream())
				continue
			}
			a.held = held{text: key.Number(n), token: token, key: key, n: n}
		}
		return nil
	})
}
