package esdbserver

import (
	"context"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
)

var errImmutable = Denied("a ledger's history is immutable: no stream is ever deleted")

// Delete is always refused.
func (*streamsService) Delete(context.Context, *streams.DeleteReq) (*streams.DeleteResp, error) {
	return nil, errImmutable
}

// Tombstone is always refused.
func (*streamsService) Tombstone(context.Context, *streams.TombstoneReq) (*streams.TombstoneResp, error) {
	return nil, errImmutable
}
