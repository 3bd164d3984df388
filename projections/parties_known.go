package projections

import (
	"math"
	"slices"
	"strings"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// party keeps what is known of sellers, or of customers: their rows as they are now, and beside them what each event
// said, a row for each version of the party's stream. What was known at a position is the row of now where nothing came
// after the position; else it is put together from the changes up to there. These are few.
type party struct{ rows, changes *Table }

// everKnown is a position that leaves nothing out.
const everKnown = int64(math.MaxInt64)

const partyPosition = 0 // column of both tables: of the newest event; of a change 0 where the version is somebody else's event

// partyOf declares the changes of a table: the columns of its rows, and which of them the event gave.
func partyOf(rows *Table) party {
	return party{rows, &Table{
		Name:    strings.TrimSuffix(rows.Name, "s") + "_changes",
		Key:     append(slices.Clone(rows.Key), Column{Name: "version"}),
		Columns: append(slices.Clone(rows.Columns), Column{Name: "given"}), // bit i: column i
	}}
}

// change is what an event changes of a party, now and in what is known from its position on.
type change struct{ now, then *Row }

func (w *Writer) change(p party, r eventstore.Recorded, key ...Value) change {
	c := change{w.Row(p.rows, key...), w.Row(p.changes, append(key, Int(r.Version))...)}
	return c.Put(partyPosition, int64(r.Position))
}

// Put gives a column a value.
func (c change) Put(column int, n int64) change {
	c.now.Put(column, n)
	c.then.Put(column, n)
	return c.gave()
}

// PutText gives a text column a value.
func (c change) PutText(column int, s string) change {
	c.now.PutText(column, s)
	c.then.PutText(column, s)
	return c.gave()
}

func (c change) gave() change {
	given := len(c.then.of.table.Columns) - 1
	c.then.Put(given, int64(c.then.given&(1<<given-1)))
	return c
}

// eachParty visits the parties whose keys begin so, as known at a position, by their ids; those that were not there yet
// are left out.
func (r *reader) eachParty(p party, position int64, of []Value, visit func(id string, row columns) error) error {
	where, key := keyed(p.rows, len(of)), len(p.rows.Key)
	query := "SELECT " + columnList(p.rows.Key) + ", " + columnList(p.rows.Columns) + " FROM " + p.rows.Name + where + " ORDER BY " + columnList(p.rows.Key)
	return r.each(query, of, func(c *cursor) error {
		id, row := c.text(key-1), columnsOf(p.rows, c, key)
		if row.int(partyPosition) > position {
			var known bool
			var err error
			if row, known, err = r.partyThen(p, position, append(slices.Clone(of[:key-1]), Str(id))); err != nil || !known {
				return err
			}
		}
		return visit(id, row)
	})
}

// party is one party as known at a position; its columns are 0 or empty where it was not there yet.
func (r *reader) party(p party, position int64, key ...Value) (row columns, known bool, err error) {
	row = noColumns(p.rows)
	err = r.eachParty(p, position, key, func(_ string, c columns) error {
		row, known = c, true
		return nil
	})
	return row, known, err
}

// partyThen puts a party together from its changes up to a position. O(changes of the party).
func (r *reader) partyThen(p party, position int64, key []Value) (row columns, known bool, err error) {
	row = noColumns(p.rows)
	all := p.rows.Columns
	query := "SELECT " + columnList(p.changes.Columns) + " FROM " + p.changes.Name + keyed(p.rows, len(key)) +
		" AND position > 0 AND position <= ? ORDER BY version"
	err = r.each(query, append(key, Int(position)), func(c *cursor) error {
		known = true
		given := c.int(len(all))
		for i, column := range all {
			switch {
			case given&(1<<i) == 0:
			case column.Type == Text:
				row.texts[i] = c.text(i)
			default:
				row.numbers[i] = c.int(i)
			}
		}
		return nil
	})
	return row, known, err
}

// partyColumns is, as SQL, a party's columns in a join.
func partyColumns(p party, alias string) string {
	return alias + "." + strings.ReplaceAll(columnList(p.rows.Columns), ", ", ", "+alias+".")
}

// keyed is, as SQL, a condition on the first columns of a table's key.
func keyed(t *Table, n int) string {
	if n == 0 {
		return ""
	}
	names := make([]string, n)
	for i, c := range t.Key[:n] {
		names[i] = c.Name + " = ?"
	}
	return " WHERE " + strings.Join(names, " AND ")
}

// name is how a customer was called as known at a position; empty where nobody knew it.
func (r *reader) name(seller domain.SellerID, customer domain.CustomerID, position int64) (string, error) {
	row, _, err := r.party(customers, position, Str(seller), Str(customer))
	return row.text(customerName), err
}

// knows refuses a seller or customer of whom nothing was heard up to a position. An empty customer is none.
func (r *reader) knows(seller domain.SellerID, customer domain.CustomerID, position int64) error {
	err := r.registered(sellers, position, ErrUnknownSeller.At("/seller"), Str(seller))
	if err != nil || customer == "" {
		return err
	}
	return r.registered(customers, position, ErrUnknownCustomer.At("/customer"), Str(seller), Str(customer))
}

func (r *reader) registered(p party, position int64, refusal *domain.Error, key ...Value) error {
	_, known, err := r.party(p, position, key...)
	if err != nil || known {
		return err
	}
	id := key[len(key)-1].text
	if _, later, err := r.party(p, everKnown, key...); err != nil || later {
		return firstError(err, refusal.With("%q was registered after position %d", id, position))
	}
	return refusal.With("%q", id)
}
