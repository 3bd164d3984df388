package sqlite

import (
	"encoding/binary"
	"hash/crc32"
	"sync"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/urikake/urikake/eventstore"
)

// SQLite notices a page that makes no sense, but not a changed letter. So each row carries a checksum over all that is
// read of it, names instead of their numbers, which every read compares.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// spaces are for what checksum puts together: crc32 would let a variable of its own escape.
var spaces = sync.Pool{New: func() any { return new([256]byte) }}

// checksum takes some 100 ns.
func checksum(e *eventstore.Recorded) int64 {
	space := spaces.Get().(*[256]byte)
	defer spaces.Put(space)
	b := space[:0]
	for _, n := range []uint64{
		uint64(e.Position), uint64(e.Version), uint64(e.At.UnixMicro()), uint64(e.Schema),
		uint64(len(e.Stream)), uint64(len(e.Kind)), uint64(len(e.Data)), uint64(len(e.Metadata)),
	} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	b = append(append(append(b, e.ID[:]...), e.Stream...), e.Kind...)
	sum := crc32.Update(crc32.Checksum(b, castagnoli), castagnoli, e.Data)
	return int64(crc32.Update(sum, castagnoli, e.Metadata))
}

// upgrade adds checksums to a log of format 1, in one transaction.
func upgrade(conn *sqlite.Conn) (err error) {
	defer sqlitex.Save(conn)(&err)
	if err := sqlitex.ExecuteTransient(conn, "ALTER TABLE events ADD COLUMN sum INTEGER NOT NULL DEFAULT 0", nil); err != nil {
		return err
	}
	update, err := conn.Prepare("UPDATE events SET sum = ? WHERE position = ?")
	if err != nil {
		return err
	}
	r, err := newReader(conn, new(names))
	if err != nil {
		return err
	}
	r.unsummed = true
	var p page
	var after eventstore.Position
	newest, err := ask(conn, "SELECT coalesce(max(position), 0) FROM events")
	for err == nil && after < eventstore.Position(newest) {
		if err = r.log(&p, after); err != nil {
			return err
		}
		for i := range p.events {
			update.BindInt64(1, checksum(&p.events[i]))
			update.BindInt64(2, number(p.events[i].Position))
			if err := run(update); err != nil {
				return err
			}
		}
		after += eventstore.Position(len(p.events))
	}
	if err != nil {
		return err
	}
	return sqlitex.ExecuteTransient(conn, "PRAGMA user_version = 2", nil)
}
