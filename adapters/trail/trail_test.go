package trail

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/urikake/urikake/domain"
)

// write makes a trail of so many lines, in small files, and gives its directory.
func write(t testing.TB, lines int) string {
	t.Helper()
	dir := t.TempDir()
	tr := open(dir)
	for i := range lines {
		record(t, tr, i)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func open(dir string) *Trail {
	tr := Open(dir, time.Now)
	tr.fileMax = 4 << 10
	return tr
}

func record(t testing.TB, tr *Trail, i int) uint64 {
	t.Helper()
	seq, err := tr.Record(Entry{
		Event: Read, Actor: fmt.Sprintf("経理 %d", i%3), Seller: domain.SellerID(fmt.Sprintf("S%d", i%2)), Operation: "get-aging",
		Query: map[string]string{"as_of": "2026-03-31", "customer": fmt.Sprint("C", i)}, Status: 200, Bytes: int64(i),
	})
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func verified(t testing.TB, dir string, anchors ...Note) *Report {
	t.Helper()
	tr := open(dir)
	r, err := Verify(tr.Lines(t.Context()), anchors, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	return r
}

// found is the texts of what was found.
func found(r *Report) string {
	var list []string
	for _, f := range r.Findings {
		list = append(list, f.Text)
	}
	return strings.Join(list, "\n")
}

func TestTrailGoesOnOverFilesAndHandles(t *testing.T) {
	dir := t.TempDir()
	for round := range 5 { // each a process of its own, as it were
		tr := open(dir)
		for i := range 7 {
			record(t, tr, 10*round+i)
		}
		if err := tr.Close(); err != nil {
			t.Fatal(err)
		}
	}
	names, _ := fileNames(filepath.Join(dir, dirName))
	r := verified(t, dir)
	if !r.OK || len(names) < 3 || r.Lines < 35 || r.Repairs+r.Gaps > 0 {
		t.Errorf("%d files, %+v", len(names), r)
	}
	tr := open(dir)
	defer tr.Close()
	n := 0
	for l, err := range tr.Find(t.Context(), Filter{Actor: "経理 1", Seller: "S1"}) {
		if n++; err != nil || l.Actor != "経理 1" || l.Seller != "S1" || l.Query["customer"] == "" {
			t.Errorf("%v %+v", err, l)
		}
	}
	if n == 0 {
		t.Error("nothing was found")
	}
	for range tr.Find(t.Context(), Filter{To: time.Now().Add(-time.Hour)}) {
		t.Error("a line is older than the trail")
	}
}

func TestManyAtOnceAndTwoProcesses(t *testing.T) {
	dir := t.TempDir()
	handles := []*Trail{open(dir), open(dir)}
	var mu sync.Mutex
	seen := make(map[uint64]bool)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 100 {
				seq := record(t, handles[g%2], i)
				mu.Lock()
				if seen[seq] {
					t.Errorf("two lines have the number %d", seq)
				}
				seen[seq] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, h := range handles {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
	if r := verified(t, dir); !r.OK || r.Gaps+r.Repairs > 0 || len(seen) != 800 {
		t.Errorf("%d %+v", len(seen), r)
	}
}

// What stands at the end and is no whole line goes into a line of its own, wherever the end was torn.
func TestTornEnd(t *testing.T) {
	whole := write(t, 3)
	name := filepath.Join(dirName, fileName(1))
	b, err := os.ReadFile(filepath.Join(whole, name))
	if err != nil {
		t.Fatal(err)
	}
	last := bytes.LastIndexByte(b[:len(b)-1], '\n') + 1
	cases := [][]byte{append(slices.Clone(b), 0, 0, 0), append(slices.Clone(b), "garbage\n"...), append(slices.Clone(b), bytes.Repeat([]byte{0}, 100<<10)...), b[:10]}
	for end := last + 1; end < len(b); end += 13 {
		cases = append(cases, b[:end])
	}
	for i, torn := range cases {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, dirName), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), torn, 0o600); err != nil {
			t.Fatal(err)
		}
		tr := open(dir)
		record(t, tr, 9)
		if err := tr.Close(); err != nil {
			t.Fatal(err)
		}
		if r := verified(t, dir); !r.OK || r.Repairs != 1 {
			t.Errorf("case %d, %d of %d bytes: %+v", i, len(torn), len(b), r)
		}
	}
}

func TestFileTakenAwayOrCutWhileItIsWritten(t *testing.T) {
	for name, harm := range map[string]func(path string) error{
		"removed": os.Remove,
		"cut":     func(path string) error { return os.Truncate(path, 300) },
		"replaced": func(path string) error {
			return os.Rename(path+".copy", path)
		},
	} {
		dir := t.TempDir()
		tr := Open(dir, time.Now)
		for i := range 5 {
			record(t, tr, i)
		}
		path := filepath.Join(dir, dirName, fileName(1))
		b, _ := os.ReadFile(path)
		if err := os.WriteFile(path+".copy", b[:len(b)/2], 0o600); err != nil {
			t.Fatal(err)
		}
		if err := harm(path); err != nil {
			t.Fatal(err)
		}
		record(t, tr, 6)
		record(t, tr, 7)
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
		if r := verified(t, dir); r.OK || r.Head.Seq < 7 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// What can't be recorded is refused, and the trail says so once it can be written again.
func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, dirName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tr := open(dir)
	defer tr.Close()
	for range 3 {
		if _, err := tr.Record(Entry{Event: Read}); err == nil || !strings.Contains(err.Error(), ErrUnavailable.Rule) {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, dirName)); err != nil {
		t.Fatal(err)
	}
	record(t, tr, 1)
	refused := 0
	for l, err := range tr.Find(t.Context(), Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		refused += l.Refused
	}
	if r := verified(t, dir); !r.OK || r.Gaps != 1 || refused != 3 {
		t.Errorf("%d %+v", refused, r)
	}
}

// TestMain is also the process that is killed.
func TestMain(m *testing.M) {
	dir := os.Getenv("TRAIL_CHILD")
	if dir == "" {
		os.Exit(m.Run())
	}
	tr := open(dir)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range 4 {
		wg.Go(func() {
			for {
				seq, err := tr.Record(Entry{Event: Read, Operation: "get-balances"})
				if err != nil {
					panic(err)
				}
				mu.Lock()
				fmt.Println(seq)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// A process that is killed loses no line that it was told of, and the chain goes on.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var top uint64
	for round := range 5 {
		child := exec.Command(self)
		child.Env = append(os.Environ(), "TRAIL_CHILD="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if seq, err := strconv.ParseUint(lines.Text(), 10, 64); err == nil {
				top = max(top, seq)
			}
			if n == 200+37*round {
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = child.Wait()
		r := verified(t, dir)
		if r.Head.Seq < top {
			t.Fatalf("line %d was acknowledged, and the trail ends at %d", top, r.Head.Seq)
		}
	}
	tr := open(dir)
	record(t, tr, 1)
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	if r := verified(t, dir); !r.OK || r.Head.Seq <= top {
		t.Errorf("%+v\n%s", r, found(r))
	}
}

// BenchmarkRecord is what a read pays for its line, with as many readers as the bench of the whole server has.
func BenchmarkRecord(b *testing.B) {
	tr := Open(b.TempDir(), time.Now)
	defer tr.Close()
	b.SetParallelism(32)
	b.RunParallel(func(p *testing.PB) {
		for i := 0; p.Next(); i++ {
			record(b, tr, i)
		}
	})
}

// Who asks for a key's holder finds what was read with the key in somebody's name, too, and the other way round.
func TestFilterByPersonOrHolder(t *testing.T) {
	for _, c := range []struct {
		actor, asked string
		picked       bool
	}{
		{"mizuno", "mizuno", true},
		{"root (mizuno)", "mizuno", true},
		{"root (mizuno)", "root", true},
		{"root (mizuno)", "root (mizuno)", true},
		{"root (mizuno)", "mizu", false},
		{"root (mizuno)", "roo", false},
		{"mizuno2", "mizuno", false},
		{"", "mizuno", false},
	} {
		var l Line
		l.Seq, l.Actor = 1, c.actor
		if got := (Filter{Actor: c.asked}).picks(l); got != c.picked {
			t.Errorf("%q of %q: %t", c.asked, c.actor, got)
		}
	}
}
