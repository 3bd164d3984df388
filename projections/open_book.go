package projections

import (
	"context"
	"encoding/binary"
	"math"
	"sync"

	"github.com/urikake/urikake/domain"
)

// openBook is what is open on the accounts of one seller as they stand now, kept in memory between questions. What
// stands on an account now is what stood there at every moment since its newest event, so a question about such a moment
// needs no document. An account that has moved since it was read is read again by the next question.
// It takes 64 bytes an account, 6 an open item and 16 a habit; booksMax bounds all books together.
type openBook struct {
	seller, first int64 // the seller's number, and its lowest account number

	mu         sync.Mutex
	accounts   []openAccount // by number - first
	currencies currencies    // of the first named accounts
	named      int

	moved []int64 // by number - first: the newest event; openBooks keeps it and what follows
	bytes int
	asked int // the higher the later
}

// openAccount is an account as it was read.
type openAccount struct {
	position  int64 // of its newest event then; 0: it was not read
	newest    int64 // the latest business day of its events
	unapplied int64
	packed    []byte // items with something open
	habit     *habit // nil: nobody asked
}

const openAccountSize = 64 // bytes, with its place in moved

// stoodAt tells that nothing moved the account after a moment.
func (a *openAccount) stoodAt(at moment) bool { return a.newest <= at.day && a.position <= at.position }

// appendItem packs an item: days from the due date of the item before, then twice the amount, odd when some of it is
// disputed, and how much. An item takes some six bytes.
func appendItem(b []byte, days, open, disputed int64) []byte {
	b = binary.AppendVarint(b, days)
	if disputed == 0 {
		return binary.AppendUvarint(b, uint64(open)<<1)
	}
	return binary.AppendUvarint(binary.AppendUvarint(b, uint64(open)<<1|1), uint64(disputed))
}

// items visits what appendItem packed.
func (a *openAccount) items(visit func(due, open, disputed int64)) {
	var due int64
	for b := a.packed; len(b) > 0; {
		days, n := binary.Varint(b)
		open, m := binary.Uvarint(b[n:])
		b = b[n+m:]
		var disputed uint64
		if open&1 != 0 {
			disputed, n = binary.Uvarint(b)
			b = b[n:]
		}
		due += days
		visit(due, int64(open>>1), int64(disputed))
	}
}

// fewMoved is how many of n accounts are read one by one; where it is more, reading all of them in order is faster.
func fewMoved(n int64) int { return max(16, int(n/16)) }

// eachOpen visits the accounts of a book that nothing moved after the moment, and gives spans of all others, which have to
// be read from documents. Of a moment after which many accounts moved these are all, in two halves. The reader must not
// have read anything before the book was asked for. O(accounts and open items), and O(documents) of each account that
// moved since it was read.
func (v *Views) eachOpen(ctx context.Context, r *reader, b *openBook, all span, at moment, visit func(account int64, a *openAccount)) (rest []span, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	few := fewMoved(all.to - all.from)
	later, err := b.movedAfter(r, all, at)
	if err != nil || later > few {
		return inTwo(all), err
	}
	stale := v.books.stale(b, all)
	if len(stale) > few {
		stale = inTwo(all)
	}
	if len(stale) > 0 {
		if err := v.sweep(ctx, r, stale, b.read); err != nil {
			return nil, err
		}
		v.books.weigh(b)
	}
	for id := all.from; id < all.to; id++ {
		if a := &b.accounts[id-b.first]; a.stoodAt(at) {
			visit(id, a)
		} else {
			rest = append(rest, span{id, id + 1})
		}
	}
	return rest, nil
}

// inTwo cuts a span into halves, which are read side by side.
func inTwo(all span) []span {
	middle := all.from + (all.to-all.from)/2
	if middle == all.from {
		return []span{all}
	}
	return []span{{all.from, middle}, {middle, all.to}}
}

// movedAfter counts the accounts that moved after a moment: as the book has them, or as the tables do where it is empty.
func (b *openBook) movedAfter(r *reader, all span, at moment) (n int, err error) {
	if len(b.accounts) == 0 {
		many, _, err := r.ask("SELECT count(*) FROM items_heads WHERE account >= ? AND account < ? AND (newest_on > ? OR last_position > ?)",
			Int(all.from), Int(all.to), Int(at.day), Int(at.position))
		return int(many), err
	}
	for i := range b.accounts {
		if !b.accounts[i].stoodAt(at) {
			n++
		}
	}
	return n, nil
}

// currencyOf tells the currencies of a seller's accounts, which never change; they are read again when there are new ones.
func (b *openBook) currencyOf(r *reader, seller domain.SellerID, all span) (c currencies, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := int(all.to - b.first); n > b.named {
		if c, err = r.currencies(seller); err != nil {
			return c, err
		}
		b.currencies, b.named = c, n
	}
	return b.currencies, nil
}

// habit is how the debtor of an account paid up to a moment. The book remembers it until the account moves.
// O(documents of the account), once.
func (v *Views) habit(r *reader, b *openBook, account int64, at moment) (h habit, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := v.books.fresh(b, account)
	if a == nil || !a.stoodAt(at) {
		return r.habit(account, at)
	}
	if a.habit == nil {
		if h, err = r.habit(account, at); err != nil {
			return h, err
		}
		a.habit = &h
	}
	return *a.habit, nil
}

// chunkSize is what packed items of many accounts are laid into, so that an account's take no more room than they need.
const chunkSize = 64 << 10

// read reads accounts as they stand now. A span that fails half way is as if it had never been read.
func (b *openBook) read(r *reader, s span) error {
	clear(b.accounts[s.from-b.first : s.to-b.first])
	var chunk, items []byte
	var account, due int64
	keep := func() {
		if len(items) > len(chunk) {
			chunk = make([]byte, max(len(items), min(chunkSize, 16*int(s.to-s.from))))
		}
		if n := copy(chunk, items); n > 0 {
			b.accounts[account-b.first].packed = chunk[:n:n]
			chunk = chunk[n:]
		}
		items, due = items[:0], 0
	}
	sheet := sheet{r: r, at: moment{math.MaxInt64, math.MaxInt64}}
	err := sheet.documents(s.from, s.to, "", " AND open_minor <> 0", nil, func(d *document) error {
		if d.account != account {
			keep()
			account = d.account
		}
		if d.class != classItem {
			b.accounts[account-b.first].unapplied += d.open
			return nil
		}
		disputed, err := sheet.disputed(d)
		items = appendItem(items, d.dueOn-due, d.open, disputed)
		due = d.dueOn
		return err
	})
	if err != nil {
		return err
	}
	keep()
	return r.each("SELECT account, last_position, newest_on FROM items_heads WHERE account >= ? AND account < ?",
		[]Value{Int(s.from), Int(s.to)}, func(c *cursor) error {
			a := &b.accounts[c.int(0)-b.first]
			a.position, a.newest = c.int(1), c.int(2)
			return nil
		})
}

// booksMax bounds what all books take: those that were asked last stay.
const booksMax = 16 << 20

// openBooks are the books of the sellers about whom somebody asked lately. The zero openBooks is ready for use.
type openBooks struct {
	mu       sync.Mutex
	bySeller map[int64]*openBook
	asked    int
}

// of gives the book of a seller whose lowest account number is first. From here on it is told what moves.
func (o *openBooks) of(first int64) *openBook {
	o.mu.Lock()
	defer o.mu.Unlock()
	seller := first / sellerStep
	b := o.bySeller[seller]
	if b == nil {
		b = &openBook{seller: seller, first: first}
		if o.bySeller == nil {
			o.bySeller = make(map[int64]*openBook)
		}
		o.bySeller[seller] = b
	}
	o.asked++
	b.asked = o.asked
	return b
}

// move notes which accounts a batch moved. It must be called before anybody is told that the batch is written.
func (o *openBooks) move(written *batch) {
	heads := written.tables[itemsHeads]
	if heads == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.bySeller) == 0 {
		return
	}
	for _, r := range heads.list {
		key, _ := cutKey(r.key, Integer)
		b := o.bySeller[key.number/sellerStep]
		if b == nil {
			continue
		}
		b.grow(key.number + 1 - b.first)
		b.moved[key.number-b.first] = r.numbers[heads.slot[headPosition]]
	}
}

func (b *openBook) grow(accounts int64) {
	if more := accounts - int64(len(b.moved)); more > 0 {
		b.moved = append(b.moved, make([]int64, more)...)
	}
}

// stale are the accounts that were not read since they moved, or never. The caller holds the book.
func (o *openBooks) stale(b *openBook, all span) (list []span) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := all.to - b.first
	b.grow(n)
	if more := n - int64(len(b.accounts)); more > 0 {
		b.accounts = append(b.accounts, make([]openAccount, more)...)
	}
	for id := all.from; id < all.to; id++ {
		if !b.fresh(id) {
			list = append(list, span{id, id + 1})
		}
	}
	return list
}

// fresh gives an account that was read since it moved, or nil. The caller holds the book.
func (o *openBooks) fresh(b *openBook, account int64) *openAccount {
	o.mu.Lock()
	defer o.mu.Unlock()
	if account-b.first >= int64(len(b.accounts)) || !b.fresh(account) {
		return nil
	}
	return &b.accounts[account-b.first]
}

// fresh tells that an account was read, and did not move since.
func (b *openBook) fresh(account int64) bool {
	a := &b.accounts[account-b.first]
	return a.position > 0 && a.position >= b.moved[account-b.first]
}

// weigh finds what a book takes now, and forgets those asked longest ago where all take too much. The caller holds b.
func (o *openBooks) weigh(b *openBook) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b.bytes = len(b.accounts) * openAccountSize
	for i := range b.accounts {
		b.bytes += len(b.accounts[i].packed)
		if b.accounts[i].habit != nil {
			b.bytes += 16
		}
	}
	for {
		total, oldest := 0, b
		for _, other := range o.bySeller {
			if total += other.bytes; other.asked < oldest.asked {
				oldest = other
			}
		}
		if total <= booksMax {
			return
		}
		delete(o.bySeller, oldest.seller)
	}
}

// forget empties all books: the tables were made anew.
func (o *openBooks) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bySeller = nil
}
