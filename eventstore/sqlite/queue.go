package sqlite

import (
	"context"

	"github.com/urikake/urikake/eventstore"
)

var _ eventstore.Queue = (*Store)(nil)

// AppendInOrder hands all appends to the writer before it waits for the first, so that they share the wait for the disk.
func (s *Store) AppendInOrder(ctx context.Context, appends []eventstore.Append) error {
	for _, a := range appends {
		if err := eventstore.CheckAppend(ctx, a.Stream, a.Events); err != nil {
			return err
		}
	}
	var under []*request
	var failed error
	for _, a := range appends {
		r := requests.Get().(*request)
		r.stream, r.expected, r.events = a.Stream, a.Expected, a.Events
		r.state.Store(waiting)
		if failed = s.enqueue(ctx, r); failed != nil {
			break
		}
		under = append(under, r)
	}
	for _, r := range under {
		if _, err := s.await(ctx, r); failed == nil {
			failed = err
		}
	}
	return failed
}
