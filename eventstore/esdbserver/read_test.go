package esdbserver_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/esdbserver"
	"github.com/urikake/urikake/eventstore/memory"
	"github.com/urikake/urikake/eventstore/sqlite"
)

// onDisk is an empty log in a file, and a client of it.
func onDisk(t testing.TB) (eventstore.Store, *esdb.Client) {
	t.Helper()
	store, err := sqlite.Open(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store, dial(t, serve(t, esdbserver.Config{Store: store}))
}

// fill writes streams "a" and "b" by turns: a0 b0 a1 b1 ...
func fill(t testing.TB, store eventstore.Store, n int) {
	t.Helper()
	a, b := propose("a", n), propose("b", n)
	for i := range n {
		write(t, store, "a", eventstore.Version(i), a[i])
		write(t, store, "b", eventstore.Version(i), b[i])
	}
}

func TestReadStream(t *testing.T) {
	t.Parallel()
	store, client := onDisk(t)
	const n = 700 // several pages
	for i, events := 0, propose("a", n); i < n; i += 100 {
		write(t, store, "a", eventstore.Version(i), events[i:i+100]...)
		write(t, store, "b", eventstore.Version(i/100), propose(fmt.Sprint("b", i), 1)...)
	}
	back, forth := esdb.Backwards, esdb.Forwards
	for _, test := range []struct {
		direction esdb.Direction
		from      esdb.StreamPosition
		count     uint64
		first, n  int // revision of the first event, and how many come
	}{
		{forth, esdb.Start{}, n, 0, n},
		{forth, esdb.Start{}, math.MaxUint64, 0, n},
		{forth, esdb.Start{}, 1, 0, 1},
		{forth, esdb.Start{}, 0, 0, 0},
		{forth, esdb.Revision(0), 10, 0, 10},
		{forth, esdb.Revision(255), 257, 255, 257},
		{forth, esdb.Revision(n - 1), 10, n - 1, 1},
		{forth, esdb.Revision(n), 10, 0, 0},
		{forth, esdb.Revision(1 << 62), 10, 0, 0},
		{forth, esdb.End{}, 10, 0, 0},
		{back, esdb.End{}, n, n - 1, n},
		{back, esdb.End{}, math.MaxUint64, n - 1, n},
		{back, esdb.End{}, 1, n - 1, 1},
		{back, esdb.End{}, 0, 0, 0},
		{back, esdb.Revision(300), 200, 300, 200},
		{back, esdb.Revision(128), 1000, 128, 129},
		{back, esdb.Revision(0), 10, 0, 1},
		{back, esdb.Start{}, 10, 0, 1},
		{back, esdb.Revision(n + 5), 2, n - 1, 2},
		{back, esdb.Revision(math.MaxInt64 - 1), 2, n - 1, 2},
	} {
		name := fmt.Sprintf("direction %d from %v, %d", test.direction, test.from, test.count)
		events, err := streamRead(t, client, "a", esdb.ReadStreamOptions{Direction: test.direction, From: test.from}, test.count)
		if err != nil || len(events) != test.n {
			t.Errorf("%s: %d events, want %d: %v", name, len(events), test.n, err)
			continue
		}
		for i, e := range events {
			want := test.first + i
			if test.direction == back {
				want = test.first - i
			}
			if e.EventNumber != uint64(want) || e.EventID != idOf(fmt.Sprint("a", want)) || e.StreamID != "a" {
				t.Errorf("%s: event %d is %s@%d, %s", name, i, e.StreamID, e.EventNumber, e.Data)
				break
			}
		}
	}
}

func TestReadMissing(t *testing.T) {
	t.Parallel()
	store, client := open(t)
	write(t, store, "there", 0, propose("a", 1)...)
	for _, direction := range []esdb.Direction{esdb.Forwards, esdb.Backwards} {
		for _, from := range []esdb.StreamPosition{esdb.Start{}, esdb.End{}, esdb.Revision(3)} {
			events, err := streamRead(t, client, "ther", esdb.ReadStreamOptions{Direction: direction, From: from}, 10)
			if len(events) != 0 {
				t.Errorf("%d events of no stream", len(events))
			}
			wantCode(t, fmt.Sprint(direction, from), err, esdb.ErrorCodeResourceNotFound)
		}
	}
}

// What was recorded is read back: bytes, ids, names, instants.
func TestRecorded(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 6, 30, 23, 59, 59, 123_456_000, time.UTC)
	store := memory.New(func() time.Time { return at })
	client := dial(t, serve(t, esdbserver.Config{Store: store}))
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for i, data := range [][]byte{nil, []byte(`{"金額":"110000"}`), []byte(` [1] `), every} {
		stream := fmt.Sprint("売掛-", i)
		_, err := client.AppendToStream(limited(t), stream, esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}},
			esdb.EventData{EventID: idOf(stream), EventType: "入金", ContentType: esdb.ContentTypeBinary, Data: data, Metadata: every})
		if err != nil {
			t.Fatal(err)
		}
		events, err := streamRead(t, client, stream, esdb.ReadStreamOptions{}, 10)
		if err != nil || len(events) != 1 {
			t.Fatalf("%v, %v", events, err)
		}
		e := events[0]
		wantType := "application/octet-stream"
		if i == 1 || i == 2 {
			wantType = "application/json"
		}
		if e.EventID != idOf(stream) || e.EventType != "入金" || e.ContentType != wantType || e.StreamID != stream || e.EventNumber != 0 ||
			!e.CreatedDate.Equal(at) || !bytes.Equal(e.Data, data) || !bytes.Equal(e.UserMetadata, every) {
			t.Errorf("%+v", e)
		}
		if want := uint64(i + 1); e.Position.Commit != want || e.Position.Prepare != want {
			t.Errorf("position %v, want %d", e.Position, want)
		}
	}
}

func TestReadAll(t *testing.T) {
	t.Parallel()
	store, client := onDisk(t)
	const n = 300
	fill(t, store, n) // positions 1 to 2n
	back, forth := esdb.Backwards, esdb.Forwards
	at := func(n uint64) esdb.Position { return esdb.Position{Commit: n, Prepare: n} }
	for _, test := range []struct {
		direction esdb.Direction
		from      esdb.AllPosition
		count     uint64
		first, n  int // position of the first event, and how many come
	}{
		{forth, esdb.Start{}, 1000, 1, 2 * n},
		{forth, esdb.Start{}, math.MaxUint64, 1, 2 * n},
		{forth, esdb.Start{}, 0, 0, 0},
		{forth, at(0), 2, 1, 2},
		{forth, at(1), 2, 1, 2},         // inclusive
		{forth, at(300), 300, 300, 300}, // inclusive
		{forth, at(2 * n), 10, 2 * n, 1},
		{forth, at(2*n + 1), 10, 0, 0},
		{forth, at(1 << 40), 10, 0, 0},
		{forth, esdb.End{}, 10, 0, 0},
		{forth, at(math.MaxUint64), 10, 0, 0},
		{back, esdb.End{}, 1000, 2 * n, 2 * n},
		{back, at(math.MaxUint64), 3, 2 * n, 3},
		{back, esdb.End{}, 0, 0, 0},
		{back, at(300), 200, 299, 200}, // exclusive
		{back, at(2 * n), 3, 2*n - 1, 3},
		{back, at(2*n + 1), 3, 2 * n, 3},
		{back, at(1 << 40), 3, 2 * n, 3},
		{back, at(2), 10, 1, 1},
		{back, at(1), 10, 0, 0},
		{back, at(0), 10, 0, 0},
		{back, esdb.Start{}, 10, 0, 0},
	} {
		name := fmt.Sprintf("direction %d from %v, %d", test.direction, test.from, test.count)
		events := allRead(t, client, esdb.ReadAllOptions{Direction: test.direction, From: test.from}, test.count)
		if len(events) != test.n {
			t.Errorf("%s: %d events, want %d", name, len(events), test.n)
			continue
		}
		for i, e := range events {
			want := test.first + i
			if test.direction == back {
				want = test.first - i
			}
			wantEvent := fmt.Sprintf("%s@%d", []string{"b", "a"}[want%2], (want-1)/2)
			if e.Position != at(uint64(want)) || fmt.Sprintf("%s@%d", e.StreamID, e.EventNumber) != wantEvent {
				t.Errorf("%s: event %d is %s@%d at %v, want %s at %d", name, i, e.StreamID, e.EventNumber, e.Position, wantEvent, want)
				break
			}
		}
	}
}

func TestReadEmptyLog(t *testing.T) {
	t.Parallel()
	_, client := open(t)
	for _, direction := range []esdb.Direction{esdb.Forwards, esdb.Backwards} {
		for _, from := range []esdb.AllPosition{esdb.Start{}, esdb.End{}, esdb.Position{Commit: 7, Prepare: 7}} {
			if events := allRead(t, client, esdb.ReadAllOptions{Direction: direction, From: from}, 10); len(events) != 0 {
				t.Errorf("%d events of an empty log", len(events))
			}
		}
	}
}

// Events of 1 MiB among small ones come in their order, too, backwards.
func TestReadLargeBackwards(t *testing.T) {
	t.Parallel()
	store, client := onDisk(t)
	var want []string
	for i := range 20 {
		e := propose(fmt.Sprint(i, "-"), 1)[0]
		if i%5 < 2 {
			e.Data = bytes.Repeat([]byte("x"), eventstore.EventMax-100)
		}
		write(t, store, "s", eventstore.Version(i), e)
		want = append([]string{fmt.Sprint("s@", i)}, want...)
	}
	events, err := streamRead(t, client, "s", esdb.ReadStreamOptions{Direction: esdb.Backwards, From: esdb.End{}}, 100)
	if err != nil || revisions(events) != strings.Join(want, " ") {
		t.Errorf("%s, %v", revisions(events), err)
	}
	if got := revisions(allRead(t, client, esdb.ReadAllOptions{Direction: esdb.Backwards, From: esdb.End{}}, 100)); got != strings.Join(want, " ") {
		t.Errorf("%s", got)
	}
}

// Positions may be far apart: backwards takes few reads all the same.
func TestReadAllBackwardsFarApart(t *testing.T) {
	t.Parallel()
	inner := memory.New(time.Now)
	fill(t, inner, 300)
	store := sparseStore{inner, new(atomic.Int32)}
	client := dial(t, serve(t, esdbserver.Config{Store: store}))
	events := allRead(t, client, esdb.ReadAllOptions{Direction: esdb.Backwards, From: esdb.End{}}, 1000)
	for i, e := range events {
		if want := uint64(600-i) * apart; e.Position.Commit != want {
			t.Fatalf("event %d is at %d, want %d", i, e.Position.Commit, want)
		}
	}
	if n := store.reads.Load(); len(events) != 600 || n > 60 {
		t.Errorf("%d events in %d reads", len(events), n)
	}
}

const apart = 1000 // positions between two events of a sparseStore

type sparseStore struct {
	eventstore.Store
	reads *atomic.Int32
}

func (s sparseStore) Head(ctx context.Context) (eventstore.Position, error) {
	head, err := s.Store.Head(ctx)
	return head * apart, err
}

func (s sparseStore) Follow(ctx context.Context, after eventstore.Position) iter.Seq2[eventstore.Recorded, error] {
	s.reads.Add(1)
	return func(yield func(eventstore.Recorded, error) bool) {
		for r, err := range s.Store.Follow(ctx, after/apart) {
			if r.Position *= apart; !yield(r, err) {
				return
			}
		}
	}
}

func TestReadInvalid(t *testing.T) {
	t.Parallel()
	store := memory.New(time.Now)
	write(t, store, "s", 0, propose("a", 3)...)
	client := raw(t, serve(t, esdbserver.Config{Store: store}))
	type opt = streams.ReadReq_Options
	type filter = streams.ReadReq_Options_FilterOptions
	type expression = streams.ReadReq_Options_FilterOptions_Expression
	all := func(commit, prepare uint64) func(*opt) {
		return func(o *opt) {
			o.StreamOption = &streams.ReadReq_Options_All{All: &streams.ReadReq_Options_AllOptions{AllOption: &streams.ReadReq_Options_AllOptions_Position{
				Position: &streams.ReadReq_Options_Position{CommitPosition: commit, PreparePosition: prepare},
			}}}
		}
	}
	filtered := func(f *filter) func(*opt) {
		return func(o *opt) {
			all(1, 1)(o)
			o.FilterOption = &streams.ReadReq_Options_Filter{Filter: f}
		}
	}
	ofStream := func(e *expression) *filter {
		return &filter{Filter: &streams.ReadReq_Options_FilterOptions_StreamIdentifier{StreamIdentifier: e}}
	}
	many := make([]string, 1001)
	for name, change := range map[string]func(*opt){
		"no stream option": func(o *opt) { o.StreamOption = nil },
		"no stream":        func(o *opt) { o.StreamOption = &streams.ReadReq_Options_Stream{} },
		"no name":          func(o *opt) { o.GetStream().StreamIdentifier = nil },
		"name not UTF-8":   func(o *opt) { o.GetStream().StreamIdentifier.StreamName = []byte("\xff") },
		"no revision":      func(o *opt) { o.GetStream().RevisionOption = nil },
		"revision too large": func(o *opt) {
			o.GetStream().RevisionOption = &streams.ReadReq_Options_StreamOptions_Revision{Revision: 1 << 63}
		},
		"no direction":         func(o *opt) { o.ReadDirection = 7 },
		"no count":             func(o *opt) { o.CountOption = nil },
		"no filter option":     func(o *opt) { o.FilterOption = nil },
		"no uuid option":       func(o *opt) { o.UuidOption = nil },
		"empty uuid option":    func(o *opt) { o.UuidOption.Content = nil },
		"no position":          func(o *opt) { o.StreamOption = &streams.ReadReq_Options_All{} },
		"commit below prepare": all(3, 4),
		"half the end":         all(math.MaxUint64, 4),
		"position too large":   all(1<<63, 1<<63),
		"backwards for ever": func(o *opt) {
			o.ReadDirection = streams.ReadReq_Options_Backwards
			o.CountOption = &streams.ReadReq_Options_Subscription{Subscription: &streams.ReadReq_Options_SubscriptionOptions{}}
		},
		"filter on a stream": func(o *opt) {
			o.FilterOption = &streams.ReadReq_Options_Filter{Filter: ofStream(&expression{Prefix: []string{"a"}})}
		},
		"no filter":        filtered(nil),
		"empty filter":     filtered(&filter{}),
		"empty expression": filtered(ofStream(&expression{})),
		"both":             filtered(ofStream(&expression{Prefix: []string{"a"}, Regex: "a"})),
		"look-ahead":       filtered(ofStream(&expression{Regex: "^(?!a)"})),
		"no regex":         filtered(ofStream(&expression{Regex: "("})),
		"long regex":       filtered(ofStream(&expression{Regex: strings.Repeat("a", 1001)})),
		"greedy regex":     filtered(ofStream(&expression{Regex: "((a{100}){100}){100}"})),
		"many prefixes":    filtered(ofStream(&expression{Prefix: many})),
		"long prefix":      filtered(ofStream(&expression{Prefix: []string{strings.Repeat("a", 1025)}})),
	} {
		t.Run(name, func(t *testing.T) {
			req := readReq("s", change)
			if _, err := readRaw(t, client, req); status.Code(err) != codes.InvalidArgument {
				t.Errorf("%v", err)
			}
		})
	}
	for name, req := range map[string]*streams.ReadReq{"nothing": {}, "a good one": readReq("s")} {
		_, err := readRaw(t, client, req)
		if (status.Code(err) == codes.InvalidArgument) != (name == "nothing") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// readRaw reads to the end.
func readRaw(t testing.TB, c streams.StreamsClient, req *streams.ReadReq) (all []*streams.ReadResp, err error) {
	t.Helper()
	call, err := c.Read(limited(t), req)
	if err != nil {
		t.Fatal(err)
	}
	for {
		m, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, m)
	}
}

// Where a stream ends is told to clients that can be told, and when they have come there.
func TestLastStreamPosition(t *testing.T) {
	t.Parallel()
	store := memory.New(time.Now)
	write(t, store, "s", 0, propose("a", 5)...)
	client := raw(t, serve(t, esdbserver.Config{Store: store}))
	for _, test := range []struct {
		compatibility uint32
		count         uint64
		stream        string
		backwards     bool
		told          bool
	}{
		{0, 10, "s", false, false},
		{1, 10, "s", false, true},
		{1, 5, "s", false, true},
		{1, 4, "s", false, false},
		{1, 0, "s", false, false},
		{21, 10, "s", false, true},
		{1, 10, "s", true, true},
		{1, 10, "none", false, false},
	} {
		got, err := readRaw(t, client, readReq(test.stream, func(o *streams.ReadReq_Options) {
			o.ControlOption = &streams.ReadReq_Options_ControlOption{Compatibility: test.compatibility}
			o.CountOption = &streams.ReadReq_Options_Count{Count: test.count}
			if test.backwards {
				o.ReadDirection = streams.ReadReq_Options_Backwards
				o.GetStream().RevisionOption = &streams.ReadReq_Options_StreamOptions_End{End: &shared.Empty{}}
			}
		}))
		told := false
		for i, m := range got {
			if last, ok := m.GetContent().(*streams.ReadResp_LastStreamPosition); ok {
				told = true
				if last.LastStreamPosition != 4 || i != len(got)-1 {
					t.Errorf("%+v: message %d of %d: %d", test, i, len(got), last.LastStreamPosition)
				}
			}
		}
		if err != nil || told != test.told {
			t.Errorf("%+v: %v, %v", test, told, err)
		}
	}
}

// A filter may stand at a read of all, too: count counts what passes.
func TestReadAllFiltered(t *testing.T) {
	t.Parallel()
	store := memory.New(time.Now)
	fill(t, store, 50)
	client := raw(t, serve(t, esdbserver.Config{Store: store}))
	for _, direction := range []streams.ReadReq_Options_ReadDirection{streams.ReadReq_Options_Forwards, streams.ReadReq_Options_Backwards} {
		got, err := readRaw(t, client, readReq("", func(o *streams.ReadReq_Options) {
			all := &streams.ReadReq_Options_AllOptions{AllOption: &streams.ReadReq_Options_AllOptions_Start{Start: &shared.Empty{}}}
			if o.ReadDirection = direction; direction == streams.ReadReq_Options_Backwards {
				all.AllOption = &streams.ReadReq_Options_AllOptions_End{End: &shared.Empty{}}
			}
			o.StreamOption = &streams.ReadReq_Options_All{All: all}
			o.CountOption = &streams.ReadReq_Options_Count{Count: 20}
			o.FilterOption = &streams.ReadReq_Options_Filter{Filter: &streams.ReadReq_Options_FilterOptions{
				Filter: &streams.ReadReq_Options_FilterOptions_EventType{EventType: &streams.ReadReq_Options_FilterOptions_Expression{Regex: "b$"}},
			}}
		}))
		if err != nil || len(got) != 20 {
			t.Fatalf("%d events, %v", len(got), err)
		}
		for i, m := range got {
			want := i
			if direction == streams.ReadReq_Options_Backwards {
				want = 49 - i
			}
			if e := m.GetEvent().GetEvent(); string(e.GetStreamIdentifier().GetStreamName()) != "b" || e.GetStreamRevision() != uint64(want) {
				t.Errorf("event %d: %v", i, e)
			}
		}
	}
}
