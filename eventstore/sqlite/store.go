// Package sqlite keeps the books in one file, log.db, in a data directory that one process has open at a time.
//
// One goroutine writes. It takes whatever appends wait and commits them as one transaction, so that many callers share
// the wait for the disk; each is answered only when its events are synced. Readers have connections of their own and
// read in short pages: nobody who reads holds a writer up.
package sqlite

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"zombiezen.com/go/sqlite"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

const (
	fileName  = "log.db"
	queueMax  = 1024    // appends waiting for the writer; more callers than that wait to get in
	groupMax  = 1024    // appends in one transaction
	groupSize = 8 << 20 // bytes of events in one transaction after which it ends
	headsMax  = 1 << 16 // streams whose heads are kept in memory, at least; at most twice as many
	readerMax = 4       // connections that read at the same time
)

// Store is an eventstore.Store in one SQLite file. Its positions are contiguous from 1.
type Store struct {
	lock    *os.File
	queue   chan *request
	quit    chan struct{} // closed when nothing more is accepted
	stopped chan struct{} // closed when the writer has ended
	once    sync.Once
	closed  error // what closing came to; set before stopped is closed
	copied  bool  // a copy for reports, which takes no events

	heads   *heads
	names   *names
	readers readers
	tail    tail
	commits atomic.Uint64
	grouped atomic.Uint64 // events in those commits
}

var _ eventstore.Store = (*Store)(nil)

// Open opens the log in dir, and makes the directory (for its owner only) and an empty log where there is none.
// Refuses log.locked while another process has it open, log.damaged and log.newer for a file that can't be used, and
// log.unavailable when the directory can't be written.
func Open(dir string, clock eventstore.Clock) (*Store, error) {
	lock, err := prepare(dir)
	if err != nil {
		return nil, err
	}
	w, err := openWriter(dir, clock)
	if err != nil {
		lock.Close()
		return nil, err
	}
	s := &Store{
		lock: lock, copied: w.copied,
		queue: make(chan *request, queueMax), quit: make(chan struct{}), stopped: make(chan struct{}),
		heads: newHeads(headsMax), names: new(names),
		tail: tail{head: w.position, grown: make(chan struct{})},
	}
	s.readers = newReaders(filepath.Join(dir, fileName), s.names, s.quit)
	go s.write(w)
	return s, nil
}

// Close answers the appends that were accepted, refuses new ones, ends every Follow, and gives the directory free.
// Closing again returns what the first time did.
func (s *Store) Close() error {
	s.once.Do(func() { close(s.quit) })
	<-s.stopped
	return s.closed
}

// release closes everything; the writer's connection last, so that it leaves no write-ahead log behind.
func (s *Store) release(w *writer) error {
	return errors.Join(s.readers.close(), w.close(), s.lock.Close())
}

// Head is the newest durable event's position; it asks no disk.
func (s *Store) Head(ctx context.Context) (eventstore.Position, error) {
	select {
	case <-s.quit:
		return 0, errClosed
	default:
		head, _ := s.tail.get()
		return head, ctx.Err()
	}
}

// Stats counts what the log holds and what this process has written. GroupEvents / Commits tells how many events share
// one wait for the disk.
type Stats struct {
	Events      uint64 // in the log
	Commits     uint64 // of this process
	GroupEvents uint64 // in those commits
	QueueLen    int    // appends that wait for the writer now, 1024 at most; callers beyond them wait to get in
}

// Stats costs nothing to ask.
func (s *Store) Stats() Stats {
	head, _ := s.tail.get()
	return Stats{Events: uint64(head), Commits: s.commits.Load(), GroupEvents: s.grouped.Load(), QueueLen: len(s.queue)}
}

// tail is the end of the log that readers may see, and the bell that rings when it moves.
type tail struct {
	mu    sync.Mutex
	head  eventstore.Position
	grown chan struct{}
}

func (t *tail) get() (eventstore.Position, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.head, t.grown
}

func (t *tail) advance(head eventstore.Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if head <= t.head {
		return
	}
	t.head = head
	close(t.grown)
	t.grown = make(chan struct{})
}

var errClosed = eventstore.ErrUnavailable.With("the log was closed")

// fault makes a refusal of what SQLite says: damage is told apart from a log that can't be reached now. Our few
// statements are right, so one that SQLite finds wrong or in conflict with the rows met tables that aren't ours any more.
func fault(where string, err error) error {
	if refusal := (*domain.Error)(nil); errors.As(err, &refusal) {
		return refusal
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultCorrupt, sqlite.ResultNotADB, sqlite.ResultError, sqlite.ResultConstraint, sqlite.ResultMismatch:
		return eventstore.ErrDamaged.With("%s: %v", where, err)
	case sqlite.ResultFull:
		return eventstore.ErrUnavailable.With("%s: the disk is full", where)
	default:
		return eventstore.ErrUnavailable.With("%s: %v", where, err)
	}
}

// number makes an SQL integer of a version or position; no log ever reaches the cut.
func number[N ~uint64](n N) int64 { return int64(min(uint64(n), math.MaxInt64)) }
