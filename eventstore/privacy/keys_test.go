package privacy

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// of is where a member of one of many persons stands.
func of(i int) Place {
	return Place{Person: fmt.Sprint("S.C", i), Stream: fmt.Sprint("customer-S.C", i), Salt: "k"}
}

// Keys in memory are bounded, those that live nowhere else are not, and what was destroyed stays so, in memory or not.
func TestKeysInMemoryAreBounded(t *testing.T) {
	const persons = 60
	for name, k := range map[string]*Keys{"files": Open(t.TempDir()), "memory": InMemory()} {
		if k.dir != "" {
			k.known.max = 20
		}
		texts := make([][]byte, persons)
		for i := range texts {
			texts[i] = sealed(t, k, event, of(i))
		}
		if err := k.Destroy("S.C7"); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			for i, b := range texts {
				if got := opened(t, k, b, of(i)); (got == event) != (i != 7) {
					t.Errorf("%s: of person %d: %s", name, i, got)
				}
			}
		}
		if _, err := k.Seal([]byte(event), members, of(7)); !errors.Is(err, ErrDestroyed) {
			t.Errorf("%s: %v", name, err)
		}
		if n := len(k.known.young) + len(k.known.old); n > 20 && k.dir != "" {
			t.Errorf("%s: %d are known", name, n)
		}
	}
}

// A key that is being looked up while its person is erased is not found afterwards.
func TestLookingUpWhileDestroying(t *testing.T) {
	dir := t.TempDir()
	b := sealed(t, Open(dir), event, at)
	k := Open(dir) // knows nothing yet
	h, found, err := k.read(at.Person)
	if !found || err != nil {
		t.Fatal(err)
	}
	destroyed := k.destroyed
	if err := k.Destroy(at.Person); err != nil {
		t.Fatal(err)
	}
	if k.note(at.Person, h, destroyed) {
		t.Error("what was read before is kept")
	}
	if got := opened(t, k, b, at); got == event {
		t.Error("the key was destroyed, and is still used")
	}
	for i := range 50 {
		sealed(t, Open(dir), event, of(i))
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { k.find(of(i).Person) })
		}
		all.Go(func() {
			if err := k.Destroy(of(i).Person); err != nil {
				t.Error(err)
			}
		})
		all.Wait()
		if gone, err := k.Destroyed(of(i).Person); !gone || err != nil {
			t.Errorf("round %d: the key was destroyed, and is still used, %v", i, err)
		}
	}
}

// keyText is the key as its file has it.
func keyText(t *testing.T, file string) string {
	t.Helper()
	line, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := parse(line)
	if b, err := base64.StdEncoding.DecodeString(text); !ok || err != nil || len(b) != keyBytes {
		t.Fatalf("%s holds no key: %q", file, line)
	}
	return text
}

// Wherever a process was killed while it wrote a key, also before or after that got its name, nothing is left of it.
func TestNoFileKeepsADestroyedKey(t *testing.T) {
	dir := t.TempDir()
	k := Open(dir)
	sealed(t, k, event, of(1))
	sealed(t, k, event, of(2))
	text := keyText(t, k.file("S.C1"))
	before, err := os.Open(k.file("S.C1")) // who has the file still
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	if err := os.Link(k.file("S.C1"), filepath.Join(dir, writing+"linked")); err != nil {
		t.Fatal(err)
	}
	for name, of := range map[string]string{"copied": "S.C1", "other": "S.C2"} {
		if err := os.WriteFile(filepath.Join(dir, writing+name), []byte(lineOf(of, keyText(t, k.file(of)))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, writing+"empty"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := k.Destroy("S.C1"); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if b, err := os.ReadFile(filepath.Join(dir, f.Name())); err != nil || strings.Contains(string(b), text) {
			t.Errorf("%s holds the key, %v", f.Name(), err)
		}
	}
	old := make([]byte, 200)
	if n, _ := before.Read(old); strings.Contains(string(old[:n]), text) {
		t.Error("the old bytes are still there")
	}
	keyText(t, filepath.Join(dir, writing+"other"))
	keyText(t, k.file("S.C2"))
	if gone, err := Open(dir).Destroyed("S.C1"); !gone || err != nil {
		t.Errorf("another process: %v, %v", gone, err)
	}
}

// What is read while a key is being destroyed is the key, word of its end, or an error: never another key.
func TestHalfAnErasure(t *testing.T) {
	dir := t.TempDir()
	k := Open(dir)
	sealed(t, k, event, at)
	before, err := os.ReadFile(k.file("S.C"))
	if err != nil {
		t.Fatal(err)
	}
	key, _, _ := k.find("S.C")
	if err := k.Destroy("S.C"); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(k.file("S.C"))
	if err != nil || len(after) != len(before) {
		t.Fatalf("%q became %q, %v", before, after, err)
	}
	for i := range before {
		if err := os.WriteFile(k.file("S.C"), append(after[:i:i], before[i:]...), 0o600); err != nil {
			t.Fatal(err)
		}
		if h, found, err := Open(dir).find("S.C"); err == nil && (!found || !h.erased && h != key) {
			t.Errorf("after %d bytes: %+v", i, h)
		}
	}
}

// Somebody else made a key and may not have come to make sure that it lasts.
func TestAKeyThatMayNotLastYet(t *testing.T) {
	dir := t.TempDir()
	maker := Open(dir)
	b := sealed(t, maker, event, at)
	left := filepath.Join(dir, writing+"left")
	if err := os.Link(maker.file("S.C"), left); err != nil {
		t.Fatal(err)
	}
	k := Open(dir)
	if got := opened(t, k, b, at); got != event {
		t.Errorf("%s", got)
	}
	if h, _, _ := k.find("S.C"); links(info(t, left)) > 1 && !h.linked {
		t.Error("the other name is not seen")
	}
	for range 2 {
		if again := sealed(t, k, event, at); string(again) != string(b) {
			t.Errorf("%s, then %s", b, again)
		}
		if h, _, _ := k.find("S.C"); h.linked {
			t.Error("it is made sure of again and again")
		}
	}
}

func info(t *testing.T, file string) os.FileInfo {
	t.Helper()
	i, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// While the directory is away no second key is made of anybody.
func TestTheDirectoryOfKeysGoesAway(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	k := Open(dir)
	b := sealed(t, k, event, of(1))
	away := dir + "-away"
	if err := os.Rename(dir, away); err != nil {
		t.Fatal(err)
	}
	for range 2 { // it is gone; it is empty, as where something should be mounted
		if _, err := k.Seal([]byte(event), members, of(2)); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%v", err)
		}
		if got := opened(t, k, b, of(1)); got != event { // it is in memory
			t.Errorf("%s", got)
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Remove(dir), os.Rename(away, dir)); err != nil {
		t.Fatal(err)
	}
	sealed(t, k, event, of(2))
}

// BenchmarkManyPersons opens what is sealed of 100,000 persons in turn, as a replay does.
func BenchmarkManyPersons(b *testing.B) {
	const persons = 100_000
	k := Open(b.TempDir())
	if err := os.MkdirAll(k.dir, 0o700); err != nil {
		b.Fatal(err)
	}
	texts := make([][]byte, persons)
	for i := range texts {
		var key [keyBytes]byte
		copy(key[:], fmt.Sprint(i))
		line := lineOf(of(i).Person, base64.StdEncoding.EncodeToString(key[:]))
		if err := os.WriteFile(k.file(of(i).Person), []byte(line), 0o600); err != nil {
			b.Fatal(err)
		}
		h := keyOf(key[:])
		texts[i] = append(h.seal([]byte(`{"name":`), "name", []byte(`"Hanako"`), of(i)), '}')
	}
	run := func(b *testing.B) {
		i := 0
		for b.Loop() {
			if got, err := k.Open(texts[i%persons], members, of(i%persons)); err != nil || string(got) != `{"name":"Hanako"}` {
				b.Fatal(string(got), err)
			}
			i++
		}
	}
	b.Run("first", run)
	for i := range texts {
		if _, err := k.Open(texts[i], members, of(i)); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("again", run)
}
