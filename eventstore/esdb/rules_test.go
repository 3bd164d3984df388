package esdb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"github.com/urikake/urikake/eventstore"
)

func TestParseAddress(t *testing.T) {
	for text, shown := range map[string]string{
		"esdb://localhost:2113?tls=false":                            "esdb://localhost:2113",
		"esdb://localhost?tls=false&prefix=books.":                   "esdb://localhost?prefix=books.",
		"esdb://admin:change%20it@a:2113,b:2113?tlsVerifyCert=false": "esdb://a:2113,b:2113",
		"esdb+discover://admin:secret@cluster.example:2113":          "esdb+discover://cluster.example:2113",
		"esdb://a/?maxAppendSize=2097152&keepAliveInterval=20000":    "esdb://a",
	} {
		if a, err := ParseAddress(text); err != nil || a.String() != shown {
			t.Errorf("%s is shown as %q, %v", text, a, err)
		}
	}
	for text, want := range map[string]string{
		"http://localhost": "begins with esdb://",
		"esdb://":          "host",
		"esdb://admin:hunter2@localhost?tls=false":      "without TLS",
		"esdb://admin:hunter2@localhost:port":           "port",
		"esdb://admin:hunter2@localhost?nonsense=1":     `no setting "nonsense"`,
		"esdb://admin:hunter2@localhost?prefix=a-b":     "prefix",
		"esdb://localhost?maxAppendSize=10":             "maxAppendSize",
		"esdb://localhost?nodePreference=follower":      "leader",
		"esdb://admin:hunter2@localhost?tls=perhaps":    "tls",
		"esdb://admin:hunter2@localhost?tlsCAFile=/no/": "/no/",
		"esdb://admin:hunter2@localhost?%zz":            "question mark",
	} {
		_, err := ParseAddress(text)
		if !errors.Is(err, ErrAddress) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if strings.Contains(fmt.Sprint(err), "hunter2") {
			t.Errorf("%s: the password is shown: %v", text, err)
		}
	}
}

// TestSchemas: whatever kind, version and metadata an event has, it comes back so; the codec's own need nothing beside.
func TestSchemas(t *testing.T) {
	for _, kind := range []string{"account.invoice_issued", "", "a@b", "a@2", "a@", "@", "a@02"} {
		for _, metadata := range []string{
			"", "{}", `{"command_id":"c","schema":2}`, `{"schema":2}`, `{"schema": 2 , "x":1}`, `{"schema":-2}`, `{"x":{"schema":2}}`,
			`{"x":"\",\"schema\":2}"}`, `{"schema":"2"}`, `{"schema":99999999999999999999}`, "\xff", `,"schema":2}`,
		} {
			for _, schema := range []int{1, 2, 7, 1 << 20} {
				p := eventstore.Proposed{Kind: kind, Schema: schema, Metadata: []byte(metadata)}
				if k, v := kindOf(typeOf(p), p.Metadata); k != kind || v != schema {
					t.Errorf("%q version %d with %s comes back as %q version %d", kind, schema, metadata, k, v)
				}
			}
		}
	}
	p := eventstore.Proposed{Kind: "account.payment_recorded", Schema: 2, Metadata: []byte(`{"command_id":"c","schema":2}`)}
	if typeOf(p) != p.Kind || size(p) != p.Size() {
		t.Errorf("type %s, size %d", typeOf(p), size(p))
	}
}

func TestSizes(t *testing.T) {
	server := startServer(t, fresh())
	s := open(t, mustParse(t, server.url()), Options{})
	var events []eventstore.Proposed
	for i := range 3 {
		e := event(fmt.Sprint(i))
		e.Data = fmt.Appendf(nil, `{"text":%q}`, strings.Repeat("x", AppendMax/3))
		events = append(events, e)
	}
	if _, err := s.Append(limited(t), "s", 0, events...); !errors.Is(err, ErrAppendTooLarge) {
		t.Errorf("three thirds and a bit: %v", err)
	}
	mustAppend(t, s, "s", 0, events[:2]...)
	if n := len(read(t, s, "s")); n != 2 {
		t.Errorf("%d events", n)
	}
}

// foreigner writes beside the ledger.
type foreigner struct {
	t      testing.TB
	client *esdb.Client
	n      int
}

func newForeigner(t testing.TB, address Address) *foreigner {
	config := address.config
	config.Logger = esdb.NoopLogging()
	client, err := esdb.NewClient(&config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return &foreigner{t: t, client: client}
}

func (f *foreigner) write(stream string) {
	f.t.Helper()
	f.n++
	_, err := f.client.AppendToStream(limited(f.t), stream, esdb.AppendToStreamOptions{}, esdb.EventData{
		EventID: uuid.NewSHA1(uuid.Nil, fmt.Append(nil, stream, f.n)), EventType: "somebody.else", ContentType: esdb.ContentTypeJson, Data: []byte(`{}`),
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// testForeign mixes others' events with the ledger's, and asks for everything from everywhere.
func testForeign(t *testing.T, address Address) {
	f := newForeigner(t, address)
	s := open(t, address, Options{Categories: []string{"account", "seller"}})
	if head, err := s.Head(limited(t)); head != 0 || err != nil {
		t.Fatalf("head %d, %v", head, err)
	}
	var own []eventstore.Recorded
	for i := range 12 {
		f.write(address.Prefix + "order-1")
		f.write(address.Prefix + "accounting-1") // no category of ours, only a similar name
		f.write("x" + address.Prefix + "account-1")
		stream := []string{"account-a", "seller-s", "account-b"}[i%3]
		at := mustAppend(t, s, stream, eventstore.Version(i/3), event(fmt.Sprint(i)))
		own = append(own, eventstore.Recorded{Position: at, Stream: stream, Version: eventstore.Version(i/3) + 1})
	}
	for range 40 {
		f.write(address.Prefix + "order-1")
	}
	for _, fresh := range []bool{false, true} {
		if fresh {
			s = open(t, address, Options{Categories: []string{"account", "seller"}})
		}
		last := own[len(own)-1].Position
		if head, err := s.Head(limited(t)); head != last || err != nil {
			t.Errorf("head %d, %v, want %d", head, err, last)
		}
		first := own[0].Position
		for after := first - 1; after <= last; after += max(1, (last-first)/97) {
			checkAfter(t, s, own, after)
		}
		for _, r := range own {
			checkAfter(t, s, own, r.Position-1)
			checkAfter(t, s, own, r.Position)
		}
	}
	f.write(address.Prefix + "account-a") // an unknown kind in a stream of the ledger is the ledger's
	if events := read(t, s, "account-a"); len(events) != 5 || events[4].Kind != "somebody.else" {
		t.Errorf("%d events of account-a", len(events))
	}
	if head, err := s.Head(limited(t)); err != nil || head <= own[len(own)-1].Position {
		t.Errorf("head %d, %v after one more", head, err)
	}
}

// checkAfter follows after a position to the last own event.
func checkAfter(t *testing.T, s *Store, own []eventstore.Recorded, after eventstore.Position) {
	t.Helper()
	for len(own) > 0 && own[0].Position <= after {
		own = own[1:]
	}
	if len(own) == 0 {
		return
	}
	for r, err := range s.Follow(limited(t), after) {
		if err != nil {
			t.Fatalf("after %d: %v", after, err)
		}
		if r.Position != own[0].Position || r.Stream != own[0].Stream || r.Version != own[0].Version {
			t.Fatalf("after %d: %s/%d at %d, want %s/%d at %d", after, r.Stream, r.Version, r.Position, own[0].Stream, own[0].Version, own[0].Position)
		}
		if own = own[1:]; len(own) == 0 {
			return
		}
	}
}

func TestForeignStreams(t *testing.T) {
	testForeign(t, mustParse(t, startServer(t, fresh()).url()))
}

func TestRunningForeignStreams(t *testing.T) { testForeign(t, running(t)) }

// TestBound: a data directory belongs to the log that it was first used with, wherever that is.
func TestBound(t *testing.T) {
	dir := t.TempDir()
	a, b := startServer(t, fresh()), startServer(t, fresh())
	s := open(t, mustParse(t, a.url()), Options{Dir: dir})
	mustAppend(t, s, "s", 0, event("a"))
	s.Close()
	other := open(t, mustParse(t, b.url()), Options{})
	mustAppend(t, other, "s", 0, event("b"))

	moved := startProxy(t, a.address)
	s = open(t, mustParse(t, moved.url()), Options{Dir: dir})
	if err := s.Ready(limited(t)); err != nil {
		t.Errorf("the same log elsewhere: %v", err)
	}
	s = open(t, mustParse(t, b.url()), Options{Dir: dir})
	if err := s.Ready(limited(t)); !errors.Is(err, ErrOtherLog) {
		t.Errorf("another log: %v", err)
	}
	if _, err := s.Append(limited(t), "s", 1, event("c")); !errors.Is(err, ErrOtherLog) {
		t.Errorf("append to another log: %v", err)
	}
	if n := len(read(t, other, "s")); n != 1 {
		t.Errorf("the other log has %d events", n)
	}
	if at, err := Bound(dir); at != "esdb://"+a.address || err != nil {
		t.Errorf("bound to %q, %v", at, err)
	}
	if err := os.WriteFile(filepath.Join(dir, boundFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(mustParse(t, a.url()), Options{Dir: dir}); !errors.Is(err, ErrOtherLog) {
		t.Errorf("a mark that can't be read: %v", err)
	}
}

// deaf is a log whose followers hear nothing of what comes after they have caught up.
type deaf struct{ eventstore.Store }

func (d deaf) Follow(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		head, err := d.Head(ctx)
		for r, err := range d.Store.Follow(ctx, after) {
			if after >= head {
				break
			}
			if after = r.Position; !yield(r, err) {
				return
			}
			if after >= head {
				break
			}
		}
		<-ctx.Done()
		yield(eventstore.Recorded{}, errors.Join(ctx.Err(), err))
	}
}

// TestDeafSubscription: what a subscription does not say is asked for.
func TestDeafSubscription(t *testing.T) {
	server := startServer(t, deaf{fresh()})
	s := open(t, mustParse(t, server.url()), Options{})
	n := eventstore.Version(0)
	for range 3 {
		mustAppend(t, s, "s", n, event(fmt.Sprint(n)))
		n++
		if seen := followed(t, s, int(n)); len(seen) != int(n) {
			t.Fatalf("%d events, want %d", len(seen), n)
		}
	}
	ctx := limited(t)
	after := eventstore.Position(0)
	for r, err := range s.Follow(ctx, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if after++; r.Position == eventstore.Position(n) && n < 6 { // caught up: from here on nothing is said
			mustAppend(t, s, "s", n, event(fmt.Sprint(n)))
			n++
			continue
		}
		if r.Position == 6 {
			break
		}
	}
	if after != 6 {
		t.Errorf("%d events", after)
	}
}
