package sqlite

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/urikake/urikake/eventstore"
)

// Survey is a log that may be damaged, opened for an audit: it gives whatever can be read, and says where something
// can't. It changes nothing, and nobody can write to the log meanwhile.
type Survey struct {
	lock    *os.File
	readers readers
	head    eventstore.Position
}

var _ eventstore.Damaged = (*Survey)(nil)

// OpenSurvey opens the log in dir however damaged its rows are. Refuses log.locked, log.damaged for a file that is no
// log at all, log.newer, and log.unavailable where there is none.
func OpenSurvey(dir string) (*Survey, error) {
	path := filepath.Join(dir, fileName)
	if _, err := os.Stat(path); err != nil {
		return nil, eventstore.ErrUnavailable.With("%v", err)
	}
	lock, err := prepare(dir)
	if err != nil {
		return nil, err
	}
	if err := modern(path); err != nil {
		return nil, errors.Join(fault(path, err), lock.Close())
	}
	s := &Survey{lock: lock, readers: newReaders(path, new(names), make(chan struct{}))}
	if err := s.readers.with(context.Background(), s.begin); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// modern gives a log of an older format the tables of today, as Open would.
func modern(path string) error {
	conn, err := connect(path, nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	application, err := ask(conn, "PRAGMA application_id")
	if err != nil || application != applicationID {
		return err
	}
	version, err := ask(conn, "PRAGMA user_version")
	if err != nil || version < 1 || version >= format {
		return err
	}
	return upgrade(conn)
}

func (s *Survey) begin(r *reader) error {
	application, err := ask(r.conn, "PRAGMA application_id")
	if err != nil {
		return err
	}
	version, err := ask(r.conn, "PRAGMA user_version")
	switch {
	case err != nil:
		return err
	case application != applicationID:
		return eventstore.ErrDamaged.With("%s is not an urikake log (application id %#x)", fileName, application)
	case version > format:
		return ErrNewer.With("format %d, known up to %d", version, format)
	}
	var failed error
	for _, query := range []string{
		"SELECT coalesce(max(position), 0) FROM events NOT INDEXED",
		"SELECT coalesce(max(position), 0) FROM events INDEXED BY events_stream WHERE stream > 0", // where the table's end is lost
	} {
		last, err := ask(r.conn, query)
		if s.head = max(s.head, eventstore.Position(last)); err == nil {
			break
		}
		failed = errors.Join(failed, err)
	}
	if s.head > 0 {
		return nil
	}
	return failed
}

// Close gives the log free.
func (s *Survey) Close() error { return errors.Join(s.readers.close(), s.lock.Close()) }

// Head is the newest position.
func (s *Survey) Head(ctx context.Context) (eventstore.Position, error) { return s.head, ctx.Err() }

// Count is how many events there are; 0 where that can't be found out.
func (s *Survey) Count(ctx context.Context) (n int64) {
	_ = s.readers.with(ctx, func(r *reader) (err error) {
		n, err = ask(r.conn, "SELECT count(*) FROM events")
		return err
	})
	return n
}

// Append refuses: an audit writes nothing.
func (s *Survey) Append(context.Context, string, eventstore.Version, ...eventstore.Proposed) (eventstore.Position, error) {
	return 0, eventstore.ErrUnavailable.With("the log is being audited")
}

// Follow yields the events after a position up to the head, and ends there; what can't be read ends it with log.damaged.
func (s *Survey) Follow(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		for r, err := range s.after(ctx, after) {
			if lost := (*eventstore.Lost)(nil); errors.As(err, &lost) {
				err = eventstore.ErrDamaged.With("%v", lost)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// Events yields every position from 1 to the head, in order: its event, or that it is lost.
func (s *Survey) Events(ctx context.Context) iter.Seq2[eventstore.Recorded, error] {
	return s.after(ctx, 0)
}

func (s *Survey) after(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		after := after
		var p page
		for after < s.head {
			err := s.readers.with(ctx, func(r *reader) error { return r.some(&p, after) })
			for _, e := range p.events {
				if e.Position > after+1 && !yield(lost(after+1, e.Position-1, "missing")) || !yield(e, nil) {
					return
				}
				after = e.Position
			}
			if ended := ctx.Err(); ended != nil {
				yield(eventstore.Recorded{}, ended)
				return
			}
			switch {
			case err != nil:
				from := after + 1
				if after, err = s.beyond(ctx, from, err); !yield(lost(from, after, "can't be read: "+reason(err))) {
					return
				}
			case len(p.events) == 0:
				yield(lost(after+1, s.head, "missing"))
				return
			}
		}
	}
}

// beyond finds the last of the positions from one on that fail alike.
func (s *Survey) beyond(ctx context.Context, from eventstore.Position, why error) (eventstore.Position, error) {
	for last := from; last < s.head && ctx.Err() == nil; last++ {
		var p page
		err := s.readers.with(ctx, func(r *reader) error { return r.one(&p, last+1) })
		if err == nil || err.Error() != why.Error() {
			return last, why
		}
	}
	return s.head, why
}

func lost(from, to eventstore.Position, why string) (eventstore.Recorded, error) {
	return eventstore.Recorded{}, &eventstore.Lost{From: from, To: to, Why: why}
}

// reason is what is wrong, without the advice that comes with it.
func reason(err error) string {
	_, detail, found := strings.Cut(err.Error(), eventstore.ErrDamaged.Text+": ")
	if !found {
		return err.Error()
	}
	return strings.TrimPrefix(detail, fileName+": ")
}

// some fills the page with events after a position. What stands in the page when it fails is sound.
func (r *reader) some(p *page, after eventstore.Position) error {
	r.byLog.BindInt64(1, number(after))
	_, err := r.fill(p, r.byLog, r.wholeID)
	return err
}

// one fills the page with the event at a position or after it.
func (r *reader) one(p *page, at eventstore.Position) error {
	defer r.byLog.Reset()
	r.byLog.BindInt64(1, number(at-1))
	p.events, p.size = p.events[:0], 0
	row, err := r.byLog.Step()
	if err != nil || !row {
		return err
	}
	var e eventstore.Recorded
	if err = r.decode(&e, p, r.byLog); err == nil {
		err = r.wholeID(&e)
	}
	return err
}

// wholeID refuses an id that has more or fewer bytes than an event's.
func (r *reader) wholeID(e *eventstore.Recorded) error {
	if n := r.byLog.ColumnLen(5); n != len(e.ID) {
		return eventstore.ErrDamaged.With("its id has %d bytes", n)
	}
	return nil
}

// Read yields a stream's events as commands read them: by the index.
func (s *Survey) Read(ctx context.Context, stream string, after eventstore.Version) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		after := after
		var h head
		var p page
		for more := true; more; after += eventstore.Version(len(p.events)) {
			err := s.readers.with(ctx, func(r *reader) (err error) {
				if h.id == 0 {
					if h, err = find(r.find, stream); err != nil {
						return err
					}
				}
				more, err = r.stream(&p, stream, h, after)
				return err
			})
			if !p.yield(ctx, err, yield) {
				return
			}
		}
	}
}

// Name finds out of the index whose events were lost, where one alone is. O(events).
func (s *Survey) Name(ctx context.Context, list []*eventstore.Lost) {
	at := make(map[int64]*eventstore.Lost, len(list))
	for _, l := range list {
		if l.From == l.To {
			at[int64(l.From)] = l
		}
	}
	if len(at) == 0 {
		return
	}
	_ = s.readers.with(ctx, func(r *reader) error { // what the index has lost, too, stays without a name
		return sqlitex.Execute(r.conn, "SELECT position, stream, version FROM events INDEXED BY events_stream WHERE stream > 0", &sqlitex.ExecOptions{
			ResultFunc: func(stmt *sqlite.Stmt) (err error) {
				if l := at[stmt.ColumnInt64(0)]; l != nil {
					l.Version = eventstore.Version(stmt.ColumnInt64(2))
					l.Stream, err = r.streamName(stmt.ColumnInt64(1))
				}
				return err
			},
		})
	})
}

// Check asks SQLite whether the file is whole and whether the index has what the table has, and looks for tables, rows
// and triggers that no urikake makes. It names up to a hundred faults. O(events).
func (s *Survey) Check(ctx context.Context) (faults []string, err error) {
	err = s.readers.with(ctx, func(r *reader) error {
		r.conn.SetInterrupt(ctx.Done())
		defer r.conn.SetInterrupt(nil)
		whole, err := column(r.conn, "PRAGMA integrity_check")
		if err != nil {
			faults = append(faults, "it could not be checked: "+reason(err))
		}
		for _, text := range whole {
			if text != "ok" {
				faults = append(faults, text)
			}
		}
		ours, err := ownSchema()
		if err != nil {
			return err
		}
		if theirs, err := column(r.conn, schemaText); err != nil {
			faults = append(faults, "its schema can't be read: "+reason(err))
		} else {
			faults = append(faults, difference(ours, theirs)...)
		}
		if n, err := ask(r.conn, "SELECT count(*) FROM events NOT INDEXED WHERE position < 1"); err == nil && n > 0 {
			faults = append(faults, fmt.Sprintf("%d events stand before the first position", n))
		}
		return nil
	})
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return faults, err
}

const schemaText = "SELECT type || ' ' || name || coalesce(': ' || sql, '') FROM sqlite_schema ORDER BY 1"

// ownSchema is the schema of an empty log.
func ownSchema() (list []string, err error) {
	conn, err := sqlite.OpenConn(":memory:", sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := sqlitex.ExecuteScript(conn, tables, nil); err != nil {
		return nil, err
	}
	return column(conn, schemaText)
}

// difference names what only one of two schemas has.
func difference(ours, theirs []string) (faults []string) {
	have := make(map[string]bool)
	for _, text := range theirs {
		have[text] = true
	}
	for _, text := range ours {
		if !have[text] {
			faults = append(faults, "its schema lacks "+text)
		}
		delete(have, text)
	}
	for _, text := range theirs {
		if have[text] {
			faults = append(faults, "its schema has "+text)
		}
	}
	return faults
}

// column is what a query gives, of which each row has one text.
func column(conn *sqlite.Conn, query string) (list []string, err error) {
	err = sqlitex.ExecuteTransient(conn, query, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		list = append(list, stmt.ColumnText(0))
		return nil
	}})
	return list, err
}
