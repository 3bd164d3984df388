package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/urikake/urikake/eventstore/ramdisk"
)

// A server is killed in the middle of its work, again and again. After each start every command that it had answered is
// there once, and sent again gets the same answer to the byte; what it had not answered is sent again and done once.
func TestServerCrash(t *testing.T) {
	const rounds, clients = 12, 8
	dir := ramdisk.Disk(t)
	program := filepath.Join(dir, "urikake")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(2, uint64(time.Now().UnixNano())))
	answers := make(map[string]string) // by key: what was answered
	sent := 0
	for round := range rounds {
		s := startServer(t, program, filepath.Join(dir, "books"))
		if round == 0 {
			s.post(t, "r", "/v1/sellers", `{"seller":"S","name":"S","time_zone":"Asia/Tokyo","base_currency":"JPY","language":"ja"}`)
			for c := range 3 {
				s.post(t, fmt.Sprint("c", c), "/v1/sellers/S/customers", fmt.Sprintf(`{"customer":"C%d","name":"得意先","terms":{"kind":"NET","net_days":30}}`, c))
			}
		}
		for key, was := range answers {
			if now, err := s.pay(key); err != nil || now != was {
				t.Fatalf("%s was answered\n%s\nand is now\n%s, %v", key, was, now, err)
			}
		}
		left, later := 10+rng.IntN(60), time.Duration(rng.IntN(20_000))*time.Microsecond // it dies somewhat later than the last
		var mu sync.Mutex
		var wg sync.WaitGroup
		for client := range clients {
			wg.Go(func() {
				for n := 0; ; n++ {
					key := fmt.Sprintf("p-%d-%d-%d", round, client, n)
					answer, err := s.pay(key)
					mu.Lock()
					sent++
					if err == nil {
						answers[key] = answer
						if left--; left == 0 {
							time.AfterFunc(later, func() { s.cmd.Process.Kill() })
						}
					}
					mu.Unlock()
					if err != nil {
						return
					}
				}
			})
		}
		wg.Wait()
		s.cmd.Process.Kill() // if it refused them all
		s.cmd.Wait()
	}
	s := startServer(t, program, filepath.Join(dir, "books"))
	defer s.cmd.Wait()
	defer s.cmd.Process.Kill()
	total := 0
	for c := range 3 {
		total += s.version(t, fmt.Sprint("C", c))
	}
	if total < len(answers) || total > sent {
		t.Errorf("%d payments were answered, %d sent, and %d are booked", len(answers), sent, total)
	}
	t.Logf("%d payments were answered in %d rounds, %d are booked", len(answers), rounds, total)
	if len(answers) < 10*rounds {
		t.Errorf("only %d payments were answered: the test shows little", len(answers))
	}
}

type server struct {
	cmd *exec.Cmd
	url string
}

// startServer starts the program as its user would, on any free port.
func startServer(t *testing.T, program, dir string) *server {
	t.Helper()
	cmd := exec.Command(program, "--data", dir, "serve", "--listen", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, rest, ok := strings.Cut(lines.Text(), " at "); ok {
			url, _, _ := strings.Cut(rest, ",")
			go io.Copy(io.Discard, out)
			return &server{cmd, url}
		}
	}
	cmd.Wait()
	t.Fatalf("it does not start: %s", log.String())
	return nil
}

// pay sends a payment that depends on its key alone.
func (s *server) pay(key string) (string, error) {
	body := fmt.Sprintf(`{"customer":"C%d","currency":"JPY","received_on":"2026-11-01","amount":{"amount":"%d","currency":"JPY"}}`, len(key)%3, 100+len(key))
	return s.send(key, "/v1/sellers/S/payments", body)
}

func (s *server) send(key, path, body string) (string, error) {
	r, err := http.NewRequest(http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Idempotency-Key", key)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, b)
	}
	return string(b), err
}

func (s *server) post(t *testing.T, key, path, body string) {
	t.Helper()
	if _, err := s.send(key, path, body); err != nil {
		t.Fatal(err)
	}
}

// version is how many events an account has: each is one payment.
func (s *server) version(t *testing.T, customer string) int {
	t.Helper()
	resp, err := http.Get(s.url + "/v1/sellers/S/customers/" + customer + "/accounts/JPY")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var account struct{ Version int }
	if err := json.NewDecoder(resp.Body).Decode(&account); err != nil {
		t.Fatal(err)
	}
	return account.Version
}

// expectPayments asks the read models and the log how many payments there are.
func (s *server) expectPayments(t *testing.T, want int) {
	t.Helper()
	total := 0
	for c := range 3 {
		status, body := fetch(t, fmt.Sprintf("%s/v1/sellers/S/unapplied?as_of=2026-11-30&customer=C%d", s.url, c))
		var report struct{ Rows []any }
		if err := json.Unmarshal([]byte(body), &report); err != nil || status != 200 {
			t.Fatalf("%d %v: %.300s", status, err, body)
		}
		total += len(report.Rows)
	}
	if _, events := fetch(t, s.url+"/v1/events?kind=account.payment_recorded"); total != want || strings.Count(events, "\n") != want {
		t.Errorf("%d payments are reported, %d are in the log, %d were acknowledged", total, strings.Count(events, "\n"), want)
	}
}
