package audit

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"slices"

	"github.com/google/uuid"

	"github.com/urikake/urikake/eventstore"
)

var commandSeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// commandOf is a command's id in few bytes: two hashes, so that no two ids are ever taken for one.
func commandOf(r eventstore.Recorded) (of [2]uint64) {
	id, ok := bytes.CutPrefix(r.Metadata, []byte(`{"command_id":"`))
	end := bytes.IndexByte(id, '"')
	if ok = ok && end >= 0; ok {
		id = id[:end]
	}
	if !ok || bytes.IndexByte(id, '\\') >= 0 { // others write otherwise
		text, _ := eventstore.CommandOf(r)
		id = []byte(text)
	}
	if len(id) > 0 {
		of = [2]uint64{maphash.Bytes(commandSeeds[0], id), maphash.Bytes(commandSeeds[1], id)}
	}
	return of
}

// repeats finds ids that two events of a stream have, and commands whose events don't stand together: a command is done
// once, by one append. O(n log n) on eight bytes an event.
func (v *verification) repeats(stream string, marks []mark) {
	again := func(rule string, i int, format string, args ...any) {
		v.find(eventstore.Recorded{Position: marks[i].at, Stream: stream, Version: marks[i].version}, rule, format, args...)
	}
	if twice(marks, func(i int) uint64 { return binary.LittleEndian.Uint64(marks[i].id[:]) }) {
		first := make(map[uuid.UUID]eventstore.Version, len(marks))
		for i, m := range marks {
			if of, seen := first[m.id]; seen {
				again(RepeatedID, i, "it has the id %s of version %d", m.id, of)
				continue
			}
			first[m.id] = m.version
		}
	}
	var none [2]uint64
	begins := func(i int) bool {
		return marks[i].command != none && (i == 0 || marks[i].command != marks[i-1].command)
	}
	if twice(marks, func(i int) uint64 {
		if !begins(i) {
			return 0
		}
		return marks[i].command[0]
	}) {
		first := make(map[[2]uint64]eventstore.Version, len(marks))
		for i, m := range marks {
			if !begins(i) {
				continue
			}
			if of, seen := first[m.command]; seen {
				again(CommandTwice, i, "its command has written version %d already, and a command is done once", of)
				continue
			}
			first[m.command] = m.version
		}
	}
}

// twice tells whether two marks have one key; a key of 0 is none.
func twice(marks []mark, key func(i int) uint64) bool {
	keys := make([]uint64, 0, len(marks))
	for i := range marks {
		if k := key(i); k != 0 {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for i := 1; i < len(keys); i++ {
		if keys[i] == keys[i-1] {
			return true
		}
	}
	return false
}
