// Package esdb keeps the books on an EventStoreDB (KurrentDB) cluster, through its own client.
//
// A supervisor (link.go) stands around the client: it has timeouts of its own, makes a new client where the old one is
// dead, and answers at once while the cluster is away. A position is the event's commit position in $all: it rises, with
// gaps. A version is the event's number in its stream, plus one. The instant is the server's.
package esdb

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"strings"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// AppendMax is the most bytes that the events of one append may have together, as EventMax counts them: what a server
// takes that was not told otherwise.
const AppendMax = 1 << 20

var (
	ErrAppendTooLarge = &domain.Error{
		Code: domain.Invalid, Rule: "log.append_too_large",
		Text: "what is written together is more than the EventStoreDB server takes at once; send fewer commands together",
	}
	ErrOtherLog = &domain.Error{
		Code: domain.Unavailable, Rule: "log.other",
		Text: "the data directory belongs to another log; name that log with --store, or another directory with --data",
	}
)

// Options say what is kept where.
type Options struct {
	Categories []string     // the ledger's streams are those named category-…; all others are passed over; nil: none are but the system's
	Dir        string       // data directory that belongs to this log and no other; "": there is none
	Log        *slog.Logger // of the client; nil: it says nothing
	Times      Times        // zero members have their defaults
}

// Times are how long things may take.
type Times struct {
	Call  time.Duration // one question to the server, and an append with all its repeats
	Blip  time.Duration // after a connection is lost, as long as callers wait for a new one; later ones are refused at once
	Rest  time.Duration // between two attempts to connect, at first; it doubles
	Rests time.Duration // and is this at most
	Poll  time.Duration // a follower who hears nothing for so long asks whether there is something to hear
}

func (t Times) orDefaults() Times {
	for _, d := range []struct {
		of    *time.Duration
		usual time.Duration
	}{
		{&t.Call, 10 * time.Second},
		{&t.Blip, 2 * time.Second},
		{&t.Rest, 50 * time.Millisecond},
		{&t.Rests, 3 * time.Second},
		{&t.Poll, 2 * time.Second},
	} {
		if *d.of == 0 {
			*d.of = d.usual
		}
	}
	return t
}

// Store is an eventstore.Store on a cluster. Many processes may write to the same one.
type Store struct {
	address    Address
	categories []string // with the prefix and the dash
	times      Times
	link       *link
	bound      bound

	seen seen
}

var _ eventstore.Store = (*Store)(nil)

// Open begins to connect and returns at once: whether the cluster can be reached, Ready tells. Refuses log.other for a
// directory with an embedded log, and a mark that can't be read.
func Open(address Address, options Options) (*Store, error) {
	s := &Store{address: address, times: options.Times.orDefaults()}
	for _, c := range options.Categories {
		s.categories = append(s.categories, address.Prefix+c+"-")
	}
	if s.categories == nil {
		s.categories = []string{address.Prefix}
	}
	if err := s.bound.open(options.Dir, address.String()); err != nil {
		return nil, err
	}
	s.link = newLink(address, s.times, options.Log, s.recognize)
	return s, nil
}

// Close ends every Follow and every call under way, and refuses new ones. Closing again does nothing.
func (s *Store) Close() error {
	s.link.close()
	return nil
}

// Ready waits until the cluster is connected to and known to be the right one. Refuses log.unavailable, log.other.
func (s *Store) Ready(ctx context.Context) error {
	_, err := persist(ctx, s, func() (answer, error) { return ask(ctx, s.link, alive) })
	return err
}

// own tells the ledger's streams from all others on the server, and takes the prefix off. This is the one rule: the
// system's own ($…), and streams of no category of the ledger, are passed over. What stands in a stream of the ledger is
// the ledger's, whatever its kind: an unknown kind there is an error to who reads it.
func (s *Store) own(stream string) (name string, yes bool) {
	if strings.HasPrefix(stream, "$") {
		return "", false
	}
	for _, c := range s.categories {
		if strings.HasPrefix(stream, c) {
			return stream[len(s.address.Prefix):], true
		}
	}
	return "", false
}

// versionMax is the highest version that a server counts.
const versionMax = math.MaxInt64

var errClosed = eventstore.ErrUnavailable.With("the log was closed")

// refusal is what callers are told of the client's errors.
func (s *Store) refusal(err error) error {
	var own *domain.Error
	switch code := codeOf(err); {
	case errors.As(err, &own), code == esdb.ErrorCodeWrongExpectedVersion:
		return err
	case code == esdb.ErrorCodeStreamDeleted:
		return eventstore.ErrDamaged.With("%s: %s", s.address, told(err))
	case isReserved(err):
		return eventstore.ErrReserved.With("%s is a server of urikake, which gives instants itself: import into its own directory", s.address)
	}
	return eventstore.ErrUnavailable.With("%s: %s", s.address, told(err))
}
