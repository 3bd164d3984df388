package projections

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/eventstore"
)

// Views is the read models of one log, in views.db beside it. It may be used by many at once.
type Views struct {
	store  eventstore.Store
	codec  *eventstore.Codec
	models []Model
	sizes  sizes

	pageRows int // read at a time for an answer of any length

	open    sync.RWMutex // held by readers; taken for itself to make the file anew or to close it
	closed  bool
	db      *database
	damaged atomic.Bool

	folding   chan struct{}            // whoever has put something in folds new events into the live tables
	books     openBooks                // what is open on the accounts of whom somebody asked lately
	names     *accountIDs              // of the live tables, as the last fold left them; whoever folds has them
	asked     chan struct{}            // rings when somebody waits for what Run has not folded yet
	surveys   chan struct{}            // one for each question that goes through many rows
	rebuild   sync.Mutex               // one rebuild at a time
	erased    func(customer.Key) error // forgets a customer who was erased, elsewhere; nil: nobody else knows any
	scrubbing sync.Mutex
	unclean   atomic.Bool // the file may still hold names of customers who were erased
	gate      sync.Mutex  // held while live tables change: by each batch, and by a rebuild's switch

	away atomic.Bool // the log could not be reached for a while, nor since

	mu       sync.Mutex
	ready    bool                // the tables were compared with the log and the models
	position eventstore.Position // all models are folded up to here
	moved    chan struct{}       // closed, and replaced, when position or ready change
	stopRun  context.CancelFunc  // ends what Run folds, so that damage can be mended
}

const fileName = "views.db"

var (
	ErrUnknownModel = &domain.Error{
		Code: domain.NotFound, Rule: "views.unknown_model",
		Text: "there is no such read model; `urikake views status` names them all",
	}
	ErrBeyondLog = &domain.Error{
		Code: domain.Invalid, Rule: "views.beyond_log",
		Text: "the log does not reach that position yet",
	}
	ErrBehind = &domain.Error{
		Code: domain.Unavailable, Rule: "views.behind",
		Text: "the position asked for has not been reached in time; ask again",
	}
)

var errClosed = ErrUnavailable.With("they were closed")

// Open opens the read models in dir, for the log in store, and makes them where there are none. Nothing is folded yet:
// the first question, CatchUp or Run does that. Models that are of another version, that belong to another log, that
// are ahead of the log (it was restored from a backup) or that are damaged are folded again by themselves.
// Only one process may have them open; the log's own lock sees to that. Refuses views.unavailable.
func Open(dir string, store eventstore.Store, codec *eventstore.Codec) (*Views, error) {
	return openModels(dir, store, codec, All)
}

func openModels(dir string, store eventstore.Store, codec *eventstore.Codec, models []Model) (*Views, error) {
	db, err := openDatabase(filepath.Join(dir, fileName))
	if err != nil {
		return nil, err
	}
	v := &Views{
		store: store, codec: codec, models: models, sizes: sizes{rowsMax, namesMax}, pageRows: pageRows, db: db,
		folding: make(chan struct{}, 1), asked: make(chan struct{}, 1), surveys: make(chan struct{}, surveysMax), moved: make(chan struct{}),
	}
	v.unclean.Store(true) // until it was looked at
	return v, nil
}

// Close ends the use of the file; it waits for whoever reads or writes. End Run before. Closing again does nothing.
func (v *Views) Close() error {
	v.open.Lock()
	defer v.open.Unlock()
	if v.closed {
		return nil
	}
	v.closed = true
	return v.db.close()
}

// dir is where the file lies.
func (v *Views) dir() string {
	v.open.RLock()
	defer v.open.RUnlock()
	return filepath.Dir(v.db.path)
}

// Position is up to where all models are folded.
func (v *Views) Position() eventstore.Position {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.position
}

// reached tells whether all is folded up to a position, and rings when it is worth asking again.
func (v *Views) reached(until eventstore.Position) (position eventstore.Position, yes bool, moved <-chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.position, v.ready && v.position >= until, v.moved
}

func (v *Views) advance(to eventstore.Position, ready bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.position, v.ready = to, ready
	close(v.moved)
	v.moved = make(chan struct{})
}

// Status is how a model stands.
type Status struct {
	Name     string              `json:"name"`
	Version  int                 `json:"version"`
	Position eventstore.Position `json:"position"` // folded up to here
	Head     eventstore.Position `json:"head"`     // of the log
	Lag      eventstore.Position `json:"lag"`      // how many positions are missing
	Rows     int64               `json:"rows"`     // in all its tables
}

// Status tells how each model stands, without folding anything. O(rows).
func (v *Views) Status(ctx context.Context) ([]Status, error) {
	head, err := v.store.Head(ctx)
	if err != nil {
		return nil, err
	}
	var list []Status
	err = v.look(ctx, func(r *reader) error {
		marked, err := readMark(r)
		if err != nil {
			return err
		}
		standing, err := r.models()
		for _, m := range v.models {
			s := Status{Name: m.Name, Head: head, Lag: head}
			if old, ok := standing[m.Name]; ok {
				s.Version, s.Position = old.version, marked.position
				s.Lag = head - min(head, marked.position)
				for _, t := range m.Tables {
					err = firstError(err, r.each("SELECT count(*) FROM "+t.Name, nil, func(c *cursor) error {
						s.Rows += c.int(0)
						return nil
					}))
				}
			}
			list = append(list, s)
		}
		return err
	})
	return list, err
}

// firstError is what went wrong first.
func firstError(first, then error) error {
	if first != nil {
		return first
	}
	return then
}

// surveysMax is how many questions go through many rows at the same time: as many as there are cores to do it, and fewer
// than connections, so that whoever asks for one row finds one free.
const surveysMax = 2

// survey is look for a question that goes through many rows.
func (v *Views) survey(ctx context.Context, work func(*reader) error) error {
	select {
	case v.surveys <- struct{}{}:
		defer func() { <-v.surveys }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return v.look(ctx, work)
}

// look reads the tables as they stand. Damage is noted, for the next fold to mend.
func (v *Views) look(ctx context.Context, work func(*reader) error) error {
	v.open.RLock()
	defer v.open.RUnlock()
	if v.closed {
		return errClosed
	}
	_, err := v.db.look(ctx, false, work)
	v.note(err)
	return err
}

func (v *Views) note(err error) {
	if err == nil || !isDamage(err) {
		return
	}
	v.damaged.Store(true)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ready = false
	if v.stopRun != nil {
		v.stopRun()
	}
}

// prepare makes tables and log fit: what can't be read, what another log or another program left, is folded again.
// The caller holds folding.
func (v *Views) prepare(ctx context.Context, progress func(done, total eventstore.Position, events uint64)) error {
	if v.damaged.Load() {
		if err := v.replace(); err != nil {
			return err
		}
	}
	if _, ready, _ := v.reached(0); ready {
		return nil
	}
	stale, err := v.stale(ctx)
	if err != nil {
		return err
	}
	if len(stale) > 0 {
		if err := v.refold(ctx, stale, v.Position() == 0, progress); err != nil {
			return err
		}
	}
	v.advance(v.Position(), true)
	return nil
}

// replace throws the file away and begins with an empty one.
func (v *Views) replace() error {
	v.rebuild.Lock()
	defer v.rebuild.Unlock()
	v.open.Lock()
	defer v.open.Unlock()
	if v.closed {
		return errClosed
	}
	path := v.db.path
	v.db.close() // what it says of damage is known already
	if err := removeDatabase(path); err != nil {
		return ErrUnavailable.With("%v", err)
	}
	db, err := openDatabase(path)
	if err != nil {
		return err
	}
	v.db, v.names = db, nil
	v.books.forget()
	v.damaged.Store(false)
	v.advance(0, false)
	return nil
}

// stale compares the tables with the log and with the models, drops what is nobody's, and tells what to fold again.
func (v *Views) stale(ctx context.Context) (stale []Model, err error) {
	var marked mark
	var standing map[string]version
	var tables []string
	err = v.look(ctx, func(r *reader) (err error) {
		if marked, err = readMark(r); err == nil {
			standing, err = r.models()
		}
		if err == nil {
			tables, err = r.tables()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	fits, err := v.fits(ctx, marked)
	if err != nil {
		return nil, err
	}
	var drop []string
	if !fits {
		standing, marked = nil, mark{}
		drop = append(drop, "UPDATE views_mark SET position = 0, event = '', at = 0")
	}
	keep := []string{"views_models", "views_mark", "views_scrubbed"}
	for _, m := range v.models {
		var names []string
		for _, t := range m.Tables {
			names = append(names, t.Name)
		}
		missing := slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(tables, name) })
		if missing || standing[m.Name] != (version{m.Version, m.tables()}) {
			stale = append(stale, m)
			drop = append(drop, fmt.Sprintf("DELETE FROM views_models WHERE name = '%s'", m.Name))
		} else {
			keep = append(keep, names...)
		}
	}
	for _, t := range tables {
		if !slices.Contains(keep, t) {
			drop = append(drop, "DROP TABLE "+t)
		}
	}
	if len(stale) == len(v.models) && marked.position > 0 {
		marked = mark{}
		drop = append(drop, "UPDATE views_mark SET position = 0, event = '', at = 0")
	}
	if len(drop) > 0 {
		v.unclean.Store(true)
		if err := v.db.script(append(drop, unscrubbed)...); err != nil {
			return nil, err
		}
		v.books.forget()
	}
	v.advance(marked.position, false)
	return stale, nil
}

// fits tells whether the event at the mark is the one that stands there in the log.
func (v *Views) fits(ctx context.Context, m mark) (bool, error) {
	if m.position == 0 {
		return true, nil
	}
	head, err := v.store.Head(ctx)
	if err != nil || head < m.position {
		return false, err
	}
	for r, err := range v.store.Follow(ctx, m.position-1) {
		return err == nil && markOf(r) == m, err
	}
	return false, ctx.Err()
}

// version is what views_models says of a model.
type version struct {
	version int
	tables  string
}

func (r *reader) models() (map[string]version, error) {
	standing := make(map[string]version)
	err := r.each("SELECT name, version, tables FROM views_models", nil, func(c *cursor) error {
		standing[c.text(0)] = version{int(c.int(1)), c.text(2)}
		return nil
	})
	return standing, err
}

func readMark(r *reader) (m mark, err error) {
	err = r.each("SELECT position, event, at FROM views_mark", nil, func(c *cursor) error {
		m = mark{eventstore.Position(c.int(0)), c.text(1), c.int(2)}
		return nil
	})
	return m, err
}
