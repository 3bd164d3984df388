package esdbserver

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"sync/atomic"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"github.com/urikake/urikake/eventstore"
)

const (
	proposalBytes  = 16 << 20 // of one append's events, at most
	proposalEvents = 10_000   // of one append, at most
	eventWeight    = 256      // bytes that an event takes besides its own
	typeMax        = 512      // bytes of an event's type
)

var appendSizeText = strconv.Itoa(eventstore.EventMax)

// Expected is where a client expects a stream to stand.
type Expected struct {
	Any     bool               // anywhere, and it need not exist
	Exists  bool               // anywhere, but it exists
	Version eventstore.Version // else there; 0: it does not exist
}

// proposal is an append as it comes in.
type proposal struct {
	stream   string
	expected Expected
	events   []eventstore.Proposed
	size     int
	held     *budget // from which its bytes are taken
}

// release gives back what the proposal has taken of memory.
func (p *proposal) release() { p.held.take(-p.weight()) }

// weight is about what the proposal takes of memory.
func (p *proposal) weight() int { return p.size + eventWeight*len(p.events) }

// budget is memory that all appends share.
type budget struct{ left atomic.Int64 }

func newBudget(bytes int64) *budget {
	b := new(budget)
	b.left.Store(bytes)
	return b
}

// take tells whether there was as much.
func (b *budget) take(n int) bool {
	if b.left.Add(-int64(n)) >= 0 || n < 0 {
		return true
	}
	b.left.Add(int64(n))
	return false
}

func (p *proposal) begin(o *streams.AppendReq_Options) (err error) {
	if p.stream, err = streamName(o.GetStreamIdentifier()); err != nil {
		return err
	}
	switch e := o.GetExpectedStreamRevision().(type) {
	case *streams.AppendReq_Options_Any:
		p.expected.Any = true
	case *streams.AppendReq_Options_StreamExists:
		p.expected.Exists = true
	case *streams.AppendReq_Options_NoStream:
	case *streams.AppendReq_Options_Revision:
		if p.expected.Version, err = expectedVersion(e.Revision); err != nil {
			return err
		}
	default:
		return invalid("expected_stream_revision is missing, want revision, no_stream, any or stream_exists")
	}
	return nil
}

func expectedVersion(revision uint64) (eventstore.Version, error) {
	if revision >= math.MaxInt64 {
		return 0, invalid("the expected revision is %d, want less than 2^63 - 1", revision)
	}
	return version(revision), nil
}

// wireEvent is what the messages of Append and BatchAppend have in common.
type wireEvent interface {
	GetId() *shared.UUID
	GetMetadata() map[string]string
	GetCustomMetadata() []byte
	GetData() []byte
}

// add takes one more event.
func (p *proposal) add(ctx context.Context, in wireEvent) error {
	system := in.GetMetadata()
	for _, key := range []string{keyType, keyContentType} {
		if system[key] == "" {
			return invalid("an event's metadata has no %q", key)
		}
	}
	if n := len(system[keyType]); n > typeMax {
		return invalid("an event's type has up to %d bytes, not %d", typeMax, n)
	}
	id, err := idOf(in.GetId())
	if err != nil {
		return err
	}
	e := eventstore.Proposed{
		ID: id, Kind: system[keyType], Schema: schemaOf(in.GetCustomMetadata()),
		Data: in.GetData(), Metadata: in.GetCustomMetadata(),
	}
	switch {
	case e.Size() > eventstore.EventMax:
		return tooLarge(ctx, fmt.Sprintf("an event may have %d bytes at most, not %d", eventstore.EventMax, e.Size()))
	case p.size+e.Size() > proposalBytes:
		return tooLarge(ctx, fmt.Sprintf("an append may have %d bytes at most", proposalBytes))
	case len(p.events) == proposalEvents:
		return invalid("an append may have %d events at most", proposalEvents)
	case !p.held.take(e.Size() + eventWeight):
		return errBusy
	}
	p.size += e.Size()
	p.events = append(p.events, e)
	return nil
}

// schemaOf is the version of an event's fields, which stands in its metadata as the ledger writes it; 1 where it
// does not.
func schemaOf(metadata []byte) int {
	var m struct {
		Schema int `json:"schema"`
	}
	if json.Unmarshal(metadata, &m) != nil || m.Schema < 1 || m.Schema > math.MaxInt32 {
		return 1
	}
	return m.Schema
}

// append is the answer to Append.
func (w outcome) append(p *proposal) *streams.AppendResp {
	if w.wrong {
		return &streams.AppendResp{Result: &streams.AppendResp_WrongExpectedVersion_{WrongExpectedVersion: wrongVersion(p.expected, w.version)}}
	}
	success := &streams.AppendResp_Success{
		CurrentRevisionOption: &streams.AppendResp_Success_CurrentRevision{CurrentRevision: uint64(w.version) - 1},
		PositionOption: &streams.AppendResp_Success_Position{Position: &streams.AppendResp_Position{
			CommitPosition: uint64(w.position), PreparePosition: uint64(w.position),
		}},
	}
	if w.version == 0 {
		success.CurrentRevisionOption = &streams.AppendResp_Success_NoStream{NoStream: &shared.Empty{}}
	}
	if w.position == 0 {
		success.PositionOption = &streams.AppendResp_Success_NoPosition{NoPosition: &shared.Empty{}}
	}
	return &streams.AppendResp{Result: &streams.AppendResp_Success_{Success: success}}
}

// wrongVersion says where a stream was expected and where it stands, in the words of new and of old clients.
func wrongVersion(expected Expected, stands eventstore.Version) *streams.AppendResp_WrongExpectedVersion {
	w, none := &streams.AppendResp_WrongExpectedVersion{}, &shared.Empty{}
	if stands == 0 {
		w.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentNoStream{CurrentNoStream: none}
		w.CurrentRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_NoStream_20_6_0{NoStream_20_6_0: none}
	} else {
		revision := uint64(stands) - 1
		w.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentRevision{CurrentRevision: revision}
		w.CurrentRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_CurrentRevision_20_6_0{CurrentRevision_20_6_0: revision}
	}
	switch {
	case expected.Any:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedAny{ExpectedAny: none}
		w.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_Any_20_6_0{Any_20_6_0: none}
	case expected.Exists:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: none}
		w.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_StreamExists_20_6_0{StreamExists_20_6_0: none}
	case expected.Version == 0:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: none}
		w.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision_20_6_0{ExpectedRevision_20_6_0: math.MaxUint64}
	default:
		revision := uint64(expected.Version) - 1
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision{ExpectedRevision: revision}
		w.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision_20_6_0{ExpectedRevision_20_6_0: revision}
	}
	return w
}
