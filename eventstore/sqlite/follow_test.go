package sqlite

import (
	"context"
	"testing"
	"time"

	"github.com/urikake/urikake/eventstore"
)

// live follows from the beginning and tells each event's position.
func live(t *testing.T, s *Store) <-chan eventstore.Position {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	positions := make(chan eventstore.Position, 100)
	go func() {
		for r, err := range s.Follow(ctx, 0) {
			if err != nil {
				return
			}
			positions <- r.Position
		}
	}()
	return positions
}

// TestFollowerIsWoken appends one by one: a follower that only polled would need ten polls.
func TestFollowerIsWoken(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	positions := live(t, s)
	var waited time.Duration // a slow disk is no slow follower
	for i := range 10 {
		_, events := propose(1, 10)
		mustAppend(t, s, "s", eventstore.Version(i), events...)
		written := time.Now()
		if p := <-positions; p != eventstore.Position(i+1) {
			t.Fatalf("position %d, want %d", p, i+1)
		}
		waited += time.Since(written)
	}
	if waited > 5*pollEvery {
		t.Errorf("ten events took %v", waited)
	}
}

// TestFollowerPolls takes the bell away from a follower that sleeps.
func TestFollowerPolls(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	positions := live(t, s)
	time.Sleep(20 * time.Millisecond)
	s.tail.mu.Lock()
	s.tail.grown = make(chan struct{})
	s.tail.mu.Unlock()
	_, events := propose(1, 10)
	mustAppend(t, s, "s", 0, events...)
	select {
	case <-positions:
	case <-time.After(20 * pollEvery):
		t.Error("a follower whose bell is lost sleeps for ever")
	}
}
