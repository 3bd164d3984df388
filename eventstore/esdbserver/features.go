package esdbserver

import (
	"context"
	"net"
	"strconv"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/google/uuid"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
)

// protocolVersion is the EventStoreDB whose protocol is spoken. Clients read its three numbers.
const protocolVersion = "24.10.0"

// features tells clients what they may use.
type features struct {
	serverfeatures.UnimplementedServerFeaturesServer
}

// GetSupportedMethods lists what works, as clients spell it.
func (features) GetSupportedMethods(context.Context, *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	return &serverfeatures.SupportedMethods{
		EventStoreServerVersion: protocolVersion,
		Methods: []*serverfeatures.SupportedMethod{
			{ServiceName: "event_store.client.streams.streams", MethodName: "read", Features: []string{"position", "events"}},
			{ServiceName: "event_store.client.streams.streams", MethodName: "append"},
			{ServiceName: "event_store.client.gossip.gossip", MethodName: "read"},
			{ServiceName: "event_store.client.server_features.serverfeatures", MethodName: "getsupportedmethods"},
		},
	}, nil
}

// members is a cluster of one.
type members struct {
	gossip.UnimplementedGossipServer
	instance uuid.UUID
}

func newGossip() *members { return &members{instance: uuid.New()} }

// Read names the one node, which is the leader, by the address at which the client has found it.
func (m *members) Read(ctx context.Context, _ *shared.Empty) (*gossip.ClusterInfo, error) {
	host, port := reachedAt(ctx)
	return &gossip.ClusterInfo{Members: []*gossip.MemberInfo{{
		InstanceId: structured(m.instance), TimeStamp: ticks(time.Now()), State: gossip.MemberInfo_Leader, IsAlive: true,
		HttpEndPoint: &gossip.EndPoint{Address: host, Port: port},
	}}}, nil
}

// reachedAt is the name by which the client has called this server: a certificate is made out to that, and behind a
// router only that leads here. Where the client names no port, the connection's own address stands in.
func reachedAt(ctx context.Context) (host string, port uint32) {
	if names := metadata.ValueFromIncomingContext(ctx, ":authority"); len(names) > 0 {
		if host, port, ok := split(names[0]); ok {
			return host, port
		}
	}
	if p, ok := peer.FromContext(ctx); ok && p.LocalAddr != nil {
		if host, port, ok := split(p.LocalAddr.String()); ok {
			return host, port
		}
	}
	return "localhost", 2113
}

func split(address string) (string, uint32, bool) {
	host, text, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return "", 0, false
	}
	port, err := strconv.ParseUint(text, 10, 16)
	return host, uint32(port), err == nil
}
