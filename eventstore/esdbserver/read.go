package esdbserver

import (
	"context"
	"iter"
	"strconv"
	"strings"
	"time"

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
	sent := &streams.ReadResp_ReadEvent{
		Event:    recorded(e, r.textIDs),
		Position: &streams.ReadResp_ReadEvent_CommitPosition{CommitPosition: uint64(e.Position)},
	}
	if r.links && e.Kind == kindLink {
		sent.Link = sent.Event
		var err error
		if sent.Event, err = r.linked(e.Data); err != nil {
			return err
		}
	}
	return r.out.Send(&streams.ReadResp{Content: &streams.ReadResp_Event{Event: sent}})
}

// kindLink is the type of an event that points at another one: its data is "revision@stream".
const kindLink = "$>"

// linked is the event that a link points at; nil if there is none that the caller may see.
func (r *reading) linked(data []byte) (*streams.ReadResp_ReadEvent_RecordedEvent, error) {
	text, stream, ok := strings.Cut(string(data), "@")
	revision, err := strconv.ParseInt(text, 10, 63)
	if !ok || err != nil || revision < 0 || !r.caller.sees(stream) {
		return nil, nil
	}
	for e, err := range r.store.Read(r.out.Context(), stream, eventstore.Version(revision)) {
		if err != nil {
			return nil, err
		}
		return recorded(&e, r.textIDs), nil
	}
	return nil, nil
}

// readStream sends up to count events of a stream. O(events sent), and where it begins at the end a few short reads
// to find that.
func (r *reading) readStream(ctx context.Context) error {
	hidden, err := settingsOf(ctx, r.store, r.stream, time.Now())
	if err != nil {
		return err
	}
	if hidden.deleted() {
		return r.notFound()
	}
	if r.positions && !r.backwards && r.startsBefore(hidden.after) {
		if err := r.sendFirst(hidden.after); err != nil {
			return err
		}
	}
	events, err := r.ofStream(ctx, hidden.after)
	if err != nil {
		return err
	}
	seen, sent, exhausted := false, uint64(0), true
	for e, err := range events {
		if err != nil {
			return err
		}
		seen = true
		if hidden.hides(&e) {
			if r.backwards {
				break
			}
			continue
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
	if !seen || r.positions && exhausted {
		return r.endOfStream(ctx, exhausted)
	}
	return nil
}

// ofStream are the events of the stream from where reading begins; going forwards, those up to a version are left out.
func (r *reading) ofStream(ctx context.Context, hidden eventstore.Version) (iter.Seq2[eventstore.Recorded, error], error) {
	if !r.backwards {
		switch r.place {
		case atStart:
			return r.store.Read(ctx, r.stream, hidden), nil
		case atEnd:
			return func(func(eventstore.Recorded, error) bool) {}, nil
		default:
			return r.store.Read(ctx, r.stream, max(hidden, eventstore.Version(r.from))), nil
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
	return eventstore.StreamBackwards(ctx, r.store, r.stream, last), nil
}

func (r *reading) startsBefore(hidden eventstore.Version) bool {
	return hidden > 0 && (r.place == atStart || r.place == atNumber && eventstore.Version(r.from) < hidden)
}

// sendFirst tells where the stream begins for its readers.
func (r *reading) sendFirst(hidden eventstore.Version) error {
	return r.out.Send(&streams.ReadResp{Content: &streams.ReadResp_FirstStreamPosition{FirstStreamPosition: uint64(hidden)}})
}

// endOfStream says what there is to say at the end: that the stream does not exist, or where it ends.
func (r *reading) endOfStream(ctx context.Context, exhausted bool) error {
	last, err := lastVersion(ctx, r.store, r.stream)
	switch {
	case err != nil:
		return err
	case last == 0:
		return r.notFound()
	case r.positions && exhausted:
		return r.out.Send(&streams.ReadResp{Content: &streams.ReadResp_LastStreamPosition{LastStreamPosition: uint64(last) - 1}})
	default:
		return nil
	}
}

func (r *reading) notFound() error {
	return r.out.Send(&streams.ReadResp{Content: &streams.ReadResp_StreamNotFound_{
		StreamNotFound: &streams.ReadResp_StreamNotFound{StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(r.stream)}},
	}})
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
		return eventstore.Backwards(ctx, r.store, head)
	case r.backwards && r.place == atNumber && from > 0:
		return eventstore.Backwards(ctx, r.store, min(from-1, head))
	case !r.backwards && r.place == atStart:
		return eventstore.Between(ctx, r.store, 0, head)
	case !r.backwards && r.place == atNumber:
		return eventstore.Between(ctx, r.store, from-1, head)
	default:
		return func(func(eventstore.Recorded, error) bool) {}
	}
}
