package esdbserver

import (
	"cmp"
	"context"
	"errors"
	"io"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/urikake/urikake/eventstore"
)

const (
	appendWait = 30 * time.Second // an append may take to come whole
	drainWait  = time.Second      // is waited for the rest of one that is refused
	drainMax   = 4 << 20          // bytes of such a rest
)

var (
	errReadOnly   = Denied("this log may only be read")
	errAppendSlow = status.Error(codes.DeadlineExceeded, "the append did not come whole in time")
	errBusy       = status.Error(codes.Unavailable, "the server is busy: too much is being appended; try again later")
	errContended  = status.Error(codes.Aborted, "others went on writing to the stream; try again")
)

// Append writes events to a stream: all or none. A wrong version is an answer and no error.
func (s *streamsService) Append(in streams.Streams_AppendServer) error {
	ctx := in.Context()
	var refused error
	if callerOf(ctx).Appends == nil {
		refused = errReadOnly
	}
	p := &proposal{held: s.server.held}
	defer p.release()
	if err := p.receive(ctx, in.Recv, refused); err != nil {
		return err
	}
	w, err := s.write(ctx, p)
	if err != nil {
		return err
	}
	return in.SendAndClose(w.append(p))
}

// receive takes an append in: first its options, then its events. refused tells that it is refused anyhow. What is refused
// is taken off the wire all the same, as far as it comes soon and is not too much: clients that can't send the rest say
// only that, and not why.
func (p *proposal) receive(ctx context.Context, recv func() (*streams.AppendReq, error), refused error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, appendWait, errAppendSlow)
	defer cancel()
	soon := func() { time.AfterFunc(drainWait, cancel) }
	if refused != nil {
		soon()
	}
	begun, drained := false, 0
	for in, err := range received(ctx, recv) {
		switch {
		case refused != nil:
			if drained += proto.Size(in); err != nil || drained > drainMax {
				return refused
			}
			continue
		case errors.Is(err, io.EOF) && begun:
			return nil
		case err != nil && !errors.Is(err, io.EOF):
			return err
		}
		if refused = p.take(ctx, in, &begun); refused != nil {
			soon()
		}
	}
	return cmp.Or(refused, context.Cause(ctx))
}

// take takes the next part of an append.
func (p *proposal) take(ctx context.Context, in *streams.AppendReq, begun *bool) error {
	switch content := in.GetContent().(type) {
	case *streams.AppendReq_Options_:
		if *begun {
			return invalid("options come once, and first")
		}
		*begun = true
		return p.begin(content.Options)
	case *streams.AppendReq_ProposedMessage_:
		if !*begun {
			return invalid("options come first")
		}
		return p.add(ctx, content.ProposedMessage)
	default:
		return invalid("options are missing, or a message is empty")
	}
}

// received yields what recv gives until it fails, with the failure, or until ctx ends: recv itself heeds no deadline.
// It ends with the call at the latest.
func received[M any](ctx context.Context, recv func() (*M, error)) func(func(*M, error) bool) {
	type got struct {
		m   *M
		err error
	}
	return func(yield func(*M, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		gots := make(chan got)
		go func() {
			for {
				m, err := recv()
				select {
				case gots <- got{m, err}:
				case <-ctx.Done():
					return
				}
				if err != nil {
					return
				}
			}
		}()
		for {
			select {
			case g := <-gots:
				if !yield(g.m, g.err) || g.err != nil {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

const (
	knownMax    = 1000 // newest events of a stream among which an append is looked for that names no version
	attemptsMax = 50   // of such an append, while others write to the stream
)

// outcome is what became of an append.
type outcome struct {
	wrong    bool               // the stream does not stand where it was expected
	version  eventstore.Version // of the last event appended, or where the stream stands; 0: there is no stream
	position eventstore.Position
}

// write appends a proposal, if the caller may. An append that was there already is the same success.
func (s *streamsService) write(ctx context.Context, p *proposal) (outcome, error) {
	caller, store := callerOf(ctx), s.server.config.Store
	if !caller.sees(p.stream) {
		return outcome{}, Denied("this stream may not be written with these credentials")
	}
	if err := caller.Appends(ctx, p.stream, p.expected, p.events); err != nil {
		return outcome{}, err
	}
	if err := s.server.types.note(p.events); err != nil {
		return outcome{}, err
	}
	if p.expected.Any || p.expected.Exists {
		unlock, err := s.server.turns.take(ctx, p.stream)
		if err != nil {
			return outcome{}, err
		}
		defer unlock()
		return writeAnywhere(ctx, store, p)
	}
	if len(p.events) == 0 {
		last, err := lastVersion(ctx, store, p.stream)
		return outcome{wrong: last != p.expected.Version, version: last}, err
	}
	position, err := store.Append(ctx, p.stream, p.expected.Version, p.events...)
	if errors.Is(err, eventstore.ErrWrongVersion) {
		last, err := lastVersion(ctx, store, p.stream)
		return outcome{wrong: true, version: last}, err
	}
	return outcome{version: p.expected.Version + eventstore.Version(len(p.events)), position: position}, err
}

// writeAnywhere appends wherever the stream stands, unless the events are among its newest already.
func writeAnywhere(ctx context.Context, store eventstore.Store, p *proposal) (outcome, error) {
	for range attemptsMax {
		last, err := lastVersion(ctx, store, p.stream)
		if err != nil {
			return outcome{}, err
		}
		if len(p.events) == 0 || p.expected.Exists && last == 0 {
			return outcome{wrong: p.expected.Exists && last == 0, version: last}, nil
		}
		if was, known, err := repeated(ctx, store, p, last); known || err != nil {
			return was, err
		}
		position, err := store.Append(ctx, p.stream, last, p.events...)
		if !errors.Is(err, eventstore.ErrWrongVersion) {
			return outcome{version: last + eventstore.Version(len(p.events)), position: position}, err
		}
	}
	return outcome{}, errContended
}

// repeated looks for a proposal's events among the newest of the stream. If the first is there, the others must be.
func repeated(ctx context.Context, store eventstore.Store, p *proposal, last eventstore.Version) (was outcome, known bool, err error) {
	missing := make(map[[16]byte]bool, len(p.events))
	for _, e := range p.events {
		missing[e.ID] = true
	}
	final := p.events[len(p.events)-1].ID
	for r, err := range store.Read(ctx, p.stream, last-min(last, knownMax)) {
		if err != nil {
			return outcome{}, false, err
		}
		if r.Version > last {
			last = r.Version
		}
		delete(missing, r.ID)
		if r.ID == final {
			was = outcome{version: r.Version, position: r.Position}
		}
	}
	switch {
	case missing[p.events[0].ID]:
		return outcome{}, false, nil
	case len(missing) > 0:
		return outcome{wrong: true, version: last}, true, nil
	default:
		return was, true, nil
	}
}
