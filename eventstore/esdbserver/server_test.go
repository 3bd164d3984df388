package esdbserver_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/esdbserver"
	"github.com/urikake/urikake/eventstore/memory"
	"github.com/urikake/urikake/eventstore/ramdisk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(ramdisk.Tests(m)) }

func connection(t testing.TB, address string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// Clients that find their way by gossip, as in a cluster, come back to the address that they have asked.
func TestGossip(t *testing.T) {
	t.Parallel()
	store := memory.New(time.Now)
	fill(t, store, 1)
	address := serve(t, esdbserver.Config{Store: store})
	_, port, _ := net.SplitHostPort(address)
	for _, host := range []string{"127.0.0.1", "localhost"} {
		at := net.JoinHostPort(host, port)
		info, err := gossip.NewGossipClient(connection(t, at)).Read(limited(t), &shared.Empty{})
		if err != nil || len(info.Members) != 1 {
			t.Fatalf("%v, %v", info, err)
		}
		m := info.Members[0]
		if m.State != gossip.MemberInfo_Leader || !m.IsAlive || m.InstanceId == nil || m.TimeStamp == 0 ||
			fmt.Sprintf("%s:%d", m.HttpEndPoint.Address, m.HttpEndPoint.Port) != at {
			t.Errorf("%v", m)
		}
		client := connect(t, "esdb://"+at+","+at+"?tls=false&nodePreference=leader")
		if events, err := streamRead(t, client, "a", esdb.ReadStreamOptions{}, 10); err != nil || len(events) != 1 {
			t.Errorf("%v, %v", events, err)
		}
	}
}

func TestServerFeatures(t *testing.T) {
	t.Parallel()
	address := serve(t, esdbserver.Config{Store: memory.New(time.Now)})
	got, err := serverfeatures.NewServerFeaturesClient(connection(t, address)).GetSupportedMethods(limited(t), &shared.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	var numbers [3]int
	if n, err := fmt.Sscanf(got.EventStoreServerVersion, "%d.%d.%d", &numbers[0], &numbers[1], &numbers[2]); n != 3 || err != nil {
		t.Errorf("version %q", got.EventStoreServerVersion)
	}
	for _, m := range got.Methods {
		if m.MethodName == "batchappend" || strings.Contains(m.ServiceName, "persistent") {
			t.Errorf("%s/%s does not work", m.ServiceName, m.MethodName)
		}
	}
	if v, err := dial(t, address).GetServerVersion(); err != nil || v.Major != numbers[0] {
		t.Errorf("%v, %v", v, err)
	}
}

// What there is not is Unimplemented, and what there is never shall be PermissionDenied.
func TestRefusedMethods(t *testing.T) {
	t.Parallel()
	store := memory.New(time.Now)
	fill(t, store, 1)
	address := serve(t, esdbserver.Config{Store: store})
	client := dial(t, address)
	_, err := client.DeleteStream(limited(t), "a", esdb.DeleteStreamOptions{ExpectedRevision: esdb.Any{}})
	wantCode(t, "delete", err, esdb.ErrorCodeAccessDenied)
	_, err = client.TombstoneStream(limited(t), "a", esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Any{}})
	wantCode(t, "tombstone", err, esdb.ErrorCodeAccessDenied)
	if events, err := streamRead(t, client, "a", esdb.ReadStreamOptions{}, 10); err != nil || len(events) != 1 {
		t.Errorf("then: %v, %v", events, err)
	}
	conn := connection(t, address)
	_, err = persistent.NewPersistentSubscriptionsClient(conn).List(limited(t), &persistent.ListReq{})
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("persistent subscriptions: %v", err)
	}
	call, err := streams.NewStreamsClient(conn).BatchAppend(limited(t))
	if err == nil {
		_, err = call.Recv()
	}
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("batch append: %v", err)
	}
}

// Who is not let in gets nothing, but may ask what the server is, as clients do before they show who they are.
func TestAdmission(t *testing.T) {
	t.Parallel()
	store := memory.New(time.Now)
	fill(t, store, 3)
	noKey := error(&domain.Error{Code: domain.Refused, Rule: "test.no_key", Text: "no"})
	var refusal atomic.Pointer[error]
	refusal.Store(&noKey)
	caller := esdbserver.Caller{Sees: func(stream string) bool { return stream == "a" }}
	address := serve(t, esdbserver.Config{Store: store, Admit: func(ctx context.Context, h http.Header, from net.Addr) (context.Context, esdbserver.Caller, error) {
		if h.Get("Test-Key") == "" || !strings.HasPrefix(from.String(), "127.0.0.1:") {
			return nil, esdbserver.Caller{}, *refusal.Load()
		}
		return ctx, caller, nil
	}})
	conn := connection(t, address)
	if _, err := serverfeatures.NewServerFeaturesClient(conn).GetSupportedMethods(limited(t), &shared.Empty{}); err != nil {
		t.Error(err)
	}
	client := streams.NewStreamsClient(conn)
	for _, c := range []struct {
		refusal error
		want    codes.Code
	}{
		{noKey, codes.Unauthenticated},
		{esdbserver.Denied("no"), codes.PermissionDenied},
		{eventstore.ErrUnavailable, codes.Unavailable},
		{errors.New("?"), codes.Unavailable},
	} {
		refusal.Store(&c.refusal)
		if _, err := readRaw(t, client, readReq("a")); status.Code(err) != c.want {
			t.Errorf("%v: %v", c.refusal, err)
		}
	}

	in := streams.NewStreamsClient(withHeader(t, address, "test-key", "1"))
	for stream, want := range map[string]codes.Code{"a": codes.OK, "b": codes.PermissionDenied, "none": codes.PermissionDenied} {
		if _, err := readRaw(t, in, readReq(stream)); status.Code(err) != want {
			t.Errorf("%s: %v", stream, err)
		}
	}
	got, err := readRaw(t, in, readReq("", func(o *streams.ReadReq_Options) {
		o.StreamOption = &streams.ReadReq_Options_All{All: &streams.ReadReq_Options_AllOptions{AllOption: &streams.ReadReq_Options_AllOptions_Start{}}}
		o.CountOption = &streams.ReadReq_Options_Count{Count: 2}
	}))
	if err != nil || len(got) != 2 || got[0].GetEvent().GetCommitPosition() != 1 || got[1].GetEvent().GetCommitPosition() != 3 {
		t.Errorf("%v, %v", got, err)
	}
	if _, _, err := appendRaw(t, in, options("a"), message()); status.Code(err) != codes.PermissionDenied {
		t.Errorf("append: %v", err)
	}
}

// withHeader sends a header with every call.
func withHeader(t testing.TB, address, name, value string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithPerRPCCredentials(header{name: value}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

type header map[string]string

func (h header) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return h, nil
}

func (header) RequireTransportSecurity() bool { return false }

// An event that points at another comes with that one to who asks for it, if it is there and may be seen.
func TestLinks(t *testing.T) {
	t.Parallel()
	store := memory.New(time.Now)
	fill(t, store, 3)
	link := func(name, to string) eventstore.Proposed {
		return eventstore.Proposed{ID: idOf(name), Kind: "$>", Schema: 1, Data: []byte(to)}
	}
	write(t, store, "links", 0, link("1", "2@a"), link("2", "7@a"), link("3", "0@none"), link("4", "x@a"), link("5", "-1@a"), link("6", ""))
	client := dial(t, serve(t, esdbserver.Config{Store: store}))
	for _, resolve := range []bool{true, false} {
		s, err := client.ReadStream(limited(t), "links", esdb.ReadStreamOptions{ResolveLinkTos: resolve}, 10)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 6 {
			e, err := s.Recv()
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case !resolve:
				if e.Link != nil || e.Event.EventType != "$>" {
					t.Errorf("%d: %+v", i, e)
				}
			case i == 0:
				if e.Event == nil || e.Event.StreamID != "a" || e.Event.EventNumber != 2 || e.Link == nil || e.Link.StreamID != "links" {
					t.Errorf("%+v", e)
				}
			case e.Event != nil || e.Link == nil || e.Link.EventNumber != uint64(i):
				t.Errorf("%d: %+v", i, e)
			}
		}
		s.Close()
	}
}

// More calls than there is room for are told to come again, and the others go on.
func TestTooManyCalls(t *testing.T) {
	t.Parallel()
	store := memory.New(time.Now)
	fill(t, store, 1)
	address := serve(t, esdbserver.Config{Store: store, CallsMax: 5})
	client := raw(t, address)
	follow := readReq("a", func(o *streams.ReadReq_Options) {
		o.CountOption = &streams.ReadReq_Options_Subscription{Subscription: &streams.ReadReq_Options_SubscriptionOptions{}}
	})
	ctx, cancel := context.WithCancel(limited(t))
	for range 5 {
		call, err := client.Read(ctx, follow)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := call.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := readRaw(t, client, readReq("a")); status.Code(err) != codes.Unavailable {
		t.Errorf("the sixth: %v", err)
	}
	cancel()
	for {
		_, err := readRaw(t, client, readReq("a"))
		if err == nil {
			break
		}
		if status.Code(err) != codes.Unavailable {
			t.Fatalf("after others have ended: %v", err)
		}
		time.Sleep(time.Millisecond)
	}
}

// A server that ends does not wait for ever for clients that take nothing.
func TestServerEndsUnderSlowClients(t *testing.T) {
	t.Parallel()
	store := memory.New(time.Now)
	for i := range 200 {
		e := propose(fmt.Sprint(i), 1)[0]
		e.Data = make([]byte, 100_000)
		write(t, store, "s", eventstore.Version(i), e)
	}
	listener := listenAt(t, "127.0.0.1:0")
	stop := serveOn(t, listener, esdbserver.Config{Store: store, Drain: 200 * time.Millisecond})
	client := raw(t, listener.Addr().String())
	for range 3 {
		call, err := client.Read(limited(t), readReq("s"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := call.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	stop()
}
