package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/esdbserver"
	"github.com/urikake/urikake/eventstore/memory"
	"github.com/urikake/urikake/eventstore/sqlite"
)

// cluster is an EventStoreDB server on loopback, in front of a log in a directory.
type cluster struct {
	t       *testing.T
	dir     string
	address string
	served  bool // as `urikake serve` does it: instants are its own
	stop    func()
}

// startCluster starts a server whose log outlives it, or, in no directory, one in memory.
func startCluster(t *testing.T, dir string) *cluster {
	c := &cluster{t: t, dir: dir, address: "127.0.0.1:0"}
	c.start()
	t.Cleanup(func() {
		if c.stop != nil {
			c.end()
		}
	})
	return c
}

func (c *cluster) url() string { return "esdb://" + c.address + "?tls=false" }

func (c *cluster) start() {
	c.t.Helper()
	var store eventstore.Store = memory.New(time.Now)
	closeLog := func() error { return nil }
	if c.dir != "" {
		log, err := sqlite.Open(c.dir, time.Now)
		if err != nil {
			c.t.Fatal(err)
		}
		store, closeLog = log, log.Close
	}
	if c.served {
		store = eventstore.Carried(store)
	}
	listener, err := net.Listen("tcp", c.address)
	if err != nil {
		c.t.Fatal(err)
	}
	c.address = listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- esdbserver.New(esdbserver.Config{Store: store, Drain: 100 * time.Millisecond}).Serve(ctx, listener)
	}()
	c.stop = func() {
		cancel()
		if err := <-done; err != nil {
			c.t.Error(err)
		}
		if err := closeLog(); err != nil {
			c.t.Error(err)
		}
	}
}

func (c *cluster) end() {
	c.stop()
	c.stop = nil
}

// without the positions, which a log assigns itself; with the instants, which an import keeps, and the root over all.
func withoutPlace(t *testing.T, export string) string {
	var b strings.Builder
	for line := range strings.Lines(export) {
		var e map[string]json.RawMessage
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if trailer := e["trailer"]; trailer != nil {
			if err := json.Unmarshal(trailer, &e); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"stream", "version", "id", "kind", "schema", "recorded_at", "data", "metadata", "count", "root"} {
			fmt.Fprintf(&b, "%s ", e[name])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// The demo's log goes to EventStoreDB and comes back, to the byte but for positions, with the same root everywhere, also
// when the import is repeated; reports say the same there.
func testDemoThere(t *testing.T, store string) {
	home, there := filepath.Join(t.TempDir(), "home"), filepath.Join(t.TempDir(), "there")
	if err := copyDemo(home); err != nil {
		t.Fatal(err)
	}
	export := typed(t, "--data", home, "events", "export")
	file := filepath.Join(t.TempDir(), "log.ndjson")
	if err := os.WriteFile(file, []byte(export), 0o600); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("took over %d events", strings.Count(export, "\n")-1)
	for i := range 2 {
		if out := typed(t, "--data", there, "--store", store, "events", "import", file, "--with-keys", filepath.Join(home, "keys")); !strings.HasPrefix(out, want) {
			t.Errorf("import %d: %s", i+1, out)
		}
	}
	typed(t, "--data", home, "audit", "keygen")
	note := filepath.Join(t.TempDir(), "kept.note")
	if err := os.WriteFile(note, []byte(typed(t, "--data", home, "audit", "checkpoint")), 0o600); err != nil {
		t.Fatal(err)
	}
	verified := typed(t, "--data", there, "--store", store, "audit", "verify", "--checkpoint", note, "--key", filepath.Join(home, "audit.pub"))
	if !strings.Contains(verified, "one checkpoint agrees") || !strings.Contains(verified, "nothing was changed") {
		t.Errorf("the checkpoint made at home says nothing there: %s", verified)
	}
	back := typed(t, "--data", there, "--store", store, "events", "export")
	if withoutPlace(t, back) != withoutPlace(t, export) {
		t.Error("the log comes back as another one")
	}
	for _, report := range [][]string{{"balances"}, {"aging", "--format", "csv"}, {"invoices"}, {"unapplied"}} {
		args := append([]string{"report"}, append(report, "--seller", "YAMATO", "--as-of", "2026-09-30")...)
		at := typed(t, append([]string{"--data", home}, args...)...)
		away := typed(t, append([]string{"--data", there, "--store", store}, args...)...)
		if unplaced(at) != unplaced(away) {
			t.Errorf("%s: %s\nand there: %s", report, at, away)
		}
	}
}

// What a served ledger refuses to take over is no log that is away: who sends it again gets the same answer.
func TestImportIntoAServedLedger(t *testing.T) {
	c := &cluster{t: t, address: "127.0.0.1:0", served: true}
	c.start()
	defer c.end()
	home, file := filepath.Join(t.TempDir(), "home"), filepath.Join(t.TempDir(), "log.ndjson")
	if err := copyDemo(home); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(typed(t, "--data", home, "events", "export")), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, said bytes.Buffer
	args := []string{"--data", filepath.Join(t.TempDir(), "there"), "--store", c.url(), "events", "import", file, "--with-keys", filepath.Join(home, "keys")}
	code := run(args, strings.NewReader(""), &out, &said)
	if code != 1 || !strings.Contains(said.String(), "import into its own directory [log.reserved_metadata]") || strings.Contains(said.String(), "may be sent again") {
		t.Errorf("exit code %d: %s", code, said.String())
	}
}

// unplaced leaves out the lines that tell of positions and instants.
func unplaced(report string) string {
	var kept []string
	for line := range strings.Lines(report) {
		if !strings.Contains(line, "position") && !strings.Contains(line, "known") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

func TestDemoOnEventStoreDB(t *testing.T) { testDemoThere(t, startCluster(t, "").url()) }

func TestDemoOnRunningEventStoreDB(t *testing.T) {
	text := os.Getenv("URIKAKE_TEST_ESDB")
	if text == "" {
		t.Skip("URIKAKE_TEST_ESDB names no EventStoreDB server")
	}
	separator := "?"
	if strings.Contains(text, "?") {
		separator = "&"
	}
	testDemoThere(t, text+separator+"prefix=test."+strings.ToLower(rand.Text())+".")
}

// served is a server in this process whose log is elsewhere.
type served struct {
	t    *testing.T
	at   string
	told shared
	end  func()
}

func serveAway(t *testing.T, dir, store string) *served {
	t.Helper()
	listener, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &served{t: t, at: addressOf(listener)}
	session := &session{dir: dir, store: store, out: io.Discard, err: &s.told}
	if err := session.readStore("serve"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- (&serveCmd{Log: "text"}).serve(ctx, session, listener) }()
	s.end = func() {
		cancel()
		defer listener.Close()
		if err := <-ended; err != nil {
			t.Errorf("the server ended: %v", err)
		}
	}
	return s
}

// register sends a command under a key, and gives what is answered.
func (s *served) register(key, seller string) (*http.Response, string) {
	s.t.Helper()
	body := fmt.Sprintf(`{"seller":%q,"name":"N","time_zone":"Asia/Tokyo","base_currency":"JPY","language":"ja"}`, seller)
	r, err := http.NewRequest(http.MethodPost, s.at+"/v1/commands/RegisterSeller", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer, string(text)
}

// await asks until a path is answered with a status.
func (s *served) await(path string, status int) (body string) {
	s.t.Helper()
	got := 0
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(20 * time.Millisecond) {
		if got, body = fetch(s.t, s.at+path); got == status {
			return body
		}
	}
	s.t.Fatalf("%s: %d %s, want %d", path, got, body, status)
	return ""
}

// While the cluster is away, commands are refused and may be sent again, questions are answered by what was folded, and the
// server says that it is not ready. When it is back all goes on, and nothing was done twice.
func TestServeWhileEventStoreDBIsAway(t *testing.T) {
	t.Parallel()
	c := startCluster(t, t.TempDir())
	s := serveAway(t, t.TempDir(), c.url())
	defer s.end()
	s.await("/readyz", http.StatusOK)
	fails(t, "backup.elsewhere", "--server", s.at, "backup", filepath.Join(t.TempDir(), "b"))
	if answer, body := s.register("k1", "S1"); answer.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", answer.StatusCode, body)
	}
	if body := s.await("/v1/sellers", http.StatusOK); !strings.Contains(body, `"S1"`) {
		t.Error(body)
	}

	c.end()
	for range 3 {
		began := time.Now()
		answer, body := s.register("k2", "S2")
		if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" || !strings.Contains(body, "log.unavailable") {
			t.Errorf("a command: %d %v %s", answer.StatusCode, answer.Header, body)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("a command took %v to be refused", took)
		}
	}
	if body := s.await("/v1/sellers", http.StatusOK); !strings.Contains(body, `"S1"`) {
		t.Errorf("a question: %s", body)
	}
	if says := s.logAt("/v1/sellers"); says != "away" {
		t.Errorf("of the log an answer says %q", says)
	}
	if body := s.await("/readyz", http.StatusServiceUnavailable); !strings.Contains(body, `"log","status":"failing"`) {
		t.Errorf("readyz: %s", body)
	}
	if status, body := fetch(t, s.at+"/healthz"); status != http.StatusOK {
		t.Errorf("healthz: %d %s", status, body)
	}

	c.start()
	s.await("/readyz", http.StatusOK)
	for range 2 {
		if answer, body := s.register("k2", "S2"); answer.StatusCode != http.StatusOK {
			t.Errorf("again: %d %s", answer.StatusCode, body)
		}
	}
	if body := s.await("/v1/events", http.StatusOK); strings.Count(body, "seller.registered") != 2 {
		t.Errorf("events: %s", body)
	}
	if body := s.await("/v1/sellers", http.StatusOK); !strings.Contains(body, `"S2"`) {
		t.Errorf("a question: %s", body)
	}
	if says := s.logAt("/v1/sellers"); says != "" {
		t.Errorf("of the log an answer says %q", says)
	}
}

// logAt is what the answer to a question says of the log.
func (s *served) logAt(path string) string {
	s.t.Helper()
	answer, err := http.Get(s.at + path)
	if err != nil {
		s.t.Fatal(err)
	}
	answer.Body.Close()
	return answer.Header.Get("Urikake-Log")
}

// A server that starts while the cluster is away answers nobody, since keys are in the log, says so, and begins when it can.
func TestServeBeforeEventStoreDB(t *testing.T) {
	t.Parallel()
	c := startCluster(t, t.TempDir())
	c.end()
	s := serveAway(t, t.TempDir(), c.url())
	defer s.end()
	s.await("/readyz", http.StatusServiceUnavailable)
	if answer, body := s.register("k1", "S1"); answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "log.unavailable") {
		t.Errorf("%d %s", answer.StatusCode, body)
	}
	c.start()
	s.await("/readyz", http.StatusOK)
	if answer, body := s.register("k1", "S1"); answer.StatusCode != http.StatusOK {
		t.Errorf("%d %s", answer.StatusCode, body)
	}
}

// From the command line, too, questions are answered while the cluster is away, and commands are not given.
func TestVerbsWhileEventStoreDBIsAway(t *testing.T) {
	t.Parallel()
	c := startCluster(t, t.TempDir())
	dir, seller := t.TempDir(), filepath.Join(t.TempDir(), "seller.json")
	if err := os.WriteFile(seller, []byte(`{"seller":"S1","name":"N","time_zone":"Asia/Tokyo","base_currency":"JPY","language":"ja"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	typed(t, "--data", dir, "--store", c.url(), "command", "RegisterSeller", seller)
	before := typed(t, "--data", dir, "--store", c.url(), "sellers", "list")
	c.end()
	if after := typed(t, "--data", dir, "--store", c.url(), "sellers", "list"); after != before || !strings.Contains(after, "S1") {
		t.Errorf("%s\nand before:\n%s", after, before)
	}
	fails(t, "log.unavailable", "--data", dir, "--store", c.url(), "command", "RegisterSeller", seller)
}

func fails(t *testing.T, want string, args ...string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(args, strings.NewReader(""), &stdout, &stderr); code == 0 || !strings.Contains(stderr.String(), want) {
		t.Errorf("urikake %s: exit %d: %s%s, want %s", strings.Join(args, " "), code, stdout.String(), stderr.String(), want)
	}
}

// A data directory belongs to one log.
func TestDirectoryOfAnotherLog(t *testing.T) {
	one, two := startCluster(t, ""), startCluster(t, "")
	home, there, seller := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "seller.json")
	if err := os.WriteFile(seller, []byte(`{"seller":"S1","name":"N","time_zone":"Asia/Tokyo","base_currency":"JPY","language":"ja"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	typed(t, "--data", home, "command", "RegisterSeller", seller)
	typed(t, "--data", there, "--store", one.url(), "command", "RegisterSeller", seller)
	typed(t, "--data", t.TempDir(), "--store", two.url(), "command", "RegisterSeller", seller)
	fails(t, "log.other", "--data", home, "--store", one.url(), "sellers", "list")
	fails(t, "log.other", "--data", there, "sellers", "list")
	fails(t, "esdb://"+one.address, "--data", there, "sellers", "list")
	fails(t, "log.other", "--data", there, "--store", two.url(), "sellers", "list")
	fails(t, "--store and --server", "--store", one.url(), "--server", "http://127.0.0.1:1", "sellers", "list")
	fails(t, "begins with esdb://", "--store", "http://127.0.0.1:1", "sellers", "list")
	fails(t, "events import", "--store", one.url(), "demo", "--once")
	fails(t, "backups of its own", "--store", one.url(), "backup", filepath.Join(t.TempDir(), "b"))
	fails(t, "backups of its own", "--data", there, "backup", filepath.Join(t.TempDir(), "b"))
	fails(t, "backups of its own", "--data", there, "replay", "--until", "1", "--into", filepath.Join(t.TempDir(), "into"))
	fails(t, "there is no ledger in", "--data", t.TempDir(), "backup", filepath.Join(t.TempDir(), "b"))
	fails(t, "--store esdb", "--store", one.url(), "bench")
}
