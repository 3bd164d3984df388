package eventstore_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/memory"
)

// filled is a log with one till of so many single events, and the snapshots that came of it.
func filled(t *testing.T, events int) (*troubled, eventstore.SnapshotDir) {
	t.Helper()
	store, dir := newTroubled(), eventstore.SnapshotDir(filepath.Join(t.TempDir(), "snapshots"))
	h := eventstore.NewHandler(store, codec(), dir)
	for i := range events {
		must(t, h, fmt.Sprint("k", i), put{Till: "A", Coins: int64(i%7 + 1)})
	}
	return store, dir
}

// eventsRead counts what a fresh handler reads for its first command, which must be decided on the right state.
func eventsRead(t *testing.T, store *troubled, snapshots eventstore.Snapshots) int {
	t.Helper()
	before := store.events.Load()
	h := eventstore.NewHandler(store, codec(), snapshots)
	must(t, h, fmt.Sprint("next", before), put{Till: "A", Coins: 1})
	read := int(store.events.Load() - before)
	if r := must(t, h, "k3", put{Till: "A", Coins: 4}); !r.Repeated || r.Version != 4 {
		t.Fatalf("the snapshot has forgotten a command: %+v", r)
	}
	audit(t, store, "till-A")
	return read
}

func TestASnapshotSparesTheHistory(t *testing.T) {
	const more = 20
	store, dir := filled(t, eventstore.SnapshotEvery+more)
	if n := eventsRead(t, store, dir); n != more+1 { // with the event that the snapshot ends with
		t.Errorf("%d events read", n)
	}
	if n := eventsRead(t, store, nil); n != eventstore.SnapshotEvery+more+1 {
		t.Errorf("%d events read without snapshots", n)
	}
	if files, _ := os.ReadDir(string(dir)); len(files) != 1 {
		t.Errorf("%d files", len(files))
	}
	os.RemoveAll(string(dir))
	if n := eventsRead(t, store, dir); n != eventstore.SnapshotEvery+more+2 {
		t.Errorf("%d events read after the snapshots were deleted", n)
	}
}

// What is not the snapshot of this very stream is passed over: the state is right, only later.
func TestBadSnapshotsArePassedOver(t *testing.T) {
	whole := eventstore.SnapshotEvery + 1
	for name, spoil := range map[string]func(t *testing.T, file string, b []byte) []byte{
		"damaged":   func(_ *testing.T, _ string, b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"truncated": func(_ *testing.T, _ string, b []byte) []byte { return b[:len(b)-10] },
		"empty":     func(*testing.T, string, []byte) []byte { return nil },
		"four zero bytes, the checksum of nothing": func(*testing.T, string, []byte) []byte { return make([]byte, 4) },
		"garbage":             func(*testing.T, string, []byte) []byte { return []byte("\x00\x00\x00\x00garbage") },
		"of a newer program":  rewritten(func(s map[string]any) { s["state_version"] = 2 }),
		"of another log":      rewritten(func(s map[string]any) { s["last"] = "b3RoZXI=" }),
		"without a seal":      rewritten(func(s map[string]any) { delete(s, "last") }),
		"of version 0":        rewritten(func(s map[string]any) { s["version"] = 0 }),
		"beyond the log":      rewritten(func(s map[string]any) { s["version"] = 1e6 }),
		"of a version before": rewritten(func(s map[string]any) { s["version"] = 10 }),
		"with half an index":  rewritten(func(s map[string]any) { s["commands"] = "AAAA" }),
		"of another state":    rewritten(func(s map[string]any) { s["state"] = []int{} }),
	} {
		t.Run(name, func(t *testing.T) {
			store, dir := filled(t, whole-1)
			files, err := filepath.Glob(filepath.Join(string(dir), "*"))
			if err != nil || len(files) != 1 {
				t.Fatal(files, err)
			}
			b, err := os.ReadFile(files[0])
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(files[0], spoil(t, files[0], b), 0o600); err != nil {
				t.Fatal(err)
			}
			if n := eventsRead(t, store, dir); n < whole-1 {
				t.Errorf("only %d events read", n)
			}
			// The next snapshot replaces the bad one.
			if n := eventsRead(t, store, dir); n > 2 {
				t.Errorf("%d events read", n)
			}
		})
	}
}

// rewritten gives a well-formed file with a good checksum whose record was changed.
func rewritten(change func(map[string]any)) func(*testing.T, string, []byte) []byte {
	return func(t *testing.T, file string, b []byte) []byte {
		var record map[string]any
		if err := json.Unmarshal(b[4:], &record); err != nil {
			t.Fatal(err)
		}
		change(record)
		b, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		dir := eventstore.SnapshotDir(t.TempDir())
		dir.Save("till-A", b)
		b, err = os.ReadFile(filepath.Join(string(dir), filepath.Base(file)))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

// A log made anew by the same commands with other content has the same versions, and the old snapshots.
func TestSnapshotsOfAnotherLog(t *testing.T) {
	_, dir := filled(t, eventstore.SnapshotEvery)
	store := newTroubled()
	h := eventstore.NewHandler(store, codec(), nil)
	for i := range eventstore.SnapshotEvery {
		must(t, h, fmt.Sprint("k", i), put{Till: "A", Coins: int64(i%7 + 1 + i/100)})
	}
	if n := eventsRead(t, store, dir); n < eventstore.SnapshotEvery {
		t.Errorf("only %d events read", n)
	}
}

// kept remembers at which versions snapshots were taken.
type kept struct{ at []uint64 }

func (k *kept) Load(string) ([]byte, bool) { return nil, false }

func (k *kept) Save(_ string, data []byte) {
	var record struct{ Version uint64 }
	if json.Unmarshal(data, &record) == nil {
		k.at = append(k.at, record.Version)
	}
}

// On a long stream snapshots come ever more seldom, so that their cost for each event stays the same.
func TestSnapshotsComeMoreSeldomOnLongStreams(t *testing.T) {
	snapshots := &kept{}
	h := eventstore.NewHandler(memory.New(time.Now), codec(), snapshots)
	for i := range 2000 {
		must(t, h, fmt.Sprint("k", i), put{Till: "A", Coins: 1, Pieces: 5})
	}
	last := uint64(0)
	for _, at := range snapshots.at {
		if grown := at - last; grown < max(eventstore.SnapshotEvery, last/2) || grown >= max(eventstore.SnapshotEvery, last/2)+5 {
			t.Errorf("a snapshot at %d after the one at %d", at, last)
		}
		last = at
	}
	if len(snapshots.at) < 5 || last < 10_000*2/3 {
		t.Errorf("%v", snapshots.at)
	}
}

func TestSnapshotDirOutOfReach(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := eventstore.SnapshotDir(filepath.Join(file, "no directory"))
	dir.Save("s", []byte("x"))
	if _, ok := dir.Load("s"); ok {
		t.Error("loaded what could not be saved")
	}
}
