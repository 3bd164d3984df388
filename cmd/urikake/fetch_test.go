package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// installed is the program as its user has it.
func installed(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "urikake")
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	return program
}

// furnished starts a server with three customers, and with so much beside its log that a backup of it takes many packets.
func furnished(t *testing.T, program, dir string) *server {
	t.Helper()
	s := startServer(t, program, dir)
	s.post(t, "r", "/v1/sellers", `{"seller":"S","name":"S","time_zone":"Asia/Tokyo","base_currency":"JPY","language":"ja"}`)
	for c := range 3 {
		s.post(t, fmt.Sprint("c", c), "/v1/sellers/S/customers", fmt.Sprintf(`{"customer":"C%d","name":"得意先"}`, c))
	}
	if err := os.MkdirAll(filepath.Join(dir, "outbox"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "outbox", "large"), bytes.Repeat([]byte("large "), 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *server) end() {
	s.cmd.Process.Kill()
	s.cmd.Wait()
}

// ran is the program's answer, in this process.
func ran(args ...string) (code int, out, told string) {
	var o, e bytes.Buffer
	code = run(args, strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

// Backups are fetched from a server while clients write: each has what was acknowledged before it was asked for, and is
// restored to a ledger that says so.
func TestFetchBackup(t *testing.T) {
	dir := t.TempDir()
	s := furnished(t, installed(t), filepath.Join(dir, "books"))
	defer s.end()
	var mu sync.Mutex
	var wg sync.WaitGroup
	acknowledged, quit := 0, make(chan struct{})
	for client := range 4 {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-quit:
					return
				default:
				}
				if _, err := s.pay(fmt.Sprintf("p-%d-%d", client, n)); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				acknowledged++
				mu.Unlock()
			}
		})
	}
	var least [3]int
	for i := range least {
		mu.Lock()
		least[i] = acknowledged
		mu.Unlock()
		file := filepath.Join(dir, fmt.Sprint("b", i))
		if code, out, told := ran("--server", s.url, "backup", file); code != 0 || !strings.HasPrefix(out, file+" holds the ledger at position ") {
			t.Fatalf("%d %s %s", code, out, told)
		}
	}
	close(quit)
	wg.Wait()
	for i := range least {
		to := filepath.Join(dir, fmt.Sprint("to", i))
		if code, _, told := ran("--data", to, "restore", filepath.Join(dir, fmt.Sprint("b", i)), "--with-keys", filepath.Join(dir, "books", "keys")); code != 0 {
			t.Fatalf("restore: %s", told)
		}
		code, events, told := ran("--data", to, "events", "export", "--kind", "account.payment_recorded")
		if n := strings.Count(events, "\n"); code != 0 || n < least[i] || n > acknowledged {
			t.Errorf("backup %d has %d payments; %d were acknowledged before, %d in all; %s", i, n, least[i], acknowledged, told)
		}
	}
	if acknowledged <= least[0] {
		t.Error("nobody wrote while backups were made")
	}
}

// tap passes a connection on and stops for good after so many bytes of the answer, when it calls stopped.
func tap(t *testing.T, to string, most int64, stopped func()) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", strings.TrimPrefix(to, "http://"))
			if err != nil {
				in.Close()
				return
			}
			go io.Copy(out, in) // until the client is gone
			io.CopyN(in, out, most)
			stopped()
			io.Copy(in, out) // what was on its way
			in.Close()
			out.Close()
		}
	}()
	return "http://" + listener.Addr().String()
}

// nothingLeft fails if a backup left anything under its name.
func nothingLeft(t *testing.T, file string) {
	t.Helper()
	for _, name := range []string{file, file + ".partial"} {
		if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The server is killed while it sends a backup: the client has no file and says what to do; the server that starts next
// has everything that it had acknowledged, and nothing of the backup.
func TestFetchFromKilledServer(t *testing.T) {
	dir := t.TempDir()
	program, books := installed(t), filepath.Join(dir, "books")
	s := furnished(t, program, books)
	for n := range 20 {
		if _, err := s.pay(fmt.Sprint("p-", n)); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "b")
	url := tap(t, s.url, 500_000, s.end)
	code, out, told := ran("--server", url, "backup", file)
	if code != exitFailed || out != "" || !strings.Contains(told, "ask again: "+file+" was not written") || !strings.Contains(told, "[client.broken_off]") {
		t.Errorf("%d %s %s", code, out, told)
	}
	nothingLeft(t, file)
	if left, _ := filepath.Glob(filepath.Join(books, ".backup-*")); len(left) != 1 {
		t.Errorf("the killed server left %v: it was not in the middle", left)
	}
	s = startServer(t, program, books)
	defer s.end()
	if left, _ := filepath.Glob(filepath.Join(books, ".backup-*")); len(left) != 0 {
		t.Errorf("%v is still there", left)
	}
	s.expectPayments(t, 20)
	if code, _, told := ran("--server", s.url, "backup", file); code != 0 {
		t.Error(told)
	}
}

// Who is interrupted has no file, and keeps nobody from the next backup; neither does a client that is killed.
func TestFetchInterrupted(t *testing.T) {
	dir := t.TempDir()
	program := installed(t)
	s := furnished(t, program, filepath.Join(dir, "books"))
	defer s.end()
	file := filepath.Join(dir, "fetched")
	for _, how := range []os.Signal{syscall.SIGINT, syscall.SIGKILL} {
		reached, on := make(chan struct{}), make(chan struct{})
		url := tap(t, s.url, 500_000, func() { close(reached); <-on })
		var told bytes.Buffer
		client := exec.Command(program, "--server", url, "backup", file)
		client.Stderr = &told
		if err := client.Start(); err != nil {
			t.Fatal(err)
		}
		<-reached
		if _, _, other := ran("--server", s.url, "backup", file+"2"); !strings.Contains(other, "[backup.under_way]") {
			t.Errorf("a second one: %s", other)
		}
		client.Process.Signal(how)
		client.Wait()
		close(on)
		if how == syscall.SIGINT {
			if !strings.Contains(told.String(), file+" was not written") || client.ProcessState.ExitCode() != exitFailed {
				t.Errorf("%d: %s", client.ProcessState.ExitCode(), told.String())
			}
			nothingLeft(t, file)
		}
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%v leaves a file", how)
		}
		s.backUpSoon(t, file+"3")
		if err := os.Remove(file + "3"); err != nil {
			t.Error(err)
		}
	}
	s.backUpSoon(t, file)
	if left, _ := filepath.Glob(file + "*"); len(left) != 1 {
		t.Errorf("%v", left)
	}
}

// backUpSoon makes a backup once the server has found out that the client before is gone.
func (s *server) backUpSoon(t *testing.T, file string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		code, _, told := ran("--server", s.url, "backup", file)
		if code == 0 {
			return
		}
		if !strings.Contains(told, "[backup.under_way]") || time.Now().After(end) {
			t.Fatal(told)
		}
	}
}
