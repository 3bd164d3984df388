package projections

import (
	"context"
	"errors"
	"sync"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// reader is one connection that sees one state of all tables.
type reader struct{ conn *sqlite.Conn }

// readers lends the connections that read. The one that came back last is lent first, since its cache is warm.
type readers struct {
	slots chan struct{} // one for each connection that is lent
	mu    sync.Mutex
	idle  []*sqlite.Conn
}

func newReaders() *readers { return &readers{slots: make(chan struct{}, readersMax)} }

// lend gives an idle connection, or a new one. It waits for one unless now is set; ok is false when none was idle.
func (p *readers) lend(ctx context.Context, path string, now bool) (conn *sqlite.Conn, ok bool, err error) {
	select {
	case p.slots <- struct{}{}:
	default:
		if now {
			return nil, false, nil
		}
		select {
		case p.slots <- struct{}{}:
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		conn, p.idle = p.idle[n-1], p.idle[:n-1]
	}
	p.mu.Unlock()
	if conn == nil {
		conn, err = connect(path, "query_only = ON", "cache_size = -6144")
	}
	if err != nil {
		<-p.slots
		return nil, true, fault(ctx, err)
	}
	return conn, true, nil
}

func (p *readers) giveBack(conn *sqlite.Conn) {
	p.mu.Lock()
	p.idle = append(p.idle, conn)
	p.mu.Unlock()
	<-p.slots
}

// close waits until all connections are back and closes them.
func (p *readers) close() (err error) {
	for range readersMax {
		p.slots <- struct{}{}
	}
	for _, conn := range p.idle {
		err = errors.Join(err, conn.Close())
	}
	return err
}

// look runs work on one unchanging state of the tables. It waits for a connection unless now is set; ok is false
// when none was idle.
func (d *database) look(ctx context.Context, now bool, work func(*reader) error) (ok bool, err error) {
	conn, ok, err := d.readers.lend(ctx, d.path, now)
	if !ok || err != nil {
		return ok, err
	}
	conn.SetInterrupt(ctx.Done())
	err = fault(ctx, readAll(conn, work))
	conn.SetInterrupt(nil)
	d.readers.giveBack(conn)
	return true, err
}

func readAll(conn *sqlite.Conn, work func(*reader) error) (err error) {
	if err = sqlitex.Execute(conn, "BEGIN", nil); err != nil {
		return err
	}
	defer func() {
		conn.SetInterrupt(nil)
		err = errors.Join(err, sqlitex.Execute(conn, "COMMIT", nil))
	}()
	return work(&reader{conn})
}

// each runs a query and calls row for each row of the answer. The same text can't run twice at a time.
func (r *reader) each(query string, args []Value, row func(*cursor) error) error {
	c := r.rows(query, args...)
	defer c.close()
	for c.next() {
		if err := row(c); err != nil {
			return err
		}
	}
	return c.err
}

// tables names every table of the file.
func (r *reader) tables() (names []string, err error) {
	err = r.each("SELECT name FROM sqlite_schema WHERE type = 'table'", nil, func(c *cursor) error {
		names = append(names, c.text(0))
		return nil
	})
	return names, err
}

// rows is a query to be stepped through.
func (r *reader) rows(query string, args ...Value) *cursor {
	return &cursor{conn: r.conn, query: query, args: args}
}

// cursor stands on a row of an answer.
type cursor struct {
	conn  *sqlite.Conn
	query string
	args  []Value
	stmt  *sqlite.Stmt
	err   error
}

// next goes on to the next row; at the end, or at an error, it is false.
func (c *cursor) next() bool {
	if c.err != nil {
		return false
	}
	if c.stmt == nil {
		if c.stmt, c.err = c.conn.Prepare(c.query); c.err != nil {
			return false
		}
		for i, v := range c.args {
			bind(c.stmt, i+1, v)
		}
	}
	row, err := c.stmt.Step()
	c.err = err
	return row && err == nil
}

func (c *cursor) close() {
	if c.stmt != nil {
		c.stmt.Reset()
	}
}

func (c *cursor) int(column int) int64   { return c.stmt.ColumnInt64(column) }
func (c *cursor) text(column int) string { return c.stmt.ColumnText(column) }

// bytes is a text without a string of its own: it fills buf, which must be long enough.
func (c *cursor) bytes(column int, buf []byte) []byte { return buf[:c.stmt.ColumnBytes(column, buf)] }
