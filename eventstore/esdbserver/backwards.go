package esdbserver

import (
	"bytes"
	"context"
	"iter"
	"slices"

	"github.com/urikake/urikake/eventstore"
)

// The log reads forwards. Backwards is read in pages that are turned round: a page is read again in smaller ones when
// its events turn out to be many or large, so that one page takes little memory, and pages grow where events are far
// apart, as positions are on some logs.
const (
	backEvents = 128     // of a page, at most
	backBytes  = 1 << 20 // of a page with more than one event
)

// allForwards are the log's events after a position, up to another one that it has reached.
func allForwards(ctx context.Context, store eventstore.Store, after, to eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		if after >= to {
			return
		}
		for r, err := range store.Follow(ctx, after) {
			if err == nil && r.Position > to || !yield(r, err) || err != nil || r.Position == to {
				return
			}
		}
	}
}

// allBackwards are the log's events from a position that it has reached to its first.
func allBackwards(ctx context.Context, store eventstore.Store, from eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return backwards(uint64(from), func(after, to uint64) iter.Seq2[eventstore.Recorded, error] {
		return allForwards(ctx, store, eventstore.Position(after), eventstore.Position(to))
	})
}

// streamBackwards are a stream's events from a version that it has reached to its first.
func streamBackwards(ctx context.Context, store eventstore.Store, stream string, from eventstore.Version) iter.Seq2[eventstore.Recorded, error] {
	return backwards(uint64(from), func(after, to uint64) iter.Seq2[eventstore.Recorded, error] {
		return func(yield func(eventstore.Recorded, error) bool) {
			for r, err := range store.Read(ctx, stream, eventstore.Version(after)) {
				if err == nil && uint64(r.Version) > to || !yield(r, err) || err != nil || uint64(r.Version) == to {
					return
				}
			}
		}
	})
}

// backwards yields what span reads after a number up to another, from number from down to 1.
func backwards(from uint64, span func(after, to uint64) iter.Seq2[eventstore.Recorded, error]) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		size := uint64(backEvents)
		for to := from; to > 0; {
			after := to - min(size, to)
			page, whole, err := turned(span(after, to))
			if err != nil {
				yield(eventstore.Recorded{}, err)
				return
			}
			if !whole {
				size = max(size/4, 1)
				continue
			}
			if len(page) < backEvents/2 { // small, or far apart
				size = min(2*size, 1<<32)
			}
			for _, r := range page {
				if !yield(r, nil) {
					return
				}
			}
			to = after
		}
	}
}

// turned reads a page and turns it round; it is not whole when it is too large to be kept.
func turned(events iter.Seq2[eventstore.Recorded, error]) (page []eventstore.Recorded, whole bool, err error) {
	size := 0
	for r, err := range events {
		if err != nil {
			return nil, false, err
		}
		if size += r.Size(); len(page) == backEvents || size > backBytes && len(page) > 0 {
			return nil, false, nil
		}
		r.Data, r.Metadata = bytes.Clone(r.Data), bytes.Clone(r.Metadata)
		page = append(page, r)
	}
	slices.Reverse(page)
	return page, true, nil
}

// lastVersion is where a stream stands, 0 where there is none: O(log events) short reads, two for a stream of up to
// lastReach events.
func lastVersion(ctx context.Context, store eventstore.Store, stream string) (eventstore.Version, error) {
	low, high := eventstore.Version(0), eventstore.Version(lastReach)
	for {
		more, err := goesOn(ctx, store, stream, high)
		if err != nil {
			return 0, err
		}
		if !more {
			break
		}
		low, high = high, 2*high
	}
	for high-low > lastReach {
		middle := low + (high-low)/2
		more, err := goesOn(ctx, store, stream, middle)
		switch {
		case err != nil:
			return 0, err
		case more:
			low = middle
		default:
			high = middle
		}
	}
	for r, err := range store.Read(ctx, stream, low) {
		if err != nil {
			return 0, err
		}
		low = r.Version
	}
	return low, nil
}

// lastReach is how many events are read to find the last.
const lastReach = 64

// goesOn tells whether a stream has an event after a version.
func goesOn(ctx context.Context, store eventstore.Store, stream string, after eventstore.Version) (bool, error) {
	for _, err := range store.Read(ctx, stream, after) {
		return err == nil, err
	}
	return false, nil
}
