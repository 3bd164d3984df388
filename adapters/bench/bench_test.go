package bench

import (
	"context"
	"strings"
	"testing"
)

// The benchmark itself must keep running, on ledgers of any size.
func TestRun(t *testing.T) {
	results, err := Run(context.Background(), t.TempDir(), Options{Accounts: 20, Commands: 200, Invoices: 2000, Events: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range results {
		if r.Value <= 0 || r.Unit == "" {
			t.Errorf("%+v", r)
		}
		names = append(names, r.Name)
	}
	for _, want := range []string{"IssueInvoice, 64", "RecordPayment, 1 ", "replay", "rebuild", "aging", "among", "1000 events", "dry run", "queue"} {
		if !strings.Contains(strings.Join(names, "\n"), want) {
			t.Errorf("nothing is said of %q in\n%s", want, strings.Join(names, "\n"))
		}
	}
}

// The same log embedded and through the EventStoreDB client.
func TestEventStoreDB(t *testing.T) {
	results, err := EventStoreDB(context.Background(), t.TempDir(), Options{Commands: 640})
	if err != nil || len(results) != 6 {
		t.Fatal(results, err)
	}
	for _, r := range results {
		if r.Value <= 0 {
			t.Errorf("%+v", r)
		}
	}
}
