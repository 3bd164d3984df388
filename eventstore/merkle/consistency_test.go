package merkle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/urikake/urikake/eventstore/memory"
)

// signedTree is a stored tree of some leaves, and its checkpoints of any size.
type signedTree struct {
	stored []tlog.Hash
	edge   Frontier
	signer note.Signer
}

func (s *signedTree) ReadHashes(at []int64) (list []tlog.Hash, err error) {
	for _, i := range at {
		list = append(list, s.stored[i])
	}
	return list, nil
}

func (s *signedTree) grow(to int64, kind string) {
	for s.edge.Size() < to {
		s.stored = append(s.stored, s.edge.Add(tlog.RecordHash(fmt.Append(nil, kind, s.edge.Size())))...)
	}
}

func (s *signedTree) checkpoint(t *testing.T, size int64) Checkpoint {
	t.Helper()
	root, err := tlog.TreeHash(size, s)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Checkpoint{Origin: s.signer.Name(), Size: size, Root: root, Position: 1, Time: noon}.sign(s.signer)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *signedTree) prove(t *testing.T, from, to int64) ConsistencyProof {
	t.Helper()
	c, err := consistency(from, to, s)
	if err != nil {
		t.Fatal(err)
	}
	return ConsistencyProof{Format: ConsistencyFormat, From: s.checkpoint(t, from).Note, To: s.checkpoint(t, to).Note, Path: c.Path}
}

func keyPair(t *testing.T, name string) (note.Signer, []note.Verifier) {
	t.Helper()
	dir := t.TempDir()
	public, err := Keygen(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := signer(dir)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := Verifiers(public)
	if err != nil {
		t.Fatal(err)
	}
	return s, keys
}

// Any two sizes of one log are consistent; of a log that was written anew from some place on, those up to there alone.
func TestConsistencyOfRandomSizes(t *testing.T) {
	s, keys := keyPair(t, "ledger.example")
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		to := 1 + random.Int64N(700)
		from, fork := 1+random.Int64N(to), random.Int64N(to)
		mine, theirs := &signedTree{signer: s}, &signedTree{signer: s}
		mine.grow(to, "event")
		theirs.grow(fork, "event")
		theirs.grow(to, "another")
		p := mine.prove(t, from, to)
		if a, b, err := p.Check(keys); err != nil || a.Size != from || b.Size != to {
			t.Fatalf("seed %d, from %d to %d: %+v, %+v, %v", seed, from, to, a, b, err)
		}
		p.To = theirs.checkpoint(t, to).Note
		if _, _, err := p.Check(keys); !errors.Is(err, ErrBadProof) {
			t.Fatalf("seed %d: from %d to %d, forked after %d, the honest path: %v", seed, from, to, fork, err)
		}
		p = theirs.prove(t, from, to)
		p.From = mine.checkpoint(t, from).Note
		if _, _, err := p.Check(keys); (fork < from) != errors.Is(err, ErrBadProof) {
			t.Fatalf("seed %d: from %d to %d, forked after %d, the forger's path: %v", seed, from, to, fork, err)
		}
	}
}

// No byte of a proof's file can be another, and no part of it can be missing, moved or somebody else's.
func TestForgedConsistency(t *testing.T) {
	s, keys := keyPair(t, "ledger.example")
	other, strangers := keyPair(t, "ledger.example")
	tree := &signedTree{signer: s}
	tree.grow(100, "event")
	p := tree.prove(t, 37, 100)
	if _, _, err := p.Check(strangers); !errors.Is(err, ErrBadSignature) {
		t.Errorf("an unknown key: %v", err)
	}
	file, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if read, err := ReadConsistency(file); err != nil || fmt.Sprint(read) != fmt.Sprint(p) {
		t.Fatalf("%+v, %v", read, err)
	}
	check := func(b []byte) error {
		p, err := ReadConsistency(b)
		if err == nil {
			_, _, err = p.Check(keys)
		}
		return err
	}
	same := func(b []byte) bool { // nothing but blanks between tokens differs
		var a, c bytes.Buffer
		return json.Compact(&a, b) == nil && json.Compact(&c, file) == nil && bytes.Equal(a.Bytes(), c.Bytes())
	}
	for i := range file {
		for _, other := range []byte{file[i] ^ 1<<(i%8), file[i] + 1} { // the next letter of base64 may mean the same
			changed := bytes.Clone(file)
			changed[i] = other
			if check(changed) == nil && !same(changed) {
				t.Errorf("byte %d, %q for %q: not found in\n%s", i, changed[i], file[i], changed)
			}
		}
		if cut := append(bytes.Clone(file[:i]), file[i+1:]...); check(cut) == nil && !same(cut) {
			t.Errorf("byte %d, %q: not missed", i, file[i])
		}
	}
	foreign := &signedTree{signer: other}
	foreign.grow(100, "event")
	for name, c := range map[string]struct {
		change func(*ConsistencyProof)
		want   error
	}{
		"format":            {func(p *ConsistencyProof) { p.Format = EventFormat }, ErrBadProof},
		"swapped":           {func(p *ConsistencyProof) { p.From, p.To = p.To, p.From }, ErrBadSizes},
		"signed by another": {func(p *ConsistencyProof) { p.To = foreign.checkpoint(t, 100).Note }, ErrBadSignature},
		"older by another":  {func(p *ConsistencyProof) { p.From = foreign.checkpoint(t, 37).Note }, ErrBadSignature},
		"another older":     {func(p *ConsistencyProof) { p.From = tree.checkpoint(t, 36).Note }, ErrBadProof},
		"another newer":     {func(p *ConsistencyProof) { p.To = tree.checkpoint(t, 99).Note }, ErrBadProof},
		"no older":          {func(p *ConsistencyProof) { p.From = "" }, ErrBadCheckpoint},
		"short path":        {func(p *ConsistencyProof) { p.Path = p.Path[1:] }, ErrBadProof},
		"long path":         {func(p *ConsistencyProof) { p.Path = append(p.Path, tlog.Hash{}) }, ErrBadProof},
		"no path":           {func(p *ConsistencyProof) { p.Path = nil }, ErrBadProof},
		"path moved":        {func(p *ConsistencyProof) { p.Path[0], p.Path[1] = p.Path[1], p.Path[0] }, ErrBadProof},
		"a path of nothing": {func(p *ConsistencyProof) { p.To = p.From }, ErrBadProof},
	} {
		p := tree.prove(t, 37, 100)
		c.change(&p)
		if _, _, err := p.Check(keys); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for name, text := range map[string]string{
		"more after it": string(file) + "{}", "an unknown member": strings.Replace(string(file), "{", `{"more": 1,`, 1),
		"a member twice": strings.Replace(string(file), "{", `{"format": "x",`, 1), "another case": strings.Replace(string(file), `"path"`, `"Path"`, 1),
		"nothing": "", "no object": "[]",
	} {
		if _, err := ReadConsistency([]byte(text)); !errors.Is(err, ErrBadProof) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Two notes of one size with two roots, signed by one key, need no path to say that there were two logs.
func TestTwoLogsOfOneSize(t *testing.T) {
	s, keys := keyPair(t, "ledger.example")
	mine, theirs := &signedTree{signer: s}, &signedTree{signer: s}
	mine.grow(9, "event")
	theirs.grow(9, "another")
	p := ConsistencyProof{Format: ConsistencyFormat, From: mine.checkpoint(t, 9).Note, To: theirs.checkpoint(t, 9).Note}
	if _, _, err := p.Check(keys); !errors.Is(err, ErrBadProof) || !strings.Contains(err.Error(), "two logs of 9 events were signed") {
		t.Error(err)
	}
	p.To = p.From
	if _, _, err := p.Check(keys); err != nil {
		t.Errorf("a log and itself: %v", err)
	}
}

// The ledger proves what it has, and refuses what it has not.
func TestConsistencyOfALog(t *testing.T) {
	ctx, store := context.Background(), memory.New(clock)
	dir, public := withKey(t)
	keys, err := Verifiers(public)
	if err != nil {
		t.Fatal(err)
	}
	l := openLog(t, dir, store)
	fill(t, store, 20)
	if _, err := l.Consistency(ctx, 5, 0); !errors.Is(err, ErrNoCheckpoint) {
		t.Errorf("without a checkpoint: %v", err)
	}
	older, err := l.Checkpoint(ctx, 0, noon)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, store, 30)
	newer, err := l.Checkpoint(ctx, 0, noon)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, store, 1)
	c, err := l.Consistency(ctx, 20, 0)
	if err != nil || c.From != 20 || c.FromRoot != older.Root || c.To != 50 || c.ToRoot != newer.Root {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, _, err := (ConsistencyProof{ConsistencyFormat, older.Note, newer.Note, c.Path}).Check(keys); err != nil {
		t.Error(err)
	}
	for _, sizes := range []struct {
		from, to int64
		want     error
	}{
		{20, 51, nil},
		{51, 51, nil},
		{0, 50, ErrBadSizes},
		{-1, 50, ErrBadSizes},
		{50, 20, ErrBadSizes},
		{51, 0, ErrBadSizes},
		{20, 52, ErrBeyondTree},
		{20, 1 << 62, ErrBeyondTree},
		{20, -1, ErrBadSizes},
	} {
		if _, err := l.Consistency(ctx, sizes.from, sizes.to); !errors.Is(err, sizes.want) {
			t.Errorf("from %d to %d: %v, want %v", sizes.from, sizes.to, err, sizes.want)
		}
	}
}

// A log that was written anew after a checkpoint has no proof from that checkpoint, even if its tree was made anew, too.
func TestForkHasNoConsistency(t *testing.T) {
	ctx := context.Background()
	dir, public := withKey(t)
	keys, err := Verifiers(public)
	if err != nil {
		t.Fatal(err)
	}
	honest := memory.New(clock)
	fill(t, honest, 40)
	first := openLog(t, dir, honest)
	kept, err := first.Checkpoint(ctx, 0, noon)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, dirName)); err != nil { // the forger leaves no trace of it
		t.Fatal(err)
	}
	forged := memory.New(func() time.Time { return noon.Add(time.Second) })
	fill(t, forged, 60)
	l := openLog(t, dir, forged)
	newer, err := l.Checkpoint(ctx, 0, noon)
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Consistency(ctx, kept.Size, 0)
	if err != nil || c.FromRoot == kept.Root {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, _, err := (ConsistencyProof{ConsistencyFormat, kept.Note, newer.Note, c.Path}).Check(keys); !errors.Is(err, ErrBadProof) {
		t.Errorf("the fork is not found: %v", err)
	}
}
