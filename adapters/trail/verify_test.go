package trail

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urikake/urikake/eventstore/merkle"
)

// clone may be harmed: its lines are still those of the original, and must be exchanged as a whole.
func (c copied) clone() copied {
	d := copied{slices.Clone(c.names), slices.Clone(c.lines)}
	for i := range d.lines {
		d.lines[i] = slices.Clone(d.lines[i])
	}
	return d
}

// copied is a trail's lines file by file, to be harmed.
type copied struct {
	names []string
	lines [][][]byte
}

func take(t testing.TB, dir string) (c copied) {
	t.Helper()
	names, err := fileNames(filepath.Join(dir, dirName))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(dir, dirName, name))
		if err != nil {
			t.Fatal(err)
		}
		c.names, c.lines = append(c.names, name), append(c.lines, slices.Collect(bytes.Lines(b)))
	}
	return c
}

func (c copied) put(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, dirName), 0o700); err != nil {
		t.Fatal(err)
	}
	for i, name := range c.names {
		if err := os.WriteFile(filepath.Join(dir, dirName, name), bytes.Join(c.lines[i], nil), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// read is the lines as Lines would give them.
func (c copied) read() iter.Seq2[Raw, error] {
	return func(yield func(Raw, error) bool) {
		for i, name := range c.names {
			for raw, err := range ReadLines(context.Background(), bytes.NewReader(bytes.Join(c.lines[i], nil)), name) {
				if !yield(raw, err) {
					return
				}
			}
		}
	}
}

func seqOf(b []byte) uint64 {
	l, _, _ := parseLine(b)
	return l.Seq
}

// Hundreds of random changes, one at a time: each is found, and what is found names the place.
func TestEveryChangeIsFound(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	whole := write(t, 60)
	if rep := verified(t, whole); !rep.OK {
		t.Fatal(found(rep))
	}
	untouched := take(t, whole)
	for i := range 600 {
		c := untouched.clone()
		f := r.IntN(len(c.lines))
		n := r.IntN(len(c.lines[f]))
		last := f == len(c.lines)-1 && n == len(c.lines[f])-1
		line := slices.Clone(c.lines[f][n])
		seq := seqOf(line)
		var what, want string
		switch r.IntN(6) {
		case 0:
			at := r.IntN(len(line))
			line[at] ^= byte(1 << r.IntN(8))
			c.lines[f][n] = line
			what, want = fmt.Sprintf("line %d was changed at byte %d", seq, at), fmt.Sprintf(`%s:%d: `, c.names[f], n+1)
		case 1:
			if last {
				continue // an anchor finds it: see below
			}
			c.lines[f] = slices.Delete(c.lines[f], n, n+1)
			what, want = fmt.Sprintf("line %d was removed", seq), fmt.Sprintf("line %d is missing", seq)
			if n == len(c.lines[f]) && len(c.lines[f]) == 0 {
				continue
			}
		case 2:
			c.lines[f] = slices.Insert(c.lines[f], n, line)
			what, want = fmt.Sprintf("line %d stands twice", seq), fmt.Sprintf("line %d stands after line %d", seq, seq)
		case 3: // a line that was never recorded, with a hash that is right
			l, _, _ := parseLine(line)
			head := Head{seq - 1, l.Prev}
			c.lines[f] = slices.Insert(c.lines[f], n, appendLine(nil, &head, time.Now(), []byte(`{"event":"read","actor":"nobody"}`)))
			what, want = fmt.Sprintf("a line was slipped in before %d", seq), fmt.Sprintf("line %d stands after line %d", seq, seq)
		case 4: // another line in its place, with a hash that is right
			if last {
				continue
			}
			l, _, _ := parseLine(line)
			head := Head{seq - 1, l.Prev}
			c.lines[f][n] = appendLine(nil, &head, time.Now(), []byte(`{"event":"read","actor":"somebody else"}`))
			what, want = fmt.Sprintf("line %d was made anew", seq), fmt.Sprintf("does not follow on line %d", seq)
			if n == len(c.lines[f])-1 { // it no longer closes its file
				want = "does not follow on"
			}
		default:
			if n == len(c.lines[f])-1 {
				continue
			}
			c.lines[f][n], c.lines[f][n+1] = c.lines[f][n+1], c.lines[f][n]
			what, want = fmt.Sprintf("lines %d and %d were swapped", seq, seq+1), fmt.Sprintf("line %d stands after line %d", seq, seq+1)
		}
		rep, err := Verify(c.read(), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, f := range rep.Findings {
			texts = append(texts, f.At+": "+f.Text)
		}
		if all := strings.Join(texts, "\n"); rep.OK || !strings.Contains(all, want) {
			t.Fatalf("seed %d, change %d: %s; want %q; found:\n%s", seed, i, what, want, all)
		}
	}
}

func TestMissingFiles(t *testing.T) {
	whole := write(t, 60)
	for i := range take(t, whole).names {
		c := take(t, whole)
		c.names, c.lines = slices.Delete(c.names, i, i+1), slices.Delete(c.lines, i, i+1)
		if r := verified(t, c.put(t)); r.OK || !regexp.MustCompile(`lines? .* missing|is missing`).MatchString(found(r)) {
			t.Errorf("file %d of %d: %s", i, len(c.names)+1, found(r))
		}
	}
}

// Who can write the trail can make it anew from any line on, or end it early: only an anchor shows that.
func TestAnchors(t *testing.T) {
	dir := t.TempDir()
	public, err := merkle.Keygen(dir, "ledger.example")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := merkle.Verifiers(public)
	if err != nil {
		t.Fatal(err)
	}
	tr := Open(dir, time.Now)
	for i := range 10 {
		record(t, tr, i)
	}
	a, err := tr.Anchor()
	if err != nil || a.Seq != 11 || a.Origin != "ledger.example" {
		t.Fatal(a, err)
	}
	record(t, tr, 11)
	kept, err := tr.Notes()
	if err != nil || len(kept) != 1 || kept[0].Text != a.Note {
		t.Fatal(kept, err)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	check := func(c copied, notes ...Note) *Report {
		tr := Open(c.put(t), time.Now)
		defer tr.Close()
		r, err := Verify(tr.Lines(t.Context()), notes, keys)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	brought := Note{Name: "2026-12-31.trail", Text: a.Note}
	for own, list := range [][]Note{{brought}, {kept[0], brought}, {kept[0], kept[0], brought}} {
		if r := check(take(t, dir), list...); !r.OK || r.Anchors != own+1 || r.Own != own {
			t.Errorf("%d anchors were compared, %d of them kept beside the trail; %s", r.Anchors, r.Own, found(r))
		}
	}

	short := take(t, dir)
	short.lines[0] = short.lines[0][:8]
	if r := check(short); !r.OK {
		t.Error("without an anchor a shorter trail is whole", found(r))
	}
	if r := check(short, brought); r.OK || !strings.Contains(found(r), "the anchor 2026-12-31.trail of 20") {
		t.Error(found(r))
	}
	if r := check(short, kept...); r.OK || !strings.Contains(found(r), "its end was taken away") {
		t.Error(found(r))
	}

	anew := take(t, dir)
	head := Head{5, mustParse(t, anew.lines[0][4]).Hash}
	for n := 5; n < len(anew.lines[0]); n++ {
		anew.lines[0][n] = appendLine(nil, &head, time.Now(), []byte(`{"event":"read","actor":"nobody"}`))
	}
	if r := check(anew); !r.OK {
		t.Error("without an anchor a trail that was made anew is whole", found(r))
	}
	if r := check(anew, kept...); r.OK || !strings.Contains(found(r), "line 11 is not the one of the anchor") {
		t.Error(found(r))
	}

	other := t.TempDir()
	if _, err := merkle.Keygen(other, "ledger.example"); err != nil {
		t.Fatal(err)
	}
	forged, err := merkle.Sign(other, func(string) string { return a.text() })
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"another key's": forged, "changed": strings.Replace(a.Note, "\n11\n", "\n12\n", 1), "no note": "hello", "unsigned": a.text(),
		"with zeros": strings.Replace(a.Note, "\n11\n", "\n011\n", 1),
	} {
		if r := check(take(t, dir), Note{Name: name, Text: text}); r.OK || !strings.Contains(found(r), "the anchor "+name) {
			t.Errorf("%s: %s", name, found(r))
		}
	}
}

func mustParse(t testing.TB, b []byte) Line {
	t.Helper()
	l, whole, ok := parseLine(b)
	if !whole || !ok {
		t.Fatalf("%s", b)
	}
	return l
}

func FuzzLine(f *testing.F) {
	head := start
	f.Add(appendLine(nil, &head, time.Now(), []byte(`{"event":"read","actor":"経理"}`)))
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if l, whole, ok := parseLine(b); whole && ok && hashOf(b[:len(b)-tailBytes]) != l.Hash {
			t.Errorf("%q", b)
		}
	})
}
