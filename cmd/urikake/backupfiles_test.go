package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// What is signed is known before the log is opened, and the rest after: then no signature in a backup is of more than its
// log has, and no letter is missing of which that tells. What is not whole yet, and what is made anew, stays out.
func TestBackupFilesInOrder(t *testing.T) {
	dir := t.TempDir()
	put := func(names ...string) {
		t.Helper()
		for _, name := range names {
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	put("log.db", "log.db-wal", "LOCK", "views.db", "keys/k", "snapshots/s", ".backup-1/backup", "audit.key", "audit.pub",
		"audit/1.note", "audit/2.note.new", "audit/hashes", "trail/000000000001.ndjson", "trail/LOCK", "trail/ready.probe",
		"trail/anchors/000000000001.note", "trail/anchors/000000000002.note.new", "outbox/S/S.C.JPY.R1/letter.txt", "outbox/S/.writing-1/letter.txt")
	along, err := (&session{dir: dir}).besideLog()
	if err != nil {
		t.Fatal(err)
	}
	defer along.root.Close()
	put("audit/2.note", "trail/anchors/000000000002.note", "trail/000000000009.ndjson", "outbox/S/S.C.JPY.R2/letter.txt")
	files, err := along.files()
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		files[i] = filepath.ToSlash(files[i])
	}
	slices.Sort(files)
	want := []string{
		"audit.pub", "audit/1.note", "outbox/S/S.C.JPY.R1/letter.txt", "outbox/S/S.C.JPY.R2/letter.txt",
		"trail/000000000001.ndjson", "trail/000000000009.ndjson", "trail/anchors/000000000001.note",
	}
	if !slices.Equal(files, want) {
		t.Errorf("%q, want %q", files, want)
	}
	if !slices.Equal(along.others, []string{"audit.key"}) {
		t.Errorf("left out: %q", along.others)
	}
}

// A process ended after a customer's key was destroyed and before the letters were deleted: a backup is made without them.
func TestABackupWithoutLettersToWhoWasErased(t *testing.T) {
	dir := t.TempDir()
	names := []string{filepath.Join("outbox", "S", "S.C1.JPY.R1", "letter.txt"), filepath.Join("outbox", "S", "S.C2.JPY.R1", "letter.txt")}
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("Dear Hanako"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "log.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := (&session{dir: dir}).privacy()
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.Destroy("S.C1"); err != nil {
		t.Fatal(err)
	}
	along, err := (&session{dir: dir}).besideLog()
	if err != nil {
		t.Fatal(err)
	}
	defer along.root.Close()
	if _, err := along.read(names[0]); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the letter to who was erased: %v", err)
	}
	if b, err := along.read(names[1]); err != nil || len(b) == 0 || bytes.Contains(b, []byte("Hanako")) {
		t.Errorf("the other letter: %q, %v", b, err)
	}
}
