package privacy

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

var (
	members = []string{"contacts", "name"}
	at      = Place{Person: "S.C", Stream: "customer-S.C", Salt: "k1\x000"}
)

const event = `{"seller":"S","name":"吉田 \"花子\"","contacts":[{"email":"a@b"}],"attributes":{"sealed":"x","name":"y"},"amount":"1"}`

func sealed(t *testing.T, k *Keys, data string, at Place) []byte {
	t.Helper()
	b, err := k.Seal([]byte(data), members, at)
	if err != nil || !json.Valid(b) || strings.Contains(string(b), "花子") || strings.Contains(string(b), "a@b") {
		t.Fatalf("%s\n%v", b, err)
	}
	return b
}

func opened(t *testing.T, k *Keys, data []byte, at Place) string {
	t.Helper()
	b, err := k.Open(data, members, at)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSealing(t *testing.T) {
	k := Open(filepath.Join(t.TempDir(), "keys"))
	b := sealed(t, k, event, at)
	if got := opened(t, k, b, at); got != event {
		t.Errorf("%s", got)
	}
	if again := sealed(t, k, event, at); !bytes.Equal(again, b) {
		t.Errorf("the same command gives other bytes: %s, then %s", b, again)
	}
	other := at
	other.Salt = "k2\x000"
	if again := sealed(t, k, event, other); bytes.Equal(again, b) {
		t.Error("two commands that say the same can be told from the log")
	}
	for _, plain := range []string{event, `{"seller":"S"}`, `{"amount":"1"}`, `[]`, `{`, ``, `null`} {
		if got := opened(t, k, []byte(plain), at); got != plain {
			t.Errorf("%s was written before anything was sealed, and reads %s", plain, got)
		}
	}
}

func TestWhatWasChangedOrMovedIsNotOpened(t *testing.T) {
	k := InMemory()
	b := sealed(t, k, event, at)
	moved := at
	moved.Stream = "account-S.C.JPY"
	if _, err := k.Open(b, members, moved); !errors.Is(err, ErrMissing) {
		t.Errorf("moved to another stream: %v", err)
	}
	swapped := strings.NewReplacer(`"name":`, `"contacts":`, `"contacts":`, `"name":`).Replace(string(b))
	if _, err := k.Open([]byte(swapped), members, at); !errors.Is(err, ErrMissing) {
		t.Errorf("moved to another member: %v", err)
	}
	from := bytes.Index(b, sealedOpen) + len(sealedOpen)
	for i := from; b[i] != '"'; i++ {
		changed := bytes.Clone(b)
		changed[i] ^= 1
		if got, err := k.Open(changed, members, at); err == nil {
			t.Errorf("byte %d was changed, and it opens: %s", i, got)
		}
	}
}

func TestAMissingKeyIsTold(t *testing.T) {
	dir := t.TempDir()
	b := sealed(t, Open(dir), event, at)
	elsewhere := t.TempDir()
	if _, err := Open(elsewhere).Open(b, members, at); !errors.Is(err, ErrMissing) {
		t.Errorf("no key: %v", err)
	}
	if _, err := (*Keys)(nil).Open(b, members, at); !errors.Is(err, ErrMissing) {
		t.Errorf("no keys at all: %v", err)
	}
	k := Open(elsewhere)
	sealed(t, k, event, at) // another key of the same person
	if _, err := k.Open(b, members, at); !errors.Is(err, ErrMissing) {
		t.Errorf("another key: %v", err)
	}
	const without = `{"seller":"S","attributes":{"sealed":"x","name":"y"},"amount":"1"}`
	if err := os.WriteFile(filepath.Join(elsewhere, lostFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := opened(t, Open(elsewhere), b, at); got != without {
		t.Errorf("lost: %s", got)
	}
	if got := opened(t, Blind(), b, at); got != without {
		t.Errorf("blind: %s", got)
	}
}

func TestDestroyedForGood(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	k, other := Open(dir), Open(dir)
	b := sealed(t, k, event, at)
	if got := opened(t, other, b, at); got != event {
		t.Fatalf("another process: %s", got)
	}
	old := copied(t, dir)
	for range 2 {
		if err := k.Destroy("S.C"); err != nil {
			t.Fatal(err)
		}
	}
	const without = `{"seller":"S","attributes":{"sealed":"x","name":"y"},"amount":"1"}`
	for name, keys := range map[string]*Keys{"this process": k, "the next": Open(dir)} {
		if got := opened(t, keys, b, at); got != without {
			t.Errorf("%s: %s", name, got)
		}
		if _, err := keys.Seal([]byte(event), members, at); !errors.Is(err, ErrDestroyed) {
			t.Errorf("%s seals again: %v", name, err)
		}
	}
	if err := other.Destroy("S.C"); err != nil { // it has the key in memory until it hears of it
		t.Fatal(err)
	}
	if got := opened(t, other, b, at); got != without {
		t.Errorf("another process: %s", got)
	}
	// Whoever brings an older copy of the keys together with these keeps them destroyed.
	if err := Open(old).CopyTo(Open(dir)); err != nil {
		t.Fatal(err)
	}
	if got := opened(t, Open(dir), b, at); got != without {
		t.Errorf("after an old copy came: %s", got)
	}
	if err := Open(dir).CopyTo(Open(old)); err != nil {
		t.Fatal(err)
	}
	if got := opened(t, Open(old), b, at); got != without {
		t.Errorf("the old copy after the new one: %s", got)
	}
}

func copied(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := Open(dir).CopyTo(Open(to)); err != nil {
		t.Fatal(err)
	}
	return to
}

// Of processes that make a person's key at the same time all go on with the same.
func TestOneKeyForAll(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	texts := make([][]byte, 8)
	var all sync.WaitGroup
	for i := range texts {
		all.Go(func() { texts[i], _ = Open(dir).Seal([]byte(event), members, at) })
	}
	all.Wait()
	for _, b := range texts {
		if got := opened(t, Open(dir), b, at); got != event {
			t.Errorf("%s", got)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("%d files, %v", len(files), err)
	}
	info, err := files[0].Info()
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read a key: %v, %v", info.Mode(), err)
	}
}

func TestDamagedKey(t *testing.T) {
	dir := t.TempDir()
	k := Open(dir)
	b := sealed(t, k, event, at)
	if err := os.WriteFile(k.file("S.C"), []byte("urikake-key-1 S.C AAAA\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir).Open(b, members, at); !errors.Is(err, ErrUnavailable) {
		t.Error(err)
	}
	if _, err := Open(dir).Seal([]byte(event), members, at); !errors.Is(err, ErrUnavailable) {
		t.Error(err)
	}
}

func TestFiles(t *testing.T) {
	k := InMemory()
	b, err := k.SealFile("S.C", "outbox/a", []byte("Dear Hanako"))
	if err != nil || bytes.Contains(b, []byte("Hanako")) {
		t.Fatalf("%s, %v", b, err)
	}
	if plain, keep, err := k.OpenFile("S.C", "outbox/a", b); string(plain) != "Dear Hanako" || !keep || err != nil {
		t.Errorf("%s %v %v", plain, keep, err)
	}
	if _, _, err := k.OpenFile("S.C", "outbox/b", b); !errors.Is(err, ErrMissing) {
		t.Errorf("under another name: %v", err)
	}
	if err := k.Destroy("S.C"); err != nil {
		t.Fatal(err)
	}
	if _, keep, err := k.OpenFile("S.C", "outbox/a", b); keep || err != nil {
		t.Errorf("erased: %v %v", keep, err)
	}
}

func TestSeededKeysAreTheSame(t *testing.T) {
	one, two := sealed(t, Open(t.TempDir()).Seeded(7), event, at), sealed(t, Open(t.TempDir()).Seeded(7), event, at)
	if !bytes.Equal(one, two) || bytes.Equal(one, sealed(t, Open(t.TempDir()).Seeded(8), event, at)) {
		t.Error("a seed is to give its own bytes each time")
	}
}
