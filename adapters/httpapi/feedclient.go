package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/urikake/urikake/eventstore"
)

// feedClient is one reader of the feed and how far he is.
type feedClient struct {
	feed  *Feed
	query FeedQuery
	form  FeedForm
	w     http.ResponseWriter
	conn  *http.ResponseController

	after eventstore.Position // everything up to this one was looked at, and sent if it is wanted
	left  int                 // events until the limit, where there is one
	turn  time.Duration       // his place in the pace
	begun bool                // the headers were sent
	wrote time.Duration       // when he got something for the last time
	buf   []byte
}

func (f *Feed) client(q FeedQuery, form FeedForm, w http.ResponseWriter) *feedClient {
	const golden = uint64(feedPace) * 618 / 1000 // spreads any number of clients evenly
	return &feedClient{
		feed: f, query: q, form: form, w: w, conn: http.NewResponseController(w),
		after: q.After, left: q.Limit,
		turn: time.Duration(f.turns.Add(1) * golden % uint64(feedPace)),
	}
}

// read sends what is in the log now.
func (c *feedClient) read(ctx context.Context) error {
	head, err := c.feed.store.Head(ctx)
	for err == nil && c.after < head && !c.full() {
		if err = c.page(ctx, head); err == nil && len(c.buf) > 0 {
			err = c.send(c.buf)
		}
	}
	return err
}

// follow sends what is in the log and what comes, until the client has what he wants or the feed is over.
func (c *feedClient) follow(ctx context.Context) error {
	if err := c.feed.ring.join(); err != nil {
		return err
	}
	defer c.feed.ring.leave()
	err := c.send(nil)
	for err == nil && !c.full() {
		err = c.step(ctx)
	}
	if errors.Is(err, errFeedOver) || ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// step brings a follower forward by a chunk of the ring or a page of the log, or lets him wait for either.
func (c *feedClient) step(ctx context.Context) error {
	seen, err := c.feed.ring.look(c.after)
	switch {
	case err != nil:
		return err
	case seen.bell != nil:
		return c.rest(ctx, seen.bell)
	case seen.missed > 0:
		if err := c.page(ctx, seen.missed); err != nil {
			return err
		}
		return c.alive(c.buf)
	default:
		return c.alive(c.pick(seen))
	}
}

// page reads the next events from the log, none after to; there must be some.
func (c *feedClient) page(ctx context.Context, to eventstore.Position) error {
	select {
	case c.feed.pages <- struct{}{}:
		defer func() { <-c.feed.pages }()
	case <-ctx.Done():
		return ctx.Err()
	}
	c.buf = c.buf[:0]
	var line []byte
	events := 0
	for r, err := range c.feed.store.Follow(ctx, c.after) {
		if err != nil {
			return err
		}
		if c.query.wants(r.Stream, r.Kind) && !c.feed.passes(r.Stream) {
			if line, err = AppendEventLine(line[:0], r); err != nil {
				return err
			}
			c.buf = c.form.appendFrame(c.buf, r, line)
			c.left--
		}
		c.after = r.Position
		if events++; events == feedPageEvents || len(c.buf) >= feedPageMax || r.Position >= to || c.full() {
			break
		}
	}
	return nil
}

// pick gives the wanted lines as they are sent: the ring's own bytes where all are wanted.
func (c *feedClient) pick(seen feedSight) []byte {
	body, start := seen.bodies[c.form], seen.starts[c.form]
	if c.query.all() {
		c.after = seen.lines[len(seen.lines)-1].position
		return body[start:]
	}
	c.buf = c.buf[:0]
	for _, l := range seen.lines {
		end := l.ends[c.form]
		if c.query.wants(l.stream, l.kind) {
			c.buf = append(c.buf, body[start:end]...)
			c.left--
		}
		start, c.after = end, l.position
		if c.full() {
			break
		}
	}
	return c.buf
}

// full tells whether the limit is reached.
func (c *feedClient) full() bool { return c.query.Limit > 0 && c.left <= 0 }

// rest waits for something new and for the client's turn. His turn comes first: followers of a busy log, who always
// find something new, then write one after the other over the whole pace and not all at the same moment, when the
// writers of the log would have to wait for them.
func (c *feedClient) rest(ctx context.Context, bell <-chan struct{}) error {
	if cap(c.buf) > feedChunkMax {
		c.buf = nil
	}
	if err := c.await(ctx, nil, c.untilTurn()); err != nil {
		return err
	}
	select {
	case <-bell:
		return nil
	default:
	}
	if err := c.await(ctx, bell, c.wrote+c.feed.beat-time.Since(c.feed.start)); err != nil {
		return err
	}
	if err := c.alive(nil); err != nil {
		return err
	}
	return c.await(ctx, nil, c.untilTurn())
}

func (c *feedClient) untilTurn() time.Duration {
	return feedPace - (time.Since(c.feed.start)-c.turn+feedPace)%feedPace
}

func (c *feedClient) await(ctx context.Context, bell <-chan struct{}, most time.Duration) error {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-bell:
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// alive sends b to a follower, or a sign of life when there has been nothing for him for long.
func (c *feedClient) alive(b []byte) error {
	if len(b) == 0 {
		if time.Since(c.feed.start)-c.wrote < c.feed.beat {
			return nil
		}
		b = feedBeats[c.form]
	}
	return c.send(b)
}

// send gives bytes to the client, who has feed.wait to take them, and the headers before the first.
func (c *feedClient) send(b []byte) error {
	if err := c.conn.SetWriteDeadline(time.Now().Add(c.feed.wait)); err != nil {
		return err
	}
	if !c.begun {
		c.begin()
	}
	if len(b) > 0 {
		if _, err := c.w.Write(b); err != nil {
			return err
		}
	}
	c.wrote = time.Since(c.feed.start)
	return c.conn.Flush()
}

func (c *feedClient) begin() {
	h := c.w.Header()
	h.Set("Content-Type", feedTypes[c.form])
	h.Set("Cache-Control", "no-store")
	if c.query.Follow || c.form == SSE {
		h.Set("X-Accel-Buffering", "no") // a proxy in between must not collect what should go on at once
	}
	c.w.WriteHeader(http.StatusOK)
	c.begun = true
}

// finish ends a complete answer, which has headers even if it has no events. The deadline stays for the little that the
// server itself still writes; where the server would not set another one for the next request, it is taken away.
func (c *feedClient) finish(ctx context.Context) error {
	if !c.begun {
		if err := c.send(nil); err != nil {
			return err
		}
	}
	if s, ok := ctx.Value(http.ServerContextKey).(*http.Server); ok && s.WriteTimeout > 0 {
		return nil
	}
	return c.conn.SetWriteDeadline(time.Time{})
}
