package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/eventstore"
)

const (
	feedReadersMax = 1000      // readers of the feed at the same time, followers or not
	feedRingMax    = 16 << 20  // bytes of the newest events, in both forms, that all followers share
	feedChunkMax   = 64 << 10  // bytes that a follower writes at once
	feedPageMax    = 128 << 10 // bytes that a reader who is behind reads from the log at once
	feedPageEvents = 256       // and events: what the log reads at once
	feedPagesMax   = 2         // pages that are being read at the same time: commands need the log's readers too

	feedNap  = 10 * time.Millisecond // the tail of the log is read so often at most
	feedPace = 25 * time.Millisecond // and a follower writes so often
	feedBeat = 15 * time.Second      // a follower who gets nothing for so long gets a sign of life
	feedWait = 30 * time.Second      // a client that takes nothing for so long has gone
)

// erasedKind says that a person's data was erased.
var erasedKind = customer.Erased{}.Kind()

var (
	ErrTooManyFollowers = &domain.Error{
		Code: domain.Unavailable, Rule: "feed.too_many_followers",
		Text: "too many clients read the events at the same time; try again later",
	}
	ErrFeedClosed = &domain.Error{
		Code: domain.Unavailable, Rule: "feed.closed",
		Text: "the server is about to end and nobody can follow the events any more; try again later",
	}

	// ErrFeedCut is in the chain of an error that came after a part of the answer was sent.
	ErrFeedCut = errors.New("the feed was cut off")

	errFeedOver = errors.New("the feed is over")
)

// Feed gives the log's events to many clients over HTTP: a part of the log that ends at its head, or on and on as they
// are recorded. Each event is sent to a client once, in the log's order, whether it was old or new when he came.
//
// The tail of the log is read, and each event of it encoded, once for all followers; the newest stand in a ring. A
// follower who is behind the ring reads the log himself until he is in it. Nobody waits for a client but his own
// goroutine, and what one client takes of memory is bounded: 128 KiB and one event. An event reaches the followers
// within about 40 ms. When nobody follows the log isn't read.
type Feed struct {
	store   eventstore.Store
	foreign func(stream string) bool                               // what is passed over; nil: nothing
	clear   func(eventstore.Recorded) (eventstore.Recorded, error) // opens what is sealed; nil: nothing is
	ring    *feedRing
	pages   chan struct{} // filled by those who read a page
	open    atomic.Int64  // readers
	turns   atomic.Uint64
	start   time.Time

	readersMax int64
	beat, wait time.Duration
}

// NewFeed makes the feed of a log. Followers get what is new while Run runs.
func NewFeed(store eventstore.Store) *Feed {
	return &Feed{
		store: store,
		ring:  newFeedRing(feedRingMax, feedChunkMax),
		pages: make(chan struct{}, feedPagesMax),
		start: time.Now(), readersMax: feedReadersMax,
		beat: feedBeat, wait: feedWait,
	}
}

// PassOver leaves streams out that are somebody else's and may hold anything. It must be called before the feed is used.
func (f *Feed) PassOver(foreign func(stream string) bool) *Feed {
	f.foreign = foreign
	return f
}

// Clear opens what is sealed in the events, for all who don't ask for them as they stand in the log.
func (f *Feed) Clear(clear func(eventstore.Recorded) (eventstore.Recorded, error)) *Feed {
	f.clear = clear
	return f
}

// shown is an event as a client gets it.
func (f *Feed) shown(r eventstore.Recorded, sealed bool) (eventstore.Recorded, error) {
	if f.clear == nil || sealed {
		return r, nil
	}
	return f.clear(r)
}

func (f *Feed) passes(stream string) bool { return f.foreign != nil && f.foreign(stream) }

// Run reads the tail of the log for the followers until ctx ends: it then lets them finish, and returns nil. When the
// log can't be read, every follower is cut off and Run returns why; nobody can follow until it is called again (one call
// at a time). End it before the server is shut down, which waits for the followers, and before the log is closed.
func (f *Feed) Run(ctx context.Context) error {
	f.ring.end(nil)
	err := f.run(ctx)
	if ctx.Err() != nil {
		f.ring.end(errFeedOver)
		return nil
	}
	f.ring.end(err)
	return err
}

func (f *Feed) run(ctx context.Context) error {
	for {
		for !f.ring.followed() {
			select {
			case <-f.ring.joined:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		head, err := f.store.Head(ctx)
		if err != nil {
			return err
		}
		f.ring.reset(head)
		if err := f.tail(ctx, head); err != nil {
			return err
		}
	}
}

// tail fills the ring with what comes after a position, for as long as somebody follows.
func (f *Feed) tail(ctx context.Context, after eventstore.Position) error {
	for r, err := range f.store.Follow(ctx, after) {
		if err != nil {
			return err
		}
		if r.Kind == erasedKind {
			f.ring.reset(r.Position - 1) // in it the name stands in clear
		}
		if r, err = f.shown(r, false); err != nil {
			return err
		}
		if !f.passes(r.Stream) {
			if followed, err := f.ring.add(r); err != nil || !followed {
				return err
			}
		}
		if err := f.nap(ctx, r.Position); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// nap rests at the log's head, so that events which are recorded one by one are read some at a time.
func (f *Feed) nap(ctx context.Context, at eventstore.Position) error {
	head, err := f.store.Head(ctx)
	if err != nil || at < head {
		return err
	}
	select {
	case <-time.After(feedNap):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Serve answers a request with the events that q wants. Without q.Follow these are all up to the head at the call; with
// it the feed goes on until q.Limit is reached, ctx or Run ends, the client goes or takes nothing for 30 seconds.
//
// A nil error means that the answer is complete, as far as it can be. An error with ErrFeedCut in its chain came when a
// part was sent already: the caller must then end the connection with panic(http.ErrAbortHandler), or else the part
// would look like the whole. Any other error came before anything was sent and can be answered like every refusal:
// feed.too_many_followers, feed.closed, and what the log refuses with.
//
// w must be able to flush and to set a deadline. Nothing between Serve and the net may hold bytes back (a compressor).
func (f *Feed) Serve(ctx context.Context, q FeedQuery, form FeedForm, w http.ResponseWriter) error {
	defer f.open.Add(-1)
	if f.open.Add(1) > f.readersMax {
		return ErrTooManyFollowers.With("%d at most", f.readersMax)
	}
	c := f.client(q, form, w)
	serve := c.read
	if q.Follow {
		serve = c.follow
	}
	err := serve(ctx)
	if err == nil {
		err = c.finish(ctx)
	}
	noteOf(ctx).position = c.after
	if err != nil && c.begun {
		return fmt.Errorf("%w after position %d: %w", ErrFeedCut, c.after, err)
	}
	return err
}
