package projections

import (
	"context"
	"slices"

	"github.com/urikake/urikake/eventstore"
)

// besideSuffix ends the names of tables that are being folded anew.
const besideSuffix = "__beside"

// Rebuild folds models (all, when none is named) again from the first event, beside the live tables, which stay as
// they are and go on following the log; then the new tables take their place in one transaction. progress, which may
// be nil, is told how far it is. Memory is bounded whatever the log's length. Refuses what CatchUp refuses, and
// views.unknown_model; the live tables are then as they were.
func (v *Views) Rebuild(ctx context.Context, progress func(done, total eventstore.Position), names ...string) error {
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
	return v.refold(ctx, models, false, progress)
}

// refold folds models beside and switches. fresh tells that no live table stands anywhere: the log's head is then where
// all stand; else the new tables reach where the live ones stand.
func (v *Views) refold(ctx context.Context, models []Model, fresh bool, progress func(done, total eventstore.Position)) error {
	v.rebuild.Lock()
	defer v.rebuild.Unlock()
	v.open.RLock()
	db := v.db
	v.open.RUnlock()
	if err := db.script(besideTables(models)...); err != nil {
		return err
	}
	var reached mark
	w := newWriter(db, besideSuffix, true, v.batch, func(b *batch, m mark) error {
		reached = m
		err := db.write(b, besideSuffix, mark{})
		v.note(err)
		return err
	})
	target := v.Position()
	if fresh {
		var err error
		if target, err = v.store.Head(ctx); err != nil {
			return err
		}
	}
	tell := func(done eventstore.Position) {
		if progress != nil {
			progress(done, target)
		}
	}
	if err := v.fold(ctx, w, models, 0, target, tell); err != nil {
		return err
	}
	v.gate.Lock() // live tables stand still from here on
	defer v.gate.Unlock()
	if !fresh {
		if err := v.fold(ctx, w, models, reached.position, v.Position(), nil); err != nil {
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

func besideTables(models []Model) (statements []string) {
	for _, m := range models {
		for _, t := range m.Tables {
			statements = append(statements, "DROP TABLE IF EXISTS "+t.Name+besideSuffix, createTable(t, besideSuffix))
		}
	}
	return statements
}
