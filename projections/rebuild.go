package projections

import (
	"context"
	"iter"
	"slices"

	"github.com/urikake/urikake/eventstore"
)

// besideSuffix ends the names of tables that are being folded anew.
const besideSuffix = "__beside"

// Rebuild folds models (all, when none is named) again from the first event, beside the live tables, which stay as
// they are and go on following the log; then the new tables take their place in one transaction. progress, which may
// be nil, is told how far it is, in positions, and how many events that were. Memory is bounded whatever the log's length. Refuses what CatchUp refuses, and
// views.unknown_model; the live tables are then as they were.
func (v *Views) Rebuild(ctx context.Context, progress func(done, total eventstore.Position, events uint64), names ...string) error {
	models := v.models
	if len(names) > 0 {
		models = nil
		for _, name := range names {
			i := slices.IndexFunc(v.models, func(m Model) bool { return m.Name == name })
			if i < 0 {
				return ErrUnknownModel.With("%q", name)
			}
			models = append(models, v.models[i])
		}
	}
	if _, err := v.CatchUp(ctx); err != nil {
		return err
	}
	err := v.refold(ctx, models, false, progress)
	_ = v.scrub() // what could not be done is done by the next question
	return err
}

// refold folds models beside and switches. fresh tells that no live table stands anywhere: the log's head is then where
// all stand; else the new tables reach where the live ones stand. Who was erased meanwhile may stand in room that is
// free afterwards.
func (v *Views) refold(ctx context.Context, models []Model, fresh bool, progress func(done, total eventstore.Position, events uint64)) (err error) {
	v.rebuild.Lock()
	defer v.rebuild.Unlock()
	v.open.RLock()
	db := v.db
	v.open.RUnlock()
	defer func() {
		if err != nil {
			_ = db.script(append(dropBeside(models), unscrubbed)...) // what can't be done now is done when they are opened again
		}
		v.unclean.Store(true)
	}()
	if err := db.script(besideTables(models)...); err != nil {
		return err
	}
	target := v.Position()
	if fresh {
		var err error
		if target, err = v.store.Head(ctx); err != nil {
			return err
		}
	}
	tell := func(done eventstore.Position, events uint64) {
		if progress != nil {
			progress(done, target, events)
		}
	}
	reached, err := v.foldBeside(ctx, db, models, target, tell)
	if err != nil {
		return err
	}
	v.gate.Lock() // live tables stand still from here on
	defer v.gate.Unlock()
	if !fresh {
		w := newWriter(db, besideSuffix, false, v.sizes, func(b *batch, _ mark) error { return db.write(b.order, besideSuffix, mark{}) })
		if err := v.fold(w, models, v.replay(ctx, models, target, v.Position()), nil); err != nil {
			return err
		}
		return db.takePlace(models, mark{})
	}
	if err := db.takePlace(models, reached); err != nil {
		return err
	}
	v.advance(reached.position, false)
	return nil
}

// foldBeside folds from the first event to target into the empty tables beside.
func (v *Views) foldBeside(ctx context.Context, db *database, models []Model, target eventstore.Position, tell func(eventstore.Position, uint64)) (reached mark, err error) {
	s, err := newSpill(db.path + rebuildEnd)
	if err != nil {
		return reached, err
	}
	defer s.close()
	if reached, err = v.foldInto(s, db, models, v.replay(ctx, models, 0, target), tell); err != nil {
		return reached, err
	}
	for _, m := range models {
		for _, t := range m.Tables {
			if t == itemsAccounts { // written already
				continue
			}
			if err := db.merge(s, t, besideSuffix); err != nil {
				v.note(err)
				return reached, err
			}
		}
	}
	return reached, nil
}

// foldInto folds all events of a log up to somewhere into a spill. Only accounts are written beside at once, too, since their
// numbers are asked for.
func (v *Views) foldInto(s *spill, db *database, models []Model, events iter.Seq2[eventstore.Replayed, error], tell func(eventstore.Position, uint64)) (reached mark, err error) {
	w := newWriter(db, besideSuffix, true, v.sizes, func(b *batch, m mark) error {
		reached = m
		for _, rs := range b.order {
			if rs.table == itemsAccounts {
				if err := db.write([]*rows{rs}, besideSuffix, mark{}); err != nil {
					return err
				}
			}
			if err := s.add(rs); err != nil {
				return err
			}
		}
		return nil
	})
	err = v.fold(w, models, events, tell)
	return reached, err
}

func besideTables(models []Model) (statements []string) {
	statements = dropBeside(models)
	for _, m := range models {
		for _, t := range m.Tables {
			statements = append(statements, createTable(t, besideSuffix))
		}
	}
	return statements
}

func dropBeside(models []Model) (statements []string) {
	for _, m := range models {
		for _, t := range m.Tables {
			statements = append(statements, "DROP TABLE IF EXISTS "+t.Name+besideSuffix)
		}
	}
	return statements
}
