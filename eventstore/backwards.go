package eventstore

import (
	"bytes"
	"context"
	"iter"
	"slices"
)

// Backwarder is a Store that reads its log backwards by itself.
type Backwarder interface {
	// Backwards yields all events from a position, which the log has reached, down to the first. An error is yielded
	// once, as the last pair.
	Backwards(ctx context.Context, from Position) iter.Seq2[Recorded, error]
}

// Stores read forwards. Backwards is read in pages that are turned round: a page is read again in smaller ones when its
// events turn out to be many or large, so that one page takes little memory, and pages grow where events are far apart,
// as positions are on some logs.
const (
	backFirst  = 128     // numbers of the first page: mostly a few events are all
	backEvents = 2048    // of a page, at most
	backBytes  = 1 << 20 // of a page with more than one event
)

// Backwards yields a log's events from a position that it has reached down to its first, newest first. An error is
// yielded once, as the last pair. O(events yielded), unless positions are far apart and the store is no Backwarder.
func Backwards(ctx context.Context, s Store, from Position) iter.Seq2[Recorded, error] {
	if b, ok := s.(Backwarder); ok {
		return b.Backwards(ctx, from)
	}
	return backwards(uint64(from), func(after, to uint64) iter.Seq2[Recorded, error] {
		return Between(ctx, s, Position(after), Position(to))
	})
}

// StreamBackwards yields a stream's events from a version that it has reached down to its first.
func StreamBackwards(ctx context.Context, s Store, stream string, from Version) iter.Seq2[Recorded, error] {
	return backwards(uint64(from), func(after, to uint64) iter.Seq2[Recorded, error] {
		return func(yield func(Recorded, error) bool) {
			for r, err := range s.Read(ctx, stream, Version(after)) {
				if err == nil && uint64(r.Version) > to || !yield(r, err) || err != nil || uint64(r.Version) == to {
					return
				}
			}
		}
	})
}

// Between yields a log's events after a position up to another one that it has reached.
func Between(ctx context.Context, s Store, after, to Position) iter.Seq2[Recorded, error] {
	return func(yield func(Recorded, error) bool) {
		if after >= to {
			return
		}
		for r, err := range s.Follow(ctx, after) {
			if err == nil && r.Position > to || !yield(r, err) || err != nil || r.Position == to {
				return
			}
		}
	}
}

// backwards yields what span reads after a number up to another, from number from down to 1.
func backwards(from uint64, span func(after, to uint64) iter.Seq2[Recorded, error]) iter.Seq2[Recorded, error] {
	return func(yield func(Recorded, error) bool) {
		size := uint64(backFirst)
		for to := from; to > 0; {
			after := to - min(size, to)
			page, whole, err := turned(span(after, to))
			if err != nil {
				yield(Recorded{}, err)
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
func turned(events iter.Seq2[Recorded, error]) (page []Recorded, whole bool, err error) {
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
