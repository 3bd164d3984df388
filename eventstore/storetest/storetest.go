// Package storetest holds every log to the promises of eventstore.Store.
package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/urikake/urikake/eventstore"
)

// Features tells what a store can do beyond the port.
type Features struct {
	Durable bool // opening the same directory again brings everything back; a closed store refuses every call
	Clock   bool // the store records the instants of the clock that it is given, not a server's

	AppendMax int // bytes that one append may have, where the store bounds that; at least eventstore.EventMax
}

// Open opens a log that is empty the first time and, when Durable, the same one for the same directory. The test calls
// the returned function once, to close it.
type Open func(t testing.TB, dir string, clock eventstore.Clock) (store eventstore.Store, closeStore func())

// Run asserts every promise, each on a log of its own, and after each that no goroutine is left behind.
func Run(t *testing.T, f Features, open Open) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *log)
	}{
		{"AppendAndRead", appendAndRead},
		{"WrongVersionWritesNothing", wrongVersion},
		{"OneOfTwoRacersWins", racers},
		{"BatchIsWhole", batches},
		{"RepeatIsTheSameSuccess", repeats},
		{"RepeatsRace", repeatsRace},
		{"MissingStreamIsEmpty", missing},
		{"BytesInBytesOut", bytesInBytesOut},
		{"BytesAreTheLogsOwn", ownBytes},
		{"SizeLimit", sizeLimit},
		{"LongStream", longStream},
		{"EndedContext", endedContext},
		{"InstantsNeverGoBack", instants},
		{"FollowIsExclusive", followExclusive},
		{"FollowRacingAppenders", followRacing},
		{"FollowBeyondHead", followBeyondHead},
		{"FollowEndsPromptly", followEnds},
		{"SlowFollower", slowFollower},
		{"ReopenKeepsEverything", reopen},
		{"ClosedRefuses", closed},
		{"LikeMemory", likeMemory},
	} {
		t.Run(test.name, func(t *testing.T) {
			leaks := goleak.IgnoreCurrent()
			l := &log{Features: f, open: open, dir: t.TempDir(), clock: time.Now}
			l.start(t)
			t.Cleanup(func() {
				l.stop()
				goleak.VerifyNone(t, leaks, retrying)
			})
			test.run(t, l)
		})
	}
}

// retrying passes over how a connection that an earlier test has left tries again, each time in a new goroutine. One that
// is left by the store under test has goroutines besides, which are found.
var retrying = goleak.IgnoreTopFunction("google.golang.org/grpc.(*addrConn).resetTransportAndUnlock")

// log is the store under test and how to open it again.
type log struct {
	eventstore.Store
	Features
	open  Open
	dir   string
	clock eventstore.Clock
	close func()
}

func (l *log) start(t testing.TB) {
	t.Helper()
	l.Store, l.close = l.open(t, l.dir, func() time.Time { return l.clock() })
}

func (l *log) stop() {
	if l.close != nil {
		l.close()
	}
	l.close = nil
}

// propose makes n events whose ids, data and metadata tell them apart.
func propose(label string, n int) []eventstore.Proposed {
	events := make([]eventstore.Proposed, n)
	for i := range events {
		text := fmt.Sprintf("%s-%d", label, i)
		events[i] = eventstore.Proposed{
			ID: uuid.NewSHA1(uuid.NameSpaceOID, []byte(text)), Kind: "test.happened", Schema: 1 + i%3,
			Data: fmt.Appendf(nil, `{"text":%q}`, text), Metadata: fmt.Appendf(nil, `{"command_id":%q,"schema":%d}`, label, 1+i%3),
		}
	}
	return events
}

// mustAppend appends and gives the last event's position.
func (l *log) mustAppend(t testing.TB, stream string, expected eventstore.Version, events ...eventstore.Proposed) eventstore.Position {
	t.Helper()
	position, err := l.Append(t.Context(), stream, expected, events...)
	if err != nil {
		t.Fatalf("append to %s at %d: %v", stream, expected, err)
	}
	return position
}

// read collects what Read yields.
func (l *log) read(t testing.TB, stream string, after eventstore.Version) (events []eventstore.Recorded) {
	t.Helper()
	for r, err := range l.Read(t.Context(), stream, after) {
		if err != nil {
			t.Fatalf("read %s after %d: %v", stream, after, err)
		}
		events = append(events, r)
	}
	return events
}

// follow collects what Follow yields up to a position.
func (l *log) follow(ctx context.Context, after, until eventstore.Position) (events []eventstore.Recorded, err error) {
	if after >= until {
		return nil, nil
	}
	for r, err := range l.Follow(ctx, after) {
		if err != nil {
			return events, err
		}
		if events = append(events, r); r.Position >= until {
			return events, nil
		}
	}
	return events, fmt.Errorf("follow stopped without an error after %d events", len(events))
}

func (l *log) mustFollow(t testing.TB, after, until eventstore.Position) []eventstore.Recorded {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	events, err := l.follow(ctx, after, until)
	if err != nil {
		t.Fatalf("follow after %d until %d: %v", after, until, err)
	}
	return events
}

func (l *log) head(t testing.TB) eventstore.Position {
	t.Helper()
	head, err := l.Head(t.Context())
	if err != nil {
		t.Fatalf("head: %v", err)
	}
	return head
}

// patience is how long anything may take on a busy machine under the race detector before the test gives up.
const patience = 30 * time.Second

// promptly is how long ending may take: well over a scheduler's hiccup, well under a poll that is too rare.
const promptly = 2 * time.Second
