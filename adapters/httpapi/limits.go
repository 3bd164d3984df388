package httpapi

import (
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-chi/httprate"

	"github.com/urikake/urikake/domain"
)

// TooMany is a code of the HTTP API alone, answered with 429: this client asks too often, whatever it asks.
const TooMany domain.Code = "too_many"

var (
	ErrBusy = &domain.Error{
		Code: domain.Unavailable, Rule: "server.busy",
		Text: "too many requests are under way; send the same one again after a while",
	}
	ErrRateLimited = &domain.Error{
		Code: TooMany, Rule: "server.rate_limited",
		Text: "you send more requests than you may; send the same one again after a while",
	}
)

// Admission lets a bounded number of one class of requests work at the same time, and as many wait as a short queue
// has places; whoever comes then, or waits too long, is refused with server.busy and told when to come again. A
// request waits before its body is read, so it costs little memory.
type Admission struct {
	class    string
	places   chan struct{}
	queueMax int64
	waitMax  time.Duration
	refuse   refuseFunc
	waiting  atomic.Int64
	refused  atomic.Uint64
}

// Load is how many requests of a class may work at a time, how many more may wait, and how long.
type Load struct {
	WorkingMax, WaitingMax int
	WaitMax                time.Duration
}

// Loads that suit two cores. Commands share the wait for the disk, so many of them are well under way together, and
// their bodies, mostly of a few hundred bytes, are bounded by a share for each key. A read's place is taken until its client has the answer, so there are
// more of them than cores: slow clients must not keep out the quick.
var (
	CommandLoad = Load{WorkingMax: 512, WaitingMax: 2048, WaitMax: 2 * time.Second}
	ReadLoad    = Load{WorkingMax: 256, WaitingMax: 1024, WaitMax: 2 * time.Second}
)

// NewAdmission lets in one class of requests ("commands", "reads").
func NewAdmission(class string, load Load, refuse func(http.ResponseWriter, *http.Request, error)) *Admission {
	return &Admission{
		class: class, places: make(chan struct{}, load.WorkingMax), queueMax: int64(load.WaitingMax), waitMax: load.WaitMax,
		refuse: refuse,
	}
}

// Admit is the middleware.
func (a *Admission) Admit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.enter(r) {
			a.refused.Add(1)
			comeAgain(w, time.Second)
			a.refuse(w, r, ErrBusy)
			return
		}
		defer func() { <-a.places }()
		next.ServeHTTP(w, r)
	})
}

// enter takes a place. Those who wait get theirs in the order in which they came.
func (a *Admission) enter(r *http.Request) bool {
	select {
	case a.places <- struct{}{}:
		return true
	default:
	}
	if a.waiting.Add(1) > a.queueMax {
		a.waiting.Add(-1)
		return false
	}
	defer a.waiting.Add(-1)
	patience := time.NewTimer(a.waitMax)
	defer patience.Stop()
	select {
	case a.places <- struct{}{}:
		return true
	case <-patience.C:
		return false
	case <-r.Context().Done():
		return false
	}
}

// Working is how many requests are let in now.
func (a *Admission) Working() int { return len(a.places) }

// Waiting is how many wait for a place.
func (a *Admission) Waiting() int { return int(a.waiting.Load()) }

// Refused is how many were ever turned away.
func (a *Admission) Refused() uint64 { return a.refused.Load() }

func comeAgain(w http.ResponseWriter, after time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int((after+time.Second-1)/time.Second)))
}

// RateDefault is how many requests a second each key may send; it keeps a runaway script from crowding out the rest,
// and is beyond what a client does that waits for its answers.
const RateDefault = 20_000

// RateLimit bounds the requests of each key in any second. key names who asks, once that was proved; where it is empty
// the remote host counts. Every answer tells the limit, what remains of it and when it is whole again (RateLimit-Limit,
// -Remaining, -Reset), and beyond it the request is refused with server.rate_limited. No limit if perSecond is 0.
//
// What is kept is one number for each key seen in the last two seconds.
type RateLimit struct {
	limiter *httprate.RateLimiter
	key     func(*http.Request) string
	refuse  refuseFunc
	refused atomic.Uint64
}

// NewRateLimit starts with nobody counted.
func NewRateLimit(perSecond int, key func(*http.Request) string, refuse func(http.ResponseWriter, *http.Request, error)) *RateLimit {
	l := &RateLimit{key: key, refuse: refuse}
	if perSecond > 0 {
		l.limiter = newLimiter(perSecond, time.Second)
	}
	return l
}

func newLimiter(most int, window time.Duration) *httprate.RateLimiter {
	return httprate.NewRateLimiter(most, window, httprate.WithResponseHeaders(httprate.ResponseHeaders{
		Limit: "Ratelimit-Limit", Remaining: "Ratelimit-Remaining", Reset: "Ratelimit-Reset", RetryAfter: "Retry-After",
	}))
}

// Limit is the middleware; it stands after the one that proves who asks.
func (l *RateLimit) Limit(next http.Handler) http.Handler {
	if l.limiter == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := l.key(r)
		if key == "" {
			key = "host " + remoteHost(r)
		}
		if l.limiter.OnLimit(w, r, key) {
			l.refused.Add(1)
			l.refuse(w, r, ErrRateLimited)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Refused is how many requests were ever refused.
func (l *RateLimit) Refused() uint64 { return l.refused.Load() }

// remoteHost is who is on the other side of the connection; of IPv6 the network, since one client has all of it.
func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return httprate.CanonicalizeIP(host)
}

// FailuresMax is how many failed authentications a minute are told apart from any other request too many.
const FailuresMax = 20

// Failures bounds failed authentications by remote host, far below any other rate: after FailuresMax in a minute, what
// would have been refused as unauthenticated is refused with server.rate_limited instead. A request with a good key is
// never held up by them, else a neighbour behind the same address could lock everyone out; keys have 256 random bits,
// so there is nothing to gain by guessing on.
type Failures struct {
	limiter *httprate.RateLimiter
	refuse  refuseFunc
}

// NewFailures starts with nobody counted.
func NewFailures(perMinute int, refuse func(http.ResponseWriter, *http.Request, error)) *Failures {
	return &Failures{newLimiter(perMinute, time.Minute), refuse}
}

// Refuse counts a failed authentication and answers it, with err as long as the host has not failed too often.
func (f *Failures) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	if f.limiter.OnLimit(w, r, remoteHost(r)) {
		err = ErrRateLimited
	}
	f.refuse(w, r, err)
}
