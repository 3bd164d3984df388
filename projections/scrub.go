package projections

import (
	"context"
	"slices"

	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/eventstore"
)

var erasedKind = customer.Erased{}.Kind()

// OnErased gives whoever else keeps what people can be known by, such as letters, word of each customer who was erased,
// again and again until the file holds nothing of them either. To be called before the first question.
func (v *Views) OnErased(forget func(customer.Key) error) { v.erased = forget }

// Forget returns once nothing beside the log knows any more of the customers who were erased up to a position. Refuses
// what Wait refuses, views.unavailable, and what OnErased's function refuses; it is done by a later question then.
func (v *Views) Forget(ctx context.Context, upTo eventstore.Position) error {
	if _, err := v.Wait(ctx, upTo); err != nil {
		return err
	}
	return v.scrub()
}

// scrub takes what is left of erased customers out of the file: rows that were changed stay in its free room and in the
// write-ahead log until others come there, so the file is written anew. What was folded stays as it is. O(file), and
// nothing where nobody was erased since the last time.
func (v *Views) scrub() error {
	v.scrubbing.Lock() // who comes second waits until it is done
	defer v.scrubbing.Unlock()
	if !v.unclean.Load() {
		return nil
	}
	v.open.RLock()
	defer v.open.RUnlock()
	if v.closed {
		return errClosed
	}
	v.unclean.Store(false) // whoever is erased from now on sets it again
	err := v.forgetErased()
	if err != nil {
		v.unclean.Store(true)
	}
	return err
}

func (v *Views) forgetErased() error {
	erased, err := v.db.erased()
	if err != nil || len(erased) == 0 {
		return err
	}
	scrubbed, _, err := v.db.ask("SELECT erased FROM views_scrubbed")
	if err != nil || int(scrubbed) == len(erased) {
		return err
	}
	if v.erased != nil {
		for _, key := range erased {
			if err := v.erased(key); err != nil {
				return err
			}
		}
	}
	return v.db.scrub(len(erased))
}

// erased lists the customers who were erased.
func (d *database) erased() (list []customer.Key, err error) {
	_, err = d.look(context.Background(), false, func(r *reader) error {
		tables, err := r.tables()
		if err != nil || !slices.Contains(tables, partiesCustomers.Name) {
			return err
		}
		return r.each("SELECT seller, customer FROM parties_customers WHERE erased = 1 ORDER BY seller, customer", nil, func(c *cursor) error {
			list = append(list, customer.Key{Seller: domain.SellerID(c.text(0)), Customer: domain.CustomerID(c.text(1))})
			return nil
		})
	})
	return list, err
}

// scrub writes the file anew and empties the write-ahead log, and notes of how many erased customers nothing is left.
func (d *database) scrub(erased int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return errClosed
	}
	if err := sqlitex.ExecuteTransient(d.conn, "VACUUM", nil); err != nil {
		return fault(context.Background(), err)
	}
	for _, step := range []func() error{d.truncate, func() error {
		return sqlitex.ExecuteTransient(d.conn, "UPDATE views_scrubbed SET erased = ?", &sqlitex.ExecOptions{Args: []any{erased}})
	}} {
		if err := step(); err != nil {
			return fault(context.Background(), err)
		}
	}
	return nil
}

// truncate empties the write-ahead log, which fails while somebody reads what only stands there.
func (d *database) truncate() error {
	busy, _, err := askOn(d.conn, "PRAGMA wal_checkpoint(TRUNCATE)")
	if err == nil && busy != 0 {
		err = ErrUnavailable.With("somebody reads them; what is left of an erased customer is taken out the next time")
	}
	return err
}
