package trail

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// Stats is what this process has done with the trail.
type Stats struct {
	Lines    uint64    // that were written
	Bytes    uint64    // of them
	Refused  uint64    // reads that could not be recorded
	Faults   uint64    // writes that failed, and syncs
	Anchored time.Time // when the newest anchor was signed that is kept beside the trail; zero: there is none
}

// counted can be asked while a disk hangs.
type counted struct {
	lines, bytes, refused, faults atomic.Uint64
	anchored                      atomic.Int64 // seconds since 1970; 0: never
	kept                          sync.Once    // the newest one from before was looked up
}

// Stats costs little to ask.
func (t *Trail) Stats() Stats {
	c := &t.counted
	c.kept.Do(t.lookUpAnchor)
	s := Stats{Lines: c.lines.Load(), Bytes: c.bytes.Load(), Refused: c.refused.Load(), Faults: c.faults.Load()}
	if at := c.anchored.Load(); at != 0 {
		s.Anchored = time.Unix(at, 0).UTC()
	}
	return s
}

// lookUpAnchor finds when the newest anchor of a process before was signed.
func (t *Trail) lookUpAnchor() {
	notes, _ := t.Notes() // what can't be read or is none is Verify's to tell
	for _, n := range notes {
		if a, err := ParseAnchor(n.Text, nil); err == nil {
			t.anchored(a)
		}
	}
}

// anchored notes an anchor that is kept.
func (t *Trail) anchored(a Anchor) {
	for at := t.counted.anchored.Load(); at < a.Time.Unix(); at = t.counted.anchored.Load() {
		if t.counted.anchored.CompareAndSwap(at, a.Time.Unix()) {
			return
		}
	}
}

// failed notes that lines were not written.
func (t *Trail) failed(err error) {
	t.counted.faults.Add(1)
	t.fault, t.faultAt = err, time.Now()
}

// doubt notes that lines may not be on the disk.
func (t *Trail) doubt(err error) {
	t.counted.faults.Add(1)
	t.unsure = "lines before this one may not be on the disk: " + err.Error()
}

// probeName is a file that is written to find out whether another line could be.
const probeName = "ready.probe"

// Check tells why the next read would be refused, as far as can be told without recording one; a write that failed is
// worth a new try after a while. It ends as the first line would have a trail begin or be mended.
func (t *Trail) Check(worth time.Duration) error {
	t.turn.Lock()
	defer t.turn.Unlock()
	if t.fault != nil && time.Since(t.faultAt) < worth {
		return t.fault
	}
	return t.locked(func() error {
		if err := t.resume(); err != nil {
			return err
		}
		if t.unsure != "" {
			if err := t.file.Sync(); err != nil {
				return err
			}
		}
		return probe(filepath.Join(t.dir, probeName))
	})
}

// probe takes the room of a long line for a moment.
func probe(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, lineMax))
	return errors.Join(err, f.Close(), os.Remove(path))
}
