package main

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/text/encoding/japanese"

	"github.com/urikake/urikake/eventstore/ramdisk"
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
//	free_port NAME                    puts a port that is free into the environment
//	ready URL                         waits until a server is
//	await FILE TEXT                   waits until a text stands in a file
//	terminate                         asks the servers that `exec ... &` began to end, as an operating system does
//	nowhere REGEXP PATHS...           what is sought stands in none of these files, nor in any below
//	keep NAME FILE                    puts what is in a file into the environment
//	demo_books DIR                    puts what `urikake --data DIR demo --once` makes into a directory, but at once
//
// `exec urikake ARGS... &` is the program in a process of its own.
func TestScripts(t *testing.T) {
	dir, err := filepath.Abs(filepath.Join("testdata", "script"))
	if err != nil {
		t.Fatal(err)
	}
	other := httptest.NewServer(http.HandlerFunc(elsewhere))
	t.Cleanup(other.Close) // scripts go on when this function has returned
	testscript.Run(t, testscript.Params{
		Setup: func(env *testscript.Env) error {
			env.Setenv("ELSE", other.URL)
			return install(env)
		},
		Dir:                 dir,
		UpdateScripts:       *update,
		RequireUniqueNames:  true,
		RequireExplicitExec: false,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"urikake": urikake, "exits": exits, "shift_jis": shiftJIS, "shorten": shorten,
			"free_port": freePort, "ready": ready, "await": await, "terminate": terminate, "keep": keep, "nowhere": nowhere,
			"demo_books": demoBooks,
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" { // whom no permission stops
				return os.Geteuid() == 0, nil
			}
			return false, errors.New("unknown condition")
		},
	})
}

// elsewhere is a server that is no ledger, or one that fails: $ELSE in scripts.
func elsewhere(w http.ResponseWriter, r *http.Request) {
	switch at, _, _ := strings.Cut(r.URL.Path[1:], "/"); at {
	case "moved":
		http.Redirect(w, r, "https://ledger.invalid", http.StatusTemporaryRedirect)
	case "half":
		io.WriteString(w, `{"position":1,"stream":"seller-S1","version":1,"id":"bf682925-7e23-5859-8ffd-aac5710ea04d","kind":"seller.registered",`+
			`"schema":1,"recorded_at":"2026-04-01T00:00:00Z","data":{},"metadata":{}}`+"\n")
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	default:
		http.NotFound(w, r)
	}
}

// TestMain makes the test's binary the program itself where it is called by its name: see install.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "urikake" {
		main()
	}
	code := ramdisk.Tests(m).Run()
	os.RemoveAll(demoDir)
	os.Exit(code)
}

// install lets a script exec the program.
func install(env *testscript.Env) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	dir := filepath.Join(env.WorkDir, ".bin")
	env.Setenv("PATH", dir+string(filepath.ListSeparator)+env.Getenv("PATH"))
	return errors.Join(os.Mkdir(dir, 0o755), os.Symlink(self, filepath.Join(dir, "urikake")))
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
	for _, name := range []string{"URIKAKE_DATA", "URIKAKE_SERVER", "URIKAKE_KEY", "URIKAKE_INSECURE", "TMPDIR"} {
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

func freePort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: free_port NAME")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	ts.Check(errors.Join(err, listener.Close()))
	ts.Setenv(args[0], port)
}

func ready(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ready URL")
	}
	var last string
	patiently(ts, func() bool {
		answer, err := http.Get(args[0] + "/readyz")
		if err != nil {
			last = err.Error()
			return false
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		last = string(body)
		return answer.StatusCode == http.StatusOK
	}, &last)
}

func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await FILE TEXT")
	}
	var last string
	patiently(ts, func() bool {
		b, _ := os.ReadFile(ts.MkAbs(args[0])) // it may not be there yet
		last = string(b)
		return strings.Contains(last, args[1])
	}, &last)
}

// patiently waits until something is so; last tells how it was found.
func patiently(ts *testscript.TestScript, so func() bool, last *string) {
	for end := time.Now().Add(time.Minute); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("waited for a minute; now: %s", *last)
		}
	}
}

func terminate(ts *testscript.TestScript, neg bool, args []string) {
	for _, cmd := range ts.BackgroundCmds() {
		if slices.Contains(cmd.Args, "serve") || slices.Contains(cmd.Args, "demo") {
			ts.Check(cmd.Process.Signal(syscall.SIGTERM))
		}
	}
}

func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep NAME FILE")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile(args[1])))
}

// nowhere looks into every file, whatever it is.
func nowhere(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: nowhere REGEXP PATHS...")
	}
	sought := regexp.MustCompile(args[0])
	files := 0
	for _, path := range args[1:] {
		ts.Check(filepath.WalkDir(ts.MkAbs(path), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			files++
			b, err := os.ReadFile(path)
			if at := sought.FindIndex(b); at != nil {
				ts.Fatalf("%s holds %q at byte %d", path, sought, at[0])
			}
			return err
		}))
	}
	if files == 0 {
		ts.Fatalf("there are no files")
	}
}
