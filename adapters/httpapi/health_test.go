package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/urikake/urikake/adapters/trail"
	"github.com/urikake/urikake/eventstore"
	"github.com/urikake/urikake/eventstore/merkle"
)

// standingOf asks whether the server is ready, and gives each check's state and detail.
func standingOf(t *testing.T, h *Health) (status int, checks map[string]string) {
	t.Helper()
	s := newServer(t, http.HandlerFunc(h.Ready))
	answer, body := send(t, "GET", s.URL)
	var read struct {
		Status string
		Checks []struct{ Name, Status, Detail string }
	}
	if err := json.Unmarshal([]byte(body), &read); err != nil || answer.Header.Get("Content-Type") != "application/json" {
		t.Fatal(body, err)
	}
	if (answer.StatusCode == 200) != (read.Status == "ok") {
		t.Error(answer.StatusCode, body)
	}
	checks = map[string]string{}
	for _, c := range read.Checks {
		checks[c.Name] = c.Status + ": " + c.Detail
	}
	return answer.StatusCode, checks
}

func TestHealth(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "books")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	m, behind := NewMetrics(), uint64(100)
	fresh := func() *Health { // as after checkEvery
		return NewHealth(LogCheck(dir, m.AppendFault), LagCheck(100, func(context.Context) (uint64, error) { return behind, nil }))
	}
	s := newServer(t, http.HandlerFunc(fresh().Live))
	if answer, body := send(t, "GET", s.URL); answer.StatusCode != 200 || body != "{\"status\":\"ok\"}\n" {
		t.Error(answer.StatusCode, body)
	}
	status, checks := standingOf(t, fresh())
	if status != 200 || checks["log"] != "ok: writable" || checks["views"] != "ok: 100 events behind the log" || checks["server"] != "ok: " {
		t.Error(status, checks)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Error("the probe left something behind:", left)
	}

	behind = 101
	if status, checks = standingOf(t, fresh()); status != 503 || !strings.HasPrefix(checks["views"], "failing: 101 events") {
		t.Error(status, checks)
	}
	behind = 0
	m.noteFault(eventstore.ErrUnavailable.With("the disk is full"))
	if status, checks = standingOf(t, fresh()); status != 503 || !strings.Contains(checks["log"], "the disk is full") {
		t.Error(status, checks)
	}
	m.noteFault(nil) // an append succeeded
	if status, checks = standingOf(t, fresh()); status != 200 {
		t.Error(status, checks)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if status, checks = standingOf(t, fresh()); status != 503 || !strings.HasPrefix(checks["log"], "failing: the data directory can't be written") ||
		strings.Contains(checks["log"], dir) {
		t.Error(status, checks)
	}
}

// A server whose access trail can't be written is not ready, as it refuses every read; and its metrics tell.
func TestTrailHealth(t *testing.T) {
	dir := t.TempDir()
	blocked := filepath.Join(dir, "trail")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	now := time.Unix(firstSecond, 0)
	tr := trail.Open(dir, func() time.Time { return now })
	defer tr.Close()
	m := NewMetrics()
	m.Trail(tr.Stats, func() time.Time { return now.Add(90 * time.Second) })
	status, checks := standingOf(t, NewHealth(TrailCheck(tr)))
	if status != 503 || !strings.HasPrefix(checks["trail"], "failing: the access trail can't be written") || strings.Contains(checks["trail"], dir) {
		t.Error(status, checks)
	}
	if _, err := tr.Record(trail.Entry{Event: trail.Read}); err == nil {
		t.Fatal("it was recorded")
	}
	got := scrape(t, m)
	wantSeries(t, got, map[string]float64{"urikake_trail_lines_total": 0, "urikake_trail_refused_reads_total": 1, "urikake_trail_faults_total": 1})
	if age := got["urikake_trail_anchor_age_seconds"]; !math.IsNaN(age) {
		t.Error(age)
	}
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	if _, err := merkle.Keygen(dir, "ledger.example"); err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Record(trail.Entry{Event: trail.Read}); err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Anchor(); err != nil {
		t.Fatal(err)
	}
	if status, checks = standingOf(t, NewHealth(TrailCheck(tr))); status != 200 || checks["trail"] != "ok: writable" {
		t.Error(status, checks)
	}
	wantSeries(t, scrape(t, m), map[string]float64{
		"urikake_trail_lines_total": 3, "urikake_trail_refused_reads_total": 1, "urikake_trail_faults_total": 1, "urikake_trail_anchor_age_seconds": 90,
	})
}

// TestHealthAsksSeldom has many probes at once, and then a disk that hangs.
func TestHealthAsksSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		hang := make(chan struct{})
		check := &standing{Check: Check{"disk", func(context.Context) (string, error) {
			if asked.Add(1) == 3 {
				<-hang
			}
			return fmt.Sprint("answer ", asked.Load()), nil
		}}}
		for _, want := range []string{"answer 1", "answer 2"} {
			var many sync.WaitGroup
			for range 50 {
				many.Go(func() {
					if detail, err := check.now(t.Context()); err != nil || detail != want {
						t.Error(detail, err)
					}
				})
			}
			many.Wait()
			time.Sleep(checkEvery)
		}
		var many sync.WaitGroup
		for range 50 {
			many.Go(func() {
				if detail, err := check.now(t.Context()); err == nil {
					t.Error("a disk that hangs is fine:", detail)
				}
			})
		}
		many.Wait()
		close(hang)
		synctest.Wait()
		if detail, err := check.now(t.Context()); err != nil || detail != "answer 3" || asked.Load() != 3 {
			t.Error(detail, err, asked.Load())
		}
	})
}

func TestWriteProbe(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Log("this system has no disk that is always full")
	} else {
		path := filepath.Join(t.TempDir(), probeFile)
		if err := os.Symlink("/dev/full", path); err != nil {
			t.Fatal(err)
		}
		if err := writeProbe(path); err == nil || !strings.Contains(bare(err).Error(), "no space left") {
			t.Error("a full disk takes more:", err)
		}
	}
	_, err := LagCheck(5, func(context.Context) (uint64, error) { return 0, eventstore.ErrUnavailable }).Probe(t.Context())
	if !errors.Is(err, eventstore.ErrUnavailable) {
		t.Error(err)
	}
}

// TestUnreadyFirst asks a server that shuts down: it still answers, and says that it is not ready.
func TestUnreadyFirst(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s := begin(t, ServeConfig{Handler: http.HandlerFunc(NewHealth().Ready), Notice: 200 * time.Millisecond})
	statuses := []int{}
	ask := func() {
		answer, _ := send(t, "GET", s.url)
		statuses = append(statuses, answer.StatusCode)
	}
	ask()
	s.end()
	await(t, func() bool { ask(); return statuses[len(statuses)-1] == 503 })
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
	if statuses[0] != 200 || !slices.Contains(statuses, 503) {
		t.Error(statuses)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}
