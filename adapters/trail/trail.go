package trail

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/eventstore"
)

// ErrUnavailable refuses a read that can't be recorded.
var ErrUnavailable = &domain.Error{
	Code: domain.Unavailable, Rule: "trail.unavailable",
	Text: "what is read is recorded first, and the access trail can't be written; see to its disk",
}

const (
	syncEvery = 10 * time.Millisecond // what a loss of power can cost, with the time that the disk takes
	fileMax   = 32 << 20              // bytes after which a file is closed
)

// Trail is the access trail of a data directory. Several processes may write to it: each line is put where the file
// ends, under a lock. Nothing is opened before the first line.
type Trail struct {
	dir     string
	clock   eventstore.Clock
	fileMax int64
	every   time.Duration

	queue   sync.Mutex
	waiting []*wanted

	turn    sync.Mutex // of whoever writes what waits; it guards what stands below
	lock    *os.File
	file    file
	head    Head
	buf     []byte
	refused int    // since the last line
	unsure  string // why lines before this one may not be on the disk
	closed  bool

	counted counted
	fault   error     // of the last write; nil: it was done
	faultAt time.Time //

	dirty  chan struct{} // filled when there is something to sync
	quit   chan struct{}
	syncer sync.WaitGroup
}

// wanted is a line that waits to be written.
type wanted struct {
	body []byte
	done bool
	seq  uint64
	err  error
}

// Open makes a directory's trail known.
func Open(dir string, clock eventstore.Clock) *Trail {
	return &Trail{
		dir: filepath.Join(dir, dirName), clock: clock, fileMax: fileMax, every: syncEvery, head: start,
		dirty: make(chan struct{}, 1), quit: make(chan struct{}),
	}
}

// Record puts a line at the end of the trail and gives its number. When it returns the line is with the operating
// system: the end of this process can't lose it any more. The disk has it some 10 ms later, which a loss of power can
// lose. Lines that come together are written together; the clock is looked at once for them. Refuses trail.unavailable.
func (t *Trail) Record(e Entry) (seq uint64, err error) {
	w := new(wanted)
	if w.body, err = json.Marshal(e); err != nil {
		return 0, err
	}
	t.queue.Lock()
	t.waiting = append(t.waiting, w)
	t.queue.Unlock()

	t.turn.Lock()
	defer t.turn.Unlock()
	if !w.done {
		t.queue.Lock()
		group := t.waiting
		t.waiting = nil
		t.queue.Unlock()
		t.write(group)
	}
	return w.seq, w.err
}

// write records a group, all of it or nothing.
func (t *Trail) write(group []*wanted) {
	err := t.locked(func() error {
		if err := t.resume(); err != nil {
			return err
		}
		return t.put(group)
	})
	if err != nil {
		t.refused += len(group)
		t.counted.refused.Add(uint64(len(group)))
		t.failed(err)
		err = ErrUnavailable.With("%v", err)
	} else {
		t.fault = nil
	}
	for _, w := range group {
		if w.done, w.err = true, err; err != nil {
			w.seq = 0
		}
	}
}

// put writes a group at the end of the file. Lines that may be lost, and reads that were refused, are told of first.
func (t *Trail) put(group []*wanted) error {
	head, at, b := t.head, t.clock(), t.buf[:0]
	if t.refused > 0 || t.unsure != "" {
		gap, err := json.Marshal(Entry{Event: Gap, Refused: t.refused, Note: t.unsure})
		if err != nil {
			return err
		}
		b = appendLine(b, &head, at, gap)
	}
	for _, w := range group {
		b = appendLine(b, &head, at, w.body)
		w.seq = head.Seq
	}
	t.buf = b
	if err := t.append(b, head); err != nil {
		return err
	}
	if t.unsure != "" { // a disk that has failed to keep something must show first that it can
		if err := t.file.Sync(); err != nil {
			t.file.shut()
			return err
		}
	}
	t.refused, t.unsure = 0, ""
	if t.file.end >= t.fileMax {
		_ = t.turnOver() // tried again with the next line
	}
	return nil
}

// note writes a line of the trail's own, in its turn.
func (t *Trail) note(e Entry) error {
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	head := t.head
	b := appendLine(nil, &head, t.clock(), body)
	return t.append(b, head)
}

// append writes lines, of which the last is the new head.
func (t *Trail) append(b []byte, head Head) error {
	if err := t.file.append(b); err != nil {
		return err
	}
	t.counted.lines.Add(head.Seq - t.head.Seq)
	t.counted.bytes.Add(uint64(len(b)))
	t.head = head
	t.soon()
	return nil
}

// locked works while no other process writes.
func (t *Trail) locked(work func() error) (err error) {
	if t.closed {
		return os.ErrClosed
	}
	if t.lock == nil {
		if err := os.MkdirAll(t.dir, 0o700); err != nil {
			return err
		}
		if t.lock, err = os.OpenFile(filepath.Join(t.dir, lockName), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
			return err
		}
		t.syncer.Go(t.sync)
	}
	if err := flock(t.lock); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock(t.lock)) }()
	return work()
}

// soon has the syncer see to the disk.
func (t *Trail) soon() {
	select {
	case t.dirty <- struct{}{}:
	default:
	}
}

// sync makes durable what was written, again and again, until the trail is closed.
func (t *Trail) sync() {
	for {
		select {
		case <-t.dirty:
		case <-t.quit:
			return
		}
		select {
		case <-time.After(t.every):
		case <-t.quit:
			return
		}
		t.turn.Lock()
		f := t.file.File
		t.turn.Unlock()
		if f == nil {
			continue
		}
		if err := f.Sync(); err != nil && !errors.Is(err, os.ErrClosed) { // a file that is closed was synced
			t.turn.Lock()
			t.doubt(err)
			t.turn.Unlock()
		}
	}
}

// Head is how far the trail goes, with all of it on the disk. Refuses trail.unavailable.
func (t *Trail) Head() (head Head, err error) {
	t.turn.Lock()
	defer t.turn.Unlock()
	err = t.locked(func() error {
		if err := t.resume(); err != nil {
			return err
		}
		head = t.head
		return t.file.Sync()
	})
	if err != nil {
		return head, ErrUnavailable.With("%v", err)
	}
	return head, nil
}

// Close makes durable what was written. Nothing may be recorded any more.
func (t *Trail) Close() (err error) {
	t.turn.Lock()
	if t.closed {
		t.turn.Unlock()
		return nil
	}
	t.closed = true
	close(t.quit)
	t.turn.Unlock()
	t.syncer.Wait()
	if t.file.File != nil {
		err = errors.Join(t.file.Sync(), t.file.Close())
	}
	if t.lock != nil {
		err = errors.Join(err, t.lock.Close())
	}
	return err
}
