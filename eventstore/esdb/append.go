package esdb

import (
	"bytes"
	"context"
	"errors"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/urikake/urikake/eventstore"
)

// Append does what the port says. An attempt whose outcome is unknown is made again: the ids and the expected version
// make it the same write. Refuses also log.append_too_large, which a server would not tell from other errors.
func (s *Store) Append(ctx context.Context, stream string, expected eventstore.Version,
	events ...eventstore.Proposed,
) (eventstore.Position, error) {
	if err := eventstore.CheckAppend(ctx, stream, events); err != nil {
		return 0, err
	}
	if err := s.checkSize(stream, events); err != nil {
		return 0, err
	}
	if expected > versionMax {
		return 0, eventstore.ErrWrongVersion.With("%s can't stand at %d", stream, expected)
	}
	data := make([]esdb.EventData, len(events))
	for i, p := range events { // an attempt may outlive the call
		data[i] = proposed(p)
		data[i].Data, data[i].Metadata = bytes.Clone(p.Data), bytes.Clone(p.Metadata)
	}
	var revision esdb.ExpectedRevision = esdb.NoStream{} // nil would be any
	if expected > 0 {
		revision = esdb.Revision(uint64(expected) - 1)
	}
	at, err := persist(ctx, s, func() (uint64, error) {
		return ask(ctx, s.link, func(ctx context.Context, client *esdb.Client) (uint64, error) {
			result, err := client.AppendToStream(ctx, s.address.Prefix+stream,
				esdb.AppendToStreamOptions{ExpectedRevision: revision, Deadline: &s.times.Call}, data...)
			if err != nil {
				return 0, err
			}
			return result.CommitPosition, nil
		})
	})
	if codeOf(err) == esdb.ErrorCodeWrongExpectedVersion {
		return 0, eventstore.ErrWrongVersion.With("%s, expected %d", stream, expected)
	}
	if err == nil && at == 0 { // a server may leave it out
		return s.positionOf(ctx, stream, expected+eventstore.Version(len(events)))
	}
	if err == nil {
		s.saw(eventstore.Position(at), events[len(events)-1].ID)
	}
	return eventstore.Position(at), err
}

func (s *Store) checkSize(stream string, events []eventstore.Proposed) error {
	all := 0
	for i, p := range events {
		n := size(p)
		if n > eventstore.EventMax {
			return eventstore.ErrTooLarge.With("%s, event %d of %d: %d bytes", stream, i+1, len(events), n)
		}
		all += n
	}
	if all > s.address.appendMax {
		return ErrAppendTooLarge.With("%s: %d events of %d bytes together, %d at most", stream, len(events), all, s.address.appendMax)
	}
	return nil
}

// positionOf reads where an event stands that was written.
func (s *Store) positionOf(ctx context.Context, stream string, version eventstore.Version) (eventstore.Position, error) {
	for r, err := range s.Read(ctx, stream, version-1) {
		if err != nil {
			return 0, err
		}
		s.saw(r.Position, r.ID)
		return r.Position, nil
	}
	return 0, eventstore.ErrDamaged.With("%s has no version %d, which was written", stream, version)
}

// isFinal tells errors that another attempt does not change.
func isFinal(err error) bool {
	return isRefusal(err) || codeOf(err) == esdb.ErrorCodeWrongExpectedVersion || errors.Is(err, eventstore.ErrUnavailable) ||
		errors.Is(err, ErrOtherLog)
}
