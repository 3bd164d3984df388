package audit

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/ledger"
	"github.com/urikake/urikake/eventstore/merkle"
	"github.com/urikake/urikake/eventstore/sqlite"
)

// content is every event as SQLite itself reads it, or that it can't.
func (k kept) content(t testing.TB) string {
	conn, err := zombie.OpenConn(filepath.Join(k.dir, "log.db"), zombie.OpenReadWrite)
	if err != nil {
		return "unreadable"
	}
	defer conn.Close()
	var all strings.Builder
	err = sqlitex.ExecuteTransient(conn, "SELECT e.position, s.name, e.version, e.at, hex(e.id), k.name, k.schema, hex(data), hex(metadata)"+
		" FROM events e NOT INDEXED LEFT JOIN streams s ON s.id = e.stream LEFT JOIN kinds k ON k.id = e.kind ORDER BY position", &sqlitex.ExecOptions{
		ResultFunc: func(stmt *zombie.Stmt) error {
			for i := range stmt.ColumnCount() {
				all.WriteString(stmt.ColumnText(i) + "|")
			}
			all.WriteByte('\n')
			return nil
		},
	})
	if err != nil {
		return "unreadable"
	}
	return all.String()
}

// A byte of the file that is flipped is found whenever it changes an event, and never breaks the audit off.
func TestFlippedBytes(t *testing.T) {
	k := keep(t, 60)
	sound := k.content(t)
	file, err := os.ReadFile(filepath.Join(k.dir, "log.db"))
	if err != nil {
		t.Fatal(err)
	}
	const tries = 150
	beside(tries, func(n int) {
		random := rand.New(rand.NewPCG(7, uint64(n)))
		c := k.copied(t)
		at := random.IntN(len(file))
		changed := append([]byte(nil), file...)
		changed[at] ^= byte(1 + random.IntN(255))
		if err := os.WriteFile(filepath.Join(c.dir, "log.db"), changed, 0o600); err != nil {
			t.Error(err)
		}
		after := c.content(t)
		r, err := Directory(ctx, c.dir, ledger.Codec(), Given{}, nil)
		switch {
		case errors.Is(err, sqlite.ErrNewer), errors.Is(err, eventstore.ErrUnavailable): // it says so, and is no clean report
		case err != nil:
			t.Errorf("byte %d: %v", at, err)
		case r.OK && after != sound:
			t.Errorf("byte %d of %d changed an event and was not found", at, len(file))
		}
	})
}

// A damaged page stops nothing: what stands on other pages is read, and what is lost is named.
func TestDamagedPage(t *testing.T) {
	k := keep(t, 60)
	path := filepath.Join(k.dir, "log.db")
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const page = 8192
	leaves := 0
	for at := page; at < len(file); at += page {
		if file[at] != 0x0d { // a leaf of a table
			continue
		}
		c := k.copied(t)
		changed := append([]byte(nil), file...)
		changed[at] = 0xee
		if err := os.WriteFile(filepath.Join(c.dir, "log.db"), changed, 0o600); err != nil {
			t.Fatal(err)
		}
		r := c.audit(t, Given{})
		if r.OK {
			t.Errorf("page %d was not found", at/page)
		}
		if r.found(LogLost) > 0 && r.Events > 0 && r.Events < k.events {
			leaves++
			if text := r.String(); !strings.Contains(text, "can't be read") {
				t.Error(text)
			}
		}
	}
	if leaves < 3 {
		t.Errorf("%d pages held a part of the events", leaves)
	}
}

// Who rewrites the whole log, with a tree, checkpoints and a key of his own, has a sound ledger, but not the one of which
// somebody keeps a checkpoint.
func TestRewrittenLog(t *testing.T) {
	k := keep(t, 40)
	c := k.copied(t)
	c.sql(t, "UPDATE events SET data = CAST(replace(CAST(data AS TEXT), '大和', '大咊') AS BLOB) WHERE position = 1")
	for _, name := range []string{"audit", "audit.key", "audit.pub", "views.db", "snapshots"} {
		if err := os.RemoveAll(filepath.Join(c.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := merkle.Keygen(c.dir, "ledger.example"); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(c.dir, ticking())
	if err != nil {
		t.Fatal(err)
	}
	tree := merkle.Open(c.dir, store, ledger.Codec().Foreign)
	forged, err := tree.Checkpoint(ctx, 0, noon)
	if err := errors.Join(err, tree.Close(), store.Close()); err != nil {
		t.Fatal(err)
	}
	if r := c.audit(t, Given{}); !r.OK {
		t.Errorf("by its own checkpoints it is sound: %s", r)
	}
	r := c.audit(t, k.elsewhere())
	if r.found(Mismatch) != 1 || r.found(Signature) == 0 {
		t.Errorf("by the kept checkpoint: %s", r)
	}
	if r := c.audit(t, Given{Keys: []string{k.public}, Checkpoints: []Note{{"forged", forged.Note}}}); r.found(Signature) != 2 { // it lies in the directory, too
		t.Errorf("the forged checkpoint: %s", r)
	}
}

// Whatever is cut off at the end is missed by a checkpoint, and its places are known as long as the tree is there.
func TestShortenedLog(t *testing.T) {
	k := keep(t, 40)
	for _, tree := range []bool{true, false} {
		c := k.copied(t)
		c.sql(t, fmt.Sprintf("DELETE FROM events WHERE position > %d", k.events-7))
		want := Mismatch
		if tree {
			want = LogRemoved
		} else if err := os.RemoveAll(filepath.Join(c.dir, "audit")); err != nil {
			t.Fatal(err)
		}
		if r := c.audit(t, k.elsewhere()); r.found(want) != 1 || r.found(Mismatch) == 0 {
			t.Errorf("with the tree %v: %s", tree, r)
		}
	}
}

// What is wrong with the tree's own files is not laid at the log's door.
func TestDamagedTree(t *testing.T) {
	k := keep(t, 40)
	for _, name := range []string{"hashes", "positions"} {
		for at := 5; at < 2000; at += 391 {
			c := k.copied(t)
			path := filepath.Join(c.dir, "audit", name)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b[at%len(b)] ^= 0x10
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if r := c.audit(t, Given{}); r.found(TreeFile) != 1 || len(r.Found) != 1 {
				t.Errorf("%s, byte %d: %s", name, at, r)
			}
		}
	}
	for name, damage := range map[string]func(path string) error{
		"emptied": func(path string) error { return os.WriteFile(path, nil, 0o644) },
		"altered": func(path string) error {
			b, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path, []byte(strings.Replace(string(b), "2026", "2025", 1)), 0o644))
		},
	} {
		c := k.copied(t)
		files, err := filepath.Glob(filepath.Join(c.dir, "audit", "checkpoints", "*"))
		if err != nil || len(files) != 3 {
			t.Fatal(files, err)
		}
		if err := damage(files[1]); err != nil {
			t.Fatal(err)
		}
		if r := c.audit(t, Given{}); r.found(Signature) != 1 || len(r.Found) != 1 || !strings.Contains(r.String(), filepath.Base(files[1])) {
			t.Errorf("%s: %s", name, r)
		}
	}
}

// Things hidden in the file beside the events are found, too.
func TestHidden(t *testing.T) {
	k := keep(t, 10)
	for name, statement := range map[string]string{
		"trigger":             "CREATE TRIGGER t AFTER INSERT ON events BEGIN UPDATE events SET data = x'7b7d' WHERE position = 1; END",
		"table":               "CREATE TABLE more (a)",
		"before the first":    "INSERT INTO events SELECT -1, stream, version + 1000, at, id, kind, data, metadata, sum FROM events WHERE position = 3",
		"far after the last":  "INSERT INTO events SELECT 1000000000000, stream, version + 1000, at, id, kind, data, metadata, sum FROM events WHERE position = 3",
		"version below one":   "INSERT INTO events SELECT (SELECT max(position) + 1 FROM events), stream, 0, at, id, kind, data, metadata, sum FROM events WHERE position = 3",
		"name of a stream":    "UPDATE streams SET name = name || 'x' WHERE id = 3",
		"name of a kind":      "UPDATE kinds SET name = 'seller.changed' WHERE id = 1",
		"schema of a kind":    "UPDATE kinds SET schema = 2 WHERE id = 1",
		"stream without name": "DELETE FROM streams WHERE id = 2",
		"kind without name":   "DELETE FROM kinds WHERE id = 2",
	} {
		c := k.copied(t)
		c.sql(t, statement)
		if r := c.audit(t, Given{}); r.OK {
			t.Errorf("%s was not found", name)
		}
	}
}

// An audit needs the directory for itself, and says so.
func TestLocked(t *testing.T) {
	k := keep(t, 20)
	store, err := sqlite.Open(k.dir, ticking())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if _, err := Directory(ctx, k.dir, ledger.Codec(), Given{}, nil); !errors.Is(err, eventstore.ErrLocked) {
		t.Error(err)
	}
}

// A ledger without checkpoints is read and checked for what it says itself.
func TestWithoutCheckpoints(t *testing.T) {
	dir := t.TempDir()
	store, err := sqlite.Open(dir, ticking())
	if err != nil {
		t.Fatal(err)
	}
	fill(t, store, 10)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	k := kept{dir: dir}
	if r := k.audit(t, Given{}); !r.OK || r.Checked != 0 || len(r.Notes) != 2 || !strings.Contains(r.String(), "no checkpoint") {
		t.Errorf("%s", r)
	}
	k.sql(t, "UPDATE events SET data = CAST(replace(CAST(data AS TEXT), '\"amount\":\"50', '\"amount\":\"90') AS BLOB)")
	if r := k.audit(t, Given{}); r.found(Invariant) == 0 {
		t.Errorf("amounts that contradict each other: %s", r)
	}
}
