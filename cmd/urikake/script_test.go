package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/text/encoding/japanese"
)

// TestScripts types what stands in testdata/script, one story a file; they can be read as a manual. `-update` writes
// what is printed into the files that `cmp` compares with.
//
// Beside testscript's own commands there are:
//
//	urikake ARGS... [< FILE]          the program, in this process; FILE is its standard input
//	exits CODE urikake ARGS...        the same, and it ends with this exit code
//	shift_jis FROM TO                 writes a file as Japanese Windows does
//	shorten FILE BYTES                cuts a file off
func TestScripts(t *testing.T) {
	dir, err := filepath.Abs(filepath.Join("testdata", "script"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		UpdateScripts:       *update,
		RequireUniqueNames:  true,
		RequireExplicitExec: false,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"urikake": urikake, "exits": exits, "shift_jis": shiftJIS, "shorten": shorten,
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" { // whom no permission stops
				return os.Geteuid() == 0, nil
			}
			return false, errors.New("unknown condition")
		},
	})
}

func urikake(ts *testscript.TestScript, neg bool, args []string) {
	if code := enter(ts, args); neg == (code == 0) {
		ts.Fatalf("exit code %d", code)
	}
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || args[1] != "urikake" {
		ts.Fatalf("usage: exits CODE urikake ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if code := enter(ts, args[2:]); code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// oneAtATime: directory and environment belong to the process, which runs several scripts.
var oneAtATime sync.Mutex

// enter runs the program in the script's directory and environment.
func enter(ts *testscript.TestScript, args []string) (code int) {
	var stdin io.Reader = strings.NewReader("")
	if n := len(args); n > 1 && args[n-2] == "<" {
		stdin, args = strings.NewReader(ts.ReadFile(args[n-1])), args[:n-2]
	}
	oneAtATime.Lock()
	defer oneAtATime.Unlock()
	home, err := os.Getwd()
	ts.Check(err)
	ts.Check(os.Chdir(ts.MkAbs(".")))
	defer os.Chdir(home)
	for _, name := range []string{"URIKAKE_DATA", "TMPDIR"} {
		was, set := os.LookupEnv(name)
		if value := ts.Getenv(name); value != "" {
			os.Setenv(name, value)
		} else {
			os.Unsetenv(name)
		}
		defer func() {
			if os.Unsetenv(name); set {
				os.Setenv(name, was)
			}
		}()
	}
	return run(args, stdin, ts.Stdout(), ts.Stderr())
}

func shiftJIS(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: shift_jis FROM TO")
	}
	text, err := japanese.ShiftJIS.NewEncoder().String(ts.ReadFile(args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o644))
}

func shorten(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: shorten FILE BYTES")
	}
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), size))
}
