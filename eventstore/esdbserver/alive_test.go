package esdbserver_test

import (
	"context"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/urikake/urikake/eventstore/esdbserver"
	"github.com/urikake/urikake/eventstore/memory"
)

// A subscription that nobody writes to lives, with the client's own signs of life every 10 seconds.
func TestIdleSubscription(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 65 seconds, beside other tests")
	}
	store := memory.New(time.Now)
	client := dial(t, serve(t, esdbserver.Config{Store: store}))
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	s, err := client.SubscribeToAll(ctx, esdb.SubscribeToAllOptions{From: esdb.Start{}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	hear(t, s, "+")
	time.Sleep(65 * time.Second) // what is tested
	write(t, store, "s", 0, propose("a", 1)...)
	if got := hear(t, s, "s@0"); got != "s@0" {
		t.Error(got)
	}
}
