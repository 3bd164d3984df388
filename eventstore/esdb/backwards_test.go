package esdb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/urikake/urikake/eventstore"
)

// Backwards is the log the other way round, from any position, wherever others have written in between.
func TestBackwards(t *testing.T) {
	log := sparse{fresh()}
	server := startServer(t, log)
	s, err := Open(mustParse(t, server.url()), Options{Categories: []string{"account"}, Times: quick})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for r, err := range s.Backwards(t.Context(), 0) {
		t.Fatal(r, err)
	}
	for i := range 40 {
		stream := []string{"account-1", "orders-1", "account-2"}[i%3]
		var events []eventstore.Proposed
		for range 60 {
			events = append(events, eventstore.Proposed{ID: uuid.New(), Kind: "test.happened", Schema: 1, Data: []byte("{}"), Metadata: []byte("{}")})
		}
		if _, err := log.Append(t.Context(), stream, eventstore.Version(i/3*60), events...); err != nil {
			t.Fatal(err)
		}
	}
	head, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{}
	for r, err := range eventstore.Between(t.Context(), s, 0, head) {
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprint(r.Position, r.Stream, r.Version, r.ID))
	}
	slices.Reverse(want)
	for _, from := range []eventstore.Position{head, head - 1, head - gap, 100*gap + 1, 100 * gap, 1} { // of ours, of nobody's, of others'
		got, all := []string{}, want
		for r, err := range eventstore.Backwards(t.Context(), s, from) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Position > from {
				t.Fatalf("%d comes after %d", r.Position, from)
			}
			got = append(got, fmt.Sprint(r.Position, r.Stream, r.Version, r.ID))
		}
		if all = all[len(all)-len(got):]; !cmp.Equal(got, all) || from == head && len(got) != len(want) || from == 1 && len(got) > 0 {
			t.Errorf("from %d: %d of %d events\n%s", from, len(got), len(want), cmp.Diff(got, all))
		}
	}
	ended, end := context.WithCancel(t.Context())
	defer end()
	last := error(nil)
	for _, err := range s.Backwards(ended, head) {
		end()
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Error(last)
	}
	server.end()
	for _, err := range s.Backwards(t.Context(), head) {
		last = err
	}
	if !errors.Is(last, eventstore.ErrUnavailable) {
		t.Error(last)
	}
}
