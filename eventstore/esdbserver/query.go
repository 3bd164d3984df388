package esdbserver

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"github.com/urikake/urikake/eventstore"
)

// query is what a client wants to read, checked.
type query struct {
	stream    string // "": all of them
	backwards bool
	follow    bool // a subscription
	from      uint64
	place     place
	count     uint64
	filter    *filter // nil: everything
	links     bool    // events that point at others come with those
	textIDs   bool
	positions bool // the client understands last_stream_position
}

// place is where reading begins: at a revision or position, or at an end.
type place int

const (
	atNumber place = iota
	atStart
	atEnd
)

// streamNameMax is the most bytes of a stream's name.
const streamNameMax = 1024

func queryOf(in *streams.ReadReq) (*query, error) {
	o := in.GetOptions()
	if o == nil {
		return nil, invalid("options are missing")
	}
	q := &query{links: o.GetResolveLinks(), positions: o.GetControlOption().GetCompatibility() >= 1}
	switch o.GetReadDirection() {
	case streams.ReadReq_Options_Forwards:
	case streams.ReadReq_Options_Backwards:
		q.backwards = true
	default:
		return nil, invalid("read_direction %d, want forwards or backwards", o.GetReadDirection())
	}
	switch o.GetUuidOption().GetContent().(type) {
	case *streams.ReadReq_Options_UUIDOption_Structured:
	case *streams.ReadReq_Options_UUIDOption_String_:
		q.textIDs = true
	default:
		return nil, invalid("uuid_option is missing, want structured or string")
	}
	switch c := o.GetCountOption().(type) {
	case *streams.ReadReq_Options_Count:
		q.count = c.Count
	case *streams.ReadReq_Options_Subscription:
		q.follow = true
	default:
		return nil, invalid("count_option is missing, want count or subscription")
	}
	if q.follow && q.backwards {
		return nil, invalid("read_direction: a subscription goes forwards")
	}
	if err := q.setPlace(o); err != nil {
		return nil, err
	}
	return q, q.setFilter(o)
}

func (q *query) setPlace(o *streams.ReadReq_Options) (err error) {
	switch s := o.GetStreamOption().(type) {
	case *streams.ReadReq_Options_Stream:
		if q.stream, err = streamName(s.Stream.GetStreamIdentifier()); err != nil {
			return err
		}
		return q.setRevision(s.Stream)
	case *streams.ReadReq_Options_All:
		return q.setPosition(s.All)
	default:
		return invalid("stream_option is missing, want stream or all")
	}
}

func (q *query) setRevision(s *streams.ReadReq_Options_StreamOptions) error {
	switch r := s.GetRevisionOption().(type) {
	case *streams.ReadReq_Options_StreamOptions_Start:
		q.place = atStart
	case *streams.ReadReq_Options_StreamOptions_End:
		q.place = atEnd
	case *streams.ReadReq_Options_StreamOptions_Revision:
		return q.setNumber(r.Revision, "a revision")
	case nil:
		if !q.follow {
			return invalid("revision_option is missing, want revision, start or end")
		}
		q.place = atStart
	}
	return nil
}

func (q *query) setPosition(s *streams.ReadReq_Options_AllOptions) error {
	switch p := s.GetAllOption().(type) {
	case *streams.ReadReq_Options_AllOptions_Start:
		q.place = atStart
	case *streams.ReadReq_Options_AllOptions_End:
		q.place = atEnd
	case *streams.ReadReq_Options_AllOptions_Position:
		commit, prepare := p.Position.GetCommitPosition(), p.Position.GetPreparePosition()
		if commit < prepare || (commit == math.MaxUint64) != (prepare == math.MaxUint64) {
			return invalid("position %d/%d: commit is prepare or later", commit, prepare)
		}
		if commit == 0 && !q.backwards {
			q.place = atStart
			return nil
		}
		return q.setNumber(commit, "a position")
	case nil:
		if !q.follow {
			return invalid("all_option is missing, want position, start or end")
		}
		q.place = atStart
	}
	return nil
}

// setNumber takes a revision or position; the largest number means the end.
func (q *query) setNumber(n uint64, what string) error {
	switch {
	case n == math.MaxUint64:
		q.place = atEnd
	case n >= math.MaxInt64:
		return invalid("%s is %d, want less than 2^63 - 1", what, n)
	default:
		q.place, q.from = atNumber, n
	}
	return nil
}

// streamName reads the name of a stream.
func streamName(in *shared.StreamIdentifier) (string, error) {
	name := string(in.GetStreamName())
	switch {
	case name == "":
		return "", invalid("stream_identifier is missing or empty")
	case len(name) > streamNameMax:
		return "", invalid("a stream's name has up to %d bytes, not %d", streamNameMax, len(name))
	case !utf8.ValidString(name) || strings.ContainsRune(name, 0):
		return "", invalid("a stream's name is UTF-8 without zero bytes, not %.100q", name)
	case name == "$all":
		return "", invalid("$all is no stream's name; ask for all")
	}
	return name, nil
}

// version is the version of the event at a revision.
func version(revision uint64) eventstore.Version { return eventstore.Version(revision) + 1 }
