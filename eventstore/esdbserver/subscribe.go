package esdbserver

import (
	"context"
	"math"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"

	"github.com/urikake/urikake/eventstore"
)

// behindMax is how many events of the log a subscription may be behind before its client is told that it fell behind.
const behindMax = 4096

// subscribe sends what is in the log and what comes, until the client goes or the server ends. The client takes
// events at his own pace: what he has not taken yet is read later.
func (r *reading) subscribe(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-r.ending:
			cancel(errEnding)
		case <-ctx.Done():
		}
	}()
	err := r.out.Send(&streams.ReadResp{Content: &streams.ReadResp_Confirmation{
		Confirmation: &streams.ReadResp_SubscriptionConfirmation{SubscriptionId: uuid.NewString()},
	}})
	if err != nil {
		return err
	}
	if r.stream != "" {
		err = r.followStream(ctx)
	} else {
		err = r.followAll(ctx)
	}
	if context.Cause(ctx) == errEnding {
		return errEnding
	}
	return err
}

// followStream sends a stream's events after a revision.
func (r *reading) followStream(ctx context.Context) error {
	head, err := r.store.Head(ctx)
	if err != nil {
		return err
	}
	after, err := r.streamStart(ctx)
	if err != nil {
		return err
	}
	hidden, err := settingsOf(ctx, r.store, r.stream, time.Now())
	if err != nil {
		return err
	}
	for e, err := range r.store.Read(ctx, r.stream, after) {
		if err == nil && !hidden.hides(&e) {
			err = r.send(&e)
		}
		if err != nil {
			return err
		}
		after = e.Version
	}
	t := tail{reading: r, ctx: ctx, at: head}
	return t.follow(func(e *eventstore.Recorded) error {
		if e.Stream != r.stream || e.Version <= after {
			return nil
		}
		after = e.Version
		return r.send(e)
	})
}

// streamStart is the version after which a subscription to a stream begins.
func (r *reading) streamStart(ctx context.Context) (eventstore.Version, error) {
	switch r.place {
	case atStart:
		return 0, nil
	case atEnd:
		return lastVersion(ctx, r.store, r.stream)
	default:
		return version(r.from), nil
	}
}

// followAll sends the log's events after a position, and checkpoints where a filter passes some over.
func (r *reading) followAll(ctx context.Context) error {
	at := eventstore.Position(r.from)
	if r.place == atEnd {
		head, err := r.store.Head(ctx)
		if err != nil {
			return err
		}
		at = head
	}
	t := tail{reading: r, ctx: ctx, at: at}
	if r.filter != nil {
		t.checkpoints, t.interval, t.noted = true, r.filter.interval, at
	}
	return t.follow(func(e *eventstore.Recorded) error {
		if !r.caller.sees(e.Stream) || !r.filter.wants(e) {
			return nil
		}
		return r.send(e)
	})
}

// tail goes along the log and tells the client when he is at its end.
type tail struct {
	*reading
	ctx  context.Context
	at   eventstore.Position // everything up to this one was looked at
	live bool                // the client was told that he is at the end
	head eventstore.Position // where the end was at the last look

	checkpoints bool
	interval    uint64
	considered  uint64              // events since the last checkpoint
	noted       eventstore.Position // of the last checkpoint
}

func (t *tail) follow(each func(*eventstore.Recorded) error) error {
	if err := t.arrive(); err != nil {
		return err
	}
	for e, err := range t.store.Follow(t.ctx, t.at) {
		if err != nil {
			return err
		}
		if err := each(&e); err != nil {
			return err
		}
		t.at = e.Position
		if t.considered++; t.considered >= t.interval {
			if err := t.checkpoint(); err != nil {
				return err
			}
		}
		if err := t.arrive(); err != nil {
			return err
		}
	}
	return t.ctx.Err()
}

// arrive looks whether the end is reached, or has gone far away.
func (t *tail) arrive() (err error) {
	if t.at < t.head && !t.live {
		return nil
	}
	if t.head, err = t.store.Head(t.ctx); err != nil {
		return err
	}
	switch {
	case !t.live && t.at >= t.head:
		t.live = true
		if err := t.checkpoint(); err != nil {
			return err
		}
		return t.out.Send(&streams.ReadResp{Content: &streams.ReadResp_CaughtUp_{CaughtUp: &streams.ReadResp_CaughtUp{}}})
	case t.live && t.at < t.head && t.head-t.at > behindMax:
		t.live = false
		return t.out.Send(&streams.ReadResp{Content: &streams.ReadResp_FellBehind_{FellBehind: &streams.ReadResp_FellBehind{}}})
	}
	return nil
}

// checkpoint tells a client whose filter passes events over how far they were looked at; never twice the same.
func (t *tail) checkpoint() error {
	t.considered = 0
	if !t.checkpoints || t.at <= t.noted || t.at >= math.MaxInt64 {
		return nil
	}
	t.noted = t.at
	return t.out.Send(&streams.ReadResp{Content: &streams.ReadResp_Checkpoint_{Checkpoint: &streams.ReadResp_Checkpoint{
		CommitPosition: uint64(t.at), PreparePosition: uint64(t.at),
	}}})
}
