package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// demoDir is where the demo's ledger is once somebody has asked for it; TestMain takes it away.
var demoDir string

var makeDemo = sync.OnceValue(func() (err error) {
	if demoDir, err = os.MkdirTemp("", "urikake-demo-"); err != nil {
		return err
	}
	var stderr bytes.Buffer
	if code := run([]string{"--data", filepath.Join(demoDir, "books"), "demo", "--once"}, strings.NewReader(""), io.Discard, &stderr); code != 0 {
		return errors.New(stderr.String())
	}
	return nil
})

// copyDemo puts the demo's ledger into a new directory. It is the same to the byte each time: testdata/script/demo.txtar
// proves that, and this saves the others the two years.
func copyDemo(to string) error {
	if err := makeDemo(); err != nil {
		return err
	}
	return os.CopyFS(to, os.DirFS(filepath.Join(demoDir, "books")))
}

func demoBooks(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: demo_books DIR")
	}
	oneAtATime.Lock() // it is made in the process's directory and environment
	defer oneAtATime.Unlock()
	ts.Check(copyDemo(ts.MkAbs(args[0])))
}
