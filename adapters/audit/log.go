package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/merkle"
)

// logged is the first pass: the log in its order, against the stored tree and every checkpoint.
type logged struct {
	*verification
	points   []point // by size
	edge     merkle.Frontier
	blind    bool  // an event is lost whose hash nobody knows: no root can be told any more
	shift    int64 // events that were removed before here; below zero: added
	changed  []change
	changes  int64
	treeBad  bool
	streams  map[string]eventstore.Version
	last     eventstore.Recorded
	lost     []*eventstore.Lost
	searches int
}

// point is a checkpoint, and what the log had for a root when it had its size.
type point struct {
	merkle.Checkpoint
	name    string
	root    tlog.Hash
	reached bool
}

// change is an event that is not what was hashed.
type change struct {
	index int64
	at    eventstore.Recorded
}

const (
	shiftMax    = 16  // events removed or added in a row that are told by their number
	searchesMax = 200 // places at which that is looked for
)

// passes reads the log once, and once more for every further part of the streams.
func (v *verification) passes(ctx context.Context) error {
	err := v.log(ctx)
	for i := 1; i < v.parts && err == nil; i++ {
		err = v.again(ctx, i)
	}
	return err
}

// log is the first pass: the order, the hashes, the events themselves, and the first part of the streams.
func (v *verification) log(ctx context.Context) error {
	defer v.feed.end(nil)
	l := &logged{verification: v, streams: make(map[string]eventstore.Version)}
	l.checkpoints()
	v.across = v.begins(l.streams)
	first := v.replays()
	n := int64(0)
	for leaf, err := range merkle.Ahead(eventstore.Own(eventstore.Events(ctx, v.Store), v.Codec.Foreign), 0, v.hashAndDecode) {
		switch lost, ok := errors.AsType[*eventstore.Lost](err); {
		case err == nil:
			v.across.event(leaf, l.event(leaf))
			v.feed.give(leaf)
			if part(leaf.Stream, v.parts) == 0 {
				first.event(leaf)
			}
		case ctx.Err() != nil:
			return ctx.Err()
		case ok:
			l.gone(leaf.Index, lost)
			v.across.stop(l.last.Position, "events after it are lost")
			v.feed.end(err)
		default:
			l.lost = append(l.lost, &eventstore.Lost{From: l.last.Position + 1, To: l.last.Position + 1, Why: fmt.Sprintf("can't be read, nor what comes after it: %v", err)})
			l.blind = true
			v.feed.end(err)
		}
		if n++; n%progressEvery == 0 {
			v.step(progressEvery)
		}
	}
	v.step(n % progressEvery)
	first.end()
	l.conclude(ctx)
	return ctx.Err()
}

func (v *verification) hashAndDecode(h *merkle.Hasher, l *merkle.Leaf) {
	l.Hash = h.Leaf(l.Index, &l.Recorded)
	v.decode(l)
}

// again replays a further part of the streams.
func (v *verification) again(ctx context.Context, which int) error {
	later := v.replays()
	n := int64(0)
	mine := func(_ *merkle.Hasher, l *merkle.Leaf) {
		if part(l.Stream, v.parts) == which {
			v.decode(l)
		}
	}
	for leaf, err := range merkle.Ahead(eventstore.Own(eventstore.Events(ctx, v.Store), v.Codec.Foreign), 0, mine) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil && part(leaf.Stream, v.parts) == which {
			later.event(leaf)
		}
		if n++; n%progressEvery == 0 {
			v.step(progressEvery)
		}
	}
	v.step(n % progressEvery)
	later.end()
	return ctx.Err()
}

const progressEvery = 1024

// checkpoints reads the notes. One that is not signed by a trusted key says nothing.
func (l *logged) checkpoints() {
	for _, n := range l.Checkpoints {
		c, err := merkle.ParseCheckpoint(n.Text, l.keys)
		if err == nil && len(l.keys) == 0 {
			err = fmt.Errorf("no public key is known to check it with; give one with --key")
		}
		if err != nil {
			l.add(Finding{Rule: Signature, Text: fmt.Sprintf("%s: %v", n.Name, err)})
			continue
		}
		l.points = append(l.points, point{Checkpoint: c, name: n.Name})
	}
	slices.SortStableFunc(l.points, func(a, b point) int { return cmp.Compare(a.Size, b.Size) })
}

// event tells whether it is the next of its stream.
func (l *logged) event(leaf merkle.Leaf) (follows bool) {
	l.Events++
	l.Position = leaf.Position
	follows = l.order(leaf.Recorded)
	l.last = leaf.Recorded
	fresh := l.edge.Add(leaf.Hash)
	l.reach()
	l.compare(leaf, fresh)
	return follows
}

// reach notes the root for checkpoints of this size.
func (l *logged) reach() {
	if l.blind {
		return
	}
	for i, _ := slices.BinarySearchFunc(l.points, l.edge.Size(), func(p point, size int64) int { return cmp.Compare(p.Size, size) }); i < len(l.points) && l.points[i].Size == l.edge.Size(); i++ {
		l.points[i].root, l.points[i].reached = l.edge.Root(), true
	}
}

func (v *verification) find(r eventstore.Recorded, rule, format string, args ...any) {
	v.add(Finding{Rule: rule, Position: r.Position, Stream: r.Stream, Version: r.Version, Text: fmt.Sprintf(format, args...)})
}

// order asks that everything goes on from the event before, and tells whether it is the next of its stream.
func (l *logged) order(r eventstore.Recorded) (follows bool) {
	if r.Position <= l.last.Position {
		l.find(r, LogOrder, "it stands after position %d", l.last.Position)
	}
	if r.At.Before(l.last.At) {
		l.find(r, LogOrder, "it was recorded at %s, before the event that stands before it, at %s", r.At.Format(time.RFC3339Nano), l.last.At.Format(time.RFC3339Nano))
	}
	want := l.streams[r.Stream] + 1
	if follows = r.Version == want; !follows {
		l.find(r, LogOrder, "the stream's next version would be %d", want)
	}
	l.streams[r.Stream] = r.Version
	return follows
}

// compare asks whether the event is the one that was hashed when it was recorded.
func (l *logged) compare(leaf merkle.Leaf, fresh []tlog.Hash) {
	index := leaf.Index + l.shift
	if l.Tree == nil || index < 0 || index >= l.Tree.Size() {
		return
	}
	stored, err := l.Tree.Hashes(index)
	if err != nil {
		l.damaged("its hashes can't be read: %v", err)
		return
	}
	if leaf.Hash == stored[0] || l.shift != 0 && l.hashAt(leaf, index) == stored[0] {
		clean := l.shift == 0 && l.changes == 0 && !l.blind && len(l.lost) == 0
		if clean && !slices.Equal(fresh, stored) {
			l.damaged("the hashes above leaf %d are not those of the leaves below", index)
		}
		if at := l.Tree.Position(index); clean && at != leaf.Position {
			l.damaged("leaf %d is said to stand at position %d; it stands at %d", index, at, leaf.Position)
		}
		return
	}
	if !l.shifted(leaf) {
		if l.changes++; len(l.changed) < findingsOfRule {
			l.changed = append(l.changed, change{index, leaf.Recorded})
		}
	}
}

func (l *logged) hashAt(leaf merkle.Leaf, index int64) tlog.Hash {
	return merkle.LeafHash(index, leaf.Recorded)
}

// shifted tells whether the event is one that was hashed a few places away, since others were removed or added.
func (l *logged) shifted(leaf merkle.Leaf) bool {
	if l.searches++; l.searches > searchesMax {
		return false
	}
	for n := int64(1); n <= shiftMax; n++ {
		for _, by := range []int64{n, -n} {
			index := leaf.Index + l.shift + by
			if index < 0 || index >= l.Tree.Size() {
				continue
			}
			stored, err := l.Tree.Hashes(index)
			if err != nil || l.hashAt(leaf, index) != stored[0] {
				continue
			}
			if l.shift += by; by > 0 {
				l.find(leaf.Recorded, LogRemoved, "before it stood %s that %s hashed and %s gone", count(by, "event"), was(by), is(by))
			} else {
				l.find(leaf.Recorded, LogAdded, "before it %s in that %s not there when it was recorded", slipped(-by), was(-by))
			}
			return true
		}
	}
	return false
}

// damaged tells once that the tree is not to be relied upon.
func (l *logged) damaged(format string, args ...any) {
	if !l.treeBad {
		l.add(Finding{Rule: TreeFile, Text: fmt.Sprintf(format, args...) + "; the log itself is not concerned: remove audit/hashes, audit/positions and audit/mark, and they are made again"})
	}
	l.treeBad = true
}

// gone goes on beyond events that are lost: their hashes may be known.
func (l *logged) gone(index int64, lost *eventstore.Lost) {
	l.lost = append(l.lost, lost)
	for i := range lost.Count() {
		at := index + i + l.shift
		if l.Tree == nil || at < 0 || at >= l.Tree.Size() {
			l.blind = true
			return
		}
		stored, err := l.Tree.Hashes(at)
		if err != nil {
			l.blind = true
			return
		}
		if !l.blind {
			l.edge.Add(stored[0])
			l.reach()
		}
	}
}

// conclude says of what was seen what it means.
func (l *logged) conclude(ctx context.Context) {
	if !l.blind {
		l.Root = l.edge.Root()
	}
	if l.Name != nil {
		l.Name(ctx, l.lost)
	}
	for _, lost := range l.lost {
		text := lost.Why
		if lost.To > lost.From {
			text = fmt.Sprintf("this and all up to position %d: %s", lost.To, lost.Why)
		}
		l.add(Finding{Rule: LogLost, Position: lost.From, Stream: lost.Stream, Version: lost.Version, Text: text})
	}
	good := l.signed()
	for _, c := range l.changed {
		if c.index < good {
			l.damaged("leaf %d is not the hash of the event at position %d, which a checkpoint has", c.index, c.at.Position)
			continue
		}
		l.find(c.at, LogChanged, "this is not the event that was recorded here: its hash was another")
	}
	for n := int64(len(l.changed)); n < l.changes; n++ {
		l.add(Finding{Rule: LogChanged})
	}
	if l.Tree != nil && !l.blind {
		if missing := l.Tree.Size() - l.edge.Size() - l.shift; missing > 0 {
			from, to := l.Tree.Position(l.Tree.Size()-missing), l.Tree.Position(l.Tree.Size()-1)
			l.add(Finding{Rule: LogRemoved, Position: from, Text: fmt.Sprintf("the log ends at position %d; the last %s that %s hashed, up to position %d, %s gone", l.Position, count(missing, "event"), was(missing), to, is(missing))})
		}
	}
	if l.Covered < l.Events {
		l.note("the last %s by no checkpoint yet", covered(l.Events-l.Covered))
	}
}

// signed compares with every checkpoint, and gives the size of the largest that the log agrees with.
func (l *logged) signed() int64 {
	var good *point
	var bad []*point
	for i := range l.points {
		p := &l.points[i]
		if p.reached && p.root == p.Checkpoint.Root {
			good = p
			l.Checked++
			l.Covered, l.CoveredAt = p.Size, p.Time
		} else {
			bad = append(bad, p)
		}
	}
	after := "between the first event and"
	if good != nil {
		after = fmt.Sprintf("after the first %d, of which the checkpoint of %s holds, and within", good.Size, good.Time.Format(time.RFC3339))
	}
	for _, p := range bad {
		text := fmt.Sprintf("%s, of %d events, signed %s: ", p.name, p.Size, p.Time.Format(time.RFC3339))
		switch {
		case p.reached:
			text += fmt.Sprintf("the log's first %d events are not those; something was changed %s these %d", p.Size, after, p.Size)
		case l.blind:
			text += "it can't be compared, since events are lost whose hashes nobody knows"
		default:
			text += fmt.Sprintf("the log has %d events: the others were removed", l.edge.Size())
		}
		l.add(Finding{Rule: Mismatch, Position: p.Position, Text: text})
	}
	if good == nil {
		return 0
	}
	return good.Size
}

func count(n int64, what string) string {
	if n == 1 {
		return "one " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func was(n int64) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

func is(n int64) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func slipped(n int64) string { return count(n, "event") + " " + was(n) + " slipped" }

func covered(n int64) string {
	if n == 1 {
		return "event is covered"
	}
	return fmt.Sprintf("%d events are covered", n)
}
