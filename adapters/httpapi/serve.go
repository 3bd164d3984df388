package httpapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/net/netutil"

	"github.com/urikake/urikake/domain"
)

// ErrBodyTooSlow is what reading a request's body gives when it has not come whole in time.
var ErrBodyTooSlow = &domain.Error{
	Code: domain.Invalid, Rule: "server.body_too_slow",
	Text: "the request's body did not come in time; send it again over a better connection, or in parts",
}

// ServeConfig says how to serve. A zero value takes the default beside it.
type ServeConfig struct {
	Listener net.Listener // of plain TCP; Serve closes it
	Handler  http.Handler
	Logger   *slog.Logger // of what goes wrong with connections

	Notice time.Duration // 500 ms: how long requests are still accepted after the server has become unready
	Drain  time.Duration // 20 s: how long accepted requests may take to finish

	HeaderTime time.Duration // 10 s for a request's header
	BodyTime   time.Duration // 30 s for its body: 2 MiB come at 70 KiB a second
	StallTime  time.Duration // 30 s: a client that takes nothing of its answer for so long is cut off
	IdleTime   time.Duration // 1 min: how long a connection may wait for its next request

	ConnectionsMax int // 4096; more wait to be accepted
}

const (
	headerBytesMax = 32 << 10
	cutWait        = 5 * time.Second // for handlers whose connections were cut
	sendBuffer     = 128 << 10       // bytes of an answer that the system keeps for each connection
)

func (c ServeConfig) withDefaults() ServeConfig {
	c.Notice, c.Drain = cmp.Or(c.Notice, 500*time.Millisecond), cmp.Or(c.Drain, 20*time.Second)
	c.HeaderTime, c.BodyTime = cmp.Or(c.HeaderTime, 10*time.Second), cmp.Or(c.BodyTime, 30*time.Second)
	c.StallTime, c.IdleTime = cmp.Or(c.StallTime, 30*time.Second), cmp.Or(c.IdleTime, time.Minute)
	c.ConnectionsMax = cmp.Or(c.ConnectionsMax, 4096)
	c.Logger = cmp.Or(c.Logger, slog.Default())
	return c
}

// Serve answers requests until ctx ends, and then shuts down: Draining rings, which makes the server unready and tells
// feeds to end; after Notice nothing more is accepted; requests that were have until Drain to finish; what is left is
// cut off, with its context, and counted in the error. No handler works any more when Serve returns, unless it ignores
// its context.
//
// Answers may take as long as they like, as long as the client goes on reading them.
func Serve(ctx context.Context, c ServeConfig) error {
	c = c.withDefaults()
	base, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	d := &desk{config: c, draining: make(chan struct{})}
	base = context.WithValue(base, drainingKey{}, d.draining)
	server := &http.Server{
		Handler: d, BaseContext: func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: c.HeaderTime, ReadTimeout: c.HeaderTime + c.BodyTime, IdleTimeout: c.IdleTime, // none for the answer
		MaxHeaderBytes: headerBytesMax,
		ErrorLog:       slog.NewLogLogger(c.Logger.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() {
		served <- server.Serve(netutil.LimitListener(patientListener{c.Listener, c.StallTime}, c.ConnectionsMax))
	}()
	var failed error
	select {
	case failed = <-served:
	case <-ctx.Done():
	}
	close(d.draining)
	if failed == nil {
		select {
		case failed = <-served:
		case <-time.After(c.Notice):
		}
	}
	return errors.Join(failed, d.drain(server, cut))
}

// drain lets what was accepted finish, and cuts off what does not.
func (d *desk) drain(server *http.Server, cut context.CancelFunc) error {
	ctx, cancel := context.WithTimeout(context.Background(), d.config.Drain)
	defer cancel()
	if server.Shutdown(ctx) == nil && d.empty(time.Second) {
		return nil
	}
	left := d.count()
	cut()
	err := server.Close()
	if !d.empty(cutWait) {
		return errors.Join(err, fmt.Errorf("shutdown: %d requests were still under way after %s and do not end", d.count(), d.config.Drain))
	}
	if left > 0 {
		return errors.Join(err, fmt.Errorf("shutdown: %d requests were still under way after %s and were cut off", left, d.config.Drain))
	}
	return err
}

type drainingKey struct{}

// Draining rings when the server begins to shut down: whoever answers without end ends then. ctx is a request's; of any
// other it never rings.
func Draining(ctx context.Context) <-chan struct{} {
	draining, _ := ctx.Value(drainingKey{}).(chan struct{})
	return draining
}

// desk is where requests come in, and are counted.
type desk struct {
	config   ServeConfig
	draining chan struct{}
	mu       sync.Mutex
	working  int
	left     chan struct{} // closed when the last one ends; nil: nobody waits
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.enter()
	defer d.leave()
	select {
	case <-d.draining:
		w.Header().Set("Connection", "close") // so that no request is on its way when idle connections are closed
	default:
	}
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = timedBody{r.Body}
	}
	d.config.Handler.ServeHTTP(w, r)
}

func (d *desk) enter() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.working++
}

func (d *desk) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.working--
	if d.working == 0 && d.left != nil {
		close(d.left)
		d.left = nil
	}
}

func (d *desk) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.working
}

// empty waits until nobody is left.
func (d *desk) empty(most time.Duration) bool {
	d.mu.Lock()
	if d.working == 0 {
		d.mu.Unlock()
		return true
	}
	d.left = make(chan struct{})
	left := d.left
	d.mu.Unlock()
	select {
	case <-left:
		return true
	case <-time.After(most):
		return false
	}
}

// timedBody names the refusal when the server's deadline for the body has passed.
type timedBody struct{ io.ReadCloser }

func (b timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = ErrBodyTooSlow
	}
	return n, err
}

// patientListener makes connections whose writes last as long as the client goes on reading.
type patientListener struct {
	net.Listener
	stall time.Duration
}

func (l patientListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.(interface{ SetWriteBuffer(bytes int) error }); ok {
		_ = tcp.SetWriteBuffer(sendBuffer) // of a larger one, a slow reader empties too little in time to be noticed
	}
	return &patientConn{conn, l.stall}, nil
}

type patientConn struct {
	net.Conn
	stall time.Duration
}

// Write fails once nothing at all could be sent for the stall time.
func (c *patientConn) Write(b []byte) (int, error) {
	sent := 0
	for {
		if err := c.SetWriteDeadline(time.Now().Add(c.stall)); err != nil {
			return sent, err
		}
		n, err := c.Conn.Write(b[sent:])
		sent += n
		if n == 0 || sent == len(b) || !errors.Is(err, os.ErrDeadlineExceeded) {
			return sent, err
		}
	}
}
