package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/urikake/urikake/eventstore"
)

// TestDamageWhileReading overwrites pages in the middle: whoever reads gets an error, not a gap.
func TestDamageWhileReading(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	_, events := propose(2000, 1000)
	mustAppend(t, s, "s", 0, events...)
	s.Close()
	intact := mustRead(t, dir, fileName)
	found := 0
	for n := 10; n < len(intact)/8192; n += 7 {
		harmed := bytes.Clone(intact)
		clear(harmed[n*8192 : (n+1)*8192])
		mustWrite(t, dir, fileName, harmed)
		s, err := Open(dir, time.Now)
		if err != nil {
			found++
			continue
		}
		read, last := 0, error(nil)
		for r, err := range s.Read(t.Context(), "s", 0) {
			if last = err; err == nil {
				if read++; r.ID != events[read-1].ID {
					t.Fatalf("page %d: event %d is another one", n, read)
				}
			}
		}
		if read < len(events) && !errors.Is(last, eventstore.ErrDamaged) {
			t.Errorf("page %d: %d of %d events, then %v", n, read, len(events), last)
		}
		if read < len(events) {
			found++
		}
		s.Close()
	}
	if found < 10 {
		t.Errorf("only %d damaged pages were met", found)
	}
}

// TestMissingVersion takes a version out of a stream's middle; the log is still as long as it should be.
func TestMissingVersion(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	_, events := propose(300, 10)
	mustAppend(t, s, "s", 0, events...)
	s.Close()
	execute(t, dir, "UPDATE events SET version = 301 WHERE version = 150")
	s = mustOpen(t, dir)
	read, last := 0, error(nil)
	for _, err := range s.Read(t.Context(), "s", 0) {
		if last = err; err == nil {
			read++
		}
	}
	if read != 149 || !errors.Is(last, eventstore.ErrDamaged) {
		t.Errorf("%d events, then %v; want 149 and log.damaged", read, last)
	}
}

// TestMissingEnd takes the newest events away under an open log: neither a stream nor the log just ends earlier.
func TestMissingEnd(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	_, events := propose(300, 10)
	mustAppend(t, s, "s", 0, events...)
	execute(t, dir, "DELETE FROM events WHERE position > 280")
	for what, history := range map[string]iter.Seq2[eventstore.Recorded, error]{
		"the stream": s.Read(t.Context(), "s", 0), "the log": s.Follow(t.Context(), 0),
	} {
		read, last := 0, error(nil)
		for _, err := range history {
			if last = err; err == nil {
				read++
			}
		}
		if read < 256 || !errors.Is(last, eventstore.ErrDamaged) {
			t.Errorf("%s: %d events, then %v; want log.damaged", what, read, last)
		}
	}
}

// TestGroup commits appends that depend on each other in one transaction: each gets its own answer.
func TestGroup(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	_, first := propose(1, 10)
	mustAppend(t, s, "a", 0, first...)
	s.Close()
	w, err := openWriter(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()

	_, next := propose(2, 10)
	_, fresh := propose(1, 10)
	group := []*request{
		{stream: "a", expected: 1, events: next},
		{stream: "a", expected: 1, events: fresh}, // lost to the one before it
		{stream: "a", expected: 1, events: next},  // the same again
		{stream: "b", expected: 1, events: fresh}, // does not exist
		{stream: "b", expected: 0, events: fresh},
		{stream: "a", expected: 0, events: append(first, next...)}, // on disk and in this group
		{stream: "a", expected: 3, events: fresh},
	}
	if err := w.commit(group, newHeads(10)); err != nil {
		t.Fatal(err)
	}
	for i, want := range []eventstore.Position{3, 0, 3, 0, 4, 3, 5} {
		if r := group[i]; r.position != want || (want == 0) != errors.Is(r.err, eventstore.ErrWrongVersion) {
			t.Errorf("append %d: position %d, %v; want %d", i, r.position, r.err, want)
		}
	}
}

// TestFullDisk fills the file to a bound: what was acknowledged stays, and the log goes on once there is room.
func TestFullDisk(t *testing.T) {
	unset := set(t, "max_page_count = 100")
	dir := t.TempDir()
	s := mustOpen(t, dir)
	acks, refused := appendFromMany(t, s, 8, 200)
	if refused == nil || !errors.Is(refused, eventstore.ErrUnavailable) {
		t.Fatalf("the full disk gave %v", refused)
	}
	audit(t, s, acks)
	s.Close()
	unset()
	s = mustOpen(t, dir)
	audit(t, s, acks)
	if more, err := appendFromMany(t, s, 8, 20); err != nil {
		t.Fatal(err)
	} else {
		audit(t, s, append(acks, more...))
	}
}

// appendFromMany appends until each appender is done or refused, and tells what was acknowledged and the last refusal.
func appendFromMany(t *testing.T, s *Store, appenders, each int) (acks []acknowledged, refused error) {
	var all sync.WaitGroup
	var mu sync.Mutex
	run := time.Now().UnixNano()
	for g := range appenders {
		all.Go(func() {
			stream, version := fmt.Sprint(run, "-", g), eventstore.Version(0)
			for range each {
				b, events := propose(2, 2000)
				position, err := s.Append(t.Context(), stream, version, events...)
				mu.Lock()
				if err != nil {
					refused = err
				} else {
					acks = append(acks, acknowledged{stream, b, 2, position})
					version += 2
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return acks, refused
}
