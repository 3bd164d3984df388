package sqlite

import (
	"context"
	"iter"
	"time"

	"github.com/urikake/urikake/eventstore"
)

// pollEvery bounds how long a follower sleeps if the bell that should wake it is lost.
const pollEvery = 500 * time.Millisecond

// Read reads page by page; a stream that the writer has just moved and that has nothing new costs no query. The events
// of one page share memory: clone the bytes that are to be kept for long. Yields log.damaged where a version is missing.
func (s *Store) Read(ctx context.Context, stream string, after eventstore.Version) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		after := after // the loop may be run again
		h, known := s.heads.get(stream)
		if known && after >= h.version {
			if err := s.ended(ctx); err != nil {
				yield(eventstore.Recorded{}, err)
			}
			return
		}
		var p page
		for more := true; more; {
			err := s.readers.with(ctx, func(r *reader) (err error) {
				if h.id == 0 {
					if h, err = find(r.find, stream); err != nil {
						return err
					}
				}
				more, err = r.stream(&p, stream, h, after)
				return err
			})
			if !p.yield(ctx, err, yield) {
				return
			}
			after += eventstore.Version(len(p.events))
		}
	}
}

// Follow reads page by page and holds no connection while its caller works or waits. The events of one page share
// memory: clone the bytes that are to be kept for long. Yields log.damaged where a position is missing.
func (s *Store) Follow(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		after := after // the loop may be run again
		var p page
		for {
			if err := s.wait(ctx, after); err != nil {
				yield(eventstore.Recorded{}, err)
				return
			}
			err := s.readers.with(ctx, func(r *reader) error { return r.log(&p, after) })
			if !p.yield(ctx, err, yield) {
				return
			}
			after += eventstore.Position(len(p.events))
		}
	}
}

// wait returns when there is something after a position, or when there is no more use in waiting.
func (s *Store) wait(ctx context.Context, after eventstore.Position) error {
	for {
		head, grown := s.tail.get()
		if err := s.ended(ctx); err != nil || head > after {
			return err
		}
		poll := time.NewTimer(pollEvery)
		select {
		case <-grown:
		case <-poll.C:
		case <-ctx.Done():
		case <-s.quit:
		}
		poll.Stop()
	}
}

// ended says why nobody should read on.
func (s *Store) ended(ctx context.Context) error {
	select {
	case <-s.quit:
		return errClosed
	default:
		return ctx.Err()
	}
}
