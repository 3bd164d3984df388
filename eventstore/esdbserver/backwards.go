package esdbserver

import (
	"context"

	"github.com/urikake/urikake/eventstore"
)

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
