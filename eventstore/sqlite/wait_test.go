package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/urikake/urikake/eventstore"
)

// holdUp locks the file, as somebody with an SQLite shell may, so that the writer waits.
func holdUp(t *testing.T, dir string) (release func()) {
	t.Helper()
	other, err := sqlite.OpenConn(filepath.Join(dir, fileName), sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if err := sqlitex.ExecuteTransient(other, "BEGIN IMMEDIATE", nil); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := errors.Join(sqlitex.ExecuteTransient(other, "ROLLBACK", nil), other.Close()); err != nil {
			t.Error(err)
		}
	}
}

// occupied is how many events the writer is occupied with.
const occupied = groupSize/1_000_000 + 1

// occupy holds the file's lock and gives the writer a full group to wait with, so that whatever is appended next stays
// in the queue. The release gives the file free and awaits that group.
func occupy(t *testing.T, s *Store, dir string) (release func()) {
	t.Helper()
	unlock := holdUp(t, dir)
	r := &request{stream: "occupied", events: fullGroup(), done: make(chan struct{}, 1)}
	s.queue <- r
	for r.state.Load() != taken {
		time.Sleep(time.Millisecond)
	}
	return func() {
		t.Helper()
		unlock()
		if <-r.done; r.err != nil {
			t.Error(r.err)
		}
	}
}

// fullGroup are events beside which no other append is written in one transaction.
func fullGroup() []eventstore.Proposed {
	_, events := propose(occupied, 0)
	for i := range events {
		events[i].Data = make([]byte, 1_000_000)
	}
	return events
}

// TestEndedWhileWaiting holds the writer up with a lock on the file. An append that waits in the queue is withdrawn at
// once and never written; of one that is being written the outcome is unknown.
func TestEndedWhileWaiting(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	release := holdUp(t, dir)

	first := fullGroup()
	_, second := propose(1, 10)
	start := func(stream string, events []eventstore.Proposed) (r *request, cancel func(), result chan error) { // Append in its two halves
		ctx, cancel := context.WithCancel(t.Context())
		r = &request{stream: stream, events: events, done: make(chan struct{}, 1)}
		if err := s.enqueue(ctx, r); err != nil {
			t.Fatal(err)
		}
		result = make(chan error, 1)
		go func() {
			_, err := s.await(ctx, r)
			result <- err
		}()
		return r, cancel, result
	}
	await := func(what string, result chan error, want error) {
		t.Helper()
		select {
		case err := <-result:
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s: does not end", what)
		}
	}
	r, cancelFirst, firstResult := start("first", first)
	for r.state.Load() != taken {
		time.Sleep(time.Millisecond)
	}
	_, cancelSecond, secondResult := start("second", second)
	cancelSecond()
	await("waiting in the queue", secondResult, context.Canceled)
	cancelFirst()
	await("being written", firstResult, eventstore.ErrUnavailable)
	release()

	if p := mustAppend(t, s, "first", 0, first...); p != occupied {
		t.Errorf("the repeat gave position %d", p)
	}
	for r := range s.Read(t.Context(), "second", 0) {
		t.Errorf("the withdrawn append was written at %d", r.Position)
	}
}

// TestLockedFile keeps the file locked for longer than the writer waits.
func TestLockedFile(t *testing.T) {
	set(t, "busy_timeout = 50")
	dir := t.TempDir()
	s := mustOpen(t, dir)
	release := holdUp(t, dir)
	_, events := propose(1, 10)
	if _, err := s.Append(t.Context(), "s", 0, events...); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("append: %v", err)
	}
	release()
	mustAppend(t, s, "s", 0, events...)
}

// TestCloseFinishesWhatWaits closes while appends stand in the queue: they were accepted, so they are written.
func TestCloseFinishesWhatWaits(t *testing.T) {
	for range 4 {
		closeFinishesWhatWaits(t)
	}
}

func closeFinishesWhatWaits(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	release := occupy(t, s, dir)
	const appends = 20
	results := make(chan error, appends)
	for g := range appends {
		go func() {
			_, events := propose(1, 10)
			_, err := s.Append(t.Context(), fmt.Sprint(g), 0, events...)
			results <- err
		}()
	}
	for len(s.queue) < appends {
		time.Sleep(time.Millisecond)
	}
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	time.Sleep(20 * time.Millisecond)
	release()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	for range appends {
		if err := <-results; err != nil {
			t.Errorf("an append that waited: %v", err)
		}
	}
	if got := mustOpen(t, dir).Stats().Events; got != appends+occupied {
		t.Errorf("%d events, want %d", got, appends+occupied)
	}
}

// TestCloseWhileAppending closes amid appends: each is either acknowledged and there, or refused and not there.
func TestCloseWhileAppending(t *testing.T) {
	for range 5 {
		dir := t.TempDir()
		s := mustOpen(t, dir)
		time.AfterFunc(30*time.Millisecond, func() { s.Close() })
		acks, refused := appendFromMany(t, s, 8, 500)
		if refused == nil {
			t.Fatal("the log was closed too late")
		}
		if !errors.Is(refused, eventstore.ErrUnavailable) {
			t.Errorf("a closed log gave %v", refused)
		}
		s.Close()
		s = mustOpen(t, dir)
		audit(t, s, acks)
		if got := s.Stats().Events; got != uint64(2*len(acks)) {
			t.Errorf("%d events, %d acknowledged", got, 2*len(acks))
		}
		s.Close()
	}
}

// TestStats counts what waits while the writer is held up, and what it has written afterwards.
func TestStats(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	_, events := propose(1, 10)
	mustAppend(t, s, "s", 0, events...)
	release := occupy(t, s, dir)
	const appends = 5
	results := make(chan error, appends)
	for g := range appends {
		go func() {
			_, events := propose(1, 10)
			_, err := s.Append(t.Context(), fmt.Sprint(g), 0, events...)
			results <- err
		}()
	}
	for s.Stats().QueueLen < appends {
		time.Sleep(time.Millisecond)
	}
	release()
	for range appends {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	want := uint64(len(events)*(appends+1) + occupied)
	if got := s.Stats(); got.QueueLen != 0 || got.GroupEvents != want || got.Events != want || got.Commits != 3 {
		t.Errorf("%+v, want %d events", got, want)
	}
	s.Close()
	if got := mustOpen(t, dir).Stats(); got.Events != want || got.GroupEvents != 0 || got.Commits != 0 {
		t.Errorf("opened again: %+v", got)
	}
}
