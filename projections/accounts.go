package projections

import (
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/eventstore"
)

// Accounts are numbered, so that rows and their order stay small. A number is the seller's number, then the
// account's number with that seller, both counted in the log's order: one seller's rows lie together, and the same log
// gives the same numbers.
var itemsAccounts = &Table{
	Name: "items_accounts",
	Key:  []Column{{Name: "seller", Type: Text}, {Name: "customer", Type: Text}, {Name: "currency", Type: Text}},
	Columns: []Column{
		accountID:    {Name: "id"},
		accountFirst: {Name: "first_position"}, // of its events
	},
	Indexes: []Index{{Columns: []string{"id"}}},
}

const (
	accountID = iota
	accountFirst
)

// itemsHeads is where accounts stand in the log: the version of the stream that takes their next event, and its period;
// where their newest event stands, and the latest business day of all of them.
var itemsHeads = &Table{
	Name: "items_heads",
	Key:  []Column{{Name: "account"}},
	Columns: []Column{
		headVersion:  {Name: "version"},
		headPeriod:   {Name: "period", Type: Text},
		headPosition: {Name: "last_position"},
		headNewest:   {Name: "newest_on", Merge: Max},
	},
}

const (
	headVersion = iota
	headPeriod
	headPosition
	headNewest
)

const sellerStep = 1 << 32 // accounts of one seller, at most

const namesMax = 1 << 16 // a remembered account takes some 150 bytes

// accountIDs remembers the numbers of accounts lately used; all others it asks of the database.
type accountIDs struct {
	recent, older map[string]int64
	next          map[domain.SellerID]int64 // the number of the seller's next account
	lastSeller    int64                     // the number of the newest seller; -1: not known yet
	most          int                       // in a generation
	complete      bool                      // nothing was ever forgotten: what is not here is new
}

func newAccountIDs(empty bool, most int) *accountIDs {
	ids := &accountIDs{recent: make(map[string]int64), next: make(map[domain.SellerID]int64), most: most, complete: empty, lastSeller: -1}
	if empty {
		ids.lastSeller = 0
	}
	return ids
}

func (ids *accountIDs) get(stream string) (int64, bool) {
	id, ok := ids.recent[stream]
	if !ok {
		if id, ok = ids.older[stream]; ok {
			ids.put(stream, id)
		}
	}
	return id, ok
}

func (ids *accountIDs) put(stream string, id int64) {
	if len(ids.recent) >= ids.most {
		ids.complete = ids.complete && ids.older == nil
		ids.older, ids.recent = ids.recent, make(map[string]int64, ids.most)
	}
	ids.recent[stream] = id
}

// Account gives the number of the account that a stream belongs to, and numbers it when it is new, with the event
// at a position as its first.
// ok is false when the stream is not an account's.
func (w *Writer) Account(stream string, at eventstore.Position) (id int64, ok bool) {
	if id, ok = w.names.get(stream); ok {
		return id, true
	}
	key, period, ok := account.ParseStream(stream)
	if !ok || w.err != nil {
		return 0, false
	}
	if period != "" { // the account was carried forward and goes on in another stream
		id, ok = w.Account(key.Stream(), at)
	} else if id, ok = w.findAccount(key); !ok && w.err == nil {
		id, ok = w.addAccount(key, at), w.err == nil
	}
	if ok {
		w.names.put(stream, id)
	}
	return id, ok
}

func (w *Writer) findAccount(key account.Key) (id int64, found bool) {
	if w.names.complete {
		return 0, false
	}
	if r := w.filling.rows(itemsAccounts).byKey[string(accountKey(key))]; r != nil {
		return r.numbers[accountID], true
	}
	return w.ask("SELECT id FROM items_accounts"+w.suffix+" WHERE seller = ? AND customer = ? AND currency = ?",
		Str(key.Seller), Str(key.Customer), Str(key.Currency))
}

func accountKey(key account.Key) []byte {
	return appendKey(appendKey(appendKey(nil, Str(key.Seller)), Str(key.Customer)), Str(key.Currency))
}

func (w *Writer) addAccount(key account.Key, at eventstore.Position) int64 {
	ids := w.names
	id := ids.next[key.Seller]
	if id == 0 && ids.lastSeller < 0 {
		newest, _ := w.ask("SELECT coalesce(max(id), 0) FROM items_accounts" + w.suffix)
		ids.lastSeller = newest / sellerStep
	}
	if id == 0 && !ids.complete {
		if newest, _ := w.ask("SELECT coalesce(max(id), 0) FROM items_accounts"+w.suffix+" WHERE seller = ?", Str(key.Seller)); newest > 0 {
			id = newest + 1
		}
	}
	if id == 0 {
		ids.lastSeller++
		id = ids.lastSeller*sellerStep + 1
	}
	ids.next[key.Seller] = id + 1
	w.Row(itemsAccounts, Str(key.Seller), Str(key.Customer), Str(key.Currency)).Put(accountID, id).Put(accountFirst, int64(at))
	return id
}

// ask looks into what is written; the batch on its way is waited for.
func (w *Writer) ask(query string, args ...Value) (n int64, found bool) {
	if w.settle() != nil {
		return 0, false
	}
	n, found, err := w.db.ask(query, args...)
	if err != nil {
		w.err = err
	}
	return n, found
}
