package projections

import (
	"context"
	"strconv"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// KnownAt limits a report to what was written up to a position, or up to an instant. The zero KnownAt limits nothing.
type KnownAt struct {
	Position eventstore.Position
	At       time.Time
}

// ErrBadKnownAt refuses what is neither a position nor an instant nor a day.
var ErrBadKnownAt = &domain.Error{
	Code: domain.Invalid, Rule: "views.bad_known_at",
	Text: "known at is a log position (1 or more), an instant such as 2026-07-03T12:00:00+09:00, or a day, which counts to its end",
}

// ParseKnownAt reads a position, an RFC 3339 instant, or a day, which means its last moment in the given zone.
// An empty text is the zero KnownAt. Refuses views.bad_known_at.
func ParseKnownAt(text string, zone *time.Location) (KnownAt, error) {
	if text == "" {
		return KnownAt{}, nil
	}
	if n, err := strconv.ParseUint(text, 10, 63); err == nil && n > 0 {
		return KnownAt{Position: eventstore.Position(n)}, nil
	}
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return KnownAt{At: at}, nil
	}
	if day, err := domain.ParseDate(text); err == nil {
		next := day.AddDays(1)
		return KnownAt{At: time.Date(next.Year(), next.Month(), next.Day(), 0, 0, 0, 0, zone).Add(-time.Microsecond)}, nil
	}
	return KnownAt{}, ErrBadKnownAt.With("%q", text)
}

// moment is the two times of a report as the tables count them.
type moment struct {
	day      int64
	position int64
}

// moment waits until everything that was in the log at the call is folded, and finds the position that known means.
// Refuses input.missing without a day.
func (v *Views) moment(ctx context.Context, asOf domain.Date, known KnownAt) (moment, error) {
	if asOf.IsZero() {
		return moment{}, domain.ErrMissing.With("a report is as of a day").At("/as_of")
	}
	position, err := v.known(ctx, known)
	return moment{asOf.DayNumber(), int64(position)}, err
}

// known is the position of the newest event that a report may show. O(log n) reads of the log for an instant.
func (v *Views) known(ctx context.Context, k KnownAt) (eventstore.Position, error) {
	head, err := v.CatchUp(ctx)
	switch {
	case err != nil:
		return 0, err
	case k.Position > head:
		return 0, ErrBeyondLog.With("position %d, the log ends at %d", k.Position, head).At("/known_at")
	case k.Position > 0:
		return k.Position, nil
	case k.At.IsZero():
		return head, nil
	}
	return v.lastBy(ctx, k.At, head)
}

// lastBy is the position before the first event recorded after an instant. Halving finds it, but for how far instants may
// go back: these events are looked at one by one, so that what the log has grown by meanwhile changes no answer.
func (v *Views) lastBy(ctx context.Context, at time.Time, head eventstore.Position) (eventstore.Position, error) {
	low, high := eventstore.Position(0), head // all up to low is not after at; of what is beyond high all is after at less the skew
	for surely := at.Add(-eventstore.SkewMax); low < high; {
		middle := low + (high-low)/2
		for r, err := range v.store.Follow(ctx, middle) {
			if err != nil {
				return 0, err
			}
			if r.At.After(surely) || r.Position > high {
				high = middle
			} else {
				low = r.Position
			}
			break
		}
	}
	if low >= head {
		return low, nil
	}
	for r, err := range v.store.Follow(ctx, low) {
		if err != nil {
			return 0, err
		}
		if r.At.After(at) || r.Position > head {
			return low, nil
		}
		if low = r.Position; low >= head {
			return low, nil
		}
	}
	return 0, ctx.Err()
}
