package account

import (
	"encoding/binary"
	"hash/maphash"
	"iter"

	"github.com/urikake/urikake/domain"
)

// shelf keeps an account's items, or its funds, by id. What is settled is seldom asked for again but has to be known
// until the carry forward, so it is packed: some fifty bytes instead of some three hundred, and nothing for the
// garbage collector to walk over. What moves again is unpacked.
type shelf[ID ~string, T any, P packable[T]] struct {
	loose  map[ID]P
	used   []ID // handed out to be changed, or put here, since the last tidying
	packed []byte
	index  []uint32 // open addressing by the hash of an id: the place of a record plus one, 0 for none
	held   int      // places in index, those of dead records too
	dead   int      // bytes of packed whose records were unpacked
	count  int      // records in packed
}

// packable is what a shelf can pack: pack appends all there is to know but the id, unpack reads it. Days are packed as
// distances from the document's own day, and amounts as distances from its total, which mostly take a byte.
type packable[T any] interface {
	*T
	done() bool // it may be packed
	pack(b []byte) []byte
	unpack(id string, r *unpacker)
}

// A record is: alive (1) or dead (0); the lengths of id and body; the id; the body.

var seed = maphash.MakeSeed() // decides only where records stand, never what is found

func hashOf(id string) uint32 { return uint32(maphash.String(seed, id)) }

// get is for looking: what is packed stays so, and the caller has a copy. nil if there is none.
func (s *shelf[ID, T, P]) get(id ID) P {
	if p := s.loose[id]; p != nil {
		return p
	}
	if _, body := s.find(string(id)); body != nil {
		return s.read(string(id), body)
	}
	return nil
}

// has tells whether the shelf knows the id.
func (s *shelf[ID, T, P]) has(id ID) bool {
	if s.loose[id] != nil {
		return true
	}
	_, body := s.find(string(id))
	return body != nil
}

// use is for changing: what was packed is unpacked until tidy. nil if there is none.
func (s *shelf[ID, T, P]) use(id ID) P {
	p := s.loose[id]
	if p == nil {
		at, body := s.find(string(id))
		if body == nil {
			return nil
		}
		p = s.read(string(id), body)
		s.packed[at] = 0
		s.dead += len(body) + len(id)
		s.count--
		s.loose[id] = p
	}
	s.used = append(s.used, id)
	return p
}

// put adds something new.
func (s *shelf[ID, T, P]) put(id ID, p P) {
	if s.loose == nil {
		s.loose = make(map[ID]P)
	}
	s.loose[id] = p
	s.used = append(s.used, id)
}

// tidy packs what was used and is done now.
func (s *shelf[ID, T, P]) tidy() {
	for _, id := range s.used {
		if p := s.loose[id]; p != nil && p.done() {
			s.add(string(id), p.pack(nil))
			delete(s.loose, id)
		}
	}
	s.used = s.used[:0]
	if s.dead > len(s.packed)/2 && s.dead > 1<<12 {
		s.compact()
	}
}

func (s *shelf[ID, T, P]) add(id string, body []byte) {
	at := len(s.packed)
	s.packed = room(s.packed, len(id)+len(body)+11)
	s.packed = append(s.packed, 1)
	s.packed = binary.AppendUvarint(s.packed, uint64(len(id)))
	s.packed = binary.AppendUvarint(s.packed, uint64(len(body)))
	s.packed = append(append(s.packed, id...), body...)
	if s.held++; s.held > len(s.index)*7/8 {
		s.reindex()
	} else {
		s.enter(id, at)
	}
	s.count++
}

// room makes place for n more bytes, with a little to spare: many shelves are kept, and most of them grow seldom.
func room(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b
	}
	larger := make([]byte, len(b), len(b)+n+len(b)/16)
	copy(larger, b)
	return larger
}

// enter notes the place of a record. There is an empty place in the index.
func (s *shelf[ID, T, P]) enter(id string, at int) {
	i := s.home(id)
	for s.index[i] != 0 {
		i = (i + 1) % len(s.index)
	}
	s.index[i] = uint32(at) + 1
}

// home is where in the index an id is looked for first.
func (s *shelf[ID, T, P]) home(id string) int {
	return int(uint64(hashOf(id)) * uint64(len(s.index)) >> 32)
}

// reindex makes a larger index of all records, dead ones too.
func (s *shelf[ID, T, P]) reindex() {
	s.index = make([]uint32, s.held*4/3+4)
	for at := 0; at < len(s.packed); {
		r := s.slot(at)
		s.enter(r.id, at)
		at = r.end
	}
}

// find gives the place and the body of an id's record.
func (s *shelf[ID, T, P]) find(id string) (at int, body []byte) {
	if len(s.index) == 0 {
		return 0, nil
	}
	for i := s.home(id); s.index[i] != 0; i = (i + 1) % len(s.index) {
		at := int(s.index[i] - 1)
		if r := s.slot(at); r.alive && r.id == id {
			return at, r.body
		}
	}
	return 0, nil
}

type slot struct {
	alive bool
	id    string
	body  []byte
	end   int
}

func (s *shelf[ID, T, P]) slot(at int) slot {
	b := s.packed[at+1:]
	idLen, n1 := binary.Uvarint(b)
	bodyLen, n2 := binary.Uvarint(b[n1:])
	b = b[n1+n2:]
	return slot{s.packed[at] == 1, string(b[:idLen]), b[idLen : idLen+bodyLen], at + 1 + n1 + n2 + int(idLen+bodyLen)}
}

func (s *shelf[ID, T, P]) read(id string, body []byte) P {
	p := P(new(T))
	p.unpack(id, &unpacker{body})
	return p
}

// all yields everything, loose things first. What is packed is a copy.
func (s *shelf[ID, T, P]) all() iter.Seq2[ID, P] {
	return func(yield func(ID, P) bool) {
		for id, p := range s.loose {
			if !yield(id, p) {
				return
			}
		}
		for at := 0; at < len(s.packed); {
			r := s.slot(at)
			if r.alive && !yield(ID(r.id), s.read(r.id, r.body)) {
				return
			}
			at = r.end
		}
	}
}

// compact leaves dead records behind.
func (s *shelf[ID, T, P]) compact() {
	old := *s
	s.packed, s.index, s.held, s.dead, s.count = make([]byte, 0, len(old.packed)-old.dead), nil, 0, 0, 0
	for at := 0; at < len(old.packed); {
		r := old.slot(at)
		if r.alive {
			s.add(r.id, r.body)
		}
		at = r.end
	}
}

// size is about how many bytes the shelf takes.
func (s *shelf[ID, T, P]) size() int { return cap(s.packed) + 4*len(s.index) + 350*len(s.loose) }

// unpacker reads what pack wrote.
type unpacker struct{ b []byte }

func (r *unpacker) int() int64 {
	n, size := binary.Varint(r.b)
	r.b = r.b[size:]
	return n
}

func (r *unpacker) text() string {
	n := r.int()
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *unpacker) date() domain.Date { return domain.DateFromDayNumber(r.int()) }

func appendInt(b []byte, n int64) []byte { return binary.AppendVarint(b, n) }

func appendText[T ~string](b []byte, s T) []byte { return append(appendInt(b, int64(len(s))), s...) }

func appendDate(b []byte, d domain.Date) []byte { return appendInt(b, d.DayNumber()) }

func appendDay(b []byte, d, since domain.Date) []byte { return appendInt(b, int64(d.DaysSince(since))) }

func (r *unpacker) day(since domain.Date) domain.Date { return since.AddDays(int(r.int())) }

func (t timeline) pack(b []byte, since domain.Date, total int64) []byte {
	b = appendInt(b, int64(len(t)))
	for _, m := range t {
		// the first move is mostly +total and the last -total
		b = appendInt(appendDay(b, m.on, since), total-magnitude(m.delta))
		b = append(b, sign(m.delta))
	}
	return b
}

func (r *unpacker) timeline(since domain.Date, total int64) timeline {
	n := r.int()
	if n == 0 {
		return nil
	}
	t := make(timeline, n)
	for i := range t {
		t[i] = move{r.day(since), total - r.int()}
		if r.byte() == 1 {
			t[i].delta = -t[i].delta
		}
	}
	return t
}

func magnitude(n int64) int64 { return max(n, -n) }

func sign(n int64) byte {
	if n < 0 {
		return 1
	}
	return 0
}

func (r *unpacker) byte() byte {
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

// An item is done when nothing is open on it; the few of which there is more to know stay loose.
func (it *item) done() bool { return it.open == 0 && it.rarely == nil }

func (it *item) pack(b []byte) []byte {
	var flags byte
	if it.charge {
		flags |= 1
	}
	if it.voided {
		flags |= 2
	}
	b = appendDate(append(b, flags), it.issuedOn)
	b = appendInt(appendDay(b, it.dueOn, it.issuedOn), it.total)
	b = appendInt(appendInt(b, it.total-it.settled), int64(len(it.taxes)))
	for _, p := range it.taxes {
		included := int64(0)
		if p.included {
			included = 1
		}
		b = appendInt(appendInt(b, int64(p.category)<<1|included), int64(p.rate))
		b = appendInt(appendInt(b, p.tax), it.total-p.tax-p.net)
	}
	return it.moves.pack(b, it.issuedOn, it.total)
}

func (it *item) unpack(id string, r *unpacker) {
	flags := r.byte()
	*it = item{id: domain.InvoiceID(id), charge: flags&1 != 0, voided: flags&2 != 0, issuedOn: r.date()}
	it.dueOn, it.total = r.day(it.issuedOn), r.int()
	it.settled = it.total - r.int()
	if n := r.int(); n > 0 {
		it.taxes = make([]portion, n)
	}
	for i := range it.taxes {
		category := r.int()
		p := portion{category: uint16(category >> 1), included: category&1 != 0, rate: domain.Rate(r.int()), tax: r.int()}
		p.net = it.total - p.tax - r.int()
		it.taxes[i] = p
	}
	it.moves = r.timeline(it.issuedOn, it.total)
}

// A fund is done when nothing of it is unapplied and all of it went to items.
func (f *fund) done() bool { return f.unapplied == 0 && f.gone == nil }

func (f *fund) pack(b []byte) []byte {
	b = appendInt(appendInt(appendDate(b, f.on), f.amount), int64(len(f.applied)))
	for _, a := range f.applied {
		b = appendDay(appendInt(appendText(b, a.item), f.amount-a.amount), a.on, f.on)
	}
	return f.moves.pack(b, f.on, f.amount)
}

func (f *fund) unpack(_ string, r *unpacker) {
	*f = fund{on: r.date(), amount: r.int()}
	if n := r.int(); n > 0 {
		f.applied = make([]application, n)
	}
	for i := range f.applied {
		f.applied[i] = application{item: domain.InvoiceID(r.text()), amount: f.amount - r.int(), on: r.day(f.on)}
	}
	f.moves = r.timeline(f.on, f.amount)
}
