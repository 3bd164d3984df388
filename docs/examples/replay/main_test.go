package main

import (
	"context"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/esdbserver"
	"github.com/urikake/urikake/eventstore/memory"
)

// printed collects what is printed, and rings when the program has come to the end.
type printed struct {
	mu   sync.Mutex
	text strings.Builder
	all  chan struct{}
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text.Write(b)
	if strings.Contains(string(b), "that is all") {
		close(p.all)
	}
	return len(b), nil
}

// The document shows this program, and what it prints.
func TestReplay(t *testing.T) {
	store := memory.New(time.Now)
	for _, e := range []struct{ stream, kind string }{
		{"seller-YAMATO", "seller.registered"},
		{"customer-YAMATO.K101", "customer.registered"},
		{"numbering-YAMATO.INV.2026", "numbering.number_taken"},
		{"account-YAMATO.K101.JPY", "account.invoice_issued"},
		{"account-YAMATO.K101.JPY", "account.payment_recorded"},
	} {
		version := eventstore.Version(0)
		if e.kind == "account.payment_recorded" {
			version = 1
		}
		p := eventstore.Proposed{ID: uuid.New(), Kind: e.kind, Schema: 1, Data: []byte("{}")}
		if _, err := store.Append(t.Context(), e.stream, version, p); err != nil {
			t.Fatal(err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- esdbserver.New(esdbserver.Config{Store: store}).Serve(ctx, listener) }()
	defer func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()

	out := &printed{all: make(chan struct{})}
	reading, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- replay(reading, "esdb://"+listener.Addr().String()+"?tls=false", out) }()
	select {
	case <-out.all:
	case err := <-ended:
		t.Fatalf("%v, after %s", err, out.text.String())
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}

	doc, err := os.ReadFile("../../eventstoredb.md")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]string{
		"the program": "```go\n" + string(program) + "```\n", "what it prints": "```\n" + out.text.String() + "```\n",
	} {
		if !strings.Contains(string(doc), want) {
			t.Errorf("docs/eventstoredb.md does not show %s:\n%s", what, want)
		}
	}
}
