package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/urikake/urikake/domain/catalog"
	"github.com/urikake/urikake/eventstore"
)

// What is left of an erasure is done by whatever is opened next, also by sending into an outbox somewhere else: the letters
// in the ledger's directory go, and those elsewhere are nobody's business.
func TestLettersToWhoWasErasedGoFromTheDirectory(t *testing.T) {
	dir := t.TempDir()
	s := &session{dir: dir, outbox: filepath.Join(t.TempDir(), "elsewhere"), out: io.Discard, err: io.Discard}
	o, err := s.open(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := o.close(); err != nil {
			t.Error(err)
		}
	}()
	letter := filepath.Join("S.C.JPY.R1", "letter.txt")
	here, there := filepath.Join(dir, "outbox", "S", letter), filepath.Join(s.outbox, letter)
	for _, path := range []string{here, there} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("Dear Hanako"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	var last eventstore.Receipt
	for _, step := range []struct{ name, data string }{
		{"RegisterSeller", `{"seller":"S","name":"S","time_zone":"Asia/Tokyo","base_currency":"JPY","language":"ja"}`},
		{"RegisterCustomer", `{"seller":"S","customer":"C","name":"Hanako"}`},
		{"EraseCustomer", `{"seller":"S","customer":"C","on":"2026-01-15","reason":"asked to be forgotten"}`},
	} {
		c, err := catalog.Decode(step.name, []byte(step.data))
		if err != nil {
			t.Fatal(err)
		}
		if last, err = o.ledger.Execute(t.Context(), c, eventstore.Envelope{CommandID: step.name}); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.views.Forget(t.Context(), last.Position); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(here); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the letter in the directory: %v", err)
	}
	if _, err := os.Stat(there); err != nil {
		t.Errorf("the letter elsewhere: %v", err)
	}
}
