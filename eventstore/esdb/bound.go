package esdb

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"github.com/urikake/urikake/eventstore"
)

// boundFile says, in a data directory, which log the directory belongs to: by one event, since a cluster may move.
const boundFile = "esdb.json"

type bound struct {
	path string // "": nothing is bound

	mu   sync.Mutex
	mark mark
	err  error // of writing it
}

type mark struct {
	Address  string              `json:"address"`  // where it was seen; for people
	Position eventstore.Position `json:"position"` // of an event of the log
	Event    uuid.UUID           `json:"event"`    // its id
}

// Bound tells to which cluster a data directory belongs; "" if to none.
func Bound(dir string) (string, error) {
	var b bound
	err := b.open(dir, "")
	return b.mark.Address, err
}

func (b *bound) open(dir, address string) error {
	if dir == "" {
		return nil
	}
	b.path = filepath.Join(dir, boundFile)
	text, err := os.ReadFile(b.path)
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ENOTDIR): // whoever makes the directory will say what is wrong
		b.mark.Address = address
		return nil
	case err != nil:
		return eventstore.ErrUnavailable.With("%v", err)
	}
	if err := json.Unmarshal(text, &b.mark); err != nil || b.mark.Position == 0 {
		return ErrOtherLog.With("%s can't be read; restore it, or remove it if the log is the right one", b.path)
	}
	return nil
}

// to binds the directory to the log in which that event was seen, unless it is bound.
func (b *bound) to(at eventstore.Position, id uuid.UUID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.path == "" || b.mark.Position > 0 || b.err != nil {
		return
	}
	m := b.mark
	m.Position, m.Event = at, id
	if b.err = m.write(b.path); b.err == nil {
		b.mark = m
	}
}

// write makes the file whole or not at all.
func (m mark) write(path string) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	beside := path + ".new"
	if err := os.WriteFile(beside, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(beside, path)
}

// recognize asks a new connection for the event by which the log is known. Refuses log.other if it is not there.
func (s *Store) recognize(ctx context.Context, client *esdb.Client) error {
	s.bound.mu.Lock()
	m := s.bound.mark
	s.bound.mu.Unlock()
	if m.Position > 0 {
		e, err := eventAt(ctx, client, m.Position)
		if err != nil {
			return err
		}
		if e == nil || e.EventID != m.Event {
			return ErrOtherLog.With("%s has no event %s at position %d; %s names it", s.address, m.Event, m.Position, s.bound.path)
		}
	}
	s.seen.forget()
	return nil
}

// eventAt is the event at exactly that position of $all, nil if none stands there.
func eventAt(ctx context.Context, client *esdb.Client, at eventstore.Position) (*esdb.RecordedEvent, error) {
	a, err := collect(ctx, 1, func(ctx context.Context) (*esdb.ReadStream, error) {
		from := esdb.Position{Commit: uint64(at), Prepare: uint64(at)}
		return client.ReadAll(ctx, esdb.ReadAllOptions{Direction: esdb.Forwards, From: from}, 1)
	})
	switch {
	case err != nil && codeOf(err) == esdb.ErrorCodeUnknown && !isLost(err): // so a server says that no event begins there
		return nil, nil
	case err != nil:
		return nil, err
	case len(a.events) == 0 || a.events[0].Position.Commit != uint64(at):
		return nil, nil
	}
	return a.events[0], nil
}
