package esdb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/urikake/urikake/eventstore"
)

const (
	followWindow = 512 // events that the server looks through before it tells how far it is
	followAhead  = 256 // events that wait here for a slow reader; the others wait at the server
)

// Follow subscribes to the ledger's streams in $all. A subscription that ends, for whatever reason, is begun again after
// the last event that was yielded; one that says nothing although the log goes on, too. After a position at which no
// event stands it begins at a place before, as near as one is known, and passes over what lies between.
func (s *Store) Follow(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		f := follower{store: s, at: after, yield: yield}
		if err := f.run(ctx); err != nil && !errors.Is(err, errLeft) {
			yield(eventstore.Recorded{}, err)
		}
	}
}

// errLeft ends a follower whose loop was left.
var errLeft = errors.New("the loop was left")

type follower struct {
	store *Store
	at    eventstore.Position // everything up to here was yielded, or is not wanted
	from  esdb.AllPosition    // where the next subscription begins, exclusive
	yield func(eventstore.Recorded, error) bool
	heard bool // something came since the last attempt
}

// run goes on until an error that another attempt would not change, or attempts bring nothing for as long as a call may take.
func (f *follower) run(ctx context.Context) error {
	if err := f.begin(ctx); err != nil {
		return err
	}
	times := f.store.times
	rest, failing := times.Rest, time.Time{}
	for {
		f.heard = false
		began := time.Now()
		err := f.listen(ctx)
		switch {
		case errors.Is(err, errLeft):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case f.heard || time.Since(began) > times.Call:
			rest, failing = times.Rest, time.Time{}
		}
		if failing.IsZero() {
			failing = time.Now()
		}
		if isFinal(err) || time.Since(failing) > times.Call {
			return f.store.refusal(err)
		}
		select {
		case <-time.After(rest):
		case <-ctx.Done():
		}
		rest = min(2*rest, times.Rests)
	}
}

// begin finds where the first subscription begins.
func (f *follower) begin(ctx context.Context) error {
	f.from = esdb.Start{} // nil would be the end
	if f.at == 0 {
		return ctx.Err()
	}
	at := f.store.seen.before(f.at)
	if head, _ := f.store.seen.get(); head == f.at {
		at = head
	}
	if at < f.at {
		e, err := f.store.lookAt(ctx, f.at)
		if err != nil {
			return err
		}
		if e != nil {
			at = f.at
		}
	}
	if at < f.at { // just before an event is asked for more often than anything else
		e, err := f.store.lookAt(ctx, f.at+1)
		if err != nil {
			return err
		}
		if e != nil {
			return f.take(e)
		}
	}
	if at < f.at {
		head, err := f.store.Head(ctx)
		if err != nil {
			return err
		}
		if head < f.at {
			at = head
		}
	}
	if at > 0 {
		f.from = esdb.Position{Commit: uint64(at), Prepare: uint64(at)}
	}
	return ctx.Err()
}

// lookAt is the event at exactly that position, nil if none stands there.
func (s *Store) lookAt(ctx context.Context, at eventstore.Position) (*esdb.RecordedEvent, error) {
	return persist(ctx, s, func() (*esdb.RecordedEvent, error) {
		return ask(ctx, s.link, func(ctx context.Context, client *esdb.Client) (*esdb.RecordedEvent, error) {
			return eventAt(ctx, client, at)
		})
	})
}

// listen subscribes and takes what comes.
func (f *follower) listen(ctx context.Context) error {
	life, end := context.WithCancel(ctx)
	var pumping sync.WaitGroup
	defer pumping.Wait()
	defer end()
	defer context.AfterFunc(f.store.link.ctx, end)()
	subscription, err := f.subscribe(life)
	if err != nil {
		return err
	}
	coming := make(chan *esdb.SubscriptionEvent, followAhead)
	pumping.Go(func() { pump(life, subscription, coming) })
	poll := time.NewTimer(f.store.times.Poll)
	defer poll.Stop()
	awaited := eventstore.Position(0) // should have come by the next poll
	for {
		select {
		case e := <-coming:
			if err := f.hear(ctx, e); err != nil {
				return err
			}
			poll.Reset(f.store.times.Poll)
		case <-poll.C:
			if awaited > f.at && len(coming) == 0 {
				return errDeaf
			}
			if head, err := f.store.Head(ctx); err == nil {
				awaited = head
			}
			poll.Reset(f.store.times.Poll)
		case <-life.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return errClosed
		}
	}
}

// errDeaf is a subscription's that says nothing.
var errDeaf = errors.New("the subscription has missed events")

// subscribe begins a subscription that lasts as long as life.
func (f *follower) subscribe(life context.Context) (*esdb.Subscription, error) {
	options := esdb.SubscribeToAllOptions{
		From: f.from, MaxSearchWindow: followWindow, CheckpointInterval: 1,
		Filter: &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: f.store.categories},
	}
	if len(f.store.categories) == 1 && f.store.categories[0] == "" {
		options.Filter = esdb.ExcludeSystemEventsFilter()
	}
	return ask(life, f.store.link, func(ctx context.Context, client *esdb.Client) (*esdb.Subscription, error) {
		return client.SubscribeToAll(lasting(ctx, life), options)
	})
}

// lasting is a call's entry that goes on after the call.
func lasting(call, life context.Context) context.Context {
	e, _ := call.(entry)
	return entry{leaderOnly(life), e.entered}
}

// pump takes from the server what comes, until the subscription ends.
func pump(life context.Context, subscription *esdb.Subscription, coming chan<- *esdb.SubscriptionEvent) {
	defer subscription.Close()
	for {
		e := receive(subscription)
		select {
		case coming <- e:
		case <-life.Done():
			return
		}
		if e.SubscriptionDropped != nil {
			return
		}
	}
}

// receive makes an error of a panic of the client.
func receive(subscription *esdb.Subscription) (e *esdb.SubscriptionEvent) {
	defer func() {
		if p := recover(); p != nil {
			e = &esdb.SubscriptionEvent{SubscriptionDropped: &esdb.SubscriptionDropped{Error: fmt.Errorf("%w: %v", errPanic, p)}}
		}
	}()
	return subscription.Recv()
}

// hear takes one thing that the server says.
func (f *follower) hear(ctx context.Context, e *esdb.SubscriptionEvent) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case e.SubscriptionDropped != nil:
		return e.SubscriptionDropped.Error
	case e.EventAppeared != nil:
		f.heard = true
		return f.take(e.EventAppeared.OriginalEvent())
	case e.CheckPointReached != nil:
		f.heard = true
		f.from = *e.CheckPointReached
	}
	return nil
}

// take yields an event, if it is the ledger's and was not yielded before.
func (f *follower) take(e *esdb.RecordedEvent) error {
	f.from = e.Position
	stream, own := f.store.own(e.StreamID)
	at := eventstore.Position(e.Position.Commit)
	if !own || at <= f.at {
		return nil
	}
	f.at = at
	f.store.seen.remember(at, e.EventID)
	f.store.saw(at, e.EventID)
	if !f.yield(recorded(stream, e), nil) {
		return errLeft
	}
	return nil
}
