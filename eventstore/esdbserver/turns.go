package esdbserver

import (
	"context"
	"hash/maphash"
)

// turns lets appends to one stream that name no version come one after the other, so that they don't race for it.
// Streams that share a turn wait for each other; that costs a little time and no more.
type turns struct {
	seed  maphash.Seed
	slots [256]chan struct{}
}

func newTurns() *turns {
	t := &turns{seed: maphash.MakeSeed()}
	for i := range t.slots {
		t.slots[i] = make(chan struct{}, 1)
	}
	return t
}

func (t *turns) take(ctx context.Context, stream string) (release func(), err error) {
	slot := t.slots[maphash.String(t.seed, stream)%uint64(len(t.slots))]
	select {
	case slot <- struct{}{}:
		return func() { <-slot }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
