package esdb

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/urikake/urikake/eventstore"
)

const (
	pageEvents = 512     // that one question asks for at most
	pageBytes  = 4 << 20 // of events after which its answer is not listened to any further
)

// answer is what a read gave; more tells that it was cut by its count or its bytes.
type answer struct {
	events []*esdb.RecordedEvent
	more   bool
}

// collect listens to a read of up to count events. A stream that does not exist has none.
func collect(ctx context.Context, count int, read func(context.Context) (*esdb.ReadStream, error)) (a answer, err error) {
	stream, err := read(ctx)
	if err != nil {
		return a, err
	}
	defer stream.Close()
	for bytes := 0; bytes < pageBytes; {
		r, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			a.more = len(a.events) >= count
			return a, nil
		case err != nil && codeOf(err) == esdb.ErrorCodeResourceNotFound && len(a.events) == 0:
			return a, nil
		case err != nil:
			return answer{}, err
		}
		e := r.OriginalEvent()
		a.events, bytes = append(a.events, e), bytes+len(e.Data)+len(e.UserMetadata)
	}
	a.more = true
	return a, nil
}

// page asks for events, again while the connection is lost or the cluster elects a leader, for as long as one call may take.
func (s *Store) page(ctx context.Context, count int, read func(context.Context, *esdb.Client) (*esdb.ReadStream, error)) (answer, error) {
	return persist(ctx, s, func() (answer, error) {
		return ask(ctx, s.link, func(ctx context.Context, client *esdb.Client) (answer, error) {
			return collect(ctx, count, func(ctx context.Context) (*esdb.ReadStream, error) { return read(ctx, client) })
		})
	})
}

// persist tries again what may go better the next time, for as long as one call may take.
func persist[T any](ctx context.Context, s *Store, try func() (T, error)) (T, error) {
	until := time.Now().Add(s.times.Call)
	for rest := s.times.Rest; ; rest = min(2*rest, s.times.Rests) {
		value, err := try()
		switch {
		case err == nil:
			return value, nil
		case ctx.Err() != nil:
			return value, ctx.Err()
		case isFinal(err), time.Now().Add(rest).After(until):
			return value, s.refusal(err)
		}
		select {
		case <-time.After(rest):
		case <-ctx.Done():
		}
	}
}

// Read asks for pages, each by itself, so that a stream of any length takes bounded memory and a lost connection is
// made good. Refuses log.damaged where events of the stream are missing (the server was told to forget some).
func (s *Store) Read(ctx context.Context, stream string, after eventstore.Version) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		next := after // the loop may be run again
		for more := next < versionMax; more; {
			a, err := s.page(ctx, pageEvents, func(ctx context.Context, client *esdb.Client) (*esdb.ReadStream, error) {
				from := esdb.ReadStreamOptions{Direction: esdb.Forwards, From: esdb.Revision(uint64(next))}
				return client.ReadStream(ctx, s.address.Prefix+stream, from, pageEvents)
			})
			more = a.more
			for _, e := range a.events {
				r := recorded(stream, e)
				if next++; r.Version != next {
					err = eventstore.ErrDamaged.With("%s goes from version %d to %d", stream, next-1, r.Version)
				}
				if err == nil {
					err = ctx.Err()
				}
				if err != nil {
					break
				}
				if !yield(r, nil) {
					return
				}
			}
			if err != nil {
				yield(eventstore.Recorded{}, err)
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(eventstore.Recorded{}, err)
		}
	}
}
