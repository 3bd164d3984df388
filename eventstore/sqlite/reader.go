package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/urikake/urikake/eventstore"
)

const (
	pageEvents = 256      // in one read transaction, at most
	pageBytes  = 1 << 20  // of data and metadata after which a page ends
	slabMin    = 4 << 10  // bytes that the first events of a page share
	slabMax    = 64 << 10 // and that later ones do
)

// page holds what one read transaction brought, so that the transaction ends before anyone looks at it.
type page struct {
	events []eventstore.Recorded
	size   int
	slab   []byte // free memory for bytes to come
	next   int    // size of the next slab
}

// yield hands the page to the loop and reports whether it goes on; err, or ctx's, is the last pair.
func (p *page) yield(ctx context.Context, err error, yield func(eventstore.Recorded, error) bool) bool {
	for i := range p.events {
		if ctx.Err() != nil {
			break
		}
		if !yield(p.events[i], nil) {
			return false
		}
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		yield(eventstore.Recorded{}, err)
		return false
	}
	return true
}

// take copies a column's bytes; it asks for their length only when they might not fit.
func (p *page) take(s *sqlite.Stmt, column int) []byte {
	n := s.ColumnBytes(column, p.slab)
	if n == len(p.slab) {
		if n = s.ColumnLen(column); n == 0 {
			return nil
		}
		p.next = min(max(2*p.next, slabMin), slabMax)
		p.slab = make([]byte, max(p.next, n+1))
		s.ColumnBytes(column, p.slab)
	}
	if n == 0 {
		return nil
	}
	taken := p.slab[:n:n]
	p.slab, p.size = p.slab[n:], p.size+n
	return taken
}

// reader is a connection that reads.
type reader struct {
	conn *sqlite.Conn

	find, name, byStream, byLog *sqlite.Stmt

	names    *names
	kinds    map[int64]kind
	unsummed bool // the log has no checksums yet
}

var readerPragmas = []string{
	"query_only = ON",
	"cache_size = -2048",
}

const row = "SELECT position, stream, version, at, kind, id, data, metadata, sum FROM events "

func openReader(path string, names *names) (*reader, error) {
	conn, err := connect(path, readerPragmas)
	if err != nil {
		return nil, err
	}
	r, err := newReader(conn, names)
	if err != nil {
		conn.Close()
	}
	return r, err
}

func newReader(conn *sqlite.Conn, names *names) (r *reader, err error) {
	r = &reader{conn: conn, names: names}
	for _, s := range []struct {
		stmt **sqlite.Stmt
		text string
	}{
		{&r.find, findStream},
		{&r.name, "SELECT name FROM streams WHERE id = ?"},
		{&r.byStream, row + "WHERE stream = ? AND version > ? ORDER BY version"},
		{&r.byLog, row + "WHERE position > ? ORDER BY position"},
	} {
		if *s.stmt, err = conn.Prepare(s.text); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// stream fills the page with a stream's events after a version; more says that the page ended before the stream.
func (r *reader) stream(p *page, stream string, h head, after eventstore.Version) (more bool, err error) {
	r.byStream.BindInt64(1, h.id)
	r.byStream.BindInt64(2, number(after))
	start := after
	more, err = r.fill(p, r.byStream, func(e *eventstore.Recorded) error {
		if after++; e.Version != after {
			return eventstore.ErrDamaged.With("%s goes from version %d to %d", stream, after-1, e.Version)
		}
		return nil
	})
	if err != nil {
		return false, fault(fmt.Sprintf("%s, %s after version %d", fileName, stream, start+eventstore.Version(len(p.events))), err)
	}
	if !more && after < h.version {
		return false, eventstore.ErrDamaged.With("%s ends at version %d, not %d", stream, after, h.version)
	}
	return more, nil
}

// log fills the page with the log's events after a position, of which there must be one.
func (r *reader) log(p *page, after eventstore.Position) error {
	r.byLog.BindInt64(1, number(after))
	start := after
	_, err := r.fill(p, r.byLog, func(e *eventstore.Recorded) error {
		if after++; e.Position != after {
			return eventstore.ErrDamaged.With("the log goes from position %d to %d", after-1, e.Position)
		}
		return nil
	})
	if err != nil {
		return fault(fmt.Sprintf("%s after position %d", fileName, start+eventstore.Position(len(p.events))), err)
	}
	if after == start {
		return eventstore.ErrDamaged.With("the log ends at position %d", after)
	}
	return err
}

// fill steps through a bound statement until the page or the result ends. What stands in the page when it fails is sound.
func (r *reader) fill(p *page, s *sqlite.Stmt, follows func(*eventstore.Recorded) error) (more bool, err error) {
	defer s.Reset()
	p.events, p.size = p.events[:0], 0
	for len(p.events) < pageEvents && p.size < pageBytes {
		if row, err := s.Step(); err != nil || !row {
			return false, err
		}
		p.events = append(p.events, eventstore.Recorded{})
		e := &p.events[len(p.events)-1]
		if err = r.decode(e, p, s); err == nil {
			err = follows(e)
		}
		if err != nil {
			p.events = p.events[:len(p.events)-1]
			return false, err
		}
	}
	return true, nil
}

func (r *reader) decode(e *eventstore.Recorded, p *page, s *sqlite.Stmt) (err error) {
	e.Position = eventstore.Position(s.ColumnInt64(0))
	if e.Stream, err = r.streamName(s.ColumnInt64(1)); err != nil {
		return err
	}
	e.Version = eventstore.Version(s.ColumnInt64(2))
	e.At = time.UnixMicro(s.ColumnInt64(3)).UTC()
	k, err := r.kind(s.ColumnInt64(4))
	if err != nil {
		return err
	}
	e.Kind, e.Schema = k.name, k.schema
	s.ColumnBytes(5, e.ID[:])
	e.Data, e.Metadata = p.take(s, 6), p.take(s, 7)
	if sum := checksum(e); sum != s.ColumnInt64(8) && !r.unsummed {
		return eventstore.ErrDamaged.With("position %d (%s, version %d) is not as it was written: its checksum is wrong", e.Position, e.Stream, e.Version)
	}
	return nil
}

// streamName resolves an interned stream name.
func (r *reader) streamName(id int64) (string, error) {
	if text, ok := r.names.get(id); ok {
		return text, nil
	}
	defer r.name.Reset()
	r.name.BindInt64(1, id)
	row, err := r.name.Step()
	if err != nil {
		return "", err
	}
	if !row {
		return "", eventstore.ErrDamaged.With("stream %d has no name", id)
	}
	text := r.name.ColumnText(0)
	r.names.put(id, text)
	return text, nil
}

// kind resolves an interned kind. There are as many as the program has kinds of events, and all are kept.
func (r *reader) kind(id int64) (k kind, err error) {
	if k, ok := r.kinds[id]; ok {
		return k, nil
	}
	if r.kinds, err = readKinds(r.conn); err != nil {
		return k, err
	}
	k, ok := r.kinds[id]
	if !ok {
		return k, eventstore.ErrDamaged.With("kind %d has no name", id)
	}
	return k, nil
}

// readers lends connections; a slot that was never used is nil until it is.
type readers struct {
	path  string
	names *names
	quit  <-chan struct{}
	idle  chan *reader
}

func newReaders(path string, names *names, quit <-chan struct{}) readers {
	p := readers{path, names, quit, make(chan *reader, readerMax)}
	for range readerMax {
		p.idle <- nil
	}
	return p
}

// with runs read on a connection, as soon as one is idle. One that failed is thrown away.
func (p *readers) with(ctx context.Context, read func(*reader) error) error {
	var r *reader
	select {
	case r = <-p.idle:
	case <-ctx.Done():
		return ctx.Err()
	case <-p.quit:
		return errClosed
	}
	select {
	case <-p.quit:
		p.idle <- r
		return errClosed
	default:
	}
	r, err := p.open(r)
	if err == nil {
		err = read(r)
	}
	if err != nil {
		err = fault(fileName, err)
		if r != nil {
			r.conn.Close()
			r = nil
		}
	}
	p.idle <- r
	return err
}

func (p *readers) open(r *reader) (*reader, error) {
	if r != nil {
		return r, nil
	}
	return openReader(p.path, p.names)
}

func (p *readers) close() (err error) {
	for range readerMax {
		if r := <-p.idle; r != nil {
			err = errors.Join(err, r.conn.Close())
		}
	}
	return err
}
