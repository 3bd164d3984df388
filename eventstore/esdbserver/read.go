package esdbserver

import (
	"context"
	"iter"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"github.com/urikake/urikake/eventstore"
)

// streamsService reads, follows and appends.
type streamsService struct {
	streams.UnimplementedStreamsServer
	server *Server
}

// Read answers reads of streams and of all, and subscriptions to either.
func (s *streamsService) Read(in *streams.ReadReq, out streams.Streams_ReadServer) error {
	q, err := queryOf(in)
	if err != nil {
		return err
	}
	caller := callerOf(out.Context())
	if q.stream != "" && !caller.sees(q.stream) {
		return Denied("this stream may not be read with these credentials")
	}
	r := &reading{query: q, caller: caller, store: s.server.config.Store, out: out, ending: s.server.ending}
	switch {
	case q.follow:
		return r.subscribe(out.Context())
	case q.stream != "":
		return r.readStream(out.Context())
	default:
		return r.readAll(out.Context())
	}
}

// reading is one call of Read on its way.
type reading struct {
	*query
	caller Caller
	store  eventstore.Store
	out    streams.Streams_ReadServer
	ending <-chan struct{}
}

// send waits until the client, or what lies between, has room for the event.
func (r *reading) send(e *eventstore.Recorded) error {
	return r.out.Send(&streams.ReadResp{Content: recorded(e, r.textIDs)})
}

// readStream sends up to count events of a stream. O(events sent), and where it begins at the end a few short reads
// to find that.
func (r *reading) readStream(ctx context.Context) error {
	events, err := r.ofStream(ctx)
	if err != nil {
		return err
	}
	sent, exhausted := uint64(0), true
	for e, err := range events {
		if err != nil {
			return err
		}
		if sent == r.count {
			exhausted = false
			break
		}
		if err := r.send(&e); err != nil {
			return err
		}
		sent++
	}
	if sent == 0 || r.positions && exhausted {
		return r.endOfStream(ctx, exhausted)
	}
	return nil
}

// ofStream are the events of the stream from where reading begins.
func (r *reading) ofStream(ctx context.Context) (iter.Seq2[eventstore.Recorded, error], error) {
	if !r.backwards {
		switch r.place {
		case atStart:
			return r.store.Read(ctx, r.stream, 0), nil
		case atEnd:
			return func(func(eventstore.Recorded, error) bool) {}, nil
		default:
			return r.store.Read(ctx, r.stream, eventstore.Version(r.from)), nil
		}
	}
	last, err := lastVersion(ctx, r.store, r.stream)
	if err != nil {
		return nil, err
	}
	switch r.place {
	case atStart:
		last = min(last, 1)
	case atNumber:
		last = min(last, version(r.from))
	}
	return streamBackwards(ctx, r.store, r.stream, last), nil
}

// endOfStream says what there is to say at the end: that the stream does not exist, or where it ends.
func (r *reading) endOfStream(ctx context.Context, exhausted bool) error {
	last, err := lastVersion(ctx, r.store, r.stream)
	switch {
	case err != nil:
		return err
	case last == 0:
		return r.out.Send(&streams.ReadResp{Content: &streams.ReadResp_StreamNotFound_{
			StreamNotFound: &streams.ReadResp_StreamNotFound{StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(r.stream)}},
		}})
	case r.positions && exhausted:
		return r.out.Send(&streams.ReadResp{Content: &streams.ReadResp_LastStreamPosition{LastStreamPosition: uint64(last) - 1}})
	default:
		return nil
	}
}

// readAll sends up to count events of all streams that the caller sees and wants.
func (r *reading) readAll(ctx context.Context) error {
	if r.count == 0 {
		return nil
	}
	head, err := r.store.Head(ctx)
	if err != nil {
		return err
	}
	sent := uint64(0)
	for e, err := range r.ofAll(ctx, head) {
		if err != nil {
			return err
		}
		if !r.caller.sees(e.Stream) || !r.filter.wants(&e) {
			continue
		}
		if err := r.send(&e); err != nil {
			return err
		}
		if sent++; sent == r.count {
			break
		}
	}
	return nil
}

// ofAll are the events of the log from where reading begins; none is newer than head.
func (r *reading) ofAll(ctx context.Context, head eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	switch from := eventstore.Position(r.from); {
	case r.backwards && r.place == atEnd:
		return allBackwards(ctx, r.store, head)
	case r.backwards && r.place == atNumber && from > 0:
		return allBackwards(ctx, r.store, min(from-1, head))
	case !r.backwards && r.place == atStart:
		return allForwards(ctx, r.store, 0, head)
	case !r.backwards && r.place == atNumber:
		return allForwards(ctx, r.store, from-1, head)
	default:
		return func(func(eventstore.Recorded, error) bool) {}
	}
}
