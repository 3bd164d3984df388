package projections

import "encoding/binary"

// Table declares rows: a key, by which they are kept in order, and columns.
type Table struct {
	Name    string // <model>_<rows>
	Key     []Column
	Columns []Column // at most 32
	Indexes []Index
}

// Index is a further order in which rows are looked up; those of one place lie in the order of the key.
type Index struct {
	Columns []string
	Where   string // SQL: of which rows; a query must say the same. All when empty.
}

// Column is a column and the rule by which a new value meets the one that is there. No column is ever NULL: what
// was never given is 0 or empty.
type Column struct {
	Name  string
	Type  Type
	Merge Merge // of columns outside the key
}

// Type of a column.
type Type uint8

const (
	Integer Type = iota // 64 bits: an amount in minor units, a day number, a position, a count, a flag
	Text                // UTF-8, ordered by its bytes
)

// Merge says what becomes of a column when a row is written again.
type Merge uint8

const (
	Set Merge = iota // the new value, if one is given
	Add              // the sum
	Max              // the larger one
)

// Value is one part of a key, or a query's argument.
type Value struct {
	number int64
	text   string
	isText bool
}

// Int is an integer value.
func Int[T ~int | ~int64 | ~uint64](n T) Value { return Value{number: int64(n)} }

// Str is a text value.
func Str[T ~string](s T) Value { return Value{text: string(s), isText: true} }

// appendKey writes a value so that keys compare as bytes in the order in which the database keeps them.
// Texts in keys are ids, which hold no zero byte.
func appendKey(b []byte, v Value) []byte {
	if v.isText {
		return append(append(b, v.text...), 0)
	}
	return binary.BigEndian.AppendUint64(b, uint64(v.number)^(1<<63))
}

// cutKey is the inverse of appendKey; the text shares memory with the key.
func cutKey(key string, t Type) (v Value, rest string) {
	if t == Text {
		for i := range len(key) {
			if key[i] == 0 {
				return Str(key[:i]), key[i+1:]
			}
		}
		return Str(key), ""
	}
	var n uint64
	for i := range 8 {
		n = n<<8 | uint64(key[i])
	}
	return Int(int64(n ^ 1<<63)), key[8:]
}
