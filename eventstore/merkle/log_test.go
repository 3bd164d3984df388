package merkle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 7, 3, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

func foreign(stream string) bool { return strings.HasPrefix(stream, "theirs-") }

// fill appends n events over some streams.
func fill(t testing.TB, s eventstore.Store, n int) {
	t.Helper()
	ctx := context.Background()
	head, _ := s.Head(ctx)
	for i := int(head); i < int(head)+n; i++ {
		data := fmt.Appendf(nil, `{"n":%d}`, i)
		e := eventstore.Proposed{ID: uuid.NewSHA1(uuid.NameSpaceOID, data), Kind: "test.happened", Schema: 1, Data: data, Metadata: []byte(`{"actor":"test"}`)}
		if _, err := s.Append(ctx, fmt.Sprintf("stream-%d", i%7), eventstore.Version(i/7), e); err != nil {
			t.Fatal(err)
		}
	}
}

func openLog(t testing.TB, dir string, s eventstore.Store) *Log {
	l := Open(dir, s, foreign)
	t.Cleanup(func() { l.Close() })
	return l
}

func withKey(t testing.TB) (dir, public string) {
	t.Helper()
	dir = t.TempDir()
	public, err := Keygen(dir, "ledger.example")
	if err != nil {
		t.Fatal(err)
	}
	return dir, public
}

// The right edge gives the hashes and the root that the reference gives.
func TestFrontier(t *testing.T) {
	var f Frontier
	var stored []tlog.Hash
	from := tlog.HashReaderFunc(func(at []int64) (list []tlog.Hash, err error) {
		for _, i := range at {
			list = append(list, stored[i])
		}
		return list, nil
	})
	for n := range int64(600) {
		root, err := tlog.TreeHash(n, from)
		if err != nil || f.Root() != root || f.Size() != n {
			t.Fatalf("of %d leaves: %v, want %v, %v", n, f.Root(), root, err)
		}
		if again, err := frontier(n, from); err != nil || again.Root() != root {
			t.Fatalf("of %d stored leaves: %v, %v", n, again.Root(), err)
		}
		leaf := tlog.RecordHash(fmt.Append(nil, n))
		want, err := tlog.StoredHashesForRecordHash(n, leaf, from)
		got := f.Add(leaf)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("leaf %d stores %v, want %v, %v", n, got, want, err)
		}
		stored = append(stored, got...)
	}
}

// TestLeaf pins the bytes of a leaf, which third parties hash, too.
func TestLeaf(t *testing.T) {
	r := eventstore.Recorded{
		Position: 99, Stream: "a-B", Version: 3, At: time.UnixMicro(1_782_000_000_000_001),
		Proposed: eventstore.Proposed{ID: uuid.MustParse("5f0c7a52-5f3e-5f6b-9a3f-7d3c1c1d9e41"), Kind: "k.k", Schema: 2, Data: []byte("{}"), Metadata: nil},
	}
	want, err := hex.DecodeString(strings.Join([]string{
		"01", "0000000000000102", "00000003" + "612d42", "0000000000000003", "5f0c7a525f3e5f6b9a3f7d3c1c1d9e41",
		"00000003" + "6b2e6b", "0000000000000002", "000654b834fd6001", "00000002" + "7b7d", "00000000",
	}, ""))
	if got := LeafHash(258, r); err != nil || got != tlog.RecordHash(want) {
		t.Errorf("%v, want %v, RFC 6962's of %x, %v", got, tlog.RecordHash(want), want, err)
	}
}

// Every part of an event changes its leaf, and no byte can move from one part into the next.
func TestLeafIsInjective(t *testing.T) {
	base := eventstore.Recorded{Stream: "ab", Version: 1, At: noon, Proposed: eventstore.Proposed{Kind: "cd", Schema: 1, Data: []byte("ef"), Metadata: []byte("gh")}}
	seen := map[tlog.Hash]string{}
	note := func(name string, index int64, change func(*eventstore.Recorded)) {
		r := base
		change(&r)
		leaf := LeafHash(index, r)
		if other, twice := seen[leaf]; twice {
			t.Errorf("%s and %s have one leaf", name, other)
		}
		seen[leaf] = name
	}
	note("base", 0, func(*eventstore.Recorded) {})
	note("index", 1, func(*eventstore.Recorded) {})
	note("stream", 0, func(r *eventstore.Recorded) { r.Stream = "aB" })
	note("version", 0, func(r *eventstore.Recorded) { r.Version = 2 })
	note("id", 0, func(r *eventstore.Recorded) { r.ID[15] = 1 })
	note("kind", 0, func(r *eventstore.Recorded) { r.Kind = "c" })
	note("schema", 0, func(r *eventstore.Recorded) { r.Schema = 2 })
	note("instant", 0, func(r *eventstore.Recorded) { r.At = noon.Add(time.Microsecond) })
	note("data", 0, func(r *eventstore.Recorded) { r.Data = []byte("eg") })
	note("metadata", 0, func(r *eventstore.Recorded) { r.Metadata = nil })
	note("data into metadata", 0, func(r *eventstore.Recorded) { r.Data, r.Metadata = []byte("e"), []byte("fgh") })
	note("metadata into data", 0, func(r *eventstore.Recorded) { r.Data, r.Metadata = []byte("efg"), []byte("h") })
	note("position is not in it", 2, func(r *eventstore.Recorded) { r.Position = 17 })
}

func TestCheckpointsAndProofs(t *testing.T) {
	ctx, store := context.Background(), memory.New(clock)
	dir, public := withKey(t)
	keys, err := Verifiers(public)
	if err != nil {
		t.Fatal(err)
	}
	l := openLog(t, dir, store)
	if _, err := l.Checkpoint(ctx, 0, noon); !errors.Is(err, ErrBeyondTree) {
		t.Errorf("of an empty log: %v", err)
	}
	fill(t, store, 20)
	first, err := l.Checkpoint(ctx, 13, noon)
	if err != nil || first.Size != 13 || first.Position != 13 || first.Origin != "ledger.example" {
		t.Fatalf("%+v, %v", first, err)
	}
	second, err := l.Checkpoint(ctx, 0, noon)
	if err != nil || second.Size != 20 {
		t.Fatalf("%+v, %v", second, err)
	}
	if again, err := l.Checkpoint(ctx, 0, noon.Add(time.Hour)); err != nil || again != second {
		t.Errorf("the same log has two checkpoints: %+v, %v", again, err)
	}
	for _, c := range []Checkpoint{first, second} {
		if read, err := ParseCheckpoint(c.Note, keys); err != nil || read != c {
			t.Errorf("read back as %+v, %v", read, err)
		}
	}
	for at := range eventstore.Position(20) {
		p, err := l.Prove(ctx, at+1, noon)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := p.Check(keys); err != nil || c != second || p.Index != int64(at) {
			t.Errorf("position %d: %+v, %v", at+1, c, err)
		}
	}
	for _, at := range []eventstore.Position{0, 21} {
		if _, err := l.Prove(ctx, at, noon); !errors.Is(err, ErrBeyondTree) {
			t.Errorf("position %d: %v", at, err)
		}
	}
	fill(t, store, 1)
	p, err := l.Prove(ctx, 21, noon)
	if c, bad := p.Check(keys); err != nil || bad != nil || c.Size != 21 {
		t.Errorf("an event after the newest checkpoint: %+v, %v, %v", c, err, bad)
	}
}

// A ledger that signs for a log of a size that no log has can't keep an auditor's machine busy for ever.
func TestSizeOfNoLog(t *testing.T) {
	s, keys := keyPair(t, "ledger.example")
	for _, size := range []int64{sizeMax + 1, 1<<62 + 1, 1<<63 - 1} {
		c, err := Checkpoint{Origin: s.Name(), Size: size, Position: 1, Time: noon}.sign(s)
		if err != nil {
			t.Fatal(err)
		}
		p := Proof{Format: EventFormat, Event: eventstore.LineOf(eventstore.Recorded{Position: 1, Stream: "s", Version: 1, At: noon, Proposed: eventstore.Proposed{Kind: "k"}}), Path: make(tlog.RecordProof, 3), Checkpoint: c.Note}
		if _, err := p.Check(keys); !errors.Is(err, ErrBadCheckpoint) {
			t.Errorf("an event of %d: %v", size, err)
		}
		if _, _, err := (ConsistencyProof{Format: ConsistencyFormat, From: c.Note, To: c.Note, Path: make(tlog.TreeProof, 3)}).Check(keys); !errors.Is(err, ErrBadCheckpoint) {
			t.Errorf("consistency of %d: %v", size, err)
		}
	}
}

// A proof proves its own event alone, and is believed by the right key alone.
func TestForgedProofs(t *testing.T) {
	ctx, store := context.Background(), memory.New(clock)
	dir, public := withKey(t)
	_, other := withKey(t)
	fill(t, store, 30)
	l := openLog(t, dir, store)
	keys, _ := Verifiers(public)
	strangers, _ := Verifiers(other)
	for name, c := range map[string]struct {
		change func(*Proof)
		want   error
	}{
		"data":       {func(p *Proof) { p.Event.Data = []byte(`{"n":9}`) }, ErrBadProof},
		"instant":    {func(p *Proof) { p.Event.RecordedAt = "2026-07-03T12:00:01Z" }, ErrBadProof},
		"index":      {func(p *Proof) { p.Index++ }, ErrBadProof},
		"below zero": {func(p *Proof) { p.Index = -1 }, ErrBadProof},
		"beyond":     {func(p *Proof) { p.Index = 30 }, ErrBadProof},
		"path":       {func(p *Proof) { p.Path[2][0] ^= 1 }, ErrBadProof},
		"short path": {func(p *Proof) { p.Path = p.Path[1:] }, ErrBadProof},
		"format":     {func(p *Proof) { p.Format = "x" }, ErrBadProof},
		"size":       {func(p *Proof) { p.Checkpoint = strings.Replace(p.Checkpoint, "\n30\n", "\n31\n", 1) }, ErrBadSignature},
		"no note":    {func(p *Proof) { p.Checkpoint = "" }, ErrBadCheckpoint},
		"no uuid":    {func(p *Proof) { p.Event.ID = "x" }, eventstore.ErrBadLine},
	} {
		p, err := l.Prove(ctx, 17, noon)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Check(strangers); !errors.Is(err, ErrBadSignature) {
			t.Errorf("another key: %v", err)
		}
		c.change(&p)
		if _, err := p.Check(keys); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A tree goes on where it was after any end of its process: with files that are cut off, or have more, or less, or rubbish.
func TestCrash(t *testing.T) {
	ctx, store := context.Background(), memory.New(clock)
	random := rand.New(rand.NewPCG(1, 2))
	dir, _ := withKey(t)
	for range 60 {
		fill(t, store, 1+random.IntN(40))
		l := Open(dir, store, foreign)
		size, err := l.CatchUp(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var want Frontier
		for leaf, err := range Hashing(eventstore.UpTo(ctx, store, 0, eventstore.Position(size)), 0) {
			if err != nil {
				t.Fatal(err)
			}
			want.Add(leaf.Hash)
		}
		if root, err := l.Root(ctx, size); err != nil || root != want.Root() {
			t.Fatalf("%d events: %v, want %v, %v", size, root, want.Root(), err)
		}
		if random.IntN(2) == 0 {
			if _, err := l.Checkpoint(ctx, 0, noon); err != nil {
				t.Fatal(err)
			}
		}
		l.files.close() // as a kill would leave it
		path := filepath.Join(dir, dirName, []string{hashesFile, placesFile, markFile}[random.IntN(3)])
		b, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		switch random.IntN(4) {
		case 0:
			b = b[:random.IntN(len(b)+1)]
		case 1:
			b = append(b, make([]byte, random.IntN(100))...)
		case 2:
			err = os.Remove(path)
		}
		if err == nil {
			err = os.WriteFile(path, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A key signs one history only, whatever log it is given later.
func TestForkedLogIsNotSigned(t *testing.T) {
	ctx, dir := context.Background(), ""
	dir, _ = withKey(t)
	whole := memory.New(clock)
	fill(t, whole, 50)
	if _, err := openLog(t, dir, whole).Checkpoint(ctx, 0, noon); err != nil {
		t.Fatal(err)
	}
	shorter := memory.New(clock)
	fill(t, shorter, 40)
	other := memory.New(func() time.Time { return noon.Add(time.Second) })
	fill(t, other, 60)
	for name, store := range map[string]eventstore.Store{"shorter": shorter, "other": other} {
		for _, forget := range []string{"", hashesFile, markFile} { // the tree of the first log; none
			if forget != "" {
				if err := os.Remove(filepath.Join(dir, dirName, forget)); err != nil && !errors.Is(err, os.ErrNotExist) {
					t.Fatal(err)
				}
			}
			l := Open(dir, store, foreign)
			if c, err := l.Checkpoint(ctx, 0, noon); !errors.Is(err, ErrForked) {
				t.Errorf("%s log, without %q: %+v, %v", name, forget, c, err)
			}
			l.Close()
		}
	}
}

// Run makes a checkpoint every so many events, and one when it ends.
func TestRun(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	store := memory.New(clock)
	dir, _ := withKey(t)
	fill(t, store, 25)
	l := openLog(t, dir, store)
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx, 10, clock) }()
	for l.signed(ctx) < 25 {
		if err := rest(ctx, time.Millisecond); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			t.Fatal(err)
		default:
		}
	}
	fill(t, store, 3)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if c, err := l.Latest(context.Background()); err != nil || c.Size != 28 {
		t.Errorf("%+v, %v", c, err)
	}
}

// Streams of other programs on the same log are no part of the books.
func TestForeignStreams(t *testing.T) {
	ctx, store, alone := context.Background(), memory.New(clock), memory.New(clock)
	theirs := func(n int) {
		e := eventstore.Proposed{ID: uuid.New(), Kind: "x", Data: []byte("?")}
		if _, err := store.Append(ctx, "theirs-1", eventstore.Version(n), e); err != nil {
			t.Fatal(err)
		}
	}
	theirs(0)
	fill(t, alone, 5)
	for r, err := range eventstore.UpTo(ctx, alone, 0, 5) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Append(ctx, r.Stream, r.Version-1, r.Proposed); err != nil {
			t.Fatal(err)
		}
	}
	theirs(1)
	dir, public := withKey(t)
	keys, _ := Verifiers(public)
	l := openLog(t, dir, store)
	if size, err := l.CatchUp(ctx); err != nil || size != 5 {
		t.Fatal(size, err)
	}
	mixed, err := l.Root(ctx, 5)
	root, other := openLog(t, t.TempDir(), alone).Root(ctx, 5)
	if err != nil || other != nil || mixed != root {
		t.Errorf("%v, %v, %v, %v", mixed, root, err, other)
	}
	p, err := l.Prove(ctx, 4, noon)
	if _, bad := p.Check(keys); err != nil || bad != nil || p.Index != 2 {
		t.Errorf("%+v, %v, %v", p, err, bad)
	}
}

func TestKeys(t *testing.T) {
	dir, public := withKey(t)
	if _, err := Keygen(dir, "again"); !errors.Is(err, ErrKeyExists) {
		t.Error(err)
	}
	for _, name := range []string{"", "a b", "a+b", "a\nb", strings.Repeat("x", 101)} {
		if _, err := Keygen(t.TempDir(), name); !errors.Is(err, ErrBadName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if keys, err := PublicKeys(dir); err != nil || len(keys) != 1 || keys[0] != public {
		t.Errorf("%v, %v", keys, err)
	}
	info, err := os.Stat(filepath.Join(dir, keyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	store := memory.New(clock)
	fill(t, store, 1)
	if err := os.Chmod(filepath.Join(dir, keyFile), 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := openLog(t, dir, store).Checkpoint(context.Background(), 0, noon); !errors.Is(err, ErrKeyOpen) {
		t.Error(err)
	}
	if _, err := openLog(t, t.TempDir(), store).Checkpoint(context.Background(), 0, noon); !errors.Is(err, ErrNoKey) {
		t.Error(err)
	}
	if _, err := Verifiers("x"); !errors.Is(err, ErrBadKey) {
		t.Error(err)
	}
}

func FuzzParseCheckpoint(f *testing.F) {
	f.Add("ledger\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nposition 1\ntime 2026-07-03T12:00:00Z\n\n— ledger AAAA\n")
	f.Add("\n\n— ")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := ParseCheckpoint(text, nil); err == nil && !strings.HasPrefix(text, c.text()) {
			t.Errorf("%q is read as %+v", text, c)
		}
	})
}

// TestFormats pins roots and files: notes that were signed years ago must hold, and trees that were stored must go on.
func TestFormats(t *testing.T) {
	ctx, store, dir := context.Background(), memory.New(clock), t.TempDir()
	fill(t, store, 2500)
	l := openLog(t, dir, store)
	for size, want := range map[int64]string{
		0:    "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
		1:    "b5Lal0b/2V7K/xKkejpw6vCB1/8RytD3XR60Uw+Uyd4=",
		7:    "7wO2htQlSRogAPQzQHHP5nMDkJTyWac+NsEuw6Lp4pU=",
		1024: "miHJiGeb5wBR7AlMigPAKdX4dzu9nUmgTOaEtj+hT3k=",
		2500: "0aO5Mj5DDUamZxS+1kvAL9inRq4lO5HTfCm1s1PS6kE=",
	} {
		if root, err := l.Root(ctx, size); err != nil || root.String() != want {
			t.Errorf("root of %d events: %v, want %s, %v", size, root, want, err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		hashesFile: "159840 bytes, 6b45bd869ae63e35bb66a49cfe6c5e6cf30ee7f9bb780b2fcf7e94c534d1caf5",
		placesFile: "20000 bytes, 53392797ab13044f32c7d0296ab8c47eeed987fa6810bd1160eb699e15b36cd0",
		markFile:   "83 bytes, 3c3602c5458a0ae71308af40abc232da38a3454e7480a0ced1d4ed3c22ba74d4",
	} {
		b, err := os.ReadFile(filepath.Join(dir, dirName, name))
		if got := fmt.Sprintf("%d bytes, %x", len(b), sha256.Sum256(b)); err != nil || got != want {
			t.Errorf("file %s: %s, want %s, %v", name, got, want, err)
		}
	}
}
