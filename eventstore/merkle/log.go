package merkle

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sort"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

var (
	ErrForked = &domain.Error{
		Code: domain.Internal, Rule: "audit.forked",
		Text: "the log is not the one that was hashed before: events were changed or removed, or another log stands in its place; `urikake audit verify` says where",
	}
	ErrNoCheckpoint = &domain.Error{
		Code: domain.NotFound, Rule: "audit.no_checkpoint",
		Text: "no checkpoint was made yet; `urikake audit checkpoint` makes one",
	}
	ErrBeyondTree = &domain.Error{
		Code: domain.NotFound, Rule: "audit.no_such_event",
		Text: "the log has no event there",
	}
)

// Log is the tree of one log and its checkpoints, kept in files in the data directory. It follows the log when it is
// asked for something, or while Run runs. The tree can be made again from the log; the checkpoints can't.
type Log struct {
	store   eventstore.Store
	data    string
	foreign func(stream string) bool // streams that are not hashed

	turn     chan struct{} // filled by whoever works with what stands below
	files    *files        // nil until they are needed
	edge     *Frontier
	position eventstore.Position // of the last leaf
	read     eventstore.Position // up to where the log was read
	kept     int64               // leaves that are durable
	last     Checkpoint          // the newest one; Size 0: there is none
}

// Open makes the log's tree known; it reads and writes nothing until something is asked for. Streams that are somebody
// else's are no part of it.
func Open(data string, store eventstore.Store, foreign func(stream string) bool) *Log {
	return &Log{store: store, data: data, foreign: foreign, turn: make(chan struct{}, 1)}
}

// Close keeps what was hashed and ends the use of the files; the next use opens them again.
func (l *Log) Close() error {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	if l.files == nil {
		return nil
	}
	err := errors.Join(l.keep(), l.files.close())
	l.files = nil
	return err
}

// with lets work be done by one at a time, with the tree opened.
func (l *Log) with(ctx context.Context, work func() error) error {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if l.files == nil {
		if err := l.open(ctx); err != nil {
			return err
		}
	}
	return work()
}

func (l *Log) open(ctx context.Context) error {
	f, err := openFiles(filepath.Join(l.data, dirName))
	if err != nil {
		return unavailable(err)
	}
	m, edge, err := f.resume()
	if err == nil {
		err = l.fits(ctx, f, m)
	}
	if err == nil {
		l.last, err = newest(l.data)
	}
	if err != nil {
		return errors.Join(err, f.close())
	}
	l.files, l.edge, l.position, l.read, l.kept = f, edge, m.Position, m.Position, m.Size
	return nil
}

// fits refuses a log whose event at the mark is not the one that was hashed.
func (l *Log) fits(ctx context.Context, f *files, m mark) error {
	if m.Size == 0 {
		return nil
	}
	head, err := l.store.Head(ctx)
	if err != nil {
		return err
	}
	if head < m.Position {
		return ErrForked.With("it ends at position %d; %d events up to position %d were hashed", head, m.Size, m.Position)
	}
	stored, err := f.ReadHashes([]int64{tlog.StoredHashIndex(0, m.Size-1)})
	if err != nil {
		return err
	}
	for r, err := range l.store.Follow(ctx, m.Position-1) {
		if err != nil {
			return err
		}
		if hash := LeafHash(m.Size-1, r); r.Position != m.Position || hash != stored[0] {
			return ErrForked.With("another event stands at position %d", m.Position)
		}
		return nil
	}
	return ctx.Err()
}

// newest is the checkpoint of the most events.
func newest(data string) (last Checkpoint, err error) {
	names, notes, err := StoredNotes(data)
	for _, name := range names {
		c, bad := ParseCheckpoint(notes[name], nil)
		if bad == nil && c.Size >= last.Size { // verify tells of those that can't be read
			last = c
		}
	}
	return last, err
}

// CatchUp hashes what is in the log and not in the tree, and gives the tree's size. Refuses audit.forked, and what
// reading the log refuses. O(new events), on all cores.
func (l *Log) CatchUp(ctx context.Context) (size int64, err error) {
	err = l.with(ctx, func() error {
		err := l.follow(ctx)
		size = l.edge.Size()
		return err
	})
	return size, err
}

func (l *Log) follow(ctx context.Context) error {
	head, err := l.store.Head(ctx)
	if err != nil || head <= l.read {
		return err
	}
	for leaf, err := range Hashing(eventstore.Own(eventstore.UpTo(ctx, l.store, l.read, head), l.foreign), l.edge.Size()) {
		if err != nil {
			return err
		}
		if err := l.files.add(l.edge.Add(leaf.Hash), leaf.Position); err != nil {
			return l.lost(err)
		}
		l.position, l.read = leaf.Position, leaf.Position
	}
	l.read = head
	if err := l.files.flush(); err != nil {
		return l.lost(err)
	}
	return nil
}

// lost gives up files that could not be written; the next use goes on from what is durable.
func (l *Log) lost(err error) error {
	err = errors.Join(err, l.files.close())
	l.files = nil
	return unavailable(err)
}

func unavailable(err error) error {
	return eventstore.ErrUnavailable.With("the tree of its hashes can't be written: %v", err)
}

func (l *Log) keep() error {
	if l.kept == l.edge.Size() {
		return nil
	}
	if err := l.files.keep(mark{l.edge.Size(), l.position, l.edge.Root()}); err != nil {
		return l.lost(err)
	}
	l.kept = l.edge.Size()
	return nil
}

// Checkpoint signs and keeps what the log is now; if size is above 0, what it was when it had so many events. A
// checkpoint that was made already is given again. Refuses audit.no_key, audit.key_open, audit.no_such_event for a log
// that is empty or shorter, and audit.forked: no key signs two histories.
func (l *Log) Checkpoint(ctx context.Context, size int64, now time.Time) (c Checkpoint, err error) {
	err = l.with(ctx, func() error {
		s, err := signer(l.data)
		if err == nil {
			err = l.follow(ctx)
		}
		if err == nil {
			c, err = l.sign(s, size, now)
		}
		return err
	})
	return c, err
}

func (l *Log) sign(s note.Signer, size int64, now time.Time) (Checkpoint, error) {
	if size == 0 {
		size = l.edge.Size()
	}
	if size < 1 || size > l.edge.Size() {
		return Checkpoint{}, ErrBeyondTree.With("there are %d events, a checkpoint of %d is asked for", l.edge.Size(), size)
	}
	if l.last.Size == size && l.last.Origin == s.Name() {
		if root, err := tlog.TreeHash(size, l.files); err == nil && root == l.last.Root {
			return l.last, nil
		}
	}
	if err := l.agrees(l.last); err != nil {
		return Checkpoint{}, err
	}
	if err := l.keep(); err != nil {
		return Checkpoint{}, err
	}
	root, err := tlog.TreeHash(size, l.files)
	if err != nil {
		return Checkpoint{}, unavailable(err)
	}
	at, err := l.files.place(size - 1)
	if err != nil {
		return Checkpoint{}, unavailable(err)
	}
	c, err := Checkpoint{Origin: s.Name(), Size: size, Root: root, Position: at, Time: now.UTC().Truncate(time.Second)}.sign(s)
	if err == nil {
		err = l.files.saveCheckpoint(c)
	}
	if err == nil && c.Size >= l.last.Size {
		l.last = c
	}
	return c, err
}

// agrees refuses to go on from a checkpoint that the tree does not have.
func (l *Log) agrees(c Checkpoint) error {
	if c.Size == 0 {
		return nil
	}
	if c.Size > l.edge.Size() {
		return ErrForked.With("a checkpoint of %s has %d events, the log %d", c.Time.Format(time.RFC3339), c.Size, l.edge.Size())
	}
	root, err := tlog.TreeHash(c.Size, l.files)
	if err != nil {
		return unavailable(err)
	}
	if root != c.Root {
		return ErrForked.With("the first %d events are not those of the checkpoint of %s", c.Size, c.Time.Format(time.RFC3339))
	}
	return nil
}

// Latest is the newest checkpoint. Refuses audit.no_checkpoint.
func (l *Log) Latest(ctx context.Context) (c Checkpoint, err error) {
	err = l.with(ctx, func() error {
		if c = l.last; c.Size == 0 {
			return ErrNoCheckpoint
		}
		return nil
	})
	return c, err
}

// Kept is every checkpoint beside the log that can be read, by size, and the public keys there.
func (l *Log) Kept() (list []Checkpoint, keys []string, err error) {
	names, notes, err := StoredNotes(l.data)
	for _, name := range names {
		if c, bad := ParseCheckpoint(notes[name], nil); bad == nil {
			list = append(list, c)
		}
	}
	if err == nil {
		keys, err = PublicKeys(l.data)
	}
	return list, keys, err
}

// Root is the root of the tree over the log's first events. Refuses audit.no_such_event, and what CatchUp refuses.
func (l *Log) Root(ctx context.Context, size int64) (root tlog.Hash, err error) {
	err = l.with(ctx, func() (err error) {
		if err = l.follow(ctx); err != nil {
			return err
		}
		if size < 0 || size > l.edge.Size() {
			return ErrBeyondTree.With("there are %d events, not %d", l.edge.Size(), size)
		}
		root, err = tlog.TreeHash(size, l.files)
		return err
	})
	return root, err
}

// index finds the leaf of the event at a position. O(log n) reads.
func (l *Log) index(at eventstore.Position) (int64, error) {
	var failed error
	i := sort.Search(int(l.edge.Size()), func(i int) bool {
		place, err := l.files.place(int64(i))
		failed = errors.Join(failed, err)
		return place >= at
	})
	if failed != nil {
		return 0, unavailable(failed)
	}
	if int64(i) < l.edge.Size() {
		if place, err := l.files.place(int64(i)); err != nil || place == at {
			return int64(i), err
		}
	}
	return 0, ErrBeyondTree.With("position %d; the log ends at position %d", at, l.position)
}

// HasKey tells that there is a key to sign with.
func (l *Log) HasKey() bool {
	_, err := os.Stat(filepath.Join(l.data, keyFile))
	return err == nil
}
