package projections

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/urikake/urikake/eventstore"
)

// CatchUp folds everything that is in the log at the call, and returns up to where all is folded. Where nothing is
// new it costs no disk. A log elsewhere that can't be reached is asked again for up to a second. If it stays away, CatchUp
// returns up to where all was folded before: what is answered is then what was known there, and Asked.LogAway says so.
// Refuses what reading and decoding the log refuse (log.unreadable_event: an event of an unknown
// kind stops it and is never skipped), views.unavailable and views.damaged.
func (v *Views) CatchUp(ctx context.Context) (eventstore.Position, error) {
	position, err := v.patiently(ctx, func() (eventstore.Position, error) {
		head, err := v.store.Head(ctx)
		if err == nil {
			head, err = v.Wait(ctx, head)
		}
		return head, err
	})
	if errors.Is(err, eventstore.ErrUnavailable) {
		if stands, ok := v.stands(ctx); ok {
			if asked, told := ctx.Value(askedKey{}).(*Asked); told {
				asked.away.Store(true)
			}
			return stands, nil
		}
	}
	return position, err
}

// stands tells up to where the tables are folded, without asking the log. Before they were compared with it, the tables
// must be those of today's models: that they are of this log, its directory tells.
func (v *Views) stands(ctx context.Context) (position eventstore.Position, ok bool) {
	if position, ready, _ := v.reached(0); ready {
		return position, true
	}
	var marked mark
	var standing map[string]version
	err := v.look(ctx, func(r *reader) (err error) {
		if marked, err = readMark(r); err == nil {
			standing, err = r.models()
		}
		return err
	})
	for _, m := range v.models {
		if standing[m.Name] != (version{m.Version, m.tables()}) {
			return 0, false
		}
	}
	return marked.position, err == nil && marked.position > 0
}

// Build is CatchUp for tables that are made from nothing; progress is told how far they are.
func (v *Views) Build(ctx context.Context, progress func(done, total eventstore.Position, events uint64)) error {
	select {
	case v.folding <- struct{}{}:
		defer func() { <-v.folding }()
	case <-ctx.Done():
		return ctx.Err()
	}
	_, err := v.catchUp(ctx, progress)
	return err
}

// Wait returns when everything up to a position is folded, or when ctx ends; it folds itself unless Run does.
// Refuses what CatchUp refuses, and views.beyond_log at once where the log does not reach that far: see WaitFor.
func (v *Views) Wait(ctx context.Context, until eventstore.Position) (eventstore.Position, error) {
	for {
		position, reached, moved := v.reached(until)
		if reached {
			return position, nil
		}
		if head, err := v.store.Head(ctx); err != nil || head < until {
			if stands, ok := v.stands(ctx); ok && stands >= until && errors.Is(err, eventstore.ErrUnavailable) {
				return stands, nil
			}
			return position, firstError(err, ErrBeyondLog.With("position %d, the log ends at %d", until, head))
		}
		select {
		case v.asked <- struct{}{}:
		default:
		}
		select {
		case v.folding <- struct{}{}:
			position, err := v.catchUp(ctx, nil)
			<-v.folding
			return position, err
		case <-moved:
		case <-ctx.Done():
			return position, ctx.Err()
		}
	}
}

// WaitFor is Wait for a position that may not have come yet, such as one that was written elsewhere: it waits for the
// log, too. Refuses views.behind when ctx's time is over before, and what CatchUp refuses.
func (v *Views) WaitFor(ctx context.Context, until eventstore.Position) (position eventstore.Position, err error) {
	head, err := v.store.Head(ctx)
	if err == nil && head < until {
		err = v.follow(ctx, until-1)
	}
	if err == nil {
		position, err = v.Wait(ctx, until)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return v.Position(), ErrBehind.With("position %d is asked for, %d is reached", until, v.Position())
	}
	return position, err
}

// follow waits until the log goes on after a position.
func (v *Views) follow(ctx context.Context, after eventstore.Position) error {
	for _, err := range v.store.Follow(ctx, after) {
		return err
	}
	return ctx.Err()
}

// Lag tells up to where all models are folded, and the newest position of the log. It reads no table: the position is
// 0 until the tables were compared with the log, which the first question does, or Run.
func (v *Views) Lag(ctx context.Context) (position, head eventstore.Position, err error) {
	if head, err = v.store.Head(ctx); err != nil {
		return 0, 0, err
	}
	position, ready, _ := v.reached(0)
	if !ready {
		position = 0
	}
	return position, head, nil
}

// catchUp folds to the log's head. The caller holds folding.
func (v *Views) catchUp(ctx context.Context, progress func(done, total eventstore.Position, events uint64)) (eventstore.Position, error) {
	if err := v.prepare(ctx, progress); err != nil {
		return 0, err
	}
	err := v.foldToHead(ctx)
	if err == nil {
		_ = v.scrub() // what could not be done is done the next time; Forget tells
	}
	return v.Position(), err
}

// foldToHead folds what is in the log and not in the tables.
func (v *Views) foldToHead(ctx context.Context) error {
	head, err := v.store.Head(ctx)
	if err != nil {
		return err
	}
	err = v.fold(v.live(), v.models, v.replay(ctx, v.models, v.Position(), head), nil)
	if err != nil {
		v.names = nil // some may never have been written
	}
	return err
}

// runPace is how long Run lets events gather that nobody waits for: the more are folded at once, the less each costs.
const runPace = 20 * time.Millisecond

// gather waits until it is worth folding what has come.
func (v *Views) gather(ctx context.Context) {
	pace := time.NewTimer(runPace)
	defer pace.Stop()
	select {
	case <-pace.C:
	case <-v.asked:
	case <-ctx.Done():
	}
}

// Run folds events as they come, until ctx ends (it returns ctx's error) or an event can't be folded (see CatchUp).
// Damage of the file is mended on the way.
func (v *Views) Run(ctx context.Context) error {
	select {
	case v.folding <- struct{}{}:
		defer func() { <-v.folding }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		err := v.run(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !v.damaged.Load() {
			return err
		}
	}
}

func (v *Views) run(ctx context.Context) error {
	if err := v.prepare(ctx, nil); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	v.mu.Lock()
	v.stopRun = cancel
	v.mu.Unlock()
	for {
		if err := v.foldToHead(ctx); err != nil {
			return err
		}
		_ = v.scrub()                                       // as above
		if err := v.follow(ctx, v.Position()); err != nil { // the next event
			return err
		}
		v.gather(ctx)
	}
}

// live writes to the live tables.
func (v *Views) live() *Writer {
	v.open.RLock()
	db := v.db
	v.open.RUnlock()
	w := newWriter(db, "", false, v.sizes, func(b *batch, m mark) error {
		v.gate.Lock()
		defer v.gate.Unlock()
		err := db.write(b.order, "", m)
		v.note(err)
		if err == nil {
			v.books.move(b)
			v.advance(m.position, true)
		}
		return err
	})
	if v.names != nil { // the same log gives the same numbers, so they hold also for tables that were made anew
		w.names = v.names
	}
	v.names = w.names
	return w
}

// byKind lists the models that fold each kind.
func byKind(models []Model) map[string][]Model {
	folds := make(map[string][]Model)
	for _, m := range models {
		for _, kind := range m.Kinds {
			folds[kind] = append(folds[kind], m)
		}
	}
	return folds
}

// replay reads the events after a position up to another, decoded where one of the models folds them.
func (v *Views) replay(ctx context.Context, models []Model, after, to eventstore.Position) iter.Seq2[eventstore.Replayed, error] {
	folds := byKind(models)
	return eventstore.Replay(ctx, v.store, v.codec, after, to, func(kind string) bool { return len(folds[kind]) > 0 })
}

// fold folds events and writes whenever a batch is full, and at the end.
func (v *Views) fold(w *Writer, models []Model, events iter.Seq2[eventstore.Replayed, error], progress func(at eventstore.Position, events uint64)) error {
	folds := byKind(models)
	var newest eventstore.Recorded
	unwritten, folded := 0, uint64(0)
	flush := func() error {
		if unwritten == 0 {
			return nil
		}
		unwritten = 0
		return w.flush(markOf(newest))
	}
	for r, err := range events {
		if err != nil {
			flushed := firstError(flush(), w.settle()) // what came before it is folded all the same
			return firstError(err, flushed)
		}
		if r.Kind == erasedKind {
			v.unclean.Store(true)
		}
		if r.Event != nil { // somebody else's have none, whatever they call it
			for _, m := range folds[r.Kind] {
				m.Fold(w, r.Event, r.Recorded)
			}
		}
		if w.err != nil {
			return firstError(w.err, w.settle())
		}
		newest = r.Recorded
		if unwritten++; w.full() {
			if err := flush(); err != nil {
				return err
			}
		}
		if folded++; progress != nil && folded%progressEvery == 0 {
			progress(r.Position, folded)
		}
	}
	if progress != nil {
		progress(newest.Position, folded)
	}
	err := flush()
	return firstError(err, w.settle())
}

// progressEvery is how many events a rebuild folds between two words on how far it is.
const progressEvery = 512
