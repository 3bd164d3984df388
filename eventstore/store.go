// Package eventstore is the log: the one place where the books are kept. Everything else can be made anew from it.
//
// A Store keeps immutable events in streams, one stream for each aggregate, and in one order over all of them.
package eventstore

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/urikake/urikake/domain"
)

// Store is the port that every log implements. storetest.Run asserts each promise made here.
type Store interface {
	// Append adds events to a stream that stands at version expected (0: it does not exist yet), all or none, and
	// returns, once they are durable, the position of the last. Appending the same event ids again at the same
	// expected version is the same success and writes nothing, also when newer events follow.
	// Refuses log.wrong_version, log.event_too_large, log.empty_append, and log.unavailable when it can't be known
	// whether the events are durable: the same append may then be repeated.
	Append(ctx context.Context, stream string, expected Version, events ...Proposed) (Position, error)

	// Read yields a stream's events after a version, in order; a stream that does not exist has none. An error is
	// yielded once, as the last pair: a read that breaks off never looks like a shorter history.
	Read(ctx context.Context, stream string, after Version) iter.Seq2[Recorded, error]

	// Follow yields all events after a position in the log's order, then goes on with new ones as they come, until
	// ctx ends (it then yields ctx's error and stops) or a read fails. A slow reader loses nothing and holds nobody up.
	Follow(ctx context.Context, after Position) iter.Seq2[Recorded, error]

	// Head is the position of the newest durable event, 0 in an empty log.
	Head(ctx context.Context) (Position, error)
}

// Version counts the events of one stream: the first event has version 1, a stream that does not exist stands at 0.
type Version uint64

// Position orders all events of a log. It rises; it need not be contiguous on every store.
type Position uint64

// Proposed is an event about to be appended.
type Proposed struct {
	ID       uuid.UUID
	Kind     string // wire name
	Schema   int    // version of the kind's fields
	Data     []byte // JSON
	Metadata []byte // JSON
}

// Recorded is an event as the log keeps it.
type Recorded struct {
	Position Position
	Stream   string
	Version  Version
	At       time.Time // assigned by the log; UTC, to the microsecond; never more than SkewMax earlier than an event before it
	Proposed
}

// SkewMax is by how much an instant may be earlier than one before it, where a log's clock goes from one machine to
// another with its leader. A log with one clock never goes back.
const SkewMax = 5 * time.Second

// EventMax is the most bytes that one event may have: data, metadata and twice its kind, as EventStoreDB counts.
const EventMax = 1 << 20

// CheckAppend refuses what every store refuses before it looks at the stream: an ended ctx, log.empty_append,
// log.event_too_large.
func CheckAppend(ctx context.Context, stream string, events []Proposed) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(events) == 0 {
		return ErrEmptyAppend.With("%s", stream)
	}
	for i, e := range events {
		if e.Size() > EventMax {
			return ErrTooLarge.With("%s, event %d of %d: %d bytes", stream, i+1, len(events), e.Size())
		}
	}
	return nil
}

// Size is what EventMax bounds.
func (p Proposed) Size() int { return len(p.Data) + len(p.Metadata) + 2*len(p.Kind) }

var (
	ErrWrongVersion = &domain.Error{
		Code: domain.Conflict, Rule: "log.wrong_version",
		Text: "the stream does not stand at the expected version",
	}
	ErrTooLarge = &domain.Error{
		Code: domain.Invalid, Rule: "log.event_too_large",
		Text: "an event may have 1 MiB at most",
	}
	ErrEmptyAppend = &domain.Error{Code: domain.Internal, Rule: "log.empty_append", Text: "nothing to append"}
	ErrUnavailable = &domain.Error{
		Code: domain.Unavailable, Rule: "log.unavailable",
		Text: "the log can't be reached or written now; the same command may be sent again",
	}
	ErrLocked = &domain.Error{
		Code: domain.Unavailable, Rule: "log.locked",
		Text: "another urikake process has this data directory open; wait until it has ended, or stop it",
	}
	ErrDamaged = &domain.Error{Code: domain.Internal, Rule: "log.damaged", Text: "the log is damaged; restore log.db from a backup"}
)
