// Replay reads a ledger's log with EventStoreDB's own client, event by event, and then follows it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: replay esdb://127.0.0.1:2113?tls=false")
	}
	if err := replay(context.Background(), os.Args[1], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// replay prints what happened on every account, and goes on with what happens. A reader that keeps the position of its
// last event or checkpoint goes on after it the next time.
func replay(ctx context.Context, url string, out io.Writer) error {
	config, err := esdb.ParseConnectionString(url)
	if err != nil {
		return err
	}
	config.Logger = esdb.NoopLogging()
	client, err := esdb.NewClient(config)
	if err != nil {
		return err
	}
	defer client.Close()

	subscription, err := client.SubscribeToAll(ctx, esdb.SubscribeToAllOptions{
		From:   esdb.Start{}, // nil would be the end
		Filter: &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{"account-"}},
	})
	if err != nil {
		return err
	}
	defer subscription.Close()
	for {
		switch e := subscription.Recv(); {
		case e.EventAppeared != nil:
			r := e.EventAppeared.OriginalEvent()
			fmt.Fprintf(out, "%d %s %d %s\n", r.Position.Commit, r.StreamID, r.EventNumber, r.EventType)
		case e.CheckPointReached != nil: // up to here nothing else concerns an account
		case e.CaughtUp != nil:
			fmt.Fprintln(out, "that is all for now")
		case e.SubscriptionDropped != nil:
			if errors.Is(ctx.Err(), context.Canceled) {
				return nil
			}
			return e.SubscriptionDropped.Error
		}
	}
}
