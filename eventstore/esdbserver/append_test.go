package esdbserver_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/esdbserver"
	"github.com/urikake/urikake/eventstore/memory"
)

// Stream "s" stands at revision 4: a0 a1 a2, then b0 b1.
func TestExpectedRevision(t *testing.T) {
	t.Parallel()
	a, b, c := data("a", 3), data("b", 2), data("c", 2)
	others := data("a", 3)
	others[2].EventID = idOf("another")
	const wrong, written = -1, 6
	for _, test := range []struct {
		name     string
		stream   string
		expected esdb.ExpectedRevision
		events   []esdb.EventData
		want     int // next expected revision; wrong
	}{
		{"any, new", "s", esdb.Any{}, c, written},
		{"any, no stream", "n", esdb.Any{}, c, 1},
		{"any, all known", "s", esdb.Any{}, a, 2},
		{"any, all known, the last one", "s", esdb.Any{}, b[1:], 4},
		{"any, all known, of two appends", "s", esdb.Any{}, append(a[:3:3], b...), 4},
		{"any, first known, a later one not", "s", esdb.Any{}, append(b[:2:2], c...), wrong},
		{"any, first unknown, a later one known", "s", esdb.Any{}, append(c[:1:1], a[0]), written},
		{"any, known in another stream", "u", esdb.Any{}, a, 2},
		{"exists, new", "s", esdb.StreamExists{}, c, written},
		{"exists, no stream", "n", esdb.StreamExists{}, c, wrong},
		{"exists, all known", "s", esdb.StreamExists{}, a, 2},
		{"exists, first known, a later one not", "s", esdb.StreamExists{}, append(b[1:2:2], c...), wrong},
		{"no stream, none", "n", esdb.NoStream{}, c, 1},
		{"no stream, there is one", "s", esdb.NoStream{}, c, wrong},
		{"no stream, the same again", "s", esdb.NoStream{}, a, 2},
		{"no stream, the same of two appends", "s", esdb.NoStream{}, append(a[:3:3], b...), 4},
		{"no stream, an id differs", "s", esdb.NoStream{}, others, wrong},
		{"no stream, more than there is", "s", esdb.NoStream{}, append(append(a[:3:3], b...), c...), wrong},
		{"revision, current", "s", esdb.Revision(4), c, written},
		{"revision, the same again", "s", esdb.Revision(2), b, 4},
		{"revision, the same again with newer after it", "s", esdb.Revision(0), a[1:2], 1},
		{"revision, behind, others", "s", esdb.Revision(2), c, wrong},
		{"revision, another slot", "s", esdb.Revision(0), a, wrong},
		{"revision, beyond", "s", esdb.Revision(5), c, wrong},
		{"revision, far beyond", "s", esdb.Revision(1 << 40), c, wrong},
		{"revision, no stream", "n", esdb.Revision(0), c, wrong},
		{"any, nothing", "s", esdb.Any{}, nil, 4},
		{"exists, nothing, no stream", "n", esdb.StreamExists{}, nil, wrong},
		{"revision, nothing, current", "s", esdb.Revision(4), nil, 4},
		{"revision, nothing, behind", "s", esdb.Revision(3), nil, wrong},
		{"no stream, nothing, there is one", "s", esdb.NoStream{}, nil, wrong},
	} {
		t.Run(test.name, func(t *testing.T) {
			store, client := open(t)
			write(t, store, "s", 0, propose("a", 3)...)
			head := write(t, store, "s", 3, propose("b", 2)...)
			got, err := client.AppendToStream(limited(t), test.stream, esdb.AppendToStreamOptions{ExpectedRevision: test.expected}, test.events...)
			after, _ := store.Head(limited(t))
			if test.want == wrong {
				wantCode(t, "append", err, esdb.ErrorCodeWrongExpectedVersion)
				if after != head {
					t.Error("a refused append wrote")
				}
				return
			}
			if err != nil || got.NextExpectedVersion != uint64(test.want) {
				t.Fatalf("%+v, %v; want revision %d", got, err, test.want)
			}
			if got.CommitPosition != got.PreparePosition {
				t.Errorf("commit %d, prepare %d", got.CommitPosition, got.PreparePosition)
			}
			if len(test.events) == 0 {
				return
			}
			wrote := test.want == written || test.stream != "s"
			if (after != head) != wrote {
				t.Errorf("head %d, was %d", after, head)
			}
			for r := range store.Read(t.Context(), test.stream, eventstore.Version(test.want)) {
				if uint64(r.Position) != got.CommitPosition || r.ID != test.events[len(test.events)-1].EventID {
					t.Errorf("the answer names position %d, there is %s at %d", got.CommitPosition, r.ID, r.Position)
				}
				break
			}
		})
	}
}

// raw is a client without the official one's courtesies.
func raw(t testing.TB, address string) streams.StreamsClient {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return streams.NewStreamsClient(conn)
}

// appendRaw sends messages as they are.
func appendRaw(t testing.TB, c streams.StreamsClient, messages ...*streams.AppendReq) (*streams.AppendResp, metadata.MD, error) {
	t.Helper()
	var trailer metadata.MD
	call, err := c.Append(limited(t), grpc.Trailer(&trailer))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if call.Send(m) != nil {
			break // the answer says why
		}
	}
	out, err := call.CloseAndRecv()
	return out, trailer, err
}

func options(stream string, change ...func(*streams.AppendReq_Options)) *streams.AppendReq {
	o := &streams.AppendReq_Options{
		StreamIdentifier:       &shared.StreamIdentifier{StreamName: []byte(stream)},
		ExpectedStreamRevision: &streams.AppendReq_Options_Any{Any: &shared.Empty{}},
	}
	for _, c := range change {
		c(o)
	}
	return &streams.AppendReq{Content: &streams.AppendReq_Options_{Options: o}}
}

func message(change ...func(*streams.AppendReq_ProposedMessage)) *streams.AppendReq {
	m := &streams.AppendReq_ProposedMessage{
		Id:       &shared.UUID{Value: &shared.UUID_String_{String_: uuid.NewString()}},
		Metadata: map[string]string{"type": "test", "content-type": "application/json"}, Data: []byte(`{}`),
	}
	for _, c := range change {
		c(m)
	}
	return &streams.AppendReq{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: m}}
}

func TestAppendInvalid(t *testing.T) {
	t.Parallel()
	store := memory.New(time.Now)
	client := raw(t, serve(t, esdbserver.Config{Store: store}))
	type req = streams.AppendReq
	type opt = streams.AppendReq_Options
	type msg = streams.AppendReq_ProposedMessage
	for name, messages := range map[string][]*req{
		"nothing":               {},
		"an empty message":      {{}},
		"no options":            {message()},
		"options without all":   {{Content: &streams.AppendReq_Options_{}}},
		"options twice":         {options("s"), options("s")},
		"options at last":       {options("s"), message(), options("s")},
		"empty among events":    {options("s"), {}},
		"no stream":             {options("", func(o *opt) { o.StreamIdentifier = nil }), message()},
		"empty name":            {options(""), message()},
		"long name":             {options(string(bytes.Repeat([]byte("n"), 1025))), message()},
		"name not UTF-8":        {options("s\xff"), message()},
		"name with zero":        {options("s\x00"), message()},
		"$all":                  {options("$all"), message()},
		"no expected revision":  {options("s", func(o *opt) { o.ExpectedStreamRevision = nil }), message()},
		"revision out of range": {options("s", func(o *opt) { o.ExpectedStreamRevision = &streams.AppendReq_Options_Revision{Revision: 1 << 63} }), message()},
		"no id":                 {options("s"), message(func(m *msg) { m.Id = nil })},
		"id without value":      {options("s"), message(func(m *msg) { m.Id = &shared.UUID{} })},
		"id not a UUID":         {options("s"), message(func(m *msg) { m.Id.Value = &shared.UUID_String_{String_: "x"} })},
		"no type":               {options("s"), message(func(m *msg) { delete(m.Metadata, "type") })},
		"no content type":       {options("s"), message(func(m *msg) { delete(m.Metadata, "content-type") })},
		"no metadata":           {options("s"), message(func(m *msg) { m.Metadata = nil })},
		"long type":             {options("s"), message(func(m *msg) { m.Metadata["type"] = string(bytes.Repeat([]byte("t"), 513)) })},
		"the second is wrong":   {options("s"), message(), message(func(m *msg) { m.Id = nil })},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := appendRaw(t, client, messages...); status.Code(err) != codes.InvalidArgument {
				t.Errorf("%v", err)
			}
		})
	}
	if head, _ := store.Head(t.Context()); head != 0 {
		t.Errorf("%d events were written", head)
	}
}

// The largest event passes; one byte more is refused with the limit, also when the message alone is 16 MiB.
func TestAppendSize(t *testing.T) {
	t.Parallel()
	store := memory.New(time.Now)
	address := serve(t, esdbserver.Config{Store: store})
	client := raw(t, address)
	sized := func(n int) *streams.AppendReq {
		return message(func(m *streams.AppendReq_ProposedMessage) {
			m.CustomMetadata = []byte("{}")
			m.Data = bytes.Repeat([]byte{'x'}, n-len(m.CustomMetadata)-2*len(m.Metadata["type"]))
		})
	}
	if _, _, err := appendRaw(t, client, options("s"), sized(1<<20), sized(1<<20), sized(1<<20)); err != nil {
		t.Fatal(err)
	}
	for name, messages := range map[string][]*streams.AppendReq{
		"a byte":       {options("s"), message(), sized(1<<20 + 1)},
		"16 MiB":       {options("s"), sized(16 << 20)},
		"many, 16 MiB": append([]*streams.AppendReq{options("s")}, slicesOf(sized(1<<20), 17)...),
	} {
		_, trailer, err := appendRaw(t, client, messages...)
		if status.Code(err) != codes.InvalidArgument || len(trailer["maximum-append-size"]) != 1 || trailer["maximum-append-size"][0] != "1048576" ||
			len(trailer["exception"]) != 1 || trailer["exception"][0] != "maximum-append-size-exceeded" {
			t.Errorf("%s: %v, %v", name, err, trailer)
		}
	}
	if _, _, err := appendRaw(t, client, options("s"), sized(18<<20)); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("18 MiB: %v", err)
	}
	if head, _ := store.Head(t.Context()); head != 3 {
		t.Errorf("head %d", head)
	}
	if _, err := dial(t, address).AppendToStream(limited(t), "s", esdb.AppendToStreamOptions{}, esdb.EventData{EventType: "t", Data: make([]byte, 1<<20)}); err == nil {
		t.Error("the Go client's large event passed")
	}
}

// What all appends take of memory together is bounded; what one has taken is given back.
func TestAppendsTogether(t *testing.T) {
	t.Parallel()
	client := raw(t, serve(t, esdbserver.Config{Store: memory.New(time.Now), HeldMax: 10_000}))
	sized := func(n int) *streams.AppendReq {
		return message(func(m *streams.AppendReq_ProposedMessage) { m.Data = make([]byte, n) })
	}
	for range 5 {
		if _, _, err := appendRaw(t, client, options("s"), sized(4000), sized(4000)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := appendRaw(t, client, options("s"), sized(4000), sized(7000)); status.Code(err) != codes.Unavailable {
			t.Fatalf("more than there is: %v", err)
		}
	}
}

// A client that makes up a type for every event is stopped before the log knows too many.
func TestTooManyTypes(t *testing.T) {
	t.Parallel()
	client := raw(t, serve(t, esdbserver.Config{Store: memory.New(time.Now)}))
	typed := func(from, to int) []*streams.AppendReq {
		all := []*streams.AppendReq{options("s")}
		for i := from; i < to; i++ {
			all = append(all, message(func(m *streams.AppendReq_ProposedMessage) {
				m.CustomMetadata = fmt.Appendf(nil, `{"schema":%d}`, i)
			}))
		}
		return all
	}
	if _, _, err := appendRaw(t, client, typed(1, 9_001)...); err != nil {
		t.Fatal(err)
	}
	if _, _, err := appendRaw(t, client, typed(9_000, 10_002)...); status.Code(err) != codes.InvalidArgument {
		t.Errorf("10001 types: %v", err)
	}
	if _, _, err := appendRaw(t, client, typed(1, 9_001)...); err != nil {
		t.Errorf("known ones: %v", err)
	}
}

func slicesOf[T any](one T, n int) (all []T) {
	for range n {
		all = append(all, one)
	}
	return all
}

// Old and new clients each find the refusal in the fields that they know.
func TestWrongVersionFields(t *testing.T) {
	t.Parallel()
	store := memory.New(time.Now)
	client := raw(t, serve(t, esdbserver.Config{Store: store}))
	write(t, store, "s", 0, propose("a", 3)...)
	noStream := func(o *streams.AppendReq_Options) {
		o.ExpectedStreamRevision = &streams.AppendReq_Options_NoStream{NoStream: &shared.Empty{}}
	}
	exists := func(o *streams.AppendReq_Options) {
		o.ExpectedStreamRevision = &streams.AppendReq_Options_StreamExists{StreamExists: &shared.Empty{}}
	}
	revision := func(o *streams.AppendReq_Options) {
		o.ExpectedStreamRevision = &streams.AppendReq_Options_Revision{Revision: 7}
	}
	ask := func(stream string, change func(*streams.AppendReq_Options)) *streams.AppendResp_WrongExpectedVersion {
		out, _, err := appendRaw(t, client, options(stream, change), message())
		if err != nil || out.GetWrongExpectedVersion() == nil {
			t.Fatalf("%v, %v", out, err)
		}
		return out.GetWrongExpectedVersion()
	}
	w := ask("s", noStream)
	if w.GetExpectedNoStream() == nil || w.GetExpectedRevision_20_6_0() != 1<<64-1 || w.GetCurrentRevision() != 2 || w.GetCurrentRevision_20_6_0() != 2 {
		t.Errorf("no stream: %v", w)
	}
	w = ask("s", revision)
	if w.GetExpectedRevision() != 7 || w.GetExpectedRevision_20_6_0() != 7 || w.GetCurrentRevision() != 2 {
		t.Errorf("revision: %v", w)
	}
	w = ask("n", exists)
	if w.GetExpectedStreamExists() == nil || w.GetStreamExists_20_6_0() == nil || w.GetCurrentNoStream() == nil || w.GetNoStream_20_6_0() == nil {
		t.Errorf("exists: %v", w)
	}
}

// An event id may come as text or as two numbers, and is given as it is asked for.
func TestIDs(t *testing.T) {
	t.Parallel()
	address := serve(t, esdbserver.Config{Store: memory.New(time.Now)})
	client, id := raw(t, address), idOf("x")
	if _, _, err := appendRaw(t, client, options("s"), message(func(m *streams.AppendReq_ProposedMessage) {
		m.Id.Value = &shared.UUID_String_{String_: id.String()}
	})); err != nil {
		t.Fatal(err)
	}
	events, err := streamRead(t, dial(t, address), "s", esdb.ReadStreamOptions{}, 1)
	if err != nil || len(events) != 1 || events[0].EventID != id {
		t.Fatalf("%v, %v", events, err)
	}
	call, err := client.Read(limited(t), readReq("s", func(o *streams.ReadReq_Options) {
		o.UuidOption.Content = &streams.ReadReq_Options_UUIDOption_String_{String_: &shared.Empty{}}
	}))
	if err != nil {
		t.Fatal(err)
	}
	if m, err := call.Recv(); err != nil || m.GetEvent().GetEvent().GetId().GetString_() != id.String() {
		t.Errorf("%v, %v", m, err)
	}
}

// Of many appends to one stream, at once and at any version, each is written once, whole.
func TestAppendAnyRaces(t *testing.T) {
	t.Parallel()
	store, client := open(t)
	const clients, each = 16, 8
	var all sync.WaitGroup
	for g := range clients {
		all.Go(func() {
			for i := range each {
				events := data(string(rune('a'+g))+string(rune('a'+i)), 3)
				for range 2 { // and again
					if _, err := client.AppendToStream(limited(t), "s", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, events...); err != nil {
						t.Errorf("append: %v", err)
					}
				}
			}
		})
	}
	all.Wait()
	kinds := map[string]int{}
	last := ""
	n := 0
	for r, err := range store.Read(t.Context(), "s", 0) {
		if err != nil {
			t.Fatal(err)
		}
		if n%3 != 0 && r.Kind != last {
			t.Errorf("revision %d is amid another append", n)
		}
		kinds[r.Kind]++
		last = r.Kind
		n++
	}
	if n != clients*each*3 || len(kinds) != clients*each {
		t.Errorf("%d events of %d appends", n, len(kinds))
	}
}

// A client who begins an append and sends no more of it holds nobody else up.
func TestAppendStalled(t *testing.T) {
	t.Parallel()
	address := serve(t, esdbserver.Config{Store: memory.New(time.Now), Drain: 100 * time.Millisecond})
	client := raw(t, address)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var begun atomic.Int32
	for range 200 {
		call, err := client.Append(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if call.Send(options("s")) == nil {
			begun.Add(1)
		}
	}
	if _, _, err := appendRaw(t, client, options("s"), message()); err != nil {
		t.Errorf("beside %d stalled appends: %v", begun.Load(), err)
	}
}

// A client who is refused may send the rest all the same: the official one, if it can't, says only that it can't.
func TestRefusedAppendsAreTakenOffTheWire(t *testing.T) {
	reader := func(ctx context.Context, _ http.Header, _ net.Addr) (context.Context, esdbserver.Caller, error) {
		return ctx, esdbserver.Caller{}, nil
	}
	address := serve(t, esdbserver.Config{Store: memory.New(time.Now), Admit: reader})
	call, err := raw(t, address).Append(limited(t))
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range []*streams.AppendReq{options("s"), message(), message()} {
		if err := call.Send(m); err != nil {
			t.Errorf("message %d: %v", i, err)
		}
		time.Sleep(10 * time.Millisecond) // for the refusal to come
	}
	if _, err := call.CloseAndRecv(); status.Code(err) != codes.PermissionDenied {
		t.Error(err)
	}
}
