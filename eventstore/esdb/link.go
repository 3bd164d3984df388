package esdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/metadata"

	"github.com/urikake/urikake/eventstore"
)

// link supervises the client. A client whose discovery has failed once stays dead for ever, hangs callers while it
// connects whatever their ctx says, and panics when it is closed amid their calls. So a client is given to callers only
// once it has connected; what they ask runs on goroutines of its own, under timeouts of its own, where a panic is an
// error; a client that has lost its server is taken from them at once and closed when the last has left it.
type link struct {
	config esdb.Configuration
	shown  string
	times  Times
	log    *slog.Logger
	greet  func(context.Context, *esdb.Client) error // what is asked of a new connection before anybody gets it

	mu      sync.Mutex
	now     *connection   // nil: there is none
	lost    time.Time     // since when
	why     error         // of the last attempt to connect; nil: none has failed since
	over    error         // why there will be none any more
	changed chan struct{} // closed, and replaced, when any of these changes

	doubts  chan *connection // those that are to be tried out
	ctx     context.Context  // of everything that is done with the server; ends when the link is closed
	cancel  context.CancelFunc
	stopped chan struct{} // closed when keep has ended

	retiring sync.WaitGroup
}

// connection is a client that has connected.
type connection struct {
	client   *esdb.Client
	users    sync.WaitGroup
	entering sync.RWMutex // held to read by calls that have not got the client's own connection yet
	since    time.Time
}

// enter counts a user in; entered is to be called when the client has taken his call, and may be called again.
func (c *connection) enter() (entered func()) {
	c.users.Add(1)
	c.entering.RLock()
	return sync.OnceFunc(c.entering.RUnlock)
}

// wait returns when those are in who were on their way.
func (c *connection) wait() {
	c.entering.Lock()
	defer c.entering.Unlock()
}

// entry is a call's ctx. The client asks it for its deadline right after it has got its own connection.
type entry struct {
	context.Context
	entered func()
}

func (e entry) Deadline() (time.Time, bool) {
	e.entered()
	return e.Context.Deadline()
}

func newLink(address Address, times Times, log *slog.Logger, greet func(context.Context, *esdb.Client) error) *link {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	l := &link{
		config: address.config, shown: address.String(), times: times, log: log.With("log", address.String()), greet: greet,
		lost: time.Now(), changed: make(chan struct{}), doubts: make(chan *connection, 1), stopped: make(chan struct{}),
	}
	l.config.MaxDiscoverAttempts = 1 // attempts are ours
	l.config.DiscoveryInterval = 1
	l.config.GossipTimeout = max(1, min(l.config.GossipTimeout, int(times.Call/time.Second)/2))
	l.ctx, l.cancel = context.WithCancel(context.Background())
	go l.keep()
	return l
}

// listenTo is what a client tells, which is kept from the console. It tells of Unavailable before it makes up its mind to
// connect anew at the next call, which would leave its old connection open for ever, and callers hanging if that fails.
// So by then nobody must be able to call it any more.
func (l *link) listenTo(c *connection) esdb.LoggingFunc {
	return func(level esdb.LogLevel, format string, args ...any) {
		l.log.Debug("client: "+fmt.Sprintf(format, args...), "level", level)
		for _, arg := range args {
			if err, ok := arg.(error); ok && level == esdb.LogError && codeOf(err) == esdb.ErrorUnavailable {
				l.lose(c, err)
				c.wait()
			}
		}
	}
}

// keep connects, and again whenever the connection is lost, until the link is closed or the log is another one.
func (l *link) keep() {
	defer close(l.stopped)
	for rest := l.times.Rest; ; rest = min(2*rest, l.times.Rests) {
		c, err := l.connect()
		switch {
		case l.ctx.Err() != nil:
			l.retire(c)
			l.end(errClosed)
			return
		case errors.Is(err, ErrOtherLog):
			l.end(err)
			return
		case err != nil:
			l.failed(err)
		default:
			l.log.Info("connected to EventStoreDB")
			l.publish(c)
			l.watch(c)
			l.retire(c)
			if time.Since(c.since) > l.times.Rests {
				rest = l.times.Rest
			}
		}
		select {
		case <-time.After(rest):
		case <-l.ctx.Done():
		}
	}
}

// connect makes a client and lets it connect.
func (l *link) connect() (*connection, error) {
	c := &connection{since: time.Now()}
	config := l.config
	config.Logger = l.listenTo(c)
	var err error
	if c.client, err = esdb.NewClient(&config); err != nil {
		return nil, err
	}
	_, err = within(l.ctx, l, c, c.enter(), func(ctx context.Context, client *esdb.Client) (struct{}, error) {
		_, err := client.GetServerVersion() // connects
		if err == nil {
			err = l.greet(ctx, client)
		}
		return struct{}{}, err
	})
	if err != nil {
		l.retire(c)
		return nil, err
	}
	return c, nil
}

// retire closes the client once nobody uses it any more; closing it amid a call would let that panic.
func (l *link) retire(c *connection) {
	if c != nil {
		l.retiring.Go(func() {
			c.users.Wait()
			c.client.Close()
		})
	}
}

// watch returns when the connection is lost or the link closed. A doubted one is tried out.
func (l *link) watch(c *connection) {
	for {
		_, changed := l.look(c)
		select {
		case <-l.ctx.Done():
			l.lose(c, errClosed)
			return
		case <-changed:
			if is, _ := l.look(c); !is {
				return
			}
		case doubted := <-l.doubts:
			if doubted != c {
				continue
			}
			if entered := l.enter(c); entered != nil {
				if _, err := within(l.ctx, l, c, entered, alive); err != nil {
					l.lose(c, err)
					return
				}
			}
		}
	}
}

// alive asks for as little as can be asked.
func alive(ctx context.Context, client *esdb.Client) (answer, error) {
	return collect(ctx, 1, func(ctx context.Context) (*esdb.ReadStream, error) {
		return client.ReadAll(ctx, esdb.ReadAllOptions{Direction: esdb.Backwards, From: esdb.End{}}, 1)
	})
}

// look tells whether a connection is the one that callers get.
func (l *link) look(c *connection) (is bool, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now == c, l.changed
}

// enter enters a connection if it is the one that callers get.
func (l *link) enter(c *connection) (entered func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now != c {
		return nil
	}
	return c.enter()
}

func (l *link) change(to func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	to()
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *link) publish(c *connection) { l.change(func() { l.now, l.why = c, nil }) }

func (l *link) end(why error) { l.change(func() { l.over = why }) }

func (l *link) failed(why error) {
	l.log.Warn("EventStoreDB can't be reached", "error", told(why))
	l.change(func() { l.why = why })
}

// lose takes a connection from the callers.
func (l *link) lose(c *connection, why error) {
	if is, _ := l.look(c); is {
		l.log.Warn("the connection to EventStoreDB is lost", "error", told(why))
		l.change(func() {
			if l.now == c {
				l.now, l.lost, l.why = nil, time.Now(), nil
			}
		})
	}
}

// up is the connection, once there is one: its user has to leave it. While the cluster is away for longer than a blip it
// refuses at once.
func (l *link) up(ctx context.Context) (c *connection, entered func(), err error) {
	for {
		l.mu.Lock()
		c, lost, why, over, changed := l.now, l.lost, l.why, l.over, l.changed
		if c != nil {
			entered = c.enter()
		}
		l.mu.Unlock()
		switch {
		case c != nil:
			return c, entered, nil
		case over != nil:
			return nil, nil, over
		case ctx.Err() != nil:
			return nil, nil, ctx.Err()
		case why != nil && time.Since(lost) >= l.times.Blip:
			return nil, nil, eventstore.ErrUnavailable.With("%s: %s", l.shown, told(why))
		}
		blip := time.NewTimer(max(l.times.Blip-time.Since(lost), l.times.Rest))
		select {
		case <-changed:
		case <-blip.C:
		case <-ctx.Done():
		case <-l.ctx.Done():
			blip.Stop()
			return nil, nil, errClosed
		}
		blip.Stop()
	}
}

// ask asks the server something on the connection that there is. Errors are ctx's, or the client's, or ours.
func ask[T any](ctx context.Context, l *link, work func(context.Context, *esdb.Client) (T, error)) (T, error) {
	c, entered, err := l.up(ctx)
	if err != nil {
		var none T
		return none, err
	}
	return within(ctx, l, c, entered, work)
}

// errSlow is what a question comes to that has no answer in time.
var errSlow = errors.New("no answer in time")

// within works with a client under a timeout of its own, whether the client minds it or not, and judges what comes of it.
// Its caller has entered.
func within[T any](ctx context.Context, l *link, c *connection, entered func(), work func(context.Context, *esdb.Client) (T, error)) (T, error) {
	inner, cancel := context.WithTimeout(ctx, l.times.Call)
	defer cancel()
	stop := context.AfterFunc(l.ctx, cancel)
	defer stop()
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		defer c.users.Done()
		defer entered()
		var r result
		defer func() {
			if e := recover(); e != nil { // such as that it was closed, or that a trailer is missing
				r.err = fmt.Errorf("%w: %v", errPanic, e)
			}
			done <- r
		}()
		r.value, r.err = work(entry{leaderOnly(inner), entered}, c.client)
	}()
	var none T
	select {
	case r := <-done:
		if r.err == nil {
			return r.value, nil
		}
		switch {
		case ctx.Err() != nil:
			return none, ctx.Err()
		case l.ctx.Err() != nil:
			return none, errClosed
		case inner.Err() != nil:
			l.doubt(c)
			return none, errSlow
		case isLost(r.err):
			l.lose(c, r.err)
		}
		return none, r.err
	case <-inner.Done():
		switch {
		case ctx.Err() != nil:
			return none, ctx.Err()
		case l.ctx.Err() != nil:
			return none, errClosed
		}
		l.doubt(c)
		return none, errSlow
	}
}

// leaderOnly asks for the leader, who alone knows all that was acknowledged; another node says who leads. (The client's own
// RequiresLeader never reaches the wire.)
func leaderOnly(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "requires-leader", "true")
}

// doubt lets a connection be tried out, one at a time.
func (l *link) doubt(c *connection) {
	select {
	case l.doubts <- c:
	default:
	}
}

// close ends everything; callers are refused from now on.
func (l *link) close() {
	l.cancel()
	<-l.stopped
	l.retiring.Wait()
}
