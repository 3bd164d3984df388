package esdbserver_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/esdbserver"
	"github.com/urikake/urikake/eventstore/memory"
)

// bytesCodec sends and receives messages as they are.
type bytesCodec struct{}

func (bytesCodec) Marshal(v any) ([]byte, error) { return v.([]byte), nil }
func (bytesCodec) Unmarshal(b []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), b...)
	return nil
}
func (bytesCodec) Name() string { return "proto" }

// errors counts what a server has to complain of itself.
type complaints struct {
	slog.Handler
	n *atomic.Int32
}

func (c complaints) Enabled(context.Context, slog.Level) bool { return true }
func (c complaints) Handle(_ context.Context, r slog.Record) error {
	c.n.Add(1)
	return nil
}

// exchange sends messages to a method and takes some answers.
func exchange(t testing.TB, conn *grpc.ClientConn, method string, messages ...[]byte) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	call, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, method, grpc.ForceCodec(bytesCodec{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if call.SendMsg(m) != nil {
			break
		}
	}
	_ = call.CloseSend()
	for range 40 { // a subscription has no end
		var answer []byte
		err := call.RecvMsg(&answer)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var resp streams.ReadResp
		if proto.Unmarshal(answer, &resp) == nil && resp.GetCaughtUp() != nil {
			return nil
		}
	}
	return nil
}

// FuzzRead sends any bytes as a request to read: an answer comes or a refusal, and the server has nothing to regret.
func FuzzRead(f *testing.F) {
	for _, change := range []func(*streams.ReadReq_Options){
		func(*streams.ReadReq_Options) {},
		func(o *streams.ReadReq_Options) { o.ReadDirection = streams.ReadReq_Options_Backwards },
		func(o *streams.ReadReq_Options) {
			o.CountOption = &streams.ReadReq_Options_Subscription{Subscription: &streams.ReadReq_Options_SubscriptionOptions{}}
		},
		func(o *streams.ReadReq_Options) {
			o.StreamOption = &streams.ReadReq_Options_All{All: &streams.ReadReq_Options_AllOptions{
				AllOption: &streams.ReadReq_Options_AllOptions_Position{Position: &streams.ReadReq_Options_Position{CommitPosition: 3, PreparePosition: 3}},
			}}
			o.FilterOption = &streams.ReadReq_Options_Filter{Filter: &streams.ReadReq_Options_FilterOptions{
				Filter: &streams.ReadReq_Options_FilterOptions_EventType{EventType: &streams.ReadReq_Options_FilterOptions_Expression{Regex: "a+"}},
				Window: &streams.ReadReq_Options_FilterOptions_Max{Max: 2}, CheckpointIntervalMultiplier: 1,
			}}
		},
	} {
		b, err := proto.Marshal(readReq("a", change))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{})
	f.Add([]byte{0xff})
	store, regrets := memory.New(time.Now), new(atomic.Int32)
	fill(f, store, 10)
	conn := connection(f, serve(f, esdbserver.Config{Store: store, Log: slog.New(complaints{n: regrets})}))
	f.Fuzz(func(t *testing.T, b []byte) {
		err := exchange(t, conn, "/event_store.client.streams.Streams/Read", b)
		checkAnswer(t, err, regrets)
	})
}

// checkAnswer fails for what is the server's own fault. What is no message at all is refused by the transport, as Internal.
func checkAnswer(t *testing.T, err error, regrets *atomic.Int32) {
	t.Helper()
	switch code := status.Code(err); {
	case regrets.Load() > 0:
		t.Fatal("the server panicked")
	case code == codes.Internal && strings.Contains(err.Error(), "failed to unmarshal"):
	case code == codes.OK, code == codes.InvalidArgument, code == codes.PermissionDenied:
	default:
		t.Errorf("%v", err)
	}
}

// FuzzAppend sends any bytes as the messages of an append. What is written is as the log wants it, and can be read.
func FuzzAppend(f *testing.F) {
	first, err := proto.Marshal(options("s"))
	if err != nil {
		f.Fatal(err)
	}
	event, err := proto.Marshal(message(func(m *streams.AppendReq_ProposedMessage) { m.CustomMetadata = []byte(`{"schema":3}`) }))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(first, event, event)
	f.Add(event, first, []byte{})
	f.Add(first, []byte{0xff}, first)
	store, regrets := memory.New(time.Now), new(atomic.Int32)
	address := serve(f, esdbserver.Config{Store: store, Log: slog.New(complaints{n: regrets})})
	conn, client := connection(f, address), raw(f, address)
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		before, err := store.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		err = exchange(t, conn, "/event_store.client.streams.Streams/Append", a, b, c)
		checkAnswer(t, err, regrets)
		after, err := store.Head(t.Context())
		if err != nil || after == before {
			return
		}
		for r, err := range store.Follow(t.Context(), before) {
			if err != nil {
				t.Fatal(err)
			}
			checkWritten(t, client, r)
			if r.Position >= after {
				break
			}
		}
	})
}

func checkWritten(t *testing.T, client streams.StreamsClient, r eventstore.Recorded) {
	t.Helper()
	if r.Kind == "" || r.Schema < 1 || r.Stream == "" || !utf8.ValidString(r.Stream) || r.Size() > eventstore.EventMax {
		t.Fatalf("%+v", r)
	}
	got, err := readRaw(t, client, readReq(r.Stream))
	if err != nil || len(got) == 0 {
		t.Fatalf("%q reads as %d events, %v", r.Stream, len(got), err)
	}
}
